import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parseArgs, styleText } from 'node:util';
import { formatMoney, parseDate } from '@repo/domain';
import type {
  Comparison,
  DayOfBooks,
  DifferenceKind,
  OtherSide,
  Period,
  SettledRow,
  TotalComparison,
} from '@repo/reconcile';
import { argumentProblem } from '../arguments.ts';
import type { Settings } from '../config.ts';
import { progressLine } from '../progress-bar.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji reconcile totals|details|compare FILE --day DAY | --from DAY --to DAY [--institution CODE] [--out FILE] [--json]

totals   CSV: of each day, institution, kind of insurance and clearing class, what was settled less what was refunded (as 3201)
details  CSV: every settlement and refund (as 3202, with sharing, cash, institution and day beside it); a refund's amounts are negative
compare  holds FILE, the other side's CSV with a line of column names, against ours, in every amount that FILE has a column for: what is
         missing here, what is missing there, which amount differs. With a column setl_id FILE is details, compared by setl_id and
         refd_setl_flag; without, it is totals, compared by those of day, fixmedins_code, insutype and clr_type that it has, ours summed
         over the others. Where FILE has no acct_mulaid_pay, its acct_pay is taken to contain it.

DAY is YYYY-MM-DD in Asia/Shanghai: of a settlement its setl_time, of a refund its own moment. A refund of a settlement of another day
counts on its own. Premiums are no institution's and are left out. Kinds of insurance are those the persons have now: where the other
side's totals move between kinds since somebody changed theirs, compare without the column insutype.

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
  const asked = readArguments(args);
  if (typeof asked === 'number') return asked;
  const url = settings.databaseUrl ?? runningServers(settings)?.databaseUrl;
  if (url === undefined) {
    console.error('Nothing to reconcile: start the system in this folder (npm start), or set GONGJI_DATABASE_URL.');
    return 2;
  }
  // Loaded here, so that the list of commands does not wait for a database client and a reader of CSV.
  const { Snapshot } = await import('@repo/ledger');
  const reconcile = await import('@repo/reconcile');
  const { institution } = asked.period;
  if (institution !== undefined && !reconcile.isInstitution(institution)) {
    console.error(`expected --institution to be letters and digits\n\n${HELP}`);
    return 2;
  }
  const other = asked.action === 'compare' ? await readFile(asked.file, reconcile) : null;
  if (other === undefined) return 2;
  await using snapshot = await Snapshot.open(url);
  const books = await reconcile.booksOfDays(snapshot, asked.period);
  const settled = shown(reconcile.settledRows(snapshot, asked.period));
  let differs = false;
  if (other === null) await write(asked, settled, reconcile);
  else {
    const comparison =
      other.kind === 'DETAILS'
        ? await reconcile.compareWith(settled, other)
        : await reconcile.compareTotalsWith(settled, other);
    console.log(
      asked.json
        ? JSON.stringify({ ...comparison, books }, textOfMoney)
        : draw(comparison, reconcile.countKinds(comparison)).join('\n'),
    );
    differs = comparison.differences.length > 0;
  }
  for (const day of books) console.error(describe(day));
  if (books.length === 0) console.error('No posting carries any of these days.');
  return differs || books.some(({ balanced }) => !balanced) ? 1 : 0;
}

type Reconcile = typeof import('@repo/reconcile');

/** The other side's file; undefined, with the reason printed, where it cannot be used. */
async function readFile(path: string, { readOtherSide, UnusableFile }: Reconcile): Promise<OtherSide | undefined> {
  try {
    return await readOtherSide(createReadStream(path));
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    console.error(`The file cannot be compared: ${error.message}`);
    return undefined;
  }
}

