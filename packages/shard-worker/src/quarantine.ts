import { type Bad, headerText } from '@repo/contracts';
import type { PolicyLookup } from '@repo/domain';
import {
  booksOf,
  type HeldMessage,
  heldForWork,
  heldFrom,
  holdForWork,
  holdMessages,
  isWork,
  type Ledger,
  type LedgerTransaction,
  type LockedShard,
  letGo,
  moveOrder,
  noteFailure,
  type OrderResult,
  type OutcomeRow,
  openOrder,
  partHeld,
  type QuarantineOrder,
  quarantineDepth,
} from '@repo/ledger';
import type { Applied, BatchProcessor, InputRecord, Lease, ShardId } from '@repo/messaging';
import { describeError } from '@repo/observability';
import { type Envelopes, Unopened } from '@repo/sealing';
import { writeApplied } from './commit.ts';
import { HeldRoom } from './held-room.ts';
import { badRows, deadRow, type OutboxTargets } from './outbox.ts';
import { classify } from './store.ts';

/** A batch in an open transaction: what it does and what is to be told once it has committed. */
export interface AppliedIn {
  readonly applied: Applied;
  readonly committed: () => void;
}

/** Where a transaction stands: the lease it was begun with, the row it locked by it, and the offset it leaves behind. */
export interface BatchPlace {
  readonly lease: Lease;
  readonly shard: LockedShard;
  readonly nextOffset: bigint;
}

/** How much of the work that waits one transaction does. */
export interface Share {
  /** People at most, and no more than the work's own limit. */
  readonly countMax: number;
  /** After a failure: the kind of work that failed, which is looked into before anything else. */
  readonly only?: string | undefined;
  /** Says what kind of work, and whose, is begun. */
  begin(kind: string, key: Buffer): void;
}

/** As much as one transaction may do. */
export const FULL_SHARE: Share = { countMax: Number.POSITIVE_INFINITY, begin() {} };

/** What a worker does with messages: as they come, and those that were held; and what it does between them. */
export interface Core extends Pick<BatchProcessor, 'apply'> {
  /** One transaction of work that needs no message; null = there is none now. Does nothing of a key of which anything is held. */
  doWork?(lease: Lease, share: Share): Promise<Applied | null>;
  /** Applies messages that were held, in their order, as `apply` would: only the offset stays where it is. */
  applyHeld(tx: LedgerTransaction, place: BatchPlace, records: readonly InputRecord[]): Promise<AppliedIn>;
}

/** What became of an order, for those who watch. */
export interface OrderStep {
  readonly action: QuarantineOrder['action'];
  readonly result: OrderResult | 'ON_THE_WAY';
  readonly messages: number;
  readonly offset: bigint;
}

export interface QuarantineDeps {
  readonly ledger: Ledger;
  readonly policyOf: PolicyLookup;
  readonly targets: OutboxTargets;
  /** The one that `holdBehind` is given; absent: what is held is counted each time. */
  readonly room?: HeldRoom;
  readonly onOrder?: (shard: ShardId, step: OrderStep) => void;
  /** The work of a key was set aside, and the key is held. */
  readonly onWorkHeld?: (shard: ShardId, error: unknown) => void;
  readonly failpoint?: (name: 'quarantine-hold' | 'quarantine-order') => void;
  /** How often a shard looks for orders while it has none, ms. */
  readonly lookEveryMs?: number;
}

/** So many failures without a success between are no bad messages: the fault is ours, and nobody is to be held for it. */
const IN_A_ROW_MAX = 3;
/** So many people of one shard held at once need a person, not one more of them. */
const KEYS_MAX = 50;
/** And so many of them by work between messages, of which nobody counts what succeeded between. */
const WORK_KEYS_MAX = 10;
/** Where all of it fails, so many people's work is tried next, then half of them. */
const WORK_MAX = 4_096;
const RELEASED_MAX = 500;
const RELEASED_BYTES_MAX = 4 << 20;
const LOOK_EVERY_MS = 1_000;
const FAILED = 'the worker failed on this message';

