import { HOMES } from './packs.ts';
import { Random } from './random.ts';

/** One record ready to be produced. `timestamp` is the record's own, in epoch milliseconds. */
export interface WireRecord {
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string;
  readonly timestamp: number;
  /** The key's own partition when absent. */
  readonly partition?: number;
}

export interface Member {
  readonly psn_no: string;
  readonly area: string;
  readonly insutype: '310' | '390';
}

export interface Link {
  readonly binding_id: string;
  readonly payer: string;
  readonly beneficiary: string;
}

export interface SentClaim {
  readonly claim_id: string;
  readonly psn_no: string;
  readonly kind: 'claim' | 'premium';
  readonly part: bigint;
  readonly record: WireRecord;
}

export const CLAIMS = 'gongji.claims.v1';
export const MEMBERS = 'gongji.members.v1';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;

/** Instants at which a date, a month, a year or a rule changes in Shanghai, and the millisecond before. */
const EDGES = [
  '2024-11-30T23:59:59.999+08:00',
  '2024-12-01T00:00:00+08:00',
  '2024-12-31T15:59:59.999Z',
  '2024-12-31T16:00:00Z',
  '2025-02-28T23:59:59+08:00',
  '2025-06-30T15:59:59Z',
  '2025-07-01T00:00:00+08:00',
  '2025-12-31T23:59:59.999+08:00',
  '2026-01-01T00:00:00+08:00',
].map((text) => Date.parse(text));

/** What the generator remembers of one family: who exists, what was sent, and the time it is there. It knows no rule. */
export class Family {
  readonly random: Random;
  readonly number: number;
  readonly members: Member[] = [];
  readonly links: Link[] = [];
  readonly claims: SentClaim[] = [];
  readonly sent: WireRecord[] = [];
  /** Bindings asked for, bindings and employers switched off, and months missed, to come back to later. */
  readonly requested: Link[] = [];
  readonly paused: Link[] = [];
  readonly employersOff: Member[] = [];
  /** A claim to be refunded next, because an account that may have paid it was just closed. */
  refundNext: SentClaim | undefined;
  readonly missed: { readonly psn_no: string; readonly period: string }[] = [];
  /** Who last paid what was unpaid: for some days they may still have to wait. */
  recovered: string | undefined;
  readonly home: readonly string[];
  now: number;
  #count = 0;

  constructor(seed: number, number: number) {
    this.random = new Random(seed * 7919 + number);
    this.number = number;
    this.home = HOMES[number % HOMES.length] ?? ['130100'];
    this.now = Date.parse('2024-11-25T01:00:00Z') + this.random.int(0, 200) * DAY_MS;
  }

  /** A fresh id; families never share one. */
  id(prefix: string): string {
    this.#count += 1;
    return `${prefix}${this.number}-${this.#count}`;
  }

  /** Time passes: mostly hours, sometimes weeks, now and then exactly to the next edge. */
  pass(): void {
    const { random } = this;
    const edge = EDGES.find((each) => each > this.now);
    if (edge !== undefined && edge - this.now < 45 * DAY_MS && random.chance(0.12)) this.now = edge;
    else if (random.chance(0.15)) this.now += random.int(5, 25) * DAY_MS;
    else this.now += random.int(1, 1800) * MINUTE_MS;
  }

  /** The family's time as written on the wire, in one offset or another, now and then backdated. */
  moment(backdate = 0.06): string {
    const { random } = this;
    const instant = random.chance(backdate) ? this.now - random.int(1, 90) * DAY_MS : this.now;
    if (random.chance(0.4)) return new Date(instant).toISOString();
    return new Date(instant + 8 * 60 * MINUTE_MS).toISOString().replace('Z', '+08:00');
  }

  /** A date some days away from the family's present in Shanghai. */
  date(days = 0): string {
    return new Date(this.now + 8 * 60 * MINUTE_MS + days * DAY_MS).toISOString().slice(0, 10);
  }

  record(topic: string, type: string, key: string | null, value: object, text = JSON.stringify(value)): WireRecord {
    const timestamp = this.now + this.random.int(0, 5 * MINUTE_MS);
    const ce_time = this.random.chance(0.3) ? { ce_time: new Date(this.now).toISOString() } : {};
    const headers = { ce_specversion: '1.0', ce_type: type, ce_source: 'families', ce_id: this.id('E'), ...ce_time };
    const record = { topic, key, headers, value: text, timestamp };
    this.sent.push(record);
    return record;
  }
}

/** Fen written as yuan with two decimals. */
export function yuan(fen: bigint): string {
  const digits = fen.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
