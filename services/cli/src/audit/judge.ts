import { fen, total } from './fen.ts';

/** A published outcome as parsed from its JSON; nothing about it is assumed. */
export type Fields = Readonly<Record<string, unknown>>;

/** One entry of a person's account, in fen; negative = it left the account. */
export interface Posting {
  readonly kind: string;
  readonly account: string;
  readonly bindingId: string | null;
  readonly counterpart: string;
  readonly on: string;
  readonly prior: bigint;
  readonly current: bigint;
  readonly held: bigint;
  readonly balanceAfter: bigint;
}

/** Records whether a check holds for the outcome at hand. */
export type Expect = (check: OutcomeCheck, holds: boolean) => void;

export const OUTCOME_CHECKS = {
  'outcome-present': 'is stored where its event id says, readable, on its person, and says which event it answers',
  'settlement-status': 'is SETTLED without a code, or REFUSED with one and nothing paid by an account',
  'settlement-amounts': 'has every amount with two decimals, 0.00 or more',
  'settlement-I1': 'has medfee_sumamt = fund_pay_sumamt + hosp_part_amt + psn_part_amt (I1)',
  'settlement-I2': 'has psn_part_amt = acct_pay + acct_mulaid_pay + psn_cash_pay (I2)',
  'settlement-I4': 'has acct_pay and acct_mulaid_pay equal to the sums of its allocation (I4)',
  'settlement-balance': 'has balc equal to the own account after it',
  'settlement-entries': 'has exactly one entry for each allocation, with its amounts, and no other',
  'premium-entries': 'of a premium: has exactly the entry of its allocation, of its amount',
  'refund-amounts': 'of a refund: has negative amounts equal to what it returned by source',
  'refund-entries': 'of a refund: has exactly one entry for each account it returned to',
  'refund-listed': 'of a refund that was paid: is listed under its claim',
  'refund-within': 'of a refund: with all others of its claim, returns no more than each source paid (I6)',
} as const;
export type OutcomeCheck = keyof typeof OUTCOME_CHECKS;

const SHANGHAI_MS = 8 * 3_600_000;

/** The date in Asia/Shanghai of a moment's text; empty where it is none. An offset may be written without its minutes, which `Date` asks for. */
function dayOf(moment: unknown): string {
  const ms = typeof moment === 'string' ? Date.parse(moment.replace(/(T.*[+-]\d\d)$/, '$1:00')) : Number.NaN;
  return Number.isNaN(ms) ? '' : new Date(ms + SHANGHAI_MS).toISOString().slice(0, 10);
}

const listOf = (value: unknown): Fields[] =>
  Array.isArray(value) ? value.filter((item): item is Fields => typeof item === 'object' && item !== null) : [];

const nothingPosted = (postings: readonly Posting[]): boolean => postings.length === 0;

/** Whether the entries are exactly the expected ones, in any order. */
function samePostings(postings: readonly Posting[], expected: readonly string[]): boolean {
  const found = postings.map(textOf).sort();
  return found.length === expected.length && expected.toSorted().every((text, i) => text === found[i]);
}

const textOf = (posting: Omit<Posting, 'balanceAfter'>): string =>
  [
    posting.kind,
    posting.account,
    posting.bindingId ?? '',
    posting.counterpart,
    posting.on,
    posting.prior,
    posting.current,
    posting.held,
  ].join('\n');

/** The entry that an allocation must have left; null where its amounts are invalid or do not add up. */
function debitOf(part: Fields, note: { kind: string; counterpart: string; on: string }): string | null {
  const [amount, prior, current] = [fen(part.amount), fen(part.prior_year), fen(part.current_year)];
  if (amount === null || prior === null || current === null) return null;
  if (amount <= 0n || prior < 0n || current < 0n || amount !== prior + current) return null;
  const bindingId = typeof part.binding_id === 'string' ? part.binding_id : null;
  return textOf({ ...note, account: String(part.account), bindingId, prior: -prior, current: -current, held: 0n });
}

const sumOf = (parts: readonly Fields[], source: string): bigint | null =>
  total(parts.filter((part) => part.source === source).map(({ amount }) => fen(amount)));

const AMOUNTS = [
  'medfee_sumamt',
  'fund_pay_sumamt',
  'hosp_part_amt',
  'psn_part_amt',
  'acct_pay',
  'acct_mulaid_pay',
  'psn_cash_pay',
  'balc',
] as const;

