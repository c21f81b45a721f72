import { RELATIONS } from './policy.ts';

/** How one field is written: a listed kind, or the closed list of its values. */
export type Kind =
  | 'text'
  | 'area'
  | 'flag'
  | 'amount'
  | 'judged_amount'
  | 'int'
  | 'instant'
  | 'date'
  | 'month'
  | 'months'
  | 'reasons'
  | readonly unknown[];

interface Schema {
  readonly required: Readonly<Record<string, Kind>>;
  readonly optional: Readonly<Record<string, Kind>>;
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Optional fields whose JSON null says "none" instead of "not given". */
  readonly clearable?: readonly string[];
}

const EMPLOYMENT = ['ACTIVE', 'FLEXIBLE', 'RETIRED', 'NONE'] as const;
const STATUS = ['ACTIVE', 'FROZEN', 'CLOSED'] as const;
const STATES = ['PENDING', 'REJECTED', 'ACTIVE', 'PAUSED', 'REVOKED', 'EXPIRED'] as const;
const PURPOSES = ['MEDICAL', 'PUBLIC_HEALTH', 'FITNESS', 'WELLNESS', 'PHYSICAL_EXAM', 'COSMETIC'] as const;

const BINDING: Schema = {
  required: { binding_id: 'text', payer: 'text', beneficiary: 'text', relation: RELATIONS, bound_at: 'instant' },
  optional: {
    type: ['FAMILY_SHARING', 'KINSHIP_CODE'],
    priority: 'int',
    effective_from: 'date',
    effective_to: 'date',
    daily_limit: 'amount',
    authorised_amount: 'amount',
    premium_registered: 'flag',
  },
  defaults: { type: 'FAMILY_SHARING', premium_registered: false },
};

const TRANSITION: Schema = { required: { binding_id: 'text', payer: 'text', at: 'instant' }, optional: {} };

/** Every input event and its fields. */
export const FIELDS: Readonly<Record<string, Schema>> = {
  'claim.submitted': {
    required: {
      claim_id: 'text',
      mdtrt_id: 'text',
      psn_no: 'text',
      fixmedins_code: 'text',
      designated: 'flag',
      fix_blng_admdvs: 'area',
      med_type: 'text',
      setl_time: 'instant',
      medfee_sumamt: 'judged_amount',
      fund_pay_sumamt: 'judged_amount',
      psn_part_amt: 'judged_amount',
    },
    optional: {
      hosp_part_amt: 'judged_amount',
      purpose: PURPOSES,
      cross_region_filed: 'flag',
      acct_used_flag: ['0', '1'],
      medins_setl_id: 'text',
      fulamt_ownpay_amt: 'judged_amount',
      overlmt_selfpay: 'judged_amount',
      preselfpay_amt: 'judged_amount',
      inscp_scp_amt: 'judged_amount',
    },
    defaults: { hosp_part_amt: 0n, purpose: 'MEDICAL', cross_region_filed: false, acct_used_flag: '1' },
  },
  'claim.refunded': {
    required: { refund_id: 'text', claim_id: 'text', psn_no: 'text', at: 'instant' },
    optional: { amount: 'judged_amount' },
  },
  'premium.submitted': {
    required: {
      premium_id: 'text',
      payer: 'text',
      beneficiary: 'text',
      year: 'int',
      amount: 'judged_amount',
      at: 'instant',
    },
    optional: {},
  },
  'account.opened': {
    required: {
      psn_no: 'text',
      insutype: 'text',
      psn_type: 'text',
      employment: EMPLOYMENT,
      insu_admdvs: 'area',
      insured: 'flag',
    },
    optional: {
      prior_year: 'amount',
      current_year: 'amount',
      as_of: 'instant',
      status: STATUS,
      card_active: 'flag',
      employer_enabled: 'flag',
      wallet_open: 'flag',
      unpaid_periods: 'months',
      arrears_since: 'date',
      recovered_on: 'date',
      psn_name: 'text',
    },
    defaults: {
      status: 'ACTIVE',
      card_active: true,
      employer_enabled: true,
      wallet_open: false,
      unpaid_periods: [],
    },
  },
  'account.changed': {
    required: { change_id: 'text', psn_no: 'text', at: 'instant' },
    optional: {
      insutype: 'text',
      psn_type: 'text',
      employment: EMPLOYMENT,
      insu_admdvs: 'area',
      insured: 'flag',
      status: STATUS,
      card_active: 'flag',
      employer_enabled: 'flag',
      wallet_open: 'flag',
      psn_name: 'text',
    },
  },
  'account.credited': {
    required: { credit_id: 'text', psn_no: 'text', amount: 'amount', at: 'instant' },
    optional: { reason: ['CONTRIBUTION', 'INTEREST', 'INHERITANCE', 'ADJUSTMENT'] },
  },
  'contribution.received': {
    required: { contribution_id: 'text', psn_no: 'text', period: 'month', at: 'instant' },
    optional: { amount: 'amount' },
  },
  'contribution.missed': {
    required: { psn_no: 'text', period: 'month', due_date: 'date' },
    optional: { at: 'instant' },
  },
  'contribution.recovered': { required: { psn_no: 'text', period: 'month', at: 'instant' }, optional: {} },
  'binding.opened': {
    ...BINDING,
    optional: { ...BINDING.optional, state: STATES, pause_reasons: 'reasons' },
    defaults: { ...BINDING.defaults, state: 'ACTIVE', pause_reasons: [] },
  },
  'binding.requested': BINDING,
  'binding.approved': TRANSITION,
  'binding.rejected': TRANSITION,
  'binding.revoked': TRANSITION,
  'binding.changed': {
    required: { change_id: 'text', binding_id: 'text', payer: 'text', at: 'instant' },
    optional: {
      priority: 'int',
      daily_limit: 'amount',
      authorised_amount: 'amount',
      effective_to: 'date',
      premium_registered: 'flag',
    },
    clearable: ['priority', 'daily_limit', 'authorised_amount', 'effective_to'],
  },
  'binding.paused': TRANSITION,
  'binding.resumed': { ...TRANSITION, optional: { reason: ['USER', 'ARREARS'] }, defaults: { reason: 'USER' } },
  'refund.paid': {
    required: { refund_id: 'text', psn_no: 'text', at: 'instant', amount: 'amount' },
    optional: {},
  },
  'arrears.check': { required: { check_id: 'text', on: 'date' }, optional: { shard: 'int', shards: 'int' } },
};
