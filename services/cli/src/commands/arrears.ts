import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DECODE_LIMITS, type DecodeLimits, decodeMembers, topicsOf } from '@repo/contracts';
import { type CalendarDate, parseDate } from '@repo/domain';
import { Ledger, type RowSource } from '@repo/ledger';
import { Sender } from '@repo/messaging';
import { arrearsMessages } from '@repo/shard-worker';
import type { Settings } from '../config.ts';
import { progressBar } from '../progress-bar.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji arrears --on DATE [--id CHECK_ID] [--json]

Sends an arrears check of DATE (YYYY-MM-DD) to every shard of the members topic and shows how far the sharing worker has come. Every
month whose due date lies before DATE and that has no contribution is marked as missed, for payers insured under 310 who contribute.
A check of the same id runs once, however often it is sent; stopping this command does not stop the check.

  --id     the check's id; manual:DATE when absent
  --json   one JSON object when it is done

Exits with 0 when the check is finished, 1 when nothing moved for a minute, 2 when the arguments or settings are not understood.`;

export const STALL_MS = 60_000;
const POLL_MS = 250;

interface Check {
  readonly checkId: string;
  readonly on: CalendarDate;
}

interface Progress {
  readonly shards: number;
  readonly finished: number;
  readonly checked: number;
  readonly marked: number;
  readonly paused: number;
  readonly seconds: number;
}

/** Starts a check by hand and watches it. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      on: { type: 'string' },
      id: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const on = parseDate(values.on ?? '');
  const servers = runningServers(settings);
  if (values.help === true || on === null) {
    (values.help ? console.log : console.error)(HELP);
    return values.help ? 0 : 2;
  }
  const checkId = values.id ?? `manual:${on}`;
  const problem = problemOf({ checkId, on }, { ...DECODE_LIMITS, futureDaysMax: settings.futureDaysMax });
  if (problem !== null) {
    console.error(`${problem}\n\n${HELP}`);
    return 2;
  }
  if (servers === null) {
    console.error(
      'Nothing to check: start the system here (npm start), or set GONGJI_DATABASE_URL and GONGJI_KAFKA_BROKERS.',
    );
    return 2;
  }
  const ledger = await Ledger.open({ url: servers.databaseUrl, role: 'gongji_reader', name: 'gongji-arrears' });
  try {
    const other = await otherDate(ledger, { checkId, on });
    if (other !== null) {
      console.error(`--id: expected one that is not that of another check; there is one of ${other}`);
      return 2;
    }
    const topic = topicsOf(servers.topicPrefix).members;
    const shards = await ledger.rows<{ partition: number; partitions: number }>(
      'select partition, partitions from shard where topic = $1 order by partition',
      [topic],
    );
    const [first] = shards;
    if (first === undefined) {
      console.error('The sharing worker has not taken its shards yet: wait until the system is ready.');
      return 1;
    }
    await using sender = await Sender.open({
      brokers: servers.brokers,
      clientId: 'gongji-arrears',
      ...servers.kafkaAccess,
    });
    await sender.sendAll(topic, arrearsMessages({ checkId, on }, first.partitions));
    return await watch(ledger, { checkId, shards: first.partitions, json: values.json === true });
  } finally {
    await ledger.close();
  }
}

/** What is wrong with the message that the check would be; it would only come to the dead letters, and the check would never move. */
function problemOf(check: Check, limits: DecodeLimits): string | null {
  const [message] = arrearsMessages(check, 1);
  const value = Buffer.from(String(message?.value));
  const headers = (message?.headers ?? []).map(([name, text]) => [name, Buffer.from(text)] as const);
  const decoded = decodeMembers({ key: null, value, headers, timestampMs: Date.now() }, limits);
  if (decoded.kind !== 'BAD') return null;
  return decoded.issues.map(({ path, problem }) => `${path === 'on' ? '--on' : '--id'}: ${problem}`).join('\n');
}

/** The date that a check of this id was of, where it was of another one: sent again with this date, it would not be made. */
export async function otherDate(ledger: RowSource, { checkId, on }: Check): Promise<CalendarDate | null> {
  const [other] = await ledger.rows<{ on: CalendarDate }>(
    'select on_day::text as on from arrears_check where check_id = $1 and on_day <> $2::date limit 1',
    [checkId, on],
  );
  return other?.on ?? null;
}

interface Watched {
  readonly checkId: string;
  readonly shards: number;
  readonly json: boolean;
  readonly stallMs?: number;
}

/** Shows how far a check has come, until it is finished or nothing has moved for `stallMs`. Answers the exit code. */
export async function watch(
  ledger: RowSource,
  { checkId, shards, json, stallMs = STALL_MS }: Watched,
): Promise<number> {
  const [{ people } = { people: 0 }] = await ledger.rows<{ people: number }>(
    'select count(*)::int as people from account',
    [],
  );
  const bar = json ? undefined : progressBar(process.stderr);
  let moved = { at: performance.now(), checked: -1 };
  for (;;) {
    const progress = await read(ledger, checkId, shards);
    if (progress.finished === shards) {
      bar?.clear();
      report(progress, json);
      return 0;
    }
    if (progress.checked !== moved.checked) moved = { at: performance.now(), checked: progress.checked };
    if (performance.now() - moved.at > stallMs) {
      bar?.clear();
      console.error(
        `Nothing moved for ${stallMs / 1000} s: is the sharing worker running? The check goes on when it is.`,
      );
      return 1;
    }
    bar?.show(
      people === 0 ? 0 : Math.min(1, progress.checked / people),
      `${progress.checked} checked, ${progress.marked} behind`,
    );
    await delay(POLL_MS);
  }
}

async function read(ledger: RowSource, checkId: string, shards: number): Promise<Progress> {
  const [row] = await ledger.rows<Record<'finished' | 'checked' | 'marked' | 'paused' | 'seconds', string>>(
    `select count(*) filter (where finished) as finished, coalesce(sum(checked), 0) as checked, coalesce(sum(marked), 0) as marked,
       coalesce(sum(paused), 0) as paused, coalesce(extract(epoch from max(moved_at) - min(started_at)), 0) as seconds
     from arrears_check where check_id = $1`,
    [checkId],
  );
  const number = (text: string | undefined) => Number(text ?? 0);
  return {
    shards,
    finished: number(row?.finished),
    checked: number(row?.checked),
    marked: number(row?.marked),
    paused: number(row?.paused),
    seconds: number(row?.seconds),
  };
}

function report(progress: Progress, json: boolean): void {
  if (json) console.log(JSON.stringify(progress));
  else {
    const { checked, marked, paused, seconds, shards } = progress;
    console.log(
      `${checked} persons checked in ${seconds.toFixed(1)} s over ${shards} shards: ${marked} behind, ${paused} sharing relations paused.`,
    );
  }
}
