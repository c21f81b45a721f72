import {
  BACKDATED_REASONS,
  CLAIM_REFUSAL_CODES,
  OWN_SKIP_CODES,
  PREMIUM_REFUSAL_CODES,
  REFUND_REFUSAL_CODES,
  RELATIONS,
  RELATIVE_SKIP_CODES,
  SERVICE_CLASSES,
} from '@repo/domain';
import { z } from 'zod';
import { INSTANT_PATTERN } from './fields.ts';

/*
 * What is published and what HTTP answers, as schemas: for whoever generates a client, and for the tests that hold the encoders to
 * them. Nothing that leaves is checked against them at run time. Readers ignore fields they do not know.
 */

/** Known codes, with room for later ones: a reader treats an unknown code as text. */
export const codes = <const T extends readonly string[]>(today: T) =>
  z.union([z.enum(today), z.string() as z.ZodType<string & Record<never, never>>]);

const text = z.string();
const yuan = z.string().regex(/^-?\d{1,14}\.\d{2}$/);
const moment = z.string().meta({ format: 'date-time' });
/** In the text that the claim stated. */
const echoedMoment = z.string().meta({ pattern: INSTANT_PATTERN });
const day = z.string().meta({ format: 'date' });
const month = z.string().regex(/^\d{4}-\d{2}$/);
const area = z.string().regex(/^\d{6}$/);

/** A person and their account. Portions and balance are null without one. */
export const accountAnswer = z.object({
  psn_no: text,
  psn_name: text.nullable(),
  insutype: text,
  psn_type: text,
  employment: z.enum(['ACTIVE', 'FLEXIBLE', 'RETIRED', 'NONE']),
  insu_admdvs: area,
  insured: z.boolean(),
  status: z.enum(['ACTIVE', 'FROZEN', 'CLOSED']).describe('of the account'),
  card_active: z.boolean(),
  employer_enabled: z.boolean(),
  wallet_open: z.boolean(),
  prior_year: yuan.nullable(),
  current_year: yuan.nullable(),
  balance: yuan.nullable(),
  in_arrears: z.boolean(),
  arrears_since: day.nullable(),
  recovered_on: day.nullable(),
  unpaid_periods: z.array(month),
});

export const bindingAnswer = z.object({
  binding_id: text,
  payer: text,
  beneficiary: text,
  relation: z.enum(RELATIONS),
  bound_at: moment,
  type: z.enum(['FAMILY_SHARING', 'KINSHIP_CODE']),
  state: z.enum(['PENDING', 'REJECTED', 'ACTIVE', 'PAUSED', 'REVOKED', 'EXPIRED']),
  pause_reasons: z.array(z.enum(['ARREARS', 'EMPLOYER_OFF', 'USER', 'ZERO_BALANCE'])),
  priority: z.int().nullable(),
  effective_from: day,
  effective_to: day.nullable(),
  daily_limit: yuan.nullable(),
  authorised_amount: yuan.nullable(),
  premium_registered: z.boolean(),
});

const changedValue = z.union([text, z.number(), z.boolean()]).nullable();

/** The history of a binding since it was requested or opened: the published events, and the payer's changes. */
export const bindingHistoryAnswer = z.object({
  binding_id: text,
  bound_at: moment,
  events: z
    .array(
      z.object({
        ce_type: text,
        at: moment,
        reason: z
          .enum(['ARREARS', 'EMPLOYER_OFF', 'USER', 'ZERO_BALANCE'])
          .nullable()
          .describe('which reason came or went; null where it was no pause'),
        state: text.nullable(),
        effective_on: day.nullable(),
        cause: z
          .object({ ce_type: text, id: text })
          .nullable()
          .describe(
            'the event that led to it; null where it is the command itself, or where only the beneficiary asks',
          ),
        code: text.nullable().describe('why a request was refused'),
        changes: z
          .array(
            z.object({
              field: text.describe('as `binding.changed` calls it'),
              before: changedValue.describe('what it was'),
              after: changedValue.describe('what it is from then on'),
            }),
          )
          .optional()
          .describe('of a `binding.changed`: its fields that got another value; null = none'),
      }),
    )
    .describe('the earliest first'),
});

