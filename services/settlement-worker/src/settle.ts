import { type Books, dateOf } from '@repo/domain';
import {
  booksOf,
  codeOf,
  isTransient,
  type Ledger,
  type LedgerTransaction,
  type LockedShard,
  type WorkItem,
} from '@repo/ledger';
import type { Applied, Batch, InputRecord, Lease } from '@repo/messaging';
import { Unopened } from '@repo/sealing';
import {
  type AppliedIn,
  type BatchPlace,
  FULL_SHARE,
  type HeldRoom,
  holdBehind,
  type OutboxTargets,
  writeAllApplied,
  writeApplied,
} from '@repo/shard-worker';
import { answerParked, type DecideDeps, Draft, decideAll, decode, type Message, type Observed } from './decide.ts';
import { expired, isAnyExpired, openParked, writeParked } from './parked.ts';
import { type Arrived, loadWorld, park, type Waiting, type World } from './world.ts';

export interface SettleDeps extends DecideDeps {
  readonly ledger: Ledger;
  readonly targets: OutboxTargets;
  /** The room that this worker's `withQuarantine` has. */
  readonly room?: HeldRoom;
  /** Called once a batch has committed. */
  readonly observe?: (events: readonly Observed[]) => void;
  readonly failpoint?: (name: 'mid-db' | 'before-db-commit') => void | Promise<void>;
}

/**
 * Settles one batch of a shard in one transaction, with a fixed number of statements. Decisions are made in memory in the order of the log,
 * each message seeing the effects of the one before.
 */
export async function settleBatch(lease: Lease, records: readonly InputRecord[], deps: SettleDeps): Promise<Applied> {
  const [applied] = await settleTogether([{ lease, records }], deps);
  return applied as Applied;
}

/**
 * How long a transaction of several shards waits for a lock, ms: a lock that one shard's batch needs must not hold up the others for long.
 */
const LOCK_WAIT_MS = 250;

/**
 * Settles batches of several shards in one transaction, one shard after the other, with hardly more statements than one needs. Attempted
 * only once: after a failure each batch is settled by itself, which shows which of them fails.
 */
export async function settleTogether(batches: readonly Batch[], deps: SettleDeps): Promise<readonly Applied[]> {
  const { applied, committed } = await deps.ledger.transact(
    (tx) => settleIn(tx, batches, deps),
    batches.length === 1 ? {} : { attemptsMax: 1 },
  );
  committed();
  return applied;
}

/**
 * One attempt. Messages are decoded in it, and again by another attempt, so that nothing but the results has to outlive it: what is still
 * there while the database commits survives into the old generation of the heap.
 */
async function settleIn(tx: LedgerTransaction, batches: readonly Batch[], deps: SettleDeps): Promise<Settled> {
  const read = batches.map(({ lease, records }) => ({
    lease,
    messages: records.map((record) => decode(record, deps.limits)),
    nextOffset: (records.at(-1)?.offset ?? lease.nextOffset - 1n) + 1n,
  }));
  if (batches.length > 1) tx.send(`set local lock_timeout = ${LOCK_WAIT_MS}`, []);
  // Sent together with the locks. Where the shards' rows say that nothing is held, this saves a round trip.
  const [locked, loaded] = await Promise.allSettled([
    tx.lockShards(read.map(({ lease }) => lease)),
    loadWorld(tx, read.map(arrivedOf), deps),
  ]);
  const shards = resultOf(locked);
  // After an error of the server nothing more can be done in this transaction.
  if (loaded.status === 'rejected' && isTheirs(loaded.reason)) throw loaded.reason;
  const parts: Part[] = [];
  for (const [i, { lease, nextOffset, messages }] of read.entries()) {
    const place = { lease, nextOffset, shard: shards[i] as LockedShard };
    parts.push({ place, messages: await holdBehind(tx, place, messages, deps) });
  }
  const isAllFree = parts.every(({ messages }, i) => messages.length === read[i]?.messages.length);
  // What was read also concerned messages that are now held, and may have failed because of them; no other message may fail for that.
  const world = isAllFree
    ? resultOf(loaded)
    : await loadWorld(
        tx,
        parts.map(({ place, messages }) => arrivedOf({ ...place, messages })),
        deps,
      );
  return settle(tx, parts, world, deps);
}

/** A shard's messages in an open transaction that has locked the shard. */
interface Part {
  readonly place: BatchPlace;
  readonly messages: readonly Message[];
}

