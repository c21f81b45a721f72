import { topicsOf } from '@repo/contracts';
import type { Ledger } from '@repo/ledger';
import { type InputRecord, type KafkaConnection, PositionReader } from '@repo/messaging';
import type { KafkaAccess } from '@repo/transport';

/** A shard of which more is published than the database has written. */
export interface LostShard {
  readonly topic: string;
  readonly partition: number;
  /** The number of the last outcome in the database. */
  readonly written: bigint;
  /** The numbers of the last published outcome: of the shard, and of its partition in either output topic. */
  readonly outSeq: bigint;
  readonly resultSeq: bigint;
  readonly deadSeq: bigint;
  /** Which of these two are upper bounds only, because the record with the last number has been deleted. */
  readonly guessed: readonly ('results' | 'deadLetters')[];
}

/** Finds the shards with published outcomes that the database does not know. Exact only while no worker publishes. */
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
 * The number of the last outcome in an output partition. Where retention has deleted that record, each outcome unknown to the database may
 * have been one of this partition. A number that was used must not be used again, because readers skip numbers that are not above their
 * last; skipping some is harmless.
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
    /** The last number used in the database, and how many outcomes the database does not know. */
    readonly known: bigint;
    readonly unknown: bigint;
  },
): Promise<{ readonly sequence: bigint; readonly isGuess: boolean }> {
  const last = sequenceIn(await reader.lastRecord(topic, partition), header);
  if (last !== undefined && last >= known) return { sequence: last, isGuess: false };
  const isNew = known === 0n && (await reader.end(topic, partition)) === 0n;
  return isNew ? { sequence: 0n, isGuess: false } : { sequence: known + unknown, isGuess: true };
}

/** A dead letter has its original's headers before its own, so the last one counts. */
function sequenceIn(record: InputRecord | undefined, name: string): bigint | undefined {
  const text = record?.headers.findLast(([found]) => found === name)?.[1].toString();
  return text === undefined ? undefined : BigInt(text);
}