/**
 * A worker that goes on when a message makes it fail: the message and all later ones of its key are held in the database, in order, until
 * an operator orders them to be released or dropped; so are those of a key whose work between messages it fails on. Every step is one fenced transaction of the shard's owner: a crash at any line leaves
 * either what was before it or what is after it.
 */
export function withQuarantine(core: Core, deps: QuarantineDeps): BatchProcessor {
  const orders = new Orders(core, deps);
  return {
    apply: (lease, records) => core.apply(lease, records),
    applyIdle: async (lease) => (await orders.carryOut(lease)) ?? (await work(lease, core, deps)),
    quarantine: (lease, record, error) => hold(lease, record, error, deps),
  };
}

/**
 * Parts a batch into what may be judged and what is held behind earlier messages of its key, and holds the latter. Throws what halts the
 * shard where too much is held: nothing of the batch is done then, and all of it is there when the shard goes on. Without a `room` of its
 * own the process counts what is held each time.
 */
export async function holdBehind<M extends { readonly record: InputRecord }>(
  tx: LedgerTransaction,
  { lease, shard: locked }: Pick<BatchPlace, 'lease' | 'shard'>,
  messages: readonly M[],
  {
    targets,
    room = new HeldRoom(),
  }: Pick<QuarantineDeps, 'room'> & { readonly targets: Pick<OutboxTargets, 'envelopes'> },
): Promise<readonly M[]> {
  const place = { shard: lease.shard, locked };
  const { free, held } = await partHeld(tx, place, messages, ({ record }) => record.key);
  const behind = held.flatMap(({ record }) => withKey(record) ?? []);
  if (behind.length > 0) await room.take(tx, lease, behind);
  holdMessages(
    tx,
    place,
    behind.map((record) => toHeld(lease.shard, record, targets.envelopes)),
    null,
  );
  return free;
}

type KeyedRecord = InputRecord & { readonly key: Buffer };

const withKey = (record: InputRecord): KeyedRecord | null =>
  record.key === null ? null : { ...record, key: record.key };

/** A message as it is held: what it says is sealed. */
const toHeld = (shard: ShardId, record: KeyedRecord, envelopes: Envelopes): HeldMessage => {
  const { offset, key, timestampMs } = record;
  return { offset, key, timestampMs, content: envelopes.seal({ ...shard, offset }, record) };
};

/** A held message as it came. Throws `Unopened`. */
const toRecord = (shard: ShardId, held: HeldMessage, envelopes: Envelopes): KeyedRecord => {
  const { offset, key, timestampMs, content } = held;
  return { offset, key, timestampMs, ...envelopes.open({ ...shard, offset }, content) };
};

/**
 * Sets aside a message that our own code fails on: its key is quarantined from here on. A message without a key, which nothing is ordered
 * with, goes to the dead letters. Rejects, which halts the shard, when too many were set aside, restarts included.
 */
function hold(lease: Lease, record: InputRecord, error: unknown, deps: QuarantineDeps): Promise<Applied> {
  return deps.ledger.transact(async (tx) => {
    const shard = await tx.lockShard(lease);
    const place = { lease, shard, nextOffset: record.offset + 1n };
    const message = withKey(record);
    if (message === null) {
      await refuseDeadLettersInARow(tx, shard);
      return writeRows(tx, place, [deadRow(lease.shard, record, { code: 'EVENT_UNREADABLE', detail: FAILED })], deps);
    }
    const at = { shard: lease.shard, locked: shard };
    const { held } = await partHeld(tx, at, [message], ({ key }) => key);
    if (held.length === 0) await refuseTooMany(tx, lease.shard, record.offset);
    await roomOf(deps).take(tx, lease, [message]);
    const sealed = toHeld(lease.shard, message, deps.targets.envelopes);
    holdMessages(tx, at, [sealed], held.length === 0 ? failureOf(error) : null);
    deps.failpoint?.('quarantine-hold');
    return writeRows(tx, place, [], deps);
  });
}

