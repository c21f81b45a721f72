import type { Books } from './books.ts';
import type { CalendarDate } from './calendar.ts';
import type { Settlement } from './cascade.ts';
import type { Claim } from './claim.ts';
import { negate, ZERO } from './money.ts';
import type { Premium, PremiumDecision } from './premium.ts';
import { outOf } from './purse.ts';
import type { Paid, Refund, RefundDecision } from './refund.ts';

/** The receivable account of an institution, to which its claims are posted. */
export const institutionAccount = (providerCode: string): string => `institution:${providerCode}`;
export const PREMIUM_ACCOUNT = 'premium';

/** Posts a settlement to the books: one entry for each account that paid. */
export function applySettlement(claim: Claim, settlement: Settlement, books: Books): void {
  for (const part of settlement.allocation) {
    const note = {
      kind: 'CLAIM',
      counterpart: institutionAccount(claim.providerCode),
      reference: claim.claimId,
      at: claim.settledAt,
      cause: { type: 'claim.submitted', id: claim.claimId },
    } as const;
    if (part.source === 'OWN') books.post(part.account, outOf(part), note);
    else {
      books.post(part.account, outOf(part), { ...note, bindingId: part.bindingId, countedOn: settlement.on });
      books.use(part, part.amount, settlement.on);
    }
  }
}

/** Posts an accepted premium; it counts against the authorised amount and against no daily limit (rule 8). */
export function applyPremium(premium: Premium, decision: PremiumDecision, books: Books): void {
  const part = decision.allocation;
  if (part === null) return;
  books.post(part.account, outOf(part), {
    kind: 'PREMIUM',
    counterpart: PREMIUM_ACCOUNT,
    reference: premium.premiumId,
    bindingId: part.bindingId,
    at: premium.at,
    cause: { type: 'premium.submitted', id: premium.premiumId },
  });
  books.use(part, part.amount, null);
}

/** Posts a refund: each account gets back what it paid; for a closed account the money is held, to be paid out by hand. */
export function applyRefund(refund: Refund, paid: Paid, decision: RefundDecision, books: Books): void {
  for (const step of decision.returned) {
    if (step.source === 'CASH') continue;
    const { allocation } = step;
    const countedOn = paid.kind === 'CLAIM' ? paid.on : null;
    const note = {
      kind: 'REFUND',
      counterpart: paid.counterpart,
      reference: refund.refundId,
      at: refund.at,
      cause: { type: 'claim.refunded', id: refund.refundId },
      ...(allocation.source === 'RELATIVE' ? { bindingId: allocation.bindingId, countedOn } : {}),
    } as const;
    if (step.manual) books.hold(allocation.account, step.amount, note);
    else books.post(allocation.account, step.into, note);
    if (allocation.source === 'RELATIVE') {
      books.use(allocation, negate(step.amount), countedOn);
    }
  }
}

/** What can be refunded of a settled claim. */
export const paidByClaim = (claim: Claim, settlement: Settlement): Paid => ({
  kind: 'CLAIM',
  personNo: claim.personNo,
  counterpart: institutionAccount(claim.providerCode),
  on: settlement.on,
  cash: settlement.cashPaid,
  allocation: settlement.allocation,
  returnedCash: ZERO,
  returned: settlement.allocation.map(() => ZERO),
});

/** What can be refunded of a settled premium. */
export const paidByPremium = (
  premium: Premium,
  allocation: NonNullable<PremiumDecision['allocation']>,
  on: CalendarDate,
): Paid => ({
  kind: 'PREMIUM',
  personNo: premium.beneficiary,
  counterpart: PREMIUM_ACCOUNT,
  on,
  cash: ZERO,
  allocation: [allocation],
  returnedCash: ZERO,
  returned: [ZERO],
});
