import type { Admin, Kafka, Message } from 'kafkajs';
import type { InputRecord, OutgoingHeaders } from '../port.ts';
import { connect, type KafkaConnection } from './client.ts';
import { LastRecordReader } from './last-record.ts';
import { topicOffsets } from './offsets.ts';
import { HEADER_LIST } from './record-batch.ts';

/** Header of a transaction's last result: the `seq` of the transaction's last row. Once readable, everything up to it is published. */
const POSITION_HEADER = 'gongji-position';

/** The group, without members, whose offsets are the positions of transactions that carry no result. */
export const positionGroup = (app: string): string => `${app}-position`;

/** Adds the position header to a transaction's last result. */
export function notePosition(message: Message, position: bigint): void {
  const headers = (message.headers as { readonly [HEADER_LIST]: OutgoingHeaders })[HEADER_LIST];
  const noted: OutgoingHeaders = [...headers, [POSITION_HEADER, String(position)]];
  message.headers = { [HEADER_LIST]: noted } as NonNullable<Message['headers']>;
}

export interface PositionOptions {
  readonly connection: KafkaConnection;
  /** Prefix of transactional ids and of the position group; one per service. */
  readonly app: string;
  /** The input topic whose shards publish. */
  readonly topic: string;
  /** The output topic in which only shard *n* writes partition *n*: its last record tells how far the shard has published. */
  readonly resultsTopic: string;
}

/** Tells how far a shard has published. Exact only while nobody can publish for it: fence its producer first, or stop its worker. */
export class PositionReader implements AsyncDisposable {
  readonly #options: PositionOptions;
  readonly #kafka: Kafka;
  readonly #lastRecords: LastRecordReader;
  #admin: Promise<Admin> | undefined;

  constructor(options: PositionOptions) {
    this.#options = options;
    this.#kafka = connect(options.connection);
    this.#lastRecords = new LastRecordReader(this.#kafka);
  }

  /**
   * The position of a shard: the last `seq` published, 0 = none. The larger of the last result's header and the group's offset, since a
   * transaction writes only one of the two. Rejects with the broker's error.
   */
  async read(partition: number): Promise<bigint> {
    const [result, stored] = await Promise.all([
      this.lastRecord(this.#options.resultsTopic, partition),
      this.#storedPosition(partition),
    ]);
    const noted = result?.headers.find(([name]) => name === POSITION_HEADER)?.[1].toString();
    const published = noted === undefined ? 0n : BigInt(noted);
    return published > stored ? published : stored;
  }

  /** The last committed record of an output partition; undefined where it has none. */
  lastRecord(topic: string, partition: number): Promise<InputRecord | undefined> {
    return this.#lastRecords.read(topic, partition);
  }

  /**
   * The offset that the next record of an output partition will get. Above 0 where it ever had a record, even if retention has emptied it.
   */
  async end(topic: string, partition: number): Promise<bigint> {
    this.#admin ??= this.#connectAdmin();
    const offsets = await topicOffsets(await this.#admin, topic);
    return BigInt(offsets.find((entry) => entry.partition === partition)?.high ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined);
    this.#admin = undefined;
    await Promise.all([this.#lastRecords.close(), admin?.disconnect().catch(() => {})]);
  }

  async #storedPosition(partition: number): Promise<bigint> {
    this.#admin ??= this.#connectAdmin();
    const admin = await this.#admin;
    const { app, topic } = this.#options;
    const [found] = await admin.fetchOffsets({ groupId: positionGroup(app), topics: [topic] });
    const offset = found?.partitions.find((entry) => entry.partition === partition)?.offset;
    return offset === undefined || offset === '-1' ? 0n : BigInt(offset);
  }

  async #connectAdmin(): Promise<Admin> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      this.#admin = undefined;
      throw error;
    }
  }
}
