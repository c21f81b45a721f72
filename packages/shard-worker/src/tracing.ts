import { headerText } from '@repo/contracts';
import type { BatchProcessor, InputRecord, OutboxRow, Publisher } from '@repo/messaging';
import type { Tracing } from '@repo/observability';

const KAFKA = { 'messaging.system': 'kafka' } as const;

/** A worker's batches as spans, each from decoding to its commit. */
export const traceBatches = (tracing: Tracing, processor: BatchProcessor): BatchProcessor => ({
  ...processor,
  apply: (lease, records) => {
    const { topic, partition } = lease.shard;
    const attributes = {
      ...KAFKA,
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': records.length,
    };
    return tracing.batch(
      `process ${topic}`,
      { kind: 'CONSUMER', attributes, traceparents: traceparentsOf(records) },
      () => processor.apply(lease, records),
    );
  },
});

/** What a worker publishes as spans, each one transaction of the broker. */
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
