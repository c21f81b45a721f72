import { type PublishedEvent, parseInstant } from '@repo/contracts';
import { type CalendarDate, dateOf, formatInstant, serviceClassOf } from '@repo/domain';

type Valued = Pick<PublishedEvent, 'type' | 'value'>;
type Of<T extends PublishedEvent['type']> = Extract<PublishedEvent, { type: T }>['value'];
type Claim = Of<'settlement.settled'> | Of<'settlement.refused'>;

type Cell = string | null;
interface Column {
  readonly type: 'VARCHAR' | 'DATE' | 'TIMESTAMPTZ' | 'DECIMAL(16,2)';
  readonly words: string;
}

const text = (words: string): Column => ({ type: 'VARCHAR', words });
const yuan = (words: string): Column => ({ type: 'DECIMAL(16,2)', words });
const onDay: Column = { type: 'DATE', words: 'the date in Shanghai' };

/**
 * The exported tables with their columns in order. Person numbers are those of the topics, so that rows can be joined; no table has names,
 * certificate numbers or balances.
 */
export const TABLES = {
  settlements: {
    on_day: onDay,
    setl_time: { type: 'TIMESTAMPTZ', words: '结算时间' },
    claim_id: text('the sender’s message id of the claim'),
    setl_id: text('结算ID'),
    mdtrt_id: text('就诊ID'),
    medins_setl_id: text('医药机构结算ID'),
    psn_no: text('人员编号 of the patient'),
    insu_admdvs: text('参保地医保区划 by whose rules it was settled; empty where nobody knows the patient'),
    fixmedins_code: text('定点医药机构编号'),
    med_type: text('医疗类别'),
    service_class: text('the class of the visit type'),
    clr_type: text('清算类别'),
    status: text('SETTLED or REFUSED'),
    code: text('why it was refused'),
    medfee_sumamt: yuan('医疗费总额'),
    fund_pay_sumamt: yuan('基金支付总额'),
    hosp_part_amt: yuan('医院负担金额'),
    psn_part_amt: yuan('个人负担总金额'),
    acct_pay: yuan('个人账户支出, the patient’s own alone'),
    acct_mulaid_pay: yuan('个人账户共济支付金额, the relatives’'),
    psn_cash_pay: yuan('个人现金支出'),
  },
  payments: {
    on_day: onDay,
    claim_id: text('of the claim or premium'),
    kind: text('CLAIM, or PREMIUM 代缴城乡居民医保'),
    beneficiary: text('人员编号 of whom it was paid for'),
    payer: text('人员编号 of whose account paid'),
    source: text('OWN or RELATIVE'),
    relation: text('the beneficiary is the payer’s …; empty for the own account'),
    binding_id: text('共济关系'),
    service_class: text('of the claim; empty for a premium'),
    amount: yuan('paid, before any refund'),
    portion_prior: yuan('of it from 历年账户'),
    portion_current: yuan('of it from 当年账户'),
  },
  skips: {
    on_day: onDay,
    claim_id: text('of the claim'),
    psn_no: text('人员编号 of the patient'),
    source: text('OWN or RELATIVE'),
    account: text('人员编号 of whose account was passed over'),
    binding_id: text('共济关系'),
    code: text('why'),
    psn_cash_pay: yuan('what the claim left in cash, of all its sources'),
  },
  refunds: {
    on_day: onDay,
    refund_id: text('of the refund'),
    claim_id: text('of the claim or premium'),
    psn_no: text('人员编号 of the patient'),
    source: text('CASH, OWN or RELATIVE'),
    account: text('人员编号 of whose account it went to'),
    binding_id: text('共济关系'),
    amount: yuan('given back'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Column>>>>;
export type Table = keyof typeof TABLES;
export type ExportedRow<T extends Table = Table> = {
  [K in T]: { readonly table: K; readonly cells: Record<keyof (typeof TABLES)[K], Cell> };
}[T];

export interface Range {
  readonly from: CalendarDate;
  readonly to: CalendarDate;
}

const dayOf = (moment: string): CalendarDate => dateOf(parseInstant(moment) ?? Number.NaN);

/** An outcome echoes its claim's moment as it was written, without seconds perhaps, which DuckDB does not take. */
const inFull = (moment: string): string => formatInstant(parseInstant(moment) ?? Number.NaN);

/** The rows of one published outcome; none where it falls on no day of the range, or moved nothing. */
export function rowsOf({ type, value }: Valued, { from, to }: Range): ExportedRow[] {
  const within = (moment: string): CalendarDate | null => {
    const day = dayOf(moment);
    return day < from || day > to ? null : day;
  };
  switch (type) {
    case 'settlement.settled':
    case 'settlement.refused': {
      const claim = value as Claim;
      const on_day = within(claim.setl_time);
      return on_day === null ? [] : claimRows(claim, on_day);
    }
    case 'premium.settled': {
      const premium = value as Of<'premium.settled'>;
      const on_day = within(premium.at);
      const paid = {
        on_day,
        claim_id: premium.premium_id,
        kind: 'PREMIUM',
        beneficiary: premium.beneficiary,
        service_class: null,
      };
      return on_day === null ? [] : (premium.allocation ?? []).map((part) => paymentRow(part, paid));
    }
    case 'refund.settled': {
      const { at, refund_id, claim_id, psn_no, returned } = value as Of<'refund.settled'>;
      const on_day = within(at);
      if (on_day === null) return [];
      return returned.map(({ source, account = null, binding_id = null, amount }) => ({
        table: 'refunds',
        cells: { on_day, refund_id, claim_id, psn_no, source, account, binding_id, amount },
      }));
    }
    default:
      return [];
  }
}

function claimRows(claim: Claim, on_day: CalendarDate): ExportedRow[] {
  const service_class = serviceClassOf(claim.med_type);
  const paid = { on_day, claim_id: claim.claim_id, kind: 'CLAIM', beneficiary: claim.psn_no, service_class };
  const cells = Object.fromEntries(
    Object.keys(TABLES.settlements).map((name) => [name, (claim as unknown as Record<string, Cell>)[name] ?? null]),
  ) as ExportedRow<'settlements'>['cells'];
  const reckoned = { setl_time: inFull(claim.setl_time), insu_admdvs: claim.policy[0]?.region ?? null };
  return [
    { table: 'settlements', cells: { ...cells, on_day, service_class, ...reckoned } },
    ...claim.allocation.map((part) => paymentRow(part, paid)),
    ...claim.skipped.map(({ source, account, binding_id = null, code }): ExportedRow => {
      const { claim_id, psn_no, psn_cash_pay } = claim;
      return { table: 'skips', cells: { on_day, claim_id, psn_no, source, account, binding_id, code, psn_cash_pay } };
    }),
  ];
}

const paymentRow = (
  part: Of<'settlement.settled'>['allocation'][number],
  paid: Pick<ExportedRow<'payments'>['cells'], 'on_day' | 'claim_id' | 'kind' | 'beneficiary' | 'service_class'>,
): ExportedRow => ({
  table: 'payments',
  cells: {
    ...paid,
    payer: part.account,
    source: part.source,
    relation: part.relation ?? null,
    binding_id: part.binding_id ?? null,
    amount: part.amount,
    portion_prior: part.prior_year,
    portion_current: part.current_year,
  },
});
