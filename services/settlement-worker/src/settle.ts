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
  assert,
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
  type BatchWrites,
  booksOf,
  codeOf,
  type EventId,
  isTransient,
  type Ledger,
  type LedgerTransaction,
  type OutcomeRow,
} from '@repo/ledger';
import type { Applied, BatchPart, InputRecord, Lease, ShardId } from '@repo/messaging';
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
  writeApplied,
  writeAppliedTogether,
} from '@repo/shard-worker';
import { expired, isAnyExpired, openParked, type Parked, writeParked } from './parked.ts';
import { settlementIdOf } from './settlement-id.ts';
import { type Good, loadWorld, park, type World } from './world.ts';

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
  readonly observe?: (event: Observed) => void;
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

/** Settles one batch of a shard, as `settleTogether` does. */
export async function settleBatch(lease: Lease, records: readonly InputRecord[], deps: SettleDeps): Promise<Applied> {
  const [applied] = await settleTogether([{ lease, records }], deps);
  return applied;
}

/** At least one. */
type Some<T> = readonly [T, ...T[]];
const each = <T, U>([first, ...others]: Some<T>, made: (one: T, index: number) => U): [U, ...U[]] => [
  made(first, 0),
  ...others.map((one, index) => made(one, index + 1)),
];

/** A shard's part of a transaction: where it stands and what is to be settled of it. */
interface Part {
  readonly place: BatchPlace;
  readonly messages: readonly Message[];
}

/**
 * Settles a batch of each of these shards: one transaction, a fixed number of statements whatever the batches' size. Decisions are made in
 * memory, of each shard in the order of its log, each message seeing what the one before it left: shards that draw on the same account do so
 * one after the other, as their transactions would.
 *
 * More than one shard only where refunds do not wait for their claims: what waits is looked for in one shard alone.
 */
export async function settleTogether(batches: Some<BatchPart>, deps: SettleDeps): Promise<[Applied, ...Applied[]]> {
  assert(batches.length === 1 || deps.refundWaitMs === 0, 'shards are settled together where no refund waits');
  const read = each(batches, ({ lease, records }) => {
    const last = records.at(-1);
    const nextOffset = last === undefined ? lease.nextOffset : last.offset + 1n;
    return { lease, nextOffset, messages: records.map((record) => decode(record, deps.limits)) };
  });
  const [{ lease: first }] = read;
  const all = read.flatMap(({ messages }) => messages);
  const { applied, committed } = await deps.ledger.transact(async (tx) => {
    // Asked in one go with the locks: where nothing is held, which the shards' rows say, that costs no round trip.
    const [locked, loaded] = await Promise.allSettled([
      tx.lockShards(read.map(({ lease }) => lease)),
      loadWorld(tx, first, goodOf(all), deps),
    ]);
    const shards = resultOf(locked);
    // After an error of the server nothing more can be done in this transaction.
    if (loaded.status === 'rejected' && isTheirs(loaded.reason)) throw loaded.reason;
    const parts = each(read, ({ lease, nextOffset, messages }, index) => {
      const shard = shards[index];
      assert(shard !== undefined, 'each lease has its locked row');
      return { place: { lease, shard, nextOffset }, messages };
    });
    const free = await withoutHeld(tx, parts, deps);
    if (free === null) return settle(tx, parts, resultOf(loaded), deps);
    // What was asked about messages that are now held may be what fails: nobody else is to fail with it.
    const good = goodOf(free.flatMap(({ messages }) => messages));
    return settle(tx, free, await loadWorld(tx, first, good, deps), deps);
  });
  committed();
  return applied;
}

/** The parts without the messages of keys that are held, which are held as well; null = none is. */
async function withoutHeld(
  tx: LedgerTransaction,
  parts: Some<Part>,
  deps: Pick<SettleDeps, 'room' | 'targets'>,
): Promise<Some<Part> | null> {
  let isAnyHeld = false;
  const free = new Map<Part, readonly Message[]>();
  for (const part of parts) {
    const messages = await holdBehind(tx, part.place, part.messages, deps);
    isAnyHeld ||= messages.length < part.messages.length;
    free.set(part, messages);
  }
  return isAnyHeld ? each(parts, (part) => ({ ...part, messages: free.get(part) ?? [] })) : null;
}

interface Settled extends Pick<AppliedIn, 'committed'> {
  readonly applied: [Applied, ...Applied[]];
}

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
  const world = await loadWorld(tx, place.lease, goodOf(messages), deps);
  const { applied, committed } = await settle(tx, [{ place, messages }], world, deps);
  return { applied: applied[0], committed };
}

const goodOf = (messages: readonly Message[]): Good[] =>
  messages.flatMap(({ decoded }) => (decoded.kind === 'BAD' ? [] : [decoded]));

