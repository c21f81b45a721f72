import {
  ACCOUNT_STATUSES,
  BEGINNING,
  BINDING_STATES,
  BINDING_TYPES,
  type Binding,
  type BindingChanges,
  type Cause,
  dateOf,
  EMPLOYMENTS,
  type Instant,
  isZero,
  type MemberEvent,
  PAUSE_REASONS,
  type PersonChanges,
  periodOf,
  RELATIONS,
  yearOf,
} from '@repo/domain';
import { z } from 'zod';
import {
  amount,
  area,
  calendarDate,
  commandFields,
  countedDate,
  flag,
  id,
  instant,
  integer,
  oneOf,
  optional,
  period,
  positiveAmount,
  toInstant,
  toMoney,
} from './fields.ts';

const code = z.string({ error: 'expected a code' }).regex(/^[0-9A-Za-z]{1,10}$/, { error: 'expected a code' });
const name = id;
const priority = integer(-2_147_483_648, 2_147_483_647);

const facts = {
  insutype: code,
  psn_type: code,
  employment: oneOf(EMPLOYMENTS),
  insu_admdvs: area,
  insured: flag,
};

const switches = {
  status: oneOf(ACCOUNT_STATUSES),
  card_active: flag,
  employer_enabled: flag,
  wallet_open: flag,
  psn_name: name,
};

const accountOpened = z.object({
  psn_no: id,
  ...facts,
  prior_year: optional(amount),
  current_year: optional(amount),
  as_of: optional(instant),
  status: optional(switches.status),
  card_active: optional(flag),
  employer_enabled: optional(flag),
  wallet_open: optional(flag),
  unpaid_periods: optional(z.array(period, { error: 'expected a list of months YYYY-MM' }).max(1200)),
  arrears_since: optional(countedDate),
  recovered_on: optional(countedDate),
  psn_name: optional(name),
  // Whatever it is, as before it was a field: nothing reads it.
  certno: z.unknown().optional(),
});

const accountChanged = z.object({
  change_id: id,
  psn_no: id,
  at: instant,
  insutype: optional(facts.insutype),
  psn_type: optional(facts.psn_type),
  employment: optional(facts.employment),
  insu_admdvs: optional(facts.insu_admdvs),
  insured: optional(facts.insured),
  status: optional(switches.status),
  card_active: optional(flag),
  employer_enabled: optional(flag),
  wallet_open: optional(flag),
  psn_name: optional(name),
});

const accountCredited = z.object({
  credit_id: id,
  psn_no: id,
  amount: positiveAmount,
  at: instant,
  reason: optional(oneOf(['CONTRIBUTION', 'INTEREST', 'INHERITANCE', 'ADJUSTMENT'])).describe('why money came in'),
});

const contributionReceived = z.object({
  contribution_id: id,
  psn_no: id,
  period,
  at: instant,
  amount: optional(amount),
});
const contributionMissed = z.object({ psn_no: id, period, due_date: countedDate, at: optional(instant) });
const contributionRecovered = z.object({ psn_no: id, period, at: instant });

const binding = z.object({
  binding_id: id,
  payer: id,
  beneficiary: id,
  relation: oneOf(RELATIONS),
  bound_at: instant,
  type: optional(oneOf(BINDING_TYPES)),
  priority: optional(priority),
  effective_from: optional(calendarDate),
  effective_to: optional(calendarDate),
  daily_limit: optional(amount),
  authorised_amount: optional(amount),
  premium_registered: optional(flag),
});
/** JSON Schema for: the state is another one, or `demanded` holds. */
const unless = (state: string, demanded: object) => ({
  anyOf: [{ not: { properties: { state: { const: state } }, required: ['state'] } }, demanded],
});
/** The last day of a binding that is imported as expired must be stated, and over (see `decodeMembers`). */
export const EXPIRED_PROBLEM = 'expected the last day of an expired binding, and that it is over';
const bindingRequested = binding.extend(commandFields);
const bindingOpened = binding
  .extend({
    state: optional(oneOf([...BINDING_STATES, 'EXPIRED'])),
    pause_reasons: optional(z.array(oneOf(PAUSE_REASONS), { error: `expected a list of ${PAUSE_REASONS.join(', ')}` })),
  })
  .refine(({ state, pause_reasons }) => state !== 'PAUSED' || (pause_reasons ?? []).length > 0, {
    error: 'expected at least one reason for a paused binding',
    path: ['pause_reasons'],
  })
  .refine(({ state, effective_to }) => state !== 'EXPIRED' || effective_to != null, {
    error: EXPIRED_PROBLEM,
    path: ['effective_to'],
  })
  .meta({
    allOf: [
      unless('PAUSED', { properties: { pause_reasons: { type: 'array', minItems: 1 } }, required: ['pause_reasons'] }),
      unless('EXPIRED', { properties: { effective_to: { type: 'string' } }, required: ['effective_to'] }),
    ],
  });

