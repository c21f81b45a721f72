import { type CalendarDate, formatMoney, type Money, subtract } from '@repo/domain';

/** Money held for the owner of a closed account, as HTTP shows it; yuan. */
export const encodeHeldRefund = (refund: {
  readonly personNo: string;
  readonly refundId: string;
  readonly on: CalendarDate;
  readonly amount: Money;
  readonly paid: Money;
}) => ({
  psn_no: refund.personNo,
  refund_id: refund.refundId,
  on: refund.on,
  amount: formatMoney(refund.amount),
  paid_out: formatMoney(refund.paid),
  open: formatMoney(subtract(refund.amount, refund.paid)),
});
