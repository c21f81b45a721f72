import { expect } from 'vitest';
import { MemoryBroker } from '../src/memory/broker.ts';
import { MemoryPublisher } from '../src/memory/publisher.ts';
import { MemoryProcess, World } from '../src/memory/world.ts';
import type { Limits, ProcessorOptions } from '../src/options.ts';
import { type BatchProcessor, type InputRecord, type LogSession, waiting } from '../src/port.ts';
import { createProcessor } from '../src/processor.ts';
import { classify, OUTPUT, TOPIC } from './campaign.ts';
import { Echo, LocalStore } from './local-store.ts';

export const SHARD = { topic: TOPIC, partition: 0 };

export const record = (offset: number): InputRecord => ({
  offset: BigInt(offset),
  key: null,
  value: Buffer.from(`value ${offset}`),
  headers: [],
  timestampMs: 0,
});
export const records = (from: number, to: number): InputRecord[] =>
  Array.from({ length: to - from + 1 }, (_, index) => record(from + index));

/** One shard of one processor, driven by hand, on a simulated broker and a local store. */
export function makeBench(
  options: {
    processor?: (store: LocalStore, pause: () => Promise<void>) => BatchProcessor;
    limits?: Partial<Limits>;
    observer?: ProcessorOptions['observer'];
    partitions?: number;
  } = {},
) {
  const world = new World(1);
  const { partitions = 1 } = options;
  const broker = new MemoryBroker(partitions);
  for (let offset = 0; offset < 1_000; offset++)
    for (let partition = 0; partition < partitions; partition++)
      broker.append(partition, Buffer.from(`value ${offset}`));
  const process = new MemoryProcess('test', world);
  const store = new LocalStore();
  const halts: string[] = [];
  let reopened = 0;
  const handler = createProcessor({
    topic: TOPIC,
    owner: 'test',
    store,
    publisher: new MemoryPublisher(process, broker),
    processor: options.processor?.(store, () => process.call(() => {})) ?? new Echo(store, OUTPUT),
    classify,
    onHalt: (_, reason) => void halts.push(reason),
    clock: process.clock,
    random: world.random,
    limits: options.limits ?? {},
    ...(options.observer === undefined ? {} : { observer: options.observer }),
  });
  const session: LogSession = {
    bounds: async () => broker.bounds(0),
    reopen: () => {
      reopened += 1;
    },
    close() {},
    progress() {},
  };
  const until = async (condition: () => boolean): Promise<void> => {
    expect(await world.run(condition, world.now + 600_000)).toBe(true);
  };
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await until(() => isSettled);
    return promise;
  };
  const visible = (partition = 0): string[] => broker.committed(OUTPUT, partition).map(({ value }) => `${value}`);
  return {
    world,
    clock: process.clock,
    broker,
    store,
    halts,
    handler,
    until,
    settled,
    visible,
    reopened: () => reopened,
    acquire: (partition = 0) => settled(handler.acquire(partition, session)),
    apply: (batch: InputRecord[], partition = 0, next = (batch.at(-1)?.offset ?? 0n) + 1n) =>
      handler.apply(partition, batch.map(waiting), { end: 1_000n, next }),
  };
}

export const values = (from: number, to: number): string[] => records(from, to).map(({ value }) => `${value}`);

/** An echo whose transactions take a little while, as a database's do. */
export const slowEcho = (store: LocalStore, pause: () => Promise<void>): BatchProcessor => {
  const echo = new Echo(store, OUTPUT);
  return {
    apply: async (lease, batch) => {
      await pause();
      return echo.apply(lease, batch);
    },
  };
};
