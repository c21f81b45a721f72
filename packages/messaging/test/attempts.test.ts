import { expect, it } from 'vitest';
import { type Attempts, whilePassing } from '../src/kafkajs/attempts.ts';
import { kafkajs } from '../src/kafkajs/client.ts';
import { OFFSET_ATTEMPTS } from '../src/kafkajs/offsets.ts';
import { PROBES } from '../src/kafkajs/publisher.ts';
import { SEND_ATTEMPTS } from '../src/kafkajs/tools.ts';

/** What the broker answers, as kafkajs tells it. */
const refused = (type: string) => new kafkajs.KafkaJSProtocolError({ name: '', message: type, type, code: 1 } as never);

it.each<[string, Attempts, string, Attempts]>([
  ['sending', SEND_ATTEMPTS, 'NOT_LEADER_FOR_PARTITION', { max: 20, pauseMs: 250 }],
  ["a topic's offsets", OFFSET_ATTEMPTS, 'LEADER_NOT_AVAILABLE', { max: 40, pauseMs: 50 }],
  ['a transaction that follows another', PROBES, 'CONCURRENT_TRANSACTIONS', { max: 2_000, pauseMs: 1 }],
])(
  '%s is tried so often while the refusal passes, and once where it is lasting',
  async (_case, attempts, type, { max, pauseMs }) => {
    expect(attempts).toMatchObject({ max, pauseMs });
    let made = 0;
    let waited = 0;
    const ask = (error: Error) => async () => {
      made += 1;
      throw error;
    };
    const onWait = (): void => {
      waited += 1;
    };
    const shorter = { ...attempts, max: Math.min(max, 40), pauseMs: 1, onWait };
    const begun = performance.now();
    await expect(whilePassing(ask(refused(type)), shorter)).rejects.toThrow(type);
    expect([made, waited]).toEqual([shorter.max, shorter.max - 1]);
    expect(performance.now() - begun).toBeGreaterThan((shorter.max - 1) * 0.9);
    made = 0;
    await expect(whilePassing(ask(refused('TOPIC_AUTHORIZATION_FAILED')), attempts)).rejects.toThrow();
    expect(made).toBe(1);
  },
);