const arrivedOf = ({ lease, messages }: { lease: Lease; messages: readonly Message[] }): Arrived => ({
  shard: lease.shard,
  good: messages.flatMap(({ decoded }) => (decoded.kind === 'BAD' ? [] : [decoded])),
});

function resultOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** Whether an error is the database's, or a race that another attempt resolves, and not one of our own code. */
const isTheirs = (error: unknown): boolean =>
  isTransient(error) || (codeOf(error) !== null && !(error instanceof Unopened));

/** Settles messages that were held, in a transaction that has locked the shard. */
export async function settleHeld(
  tx: LedgerTransaction,
  place: BatchPlace,
  records: readonly InputRecord[],
  deps: SettleDeps,
): Promise<AppliedIn> {
  const messages = records.map((record) => decode(record, deps.limits));
  const world = await loadWorld(tx, [arrivedOf({ ...place, messages })], deps);
  const { applied, committed } = await settle(tx, [{ place, messages }], world, deps);
  return { applied: applied[0] as Applied, committed };
}

async function settle(tx: LedgerTransaction, parts: readonly Part[], world: World, deps: SettleDeps): Promise<Settled> {
  const seen: Observed[] = [];
  await deps.failpoint?.('mid-db');
  const decided = parts.map(({ place, messages }) => {
    const { draft, waiting } = decideAll(place.lease.shard, messages, world, deps, seen);
    return { place, writes: draft, waiting };
  });
  await deps.failpoint?.('before-db-commit');
  for (const { place, waiting } of decided)
    writeParked(tx, place.lease.shard, { ...waiting, waitMs: deps.refundWaitMs }, deps.targets);
  const { books } = world;
  const held = decided.flatMap(({ writes }) => writes.held);
  const writes = { books, held, work: crossingsOf(books), facts: false };
  const applied = writeAllApplied(tx, decided, writes, deps.targets);
  return { applied, committed: observing(seen, deps) };
}

/** What a transaction leaves once it has committed. */
interface Settled {
  readonly applied: readonly Applied[];
  readonly committed: () => void;
}

/** Made here, because a function made where the decisions are would keep all that they looked at. */
const observing =
  (seen: readonly Observed[], { observe }: SettleDeps) =>
  (): void =>
    observe?.(seen);

/** Work for the sharing worker: accounts that ran dry or hold money again. */
const crossingsOf = (books: Books): WorkItem[] =>
  books.takeCrossings().map(({ payer, empty, at, cause }) => ({
    payer,
    kind: 'BALANCE',
    dueOn: dateOf(at),
    detail: { empty, at, cause },
  }));

const EXPIRED_MAX = 500;

/**
 * Answers refunds whose claim did not come in time; null when there are none. `readAgoMs`: how many ms ago the log held nothing that is
 * still unapplied, null where that is not known yet; only refunds that had expired by then are answered.
 */
export async function expireRefunds(
  lease: Lease,
  deps: SettleDeps,
  share = FULL_SHARE,
  readAgoMs: () => number | null = () => 0,
): Promise<Applied | null> {
  if (!(await isAnyExpired(deps.ledger, lease.shard))) return null;
  const agoMs = readAgoMs();
  if (agoMs === null) return null;
  return deps.ledger.transact(async (tx) => {
    const shard = await tx.lockShard(lease);
    const waiting = await expired(tx, lease.shard, { agoMs, limit: Math.min(EXPIRED_MAX, share.countMax) });
    if (waiting.length === 0) return null;
    for (const { key } of waiting) if (key !== null) share.begin('REFUND', key);
    const refunds = waiting.map((row) => openParked(lease.shard, row, deps.targets));
    const parked: Waiting['parked'] = new Map();
    for (const refund of refunds) park(parked, refund);
    const books = booksOf(deps.policyOf, {});
    const world: World = { books, taken: new Map(), paid: new Map(), waiting: new Map() };
    const draft = new Draft();
    for (const claimId of [...parked.keys()]) answerParked(claimId, parked, world, deps, draft);
    writeParked(tx, lease.shard, { parked: [], answered: draft.unparked, waitMs: 0 }, deps.targets);
    const at = { lease, shard, nextOffset: lease.nextOffset };
    return writeApplied(tx, at, { books, ...draft, facts: false }, deps.targets);
  });
}