async function settle(tx: LedgerTransaction, parts: Some<Part>, world: World, deps: SettleDeps): Promise<Settled> {
  const seen: Observed[] = [];
  await deps.failpoint?.('mid-db');
  const { writes, outcomes, waiting } = decideAll(parts, world, deps, seen);
  await deps.failpoint?.('before-db-commit');
  const [{ place }] = parts;
  writeParked(tx, place.lease.shard, { ...waiting, waitMs: deps.refundWaitMs }, deps.targets);
  const shares = each(parts, (part, index) => ({ ...part.place, outcomes: outcomes[index] ?? 0 }));
  const applied = writeAppliedTogether(tx, shares, writes, deps.targets);
  const committed = (): void => {
    for (const event of seen) deps.observe?.(event);
  };
  return { applied, committed };
}

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
  readonly held: NonNullable<BatchWrites['held']>[number][] = [];
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

interface Decided {
  readonly writes: BatchWrites;
  /** How many of the outcomes are of each part, in their order. */
  readonly outcomes: readonly number[];
  readonly waiting: { readonly parked: readonly Parked[]; readonly answered: readonly string[] };
}

function decideAll(parts: Some<Part>, world: World, deps: SettleDeps, seen: Observed[]): Decided {
  const draft = new Draft();
  const taken = new Map([...world.known].map(([id, { contentHash }]) => [id, contentHash]));
  const outcomes = parts.map(({ place, messages }) => {
    const before = draft.outcomes.length;
    for (const message of messages)
      seen.push(...decideMessage(place.lease.shard, message, { world, taken, draft }, deps));
    return draft.outcomes.length - before;
  });
  const { books } = world;
  const work = books.takeCrossings().map(({ payer, empty, at, cause }) => ({
    payer,
    kind: 'BALANCE' as const,
    dueOn: dateOf(at),
    detail: { empty, at, cause },
  }));
  const { parked, unparked, ...rows } = draft;
  const answered = new Set(unparked);
  const waiting = {
    parked: parked.filter(({ refundId }) => !answered.has(refundId)),
    answered: unparked.filter((refundId) => !parked.some((refund) => refund.refundId === refundId)),
  };
  return { writes: { books, ...rows, work, facts: false }, outcomes, waiting };
}

/** Decides one message as the ones before it have left everything, and adds what it leaves to the draft. */
function decideMessage(
  shard: ShardId,
  message: Message,
  { world, taken, draft }: { readonly world: World; readonly taken: Map<string, Buffer>; readonly draft: Draft },
  deps: SettleDeps,
): Observed[] {
  const { decoded, record } = message;
  if (decoded.kind === 'BAD') {
    draft.outcomes.push(...badRows(shard, record, decoded));
    return [{ status: 'REJECTED', code: decoded.code, skips: [] }];
  }
  const before = taken.get(decoded.identity);
  if (before !== undefined) return [repeated(shard, message, decoded, before, draft)];
  if (message.contentHash !== null) taken.set(decoded.identity, message.contentHash);
  const isRoom = draft.parked.length < world.room;
  if (decoded.kind === 'REFUND' && isRoom && mustWait(decoded.refund, taken, deps)) {
    const refund = { refundId: decoded.refund.refundId, claimId: decoded.refund.claimId, record };
    park(world.parked, refund);
    draft.parked.push(refund);
    if (message.contentHash !== null)
      draft.ids.push({
        ...{ id: decoded.identity, contentHash: message.contentHash },
        ...{ outcome: null, offset: record.offset },
      });
    return [];
  }
  const decided = decideOne(message, decoded, world, deps, draft);
  if (decoded.kind === 'REFUND') return [decided];
  return [decided, ...answerParked(decoded.identity.slice('claim:'.length), world, deps, draft)];
}

/** A refund of a claim nobody has heard of waits, where waiting is switched on; a bad amount is answered at once. */
const mustWait = (refund: Refund, taken: ReadonlyMap<string, Buffer>, { refundWaitMs }: SettleDeps): boolean =>
  refundWaitMs > 0 && refund.amount !== 'INVALID' && !taken.has(`claim:${refund.claimId}`);

/** The claim has come: its refunds are decided, in the order they came. Their ids were taken when they came. */
function answerParked(claimId: string, world: World, deps: SettleDeps, draft: Draft): Observed[] {
  const waiting = world.parked.get(claimId) ?? [];
  world.parked.delete(claimId);
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
    const world: World = {
      books: booksOf(deps.policyOf, {}),
      known: new Map(),
      paid: new Map(),
      parked: new Map(),
      room: 0,
    };
    for (const refund of refunds) park(world.parked, refund);
    const draft = new Draft();
    for (const claimId of [...world.parked.keys()]) answerParked(claimId, world, deps, draft);
    writeParked(tx, lease.shard, { parked: [], answered: draft.unparked, waitMs: 0 }, deps.targets);
    const { parked: _, unparked: __, ...rows } = draft;
    const at = { lease, shard, nextOffset: lease.nextOffset };
    return writeApplied(tx, at, { books: world.books, ...rows, facts: false }, deps.targets);
  });
}
