import { command, NotUnderstood, parseOptions, readDays, refuse } from '../arguments.ts';
import type { Settings } from '../config.ts';
import { progressBar } from '../progress-bar.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji export --from DAY --to DAY [--format parquet|csv] [--out DIR] [--charts] [--json]

Writes four tables of what was published about these days (YYYY-MM-DD, both included): settlements, payments (who paid what for
whom), skips (who was passed over and why) and refunds. services/cli/README.md says what each column means. Claims and premiums
are dated by their settlement, refunds by their own date.

Person numbers are those that the topics carry, so that rows can be joined: the files are personal data, and are made readable by
their owner alone. Names, certificate numbers and balances are in none.

  --format  parquet (the default) or csv, with a header
  --out     the folder, gongji-export-FROM-TO if absent; files of the same names are replaced
  --charts  also runs the ready queries (services/cli/queries) and draws each as an SVG
  --json    one JSON object at the end instead of a list

It only reads, in one read-only transaction, and the system may run on. It finds a running \`npm start\` of this folder by itself;
GONGJI_DATABASE_URL names another database. Exits with 0 if done, 2 if the arguments or the settings are not understood.`;

/** Writes the tables. Answers the exit code. */
export const run = command(readArguments, HELP, write);

type Asked = Exclude<ReturnType<typeof readArguments>, 'help'>;

async function write(asked: Asked, settings: Settings): Promise<number> {
  const databaseUrl = settings.databaseUrl ?? runningServers(settings)?.databaseUrl;
  if (databaseUrl === undefined)
    return refuse('Nothing to export: start the system in this folder (npm start), or set GONGJI_DATABASE_URL.');
  // Loaded here, so that the list of commands does not wait for DuckDB.
  const { exportOutcomes } = await import('../export/export.ts');
  const bar = progressBar(process.stderr);
  const { json, ...options } = asked;
  const { tables, charts } = await exportOutcomes({
    ...options,
    databaseUrl,
    ...(bar && { onProgress: bar.show }),
  }).finally(() => bar?.clear());
  if (json) console.log(JSON.stringify({ from: asked.from, to: asked.to, tables, charts }));
  else {
    for (const { rows, file } of Object.values(tables)) console.log(`${String(rows).padStart(10)} rows  ${file}`);
    for (const file of charts) console.log(`${'chart'.padStart(15)}  ${file}`);
  }
  return 0;
}

function readArguments(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    from: text,
    to: text,
    format: text,
    out: text,
    charts: flag,
    json: flag,
    help: { ...flag, short: 'h' },
  } as const;
  const { values } = parseOptions({ args, options });
  if (values.help) return 'help';
  const { from, to } = readDays(values);
  const { format = 'parquet', charts = false, json = false } = values;
  if (format !== 'parquet' && format !== 'csv') throw new NotUnderstood('--format is parquet or csv');
  return { from, to, format, charts, json, folder: values.out ?? `gongji-export-${from}-${to}` } as const;
}
