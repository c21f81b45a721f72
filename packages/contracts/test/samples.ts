import type { RawMessage } from '../src/index.ts';

const utf8 = new TextEncoder();

/** When every sample came: 2025-03-10 10:00 in Shanghai. */
export const CAME = Date.parse('2025-03-10T10:00:00+08:00');

export type Fields = Readonly<Record<string, unknown>>;

export interface Envelope {
  readonly key?: string | Uint8Array | null;
  readonly type?: string | null;
  readonly headers?: RawMessage['headers'];
  readonly timestampMs?: number;
}

/** A record whose value is this text; keyed and typed as stated. */
export function record(
  json: string | Uint8Array | null,
  { key = null, type = null, headers = [], timestampMs = CAME }: Envelope,
): RawMessage {
  return {
    key: typeof key === 'string' ? utf8.encode(key) : key,
    value: typeof json === 'string' ? utf8.encode(json) : json,
    headers: type === null ? headers : [['ce_type', utf8.encode(type)], ...headers],
    timestampMs,
  };
}

const at = '2025-03-10T09:00:00+08:00';

/** One well-formed message of every type: its key's field, what it must state, and what it may. */
export const CLAIM_SAMPLES = {
  'claim.submitted': {
    key: 'psn_no',
    required: {
      claim_id: 'C1',
      mdtrt_id: 'M1',
      psn_no: 'P1',
      fixmedins_code: 'H33010600001',
      designated: true,
      fix_blng_admdvs: '330106',
      med_type: '11',
      setl_time: '2025-03-10T10:00:00+08:00',
      medfee_sumamt: '350.00',
      fund_pay_sumamt: '200.00',
      psn_part_amt: '150.00',
    },
    optional: {
      hosp_part_amt: '0.00',
      purpose: 'COSMETIC',
      cross_region_filed: true,
      acct_used_flag: '0',
      medins_setl_id: 'S9',
      fulamt_ownpay_amt: '10.00',
      overlmt_selfpay: '20.00',
      preselfpay_amt: '20.00',
      inscp_scp_amt: '300.00',
    },
  },
  'claim.refunded': {
    key: 'psn_no',
    required: { refund_id: 'R1', claim_id: 'C1', psn_no: 'P1', at },
    optional: { amount: '20.00' },
  },
  'premium.submitted': {
    key: 'beneficiary',
    required: { premium_id: 'Q1', payer: 'P2', beneficiary: 'P1', year: 2025, amount: '400.00', at },
    optional: {},
  },
} as const;

const moved = { binding_id: 'B1', payer: 'P2', at } as const;
const bound = { binding_id: 'B1', payer: 'P2', beneficiary: 'P1', relation: 'SPOUSE', bound_at: at } as const;
const settings = {
  priority: 2,
  daily_limit: '100.00',
  authorised_amount: '500.00',
  effective_to: '2026-12-31',
  premium_registered: true,
} as const;

export const MEMBER_SAMPLES = {
  'account.opened': {
    key: 'psn_no',
    required: {
      psn_no: 'P2',
      insutype: '310',
      psn_type: '1101',
      employment: 'ACTIVE',
      insu_admdvs: '330106',
      insured: true,
    },
    optional: {
      prior_year: '10.00',
      current_year: '20.00',
      as_of: at,
      status: 'FROZEN',
      card_active: false,
      employer_enabled: false,
      wallet_open: true,
      unpaid_periods: ['2025-01', '2025-02'],
      arrears_since: '2025-02-01',
      recovered_on: '2024-06-01',
      psn_name: '张三',
      certno: '110101199003070000',
    },
  },
  'account.changed': {
    key: 'psn_no',
    required: { change_id: 'X1', psn_no: 'P2', at },
    optional: {
      insutype: '390',
      psn_type: '12',
      employment: 'RETIRED',
      insu_admdvs: '440106',
      insured: false,
      status: 'CLOSED',
      card_active: false,
      employer_enabled: false,
      wallet_open: true,
      psn_name: '李四',
    },
  },
  'account.credited': {
    key: 'psn_no',
    required: { credit_id: 'K1', psn_no: 'P2', amount: '5.00', at },
    optional: { reason: 'INTEREST' },
  },
  'contribution.received': {
    key: 'psn_no',
    required: { contribution_id: 'N1', psn_no: 'P2', period: '2025-02', at },
    optional: { amount: '5.00' },
  },
  'contribution.missed': {
    key: 'psn_no',
    required: { psn_no: 'P2', period: '2025-02', due_date: '2025-02-28' },
    optional: { at },
  },
  'contribution.recovered': { key: 'psn_no', required: { psn_no: 'P2', period: '2025-02', at }, optional: {} },
  'binding.opened': {
    key: 'payer',
    required: bound,
    optional: {
      ...settings,
      type: 'KINSHIP_CODE',
      effective_from: '2025-01-01',
      state: 'PAUSED',
      pause_reasons: ['USER', 'ARREARS'],
    },
  },
  'binding.requested': {
    key: 'payer',
    required: bound,
    optional: { ...settings, type: 'KINSHIP_CODE', effective_from: '2025-01-01' },
  },
  'binding.approved': { key: 'payer', required: moved, optional: {} },
  'binding.rejected': { key: 'payer', required: moved, optional: {} },
  'binding.revoked': { key: 'payer', required: moved, optional: {} },
  'binding.changed': { key: 'payer', required: { ...moved, change_id: 'X1' }, optional: settings },
  'binding.paused': { key: 'payer', required: moved, optional: {} },
  'binding.resumed': { key: 'payer', required: moved, optional: { reason: 'ARREARS' } },
  'refund.paid': { key: 'psn_no', required: { refund_id: 'R1', psn_no: 'P2', at, amount: '70.00' }, optional: {} },
} as const;

export const CHECK_SAMPLE = {
  required: { check_id: 'A1', on: '2025-03-10' },
  optional: { shard: 3, shards: 6 },
} as const;

export type ClaimType = keyof typeof CLAIM_SAMPLES;
export type MemberType = keyof typeof MEMBER_SAMPLES;
export const CLAIM_TYPES = Object.keys(CLAIM_SAMPLES) as ClaimType[];
export const MEMBER_TYPES = Object.keys(MEMBER_SAMPLES) as MemberType[];

/** The sample of a type with some fields stated otherwise; undefined takes one away. On the right key unless told. */
export function sample(type: ClaimType | MemberType, changes: Fields = {}, envelope: Envelope = {}): RawMessage {
  const { key: keyField, required } = { ...CLAIM_SAMPLES, ...MEMBER_SAMPLES }[type];
  const fields: Fields = { ...required, ...changes };
  return record(JSON.stringify(fields), { key: String(fields[keyField]), type, ...envelope });
}
