import type { Dice } from './dice.ts';
import { damaged, hostileJson, hostileText, hugeJson, isRare } from './hostile.ts';

/** A record as a sender nobody can trust puts it on an input topic. */
export interface HostileRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
}

export type Stream = 'claims' | 'members';

const AT = '2025-03-10T09:00:00+08:00';
const AMOUNTS = ['0.00', '1', '20.5', '150.00'];
const SWITCH = [true, false];

/** What is well said in each field; whole amounts of a claim are seldom among them, so that they add up often enough. */
const WELL_SAID: Readonly<Record<string, readonly unknown[]>> = {
  ...{
    claim_id: ['C1', 'C2', 'C3'],
    refund_id: ['R1', 'R2'],
    premium_id: ['Q1', 'C1'],
    binding_id: ['B1', 'B2', 'B3'],
  },
  ...{ change_id: ['H1', 'H2'], credit_id: ['K1', 'K2'], contribution_id: ['N1', 'N2'], check_id: ['A1'] },
  ...{
    psn_no: ['P1', 'P2', 'P3'],
    payer: ['P2', 'P3'],
    beneficiary: ['P1', 'P3'],
    mdtrt_id: ['M1'],
    psn_name: ['张三'],
  },
  ...{
    fixmedins_code: ['H33010600001'],
    medins_setl_id: ['S9'],
    designated: SWITCH,
    fix_blng_admdvs: ['330106', '420106'],
  },
  ...{ med_type: ['11', '21', '41', '9107'], purpose: ['MEDICAL', 'COSMETIC', 'FITNESS'], cross_region_filed: SWITCH },
  ...{ acct_used_flag: ['0', '1'], setl_time: [AT, '2025-12-31T15:59:59Z'], at: [AT, '2025-01-01T00:00:00+08:00'] },
  ...{ medfee_sumamt: ['350.00'], fund_pay_sumamt: ['200.00'], psn_part_amt: ['150.00', 150], hosp_part_amt: ['0.00'] },
  ...{ fulamt_ownpay_amt: ['10.00'], overlmt_selfpay: ['20.00'], preselfpay_amt: ['20.00'], inscp_scp_amt: ['300.00'] },
  ...{
    amount: AMOUNTS,
    year: [2025, 2024],
    period: ['2025-01', '2025-02'],
    due_date: ['2025-02-28'],
    on: ['2025-03-10'],
  },
  ...{ insutype: ['310', '390'], psn_type: ['1101', '12'], employment: ['ACTIVE', 'FLEXIBLE', 'RETIRED', 'NONE'] },
  ...{
    insu_admdvs: ['330106', '420100', '110101'],
    insured: SWITCH,
    prior_year: AMOUNTS,
    current_year: AMOUNTS,
    as_of: [AT],
  },
  ...{ status: ['ACTIVE', 'FROZEN', 'CLOSED'], card_active: SWITCH, employer_enabled: SWITCH, wallet_open: SWITCH },
  ...{ unpaid_periods: [[], ['2025-01', '2025-02']], arrears_since: ['2025-02-01'], recovered_on: ['2024-06-01'] },
  ...{ relation: ['SPOUSE', 'CHILD'], bound_at: [AT], type: ['FAMILY_SHARING', 'KINSHIP_CODE'], priority: [1, -2] },
  ...{ state: ['ACTIVE', 'PENDING', 'PAUSED', 'EXPIRED'], pause_reasons: [[], ['USER'], ['USER', 'ARREARS']] },
  ...{
    effective_from: ['2025-01-01'],
    effective_to: ['2026-12-31', null],
    daily_limit: AMOUNTS,
    authorised_amount: AMOUNTS,
  },
  ...{ premium_registered: SWITCH, reason: ['USER', 'ARREARS', 'INTEREST'], shard: [0, 3], shards: [6] },
};

const BOUND =
  'binding_id payer beneficiary relation bound_at | type priority effective_from effective_to daily_limit authorised_amount premium_registered';
const MOVED = 'binding_id payer at |';
const FACTS = 'insutype psn_type employment insu_admdvs insured';
const SWITCHES = 'status card_active employer_enabled wallet_open psn_name';

