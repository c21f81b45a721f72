import { type Bad, headerText } from '@repo/contracts';
import {
  type HeldMessage,
  heldFrom,
  isWork,
  type LedgerTransaction,
  type LockedShard,
  letGo,
  moveOrder,
  noteFailure,
  type OrderResult,
  openOrder,
  type QuarantineOrder,
} from '@repo/ledger';
import type { Applied, Lease, ShardId } from '@repo/messaging';
import { Unopened } from '@repo/sealing';
import type { AppliedIn, BatchPlace, Core, OrderStep, QuarantineDeps } from './core.ts';
import { failureOf, type KeyedRecord, toRecord, writeRows } from './held.ts';
import { badRows, personOf } from './outbox.ts';
import { classify } from './store.ts';

const RELEASED_MAX = 500;
const RELEASED_BYTES_MAX = 4 << 20;
const DROP_ATTEMPTS_MAX = 2;
const LOOK_EVERY_MS = 1_000;

/** Carries out operators' orders about the held messages of this process's shards, in the order in which they were given. */
export class Orders {
  readonly #core: Core;
  readonly #deps: QuarantineDeps;
  /** By partition, when to look for orders next. */
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
   * Applies the next messages of a release. Where that meets a defect it tries fewer, down to a single message twice; then the release ends
   * as FAILED, and that message and those behind it stay held.
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
    // A row of work needs no applying: its work is done once nothing of its key is held, or before the key's next message.
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

  /** Drops one held message. Where that meets a defect twice, the order ends as FAILED and the message stays held. */
  async #drop(lease: Lease, order: QuarantineOrder): Promise<Applied> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#step(lease, order, (tx, shard) => this.#dropOne(tx, { lease, shard }, order));
      } catch (error) {
        if (classify(error) !== 'defect') throw error;
        if (attempt === DROP_ATTEMPTS_MAX)
          return this.#step(lease, order, async (tx, shard) => this.#giveUp(tx, { lease, shard }, order, error));
      }
    }
  }

  /** Moves one held message to the dead letters; where the order's code is a claim's, also publishes the claim's rejection. */
  async #dropOne(
    tx: LedgerTransaction,
    { lease, shard }: Pick<BatchPlace, 'lease' | 'shard'>,
    order: QuarantineOrder,
  ): Promise<Stepped> {
    const [held] = await heldFrom(tx, lease.shard, order.offset, { countMax: 1, bytesMax: RELEASED_BYTES_MAX });
    if (held === undefined) return this.#end(tx, { lease, shard }, order, 'GONE');
    // The books need the work done, so it can be released but not dropped.
    if (isWork(held)) return this.#end(tx, { lease, shard }, order, 'FAILED');
    const { message, problem } = this.#openOrLose(lease.shard, held);
    const rows = badRows(lease.shard, message, droppedAs(order.code ?? '', message, problem));
    const applied = writeRows(tx, { lease, shard, nextOffset: lease.nextOffset }, rows, this.#deps);
    await letGo(tx, { shard: lease.shard, locked: shard }, [held]);
    moveOrder(tx, lease.shard, order, { messages: 1, next: 'DONE' });
    return { applied, committed: () => undefined, result: 'DONE', messages: 1 };
  }

  /** A message that no key opens any more can still be dropped: its dead letter has only its place in the input topic. */
  #openOrLose(shard: ShardId, held: HeldMessage): { readonly message: KeyedRecord; readonly problem: string } {
    try {
      return { message: toRecord(shard, held, this.#deps.targets.envelopes), problem: DROPPED };
    } catch (error) {
      if (!(error instanceof Unopened)) throw error;
      const { offset, key, timestampMs } = held;
      return { message: { offset, key, timestampMs, headers: [], value: null }, problem: LOST };
    }
  }

  /**
   * One step of an order in a transaction. Reads the order again under the shard's lock, since an earlier attempt whose answer was lost may
   * have moved it.
   */
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
  /** Null = an earlier attempt had moved the order already. */
  readonly result: OrderStep['result'] | null;
  readonly messages: number;
}

const DROPPED = 'held in quarantine and dropped by order of an operator';
const LOST = `sealed by a key that is not here, or changed: see its place; ${DROPPED}`;

function droppedAs(code: string, message: KeyedRecord, problem: string): Bad {
  const claimId = code.startsWith('CLAIM_') ? claimIdOf(message) : null;
  const issues = [{ path: '', problem }];
  return { kind: 'BAD', code: code as Bad['code'], issues, claimId, personNo: personOf(message) };
}

/** The id of a claim; null for other messages. Read without the decoder, which may be what the worker fails on. */
function claimIdOf(message: KeyedRecord): string | null {
  try {
    const { claim_id: id, ce_type } = JSON.parse(message.value?.toString() ?? '');
    const type = headerText(message, 'ce_type') ?? ce_type;
    return type === 'claim.submitted' && typeof id === 'string' && /^[\x20-\x7e]{1,200}$/.test(id) ? id : null;
  } catch {
    return null;
  }
}
