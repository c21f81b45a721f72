import { OUTCOME_CODES } from '@repo/domain';
import { createLogger, createMetrics } from '@repo/observability';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Health } from '../src/health.ts';

test.for<[step: 'acquire' | 'publish' | 'apply', error: object, reason: string]>([
  ['acquire', { code: '57P01' }, 'DATABASE'],
  ['apply', { code: '40P01' }, 'DEADLOCK'],
  ['acquire', { name: 'KafkaJSRequestTimeoutError' }, 'BROKER'],
  ['publish', { name: 'KafkaJSRequestTimeoutError' }, 'BROKER'],
])('an attempt at %s that failed with %j counts as %s', async ([step, error, reason]) => {
  const metrics = createMetrics({ codes: [], partitions: 1 });
  const log = createLogger({ service: 'health', level: 'silent' });
  const health = new Health({ stream: 'claims', metrics, log });
  health.observer.failed?.(
    { topic: 'claims', partition: 0 },
    { step, disposition: 'transient', error: Object.assign(new Error('away'), error) },
  );
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('settlement_retries_total{') && !line.endsWith(' 0'));
  expect(lines).toEqual([expect.stringMatching(new RegExp(`reason="${reason}".* 1$`))]);
});

test('a worker that has not read its input for 30 s is not alive, and one that never has is not either', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const metrics = createMetrics({ codes: [], partitions: 1 });
  const health = new Health({ stream: 'claims', metrics, log: createLogger({ service: 'health', level: 'silent' }) });
  expect(health.pollProblem()).toBe('the input has not been read yet');
  health.polled();
  vi.advanceTimersByTime(30_000);
  expect(health.pollProblem()).toBeNull();
  vi.advanceTimersByTime(1);
  expect(health.pollProblem()).toBe('the input was last read 30 s ago');
});

const SHARD = { topic: 'gongji.claims.v1', partition: 0 };
const seriesOf = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(`${name}{`));

test('what alerts take the increase of is told from the start, so that the first of its kind is one', async () => {
  const metrics = createMetrics({ codes: OUTCOME_CODES, partitions: 1 });
  new Health({ stream: 'members', metrics, log: createLogger({ service: 'health', level: 'silent' }) });
  const text = await metrics.text();
  const dead = seriesOf(text, 'settlement_dead_letters_total');
  for (const code of ['EVENT_CONFLICT', 'CLAIM_DUPLICATE_CONFLICT', 'DAILY_LIMIT_MISSING'])
    expect(dead).toContain(`settlement_dead_letters_total{topic="members",code="${code}"} 0`);
  expect(dead.filter((line) => line.includes('OTHER'))).toEqual([]);
  expect(seriesOf(text, 'settlement_quarantine_ended_total')).toEqual([
    'settlement_quarantine_ended_total{topic="members",result="FAILED"} 0',
  ]);
});

test('what waits for a shard is told from when it is taken, and by nobody who does not have it any more', async () => {
  const metrics = createMetrics({ codes: [], partitions: 1 });
  const health = new Health({ stream: 'claims', metrics, log: createLogger({ service: 'health', level: 'silent' }) });
  const lag = async () => seriesOf(await metrics.text(), 'settlement_input_lag_messages');
  health.observer.phase?.(SHARD, 'acquiring');
  expect(await lag()).toEqual([]);
  health.observer.phase?.(SHARD, 'ready', { epoch: 1n, lag: 20_000 });
  expect(await lag()).toEqual(['settlement_input_lag_messages{topic="claims",partition="0"} 20000']);
  health.observer.applied?.(SHARD, { records: 500, rows: 500, ms: 1, lag: 19_500 });
  expect(await lag()).toEqual(['settlement_input_lag_messages{topic="claims",partition="0"} 19500']);
  health.observer.phase?.(SHARD, 'closed');
  expect(await lag()).toEqual([]);
});

test('how long a record without a timestamp took is not known, and not measured', async () => {
  const metrics = createMetrics({ codes: [], partitions: 1 });
  const health = new Health({ stream: 'claims', metrics, log: createLogger({ service: 'health', level: 'silent' }) });
  health.observer.phase?.(SHARD, 'ready', { epoch: 1n, lag: 0 });
  health.observer.committed?.(SHARD, { rows: 2, depth: 0, timestampsMs: [-1, Date.now()] });
  const count = seriesOf(await metrics.text(), 'settlement_end_to_end_seconds_count');
  expect(count).toEqual([expect.stringMatching(/topic="claims".* 1$/)]);
});
