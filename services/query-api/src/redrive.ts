import { setTimeout as delay } from 'node:timers/promises';
import type { DeadLetterNote } from '@repo/contracts';
import { findDeadSince, findProgress, heldAmong, type RowSource } from '@repo/ledger';
import type { Found, Original } from '@repo/set-aside';
import { readNote } from '@repo/shard-worker';
import { inTime, LOOK_EVERY_MS } from './commands.ts';

/** Sends a message again to the topic and partition it came from, and answers its new place. */
export type SendAgain = (original: Original) => Promise<{ readonly partition: number; readonly offset: bigint }>;

interface Deps {
  readonly ledger: RowSource;
  readonly sendAgain: SendAgain;
  /** How long to wait for the result, ms. */
  readonly waitMs: number;
}

/** The new place of a dead letter, and its result. */
export interface Redriven {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly result: 'TAKEN' | 'DEAD' | 'HELD' | 'WAITING';
  /** The code of the new dead letter. */
  readonly code: string | null;
}

/**
 * Sends dead letters back one after the other, and waits up to `waitMs` for what the workers make of them. At least once: it may be
 * repeated after a failure, since a message that was accepted is not accepted twice.
 */
export async function sendBack(
  letters: readonly Found[],
  { ledger, sendAgain, waitMs }: Deps,
): Promise<readonly Redriven[]> {
  const shards = new Map<string, Shard>();
  for (const { original } of letters) {
    const { topic, partition } = original;
    const name = `${topic}/${partition}`;
    let shard = shards.get(name);
    if (shard === undefined) {
      const progress = await findProgress(ledger, { topic, partition });
      shard = { topic, partition, afterSeq: progress?.outSeq ?? 0n, sent: [] };
      shards.set(name, shard);
    }
    const { offset } = await inTime(sendAgain(original));
    shard.sent.push({ original, offset, result: 'WAITING', code: null });
  }
  const end = performance.now() + waitMs;
  for (;;) {
    for (const shard of shards.values()) await look(ledger, shard);
    const isOpen = [...shards.values()].some(({ sent }) => sent.some(({ result }) => result === 'WAITING'));
    if (!isOpen || performance.now() >= end) break;
    await delay(LOOK_EVERY_MS);
  }
  const all = new Map(
    [...shards.values()].flatMap(({ topic, partition, sent }) =>
      sent.map(({ original, ...rest }) => [original, { topic, partition, ...rest }] as const),
    ),
  );
  return letters.flatMap(({ original }) => all.get(original) ?? []);
}

interface Sent {
  readonly original: Original;
  readonly offset: bigint;
  result: Redriven['result'];
  code: string | null;
}

interface Shard {
  readonly topic: string;
  readonly partition: number;
  /** Only dead letters after this sequence number can be ours. */
  readonly afterSeq: bigint;
  readonly sent: Sent[];
}

/** Records the results of the messages that the shard has reached. */
async function look(ledger: RowSource, { topic, partition, afterSeq, sent }: Shard): Promise<void> {
  const open = sent.filter(({ result }) => result === 'WAITING');
  if (open.length === 0) return;
  const progress = await findProgress(ledger, { topic, partition });
  const passed = open.filter(({ offset }) => progress !== undefined && progress.nextOffset > offset);
  if (passed.length === 0) return;
  const offsets = passed.map(({ offset }) => offset);
  const held = await heldAmong(ledger, { topic, partition }, offsets);
  const notes = (await findDeadSince(ledger, { topic, partition }, afterSeq)).map(readNote);
  const dead = new Map(notes.map((note: DeadLetterNote) => [note.offset, note.code]));
  for (const message of passed) {
    message.code = dead.get(String(message.offset)) ?? null;
    message.result = message.code !== null ? 'DEAD' : held.has(message.offset) ? 'HELD' : 'TAKEN';
  }
}