/**
 * Does what waits between messages. Where that meets a defect, less at once, down to one person's alone, twice: then that key is held, which
 * its work waits for, and the next call goes on with everybody else's.
 */
async function work(lease: Lease, core: Core, deps: QuarantineDeps): Promise<Applied | null> {
  let only: string | undefined;
  let begun: Buffer | undefined;
  const begin = (kind: string, key: Buffer): void => {
    only = kind;
    begun = key;
  };
  for (let countMax = Number.POSITIVE_INFINITY; ; countMax = Math.min(countMax, WORK_MAX * 2) >> 1) {
    begun = undefined;
    try {
      return (await core.doWork?.(lease, { countMax: countMax || 1, only, begin })) ?? null;
    } catch (error) {
      if (classify(error) !== 'defect') throw error;
      if (countMax > 0) continue;
      // A defect of no one's work is nobody's to be held for.
      if (begun === undefined) throw error;
      const applied = await holdWork(lease, begun, error, deps);
      deps.onWorkHeld?.(lease.shard, error);
      return applied;
    }
  }
}

/** Rejects, which halts the shard, when too many were set aside, restarts included, or when it fails although the key is held. */
function holdWork(lease: Lease, key: Buffer, error: unknown, deps: QuarantineDeps): Promise<Applied> {
  return deps.ledger.transact(async (tx) => {
    const shard = await tx.lockShard(lease);
    const at = { shard: lease.shard, locked: shard };
    const { held } = await partHeld(tx, at, [key], (each) => each);
    if (held.length > 0) throw error;
    if ((await heldForWork(tx, lease.shard)) >= WORK_KEYS_MAX) throw new Error('the worker fails on too much work');
    await refuseTooManyKeys(tx, lease.shard);
    await roomOf(deps).take(tx, lease, [{ value: null, headers: [] }]);
    holdForWork(tx, at, key, failureOf(error));
    deps.failpoint?.('quarantine-hold');
    return writeRows(tx, { lease, shard, nextOffset: lease.nextOffset }, [], deps);
  });
}

const roomOf = ({ room }: QuarantineDeps): HeldRoom => room ?? new HeldRoom();

async function refuseTooManyKeys(tx: LedgerTransaction, shard: ShardId): Promise<void> {
  const { keys } = await quarantineDepth(tx, shard, 0n);
  if (keys >= KEYS_MAX) throw new Error('too many keys of this shard are quarantined');
}

async function refuseTooMany(tx: LedgerTransaction, shard: ShardId, offset: bigint): Promise<void> {
  const { keys, failedInARow } = await quarantineDepth(tx, shard, offset);
  if (failedInARow >= IN_A_ROW_MAX) throw new Error('the worker fails on every message');
  if (keys >= KEYS_MAX) throw new Error('too many keys of this shard are quarantined');
}

async function refuseDeadLettersInARow(tx: LedgerTransaction, { shardId }: LockedShard): Promise<void> {
  const last = await tx.rows<{ stamp: string | null }>(
    'select stamp from outcome where shard_id = $1 order by seq desc limit $2',
    [shardId, IN_A_ROW_MAX],
  );
  const isOurs = last.length === IN_A_ROW_MAX && last.every(({ stamp }) => stamp?.includes(JSON.stringify(FAILED)));
  if (isOurs) throw new Error('the worker fails on every message');
}

/** The error as it may be stored and shown: name, code, constraint and the nearest line of our own code, never its message. */
function failureOf(error: unknown): string {
  const { name, code, constraint, frames } = describeError(error);
  const ours = frames
    .find((frame) => !/node_modules|node:/.test(frame))
    ?.replace(/\S*\/(?=(?:packages|services)\/)/, '');
  return [name, code, constraint, ours]
    .filter((part) => part !== undefined)
    .join(' ')
    .slice(0, 300);
}

