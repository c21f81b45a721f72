import {
  add,
  type Books,
  type CalendarDate,
  type Claim,
  dateOf,
  formatMoney,
  isNegative,
  isZero,
  type Money,
  type Settlement,
  subtract,
  ZERO,
} from '@repo/domain';
import type { Range } from '../export/tables.ts';

/** Amounts in yuan; `change` is `would` − `was`. */
export interface Change {
  readonly was: string;
  readonly would: string;
  readonly change: string;
}

export interface Group {
  readonly group: string;
  readonly claims: number;
  readonly own: Change;
  readonly relatives: Change;
  readonly cash: Change;
}

export interface Report {
  readonly from: CalendarDate;
  readonly to: CalendarDate;
  readonly claims: number;
  /** How many of the `replayed` claims come out as in the ledger under the policies that were in force. */
  readonly reproduced: number;
  readonly replayed: number;
  /** Up to twenty claim ids that do not. */
  readonly differing: readonly string[];
  readonly all: Group;
  /** By the patient's insured area (two digits for a province, four for a city), insurance, and category (working, retired or by age). */
  readonly byRegion: readonly Group[];
  readonly byInsurance: readonly Group[];
  readonly byCategory: readonly Group[];
  /** Patients who would have paid less or more in cash, and payers whose accounts would have paid more or less; each with the total. */
  readonly patients: { readonly gain: Side; readonly lose: Side };
  readonly payers: { readonly payMore: Side; readonly payLess: Side };
}
interface Side {
  readonly people: number;
  readonly yuan: string;
}

type Pair = { was: Money; would: Money };
const pair = (): Pair => ({ was: ZERO, would: ZERO });
interface Sums {
  claims: number;
  readonly own: Pair;
  readonly relatives: Pair;
  readonly cash: Pair;
}
const sums = (): Sums => ({ claims: 0, own: pair(), relatives: pair(), cash: pair() });

const CATEGORIES: Readonly<Record<string, string>> = {
  11: '在职 in work',
  12: '退休 retired',
  13: '离休 veteran',
  14: '未成年 minors and students',
  15: '成年居民 adult residents',
  16: '老年居民 elderly residents',
};
const EXAMPLES = 20;

/** Adds up, claim by claim, what was and what would have been; of a person it keeps only sums. */
export class Comparison {
  readonly #range: Range;
  readonly #books: Books;
  readonly #all = sums();
  readonly #groups = {
    byRegion: new Map<string, Sums>(),
    byInsurance: new Map<string, Sums>(),
    byCategory: new Map<string, Sums>(),
  };
  readonly #patients = new Map<string, Money>();
  readonly #payers = new Map<string, Money>();
  readonly #differing: string[] = [];
  #replayed = 0;
  #reproduced = 0;

  constructor(range: Range, books: Books) {
    this.#range = range;
    this.#books = books;
  }

  add(claim: Claim, was: Settlement, would: Settlement, isReproduced: boolean): void {
    this.#replayed += 1;
    if (isReproduced) this.#reproduced += 1;
    else if (this.#differing.length < EXAMPLES) this.#differing.push(claim.claimId);
    const on = dateOf(claim.settledAt);
    if (on < this.#range.from || on > this.#range.to) return;
    const patient = this.#books.person(claim.personNo);
    const category = patient?.personCategory.slice(0, 2) ?? '';
    const named = [
      [this.#groups.byRegion, patient?.insuredArea.slice(0, 4) ?? '不明 unknown'],
      [this.#groups.byInsurance, patient?.insuranceKind ?? '不明 unknown'],
      [this.#groups.byCategory, CATEGORIES[category] ?? '不明 unknown'],
    ] as const;
    for (const each of [this.#all, ...named.map(([groups, name]) => of(groups, name, sums))]) {
      each.claims += 1;
      grow(each.own, was.accountPaid, would.accountPaid);
      grow(each.relatives, was.mutualAidPaid, would.mutualAidPaid);
      grow(each.cash, was.cashPaid, would.cashPaid);
    }
    move(this.#patients, claim.personNo, subtract(would.cashPaid, was.cashPaid));
    for (const { source, account, amount } of was.allocation)
      if (source === 'RELATIVE') move(this.#payers, account, subtract(ZERO, amount));
    for (const { source, account, amount } of would.allocation)
      if (source === 'RELATIVE') move(this.#payers, account, amount);
  }

  report(): Report {
    const groups = (found: ReadonlyMap<string, Sums>) =>
      [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => shown(name, each));
    const { byRegion, byInsurance, byCategory } = this.#groups;
    return {
      ...this.#range,
      claims: this.#all.claims,
      reproduced: this.#reproduced,
      replayed: this.#replayed,
      differing: this.#differing,
      all: shown('all', this.#all),
      byRegion: groups(byRegion),
      byInsurance: groups(byInsurance),
      byCategory: groups(byCategory),
      patients: { gain: side(this.#patients, isNegative), lose: side(this.#patients, (by) => !isNegative(by)) },
      payers: { payMore: side(this.#payers, (by) => !isNegative(by)), payLess: side(this.#payers, isNegative) },
    };
  }
}

function of<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

function grow(sum: Pair, was: Money, would: Money): void {
  sum.was = add(sum.was, was);
  sum.would = add(sum.would, would);
}

const move = (by: Map<string, Money>, personNo: string, amount: Money): void =>
  void by.set(personNo, add(by.get(personNo) ?? ZERO, amount));

const change = ({ was, would }: Pair): Change => ({
  was: formatMoney(was),
  would: formatMoney(would),
  change: formatMoney(subtract(would, was)),
});
const shown = (group: string, { claims, own, relatives, cash }: Sums): Group => ({
  group,
  claims,
  own: change(own),
  relatives: change(relatives),
  cash: change(cash),
});

/** How many people changed in that direction, and by how much in all, as an amount without sign. */
function side(moved: ReadonlyMap<string, Money>, isThatWay: (by: Money) => boolean): Side {
  const those = [...moved.values()].filter((by) => !isZero(by) && isThatWay(by));
  const sum = those.reduce(add, ZERO);
  return { people: those.length, yuan: formatMoney(isNegative(sum) ? subtract(ZERO, sum) : sum) };
}