const bindingMoved = z.object({ binding_id: id, payer: id, at: instant, ...commandFields });
const bindingResumed = bindingMoved.extend({ reason: optional(oneOf(['USER', 'ARREARS'])) });
const bindingChanged = bindingMoved.extend({
  change_id: id,
  priority: optional(priority),
  daily_limit: optional(amount),
  authorised_amount: optional(amount),
  effective_to: optional(calendarDate),
  premium_registered: optional(flag),
});
const refundPaid = z.object({ refund_id: id, psn_no: id, at: instant, amount: positiveAmount });
export const arrearsCheck = z.object({
  check_id: id,
  on: countedDate.describe('months due before this date and not paid are missed'),
  shard: optional(integer(0, 9999)),
  shards: optional(integer(1, 10_000)),
});

/** The schemas of `gongji.members.v1` by event type, without `arrears.check`, which is a job and no fact about a person. */
export const memberSchemas = {
  'account.opened': accountOpened,
  'account.changed': accountChanged,
  'account.credited': accountCredited,
  'contribution.received': contributionReceived,
  'contribution.missed': contributionMissed,
  'contribution.recovered': contributionRecovered,
  'binding.opened': bindingOpened,
  'binding.requested': bindingRequested,
  'binding.approved': bindingMoved,
  'binding.rejected': bindingMoved,
  'binding.revoked': bindingMoved,
  'binding.changed': bindingChanged,
  'binding.paused': bindingMoved,
  'binding.resumed': bindingResumed,
  'refund.paid': refundPaid,
} as const;
export type MemberType = keyof typeof memberSchemas;

type Wire<T extends MemberType> = z.output<(typeof memberSchemas)[T]>;

/** Turns each type of member message into an event of the domain. `now`: the event's moment where it states none. */
export const toMemberEvent: { readonly [T in MemberType]: (wire: Wire<T>, now: Instant) => MemberEvent } = {
  'account.opened': (wire, now) => {
    const asOf = wire.as_of == null ? now : toInstant(wire.as_of);
    const noAccount = wire.prior_year == null && wire.current_year == null;
    return {
      kind: 'ACCOUNT_OPENED',
      at: now,
      cause: { type: 'account.opened', id: wire.psn_no },
      name: wire.psn_name ?? null,
      unpaidPeriods: wire.unpaid_periods ?? [],
      arrearsSince: wire.arrears_since ?? null,
      asOf,
      person: {
        personNo: wire.psn_no,
        insuranceKind: wire.insutype,
        personCategory: wire.psn_type,
        employment: wire.employment,
        insuredArea: wire.insu_admdvs,
        purse: noAccount
          ? null
          : {
              year: yearOf(dateOf(asOf)),
              priorYear: toMoney(wire.prior_year ?? '0.00'),
              currentYear: toMoney(wire.current_year ?? '0.00'),
            },
        status: wire.status ?? 'ACTIVE',
        cardActive: wire.card_active ?? true,
        employerEnabled: wire.employer_enabled ?? true,
        walletOpen: wire.wallet_open ?? false,
        uninsuredSince: wire.insured ? null : BEGINNING,
        arrearsSince: null,
        spellSince: null,
        lastSpellStart: BEGINNING,
        recoveredOn: wire.recovered_on ?? null,
        asOfPeriod: periodOf(dateOf(asOf)),
      },
    };
  },
  'account.changed': (wire) => {
    const changes: PersonChanges = {
      ...(wire.insutype == null ? {} : { insuranceKind: wire.insutype }),
      ...(wire.psn_type == null ? {} : { personCategory: wire.psn_type }),
      ...(wire.employment == null ? {} : { employment: wire.employment }),
      ...(wire.insu_admdvs == null ? {} : { insuredArea: wire.insu_admdvs }),
      ...(wire.insured == null ? {} : { insured: wire.insured }),
      ...(wire.status == null ? {} : { status: wire.status }),
      ...(wire.card_active == null ? {} : { cardActive: wire.card_active }),
      ...(wire.employer_enabled == null ? {} : { employerEnabled: wire.employer_enabled }),
      ...(wire.wallet_open == null ? {} : { walletOpen: wire.wallet_open }),
    };
    return {
      kind: 'ACCOUNT_CHANGED',
      at: toInstant(wire.at),
      cause: { type: 'account.changed', id: wire.change_id },
      personNo: wire.psn_no,
      changes,
      ...(wire.psn_name == null ? {} : { name: wire.psn_name }),
    };
  },
  'account.credited': (wire) => ({
    kind: 'ACCOUNT_CREDITED',
    at: toInstant(wire.at),
    cause: { type: 'account.credited', id: wire.credit_id },
    personNo: wire.psn_no,
    amount: toMoney(wire.amount),
    reference: wire.credit_id,
  }),
  'contribution.received': (wire) => {
    const paid = wire.amount == null ? null : toMoney(wire.amount);
    return {
      kind: 'CONTRIBUTION_PAID',
      at: toInstant(wire.at),
      cause: { type: 'contribution.received', id: wire.contribution_id },
      personNo: wire.psn_no,
      period: wire.period,
      amount: paid !== null && isZero(paid) ? null : paid,
      reference: wire.contribution_id,
    };
  },
  'contribution.missed': (wire, now) => ({
    kind: 'CONTRIBUTION_MISSED',
    at: wire.at == null ? now : toInstant(wire.at),
    cause: { type: 'contribution.missed', id: `${wire.psn_no}:${wire.period}` },
    personNo: wire.psn_no,
    period: wire.period,
    dueDate: wire.due_date,
  }),
  'contribution.recovered': (wire) => ({
    kind: 'CONTRIBUTION_PAID',
    at: toInstant(wire.at),
    cause: { type: 'contribution.recovered', id: `${wire.psn_no}:${wire.period}` },
    personNo: wire.psn_no,
    period: wire.period,
    amount: null,
    reference: '',
  }),
  'binding.opened': (wire, now) => {
    const reasons = wire.pause_reasons ?? [];
    const ended = ENDED.find((state) => state === wire.state);
    const state = ended ?? (reasons.length > 0 ? 'PAUSED' : 'ACTIVE');
    const holds = new Map(ended === undefined ? reasons.map((reason) => [reason, BEGINNING]) : []);
    return {
      kind: 'BINDING_OPENED',
      at: now,
      cause: { type: 'binding.opened', id: wire.binding_id },
      binding: { ...toBinding(wire), state, holds },
    };
  },
  'binding.requested': (wire) => ({
    kind: 'BINDING_REQUESTED',
    at: toInstant(wire.bound_at),
    cause: { type: 'binding.requested', id: wire.binding_id },
    binding: toBinding(wire),
  }),
  'binding.approved': (wire) => moved('BINDING_APPROVED', 'binding.approved', wire),
  'binding.rejected': (wire) => moved('BINDING_REJECTED', 'binding.rejected', wire),
  'binding.revoked': (wire) => moved('BINDING_REVOKED', 'binding.revoked', wire),
  'binding.paused': (wire) => moved('BINDING_PAUSED', 'binding.paused', wire),
  'binding.resumed': (wire) => ({
    kind: 'BINDING_RESUMED',
    ...movedCause('binding.resumed', wire),
    reason: wire.reason ?? 'USER',
  }),
  'binding.changed': (wire) => {
    const changes: BindingChanges = {
      ...(wire.priority === undefined ? {} : { priority: wire.priority }),
      ...(wire.daily_limit === undefined ? {} : { dailyLimit: moneyOrNull(wire.daily_limit) }),
      ...(wire.authorised_amount === undefined ? {} : { authorisedAmount: moneyOrNull(wire.authorised_amount) }),
      ...(wire.effective_to === undefined ? {} : { effectiveTo: wire.effective_to }),
      ...(wire.premium_registered == null ? {} : { premiumRegistered: wire.premium_registered }),
    };
    const { at, payer, bindingId } = movedCause('binding.changed', wire);
    return {
      kind: 'BINDING_CHANGED',
      at,
      payer,
      bindingId,
      cause: { type: 'binding.changed', id: wire.change_id },
      changes,
    };
  },
  'refund.paid': (wire) => ({
    kind: 'REFUND_PAID',
    at: toInstant(wire.at),
    cause: { type: 'refund.paid', id: wire.refund_id },
    personNo: wire.psn_no,
    refundId: wire.refund_id,
    amount: toMoney(wire.amount),
  }),
};

