import { setTimeout as delay } from 'node:timers/promises';
import type { Kafka, Producer } from 'kafkajs';
import { type Claim, type Family, makeClaims } from './workload.ts';

/** One outcome as its reader saw it. */
export interface Outcome {
  readonly claimId: string;
  readonly partition: number;
  /** The broker's time of appending it, ms. */
  readonly appendedAt: number;
  /** When the reader had it in hand, ms of `performance.now()`. */
  readonly readAt: number;
  /** The amounts as published: own account, relatives, cash. Absent in an echo, which publishes the claim. */
  readonly amounts: readonly [own: string, relatives: string, cash: string] | undefined;
}

const FILL_CHUNK = 2_000;

const messageOf = ({ claimId, patient, event }: Claim) => ({
  key: patient,
  value: JSON.stringify(event),
  headers: {
    ce_specversion: '1.0',
    ce_type: 'claim.submitted',
    ce_id: claimId,
    ce_source: 'bench',
    'content-type': 'application/json',
  },
});

async function withProducer<T>(kafka: Kafka, work: (producer: Producer) => Promise<T>): Promise<T> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}

/** Makes the input and output topics that the bare pipeline and the echo need. */
export async function createPlainTopics(
  kafka: Kafka,
  { prefix, partitions }: { prefix: string; partitions: number },
): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = [`${prefix}.claims.v1`, `${prefix}.settlements.v1`];
    const configEntries = [{ name: 'max.message.bytes', value: String(8 * 1_048_576) }]; // as the product's topics
    await admin.createTopics({
      topics: topics.map((topic) => ({ topic, numPartitions: partitions, configEntries })),
      waitForLeaders: true,
    });
  } finally {
    await admin.disconnect();
  }
}

/** Lets the broker stamp each outcome when it appends it, so that a run can be timed without a reader taking part. */
export async function stampOutcomes(kafka: Kafka, prefix: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const resource = { type: 2, name: `${prefix}.settlements.v1` };
    const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
    const set = resources[0]?.configEntries.filter((entry) => entry.configSource === 1) ?? [];
    const kept = set.map(({ configName, configValue }) => ({ name: configName, value: configValue }));
    // The request replaces what is set on the topic, so that is sent along.
    const configEntries = [...kept, { name: 'message.timestamp.type', value: 'LogAppendTime' }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
  } finally {
    await admin.disconnect();
  }
}

/** Writes all claims to the input topic, before anything reads it. */
export async function fillTopic(
  kafka: Kafka,
  { prefix, claims }: { prefix: string; claims: readonly Claim[] },
): Promise<void> {
  await withProducer(kafka, async (producer) => {
    for (let start = 0; start < claims.length; start += FILL_CHUNK) {
      const messages = claims.slice(start, start + FILL_CHUNK).map(messageOf);
      await producer.send({ topic: `${prefix}.claims.v1`, acks: -1, messages });
    }
  });
}

/** Claims without end, of patients drawn evenly. */
export function* claimsFor(families: readonly Family[], seed: number, idPrefix: string): Generator<Claim, void> {
  for (let n = 0; ; n += 1)
    yield* makeClaims({ seed: seed + n, count: FILL_CHUNK, families, idPrefix: `${idPrefix}${n}-` });
}

/** Its items, as long as they are wanted; `taken` is told of each. */
export function* takeWhile<T>(
  source: Iterable<T>,
  wanted: () => boolean,
  taken: (item: T) => void,
): Generator<T, void> {
  for (const item of source) {
    if (!wanted()) return;
    taken(item);
    yield item;
  }
}

/** Keeps at least `waiting` claims more in the input topic than `settled` tells, while `running`. */
export async function keepFull(
  kafka: Kafka,
  stream: {
    prefix: string;
    claims: Iterator<Claim, void>;
    waiting: number;
    settled: () => number;
    running: () => boolean;
  },
): Promise<void> {
  const { prefix, claims, waiting, settled, running } = stream;
  await withProducer(kafka, async (producer) => {
    for (let sent = 0; running(); ) {
      if (sent - settled() >= waiting) {
        await delay(20);
        continue;
      }
      const messages = Array.from({ length: FILL_CHUNK }, () => claims.next().value)
        .filter((claim) => claim !== undefined)
        .map(messageOf);
      await producer.send({ topic: `${prefix}.claims.v1`, acks: -1, messages });
      sent += messages.length;
    }
  });
}

/** Up to this rate every claim is a request of its own. */
const ALONE_PER_SECOND_MAX = 500;
/** Beyond it a claim waits so long at most for others to go with it, as with a client that lingers; the wait counts as latency. */
const LINGER_MS = 5;

