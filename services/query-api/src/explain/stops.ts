import { type AskedSource, type ClaimOutcome, paidFromOutcome, readRefund } from '@repo/contracts';
import { add, type Binding, type Bound, boundsOf, formatMoney, isPositive, type Money, money, sum } from '@repo/domain';
import {
  type BindingMove,
  type ClaimDraw,
  findAnswers,
  findBindingChanges,
  findDraws,
  findMovesSince,
  type NotedChange,
  type RowSource,
} from '@repo/ledger';
import type { RuleBook, RulesInForce } from './rules.ts';
import { type Language, yuan } from './words.ts';

/** One reason why an account paid no more than it did. Amounts in yuan. */
export interface Stop {
  readonly by: Bound['by'] | 'UNKNOWN';
  readonly sentence: string;
  /** The limit itself: what must remain, what was authorised, or what may be paid on a day or towards a claim. */
  readonly limit?: string;
  /** How much of that limit was used before this payment. */
  readonly used?: string;
}

/** The state before a payment through a binding: the payer's account, the day's usage, and the binding's limits at that moment. */
interface Finding extends ClaimDraw {
  readonly binding: Pick<Binding, 'dailyLimit'> & { readonly authorisedAmount: Money | 'UNKNOWN' | null };
  /** What the same payer had paid in this claim before. */
  readonly paidInClaim: Money;
}

/** By binding id; only for relatives whose accounts the reader may see. */
export type Findings = ReadonlyMap<string, Finding>;

/** More changes than any payer makes to one binding. */
const CHANGES_MAX = 1_000;
/** More payments and refunds than a binding has in years. */
const MOVES_MAX = 1_000;

/** Reconstructs the state before each visible payment of a claim, from the entries and the recorded changes of its binding. */
export async function findingsOf(
  { asked, on }: ClaimOutcome,
  bindings: readonly Binding[],
  {
    claimId,
    visible,
  }: {
    readonly claimId: string;
    readonly visible: (persons: readonly string[]) => Promise<ReadonlySet<string>>;
  },
  source: RowSource,
): Promise<Findings> {
  const paid = asked.filter((each) => each.source === 'RELATIVE' && each.amount !== null);
  const payers = [...(await visible(paid.map(({ account }) => account)))];
  const draws = payers.length === 0 ? [] : await findDraws(source, { claimId, payers, on });
  const findings = new Map<string, Finding>();
  for (const draw of draws) {
    const binding = bindings.find(({ bindingId }) => bindingId === draw.bindingId);
    if (binding === undefined) continue;
    const place = paid.findIndex(({ bindingId }) => bindingId === draw.bindingId);
    const earlier = paid.slice(0, place).filter(({ account }) => account === draw.payer);
    findings.set(draw.bindingId, {
      ...draw,
      binding: await bindingAt(source, binding, draw),
      paidInClaim: sum(earlier.map(({ amount }) => money(amount ?? '0.00'))),
    });
  }
  return findings;
}

/** The binding's limits before a draw: today's, with later changes and payments undone. */
async function bindingAt(source: RowSource, binding: Binding, draw: ClaimDraw): Promise<Finding['binding']> {
  const later = (await findBindingChanges(source, binding, CHANGES_MAX)).filter(
    ({ payerVersion }) => payerVersion !== null && payerVersion >= draw.version,
  );
  const limited = firstOf(later, 'daily_limit');
  const authorised = firstOf(later, 'authorised_amount');
  const left = authorised === undefined ? binding.authorisedAmount : authorised.before;
  const used = left === null ? null : await authorisedSince(source, draw, authorised?.payerVersion ?? null);
  return {
    dailyLimit: limited === undefined ? binding.dailyLimit : limited.before,
    authorisedAmount: left === null || used === null || used === 'UNKNOWN' ? used : add(left, used),
  };
}

/**
 * How much of the authorised amount a binding has used since a draw, that draw included, less refunds; yuan. Not every payment uses it: each
 * outcome says whether it did, and a refund returns what its claim used.
 */
async function authorisedSince(source: RowSource, draw: ClaimDraw, until: bigint | null): Promise<Money | 'UNKNOWN'> {
  const moves = await findMovesSince(source, draw, { until, limit: MOVES_MAX });
  if (moves.length === MOVES_MAX) return 'UNKNOWN';
  const refunds = await findAnswers(
    source,
    moves.filter(isRefund).map(({ reference }) => `refund:${reference}`),
  );
  const paymentOf = (move: BindingMove): string | null => {
    if (!isRefund(move)) return `claim:${move.reference}`;
    const refund = refunds.get(`refund:${move.reference}`);
    return refund === undefined ? null : `claim:${readRefund(refund).claimId}`;
  };
  const payments = await findAnswers(source, [...new Set(moves.flatMap((move) => paymentOf(move) ?? []))]);
  const used: Money[] = [];
  for (const move of moves) {
    const part = paidFromOutcome(payments.get(paymentOf(move) ?? '') ?? '{}')?.allocation.find(
      (each) => each.source === 'RELATIVE' && each.bindingId === draw.bindingId,
    );
    if (part?.source !== 'RELATIVE') return 'UNKNOWN';
    if (part.authorised) used.push(move.drawn);
  }
  return sum(used);
}

const isRefund = ({ kind }: BindingMove): boolean => kind === 'REFUND';

