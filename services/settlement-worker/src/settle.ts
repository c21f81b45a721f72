import {
  type Bad,
  type DecodedClaims,
  type DecodeLimits,
  decodeClaims,
  encodePremium,
  encodeRefund,
  encodeSettlement,
  traceparentOf,
  withNhsa,
} from '@repo/contracts';
import {
  add,
  afterRefund,
  applyPremium,
  applyRefund,
  applySettlement,
  type Books,
  dateOf,
  decideClaim,
  decidePremium,
  decideRefund,
  type Policy,
  type PolicyLookup,
  paidByClaim,
  paidByPremium,
  type Refund,
  type Settlement,
  ZERO,
} from '@repo/domain';
import {
  type BookWrites,
  booksOf,
  codeOf,
  type EventId,
  isTransient,
  type Ledger,
  type LedgerTransaction,
  type LockedShard,
  type OutcomeRow,
  type WorkItem,
} from '@repo/ledger';
import type { Applied, Batch, InputRecord, Lease, ShardId } from '@repo/messaging';
import { Unopened } from '@repo/sealing';
import {
  type AppliedIn,
  type BatchPlace,
  badRows,
  contentHash,
  FULL_SHARE,
  type HeldRoom,
  holdBehind,
  type OutboxTargets,
  resultRow,
  writeAllApplied,
  writeApplied,
} from '@repo/shard-worker';
import { expired, isAnyExpired, openParked, type Parked, writeParked } from './parked.ts';
import { settlementIdOf } from './settlement-id.ts';
import { type Arrived, type Good, loadWorld, NOTHING_WAITS, park, type Waiting, type World } from './world.ts';

export interface SettleDeps {
  readonly ledger: Ledger;
  readonly policyOf: PolicyLookup;
  readonly limits: DecodeLimits;
  readonly targets: OutboxTargets;
  /** The one that its `withQuarantine` has. */
  readonly room?: HeldRoom;
  /** How long a refund waits for its claim, ms; 0 = it is answered at once. */
  readonly refundWaitMs: number;
  /** Whether a claim's outcome carries its rendering in the national form; absent: it does not. */
  readonly nhsaOutput?: boolean;
  /** Told of a batch once it is committed. */
  readonly observe?: (events: readonly Observed[]) => void;
  readonly failpoint?: (name: 'mid-db' | 'before-db-commit') => void | Promise<void>;
}

/** What became of one message, for counting. */
export interface Observed {
  readonly status: 'SETTLED' | 'REFUSED' | 'REJECTED' | 'REFUNDED' | 'REPEATED';
  readonly code: string | null;
  readonly skips: readonly string[];
}

interface Message {
  readonly record: InputRecord;
  readonly decoded: DecodedClaims;
  readonly contentHash: Buffer | null;
  readonly traceparent: string | undefined;
}

/**
 * Settles one batch of a shard: one transaction, a fixed number of statements whatever the batch's size. Decisions are made in
 * memory in the order of the log, each message seeing what the one before it left.
 */
export async function settleBatch(lease: Lease, records: readonly InputRecord[], deps: SettleDeps): Promise<Applied> {
  const [applied] = await settleTogether([{ lease, records }], deps);
  return applied as Applied;
}

/** How long a transaction of several shards waits for a lock, ms: whoever has it holds up one of them, and it is not to hold up all. */
const LOCK_WAIT_MS = 250;

/**
 * Settles batches of several shards in one transaction, those of one after those of the other: hardly more statements than for one. Is
 * tried once: where it fails, each of them by itself tells more.
 */
