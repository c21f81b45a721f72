import {
  type EncoderClass,
  InParts,
  type Produce,
  type ProduceForm,
  produceParts,
  type SentRequest,
} from './produce-request.ts';

/**
 * Transactions of version 2 (KIP-890), which kafkajs does not know: a Produce request adds its partition to the transaction without an
 * AddPartitionsToTxn before it, and the end of each transaction gives the producer a new epoch, so that a late request of one transaction
 * cannot enter the next. That is two requests a transaction instead of three. Used where the cluster has finalized that version (Kafka 4 by
 * default, an upgraded cluster once its operator does so); elsewhere kafkajs' own way is used.
 */

/** The parts of kafkajs' broker that are used here. */
export interface Broker {
  readonly connectionPool: {
    send<T>(request: { readonly request: SentRequest; readonly response: Response<T> }): Promise<T>;
  };
  isConnected(): boolean;
  addOffsetsToTxn(request: ProducerState & { readonly groupId: string }): Promise<unknown>;
  txnOffsetCommit(request: ProducerState & { readonly groupId: string; readonly topics: unknown }): Promise<unknown>;
}

interface Response<T> {
  decode(payload: Buffer): Promise<Answer<T>>;
  parse(answer: Answer<T>): Promise<T>;
}

interface Answer<T> {
  readonly errorCode: number;
  readonly clientSideThrottleTime: number;
  readonly value: T;
}

interface ProducerState {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

export interface Cluster {
  findGroupCoordinator(query: { groupId: string; coordinatorType: number }): Promise<Broker>;
}

type TopicData = readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number }[] }[];

interface EosManager {
  initProducerId(): Promise<void>;
  getProducerId(): string;
  getProducerEpoch(): number;
  getSequence(topic: string, partition: number): number;
  updateSequence(topic: string, partition: number, increment: number): void;
  addPartitionsToTransaction(topicData: TopicData): Promise<void>;
  sendOffsets(offsets: { readonly consumerGroupId: string; readonly topics: unknown }): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

interface EosOptions {
  readonly cluster: Cluster;
  readonly transactional: boolean;
  readonly transactionalId: string;
}

export type CreateEosManager = (options: EosOptions) => EosManager;

/** The parts of kafkajs' protocol that are used here. */
export interface Protocol {
  readonly Encoder: EncoderClass;
  readonly Decoder: new (payload: Buffer) => Decoder;
  readonly failure: (errorCode: number) => boolean;
  readonly createErrorFromCode: (errorCode: number) => Error;
}

const API_VERSIONS = 18;
const END_TXN = 26;
const PRODUCE = 0;
const [GROUP, TRANSACTION] = [0, 1];
const FEATURE = 'transaction.version';

/** The parts of kafkajs' decoder that are used here. */
interface Decoder {
  offset: number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readUVarInt(): number;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: () => T): T[] | null;
}

/**
 * Reads the tagged fields (KIP-482) that `read` names by number and skips all others. kafkajs' own reader takes each for a byte shorter
 * than it is.
 */
function readTagged(from: Decoder, read: Readonly<Record<number, () => void>> = {}): void {
  for (let left = from.readUVarInt(); left > 0; left--) {
    const [tag, length] = [from.readUVarInt(), from.readUVarInt()];
    const end = from.offset + length;
    read[tag]?.();
    from.offset = end;
  }
}

/** Requests in versions that kafkajs does not have. */
function requestsOf({ Encoder, Decoder, failure, createErrorFromCode }: Protocol) {
  /** An empty set of tagged fields. */
  const NONE = Buffer.from([0]);
  const form: ProduceForm = {
    begin: ({ transactionalId, acks, timeout, topics }) => [
      new Encoder()
        .writeUVarIntString(transactionalId)
        .writeInt16(acks)
        .writeInt32(timeout)
        .writeUVarInt(topics + 1).buffer,
    ],
    topic: ({ topic, partitions }) => [new Encoder().writeUVarIntString(topic).writeUVarInt(partitions + 1).buffer],
    partition: ({ partition, bytes }) => [new Encoder().writeInt32(partition).writeUVarInt(bytes + 1).buffer],
    end: [NONE],
  };
  const request = (apiKey: number, apiName: string, apiVersion: number, parts: () => readonly Buffer[]) => ({
    apiKey,
    apiName,
    apiVersion,
    encode: async () => new InParts([NONE, ...parts()]),
  });
  const response = <T>(read: (from: Decoder) => { errorCode: number; throttleMs: number; value: T }): Response<T> => ({
    decode: async (payload) => {
      const { throttleMs, ...answer } = read(new Decoder(payload));
      return { ...answer, clientSideThrottleTime: throttleMs };
    },
    parse: async ({ errorCode, value }) => {
      if (failure(errorCode)) throw createErrorFromCode(errorCode);
      return value;
    },
  });

  return {
    /** Asks for the finalized transaction version of the cluster; 0 where the broker is older than finalized features. */
    transactionVersion: {
      request: request(API_VERSIONS, 'ApiVersions', 3, () => [
        new Encoder().writeUVarIntString('gongji').writeUVarIntString('1').buffer,
        NONE,
      ]),
      response: response((from) => {
        let version = 0;
        const errorCode = from.readInt16();
        // A broker that does not know this version of the request answers in an older format.
        if (errorCode !== 0) return { errorCode: 0, throttleMs: 0, value: version };
        from.readUVarIntArray(() => [from.readInt16(), from.readInt16(), from.readInt16(), readTagged(from)]);
        const throttleMs = from.readInt32();
        const finalized = () =>
          from.readUVarIntArray(() => {
            const [name, highest] = [
              from.readUVarIntString(),
              from.readInt16(),
              from.readInt16(),
              readTagged(from),
            ] as const;
            if (name === FEATURE) version = highest;
          });
        readTagged(from, { 2: finalized });
        return { errorCode, throttleMs, value: version };
      }),
    },

    /** Ends a transaction; answers the producer id and epoch for the next one. */
    endTxn: ({ transactionalId, producerId, producerEpoch, committed }: ProducerState & { committed: boolean }) => ({
      request: request(END_TXN, 'EndTxn', 5, () => [
        new Encoder()
          .writeUVarIntString(transactionalId)
          .writeInt64(producerId)
          .writeInt16(producerEpoch)
          .writeBoolean(committed).buffer,
        NONE,
      ]),
      response: response((from) => {
        readTagged(from);
        const [throttleMs, errorCode] = [from.readInt32(), from.readInt16()];
        return {
          throttleMs,
          errorCode,
          value: { producerId: String(from.readInt64()), producerEpoch: from.readInt16() },
        };
      }),
    }),

    produce: (produce: Produce) => ({
      request: request(PRODUCE, 'Produce', 12, () => produceParts(produce, form)),
      response: response((from) => {
        readTagged(from);
        const partition = () => {
          const [index, errorCode, baseOffset] = [
            from.readInt32(),
            from.readInt16(),
            from.readInt64(),
            from.readInt64(),
            from.readInt64(),
          ];
          from.readUVarIntArray(() => [from.readInt32(), from.readUVarIntString(), readTagged(from)]);
          from.readUVarIntString();
          readTagged(from);
          return { partition: index, errorCode, baseOffset: String(baseOffset) };
        };
        const topic = () => {
          const [topicName, partitions] = [
            from.readUVarIntString(),
            from.readUVarIntArray(partition) ?? [],
            readTagged(from),
          ];
          return { topicName, partitions };
        };
        const topics = from.readUVarIntArray(topic) ?? [];
        const codes = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
        return { throttleMs: from.readInt32(), errorCode: codes.find(failure) ?? 0, value: { topics } };
      }),
    }),
  };
}

