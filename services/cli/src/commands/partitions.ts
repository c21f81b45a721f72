import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  addMonths,
  archivable,
  archivePartitions,
  codeOf,
  createPartition,
  currentMonth,
  findPartitions,
  isMonth,
  Ledger,
  type Month,
  missingPartitions,
  monthsAhead,
  NotArchivable,
  type Partition,
  proveBounds,
  type Refusal,
  restorePartitions,
} from '@repo/ledger';
import { command, NotUnderstood, refuse } from '../arguments.ts';
import type { Settings } from '../config.ts';
import { progressLine } from '../progress-bar.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji partitions list [--json]
       gongji partitions create [--ahead N | MONTH] [--dry-run] [--json]
       gongji partitions archive MONTH [--dry-run] [--json]
       gongji partitions restore MONTH [--dry-run] [--json]

Outcomes are parted by the month they were stored in, entries by the month of their book day. What falls into a month that nobody created is
kept in a net, and moves to its month when that is created: nothing fails for lack of one.

list     every partition with its last month, rows (as PostgreSQL estimates them), size and whether it is archived; then for how many months
         to come there are partitions
create   this month and the N after it (3, at most 60), or one MONTH (YYYY-MM), where they are not there yet
archive  moves a month that is over to the schema "archive", where nothing is written any more. Queries, refunds, audit and export find it as before,
         and its tables can be dumped or moved to slower disks. Refused while the month's books are open (gongji books close) or an outcome of it
         is not published. The first partition of a ledger that was there before holds all months up to its last one, and is named by that
restore  takes an archived month back

  --dry-run  says what would be done, or why it would be refused, and does nothing
  --json     one JSON object a line

archive and restore wait for readers under way, such as an audit, and hold postings up for a quarter of a second at most each time they try.

Exits with 0 if done, 1 if refused, if nothing is there, or if readers stay longer than half a minute, 2 if the arguments or the settings are not
understood. It finds a running \`npm start\` of this folder by itself; GONGJI_DATABASE_URL (the owner's) names another database.`;

const AHEAD_MAX = 60;
/** In ms: how long an attempt may hold up others, after how long attempts end, and the pause between two attempts. */
const LOCK_TIMEOUT_MS = 250;
export const LOCKS_WITHIN_MS = 30_000;
const RETRY_MS = 1_000;

const ACTIONS = ['list', 'create', 'archive', 'restore'] as const;
interface Asked {
  readonly action: (typeof ACTIONS)[number];
  readonly month: Month | null;
  readonly ahead: number;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Lists, creates, archives or restores. Answers the exit code. */
export const run = command(readArguments, HELP, work);

async function work(asked: Asked, settings: Settings): Promise<number> {
  const url = settings.databaseUrl ?? runningServers(settings)?.databaseUrl;
  if (url === undefined)
    return refuse('No ledger here: start the system in this folder (npm start), or set GONGJI_DATABASE_URL.');
  const ledger = await Ledger.open({
    url,
    name: 'gongji-partitions',
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    // Proving a large partition's bounds reads it once, while others go on.
    statementTimeoutMs: 86_400_000,
    transactionTimeoutMs: 86_400_000,
  });
  try {
    return await carryOut(ledger, asked);
  } finally {
    await ledger.close();
  }
}

function readArguments(args: string[]): Asked | 'help' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ahead: { type: 'string' },
      'dry-run': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const [name, month, ...more] = positionals;
  const action = ACTIONS.find((known) => known === name);
  if (action === undefined) throw new NotUnderstood(`expected one of ${ACTIONS.join(', ')}`);
  if (month !== undefined && !isMonth(month)) throw new NotUnderstood('MONTH: expected a month, such as 2026-03');
  const takesMonth = action === 'archive' || action === 'restore';
  if (more.length > 0 || (month === undefined ? takesMonth : action === 'list'))
    throw new NotUnderstood(
      takesMonth ? `${action} takes one month` : `${action} takes ${action === 'list' ? 'no' : 'at most one'} month`,
    );
  if (values.ahead !== undefined && (action !== 'create' || month !== undefined))
    throw new NotUnderstood('--ahead is for create without a month');
  if (values['dry-run'] && action === 'list') throw new NotUnderstood('--dry-run is not for list');
  const ahead = Number(values.ahead ?? 3);
  if (!/^\d+$/.test(values.ahead ?? '3') || ahead > AHEAD_MAX)
    throw new NotUnderstood(`--ahead: expected a whole number from 0 to ${AHEAD_MAX}`);
  return { action, month: month ?? null, ahead, dryRun: values['dry-run'] === true, json: values.json === true };
}

function carryOut(ledger: Ledger, asked: Asked): Promise<number> {
  switch (asked.action) {
    case 'list':
      return list(ledger, asked);
    case 'create':
      return create(ledger, asked);
    case 'archive':
      return archive(ledger, asked);
    case 'restore':
      return restore(ledger, asked);
    default:
      return asked.action satisfies never;
  }
}