function readArguments(args: string[]): Asked | number {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    console.error(`${argumentProblem(error)}\n\n${HELP}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const asked = understand(values, positionals);
  if (typeof asked !== 'string') return asked;
  console.error(`${asked}\n\n${HELP}`);
  return 2;
}

/** What is asked for, or what was expected instead. */
function understand(
  values: ReturnType<typeof parse>['values'],
  [action, file = '', ...more]: readonly string[],
): Asked | string {
  if (action !== 'totals' && action !== 'details' && action !== 'compare') return 'expected totals, details or compare';
  if (action === 'compare' && file === '') return 'expected the other side’s FILE';
  if (more.length > 0 || (action !== 'compare' && file !== ''))
    return `${action} takes ${action === 'compare' ? 'one file' : 'options alone'}`;
  if (values.day !== undefined && (values.from !== undefined || values.to !== undefined))
    return 'expected --day DAY, or --from DAY --to DAY, and not both';
  const from = parseDate(values.day ?? values.from ?? '');
  const to = parseDate(values.day ?? values.to ?? '');
  if (from === null || to === null || from > to)
    return 'expected --day DAY, or --from DAY --to DAY in this order, as YYYY-MM-DD';
  const { institution, out } = values;
  return { action, file, period: { from, to, institution }, out, json: values.json === true };
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

/** Passes the pieces through while a terminal shows how many rows have been read. */
async function* shown(pieces: AsyncIterable<SettledRow[]>): AsyncGenerator<SettledRow[]> {
  const line = progressLine(process.stderr);
  let read = 0;
  for await (const rows of pieces) {
    read += rows.length;
    line?.show(`${read} settlements and refunds read`);
    yield rows;
  }
  line?.clear();
}

/** Writes with backpressure, so that a year's rows do not pile up in memory. */
async function write(
  { action, out, json }: Asked,
  settled: AsyncIterable<SettledRow[]>,
  { DETAIL_COLUMNS, TOTAL_COLUMNS, totalsOf, toLines }: Reconcile,
): Promise<void> {
  const linesOf = <Name extends string>(columns: readonly Name[], rows: readonly Readonly<Record<Name, unknown>>[]) =>
    json ? rows.map((row) => `${JSON.stringify(row, textOfMoney)}\n`).join('') : toLines(columns, rows);
  async function* lines(): AsyncGenerator<string> {
    if (!json) yield `${(action === 'details' ? DETAIL_COLUMNS : TOTAL_COLUMNS).join()}\n`;
    if (action === 'totals') yield linesOf(TOTAL_COLUMNS, (await totalsOf(settled)).list());
    else for await (const rows of settled) yield linesOf(DETAIL_COLUMNS, rows);
  }
  if (out === undefined) await pipeline(lines, process.stdout, { end: false });
  else await pipeline(lines, createWriteStream(out, { mode: 0o600 }));
}

const textOfMoney = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? formatMoney(value as Parameters<typeof formatMoney>[0]) : value;

const WORDS: Readonly<Record<DifferenceKind, string>> = {
  MISSING_HERE: 'missing here',
  MISSING_THERE: 'missing there',
  AMOUNT_DIFFERS: 'amount differs',
};
const BAR_WIDTH = 40;
const LISTED_MAX = 200;

/** A bar chart of the kinds, then the differences, one per line. */
export function draw(
  { compared, differences }: Comparison | TotalComparison,
  { same, kinds }: ReturnType<Reconcile['countKinds']>,
): string[] {
  const counted = kinds.map(({ kind, count }) => ({ words: WORDS[kind], count, colour: 'red' as const }));
  const lines = [{ words: 'the same', count: same, colour: 'green' as const }, ...counted].map(
    ({ words, count, colour }) => {
      // A kind that occurs at all gets a visible bar.
      const length = count === 0 ? 0 : Math.max(1, Math.round((count / Math.max(1, compared)) * BAR_WIDTH));
      const bar = styleText(colour, '█'.repeat(length), { stream: process.stdout });
      return `${words.padEnd(15)} ${String(count).padStart(9)}  ${bar}`.trimEnd();
    },
  );
  const shown = differences.slice(0, LISTED_MAX).map(({ kind, column, here, there, ...key }) => {
    const amounts = [here === null ? '' : `here ${textOf(here)}`, there === null ? '' : `there ${textOf(there)}`];
    return `  ${WORDS[kind].padEnd(14)}  ${nameOf(key)}  ${[column ?? 'medfee_sumamt', ...amounts].filter(Boolean).join(' ')}`;
  });
  const more =
    differences.length > LISTED_MAX ? [`  and ${differences.length - LISTED_MAX} more; --json lists all`] : [];
  return [...lines, ...(shown.length === 0 ? [] : ['', ...shown, ...more])];
}

type Differing = (Comparison | TotalComparison)['differences'][number];

/** The name of a settlement, or of a group of totals by its distinguishing columns. */
function nameOf({ setl_id, refd_setl_flag, ...group }: Readonly<Record<string, string | undefined>>): string {
  if (setl_id === undefined) return Object.values(group).join(' ');
  return refd_setl_flag === '1' ? `${setl_id} refunded` : setl_id;
}

const textOf = (value: NonNullable<Differing['here']>): string =>
  typeof value === 'bigint' ? formatMoney(value) : String(value);

const describe = ({ day, closed, entries, debits, credits, balanced }: DayOfBooks): string =>
  `${day}  ${entries} entries, debits ${debits}, credits ${credits}${balanced ? '' : ': THEY DIFFER, run gongji audit'}; ${
    closed ? 'closed' : `open, gongji books close ${day} closes it`
  }`;
