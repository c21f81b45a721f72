import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { parseArgs, styleText } from 'node:util';
import { type CalendarDate, formatMoney, parseDate } from '@repo/domain';
import type { Settings } from '../config.ts';
import type { Comparison, DifferenceKind } from '../reconcile/compare.ts';
import type { DayOfBooks } from '../reconcile/reconcile.ts';
import type { Period } from '../reconcile/settled.ts';
import { runningServers } from '../system/addresses.ts';

export const summary = 'daily totals and details of what was settled, and what differs from the other side';

const HELP = `Usage: npm run reconcile -- totals|details|compare FILE --day DAY | --from DAY --to DAY [--institution CODE] [--out FILE] [--json]

totals   CSV: of each day, institution, kind of insurance and clearing class, what was settled less what was refunded (as 3201)
details  CSV: every settlement and refund (as 3202, with sharing, cash, institution and day beside it); a refund's amounts are negative
compare  holds FILE, the other side's details as CSV with a line of column names, against ours, by setl_id and refd_setl_flag, in every
         amount that FILE has a column for: what is missing here, what is missing there, which amount differs. Where FILE has no
         acct_mulaid_pay, its acct_pay is taken to contain it.

DAY is YYYY-MM-DD in Asia/Shanghai: of a settlement its setl_time, of a refund its own moment. A refund of a settlement of another day
counts on its own. Premiums are no institution's and are left out. Kinds of insurance are those the persons have now.

  --institution CODE  of one institution only
  --out FILE          where totals and details go instead of standard output; they name persons, so keep them as you keep such files
  --json              one JSON object a line instead of CSV; of compare, one object in all

Whether the books of each day are closed, and that their two sides are equal, is said on standard error.
Exits with 0, with 1 if compare found a difference or a day's books do not balance, with 2 if the arguments, FILE or the settings are not
understood. It only reads. It finds a running \`npm start\` of this folder by itself; GONGJI_DATABASE_URL names another database.`;

interface Asked {
  readonly action: 'totals' | 'details' | 'compare';
  readonly file: string;
  readonly period: Period;
  readonly out: string | undefined;
  readonly json: boolean;
}

/** Writes or compares what was settled. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  const asked = await readArguments(args);
  if (typeof asked === 'number') return asked;
  const url = settings.databaseUrl ?? runningServers(settings)?.databaseUrl;
  if (url === undefined) {
    console.error('Nothing to reconcile: start the system in this folder (npm start), or set GONGJI_DATABASE_URL.');
    return 2;
  }
  // Loaded here, so that the list of commands does not wait for them.
  const [{ Snapshot }, { UnusableFile, readOtherSide }, { booksOfDays, compareWith }] = await Promise.all([
    import('../audit/snapshot.ts'),
    import('../reconcile/files.ts'),
    import('../reconcile/reconcile.ts'),
  ]);
  const tell = progressOn(process.stderr);
  await using snapshot = await Snapshot.open(url);
  const books = await booksOfDays(snapshot, asked.period);
  let differs = false;
  if (asked.action === 'compare') {
    try {
      const other = await readOtherSide(asked.file);
      const comparison = await compareWith(snapshot, asked.period, other, tell.show);
      tell.clear();
      console.log(asked.json ? JSON.stringify(toWire(comparison, books)) : draw(comparison).join('\n'));
      differs = comparison.differences.length > 0;
    } catch (error) {
      if (!(error instanceof UnusableFile)) throw error;
      console.error(`The file cannot be compared: ${error.message}`);
      return 2;
    }
  } else {
    await write(asked, snapshot, tell);
  }
  for (const day of books) console.error(describe(day));
  if (books.length === 0) console.error('No posting carries any of these days.');
  return differs || books.some(({ balanced }) => !balanced) ? 1 : 0;
}

async function readArguments(args: string[]): Promise<Asked | number> {
  const { isInstitution } = await import('../reconcile/settled.ts');
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const [action, file = ''] = positionals;
  const from = parseDate(values.day ?? values.from ?? '');
  const to = parseDate(values.day ?? values.to ?? '');
  const problem =
    action !== 'totals' && action !== 'details' && action !== 'compare'
      ? 'expected totals, details or compare'
      : action === 'compare' && file === ''
        ? 'expected the other side’s FILE'
        : from === null || to === null || from > to
          ? 'expected --day DAY, or --from DAY --to DAY in this order, as YYYY-MM-DD'
          : values.institution !== undefined && !isInstitution(values.institution)
            ? 'expected --institution to be letters and digits'
            : undefined;
  if (problem !== undefined || from === null || to === null) {
    console.error(`${problem}\n\n${HELP}`);
    return 2;
  }
  const period: Period = { from: from as CalendarDate, to: to as CalendarDate, institution: values.institution };
  return { action: action as Asked['action'], file, period, out: values.out, json: values.json === true };
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      day: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      institution: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });

/** How many settlements were read, on a line that is drawn over itself; nothing where nobody looks at a terminal. */
function progressOn(terminal: NodeJS.WriteStream) {
  if (!terminal.isTTY) return { show: () => undefined, clear: () => undefined };
  return {
    show: (rows: number): void => void terminal.write(`\r\x1b[2K${rows} settlements and refunds read`),
    clear: (): void => void terminal.write('\r\x1b[2K'),
  };
}

