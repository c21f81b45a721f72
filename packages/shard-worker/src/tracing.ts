import { headerText } from '@repo/contracts';
import type { BatchPart, BatchProcessor, InputRecord, OutboxRow, Publisher } from '@repo/messaging';
import type { Tracing } from '@repo/observability';

const KAFKA = { 'messaging.system': 'kafka' } as const;

/** A worker's batches as spans, each from decoding to its commit. */
export function traceBatches(tracing: Tracing, processor: BatchProcessor): BatchProcessor {
  const { applyTogether } = processor;
  const traced = <T>(parts: readonly [BatchPart, ...BatchPart[]], apply: () => Promise<T>): Promise<T> => {
    const [{ lease }] = parts;
    const records = parts.flatMap((part) => part.records);
    const attributes = {
      ...KAFKA,
      'messaging.operation.type': 'process',
      'messaging.destination.name': lease.shard.topic,
      'messaging.destination.partition.id': parts.map((part) => part.lease.shard.partition).join(),
      'messaging.batch.message_count': records.length,
    };
    const links = { kind: 'CONSUMER', attributes, traceparents: traceparentsOf(records) } as const;
    return tracing.batch(`process ${lease.shard.topic}`, links, apply);
  };
  return {
    ...processor,
    apply: (lease, records) => traced([{ lease, records }], () => processor.apply(lease, records)),
    ...(applyTogether && { applyTogether: (parts) => traced(parts, () => applyTogether(parts)) }),
  };
}

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
