import { add, dateOf, formatMoney, type Money, money, startOf, ZERO } from '@repo/domain';
import { parseInstant } from './fields.ts';
import { kindOf } from './summaries-out.ts';

const AMOUNTS = [
  'medfee_sumamt',
  'fund_pay_sumamt',
  'psn_part_amt',
  'acct_pay',
  'acct_mulaid_pay',
  'psn_cash_pay',
] as const;
type Amounts = Record<(typeof AMOUNTS)[number], Money>;

const HOUR_AMOUNTS = ['acct_pay', 'acct_mulaid_pay', 'psn_cash_pay'] as const;
type HourAmounts = Record<(typeof HOUR_AMOUNTS)[number], Money> & { claims: number };

interface Wire extends Partial<Record<(typeof AMOUNTS)[number], string>> {
  readonly refund_id?: string;
  readonly premium_id?: string;
  readonly amount?: string | null;
  readonly status: string;
  readonly code: string | null;
  readonly setl_time?: string;
  readonly at?: string;
  readonly skipped?: readonly { readonly code: string }[];
}

const HOUR_MS = 3_600_000;

/** The sums of one day of settlement (date in Shanghai), added up outcome by outcome. */
export class DayTotals {
  readonly #statuses = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #hours = new Map<number, HourAmounts>();
  readonly #amounts: Amounts = Object.fromEntries(AMOUNTS.map((name) => [name, ZERO])) as Amounts;
  #refunded: Money = ZERO;
  #premiums: Money = ZERO;

  /** Adds a published outcome to the totals of its day, creating them where needed. A rejected message has no day and is left out. */
  static take(days: Map<string, DayTotals>, payload: string): void {
    const wire = JSON.parse(payload) as Wire;
    const moment = parseInstant(wire.setl_time ?? wire.at ?? '');
    if (moment === null) return;
    const day = dateOf(moment);
    const totals = days.get(day) ?? new DayTotals();
    days.set(day, totals);
    totals.#take(wire, Math.floor((moment - startOf(day)) / HOUR_MS));
  }

  #take(wire: Wire, hour: number): void {
    const kind = kindOf(wire);
    increase(this.#statuses, kind === 'PREMIUM' ? `PREMIUM_${wire.status}` : wire.status);
    if (kind === 'REFUND') {
      if (wire.status === 'REFUNDED') this.#refunded = add(this.#refunded, money(wire.amount ?? '0'));
      return;
    }
    if (wire.code !== null) increase(this.#refused, wire.code);
    if (kind === 'PREMIUM') {
      if (wire.status === 'SETTLED') this.#premiums = add(this.#premiums, money(wire.amount ?? '0'));
      return;
    }
    for (const { code } of wire.skipped ?? []) increase(this.#skipped, code);
    for (const name of AMOUNTS) this.#amounts[name] = add(this.#amounts[name], money(wire[name] ?? '0'));
    const at = this.#hours.get(hour) ?? { claims: 0, acct_pay: ZERO, acct_mulaid_pay: ZERO, psn_cash_pay: ZERO };
    at.claims += 1;
    for (const name of HOUR_AMOUNTS) at[name] = add(at[name], money(wire[name] ?? '0'));
    this.#hours.set(hour, at);
  }

  /** The totals as HTTP shows them. Amounts in yuan. */
  encode() {
    const amounts = Object.fromEntries(AMOUNTS.map((name) => [name, formatMoney(this.#amounts[name])]));
    const hours = [...this.#hours].sort(([one], [other]) => one - other);
    return {
      statuses: [...this.#statuses].map(([status, count]) => ({ status, count })),
      ...(amounts as Record<(typeof AMOUNTS)[number], string>),
      refunded: formatMoney(this.#refunded),
      premiums: formatMoney(this.#premiums),
      refused: listed(this.#refused),
      skipped: listed(this.#skipped),
      hours: hours.map(([hour, { claims, ...parts }]) => ({
        hour,
        claims,
        acct_pay: formatMoney(parts.acct_pay),
        acct_mulaid_pay: formatMoney(parts.acct_mulaid_pay),
        psn_cash_pay: formatMoney(parts.psn_cash_pay),
      })),
    };
  }
}

const increase = (counts: Map<string, number>, name: string): void =>
  void counts.set(name, (counts.get(name) ?? 0) + 1);

/** The most frequent first. */
const listed = (counts: ReadonlyMap<string, number>) =>
  [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)).map(([code, count]) => ({ code, count }));