/** Judges a settlement, settled or refused, against its own amounts and its entries. */
export function judgeSettlement(outcome: Fields, postings: readonly Posting[], expect: Expect): void {
  const [medfee, fund, hospital, share, own, relatives, cash, balance] = AMOUNTS.map((name) => fen(outcome[name]));
  const amounts = [medfee, fund, hospital, share, own, relatives, cash, balance];
  expect(
    'settlement-amounts',
    amounts.every((amount) => amount != null && amount >= 0n),
  );
  expect('settlement-I1', medfee === total([fund ?? null, hospital ?? null, share ?? null]));
  expect('settlement-I2', share === total([own ?? null, relatives ?? null, cash ?? null]));
  const parts = listOf(outcome.allocation);
  expect('settlement-I4', own === sumOf(parts, 'OWN') && relatives === sumOf(parts, 'RELATIVE'));
  const isSettled = outcome.status === 'SETTLED' && outcome.code === null;
  const isRefused = outcome.status === 'REFUSED' && typeof outcome.code === 'string' && parts.length === 0;
  expect('settlement-status', isSettled || (isRefused && cash === share));
  const note = {
    kind: 'CLAIM',
    counterpart: `institution:${outcome.fixmedins_code}`,
    on: dayOf(outcome.setl_time),
  };
  const debits = parts.map((part) => debitOf(part, note));
  expect(
    'settlement-entries',
    Array.isArray(outcome.allocation) &&
      debits.every((debit) => debit !== null) &&
      parts.every((part) => (part.source === 'OWN') === (part.account === outcome.psn_no)) &&
      samePostings(postings, debits),
  );
  const ownEntries = postings.filter(({ account }) => account === outcome.psn_no);
  expect(
    'settlement-balance',
    ownEntries.length === 0 || ownEntries.some(({ balanceAfter }) => balanceAfter === balance),
  );
}

/** Judges a premium: all or nothing, from one payer. */
export function judgePremium(outcome: Fields, postings: readonly Posting[], expect: Expect): void {
  const [part] = listOf(outcome.allocation);
  if (outcome.status !== 'SETTLED') {
    expect('premium-entries', outcome.status === 'REFUSED' && part === undefined && nothingPosted(postings));
    return;
  }
  const note = { kind: 'PREMIUM', counterpart: 'premium', on: dayOf(outcome.at) };
  const debit = part === undefined ? null : debitOf(part, note);
  const isWhole = part?.account === outcome.payer && fen(part?.amount) === fen(outcome.amount);
  expect('premium-entries', debit !== null && isWhole && samePostings(postings, [debit]));
}

/** What a refund is compared with: the outcome it refunds, and every refund listed under that claim. */
export interface RefundedClaim {
  readonly original: Fields | undefined;
  readonly refunds: readonly Fields[];
  readonly isListed: boolean;
}

/** Judges a refund against its own amounts, its entries, and the claim or premium it refunds. */
export function judgeRefund(outcome: Fields, postings: readonly Posting[], claim: RefundedClaim, expect: Expect): void {
  const steps = listOf(outcome.returned);
  const back = (name: string): bigint | null => {
    const amount = fen(outcome[name]);
    return amount === null ? null : -amount;
  };
  const sums = [sumOf(steps, 'OWN'), sumOf(steps, 'RELATIVE'), sumOf(steps, 'CASH')];
  const amount = fen(outcome.amount);
  const isPaid = outcome.status === 'REFUNDED';
  expect(
    'refund-amounts',
    sums[0] === back('acct_pay') &&
      sums[1] === back('acct_mulaid_pay') &&
      sums[2] === back('psn_cash_pay') &&
      amount !== null &&
      // A refused refund states the requested amount, and moves nothing.
      (isPaid
        ? amount === total(sums) && amount > 0n && outcome.code === null
        : outcome.status === 'REFUSED' && amount >= 0n && total(sums) === 0n),
  );
  if (!isPaid) {
    expect('refund-entries', nothingPosted(postings));
    return;
  }
  expect('refund-entries', areReturns(postings, outcome, steps, claim.original));
  expect('refund-listed', claim.isListed);
  expect('refund-within', claim.original !== undefined && isWithin(claim.original, claim.refunds));
}

/** Compares sums, because the portions that money returns into depend on the year. */
function areReturns(
  postings: readonly Posting[],
  outcome: Fields,
  steps: readonly Fields[],
  original: Fields | undefined,
): boolean {
  const counterpart = original?.premium_id === undefined ? `institution:${original?.fixmedins_code}` : 'premium';
  const note = { kind: 'REFUND', counterpart, on: dayOf(outcome.at), prior: 0n };
  const found = postings.map((posting) => ({ ...posting, prior: 0n, current: posting.prior + posting.current }));
  const expected = steps
    .filter(({ source }) => source !== 'CASH')
    .map(({ account, binding_id, amount, manual }) => {
      const [back, bindingId] = [fen(amount) ?? 0n, typeof binding_id === 'string' ? binding_id : null];
      const [current, held] = manual === true ? [0n, back] : [back, 0n];
      return textOf({ ...note, account: String(account), bindingId, current, held });
    });
  return samePostings(found, expected);
}

/** Whether all refunds together return to each account, or in cash, at most what it paid (I6). */
function isWithin(original: Fields, refunds: readonly Fields[]): boolean {
  if (original.status !== 'SETTLED') return false;
  const left = new Map<string, bigint>([['CASH', fen(original.psn_cash_pay) ?? 0n]]);
  const sourceOf = ({ source, account, binding_id }: Fields): string =>
    source === 'CASH' ? 'CASH' : [source, account, binding_id ?? ''].join('\n');
  for (const part of listOf(original.allocation)) left.set(sourceOf(part), fen(part.amount) ?? 0n);
  for (const step of refunds.flatMap(({ returned }) => listOf(returned))) {
    const rest = (left.get(sourceOf(step)) ?? -1n) - (fen(step.amount) ?? 0n);
    left.set(sourceOf(step), rest);
    if (rest < 0n || (fen(step.amount) ?? -1n) <= 0n) return false;
  }
  return true;
}