/** Replacements for kafkajs' transaction manager and Produce request that use version 2 where the cluster has it. */
export function secondVersion(protocol: Protocol) {
  const requests = requestsOf(protocol);
  const versions = new WeakMap<Broker, Promise<number>>();
  const isSecond = async (broker: Broker): Promise<boolean> => {
    const known = versions.get(broker) ?? broker.connectionPool.send(requests.transactionVersion);
    versions.set(broker, known);
    try {
      return (await known) >= 2;
    } catch (error) {
      versions.delete(broker);
      throw error;
    }
  };

  /**
   * Uses kafkajs' manager for everything that is the same in both versions. That manager's own transaction stays empty, so it ends none
   * itself.
   */
  const manager =
    (createEosManager: CreateEosManager): CreateEosManager =>
    (options) => {
      const { cluster, transactional, transactionalId } = options;
      const first = createEosManager(options);
      if (!transactional) return first;
      let producer: { readonly producerId: string; readonly producerEpoch: number } | undefined;
      let isBegun = false;
      const sentTo = new Map<string, { topic: string; partition: number }>();
      const coordinator = () =>
        cluster.findGroupCoordinator({ groupId: transactionalId, coordinatorType: TRANSACTION });
      const end = async (committed: boolean): Promise<void> => {
        if (producer === undefined || !isBegun) return;
        producer = await (await coordinator()).connectionPool.send(
          requests.endTxn({ transactionalId, ...producer, committed }),
        );
        isBegun = false;
        // A new epoch counts its sequence numbers from 0.
        for (const { topic, partition } of sentTo.values())
          first.updateSequence(topic, partition, -first.getSequence(topic, partition));
        sentTo.clear();
      };
      return Object.assign(Object.create(first) as EosManager, {
        initProducerId: async () => {
          await first.initProducerId();
          if (await isSecond(await coordinator()))
            producer = { producerId: first.getProducerId(), producerEpoch: first.getProducerEpoch() };
        },
        getProducerId: () => producer?.producerId ?? first.getProducerId(),
        getProducerEpoch: () => producer?.producerEpoch ?? first.getProducerEpoch(),
        addPartitionsToTransaction: async (topicData: TopicData) => {
          if (producer === undefined) return first.addPartitionsToTransaction(topicData);
          isBegun = true;
          for (const { topic, partitions } of topicData)
            for (const { partition } of partitions) sentTo.set(`${topic}/${partition}`, { topic, partition });
        },
        sendOffsets: async ({ consumerGroupId: groupId, topics }: Parameters<EosManager['sendOffsets']>[0]) => {
          if (producer === undefined) return first.sendOffsets({ consumerGroupId: groupId, topics });
          await (await coordinator()).addOffsetsToTxn({ transactionalId, ...producer, groupId });
          isBegun = true;
          const group = await cluster.findGroupCoordinator({ groupId, coordinatorType: GROUP });
          await group.txnOffsetCommit({ transactionalId, ...producer, groupId, topics });
        },
        commit: async () => {
          await end(true);
          await first.commit();
        },
        abort: async () => {
          await end(false);
          await first.abort();
        },
      });
    };

  type SendProduce = (this: Broker, produce: Partial<Produce> & Pick<Produce, 'topicData'>) => Promise<unknown>;
  const produce = (original: SendProduce): SendProduce =>
    async function (given) {
      if (given.transactionalId == null || !(await isSecond(this))) return original.call(this, given);
      const { acks = -1, timeout = 30_000, compression = 0, ...rest } = given;
      return this.connectionPool.send(requests.produce({ acks, timeout, compression, ...rest } as Produce));
    };

  return { manager, produce };
}
