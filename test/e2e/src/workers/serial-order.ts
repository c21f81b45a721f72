import type { Auditor } from '../auditor/auditor.ts';
import type { ExpectedOutput } from '../auditor/types.ts';
import { compareOutcomes, type Difference, type PublishedRecord } from '../compare.ts';
import { toWireEvent } from '../system/story.ts';
import type { RawRecord } from '../system/topics.ts';
import type { ShardName } from './shard.ts';

/** One transaction that ran beside others. `began` and `ended` are counts of one clock that ticks at either. */
export interface Batch {
  readonly shard: ShardName;
  readonly records: readonly RawRecord[];
  readonly began: number;
  readonly ended: number;
  /** What its shard had published before it, and with it. */
  readonly publishedBefore: number;
  readonly publishedAfter: number;
  /** Entries it made, each as its account's version. */
  readonly entries: readonly { readonly psn_no: string; readonly version: number }[];
}

export interface History {
  readonly batches: readonly Batch[];
  readonly published: ReadonlyMap<ShardName, readonly PublishedRecord[]>;
  /** The members shard of a person. */
  readonly shardOf: (psn_no: string) => ShardName;
  /** An auditor who knows what was there before the first batch. */
  readonly auditor: () => Auditor;
}

const STEPS_MAX = 20_000;

/**
 * Looks for a serial order of batches that ran at the same time: one that keeps each shard's own order, the order of batches that did not
 * overlap and the order of each account's entries, and in which the auditor, taking one event after the other, expects exactly what
 * was published. Answers the auditor at the end of such an order; throws with the differences met furthest on the way where there is none.
 */
export function findSerialOrder(history: History): { readonly auditor: Auditor; readonly order: readonly Batch[] } {
  const queues = [...Map.groupBy(history.batches, ({ shard }) => shard).values()];
  const order: Batch[] = [];
  let replay = new Replay(history);
  let furthest: { depth: number; why: readonly Difference[] } = { depth: -1, why: [] };
  let steps = 0;

  const explore = (): boolean => {
    const heads = queues.flatMap((queue) => queue.find((batch) => !order.includes(batch)) ?? []);
    if (heads.length === 0) {
      const why = replay.finish();
      if (why.length > 0) furthest = { depth: order.length, why };
      return why.length === 0;
    }
    const possible = heads.filter((batch) => heads.every((other) => other.ended > batch.began));
    for (const batch of possible.toSorted((one, other) => one.ended - other.ended)) {
      steps += 1;
      if (steps > STEPS_MAX) return false;
      if (!replay.isNext(batch)) continue;
      const why = replay.take(batch);
      order.push(batch);
      if (why.length === 0 && explore()) return true;
      order.pop();
      if (why.length > 0 && order.length > furthest.depth) furthest = { depth: order.length, why };
      // The auditor cannot forget: another one is told the way so far.
      replay = new Replay(history);
      for (const taken of order) replay.take(taken);
    }
    return false;
  };

  if (explore()) return { auditor: replay.auditor, order };
  const { depth, why } = furthest;
  throw new Error(
    `no serial order explains what was published (${steps} steps); after ${depth} of ${history.batches.length} batches: ${JSON.stringify(why.slice(0, 3))}`,
  );
}

/** The auditor on one way through the batches, compared with what was published as far as that must be known by then. */
class Replay {
  readonly auditor: Auditor;
  readonly #published: History['published'];
  readonly #versions = new Map<string, number>();
  /** What is expected of a payer's sharing and not yet compared, and where in the shard's outbox that begins. */
  readonly #sharing = new Map<string, { readonly expected: readonly ExpectedOutput[]; readonly from: number }>();
  readonly #shardOf: History['shardOf'];

  constructor({ auditor, published, shardOf, batches }: History) {
    this.auditor = auditor();
    this.#published = published;
    this.#shardOf = shardOf;
    for (const { psn_no, version } of batches.flatMap(({ entries }) => entries)) {
      this.#versions.set(psn_no, Math.min(version - 1, this.#versions.get(psn_no) ?? version));
    }
  }

  /** Whether its entries are the next ones of their accounts. */
  isNext({ entries }: Batch): boolean {
    return [...Map.groupBy(entries, ({ psn_no }) => psn_no)].every(
      ([psn_no, own]) => Math.min(...own.map(({ version }) => version)) === (this.#versions.get(psn_no) ?? 0) + 1,
    );
  }

  /** Tells the auditor of a batch; answers where it expected something else. */
  take(batch: Batch): Difference[] {
    for (const { psn_no, version } of batch.entries) {
      this.#versions.set(psn_no, Math.max(version, this.#versions.get(psn_no) ?? 0));
    }
    const expected = batch.records.flatMap((record) => this.auditor.apply(toWireEvent(record)));
    for (const output of expected) if (output.topic === 'sharing') this.#expect(output.key, output);
    const published = this.#published.get(batch.shard) ?? [];
    const slice = published.slice(batch.publishedBefore, batch.publishedAfter);
    const isSharing = ({ topic }: { topic: string }) => topic === 'sharing';
    const differences = compareOutcomes(
      expected.filter((each) => !isSharing(each)),
      slice.filter((each) => !isSharing(each)),
    );
    if (!batch.shard.startsWith('members')) return differences;
    // What postings left for a payer is told before any other change of theirs.
    const payers = new Set(batch.records.flatMap(({ key }) => key ?? []));
    return [...differences, ...[...payers].flatMap((payer) => this.#compare(payer, batch.publishedAfter))];
  }

  /** What is left to compare when all is told. */
  finish(): Difference[] {
    const told = [...this.#published.values()]
      .flat()
      .flatMap(({ topic, key }) => (topic === 'sharing' ? (key ?? []) : []));
    return [...new Set([...told, ...this.#sharing.keys()])].flatMap((payer) => this.#compare(payer, Infinity));
  }

  #expect(payer: string, output: ExpectedOutput): void {
    const { expected, from } = this.#sharing.get(payer) ?? { expected: [], from: 0 };
    this.#sharing.set(payer, { expected: [...expected, output], from });
  }

  /** Compares what is told of a payer's sharing up to a place in the outbox, from where the last comparison ended. */
  #compare(payer: string, end: number): Difference[] {
    const { expected, from } = this.#sharing.get(payer) ?? { expected: [], from: 0 };
    const told = (this.#published.get(this.#shardOf(payer)) ?? [])
      .slice(from, end)
      .filter(({ topic, key }) => topic === 'sharing' && key === payer);
    this.#sharing.set(payer, { expected: [], from: end });
    return compareOutcomes(expected, told);
  }
}