type Snapshot = import('../audit/snapshot.ts').Snapshot;

async function write(
  { action, period, out, json }: Asked,
  snapshot: Snapshot,
  tell: ReturnType<typeof progressOn>,
): Promise<void> {
  const { DETAIL_COLUMNS, TOTAL_COLUMNS, toLines } = await import('../reconcile/files.ts');
  const { eachSettled } = await import('../reconcile/reconcile.ts');
  const { Totals } = await import('../reconcile/totals.ts');
  const file = out === undefined ? process.stdout : createWriteStream(out, { mode: 0o600 });
  const linesOf = <Name extends string>(columns: readonly Name[], rows: readonly Readonly<Record<Name, unknown>>[]) =>
    json ? rows.map((row) => `${JSON.stringify(row, textOfMoney)}\n`).join('') : toLines(columns, rows);
  if (!json) file.write(`${(action === 'details' ? DETAIL_COLUMNS : TOTAL_COLUMNS).join()}\n`);
  const totals = new Totals();
  await eachSettled(snapshot, period, (rows, total) => {
    if (action === 'details') file.write(linesOf(DETAIL_COLUMNS, rows));
    else for (const row of rows) totals.add(row);
    tell.show(total);
  });
  if (action === 'totals') file.write(linesOf(TOTAL_COLUMNS, totals.list()));
  tell.clear();
  if (file === process.stdout) return;
  file.end();
  await once(file, 'close');
}

const textOfMoney = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? formatMoney(value as Parameters<typeof formatMoney>[0]) : value;

const toWire = (comparison: Comparison, books: readonly DayOfBooks[]) =>
  JSON.parse(JSON.stringify({ ...comparison, books }, textOfMoney)) as object;

const WORDS: Readonly<Record<DifferenceKind, string>> = {
  MISSING_HERE: 'missing here',
  MISSING_THERE: 'missing there',
  AMOUNT_DIFFERS: 'amount differs',
};
const BAR_WIDTH = 40;
const LISTED_MAX = 200;

/** The picture first, then what differs, one a line. */
export function draw({ compared, differences }: Comparison): string[] {
  const keyOf = ({ setl_id, refd_setl_flag }: { setl_id: string; refd_setl_flag: string }) =>
    `${setl_id} ${refd_setl_flag}`;
  const counted = Object.entries(WORDS).map(([kind, words]) => {
    const of = new Set(differences.filter((each) => each.kind === kind).map(keyOf));
    return { words, count: of.size, colour: 'red' as const };
  });
  const wrong = counted.reduce((sum, { count }) => sum + count, 0);
  const lines = [{ words: 'the same', count: compared - wrong, colour: 'green' as const }, ...counted].map(
    ({ words, count, colour }) => {
      // Whatever there is one of is seen.
      const length = count === 0 ? 0 : Math.max(1, Math.round((count / Math.max(1, compared)) * BAR_WIDTH));
      const bar = styleText(colour, '█'.repeat(length), { stream: process.stdout });
      return `${words.padEnd(15)} ${String(count).padStart(9)}  ${bar}`.trimEnd();
    },
  );
  const shown = differences.slice(0, LISTED_MAX).map(({ kind, setl_id, refd_setl_flag, column, here, there }) => {
    const what = refd_setl_flag === '1' ? `${setl_id} refunded` : setl_id;
    const amounts = [
      here === null ? '' : `here ${formatMoney(here)}`,
      there === null ? '' : `there ${formatMoney(there)}`,
    ];
    return `  ${WORDS[kind].padEnd(14)}  ${what}  ${[column ?? 'medfee_sumamt', ...amounts].filter(Boolean).join(' ')}`;
  });
  const more =
    differences.length > LISTED_MAX ? [`  and ${differences.length - LISTED_MAX} more; --json lists all`] : [];
  return [...lines, ...(shown.length === 0 ? [] : ['', ...shown, ...more])];
}

const describe = ({ day, closed, entries, debits, credits, balanced }: DayOfBooks): string =>
  `${day}  ${entries} entries, debits ${debits}, credits ${credits}${balanced ? '' : ': THEY DIFFER, run npm run audit'}; ${
    closed ? 'closed' : `open, npm run books -- close ${day} closes it`
  }`;
