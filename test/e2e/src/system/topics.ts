import { partitionForKey, type TailedRecord, tail, topicNames } from '@repo/messaging';
import type { PersonalData } from '@repo/testkit';
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import type { PublishedRecord } from '../compare.ts';
import type { WireRecord } from '../families/family.ts';

interface TopicsOptions {
  readonly brokers: string;
  readonly prefix: string;
  readonly partitions: number;
  /** Told of everyone who is sent. */
  readonly people?: PersonalData;
}

/** A record to be produced whose value may be any bytes. */
export interface RawRecord extends Omit<WireRecord, 'value' | 'headers'> {
  readonly headers: Readonly<Record<string, string | Buffer>>;
  readonly value: string | Buffer | null;
}

/** The topics of a system under test as its neighbours use them: inputs are produced, outputs are read `read_committed`. */
export class Topics implements AsyncDisposable {
  /** Everything published so far, in the order of each partition. */
  readonly published: PublishedRecord[] = [];
  /** The same records as they are on the wire. */
  readonly raw: TailedRecord[] = [];
  readonly names: ReturnType<typeof topicNames>;
  readonly partitions: number;
  readonly #options: TopicsOptions;
  readonly #admin: Admin;
  readonly #producer: Producer;
  /** The offset after the last record sent, by topic and partition. */
  readonly #sent = new Map<string, bigint>();
  #reader: AsyncDisposable | undefined;
  #failure: Error | undefined;

  private constructor(options: TopicsOptions, admin: Admin, producer: Producer) {
    this.#options = options;
    this.names = topicNames(options.prefix);
    this.partitions = options.partitions;
    this.#admin = admin;
    this.#producer = producer;
  }

  /** Creates the two input topics. Their records carry the time of their story, years ago: they must not be deleted for their age. */
  static async open(options: TopicsOptions): Promise<Topics> {
    const kafka = new Kafka({
      brokers: options.brokers.split(','),
      clientId: `${options.prefix}-e2e`,
      logLevel: logLevel.NOTHING,
    });
    const admin = kafka.admin();
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await Promise.all([admin.connect(), producer.connect()]);
    const topics = new Topics(options, admin, producer);
    const configEntries = [
      { name: 'retention.ms', value: '-1' },
      { name: 'max.message.bytes', value: String(8 << 20) },
    ];
    const inputs = [topics.names.claims, topics.names.members];
    await admin.createTopics({
      topics: inputs.map((topic) => ({ topic, numPartitions: options.partitions, configEntries })),
      waitForLeaders: true,
    });
    return topics;
  }

  /** Begins to collect what is published. The output topics must exist. */
  async collect(): Promise<void> {
    const { settlements, sharing, deadLetters } = this.names;
    const short = new Map<string, PublishedRecord['topic']>([
      [settlements, 'settlements'],
      [sharing, 'sharing'],
      [deadLetters, 'dead-letters'],
    ]);
    this.#reader = await tail({
      connection: { brokers: this.#options.brokers.split(','), clientId: `${this.#options.prefix}-reader` },
      topics: [...short.keys()],
      from: 'start',
      onRecords: (records) => {
        for (const record of records) {
          this.raw.push(record);
          this.published.push(toPublished(record, short.get(record.topic) ?? 'dead-letters'));
        }
      },
      onFailure: (error) => {
        this.#failure = error;
      },
    });
  }

  /** Produces records in the order given per topic and partition; resolves when all are acknowledged. */
  async send(records: readonly RawRecord[]): Promise<void> {
    for (const { value } of records) this.#options.people?.note(value);
    for (const [input, ofTopic] of Map.groupBy(records, ({ topic }) => topic)) {
      const topic = input.includes('claims') ? this.names.claims : this.names.members;
      const messages = ofTopic.map(({ key, value, headers, timestamp, partition }) => ({
        key,
        value,
        headers,
        timestamp: String(timestamp),
        partition: partition ?? (key === null ? 0 : partitionForKey(key, this.partitions)),
      }));
      for (const [partition, { length }] of Map.groupBy(messages, (each) => each.partition)) {
        const name = `${topic}/${partition}`;
        this.#sent.set(name, (this.#sent.get(name) ?? 0n) + BigInt(length));
      }
      await this.#producer.send({ topic, messages, acks: -1 });
    }
  }

  /** How far each input partition reaches. The topics hold nothing but what was sent here. */
  get ends(): ReadonlyMap<string, bigint> {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#sent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.[Symbol.asyncDispose]();
    await this.#producer.disconnect();
    await this.#admin.deleteTopics({ topics: Object.values(this.names) }).catch(() => undefined);
    await this.#admin.disconnect();
  }
}

function toPublished(record: TailedRecord, topic: PublishedRecord['topic']): PublishedRecord {
  const { partition, key, headers, value } = record;
  return {
    topic,
    partition,
    key: key === null ? null : key.toString(),
    headers: Object.fromEntries(headers.map(([name, text]) => [name, text.toString()])),
    value: value === null ? '' : value.toString(),
  };
}