const say = ({ json }: Asked, value: object, words: string): void => console.log(json ? JSON.stringify(value) : words);

async function list(ledger: Ledger, asked: Asked): Promise<number> {
  const ahead = await monthsAhead(ledger);
  for (const part of await findPartitions(ledger)) say(asked, part, describe(part));
  say(asked, { monthsAhead: ahead }, `There are partitions for ${ahead} months to come.`);
  return 0;
}

const SPANS = { MONTH: '       ', BEGINNING: 'through', NET: 'others ' } as const;

function describe({ name, kind, month, archived, rows, bytes }: Partition): string {
  const count = rows === null ? 'not counted' : `~${rows} rows`;
  const size = `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  return `${SPANS[kind]} ${month ?? '       '}  ${name.padEnd(18)} ${count.padStart(16)} ${size.padStart(12)}${archived ? '  archived' : ''}`;
}

async function create(ledger: Ledger, asked: Asked): Promise<number> {
  const from = asked.month ?? (await currentMonth(ledger));
  const missing = await missingPartitions(ledger, { from, through: asked.month ?? addMonths(from, asked.ahead) });
  for (const one of missing) {
    if (!asked.dryRun && !(await patiently(() => createPartition(ledger, one)))) return busy();
    const verb = asked.dryRun ? 'would create' : 'created';
    say(asked, { ...one, created: !asked.dryRun }, `${verb} ${one.name}, ${one.waiting} rows from the net`);
  }
  if (missing.length === 0 && !asked.json) console.log('Every month asked for is there.');
  return 0;
}

const WHY: Readonly<Record<Refusal, string>> = {
  NOT_THERE: 'no partition ends with it (gongji partitions list)',
  NOT_OVER: 'it ended less than a day ago, or has not',
  NOT_CLOSED: 'its books are not closed (gongji books close, with its last day)',
  NOT_PUBLISHED: 'an outcome of it is not published yet: the workers must run, and be asked again in a minute',
};

function refused(asked: Asked, refusal: Refusal): 1 {
  if (asked.json) console.log(JSON.stringify({ month: asked.month, refused: refusal }));
  else console.error(`${asked.month} stays where it is: ${WHY[refusal]}.`);
  return 1;
}

function busy(): 1 {
  console.error(
    `Somebody has been reading the tables for ${LOCKS_WITHIN_MS / 1000} s: try again when that has ended. Nothing was moved.`,
  );
  return 1;
}

async function archive(ledger: Ledger, asked: Asked): Promise<number> {
  const month = asked.month ?? '';
  const { partitions, refusal } = await archivable(ledger, month);
  if (refusal !== null) return refused(asked, refusal);
  if (asked.dryRun) {
    for (const part of partitions) say(asked, { ...part, dryRun: true }, `would archive ${part.name}`);
    return 0;
  }
  const line = progressLine(process.stderr);
  try {
    for (const [n, part] of partitions.entries()) {
      line?.show(
        `${n + 1} of ${partitions.length + 1}  reading ${part.name} once (${Math.round(part.bytes / 1024 / 1024)} MB)`,
      );
      if (!(await patiently(() => proveBounds(ledger, part)))) return busy();
    }
    line?.show(`${partitions.length + 1} of ${partitions.length + 1}  moving, as soon as nobody reads`);
    if (!(await patiently(() => archivePartitions(ledger, month)))) return busy();
  } catch (error) {
    if (error instanceof NotArchivable) return refused(asked, error.refusal);
    throw error;
  } finally {
    line?.clear();
  }
  for (const part of partitions) say(asked, { ...part, archived: true }, `archived ${part.name}`);
  return 0;
}

async function restore(ledger: Ledger, asked: Asked): Promise<number> {
  const month = asked.month ?? '';
  const partitions = (await findPartitions(ledger)).filter((part) => part.month === month && part.archived);
  if (partitions.length === 0) return refused(asked, 'NOT_THERE');
  try {
    if (!asked.dryRun && !(await patiently(() => restorePartitions(ledger, month)))) return busy();
  } catch (error) {
    // Somebody else restored it, or dropped it, at this moment.
    if (error instanceof NotArchivable) return refused(asked, error.refusal);
    throw error;
  }
  for (const part of partitions)
    say(asked, { ...part, archived: asked.dryRun }, `${asked.dryRun ? 'would restore' : 'restored'} ${part.name}`);
  return 0;
}

/** Repeats `work` until it gets its locks; false where it does not within `withinMs`. Between attempts, those who wait behind it go on. */
export async function patiently(
  work: () => Promise<void>,
  { withinMs = LOCKS_WITHIN_MS, retryMs = RETRY_MS } = {},
): Promise<boolean> {
  for (const end = performance.now() + withinMs; ; await delay(retryMs)) {
    try {
      await work();
      return true;
    } catch (error) {
      if (codeOf(error) !== '55P03') throw error;
      if (performance.now() > end) return false;
    }
  }
}