export const bindingsAnswer = z.object({ bindings: z.array(bindingAnswer), next: text.optional() });

const source = z.enum(['OWN', 'RELATIVE']);

const allocation = z.object({
  source,
  account: text,
  binding_id: text.optional(),
  relation: z.enum(RELATIONS).optional(),
  amount: yuan,
  prior_year: yuan,
  current_year: yuan,
  authorised: z.literal(true).optional(),
  portion_order: z.literal('PRIOR_YEAR_FIRST').optional(),
});

const skip = z.object({
  source,
  account: text,
  binding_id: text.optional(),
  code: codes([...new Set([...OWN_SKIP_CODES, ...RELATIVE_SKIP_CODES])]),
  parameter: codes(['dailyLimitDefault', 'dailyLimitMax', 'perClaimPayerCap']).optional(),
});

const rules = z.object({ region: area, version: text });

/** The four totals that every form of a settlement repeats from the claim. */
const totals = { medfee_sumamt: yuan, fund_pay_sumamt: yuan, hosp_part_amt: yuan, psn_part_amt: yuan } as const;
const parts = { acct_pay: yuan, acct_mulaid_pay: yuan, psn_cash_pay: yuan } as const;
const heading = {
  setl_id: text,
  mdtrt_id: text,
  medins_setl_id: text.nullable(),
  psn_no: text,
  fixmedins_code: text,
  med_type: text,
  clr_type: z.enum(['11', '21', '41', '99']),
  setl_time: echoedMoment,
  refd_setl_flag: z.literal('0'),
} as const;

/** The outcome as the output node of 2207 or 2304, with totals as the patient's region prints them. */
export const nhsaAnswer = z.object({
  infno: z.enum(['2207', '2304']),
  setlinfo: z.object({ ...heading, ...totals, ...parts, balc: yuan }),
});

/** `settlement.settled` and `settlement.refused`. */
export const settlementOutcome = z.object({
  claim_id: text,
  ...heading,
  status: z.enum(['SETTLED', 'REFUSED']),
  code: codes(CLAIM_REFUSAL_CODES).nullable(),
  ...totals,
  ...parts,
  balc: yuan,
  allocation: z.array(allocation),
  skipped: z.array(skip),
  asked: z.array(text).optional(),
  policy: z.array(rules.extend({ payers: z.array(text).optional() })),
  nhsa: nhsaAnswer.optional(),
});

/** A settlement that would be made: without a settlement id, and without the national form, which contains one. */
export const quoteAnswer = settlementOutcome.omit({ setl_id: true, nhsa: true });

/** `premium.settled` and `premium.refused`. */
export const premiumOutcome = z.object({
  premium_id: text,
  payer: text,
  beneficiary: text,
  binding_id: text.nullable(),
  year: z.int(),
  amount: yuan.nullable(),
  at: moment,
  status: z.enum(['SETTLED', 'REFUSED']),
  code: codes(PREMIUM_REFUSAL_CODES).nullable(),
  allocation: z.array(allocation).optional(),
  policy: z.array(rules).optional(),
});

/** `refund.settled` and `refund.refused`; the three parts are negative. */
export const refundOutcome = z.object({
  refund_id: text,
  claim_id: text,
  psn_no: text,
  at: moment,
  status: z.enum(['REFUNDED', 'REFUSED']),
  code: codes(REFUND_REFUSAL_CODES).nullable(),
  refd_setl_flag: z.literal('1'),
  amount: yuan,
  returned: z.array(
    z.object({
      source: z.enum(['CASH', 'OWN', 'RELATIVE']),
      account: text.optional(),
      binding_id: text.optional(),
      amount: yuan,
      manual: z.literal(true).optional(),
    }),
  ),
  ...parts,
});

const standing = { refunds: z.array(refundOutcome), refundable: yuan } as const;
/** The published outcome of a claim or premium, its refunds, and what is left to refund. */
export const claimStanding = settlementOutcome.extend(standing);
export const premiumStanding = premiumOutcome.extend(standing);

/** What HTTP answers for a claim or premium, in the requested form. */
export const settlementAnswer = z.union([claimStanding, premiumStanding, nhsaAnswer]);