export async function settleTogether(batches: readonly Batch[], deps: SettleDeps): Promise<readonly Applied[]> {
  const read = batches.map(({ lease, records }) => ({
    lease,
    messages: records.map((record) => decode(record, deps.limits)),
    nextOffset: (records.at(-1)?.offset ?? lease.nextOffset - 1n) + 1n,
  }));
  const isOne = read.length === 1;
  const { applied, committed } = await deps.ledger.transact(
    async (tx) => {
      if (!isOne) tx.send(`set local lock_timeout = ${LOCK_WAIT_MS}`, []);
      // Asked in one go with the locks: where nothing is held, which the shards' rows say, that costs no round trip.
      const [locked, loaded] = await Promise.allSettled([
        Promise.all(read.map(({ lease }) => tx.lockShard(lease))),
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
      // What was asked about messages that are now held may be what fails: nobody else is to fail with it.
      const world = isAllFree
        ? resultOf(loaded)
        : await loadWorld(
            tx,
            parts.map(({ place, messages }) => arrivedOf({ ...place, messages })),
            deps,
          );
      return settle(tx, parts, world, deps);
    },
    isOne ? {} : { attemptsMax: 1 },
  );
  committed();
  return applied;
}

/** Messages of a shard, in an open transaction that has locked it. */
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

/** Whether an error is the database's, or a race that another attempt resolves, and not our own code's. */
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

async function settle(
  tx: LedgerTransaction,
  parts: readonly Part[],
  world: World,
  deps: SettleDeps,
): Promise<{ readonly applied: readonly Applied[]; readonly committed: () => void }> {
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
  return { applied, committed: () => deps.observe?.(seen) };
}

/** Work for the sharing worker: balances that crossed the line between something and nothing. */
const crossingsOf = (books: Books): WorkItem[] =>
  books.takeCrossings().map(({ payer, empty, at, cause }) => ({
    payer,
    kind: 'BALANCE',
    dueOn: dateOf(at),
    detail: { empty, at, cause },
  }));

function decode(record: InputRecord, limits: DecodeLimits): Message {
  const decoded = decodeClaims(record, limits);
  return {
    record,
    decoded,
    contentHash: decoded.kind === 'BAD' ? null : contentHash(decoded.content),
    traceparent: traceparentOf(record),
  };
}

/** What the batch will write, grown message by message. */
class Draft {
  readonly outcomes: OutcomeRow[] = [];
  readonly ids: EventId[] = [];
  /** Refunds that waited: their ids were taken when they came. */
  readonly answered: { id: string; outcome: number }[] = [];
  readonly refunds: { claimId: string; outcome: number }[] = [];
  readonly held: NonNullable<BookWrites['held']>[number][] = [];
  readonly parked: Parked[] = [];
  readonly unparked: string[] = [];

  answer(
    identity: string,
    { contentHash, record: { offset } }: Pick<Message, 'contentHash' | 'record'>,
    row: OutcomeRow,
  ) {
    const outcome = this.outcomes.push(row) - 1;
    if (contentHash === null) this.answered.push({ id: identity, outcome });
    else this.ids.push({ id: identity, contentHash, outcome, offset });
    return outcome;
  }
}

function decideAll(
  shard: ShardId,
  messages: readonly Message[],
  world: World,
  deps: SettleDeps,
  seen: Observed[],
): { draft: Draft; waiting: { parked: readonly Parked[]; answered: readonly string[] } } {
  const draft = new Draft();
  const { taken } = world;
  const { parked, room } = world.waiting.get(shard.partition) ?? NOTHING_WAITS;
  for (const message of messages) {
    const { decoded, record } = message;
    if (decoded.kind === 'BAD') {
      draft.outcomes.push(...badRows(shard, record, decoded));
      seen.push({ status: 'REJECTED', code: decoded.code, skips: [] });
      continue;
    }
    const before = taken.get(decoded.identity);
    if (before !== undefined) {
      seen.push(repeated(shard, message, decoded, before, draft));
      continue;
    }
    if (message.contentHash !== null) taken.set(decoded.identity, message.contentHash);
    const isRoom = draft.parked.length < room;
    if (decoded.kind === 'REFUND' && isRoom && mustWait(decoded.refund, taken, deps)) {
      const refund = { refundId: decoded.refund.refundId, claimId: decoded.refund.claimId, record };
      park(parked, refund);
      draft.parked.push(refund);
      if (message.contentHash !== null)
        draft.ids.push({
          ...{ id: decoded.identity, contentHash: message.contentHash },
          ...{ outcome: null, offset: record.offset },
        });
      continue;
    }
    seen.push(decideOne(message, decoded, world, deps, draft));
    if (decoded.kind !== 'REFUND')
      seen.push(...answerParked(decoded.identity.slice('claim:'.length), parked, world, deps, draft));
  }
  const answered = new Set(draft.unparked);
  const waiting = {
    parked: draft.parked.filter(({ refundId }) => !answered.has(refundId)),
    answered: draft.unparked.filter((refundId) => !draft.parked.some((refund) => refund.refundId === refundId)),
  };
  return { draft, waiting };
}

/** A refund of a claim nobody has heard of waits, where waiting is switched on; a bad amount is answered at once. */
const mustWait = (refund: Refund, taken: ReadonlyMap<string, Buffer>, { refundWaitMs }: SettleDeps): boolean =>
  refundWaitMs > 0 && refund.amount !== 'INVALID' && !taken.has(`claim:${refund.claimId}`);

/** The claim has come: its refunds are decided, in the order they came. Their ids were taken when they came. */
function answerParked(
  claimId: string,
  parked: Waiting['parked'],
  world: World,
  deps: SettleDeps,
  draft: Draft,
): Observed[] {
  const waiting = parked.get(claimId) ?? [];
  parked.delete(claimId);
  return waiting.flatMap(({ refundId, record }) => {
    const message = decode(record, deps.limits);
    draft.unparked.push(refundId);
    if (message.decoded.kind === 'BAD') return [];
    return [decideOne({ ...message, contentHash: null }, message.decoded, world, deps, draft)];
  });
}

/** Seen before: the same content changes nothing and publishes nothing; other content is a conflict and takes no id. */
function repeated(shard: ShardId, message: Message, decoded: Good, before: Buffer, draft: Draft): Observed {
  if (message.contentHash !== null && before.equals(message.contentHash)) {
    return { status: 'REPEATED', code: null, skips: [] };
  }
  const issues = [{ path: '', problem: 'this id was seen before with other content' }];
  const code = decoded.kind === 'CLAIM' ? 'CLAIM_DUPLICATE_CONFLICT' : 'EVENT_CONFLICT';
  const claimId = decoded.kind === 'CLAIM' ? decoded.claim.claimId : null;
  const bad: Bad = { kind: 'BAD', code, issues, claimId, personNo: decoded.personNo };
  draft.outcomes.push(...badRows(shard, message.record, bad));
  return { status: 'REJECTED', code, skips: [] };
}

function decideOne(
  message: Message,
  decoded: Good,
  { books, paid }: World,
  { policyOf, nhsaOutput = false }: SettleDeps,
  draft: Draft,
): Observed {
  const { traceparent } = message;
  switch (decoded.kind) {
    case 'CLAIM': {
      const { claim } = decoded;
      const settlement = decideClaim(claim, books, policyOf);
      applySettlement(claim, settlement, books);
      if (settlement.status === 'SETTLED') paid.set(claim.claimId, paidByClaim(claim, settlement));
      const outgoing = encodeSettlement(claim, settlement, settlementIdOf(claim.claimId), traceparent);
      const published = nhsaOutput ? withNhsa(outgoing, patientsRules(settlement, policyOf)) : outgoing;
      draft.answer(decoded.identity, message, resultRow(published));
      return { status: settlement.status, code: settlement.code, skips: settlement.skipped.map(({ code }) => code) };
    }
    case 'REFUND': {
      const { refund } = decoded;
      const original = paid.get(refund.claimId);
      const decision = decideRefund(refund, original, books);
      const outcome = draft.answer(decoded.identity, message, resultRow(encodeRefund(refund, decision, traceparent)));
      if (original !== undefined && decision.status === 'REFUNDED') {
        applyRefund(refund, original, decision, books);
        paid.set(refund.claimId, afterRefund(original, decision));
        draft.refunds.push({ claimId: refund.claimId, outcome });
        draft.held.push(...heldBy(refund.refundId, decision));
      }
      return { status: decision.status, code: decision.code, skips: [] };
    }
    case 'PREMIUM': {
      const { premium } = decoded;
      const decision = decidePremium(premium, books, policyOf);
      applyPremium(premium, decision, books);
      const { allocation } = decision;
      if (allocation !== null) paid.set(premium.premiumId, paidByPremium(premium, allocation, decision.on));
      draft.answer(decoded.identity, message, resultRow(encodePremium(premium, decision, traceparent)));
      return { status: decision.status, code: decision.code, skips: [] };
    }
    default:
      return decoded satisfies never;
  }
}

/** The rules of the patient's region, which say how it prints totals; null where nobody knows the patient. */
const patientsRules = ({ policies: [patient], on }: Settlement, policyOf: PolicyLookup): Policy | null =>
  patient === undefined ? null : policyOf(patient.region, on);

/** What a refund leaves to be paid out by hand, one sum a person. */
function heldBy(refundId: string, decision: ReturnType<typeof decideRefund>) {
  const sums = new Map<string, typeof ZERO>();
  for (const step of decision.returned) {
    if (step.source === 'CASH' || !step.manual) continue;
    const { account } = step.allocation;
    sums.set(account, add(sums.get(account) ?? ZERO, step.amount));
  }
  return [...sums].map(([personNo, amount]) => ({ personNo, refundId, amount }));
}

const EXPIRED_MAX = 500;

/** Answers the refunds whose claim did not come in time; null when there are none. */
export async function expireRefunds(lease: Lease, deps: SettleDeps, share = FULL_SHARE): Promise<Applied | null> {
  if (!(await isAnyExpired(deps.ledger, lease.shard))) return null;
  return deps.ledger.transact(async (tx) => {
    const shard = await tx.lockShard(lease);
    const waiting = await expired(tx, lease.shard, Math.min(EXPIRED_MAX, share.countMax));
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
