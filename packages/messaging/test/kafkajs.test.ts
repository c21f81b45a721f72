import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { classifyKafkaError, partitionForKey } from '../src/index.ts';
import { kafkajs } from '../src/kafkajs/client.ts';
import { PublishUnknown, protocolErrorOf } from '../src/kafkajs/errors.ts';
import { filterAbortedMessages, refusingNewerBrokers } from '../src/kafkajs/patches.ts';
import { murmur2 } from '../src/partition.ts';

const require = createRequire(import.meta.url);

describe('partitionForKey', () => {
  // From the Java client's own test of its hash.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
    expect(partitionForKey(key, 6)).toBe((hash & 0x7fffffff) % 6);
  });

  it('agrees with kafkajs for keys of every length, also beyond ASCII', () => {
    const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
      partitionId,
      leader: 0,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    }));
    const choose = kafkajs.Partitioners.DefaultPartitioner();
    for (let length = 0; length < 40; length++) {
      const key = '人é1'.repeat(length).slice(0, length);
      const expected = choose({ topic: 't', partitionMetadata, message: { key, value: null } });
      expect(partitionForKey(key, 7)).toBe(expected);
    }
  });
});

describe('filterAbortedMessages', () => {
  const message = (offset: number, producerId: string, kind: 'data' | 'control' = 'data') => ({
    offset: String(offset),
    isControlRecord: kind === 'control',
    batchContext: { producerId, inTransaction: true },
  });
  const offsets = (messages: ReadonlyArray<{ offset: string }>): number[] =>
    messages.map(({ offset }) => Number(offset));

  it('drops interleaved aborted transactions whatever the order of the list', () => {
    const messages = [
      message(0, 'a'),
      message(1, 'b'),
      message(2, 'c'),
      message(3, 'b', 'control'),
      message(4, 'a', 'control'),
      message(5, 'a'),
      message(6, 'c', 'control'),
    ];
    const abortedTransactions = [
      { producerId: 'b', firstOffset: '1' },
      { producerId: 'a', firstOffset: '0' },
    ];
    expect(offsets(filterAbortedMessages({ messages, abortedTransactions }))).toEqual([2, 3, 4, 5, 6]);
  });

  it('enters several transactions at one message', () => {
    const messages = [
      message(5, 'a'),
      message(6, 'b'),
      message(7, 'a', 'control'),
      message(8, 'b', 'control'),
      message(9, 'b'),
    ];
    const abortedTransactions = [
      { producerId: 'a', firstOffset: '2' },
      { producerId: 'b', firstOffset: '3' },
    ];
    expect(offsets(filterAbortedMessages({ messages, abortedTransactions }))).toEqual([7, 8, 9]);
  });
});

it('leaves no timer on a connection that waits for nothing (K16)', () => {
  const RequestQueue = require('kafkajs/src/network/requestQueue') as new (
    options: object,
  ) => {
    checkPendingRequests(): void;
    maybeThrottle(ms: number): void;
    destroy(): void;
    pending: unknown[];
    throttleCheckTimeoutId: NodeJS.Timeout | null;
  };
  const queue = new RequestQueue({ logger: { debug() {} }, requestTimeout: 1, maxInFlightRequests: 0 });
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
  queue.maybeThrottle(50);
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  queue.destroy();
});

it('refuses a broker that has dropped what kafkajs sends', () => {
  const original = require('kafkajs/src/protocol/requests') as Parameters<typeof refusingNewerBrokers>[0];
  const { lookup } = refusingNewerBrokers({ ...original, lookup: () => 'looked up' });
  const versions = Object.fromEntries(Array.from({ length: 70 }, (_, api) => [api, { minVersion: 0, maxVersion: 20 }]));
  expect(lookup(versions)).toBe('looked up');
  expect(() => lookup({ ...versions, 0: { minVersion: 8, maxVersion: 20 } })).toThrow('Produce from version 8 on');
});

describe('classifyKafkaError', () => {
  const {
    KafkaJSProtocolError,
    KafkaJSNumberOfRetriesExceeded,
    KafkaJSConnectionError,
    KafkaJSSASLAuthenticationError,
  } = kafkajs as typeof kafkajs & {
    KafkaJSSASLAuthenticationError: new (message: string) => Error;
  };
  const protocol = (type: string): Error =>
    new KafkaJSProtocolError({ type, code: 1, message: type, name: type } as unknown as Error);

  it('tells what may pass from what will not, and knows nothing of other errors', () => {
    expect(classifyKafkaError(protocol('NOT_LEADER_FOR_PARTITION'))).toBe('transient');
    expect(classifyKafkaError(protocol('INVALID_PRODUCER_EPOCH'))).toBe('transient');
    expect(classifyKafkaError(protocol('MESSAGE_TOO_LARGE'))).toBe('defect');
    expect(classifyKafkaError(protocol('TOPIC_AUTHORIZATION_FAILED'))).toBe('defect');
    expect(classifyKafkaError(new KafkaJSConnectionError('gone'))).toBe('transient');
    expect(classifyKafkaError(new KafkaJSSASLAuthenticationError('cut, or refused'))).toBe('transient');
    expect(classifyKafkaError(new PublishUnknown('test'))).toBe('transient');
    expect(classifyKafkaError(new TypeError('ours'))).toBeUndefined();
  });

  it('looks through kafkajs’ wrappers', () => {
    const wrapped = new KafkaJSNumberOfRetriesExceeded(protocol('MESSAGE_TOO_LARGE'), { retryCount: 0, retryTime: 1 });
    expect(protocolErrorOf(wrapped)).toBe('MESSAGE_TOO_LARGE');
    expect(classifyKafkaError(wrapped)).toBe('defect');
  });
});