/** One row of the usage details (共济使用明细); only a payer's own list has the last two. */
const usageRow = z.object({
  claim_id: text,
  setl_id: text.nullable(),
  kind: z.enum(['CLAIM', 'PREMIUM']),
  setl_time: echoedMoment,
  payer: text,
  beneficiary: text,
  binding_id: text.nullable(),
  relation: z.enum(RELATIONS).nullable(),
  fixmedins_code: text.nullable(),
  service_class: z.enum(SERVICE_CLASSES).nullable(),
  amount: yuan,
  portion_prior: yuan,
  portion_current: yuan,
  refunded: yuan,
  refd_setl_flag: z.enum(['0', '1']),
  balance_after: yuan.optional(),
  daily_headroom: yuan.nullable().optional(),
});
export const usageAnswer = z.object({ rows: z.array(usageRow), next: text.optional() });
/** The columns of an export, in order. */
export const USAGE_COLUMNS = Object.keys(usageRow.shape);

const amounts = { amount: yuan.describe('drawn'), refunded: yuan, net: yuan } as const;

/** A draw that stands although facts that became known later speak against it; of a claim or of a premium. */
const backdatedDraw = z.object({
  claim_id: text.nullable(),
  premium_id: text.nullable(),
  setl_id: text.nullable(),
  on: day,
  binding_id: text,
  beneficiary: text,
  relation: z.enum(RELATIONS),
  ...amounts,
  reasons: z.array(
    z.object({
      code: z.enum(BACKDATED_REASONS).describe('as a claim would have been told'),
      since: day,
      cause: z.object({ ce_type: text, id: text }),
      known_at: moment,
    }),
  ),
});
/** Money held to be paid out by hand. */
export const heldRefundsAnswer = z.object({
  held: z.array(z.object({ psn_no: text, refund_id: text, on: day, amount: yuan, paid_out: yuan, open: yuan })),
  next: text.optional(),
});

export const backdatedAnswer = z.object({
  payers: z
    .array(z.object({ payer: text, count: z.int(), ...amounts, draws: z.array(backdatedDraw) }))
    .describe('by ascending person number'),
  next: text.optional(),
});

/** One line in the list of what was published about a person. */
const summary = z.object({
  kind: z
    .enum(['CLAIM', 'PREMIUM', 'REFUND', 'REJECTED'])
    .describe('what it answers; REJECTED: a message that could not be used'),
  claim_id: text.describe('the claim or premium it is about'),
  refund_id: text.nullable(),
  status: z.enum(['SETTLED', 'REFUSED', 'REJECTED', 'REFUNDED']),
  code: text.nullable(),
  setl_time: echoedMoment
    .nullable()
    .describe('结算时间: of a refund or premium its own moment; null of what was rejected'),
  service_class: z.enum(SERVICE_CLASSES).nullable(),
  fixmedins_code: text.nullable(),
  medfee_sumamt: yuan.nullable(),
  fund_pay_sumamt: yuan.nullable(),
  psn_part_amt: yuan.nullable().describe('个人负担总金额: the personal share; of a refund or premium its amount'),
  acct_pay: yuan.nullable(),
  acct_mulaid_pay: yuan.nullable(),
  psn_cash_pay: yuan.nullable(),
});
export const summariesAnswer = z.object({
  settlements: z.array(summary).describe('the last published first'),
  next: text.optional(),
});

const counted = z.array(z.object({ code: text, count: z.int().describe('how often') }));
/** The sums of one day of settlement, of the outcomes counted so far. */
export const totalsAnswer = z.object({
  day,
  days: z.array(day).describe('the days of which anything has been counted, the latest first'),
  complete: z
    .boolean()
    .describe('whether every outcome there is has been counted; else the sums are of the latest only'),
  statuses: z.array(z.object({ status: text, count: z.int().describe('how many') })),
  medfee_sumamt: yuan,
  fund_pay_sumamt: yuan,
  psn_part_amt: yuan,
  acct_pay: yuan,
  acct_mulaid_pay: yuan,
  psn_cash_pay: yuan,
  refunded: yuan.describe('given back by refunds of that day'),
  premiums: yuan.describe('paid in premiums of that day'),
  refused: counted.describe('why claims and premiums were refused, the most frequent first'),
  skipped: counted.describe('why accounts that were asked paid nothing, the most frequent first'),
  hours: z
    .array(z.object({ hour: z.int(), claims: z.int(), acct_pay: yuan, acct_mulaid_pay: yuan, psn_cash_pay: yuan }))
    .describe('the hours with claims, by their time of settlement'),
});

