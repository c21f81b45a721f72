import { type BatchFields, encodeRecordBatch } from './record-batch.ts';

/** The parts of kafkajs' encoder that are used here; `buffer` is what has been written. */
interface Encoder {
  readonly buffer: Buffer;
  writeBoolean(value: boolean): this;
  writeInt16(value: number): this;
  writeInt32(value: number): this;
  writeInt64(value: string): this;
  writeString(value: string | null): this;
  writeUVarInt(value: number): this;
  writeUVarIntString(value: string | null): this;
}
export type EncoderClass = new () => Encoder;

/** The arguments of kafkajs' Produce request. */
export interface Produce extends Pick<BatchFields, 'compression' | 'producerId' | 'producerEpoch'> {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly (Pick<BatchFields, 'messages' | 'firstSequence'> & { readonly partition: number })[];
  }[];
}

/** What a version of the Produce request writes before and after its topics, partitions and batches. */
export interface ProduceForm {
  begin(of: {
    readonly transactionalId: string | null;
    readonly acks: number;
    readonly timeout: number;
    readonly topics: number;
  }): Buffer[];
  topic(of: { readonly topic: string; readonly partitions: number }): Buffer[];
  partition(of: { readonly partition: number; readonly bytes: number }): Buffer[];
  /** Written after each partition, after each topic and at the end of the request. */
  readonly end: readonly Buffer[];
}

/**
 * The request's body as a list of buffers, in which the record batches are not copied. kafkajs copies them from one encoder into the next,
 * each of which grows into fresh memory.
 */
export function produceParts(produce: Produce, form: ProduceForm): Buffer[] {
  const { acks, timeout, transactionalId = null, topicData, ...producer } = produce;
  const parts = form.begin({ transactionalId, acks, timeout, topics: topicData.length });
  for (const { topic, partitions } of topicData) {
    parts.push(...form.topic({ topic, partitions: partitions.length }));
    for (const { partition, ...part } of partitions) {
      const batch = encodeRecordBatch({ ...producer, ...part, transactional: transactionalId !== null });
      parts.push(...form.partition({ partition, bytes: batch.length }), batch, ...form.end);
    }
    parts.push(...form.end);
  }
  return [...parts, ...form.end];
}

/** A request's body in pieces, for `joiningOnce` to join. To kafkajs' own code it looks like an encoder that holds all of them. */
export class InParts {
  readonly parts: readonly Buffer[];

  constructor(parts: readonly Buffer[]) {
    this.parts = parts;
  }

  get buf(): Buffer {
    return this.buffer;
  }

  get buffer(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Makes kafkajs' Produce request of versions 3 to 7 encode its body in pieces. */
export const producingInParts = (Encoder: EncoderClass) => {
  const form: ProduceForm = {
    begin: ({ transactionalId, acks, timeout, topics }) => [
      new Encoder().writeString(transactionalId).writeInt16(acks).writeInt32(timeout).writeInt32(topics).buffer,
    ],
    topic: ({ topic, partitions }) => [new Encoder().writeString(topic).writeInt32(partitions).buffer],
    partition: ({ partition, bytes }) => [new Encoder().writeInt32(partition).writeInt32(bytes).buffer],
    end: [],
  };
  return (original: (produce: Produce) => object) =>
    (produce: Produce): object => ({
      ...original(produce),
      encode: async (): Promise<InParts> => new InParts(produceParts(produce, form)),
    });
};

/** A request as kafkajs' connection receives it. */
export interface SentRequest {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  encode(): Promise<Pick<Encoder, 'buffer'> | InParts>;
}

interface Request {
  readonly correlationId: number;
  readonly clientId: string;
  readonly request: SentRequest;
}

/** Encodes any request with its length and header, copying its body once; kafkajs copies it twice. */
export const joiningOnce =
  (Encoder: EncoderClass) =>
  async ({ correlationId, clientId, request }: Request): Promise<{ readonly buffer: Buffer }> => {
    const body = await request.encode();
    const head = new Encoder().writeInt16(request.apiKey).writeInt16(request.apiVersion);
    const parts = [
      head.writeInt32(correlationId).writeString(clientId).buffer,
      ...(body instanceof InParts ? body.parts : [body.buffer]),
    ];
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    return { buffer: Buffer.concat([new Encoder().writeInt32(size).buffer, ...parts], 4 + size) };
  };
