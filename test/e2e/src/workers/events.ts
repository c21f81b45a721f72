import { eventRecord } from '../system/story.ts';
import type { RawRecord } from '../system/topics.ts';
import type { Move } from './site.ts';

type Wire = Readonly<Record<string, unknown>>;

const AREA = '330106';
const OPENED = '2025-01-05T09:00:00+08:00';
/** The moment of an event that says no other. */
export const AT = '2025-03-10T11:00:00+08:00';

/** A batch of a claims shard. */
export const claims = (shard: number, ...records: RawRecord[]): Move => ({ shard: `claims/${shard}`, records });
/** A batch of the members shard. */
export const members = (...records: RawRecord[]): Move => ({ shard: 'members/0', records });

/** Opens an employee's account with this much of prior years. */
export const account = (psn_no: string, prior_year: string, more: Wire = {}): RawRecord =>
  eventRecord('account.opened', {
    psn_no,
    insutype: '310',
    psn_type: '1101',
    employment: 'ACTIVE',
    insu_admdvs: AREA,
    insured: true,
    prior_year,
    as_of: OPENED,
    ...more,
  });

/** Opens a binding, a spouse's unless it says otherwise. */
export const binding = (binding_id: string, payer: string, beneficiary: string, more: Wire = {}): RawRecord =>
  eventRecord('binding.opened', { binding_id, payer, beneficiary, relation: 'SPOUSE', bound_at: OPENED, ...more });

/** A visit whose whole fee is the patient's share. */
export const claim = (
  claim_id: string,
  psn_no: string,
  share: string,
  setl_time = '2025-03-10T10:00:00+08:00',
): RawRecord =>
  eventRecord('claim.submitted', {
    claim_id,
    mdtrt_id: `M-${claim_id}`,
    psn_no,
    fixmedins_code: 'H33010600001',
    designated: true,
    fix_blng_admdvs: AREA,
    med_type: '11',
    setl_time,
    medfee_sumamt: share,
    fund_pay_sumamt: '0.00',
    psn_part_amt: share,
  });

/** Gives back an amount, or all that is left. */
export const refund = (refund_id: string, claim_id: string, psn_no: string, at = AT, amount?: string): RawRecord =>
  eventRecord('claim.refunded', { refund_id, claim_id, psn_no, at, amount });

/** An event of a binding or an account that says only when, and of what. */
export const fact = (type: string, value: Wire): RawRecord => eventRecord(type, { at: AT, ...value });
