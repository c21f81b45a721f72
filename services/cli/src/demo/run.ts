import { setTimeout as delay } from 'node:timers/promises';
import { City, type MemberRow } from './city.ts';
import { claims, type DayMessage } from './day.ts';
import { readOutcome } from './outcome.ts';
import { type Paper, startPainter } from './painter.ts';
import { everyClaimAnswered, summary, type Verdict } from './summary.ts';
import { Tally } from './tally.ts';
import { DAY_MS, FIRST_MS } from './visit.ts';

/** What the demo needs of the running system. Every promise rejects if the system cannot go on. */
export interface DemoSystem extends AsyncDisposable {
  /** Bulk-loads members into the empty ledger, in the order given: each payer before their bindings. */
  loadMembers(rows: Iterable<MemberRow>): Promise<void>;
  /** Calls back for every record published from now on (`read_committed`); resolves when none can be missed any more. */
  tail(on: { settlement(value: Buffer): void; deadLetter(): void; failure(error: unknown): void }): Promise<void>;
  /** Sends to the claims topic, in order; resolves when the broker has all of them. */
  send(messages: readonly DayMessage[]): Promise<void>;
  /** Checks the books against the published outcomes. */
  audit(): Promise<Verdict>;
}

export interface DemoOptions {
  readonly people: number;
  readonly claims: number;
  readonly seed: number;
  /** How long the made-up day takes, if the system keeps up; milliseconds. */
  readonly dayTakesMs: number;
  /** In ms without any answer, after which the demo fails instead of waiting for ever. */
  readonly stallMs: number;
  readonly paper: Paper;
  readonly colour: boolean;
  readonly signal: AbortSignal;
  readonly start: () => Promise<DemoSystem>;
}

const TICK_MS = 20;
const BATCH_MAX = 1_000;
/** With more unanswered claims than this the hospital pauses, so that the lag is a few seconds of work on any machine. */
export const WAITING_MAX = 6_000;

/**
 * The demo from start to end: the system, the members, the day, the audit, the summary. Resolves with the exit code: 0 only if
 * every claim was answered exactly once and the audit is clean. An abort rejects, after the system has been stopped.
 */
export async function runDemo(options: DemoOptions): Promise<0 | 1> {
  const { paper, colour, signal, seed } = options;
  const city = new City(options);
  const tally = new Tally({ city, claims: options.claims });
  let verdict: Verdict | null = null;
  {
    using _painter = startPainter(paper, { state: () => tally.state(performance.now()), colour });
    await using system = await options.start();
    tally.phase = 'LOADING';
    await system.loadMembers(counted(city.members(), tally, signal));
    const broken = Promise.withResolvers<never>();
    // The reading may fail at any moment, also between two waits: the next wait rejects, and the hospital stops sending.
    const stop = new AbortController();
    broken.promise.catch(() => stop.abort());
    await system.tail({
      settlement: (value) => tally.answer(readOutcome(value), performance.now()),
      deadLetter: () => tally.deadLetter(),
      failure: broken.reject,
    });
    tally.phase = 'SETTLING';
    const day = { ...options, signal: AbortSignal.any([signal, stop.signal]) };
    await Promise.race([broken.promise, feed(system, city, tally, day).then(() => drain(tally, day))]);
    tally.phase = 'AUDITING';
    verdict = await Promise.race([broken.promise, system.audit()]);
    tally.phase = 'DONE';
  }
  const state = tally.state(performance.now());
  paper.write(`${summary(state, { verdict, seed, colour, columns: paper.columns }).join('\n')}\n`);
  return everyClaimAnswered(state) && verdict.clean ? 0 : 1;
}

function* counted(rows: Iterable<MemberRow>, tally: Tally, signal: AbortSignal): Generator<MemberRow, void> {
  for (const row of rows) {
    signal.throwIfAborted();
    if (row.type === 'account.opened') tally.loaded += 1;
    yield row;
  }
}

/** Sends the day as its clock says, squeezed into `dayTakesMs`; when the system lags, the day waits for it. */
async function feed(system: DemoSystem, city: City, tally: Tally, options: DemoOptions): Promise<void> {
  const { signal, dayTakesMs } = options;
  const started = performance.now();
  const dueMs = ({ at }: DayMessage): number => started + ((at - FIRST_MS) / DAY_MS) * dayTakesMs;
  let batch: DayMessage[] = [];
  const flush = async (): Promise<void> => {
    for (const message of batch) tally.sending(message, performance.now());
    if (batch.length > 0) await system.send(batch);
    batch = [];
  };
  for (const message of claims(city, options.claims)) {
    if (batch.length >= BATCH_MAX || dueMs(message) > performance.now()) await flush();
    while (dueMs(message) > performance.now() || tally.waiting >= WAITING_MAX)
      await delay(TICK_MS, undefined, { signal });
    batch.push(message);
  }
  await flush();
}

/** Waits for the last answer, for as long as answers keep coming. */
async function drain(tally: Tally, { signal, stallMs }: DemoOptions): Promise<void> {
  let [waiting, since] = [tally.waiting, performance.now()];
  while (tally.waiting > 0 && performance.now() - since < stallMs) {
    await delay(TICK_MS, undefined, { signal });
    if (tally.waiting !== waiting) [waiting, since] = [tally.waiting, performance.now()];
  }
}
