import { topicsOf } from '@repo/contracts';
import type { Ledger } from '@repo/ledger';
import { type InputRecord, type KafkaConnection, PositionReader } from '@repo/messaging';
import type { KafkaAccess } from '@repo/transport';

/** A shard of which more is published than the database has written. */
export interface LostShard {
  readonly topic: string;
  readonly partition: number;
  /** The number of the last outcome that the database has. */
  readonly written: bigint;
  /** The numbers of the last outcome that is published, of the shard and of its partition of either output topic. */
  readonly outSeq: bigint;
  readonly resultSeq: bigint;
  readonly deadSeq: bigint;
  /** Which of these two are only known not to be lower: nothing is left of what bore the last number. */
  readonly guessed: readonly ('results' | 'deadLetters')[];
}

/** Finds the shards whose published outcomes the database does not know. Right only while no worker publishes. */
export async function findLost(
  ledger: Ledger,
  {
    brokers,
    kafkaAccess,
    topicPrefix,
  }: { readonly brokers: readonly string[]; readonly kafkaAccess?: KafkaAccess; readonly topicPrefix: string },
): Promise<LostShard[]> {
  const topics = topicsOf(topicPrefix);
  const connection: KafkaConnection = { brokers, clientId: `gongji-lost-${process.pid}`, ...kafkaAccess };
  const lost: LostShard[] = [];
  for (const shard of await ledger.shards()) {
    const { topic, partition, partitions } = shard;
    const isClaims = topic === topics.claims;
    if (!isClaims && topic !== topics.members) continue;
    // The row of a partition that was added: nobody's, and no output topic has one like it.
    if (partition >= partitions) continue;
    const resultsTopic = isClaims ? topics.settlements : topics.sharing;
    const app = `${topicPrefix}-${isClaims ? 'settlement-worker' : 'sharing-worker'}`;
    await using reader = new PositionReader({ connection, app, topic, resultsTopic });
    const outSeq = await reader.read(partition);
    if (outSeq <= shard.outSeq) continue;
    const unknown = outSeq - shard.outSeq;
    const result = await findLast(reader, {
      topic: resultsTopic,
      partition,
      header: 'ce_sequence',
      known: shard.resultSeq,
      unknown,
    });
    const deadLetter = await findLast(reader, {
      topic: topics.deadLetters,
      partition: isClaims ? partition : partitions + partition,
      header: 'gongji-sequence',
      known: shard.deadSeq,
      unknown,
    });
    lost.push({
      topic,
      partition,
      written: shard.outSeq,
      outSeq,
      resultSeq: result.sequence,
      deadSeq: deadLetter.sequence,
      guessed: (['results', 'deadLetters'] as const).filter((_, i) => [result, deadLetter][i]?.isGuess),
    });
  }
  return lost;
}

/**
 * The number of the last outcome in an output partition. Where retention has taken it, any of the outcomes that the database does not know
 * may have been one of these: a number that was given out must not be given again, since readers pass over what is not above the last, but
 * one may be left out.
 */
async function findLast(
  reader: PositionReader,
  {
    topic,
    partition,
    header,
    known,
    unknown,
  }: {
    readonly topic: string;
    readonly partition: number;
    readonly header: string;
    /** The last number that the database has given out, and how many outcomes it does not know. */
    readonly known: bigint;
    readonly unknown: bigint;
  },
): Promise<{ readonly sequence: bigint; readonly isGuess: boolean }> {
  const last = sequenceIn(await reader.lastRecord(topic, partition), header);
  if (last !== undefined && last >= known) return { sequence: last, isGuess: false };
  const isNew = known === 0n && (await reader.end(topic, partition)) === 0n;
  return isNew ? { sequence: 0n, isGuess: false } : { sequence: known + unknown, isGuess: true };
}

/** A dead letter carries its original's headers before its own, so the last one counts. */
function sequenceIn(record: InputRecord | undefined, name: string): bigint | undefined {
  const text = record?.headers.findLast(([found]) => found === name)?.[1].toString();
  return text === undefined ? undefined : BigInt(text);
}