/** The first of these changes that touched a field, with the field's value before it. */
function firstOf(changes: readonly NotedChange[], field: 'daily_limit' | 'authorised_amount') {
  for (const { changes: fields, payerVersion } of changes) {
    const changed = (fields as readonly { field: string; before: string | null }[]).find(
      (each) => each.field === field,
    );
    if (changed !== undefined) return { before: changed.before === null ? null : money(changed.before), payerVersion };
  }
  return undefined;
}

interface Telling {
  readonly book: RuleBook;
  readonly lang: Language;
}

/**
 * Why an account that paid less than was asked of it paid no more: those limits, computed from the books by the rules, that equal the
 * payment. Where none does, the books lack a change or the rules are no longer loaded, and the explanation says so. Null: the reader may
 * not see the account.
 */
export function tellStops(asked: AskedSource, findings: Findings, { book, lang }: Telling): readonly Stop[] | null {
  if (asked.source === 'OWN') {
    const sentence = { zh: '账户余额已经用完。', en: 'Its balance was used up.' }[lang];
    return [{ by: 'BALANCE', sentence }];
  }
  const finding = findings.get(asked.bindingId ?? '');
  if (finding === undefined) return null;
  const rules = book.find(asked.rules);
  if (rules === null || rules.policy === null) return [unknown(lang)];
  const { binding, before: purse, paidInClaim, usedBefore } = finding;
  const isKnown = binding.authorisedAmount !== 'UNKNOWN';
  const limits = { ...binding, authorisedAmount: isKnown ? binding.authorisedAmount : null };
  const bounds = boundsOf({ purse, binding: limits, policy: rules.policy, used: () => usedBefore, paidInClaim });
  const paid = money(asked.amount ?? '0.00');
  const stops = bounds
    .filter(({ by, most }) => most === paid && (isKnown || by !== 'AUTHORISED_AMOUNT'))
    .map((bound) => tellBound(bound, finding, rules, { book, lang }));
  return stops.length === 0 ? [unknown(lang)] : stops;
}

const unknown = (lang: Language): Stop => ({
  by: 'UNKNOWN',
  sentence: {
    zh: '账簿中的记录已经不足以查明是哪一项限制使其没有支付更多。',
    en: 'What the books hold no longer tells which limit kept it from paying more.',
  }[lang],
});

function tellBound(bound: Bound, finding: Finding, rules: RulesInForce, { book, lang }: Telling): Stop {
  const { by, most, parameter } = bound;
  const clause = (name: Parameters<RuleBook['clause']>[1]) => book.clause(rules, name, lang)?.text ?? '';
  const said = (amount: Money) => yuan(formatMoney(amount), lang);
  switch (by) {
    case 'BALANCE':
      return tellBalance(finding, rules, { book, lang });
    case 'AUTHORISED_AMOUNT': {
      const sentence = {
        zh: `共济人授权的额度当时剩余${said(most)}，已经用完。`,
        en: `${said(most)} was left of what the payer had authorised, and is used up.`,
      }[lang];
      return { by, limit: formatMoney(most), sentence: `${sentence}${clause('sharablePortion')}` };
    }
    case 'DAILY_LIMIT': {
      const limit = add(finding.usedBefore, most);
      const sentence = {
        zh: `这一共济关系的每日限额为${said(limit)}，当天此前已经使用${said(finding.usedBefore)}，剩余的${said(most)}已经用完。`,
        en: `The day’s limit of this relation is ${said(limit)}; ${said(finding.usedBefore)} of it had been used that day, and the ${said(most)} left are used up.`,
      }[lang];
      const amounts = { limit: formatMoney(limit), used: formatMoney(finding.usedBefore) };
      return { by, ...amounts, sentence: `${sentence}${clause(parameter)}` };
    }
    case 'PER_CLAIM_CAP': {
      const limit = add(finding.paidInClaim, most);
      const sentence = {
        zh: `该账户在一次结算中最多支付${said(limit)}，本次已经支付到这一数额。`,
        en: `The account pays at most ${said(limit)} towards one claim, and has come to that.`,
      }[lang];
      const amounts = { limit: formatMoney(limit), used: formatMoney(finding.paidInClaim) };
      return { by, ...amounts, sentence: `${sentence}${clause(parameter)}` };
    }
    default:
      return by satisfies never;
  }
}

/** The balance was used down to what must remain; also says what the account held that may not be shared. */
function tellBalance({ before }: Finding, rules: RulesInForce, { book, lang }: Telling): Stop {
  const policy = rules.policy;
  if (policy === null) return unknown(lang);
  const { minRemaining, sharablePortion } = policy;
  const floor = formatMoney(minRemaining);
  const down = isPositive(minRemaining)
    ? {
        zh: `可共济余额已经用到必须保留的${yuan(floor, lang)}。${book.clause(rules, 'minRemaining', lang)?.text ?? ''}`,
        en: `Its sharable balance is down to the ${yuan(floor, lang)} that must remain.${book.clause(rules, 'minRemaining', lang)?.text ?? ''}`,
      }[lang]
    : { zh: '可共济余额已经用完。', en: 'Its sharable balance was used up.' }[lang];
  const kept = before.currentYear;
  if (sharablePortion === 'TOTAL' || !isPositive(kept)) return { by: 'BALANCE', limit: floor, sentence: down };
  const apart = {
    zh: `另有当年余额${yuan(formatMoney(kept), lang)}，不能用于共济。`,
    en: ` ${yuan(formatMoney(kept), lang)} of the current year may not be shared.`,
  }[lang];
  const clause = book.clause(rules, 'sharablePortion', lang)?.text ?? '';
  return { by: 'BALANCE', limit: floor, sentence: `${down}${apart}${clause}` };
}
