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
    const resultsTopic = isClaims ? topics.settlements : topics.sharing;
    const app = `${topicPrefix}-${isClaims ? 'settlement-worker' : 'sharing-worker'}`;
    await using reader = new PositionReader({ connection, app, topic, resultsTopic });
    const outSeq = await reader.read(partition);
    if (outSeq <= shard.outSeq) continue;
    const result = await reader.lastRecord(resultsTopic, partition);
    const dead = await reader.lastRecord(topics.deadLetters, isClaims ? partition : partitions + partition);
    lost.push({
      topic,
      partition,
      written: shard.outSeq,
      outSeq,
      resultSeq: later(sequenceIn(result, 'ce_sequence'), shard.resultSeq),
      deadSeq: later(sequenceIn(dead, 'gongji-sequence'), shard.deadSeq),
    });
  }
  return lost;
}

/** A dead letter carries its original's headers before its own, so the last one counts. */
function sequenceIn(record: InputRecord | undefined, name: string): bigint {
  const text = record?.headers.findLast(([found]) => found === name)?.[1].toString();
  return text === undefined ? 0n : BigInt(text);
}

const later = (left: bigint, right: bigint): bigint => (left > right ? left : right);
