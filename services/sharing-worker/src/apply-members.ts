import {
  type ArrearsCheck,
  type DecodedMembers,
  type DecodeLimits,
  decodeMembers,
  type EventStamp,
  encodeChanges,
  encodeSharing,
  traceparentOf,
} from '@repo/contracts';
import {
  applyMemberEvent,
  type CalendarDate,
  dateOf,
  type MemberEvent,
  type PolicyLookup,
  type SharingEvent,
} from '@repo/domain';
import {
  type BatchWrites,
  type BindingChange,
  type EventId,
  type Ledger,
  type LedgerTransaction,
  MemberWorld,
  type OutcomeRow,
  type WorkItem,
} from '@repo/ledger';
import type { Applied, InputRecord, Lease } from '@repo/messaging';
import {
  type AppliedIn,
  type BatchPlace,
  badRows,
  contentHash,
  deadRow,
  type HeldRoom,
  holdBehind,
  type OutboxTargets,
  resultRow,
  writeApplied,
} from '@repo/shard-worker';
import { BackdatedFacts } from './backdated.ts';
import { WorkQueue } from './work-queue.ts';

export interface MemberDeps {
  readonly ledger: Ledger;
  readonly policyOf: PolicyLookup;
  readonly limits: DecodeLimits;
  readonly targets: OutboxTargets;
  /** The room that this worker's `withQuarantine` has. */
  readonly room?: HeldRoom;
  /** Partition count of the members topic: an arrears check without a shard is queued for each. */
  readonly partitions: number;
  readonly observe?: (event: { code: string }) => void;
  readonly failpoint?: (name: 'mid-db' | 'before-db-commit') => void | Promise<void>;
}

type Good = Exclude<DecodedMembers, { kind: 'BAD' }>;

interface Message {
  readonly record: InputRecord;
  readonly decoded: DecodedMembers;
  readonly contentHash: Buffer | null;
  readonly traceparent: string | undefined;
}

/** What a batch of members will write, built up event by event in the order of the log. */
export class MemberDraft {
  readonly outcomes: OutcomeRow[] = [];
  readonly ids: EventId[] = [];
  readonly names: { personNo: string; name: string }[] = [];
  readonly opened = new Map<string, number>();
  readonly changes: BindingChange[] = [];
  readonly work = new Set<WorkItem>();
  readonly workDone: bigint[] = [];
  readonly checks: { checkId: string; on: CalendarDate; partition: number }[] = [];
  /** How many of the outcomes are pauses. */
  paused = 0;

  tell(events: readonly SharingEvent[], traceparent?: string): void {
    for (const event of events) {
      this.outcomes.push(resultRow(encodeSharing(event, traceparent)));
      if (event.kind === 'PAUSED') this.paused += 1;
    }
  }
}

/** Applies one batch of member events to a shard: one transaction, whatever the batch's size. */
export async function applyMembers(lease: Lease, records: readonly InputRecord[], deps: MemberDeps): Promise<Applied> {
  const messages = records.map((record) => decode(record, deps.limits));
  const last = records.at(-1);
  const nextOffset = last === undefined ? lease.nextOffset : last.offset + 1n;
  const { applied, committed } = await deps.ledger.transact(async (tx) => {
    const shard = await tx.lockShard(lease);
    const free = await holdBehind(tx, { lease, shard }, messages, deps);
    return applyIn(tx, { lease, shard, nextOffset }, free, deps);
  });
  committed();
  return applied;
}

/** Applies events that were held, in a transaction that has locked the shard. */
export function applyHeldMembers(
  tx: LedgerTransaction,
  place: BatchPlace,
  records: readonly InputRecord[],
  deps: MemberDeps,
): Promise<AppliedIn> {
  const messages = records.map((record) => decode(record, deps.limits));
  return applyIn(tx, place, messages, deps);
}

async function applyIn(
  tx: LedgerTransaction,
  place: BatchPlace,
  messages: readonly Message[],
  deps: MemberDeps,
): Promise<AppliedIn> {
  const { lease } = place;
  const dead: string[] = [];
  const draft = new MemberDraft();
  const { world, queue, known } = await load(tx, lease, messages, draft, deps);
  await deps.failpoint?.('mid-db');
  const backdated = new BackdatedFacts(world);
  for (const message of messages) {
    const code = applyOne(lease, message, { world, queue, known, draft, backdated, deps });
    if (code !== null) dead.push(code);
  }
  await backdated.write(tx);
  const applied = writeApplied(tx, place, writesOf(world, draft), deps.targets);
  await deps.failpoint?.('before-db-commit');
  const committed = (): void => {
    for (const code of dead) deps.observe?.({ code });
  };
  return { applied, committed };
}

export function writesOf(world: MemberWorld, draft: MemberDraft): BatchWrites {
  const { books, contributions, held } = world;
  const work = [...draft.work];
  return { books, ...draft, work, contributions: contributions.changed(), paidOut: held.changed(), facts: true };
}

function decode(record: InputRecord, limits: DecodeLimits): Message {
  const decoded = decodeMembers(record, limits);
  return {
    record,
    decoded,
    contentHash: decoded.kind === 'BAD' ? null : contentHash(decoded.content),
    traceparent: traceparentOf(record),
  };
}

