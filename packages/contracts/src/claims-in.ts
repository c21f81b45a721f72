import { type Claim, isZero, type Premium, PURPOSES, type Refund } from '@repo/domain';
import { z } from 'zod';
import {
  amount,
  area,
  commandFields,
  flag,
  id,
  instant,
  integer,
  isAmount,
  oneOf,
  optional,
  toInstant,
  toMoney,
} from './fields.ts';

export const claimSubmitted = z.object({
  claim_id: id,
  mdtrt_id: id,
  psn_no: id,
  fixmedins_code: id,
  designated: flag,
  fix_blng_admdvs: area,
  med_type: z
    .string({ error: 'expected a visit type code' })
    .regex(/^\d{1,10}$/, { error: 'expected a visit type code' }),
  setl_time: instant,
  medfee_sumamt: amount,
  fund_pay_sumamt: amount,
  psn_part_amt: amount,
  hosp_part_amt: optional(amount),
  purpose: optional(oneOf(PURPOSES)),
  cross_region_filed: optional(flag),
  acct_used_flag: optional(oneOf(['0', '1'])),
  medins_setl_id: optional(id),
  fulamt_ownpay_amt: optional(amount),
  overlmt_selfpay: optional(amount),
  preselfpay_amt: optional(amount),
  inscp_scp_amt: optional(amount),
});

/** An amount as text or any number: an invalid one is answered with an outcome instead of being rejected. */
const anyAmount = z
  .string({ error: 'expected an amount as a JSON string or number' })
  .meta({ type: ['string', 'number'] });

export const claimRefunded = z.object({
  refund_id: id,
  claim_id: id,
  psn_no: id,
  at: instant,
  amount: optional(anyAmount),
  ...commandFields,
});

export const premiumSubmitted = z.object({
  premium_id: id,
  payer: id,
  beneficiary: id,
  year: integer(1990, 9999),
  amount: anyAmount,
  at: instant,
});

const moneyOrNull = (text: string | null | undefined) => (text == null ? null : toMoney(text));

export const toClaim = (wire: z.output<typeof claimSubmitted>): Claim => ({
  claimId: wire.claim_id,
  encounterId: wire.mdtrt_id,
  personNo: wire.psn_no,
  providerCode: wire.fixmedins_code,
  designated: wire.designated,
  providerArea: wire.fix_blng_admdvs,
  visitType: wire.med_type,
  purpose: wire.purpose ?? 'MEDICAL',
  crossRegionFiled: wire.cross_region_filed ?? false,
  accountsUsed: wire.acct_used_flag !== '0',
  settledAt: toInstant(wire.setl_time),
  settledAtText: wire.setl_time,
  senderSettlementId: wire.medins_setl_id ?? null,
  totalFee: toMoney(wire.medfee_sumamt),
  fundPaid: toMoney(wire.fund_pay_sumamt),
  hospitalBorne: toMoney(wire.hosp_part_amt ?? '0.00'),
  personalShare: toMoney(wire.psn_part_amt),
  scope: {
    fullyOwnPaid: moneyOrNull(wire.fulamt_ownpay_amt),
    overLimit: moneyOrNull(wire.overlmt_selfpay),
    preSelfPaid: moneyOrNull(wire.preselfpay_amt),
    inScope: moneyOrNull(wire.inscp_scp_amt),
  },
});

/** An amount above 0.00 in whole fen, else `INVALID`. */
function positiveAmount(text: string) {
  if (!isAmount(text)) return 'INVALID';
  const value = toMoney(text);
  return isZero(value) ? 'INVALID' : value;
}

export const toRefund = (wire: z.output<typeof claimRefunded>): Refund => ({
  refundId: wire.refund_id,
  claimId: wire.claim_id,
  personNo: wire.psn_no,
  at: toInstant(wire.at),
  amount: wire.amount == null ? null : positiveAmount(wire.amount),
});

export const toPremium = (wire: z.output<typeof premiumSubmitted>): Premium => ({
  premiumId: wire.premium_id,
  payer: wire.payer,
  beneficiary: wire.beneficiary,
  year: wire.year,
  at: toInstant(wire.at),
  amount: positiveAmount(wire.amount),
});
