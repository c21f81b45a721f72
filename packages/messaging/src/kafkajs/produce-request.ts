import { type BatchFields, encodeRecordBatch } from './record-batch.ts';

/** What is used of kafkajs' encoder: it holds what was written to it. */
interface Encoder {
  readonly buffer: Buffer;
  writeInt16(value: number): this;
  writeInt32(value: number): this;
  writeString(value: string | null): this;
}
export type EncoderClass = new () => Encoder;

interface Produce extends Pick<BatchFields, 'compression' | 'producerId' | 'producerEpoch'> {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly (Pick<BatchFields, 'messages' | 'firstSequence'> & { readonly partition: number })[];
  }[];
}

/** A request's body as pieces, which `joiningOnce` puts together. To kafkajs' own request it is an encoder that holds them all. */
class InParts {
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

/**
 * A Produce request (versions 3 to 7) that leaves its record batches where they are. kafkajs copies them from one encoder into the next,
 * each of which grows into fresh memory.
 */
export const producingInParts =
  (Encoder: EncoderClass) =>
  (original: (produce: Produce) => object) =>
  (produce: Produce): object => ({
    ...original(produce),
    encode: async (): Promise<InParts> => {
      const { acks, timeout, transactionalId = null, topicData, ...producer } = produce;
      const head = new Encoder().writeString(transactionalId).writeInt16(acks).writeInt32(timeout);
      const parts = [head.writeInt32(topicData.length).buffer];
      for (const { topic, partitions } of topicData) {
        parts.push(new Encoder().writeString(topic).writeInt32(partitions.length).buffer);
        for (const { partition, ...part } of partitions) {
          const batch = encodeRecordBatch({ ...producer, ...part, transactional: transactionalId !== null });
          parts.push(new Encoder().writeInt32(partition).writeInt32(batch.length).buffer, batch);
        }
      }
      return new InParts(parts);
    },
  });

interface Request {
  readonly correlationId: number;
  readonly clientId: string;
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    encode(): Promise<Encoder | InParts>;
  };
}

/** Any request as it is sent, its body copied once: kafkajs copies it twice. */
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