function writeRows(
  tx: LedgerTransaction,
  place: BatchPlace,
  outcomes: readonly OutcomeRow[],
  { policyOf, targets }: QuarantineDeps,
): Applied {
  return writeApplied(tx, place, { books: booksOf(policyOf, {}), outcomes, ids: [], facts: false }, targets);
}

/** Carries out what operators ordered about the held messages of this process's shards, in the order it was ordered. */
class Orders {
  readonly #core: Core;
  readonly #deps: QuarantineDeps;
  /** When a shard is next asked for orders, by partition. */
  readonly #lookAt = new Map<number, number>();

  constructor(core: Core, deps: QuarantineDeps) {
    this.#core = core;
    this.#deps = deps;
  }

  /** One transaction of the oldest order; null = there is none. */
  async carryOut(lease: Lease): Promise<Applied | null> {
    const { partition } = lease.shard;
    if (performance.now() < (this.#lookAt.get(partition) ?? 0)) return null;
    const order = await openOrder(this.#deps.ledger, lease.shard);
    if (order === null) {
      this.#lookAt.set(partition, performance.now() + (this.#deps.lookEveryMs ?? LOOK_EVERY_MS));
      return null;
    }
    return order.action === 'DROP' ? this.#drop(lease, order) : this.#release(lease, order);
  }

  /**
   * Applies the next messages of a release. Where that meets a defect, fewer at once, down to one alone, twice: then the release ends there,
   * and that message and those behind it stay held.
   */
  async #release(lease: Lease, order: QuarantineOrder): Promise<Applied> {
    for (let countMax = RELEASED_MAX; ; countMax >>= 1) {
      const isLast = countMax === 0;
      try {
        return await this.#step(lease, order, (tx, shard) =>
          this.#releaseSome(tx, { lease, shard }, order, countMax || 1),
        );
      } catch (error) {
        if (classify(error) !== 'defect') throw error;
        if (isLast)
          return this.#step(lease, order, async (tx, shard) => this.#giveUp(tx, { lease, shard }, order, error));
      }
    }
  }

  async #releaseSome(
    tx: LedgerTransaction,
    { lease, shard }: Pick<BatchPlace, 'lease' | 'shard'>,
    order: QuarantineOrder,
    countMax: number,
  ): Promise<Stepped> {
    const held = await heldFrom(tx, lease.shard, order.offset, { countMax, bytesMax: RELEASED_BYTES_MAX });
    if (held.length === 0) return this.#end(tx, { lease, shard }, order, 'GONE');
    const { envelopes } = this.#deps.targets;
    const messages = held.filter((each) => !isWork(each)).map((each) => toRecord(lease.shard, each, envelopes));
    const place = { lease, shard, nextOffset: lease.nextOffset };
    // Work is done again when nothing of its key is held; the key's next message does what it must before itself.
    const done = messages.length === 0 ? this.#nothing(tx, place) : await this.#core.applyHeld(tx, place, messages);
    const next = await letGo(tx, { shard: lease.shard, locked: shard }, held);
    moveOrder(tx, lease.shard, order, { messages: messages.length, next: next ?? 'DONE' });
    return { ...done, result: next === null ? 'DONE' : 'ON_THE_WAY', messages: messages.length };
  }