/** What is sent at once when claims fall due evenly at this rate: when each was due and, the last of them, when to send; ms after the start. */
export function* requestsOf<T>(
  claims: Iterable<T>,
  perSecond: number,
): Generator<{ readonly claims: readonly T[]; readonly due: readonly number[]; readonly sendAt: number }> {
  const atOnce = perSecond <= ALONE_PER_SECOND_MAX ? 1 : Math.floor((perSecond * LINGER_MS) / 1_000) + 1;
  const request = (claims: readonly T[], first: number) => {
    const due = claims.map((_, index) => ((first + index) * 1_000) / perSecond);
    return { claims, due, sendAt: due.at(-1) ?? 0 };
  };
  let sent = 0;
  let waiting: T[] = [];
  for (const claim of claims) {
    waiting.push(claim);
    if (waiting.length < atOnce) continue;
    yield request(waiting, sent);
    sent += waiting.length;
    waiting = [];
  }
  if (waiting.length > 0) yield request(waiting, sent);
}

/**
 * Sends claims at a steady rate, evenly spaced, whatever the broker does: each has its time, and a late send is not an excuse, because
 * what is returned is the time at which the claim was due (ms of `performance.now()`).
 */
export async function produceSteadily(
  kafka: Kafka,
  { prefix, claims, perSecond }: { prefix: string; claims: Iterable<Claim>; perSecond: number },
): Promise<{ dueAt: ReadonlyMap<string, number>; latestMs: number }> {
  return withProducer(kafka, async (producer) => {
    const topic = `${prefix}.claims.v1`;
    const dueAt = new Map<string, number>();
    const sends: Promise<unknown>[] = [];
    let latestMs = 0;
    const start = performance.now() + 20;
    for (const request of requestsOf(claims, perSecond)) {
      const early = start + request.sendAt - performance.now();
      if (early > 0) await delay(early);
      latestMs = Math.max(latestMs, performance.now() - start - request.sendAt);
      request.claims.forEach(({ claimId }, index) => {
        dueAt.set(claimId, start + (request.due[index] ?? 0));
      });
      sends.push(producer.send({ topic, acks: -1, messages: request.claims.map(messageOf) }));
    }
    await Promise.all(sends);
    return { dueAt, latestMs };
  });
}

/** Reads the outcomes topic with isolation `read_committed` as they come. */
export interface OutcomeReader extends AsyncDisposable {
  readonly outcomes: readonly Outcome[];
  /** Resolves when `count` outcomes were read; rejects at the deadline. */
  waitFor(count: number, deadlineMs: number): Promise<void>;
}

/** Starts a reader; resolves when it has its partitions and waits for the next outcome. Each partition has one writer, so kafkajs shows committed records only. */
export async function readOutcomes(kafka: Kafka, prefix: string): Promise<OutcomeReader> {
  const consumer = kafka.consumer({
    groupId: `${prefix}-reader`,
    maxWaitTimeInMs: 500,
    minBytes: 1,
    readUncommitted: false,
  });
  const outcomes: Outcome[] = [];
  let failure: Error | undefined;
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    failure = payload.error;
  });
  const joined = new Promise<void>((resolve) => void consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
  await consumer.connect();
  await consumer.subscribe({ topic: `${prefix}.settlements.v1`, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const readAt = performance.now();
      for (const { value, timestamp } of batch.messages) {
        const { claim_id, acct_pay, acct_mulaid_pay, psn_cash_pay } = JSON.parse(String(value));
        const amounts = acct_pay === undefined ? undefined : ([acct_pay, acct_mulaid_pay, psn_cash_pay] as const);
        outcomes.push({
          claimId: claim_id,
          partition: batch.partition,
          appendedAt: Number(timestamp),
          readAt,
          amounts,
        });
      }
    },
  });
  await joined;
  return {
    outcomes,
    waitFor: async (count, deadlineMs) => {
      const deadline = performance.now() + deadlineMs;
      while (outcomes.length < count) {
        if (failure !== undefined) throw failure;
        if (performance.now() > deadline)
          throw new Error(`only ${outcomes.length} of ${count} outcomes after ${deadlineMs} ms`);
        await delay(20);
      }
    },
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

/** Longer than a worker needs to find out that another was killed, and to take over. */
const STALLED_MS = 120_000;

/** Waits until the outcomes topic has grown to `count` records, asking the broker for nothing but its end offsets. Throws where it stops growing. */
export async function waitForOutcomes(
  kafka: Kafka,
  {
    prefix,
    count,
    everyMs = 250,
    progress,
    alive,
  }: {
    prefix: string;
    count: number;
    everyMs?: number;
    progress: (records: number) => void;
    alive: () => void;
  },
): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    let [most, grownAt] = [0, performance.now()];
    for (;;) {
      const ends = await admin.fetchTopicOffsets(`${prefix}.settlements.v1`);
      const records = ends.reduce((sum, { high }) => sum + Number(high), 0);
      progress(Math.min(records, count));
      if (records >= count) return;
      alive();
      if (records > most) [most, grownAt] = [records, performance.now()];
      if (performance.now() - grownAt > STALLED_MS)
        throw new Error(`only ${records} of ${count} outcomes, and no more for ${STALLED_MS / 1_000} s`);
      await delay(everyMs);
    }
  } finally {
    await admin.disconnect();
  }
}
