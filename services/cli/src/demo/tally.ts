import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { add, type Money, money, ZERO } from '@repo/domain';
import type { City } from './city.ts';
import type { DayMessage } from './day.ts';
import { type Explained, explain } from './explain.ts';
import type { Outcome } from './outcome.ts';

/** How long one example stays before a newer claim may take its place, so that it can be read. */
const EXAMPLE_STAYS_MS = 9_000;

/** Everything the live view shows, as of one moment. Amounts are yuan. */
export interface DemoState {
  readonly phase: Phase;
  readonly people: number;
  readonly claims: number;
  /** People bulk-loaded so far. */
  readonly loaded: number;
  /** Well-formed claims, repeats and wrong messages sent so far. */
  readonly sent: number;
  readonly answered: number;
  readonly waiting: number;
  readonly refused: number;
  readonly rejected: number;
  readonly repeats: number;
  readonly deadLetters: number;
  /** Outcomes beyond the one that each message is due. Must stay 0. */
  readonly unexpected: number;
  readonly own: Money;
  readonly relatives: Money;
  readonly cash: Money;
  /** The wall clock of the made-up day, `10:42`. */
  readonly clock: string;
  /** Outcomes in each second since the first claim was sent; the last may be unfinished. */
  readonly perSecond: readonly number[];
  /** Outcomes per second over the last three full seconds. */
  readonly throughput: number;
  /** Claims answered by hour of the made-up day, 24 numbers. */
  readonly byHour: readonly number[];
  /** Milliseconds from sending a claim to reading its outcome; null before the first. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
  /** By code, the most frequent first. */
  readonly skips: readonly (readonly [code: string, count: number])[];
  readonly examples: readonly Explained[];
}

export type Phase = 'STARTING' | 'LOADING' | 'SETTLING' | 'AUDITING' | 'DONE';

interface Waiting {
  readonly sentMs: number;
  left: number;
}

interface Slot {
  readonly explained: Explained;
  readonly sinceMs: number;
}

/** Counts the day as it settles: told of every message sent and every outcome read, it makes the state the view draws. */
export class Tally {
  phase: Phase = 'STARTING';
  loaded = 0;
  readonly #city: City;
  readonly #claims: number;
  readonly #waiting = new Map<string, Waiting>();
  readonly #latency: RecordableHistogram = createHistogram();
  readonly #perSecond: number[] = [];
  readonly #byHour: number[] = Array.from({ length: 24 }, () => 0);
  readonly #skips = new Map<string, number>();
  readonly #slots: (Slot | undefined)[] = [undefined, undefined, undefined];
  readonly #paid = { own: ZERO, relatives: ZERO, cash: ZERO };
  readonly #counts = { sent: 0, answered: 0, refused: 0, rejected: 0, repeats: 0, deadLetters: 0, unexpected: 0 };
  #deadLettersDue = 0;
  #firstMs: number | null = null;
  #dayMs: number | null = null;

  constructor(options: { readonly city: City; readonly claims: number }) {
    this.#city = options.city;
    this.#claims = options.claims;
  }

  /** Messages sent whose outcomes or dead letters have not been read yet. */
  get waiting(): number {
    return this.#waiting.size + Math.max(0, this.#deadLettersDue - this.#counts.deadLetters);
  }

  /** Call before the message is sent, so that its outcome cannot arrive first. */
  sending(message: DayMessage, nowMs: number): void {
    this.#firstMs ??= nowMs;
    this.#dayMs = message.at;
    this.#counts.sent += 1;
    this.#deadLettersDue += message.deadLetters;
    if (message.outcomes === 0) {
      if (message.deadLetters === 0) this.#counts.repeats += 1;
      return;
    }
    const known = this.#waiting.get(message.claimId);
    if (known) known.left += 1;
    else this.#waiting.set(message.claimId, { sentMs: nowMs, left: 1 });
  }

  deadLetter(): void {
    this.#counts.deadLetters += 1;
  }

  answer(outcome: Outcome, nowMs: number): void {
    const waiting = this.#waiting.get(outcome.claim_id);
    if (!waiting) {
      this.#counts.unexpected += 1;
      return;
    }
    waiting.left -= 1;
    if (waiting.left === 0) this.#waiting.delete(outcome.claim_id);
    this.#counts.answered += 1;
    this.#latency.record(Math.max(1, Math.round((nowMs - waiting.sentMs) * 1000)));
    const second = Math.floor((nowMs - (this.#firstMs ?? nowMs)) / 1000);
    while (this.#perSecond.length <= second) this.#perSecond.push(0);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
    this.#count(outcome, nowMs);
  }

  #count(outcome: Outcome, nowMs: number): void {
    if (outcome.status === 'REJECTED') {
      this.#counts.rejected += 1;
      return;
    }
    if (outcome.status === 'REFUSED') this.#counts.refused += 1;
    const hour = Number((outcome.setl_time ?? '').slice(11, 13));
    this.#byHour[hour] = (this.#byHour[hour] ?? 0) + 1;
    this.#paid.own = add(this.#paid.own, money(outcome.acct_pay ?? '0.00'));
    this.#paid.relatives = add(this.#paid.relatives, money(outcome.acct_mulaid_pay ?? '0.00'));
    this.#paid.cash = add(this.#paid.cash, money(outcome.psn_cash_pay ?? '0.00'));
    for (const { code } of outcome.skipped ?? []) this.#skips.set(code, (this.#skips.get(code) ?? 0) + 1);
    const slot = telling(outcome);
    const shown = slot === null ? undefined : this.#slots[slot];
    if (slot === null || (shown && nowMs - shown.sinceMs < EXAMPLE_STAYS_MS)) return;
    const explained = explain(outcome, this.#city);
    if (explained) this.#slots[slot] = { explained, sinceMs: nowMs };
  }

  state(nowMs: number): DemoState {
    const elapsed = this.#firstMs === null ? 0 : Math.floor((nowMs - this.#firstMs) / 1000);
    const recent = Array.from({ length: Math.min(3, elapsed) }, (_, back) => this.#perSecond[elapsed - 1 - back] ?? 0);
    return {
      ...this.#counts,
      ...this.#paid,
      phase: this.phase,
      loaded: this.loaded,
      people: this.#city.people,
      claims: this.#claims,
      waiting: this.waiting,
      clock: this.#dayMs === null ? '06:00' : new Date(this.#dayMs + 8 * 3_600_000).toISOString().slice(11, 16),
      perSecond: this.#perSecond,
      throughput:
        recent.length === 0 ? 0 : Math.round(recent.reduce((total, count) => total + count, 0) / recent.length),
      byHour: this.#byHour,
      latency: this.#counts.answered === 0 ? null : { p50: this.#quantile(50), p99: this.#quantile(99) },
      skips: [...this.#skips].sort((left, right) => right[1] - left[1]),
      examples: this.#slots.flatMap((slot) => (slot ? [slot.explained] : [])),
    };
  }

  #quantile(percent: number): number {
    return Math.round(this.#latency.percentile(percent) / 1000);
  }
}

/** Which kind of telling example a claim is: two relatives paid; one paid and one was passed over; own, relative and cash. */
function telling({ status, allocation = [], skipped = [], psn_cash_pay }: Outcome): 0 | 1 | 2 | null {
  const relatives = allocation.filter(({ source }) => source === 'RELATIVE').length;
  if (status !== 'SETTLED' || relatives === 0 || psn_cash_pay === '0.00') return null;
  if (skipped.some(({ source }) => source === 'RELATIVE')) return 1;
  if (relatives >= 2) return 0;
  return relatives < allocation.length ? 2 : null;
}
