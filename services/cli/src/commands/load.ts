import { accessSync, constants, statSync } from 'node:fs';
import { DECODE_LIMITS } from '@repo/contracts';
import { StartFailure } from '@repo/embedded';
import { loadPolicies } from '@repo/policy';
import { command, NotUnderstood, parseOptions, refuse } from '../arguments.ts';
import type { Format } from '../bulk/lines.ts';
import type { Settings } from '../config.ts';
import { progressBar } from '../progress-bar.ts';
import { runningBrokers, runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji load FILE [--format csv|ndjson] [--check] [--json]

Enters accounts and bindings beside the topic, as their messages would be: the same rules, and the same events sent later change nothing.

  ndjson  one event a line: its fields, and ce_type account.opened or binding.opened
  csv     a header of field names: with binding_id it holds bindings, else accounts. An empty cell is an absent field; lists are parted by
          semicolons; yes or no is written true or false; a line break inside a cell is not taken

Every line is read first, into a temporary table through COPY. Where one is bad, each is listed with its number and reason, and nothing is
entered. What is already there with the same content is passed over, so a load that was cut off goes on when it is run again.

  --format  by the file's ending if absent (.csv; .ndjson, .jsonl)
  --check   only reads and tells
  --json    one JSON object

Exits with 0 if all is entered, 1 if a line is bad, 2 if the arguments or the settings are not understood. It finds a running \`npm start\` of
this folder by itself; GONGJI_DATABASE_URL (the owner's) names another database. GONGJI_PARTITIONS must be the count of its members topic: where
a worker has been there, or GONGJI_KAFKA_BROKERS is set and has the topic, another one is refused. GONGJI_MAX_FUTURE_DAYS must be that of the workers.`;

/** Loads a file. Answers the exit code. */
export const run = command(readArguments, HELP, load);

type Asked = Exclude<ReturnType<typeof readArguments>, 'help'>;

async function load(asked: Asked, settings: Settings): Promise<number> {
  const { file, json } = asked;
  if (!isReadable(file)) return refuse(`${file}: expected a file that can be read`);
  const databaseUrl = settings.databaseUrl ?? runningServers(settings)?.databaseUrl;
  if (databaseUrl === undefined)
    return refuse(
      'Nowhere to load to: start the system in this folder (npm start), or set GONGJI_DATABASE_URL (the owner’s).',
    );
  const loaded = await loadPolicies({ dir: settings.policyDir });
  if ('problems' in loaded) return refuse(loaded.problems.join('\n'));
  // Loaded here, so that the list of commands does not wait for a Kafka client.
  const [{ requirePartitions }, { loadFile }] = await Promise.all([
    import('../system/partition-count.ts'),
    import('../bulk/load-file.ts'),
  ]);
  const { brokers, kafkaAccess } = runningBrokers(settings) ?? {};
  const { topicPrefix } = runningServers(settings) ?? settings;
  const { partitions, futureDaysMax } = settings;
  const connection = brokers && { brokers, clientId: 'gongji-load', ...kafkaAccess };
  try {
    await requirePartitions({ databaseUrl, connection, topicPrefix, partitions });
  } catch (error) {
    if (error instanceof StartFailure) return refuse(error.message);
    throw error;
  }
  const bar = progressBar(process.stderr);
  const done = await loadFile({
    databaseUrl,
    ...asked,
    partitions,
    policies: loaded.policies,
    limits: { ...DECODE_LIMITS, futureDaysMax },
    ...(bar && { onProgress: bar.show }),
  }).finally(() => bar?.clear());
  const { lines, bad, entered, repeated } = done;
  if (json) console.log(JSON.stringify({ file, ...done }));
  else {
    for (const { line, problem } of bad) console.error(`${file}:${line}: ${problem}`);
    const verdict =
      bad.length > 0
        ? `${bad.length} of ${lines} lines are bad: nothing was entered`
        : `${entered} entered, ${repeated} were there already`;
    console.log(asked.checkOnly && bad.length === 0 ? `${lines} lines, none is bad` : verdict);
  }
  return bad.length > 0 ? 1 : 0;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return !statSync(file).isDirectory();
  } catch {
    return false;
  }
}

function readArguments(args: string[]) {
  const options = {
    format: { type: 'string' },
    check: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseOptions({ args, options, allowPositionals: true });
  if (values.help) return 'help';
  const [file, ...more] = positionals;
  if (file === undefined) throw new NotUnderstood('which FILE is to be loaded?');
  if (more.length > 0) throw new NotUnderstood('one file is loaded at a time');
  const format: string | undefined =
    values.format ?? (/\.csv$/i.test(file) ? 'csv' : /\.(ndjson|jsonl)$/i.test(file) ? 'ndjson' : undefined);
  if (format !== 'csv' && format !== 'ndjson') throw new NotUnderstood('--format is csv or ndjson');
  return {
    file,
    format: format satisfies Format,
    checkOnly: values.check === true,
    json: values.json === true,
  } as const;
}
