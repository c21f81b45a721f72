import {
  heldForWork,
  holdForWork,
  holdMessages,
  type LedgerTransaction,
  type LockedShard,
  partHeld,
  quarantineDepth,
} from '@repo/ledger';
import type { Applied, BatchProcessor, InputProgress, InputRecord, Lease, ShardId } from '@repo/messaging';
import type { BatchPlace, Core, QuarantineDeps } from './core.ts';
import { failureOf, toHeld, withKey, writeRows } from './held.ts';
import { HeldRoom } from './held-room.ts';
import { Orders } from './orders.ts';
import { deadRow, type OutboxTargets } from './outbox.ts';
import { classify } from './store.ts';

/** This many failures in a row mean that the fault is ours and not the messages': the shard halts instead of holding them. */
const IN_A_ROW_MAX = 3;
/** Keys held at once in one shard, beyond which a person must look. */
const KEYS_MAX = 50;
/** Keys held because of work, a lower limit because successes between such failures are not counted. */
const WORK_KEYS_MAX = 10;
/** People whose work is tried after all of it failed at once; then half as many, and so on. */
const WORK_MAX = 4_096;
const FAILED = 'the worker failed on this message';

/**
 * Lets a worker go on when a message makes it fail: that message and all later ones of its key are held in the database, in order, until an
 * operator orders to release or drop them. A key whose work between messages fails is held likewise. Every step is one fenced transaction
 * of the shard's owner, so a crash leaves either the state before it or the state after it.
 */
export function withQuarantine(core: Core, deps: QuarantineDeps): BatchProcessor {
  const orders = new Orders(core, deps);
  return {
    apply: (lease, records) => core.apply(lease, records),
    ...(core.applyTogether && { applyTogether: core.applyTogether.bind(core) }),
    applyIdle: async (lease, input) => (await orders.carryOut(lease)) ?? (await work(lease, input, core, deps)),
    quarantine: (lease, record, error) => hold(lease, record, error, deps),
  };
}

/**
 * Separates messages that may be judged, which it answers, from those behind earlier held messages of their key, which it holds. Throws a
 * `HaltError` where the shard would hold too much: then nothing of the batch is done, and it is applied when the shard goes on. Without
 * `room`, what is held is counted each time.
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

/**
 * Sets aside a message on which our code fails: from now on its key is quarantined. A message without a key, with which nothing is ordered,
 * becomes a dead letter. Rejects, which halts the shard, where too many were set aside; counted in the database, so restarts do not reset
 * it.
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
 * Does the work that waits between messages. Where that meets a defect it tries less, down to a single person's twice; then that person's
 * key is held, and the next call goes on with everybody else's work.
 */
async function work(lease: Lease, input: InputProgress, core: Core, deps: QuarantineDeps): Promise<Applied | null> {
  let only: string | undefined;
  let begun: Buffer | undefined;
  const begin = (kind: string, key: Buffer): void => {
    only = kind;
    begun = key;
  };
  for (let countMax = Number.POSITIVE_INFINITY; ; countMax = Math.min(countMax, WORK_MAX * 2) >> 1) {
    begun = undefined;
    try {
      return (await core.doWork?.(lease, { countMax: countMax || 1, only, begin }, input)) ?? null;
    } catch (error) {
      if (classify(error) !== 'defect') throw error;
      if (countMax > 0) continue;
      // The failure belongs to no person's work, so no key can be held for it.
      if (begun === undefined) throw error;
      const applied = await holdWork(lease, begun, error, deps);
      deps.onWorkHeld?.(lease.shard, error);
      return applied;
    }
  }
}

/**
 * Holds a key because of its work. Rejects, which halts the shard, where too many were set aside, restarts included, or where the work
 * fails although the key is already held.
 */
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
  const isOurs = last.length === IN_A_ROW_MAX && last.every(({ stamp }) => stamp?.includes(`${FAILED}"`));
  if (isOurs) throw new Error('the worker fails on every message');
}