/** Every event: its required fields, then, after the bar, its optional ones. The key is the first of those that name a person. */
const EVENTS: Readonly<Record<Stream, Readonly<Record<string, string>>>> = {
  claims: {
    'claim.submitted':
      'psn_no claim_id mdtrt_id fixmedins_code designated fix_blng_admdvs med_type setl_time medfee_sumamt fund_pay_sumamt psn_part_amt | hosp_part_amt purpose cross_region_filed acct_used_flag medins_setl_id fulamt_ownpay_amt overlmt_selfpay preselfpay_amt inscp_scp_amt',
    'claim.refunded': 'psn_no refund_id claim_id at | amount',
    'premium.submitted': 'beneficiary payer premium_id year amount at |',
  },
  members: {
    'account.opened': `psn_no ${FACTS} | prior_year current_year as_of unpaid_periods arrears_since recovered_on ${SWITCHES}`,
    'account.changed': `psn_no change_id at | ${FACTS} ${SWITCHES}`,
    'account.credited': 'psn_no credit_id amount at | reason',
    'contribution.received': 'psn_no contribution_id period at | amount',
    'contribution.missed': 'psn_no period due_date | at',
    'contribution.recovered': 'psn_no period at |',
    'binding.opened': `${BOUND} state pause_reasons`,
    'binding.requested': BOUND,
    'binding.approved': MOVED,
    'binding.rejected': MOVED,
    'binding.revoked': MOVED,
    'binding.changed': `change_id ${MOVED} priority daily_limit authorised_amount effective_to premium_registered`,
    'binding.paused': MOVED,
    'binding.resumed': `${MOVED} reason`,
    'refund.paid': 'psn_no refund_id at amount |',
    'arrears.check': 'check_id on | shard shards',
  },
};
const KEYS = ['psn_no', 'payer', 'beneficiary'];

type Field = [name: string, source: string];

/** A well-formed event, field by field in JSON's source text. */
function wellFormed(dice: Dice, stream: Stream): { type: string; key: string; fields: Field[] } {
  const type = dice.pick(Object.keys(EVENTS[stream]));
  const [required = [], optional = []] = (EVENTS[stream][type] ?? '')
    .split('|')
    .map((part) => part.match(/\w+/g) ?? []);
  const names = [...required, ...optional.filter(() => dice.chance(30))];
  const fields = names.map((name): Field => [name, JSON.stringify(dice.pick(WELL_SAID[name] ?? ['x']))]);
  const keyField = required.find((name) => KEYS.includes(name) && !(stream === 'members' && name === 'beneficiary'));
  const key = fields.find(([name]) => name === keyField)?.[1] ?? '"P1"';
  return { type, key: JSON.parse(key) as string, fields };
}

const nameOf = (dice: Dice): string =>
  dice.pick(['__proto__', 'constructor', 'toString', 'ce_type', 'amount', '', 'note']);

/** Spoils some fields: another value, none, twice, one more. */
function spoilt(dice: Dice, fields: readonly Field[]): Field[] {
  const spoil = (field: Field): Field[] =>
    dice.way<Field[]>(
      () => [[field[0], isRare(dice) ? hugeJson(dice) : hostileJson(dice)]],
      () => [],
      () => [field, [field[0], hostileJson(dice)]],
      () => [field, [nameOf(dice), hostileJson(dice)]],
      () => [[field[0].toUpperCase(), field[1]]],
    );
  const chosen = dice.int(0, Math.max(0, fields.length - 1));
  const percent = dice.pick([0, 0, 10, 50]);
  return fields.flatMap((field, place) => (place === chosen || dice.chance(percent) ? spoil(field) : [field]));
}

const HEADERS = [
  'ce_type',
  'ce_time',
  'ce_id',
  'traceparent',
  'content-type',
  '__proto__',
  '',
  '0',
  'ce_type ',
  'gongji-code',
];

/** More headers, before or after the right one: repeated, empty, numbered, not UTF-8, long. */
function hostileHeaders(dice: Dice): [string, Buffer][] {
  return dice.list(4, () => [
    dice.way(
      () => dice.pick(HEADERS),
      () => hostileText(dice).toWellFormed(),
    ),
    dice.way(
      () => Buffer.from(hostileText(dice)),
      () => dice.bytes(20),
      () => Buffer.alloc(0),
      () => Buffer.from('9999-12-31T23:59:59-23:59'),
      () => Buffer.alloc(dice.pick([1, 4_096]), 0xff),
    ),
  ]);
}

/** One hostile record: mostly a well-formed event that is spoilt in a few places, sometimes nothing of the kind. */
export function hostileRecord(dice: Dice, stream: Stream): HostileRecord {
  const { type, key, fields } = wellFormed(dice, dice.chance(95) ? stream : dice.pick(['claims', 'members'] as const));
  const parts = dice.chance(90) ? spoilt(dice, fields) : fields;
  const text = `{${parts.map(([name, source]) => `${JSON.stringify(name)}:${source}`).join(',')}}`;
  const whole = Buffer.from(dice.chance(2) ? hostileJson(dice) : text);
  const value = dice.chance(15) ? damaged(dice, whole) : whole;
  const right: [string, Buffer] = ['ce_type', Buffer.from(type)];
  const more = dice.chance(20) ? hostileHeaders(dice) : [];
  return {
    key: dice.chance(5) ? dice.pick([null, Buffer.alloc(0), dice.bytes(8), Buffer.from('\ufeffP1')]) : Buffer.from(key),
    value: dice.chance(1) ? null : value,
    headers: dice.pick([[right, ...more], [right, ...more], [...more, right], more.length > 0 ? more : [right]]),
  };
}
