import { headerText } from '@repo/contracts';
import type { Batch, BatchProcessor, InputRecord, OutboxRow, Publisher } from '@repo/messaging';
import type { Tracing } from '@repo/observability';

const KAFKA = { 'messaging.system': 'kafka' } as const;

/** Traces each transaction of a worker as a span, up to its commit. A span over several shards names no partition. */
export const traceBatches = (tracing: Tracing, processor: BatchProcessor): BatchProcessor => {
  const traced = <T>(batches: readonly Batch[], work: () => Promise<T>): Promise<T> => {
    const [first] = batches;
    const topic = first?.lease.shard.topic ?? '';
    const records = batches.flatMap((batch) => batch.records);
    const attributes = {
      ...KAFKA,
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      ...(batches.length === 1 && { 'messaging.destination.partition.id': String(first?.lease.shard.partition) }),
      'messaging.batch.message_count': records.length,
    };
    return tracing.batch(
      `process ${topic}`,
      { kind: 'CONSUMER', attributes, traceparents: traceparentsOf(records) },
      work,
    );
  };
  const { applyTogether } = processor;
  return {
    ...processor,
    apply: (lease, records) => traced([{ lease, records }], () => processor.apply(lease, records)),
    ...(applyTogether && {
      applyTogether: (batches: readonly Batch[]) => traced(batches, () => applyTogether.call(processor, batches)),
    }),
  };
};

/** Traces each Kafka transaction of a worker as a span. */
export const tracePublications = (tracing: Tracing, publisher: Publisher, topic: string): Publisher => ({
  recover: (partition) => publisher.recover(partition),
  refresh: (partition, position) => publisher.refresh(partition, position),
  release: (partition) => publisher.release(partition),
  publish: (partition, rows) => {
    const attributes = {
      ...KAFKA,
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': rows.length,
    };
    return tracing.batch(`send ${topic}`, { kind: 'PRODUCER', attributes, traceparents: traceparentsOf(rows) }, () =>
      publisher.publish(partition, rows),
    );
  },
});

function* traceparentsOf(messages: readonly (InputRecord | OutboxRow)[]): Generator<string | undefined> {
  for (const message of messages) yield headerText(message, 'traceparent') ?? undefined;
}
