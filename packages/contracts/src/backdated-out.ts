import { add, type CalendarDate, formatMoney, type Money, type Relation, subtract, sum, ZERO } from '@repo/domain';
import { paidFromOutcome, withRefundOutcome } from './settlements-out.ts';

/** A draw that stands although facts that became known later speak against it, with the published outcomes that hold its amounts. */
interface ListedDraw {
  readonly payer: string;
  readonly bindingId: string;
  readonly beneficiary: string;
  readonly relation: Relation;
  readonly on: CalendarDate;
  readonly payload: string;
  readonly refunds: readonly string[];
  readonly reasons: readonly {
    readonly reason: string;
    readonly since: CalendarDate;
    readonly cause: { readonly type: string; readonly id: string };
    readonly knownAt: string;
  }[];
}

/** What was drawn from the payer and what has been refunded to them since, yuan. */
interface Amounts {
  readonly amount: Money;
  readonly refunded: Money;
}

const encodeAmounts = ({ amount, refunded }: Amounts) => ({
  amount: formatMoney(amount),
  refunded: formatMoney(refunded),
  net: formatMoney(subtract(amount, refunded)),
});

/**
 * The list for staff, by payer in the order given: each draw with the facts against it, and the payer's totals. Amounts are text in yuan.
 */
export function encodeBackdated(draws: readonly ListedDraw[]) {
  return [...Map.groupBy(draws, ({ payer }) => payer)].map(([payer, own]) => {
    const all = own.map((draw) => ({ draw, amounts: amountsOf(draw) }));
    const amount = sum(all.map(({ amounts }) => amounts.amount));
    const refunded = sum(all.map(({ amounts }) => amounts.refunded));
    const draws = all.map(({ draw, amounts }) => encodeDraw(draw, amounts));
    return { payer, count: own.length, ...encodeAmounts({ amount, refunded }), draws };
  });
}
export type BackdatedPayer = ReturnType<typeof encodeBackdated>[number];

function encodeDraw({ bindingId, beneficiary, relation, on, payload, reasons }: ListedDraw, amounts: Amounts) {
  const { claim_id, premium_id, setl_id } = JSON.parse(payload) as Record<string, string | undefined>;
  return {
    claim_id: claim_id ?? null,
    premium_id: premium_id ?? null,
    setl_id: setl_id ?? null,
    on,
    binding_id: bindingId,
    beneficiary,
    relation,
    ...encodeAmounts(amounts),
    reasons: reasons.map(({ reason, since, cause, knownAt }) => ({
      code: reason,
      since,
      cause: { ce_type: cause.type, id: cause.id },
      known_at: new Date(knownAt).toISOString(),
    })),
  };
}

/** What an outcome drew through a binding, and what its refunds returned of that. */
function amountsOf({ bindingId, payload, refunds }: ListedDraw): Amounts {
  const settled = paidFromOutcome(payload);
  if (settled === undefined) return { amount: ZERO, refunded: ZERO };
  const paid = refunds.reduce(withRefundOutcome, settled);
  return paid.allocation.reduce<Amounts>(
    ({ amount, refunded }, part, i) =>
      part.source === 'RELATIVE' && part.bindingId === bindingId
        ? { amount: add(amount, part.amount), refunded: add(refunded, paid.returned[i] ?? ZERO) }
        : { amount, refunded },
    { amount: ZERO, refunded: ZERO },
  );
}
