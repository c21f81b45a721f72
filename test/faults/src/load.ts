import { setTimeout as delay } from 'node:timers/promises';
import { Sender } from '@repo/messaging';
import { fullName } from './evidence.ts';
import { followLog } from './reader.ts';
import type { Script, Sent } from './script.ts';

export interface LoadOptions {
  readonly kafka: string;
  readonly prefix: string;
  readonly partitions: number;
  readonly script: Script;
  readonly claimsPerSecond: number;
}

const TICK_MS = 100;
const BURST_CHUNK = 5_000;
const CLAIMS_PER_MEMBER_EVENT = 8;
/** A broker that takes nothing for this long is a failure of the campaign, not a fault of it. */
const SEND_WITHIN_MS = 240_000;

/**
 * A steady load that does not care what happens to the system: each claim has a moment at which it is due, and what a fault delays is
 * sent as soon as it can be. A reader on Kafka's own client notes when each claim's outcome can be seen.
 */
export class Load implements AsyncDisposable {
  /** Everything acknowledged, in the order of sending. */
  readonly sent: Sent[] = [];
  readonly #options: LoadOptions;
  readonly #connection: { readonly brokers: string[]; readonly clientId: string };
  readonly #dueAt = new Map<string, number>();
  /** Of refunds, which nobody waits for here. */
  readonly #refundsDueAt = new Map<string, number>();
  readonly #seenAt = new Map<string, number>();
  /** Per partition: the latest due moment of a claim whose outcome was seen. */
  readonly #flowedTo: number[];
  readonly #reader: AsyncDisposable;
  #sender: Sender | undefined;
  #hushes = 0;
  #repeats = 0;
  #burst = 0;
  #burstSent: (() => void) | undefined;
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#connection = { brokers: options.kafka.split(','), clientId: 'gongji-faults' };
    this.#flowedTo = Array.from({ length: options.partitions }, () => 0);
    const names = new Map([[fullName(options.prefix, 'settlements'), 'settlements' as const]]);
    this.#reader = followLog(options.kafka, names, ({ partition, headers }) =>
      this.#see(partition, headers.ce_id ?? ''),
    );
  }

  /** Opens the families. Resolves when all is acknowledged. */
  async open(): Promise<void> {
    await this.#send('members', this.#options.script.opening());
  }

  start(): void {
    this.#running = this.#run();
    // Told by `stop`; until then it must not end the process.
    this.#running.catch(() => {});
  }

  /** Keys of those whose claims it sends. */
  get patients(): readonly string[] {
    return this.#options.script.patients;
  }

  /** No message until the answer is called: some things happen only in a shard that rests. */
  hush(): () => void {
    this.#hushes += 1;
    return () => {
      this.#hushes -= 1;
    };
  }

  /** Sends the last so many messages again. */
  repeat(count: number): void {
    this.#repeats += count;
  }

  /** So many claims more, as fast as the broker takes them. Resolves when they are acknowledged. */
  burst(count: number): Promise<void> {
    this.#burst += count;
    return new Promise((resolve) => {
      this.#burstSent = resolve;
    });
  }

  /** Whether every partition has answered a claim that was due after a moment (ms of `performance.now()`). */
  hasFlowedSince(moment: number): boolean {
    return this.#flowedTo.every((due) => due > moment);
  }

  /** The longest any claim that was due between two moments waited for its outcome; ms. */
  longestWait(from: number, to: number): number {
    let longest = 0;
    for (const [id, due] of this.#dueAt) {
      if (due >= from && due <= to) longest = Math.max(longest, (this.#seenAt.get(id) ?? performance.now()) - due);
    }
    return longest;
  }

  /** When a claim or refund was due. */
  dueAt(id: string): number | undefined {
    return this.#dueAt.get(id) ?? this.#refundsDueAt.get(id);
  }

  /** Ends the load; resolves when all that was due is acknowledged. Rejects with what ended it early. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#running?.catch(() => {});
    await this.#closeSender();
    await this.#reader[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const { script, claimsPerSecond } = this.#options;
    let owed = 0;
    let membersOwed = 0;
    let last = performance.now();
    while (!this.#isStopped) {
      await delay(TICK_MS);
      const now = performance.now();
      if (this.#hushes === 0) owed += ((now - last) * claimsPerSecond) / 1_000;
      last = now;
      const claims = this.#repeats > 0 ? script.repeats(this.#repeats) : [];
      this.#repeats = 0;
      for (; owed >= 1; owed -= 1) {
        claims.push(this.#nextClaim(now - (owed * 1_000) / claimsPerSecond));
        membersOwed += 1;
      }
      const extra = Math.min(this.#burst, BURST_CHUNK);
      for (let index = 0; index < extra; index++) claims.push(this.#nextClaim(now));
      const members: Sent[] = [];
      for (; membersOwed >= CLAIMS_PER_MEMBER_EVENT; membersOwed -= CLAIMS_PER_MEMBER_EVENT)
        members.push(script.nextMember());
      await this.#send('claims', claims);
      await this.#send('members', members);
      this.#burst -= extra;
      if (extra > 0 && this.#burst === 0) this.#burstSent?.();
    }
  }

  #nextClaim(due: number): Sent {
    const claim = this.#options.script.nextClaim();
    const { meaning } = claim;
    if (meaning.kind === 'claim' && !this.#dueAt.has(meaning.id)) this.#dueAt.set(meaning.id, due);
    if (meaning.kind === 'refund' && !this.#refundsDueAt.has(meaning.id)) this.#refundsDueAt.set(meaning.id, due);
    return claim;
  }

  #see(partition: number, id: string): void {
    const claimId = id.replace(/^claim:/, '');
    const due = this.#dueAt.get(claimId);
    if (due === undefined || this.#seenAt.has(claimId)) return;
    this.#seenAt.set(claimId, performance.now());
    this.#flowedTo[partition] = Math.max(this.#flowedTo[partition] ?? 0, due);
  }

  /** Until it is acknowledged. What a lost answer leaves twice in the log is one more repeat. */
  async #send(topic: Sent['topic'], list: readonly Sent[]): Promise<void> {
    if (list.length === 0) return;
    const deadline = performance.now() + SEND_WITHIN_MS;
    const records = list.map(({ key, value, type, clockOffMs = 0 }) => ({
      key,
      value,
      timestampMs: Date.now() + clockOffMs,
      headers: [['ce_type', Buffer.from(type)]] as const,
    }));
    for (;;) {
      try {
        this.#sender ??= await Sender.open(this.#connection);
        await this.#sender.sendAll(fullName(this.#options.prefix, topic), records);
        break;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await this.#closeSender();
        await delay(TICK_MS);
      }
    }
    for (const each of list) this.sent.push(each);
  }

  async #closeSender(): Promise<void> {
    const sender = this.#sender;
    this.#sender = undefined;
    await sender?.[Symbol.asyncDispose]().catch(() => {});
  }
}
