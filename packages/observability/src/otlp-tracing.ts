import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describeError } from './errors.ts';
import type { TracedBatch, Tracing } from './tracing.ts';

/** As many as a span may have links by the library's own limit. */
const OWN_SPANS_MAX = 128;
const SENT_EVERY_MS = 1_000;
/** A collector that does not answer must hold up no stop. */
const SENT_WITHIN_MS = 3_000;

/** Spans through the OTLP exporter over HTTP, which takes its address and headers from OpenTelemetry's own settings. */
export class OtlpTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #current = new AsyncLocalStorage<Span>();

  constructor(service: string, env: NodeJS.ProcessEnv) {
    const given = Number(env.OTEL_TRACES_SAMPLER_ARG || 1);
    const root = new TraceIdRatioBasedSampler(given >= 0 && given <= 1 ? given : 1);
    const exporter = new OTLPTraceExporter({ timeoutMillis: SENT_WITHIN_MS });
    this.#provider = new TracerProvider({
      sampler: new ParentBasedSampler({ root }),
      resource: defaultResource()
        .merge(resourceFromAttributes({ 'service.name': service, 'service.namespace': 'gongji' }))
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          scheduledDelayMillis: SENT_EVERY_MS,
          exportTimeoutMillis: SENT_WITHIN_MS,
        }),
      ],
    });
  }

  async batch<T>(name: string, { kind, attributes, traceparents }: TracedBatch, work: () => Promise<T>): Promise<T> {
    const senders = sampled(traceparents);
    const links = senders.map((context): Link => ({ context }));
    const span = this.#start(name, { kind, attributes, links }, undefined);
    const own = [{ context: span.spanContext() }];
    const spans = senders.map((sender) => this.#start(name, { kind, attributes, links: own }, sender));
    return this.#within(span, [span, ...spans], work);
  }

  step<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
    const above = this.#current.getStore();
    // Work between batches has no span of its own, and a step of it none either.
    if (above === undefined) return work();
    const span = this.#start(name, { kind: 'CLIENT', attributes }, above.spanContext());
    return this.#within(span, [span], work);
  }

  request(name: string, traceparent: string | undefined, attributes: Attributes) {
    const sender = traceparent === undefined ? null : parseTraceParent(traceparent);
    const span = this.#start(name, { kind: 'SERVER', attributes }, sender ?? undefined);
    return (more: Attributes, isFailed: boolean): void => {
      span.setAttributes(more);
      if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = this.#provider.shutdown().catch(() => undefined);
    await Promise.race([stopped, delay(SENT_WITHIN_MS, undefined, { ref: false })]);
  }

  #start(
    name: string,
    { kind, ...options }: { kind: keyof typeof SpanKind; attributes: Attributes; links?: Link[] },
    above: SpanContext | undefined,
  ): Span {
    const context = above === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, above);
    return this.#provider.getTracer('gongji').startSpan(name, { ...options, kind: SpanKind[kind] }, context);
  }

  async #within<T>(current: Span, spans: readonly Span[], work: () => Promise<T>): Promise<T> {
    try {
      return await this.#current.run(current, work);
    } catch (error) {
      // What an error says may be about someone; its name and code are not.
      const { name, code } = describeError(error);
      for (const span of spans) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('error.type', code ?? name);
      }
      throw error;
    } finally {
      for (const span of spans) span.end();
    }
  }
}

/** Where the senders are that want to see what becomes of their messages. What is no trace context is passed over. */
function sampled(traceparents: Iterable<string | undefined>): SpanContext[] {
  const found: SpanContext[] = [];
  for (const text of traceparents) {
    const sender = text === undefined ? null : parseTraceParent(text);
    if (sender !== null && sender.traceFlags & TraceFlags.SAMPLED) found.push({ ...sender, isRemote: true });
    if (found.length === OWN_SPANS_MAX) break;
  }
  return found;
}