async function load(
  tx: LedgerTransaction,
  lease: Lease,
  messages: readonly Message[],
  draft: MemberDraft,
  deps: MemberDeps,
) {
  const good = messages.flatMap(({ decoded }) => (decoded.kind === 'BAD' ? [] : [decoded]));
  const events = good.flatMap((message) => (message.kind === 'MEMBER' ? [message.event] : []));
  const known = new Map<string, Buffer>();
  for (const [id, { contentHash }] of await tx.findIds(good.map(({ identity }) => identity)))
    known.set(id, contentHash);
  const world = await MemberWorld.load(tx, events, deps.policyOf);
  const payers = [...new Set(good.map(({ personNo }) => personNo))];
  const queue = new WorkQueue(await tx.workFor(lease.shard.partition, payers), world, draft);
  return { world, queue, known };
}

interface Step {
  readonly world: MemberWorld;
  readonly queue: WorkQueue;
  readonly known: Map<string, Buffer>;
  readonly draft: MemberDraft;
  readonly backdated: BackdatedFacts;
  readonly deps: MemberDeps;
}

/** Applies one message. Answers the code where it became a dead letter, else null. */
function applyOne(lease: Lease, message: Message, step: Step): string | null {
  const { decoded, record } = message;
  const { draft, known } = step;
  if (decoded.kind === 'BAD') {
    draft.outcomes.push(...badRows(lease.shard, record, decoded));
    return decoded.code;
  }
  const hash = message.contentHash;
  if (hash === null) return null;
  const before = known.get(decoded.identity);
  if (before !== undefined) {
    if (before.equals(hash)) return null;
    const detail = 'this id was seen before with other content';
    draft.outcomes.push(deadRow(lease.shard, record, { code: 'EVENT_CONFLICT', detail }));
    return 'EVENT_CONFLICT';
  }
  const refused =
    decoded.kind === 'ARREARS_CHECK' ? queueCheck(lease, decoded, step) : applyFact(message, decoded.event, step);
  if (refused !== null) {
    draft.outcomes.push(deadRow(lease.shard, record, refused));
    return refused.code;
  }
  if (decoded.kind === 'MEMBER') remember(lease, decoded.event, draft);
  known.set(decoded.identity, hash);
  const { identity: id } = decoded;
  draft.ids.push({ id, contentHash: hash, outcome: answerOf(decoded, draft), offset: record.offset });
  return null;
}

/** Applies an event after the work left for its payer, and queues what it leaves for later days. */
function applyFact(message: Message, event: MemberEvent, { world, queue, draft, backdated }: Step) {
  const payer = payerOf(event);
  queue.catchUp(payer, dateOf(event.at), event.cause);
  const before = event.kind === 'BINDING_CHANGED' ? world.books.binding(event.bindingId) : undefined;
  const verdict = backdated.watch(payer, event, () => applyMemberEvent(event, world));
  if (verdict.kind === 'DEAD') return { code: verdict.code, detail: verdict.detail };
  const after = before && world.books.binding(before.bindingId);
  if (before && after) {
    const { at, cause } = event;
    const changes = encodeChanges(before, after, at);
    draft.changes.push({ payer, bindingId: before.bindingId, changeId: cause.id, at, changes });
  }
  draft.tell(verdict.events, message.traceparent);
  for (const { dueOn, cause } of verdict.due) queue.leave(payer, dueOn, cause);
  return null;
}

/**
 * The outcome that answers an event. Only a refused request has one: it leaves no binding to look at, so its refusal, published last, is
 * the answer to whoever asks again.
 */
function answerOf(decoded: Good, { outcomes }: MemberDraft): number | null {
  if (decoded.kind !== 'MEMBER' || decoded.event.kind !== 'BINDING_REQUESTED') return null;
  const told = outcomes.at(-1);
  if (told?.dest !== 'R' || (JSON.parse(told.stamp) as EventStamp).type !== 'binding.refused') return null;
  const { binding_id: bindingId } = JSON.parse(String(told.payload)) as { binding_id: string };
  return bindingId === decoded.event.binding.bindingId ? outcomes.length - 1 : null;
}

const payerOf = (event: MemberEvent): string => {
  switch (event.kind) {
    case 'ACCOUNT_OPENED':
      return event.person.personNo;
    case 'BINDING_OPENED':
    case 'BINDING_REQUESTED':
      return event.binding.payer;
    default:
      return 'payer' in event ? event.payer : event.personNo;
  }
};

function remember(lease: Lease, event: MemberEvent, draft: MemberDraft): void {
  if (event.kind === 'ACCOUNT_OPENED') {
    const { personNo } = event.person;
    draft.opened.set(personNo, lease.shard.partition);
    if (event.name !== null) draft.names.push({ personNo, name: event.name });
  }
  if (event.kind === 'ACCOUNT_CHANGED' && event.name !== undefined) {
    draft.names.push({ personNo: event.personNo, name: event.name });
  }
}

/** Queues an arrears check for one shard, or for each where it names none; it runs between batches. */
function queueCheck(lease: Lease, { check }: Extract<Good, { kind: 'ARREARS_CHECK' }>, { draft, deps }: Step) {
  const problem = checkProblem(check, lease.shard.partition, deps.partitions);
  if (problem !== null) return { code: 'EVENT_MALFORMED', detail: problem };
  const shards = check.shard === null ? Array.from({ length: deps.partitions }, (_, i) => i) : [check.shard];
  for (const partition of shards) draft.checks.push({ checkId: check.checkId, on: check.on, partition });
  return null;
}

function checkProblem({ shard, shards }: ArrearsCheck, partition: number, partitions: number): string | null {
  if (shards !== null && shards !== partitions) return `shards: expected the partition count, ${partitions}`;
  if (shard !== null && shard !== partition) return 'shard: expected the partition that the message is on';
  return null;
}
