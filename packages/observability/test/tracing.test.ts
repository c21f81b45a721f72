import { SpanReceiver } from '@repo/testkit/spans';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startTracing, type Tracing } from '../src/index.ts';

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNSAMPLED = '00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-00';
const [TRACE, SENDER] = [SAMPLED.slice(3, 35), SAMPLED.slice(36, 52)];

let receiver: SpanReceiver;
beforeEach(async () => {
  receiver = await SpanReceiver.open();
  // The exporter reads its settings from the process's own environment.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.endpoint);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver[Symbol.asyncDispose]();
});

/** Does something with spans, and waits until all of them are sent. */
async function traced(work: (tracing: Tracing) => Promise<unknown>): Promise<SpanReceiver['spans']> {
  const tracing = await startTracing('worker');
  if (tracing === null) throw new Error('a collector is named');
  await work(tracing).finally(() => tracing[Symbol.asyncDispose]());
  return receiver.spans;
}
const batchOf = (...traceparents: readonly (string | undefined)[]) =>
  ({ kind: 'CONSUMER', attributes: { 'messaging.batch.message_count': traceparents.length }, traceparents }) as const;

test('without a collector there is no tracing', async () => {
  expect(await startTracing('worker', {})).toBeNull();
  expect(await startTracing('worker', { OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeNull();
});

test('a batch is a trace of its own with its steps below, and a sampled message has a span below its sender', async () => {
  const spans = await traced((tracing) =>
    tracing.batch('process claims', batchOf(SAMPLED, UNSAMPLED, undefined, 'no trace', SAMPLED.slice(0, 40)), () =>
      tracing.step('database transaction', { 'db.system.name': 'postgresql' }, async () => 'done'),
    ),
  );
  const [batch] = spans.filter(({ name, parentSpanId }) => name === 'process claims' && parentSpanId === '');
  expect(batch).toMatchObject({
    service: 'worker',
    links: [SENDER],
    attributes: { 'messaging.batch.message_count': 5 },
  });
  const others = spans.filter((span) => span !== batch);
  expect(others).toHaveLength(2);
  expect(others).toContainEqual(
    expect.objectContaining({ name: 'database transaction', traceId: batch?.traceId, parentSpanId: batch?.spanId }),
  );
  expect(others).toContainEqual(
    expect.objectContaining({ name: 'process claims', traceId: TRACE, parentSpanId: SENDER, links: [batch?.spanId] }),
  );
});

test('what fails is told by its code alone, and fails as it did', async () => {
  const failure = Object.assign(new Error('of 王小明, 330106199001011234'), { code: '23505' });
  const work = () => Promise.reject(failure);
  await expect(traced((tracing) => tracing.batch('process claims', batchOf(SAMPLED), work))).rejects.toBe(failure);
  expect(receiver.spans.map(({ isError, attributes }) => [isError, attributes['error.type']])).toEqual([
    [true, '23505'],
    [true, '23505'],
  ]);
  expect(receiver.text).not.toMatch(/王小明|330106199001011234/);
});

test('of a batch with more senders than a span may have links the first 128 see what became of theirs', async () => {
  const sampled = Array.from({ length: 500 }, (_, n) => `00-${TRACE}-${(n + 1).toString(16).padStart(16, '0')}-01`);
  const spans = await traced((tracing) => tracing.batch('process claims', batchOf(...sampled), async () => undefined));
  expect(spans).toHaveLength(129);
  expect(spans.find(({ parentSpanId }) => parentSpanId === '')?.links).toHaveLength(128);
});

test('a request is in the trace of whoever asks, unless that one is not sampled', async () => {
  const spans = await traced(async (tracing) => {
    tracing.request('GET /v1/accounts/:psn_no', SAMPLED, { 'http.route': '/v1/accounts/:psn_no' })({}, true);
    tracing.request('GET /v1/codes', undefined, {})({ 'http.response.status_code': 200 }, false);
    tracing.request('GET /v1/codes', UNSAMPLED, {})({}, false);
  });
  expect(spans.map(({ parentSpanId, isError }) => [parentSpanId, isError])).toEqual([
    [SENDER, true],
    ['', false],
  ]);
});

test('of a share the senders who sample see theirs, and of the batches themselves as many as the share says', async () => {
  vi.stubEnv('OTEL_TRACES_SAMPLER_ARG', '0');
  const spans = await traced((tracing) =>
    tracing.batch('process claims', batchOf(SAMPLED), () => tracing.step('database transaction', {}, async () => 1)),
  );
  expect(spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([['process claims', SENDER]]);
});

test('a collector that does not answer holds up neither the work nor the stop', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:9');
  const since = performance.now();
  expect(await traced((tracing) => tracing.batch('process claims', batchOf(), async () => 1))).toEqual([]);
  expect(performance.now() - since).toBeLessThan(10_000);
});