  #giveUp(
    tx: LedgerTransaction,
    place: Pick<BatchPlace, 'lease' | 'shard'>,
    order: QuarantineOrder,
    error: unknown,
  ): Stepped {
    noteFailure(tx, place.lease.shard, order.offset, failureOf(error));
    return this.#end(tx, place, order, 'FAILED');
  }

  /** Sends one held message to the dead letters, with the rejection of its claim where the code is a claim's. */
  #drop(lease: Lease, order: QuarantineOrder): Promise<Applied> {
    return this.#step(lease, order, async (tx, shard) => {
      const [held] = await heldFrom(tx, lease.shard, order.offset, { countMax: 1, bytesMax: RELEASED_BYTES_MAX });
      if (held === undefined) return this.#end(tx, { lease, shard }, order, 'GONE');
      // The books need it: it can only be released.
      if (isWork(held)) return this.#end(tx, { lease, shard }, order, 'FAILED');
      const { message, problem } = this.#openOrLose(lease.shard, held);
      const rows = badRows(lease.shard, message, droppedAs(order.code ?? '', message, problem));
      const applied = writeRows(tx, { lease, shard, nextOffset: lease.nextOffset }, rows, this.#deps);
      await letGo(tx, { shard: lease.shard, locked: shard }, [held]);
      moveOrder(tx, lease.shard, order, { messages: 1, next: 'DONE' });
      return { applied, committed: () => undefined, result: 'DONE', messages: 1 };
    });
  }

  /** What no key opens any more can still be dropped: its place is left, where its topic may have it. */
  #openOrLose(shard: ShardId, held: HeldMessage): { readonly message: KeyedRecord; readonly problem: string } {
    try {
      return { message: toRecord(shard, held, this.#deps.targets.envelopes), problem: DROPPED };
    } catch (error) {
      if (!(error instanceof Unopened)) throw error;
      const { offset, key, timestampMs } = held;
      return { message: { offset, key, timestampMs, headers: [], value: null }, problem: LOST };
    }
  }

  /** One transaction of an order that is looked at again under the shard's lock: an attempt without an answer may have moved it. */
  async #step(
    lease: Lease,
    order: QuarantineOrder,
    work: (tx: LedgerTransaction, shard: LockedShard) => Promise<Stepped>,
  ): Promise<Applied> {
    const { applied, committed, ...told } = await this.#deps.ledger.transact(async (tx) => {
      const shard = await tx.lockShard(lease);
      const now = await openOrder(tx, lease.shard);
      if (now?.orderId !== order.orderId || now.offset !== order.offset) return this.#nothing(tx, { lease, shard });
      const stepped = await work(tx, shard);
      this.#deps.failpoint?.('quarantine-order');
      return stepped;
    });
    committed();
    if (told.result !== null)
      this.#deps.onOrder?.(lease.shard, { ...told, result: told.result, action: order.action, offset: order.offset });
    return applied;
  }

  #end(
    tx: LedgerTransaction,
    place: Pick<BatchPlace, 'lease' | 'shard'>,
    order: QuarantineOrder,
    result: OrderResult,
  ): Stepped {
    moveOrder(tx, place.lease.shard, order, { messages: 0, next: result });
    return { ...this.#nothing(tx, place), result };
  }

  #nothing(tx: LedgerTransaction, { lease, shard }: Pick<BatchPlace, 'lease' | 'shard'>): Stepped {
    const applied = writeRows(tx, { lease, shard, nextOffset: lease.nextOffset }, [], this.#deps);
    return { applied, committed: () => undefined, result: null, messages: 0 };
  }
}

interface Stepped extends AppliedIn {
  /** Null = somebody else had moved the order. */
  readonly result: OrderStep['result'] | null;
  readonly messages: number;
}

const DROPPED = 'held in quarantine and dropped by order of an operator';
const LOST = `sealed by a key that is not here, or changed: see its place; ${DROPPED}`;

function droppedAs(code: string, message: KeyedRecord, problem: string): Bad {
  const claimId = code.startsWith('CLAIM_') ? claimIdOf(message) : null;
  const issues = [{ path: '', problem }];
  return { kind: 'BAD', code: code as Bad['code'], issues, claimId, personNo: message.key.toString() };
}

/** Of a claim alone, and read without the decoder, which may be what fails. */
function claimIdOf(message: KeyedRecord): string | null {
  try {
    const { claim_id: id, ce_type } = JSON.parse(message.value?.toString() ?? '');
    const type = headerText(message, 'ce_type') ?? ce_type;
    return type === 'claim.submitted' && typeof id === 'string' && /^[\x20-\x7e]{1,200}$/.test(id) ? id : null;
  } catch {
    return null;
  }
}
