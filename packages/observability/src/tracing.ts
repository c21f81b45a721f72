import type { Attributes } from '@opentelemetry/api';

/** A piece of work on many messages at once. */
export interface TracedBatch {
  readonly kind: 'CONSUMER' | 'PRODUCER';
  readonly attributes: Attributes;
  /** The `traceparent` headers of its messages, where they have one. */
  readonly traceparents: Iterable<string | undefined>;
}

/**
 * Spans, as OpenTelemetry has them, sent to a collector. None of the names and attributes given here may hold what a log line may not: there
 * is no list that would leave it out.
 */
export interface Tracing extends AsyncDisposable {
  /**
   * Work on a batch as one span, the root of a trace of its own, linked with its messages. Each message that its sender samples gets a span in
   * the sender's trace besides, as long as the batch, linked with it; at most 128 of them.
   */
  batch<T>(name: string, batch: TracedBatch, work: () => Promise<T>): Promise<T>;
  /** A part of the batch that is being worked on, as a span below its own. */
  step<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** A request that begins, in its sender's trace where it names one. Answers what ends it. */
  request(
    name: string,
    traceparent: string | undefined,
    attributes: Attributes,
  ): (more: Attributes, isFailed: boolean) => void;
}

/** Tracing where OpenTelemetry's own setting names a collector; else null, and nothing of it is even loaded. */
export async function startTracing(service: string, env: NodeJS.ProcessEnv = process.env): Promise<Tracing | null> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return null;
  const { OtlpTracing } = await import('./otlp-tracing.ts');
  return new OtlpTracing(service, env);
}