/** What the system is doing at this moment. */
export const liveAnswer = z.object({
  at: moment,
  answered: z.int(),
  unpublished: z.int(),
  paused_payers: z.int(),
  paused: z.array(
    z.object({
      reason: z.enum(['ARREARS', 'EMPLOYER_OFF', 'USER', 'ZERO_BALANCE']).describe('why'),
      bindings: z.int().describe('how many bindings'),
    }),
  ),
  waiting: z.int().nullable(),
  latency: z.object({ p50: z.number(), p99: z.number() }).nullable(),
});

/** Which alert rules would fire now, as far as that can be judged without a history, and what staff still have to do. */
export const alertsAnswer = z.object({
  at: moment,
  alerts: z.array(
    z.object({
      alert: text.describe('the name of the rule in deploy/monitoring/alerts.yaml, and of its page in the runbook'),
      severity: z.enum(['page', 'ticket']).describe('page: now; ticket: the next morning'),
      topic: z.enum(['claims', 'members']).nullable().describe('of which input topic; null: of none alone'),
      value: z.int().describe('what was found'),
      over: z.int().describe('the rule begins above this'),
    }),
  ),
  judged: z.array(text).describe('the rules that were looked at; others only Prometheus can judge'),
  to_do: z.object({
    held_refunds: z.int().describe('persons to whom refunds are to be paid by hand, at most 100'),
    unfinished_checks: z.int().describe('checks for missed contributions that have begun and not come to their end'),
  }),
});

export const arrearsChecksAnswer = z.object({
  checks: z
    .array(
      z.object({
        check_id: text,
        on: day.describe('the date checked'),
        shards: z.int().describe('shards that have begun it'),
        finished: z.int(),
        checked: z.int(),
        marked: z.int(),
        paused: z.int().describe('how many bindings it paused'),
        started_at: moment,
        moved_at: moment,
      }),
    )
    .describe('the last begun first'),
  next: text.optional(),
});

const parameterValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.string()),
  z.record(z.string(), z.array(z.string())),
  z.null(),
]);
const pack = z.object({
  region: text.describe('6 digits, or the name of a template'),
  from: day.nullable(),
  to: day.nullable(),
});
const rulesInForce = z.object({
  on: day.describe('the date they are asked for'),
  area: area.describe('the area they are asked for'),
  region: area,
  version: text,
});

/** The existing packs, and the rules of an area on one date beside those of another. */
export const policiesAnswer = z.object({
  packs: z.array(pack).describe('by region, the earliest first'),
  changes: z.array(day).describe('the days on which a pack begins, or the day after it ends'),
});
export const policyAnswer = z.object({
  insu_admdvs: area,
  rules: rulesInForce,
  other: rulesInForce.describe('of the date and area to compare with'),
  parameters: z
    .array(
      z.object({
        parameter: text,
        zh: text.describe('its meaning in Chinese'),
        en: text.describe('its meaning in English'),
        value: parameterValue.describe('on the first date'),
        set_by: text.nullable().describe('the region and date of the pack that set it; null: the default'),
        other: parameterValue.describe('on the other date, in the other area'),
        other_set_by: text.nullable().describe('the same of the other'),
        differs: z.boolean(),
      }),
    )
    .describe('every parameter there is'),
  changes: z
    .array(
      z.object({
        on: day.describe('the first day'),
        parameters: z.array(text).describe('what is not as the day before'),
      }),
    )
    .describe('the days on which the rules of this area change, the earliest first'),
});

/** Every code that an outcome can carry. */
export const codesAnswer = z.object({
  codes: z.array(
    z.object({
      code: text,
      kind: z.enum(['RULE', 'STATE', 'MONEY', 'CHOICE', 'INPUT']).describe('what decided'),
      zh: text.describe('a sentence in Chinese'),
      en: text.describe('a sentence in English'),
    }),
  ),
});