/** States that pause reasons do not apply to. EXPIRED is not among them: it follows from the date, so such a binding is stored as live. */
export const ENDED = ['PENDING', 'REJECTED', 'REVOKED'] as const;

const moneyOrNull = (text: string | null) => (text === null ? null : toMoney(text));

function movedCause(type: string, wire: z.output<typeof bindingMoved>) {
  const cause: Cause = { type, id: `${wire.binding_id}:${wire.at}` };
  return { at: toInstant(wire.at), cause, payer: wire.payer, bindingId: wire.binding_id };
}

const moved = (
  kind: 'BINDING_APPROVED' | 'BINDING_REJECTED' | 'BINDING_REVOKED' | 'BINDING_PAUSED',
  type: string,
  wire: z.output<typeof bindingMoved>,
): MemberEvent => ({ kind, ...movedCause(type, wire) });

function toBinding(wire: z.output<typeof binding>): Binding {
  const boundAt = toInstant(wire.bound_at);
  return {
    bindingId: wire.binding_id,
    payer: wire.payer,
    beneficiary: wire.beneficiary,
    relation: wire.relation,
    type: wire.type ?? 'FAMILY_SHARING',
    state: 'PENDING',
    holds: new Map(),
    priority: wire.priority ?? null,
    boundAt,
    effectiveFrom: wire.effective_from ?? dateOf(boundAt),
    effectiveTo: wire.effective_to ?? null,
    dailyLimit: wire.daily_limit == null ? null : toMoney(wire.daily_limit),
    authorisedAmount: wire.authorised_amount == null ? null : toMoney(wire.authorised_amount),
    premiumRegistered: wire.premium_registered ?? false,
  };
}
