import type { Area } from './area.ts';
import { addDays, type CalendarDate, date, earlier, type Instant, type Period } from './calendar.ts';
import type { Money } from './money.ts';
import type { Policy, Relation } from './policy.ts';
import type { Purse } from './purse.ts';

export const ACCOUNT_STATUSES = ['ACTIVE', 'FROZEN', 'CLOSED'] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

export const EMPLOYMENTS = ['ACTIVE', 'FLEXIBLE', 'RETIRED', 'NONE'] as const;
export type Employment = (typeof EMPLOYMENTS)[number];

/** Employee basic medical insurance (职工基本医疗保险): the only kind whose personal account can be shared. */
export const EMPLOYEE_INSURANCE = '310';

/** Stands for the date of an imported fact that has none. */
export const BEGINNING: CalendarDate = date('0001-01-01');

/** An insured person and their personal account, as far as settling and sharing need to know. */
export interface Person {
  readonly personNo: string;
  readonly insuranceKind: string;
  readonly personCategory: string;
  readonly employment: Employment;
  readonly insuredArea: Area;
  /** Null: no personal account. */
  readonly purse: Purse | null;
  readonly status: AccountStatus;
  readonly cardActive: boolean;
  readonly employerEnabled: boolean;
  readonly walletOpen: boolean;
  /** Null while in basic insurance; else the date it ended (`BEGINNING` when imported so). */
  readonly uninsuredSince: CalendarDate | null;
  /** First day in arrears while any month is unpaid, else null. */
  readonly arrearsSince: CalendarDate | null;
  /**
   * The first day of the present arrears spell; once the spell blocks, paying its oldest month does not move it. Null when not in arrears.
   */
  readonly spellSince: CalendarDate | null;
  /** The last arrears spell that ended and blocked sharing: its first day (`BEGINNING` if unknown) and the day it ended. */
  readonly lastSpellStart: CalendarDate;
  readonly recoveredOn: CalendarDate | null;
  /** The month in which the account was stated or opened: the arrears check looks only at later ones. */
  readonly asOfPeriod: Period;
}

export const BINDING_STATES = ['PENDING', 'REJECTED', 'ACTIVE', 'PAUSED', 'REVOKED'] as const;
/** As stored. EXPIRED is not stored: it follows from the date (`stateOn`). */
export type BindingState = (typeof BINDING_STATES)[number];

export const PAUSE_REASONS = ['ARREARS', 'EMPLOYER_OFF', 'USER', 'ZERO_BALANCE'] as const;
export type PauseReason = (typeof PAUSE_REASONS)[number];

export const BINDING_TYPES = ['FAMILY_SHARING', 'KINSHIP_CODE'] as const;
export type BindingType = (typeof BINDING_TYPES)[number];

/** A sharing relation (共济关系): `payer` lets `beneficiary`, who is the payer's `relation`, be paid for from their account. */
export interface Binding {
  readonly bindingId: string;
  readonly payer: string;
  readonly beneficiary: string;
  readonly relation: Relation;
  readonly type: BindingType;
  readonly state: BindingState;
  /** Why it is paused, each reason with its first day; empty unless PAUSED. */
  readonly holds: ReadonlyMap<PauseReason, CalendarDate>;
  /** Bindings with a lower number are asked first; null comes last. */
  readonly priority: number | null;
  readonly boundAt: Instant;
  /** Inclusive dates; null = open. */
  readonly effectiveFrom: CalendarDate;
  readonly effectiveTo: CalendarDate | null;
  readonly dailyLimit: Money | null;
  /**
   * What is left of the amount that the payer authorised; null = none was stated, which counts as 0.00 where an authorisation is needed.
   */
  readonly authorisedAmount: Money | null;
  readonly premiumRegistered: boolean;
}

/** The state as shown on a date: a live binding whose last day has passed is EXPIRED. */
export const stateOn = (binding: Binding, on: CalendarDate): BindingState | 'EXPIRED' =>
  (binding.state === 'ACTIVE' || binding.state === 'PAUSED') && binding.effectiveTo !== null && on > binding.effectiveTo
    ? 'EXPIRED'
    : binding.state;

/** Retirees no longer contribute: employment `RETIRED`, or person category 12xx. */
export const isRetired = (person: Pick<Person, 'employment' | 'personCategory'>): boolean =>
  person.employment === 'RETIRED' || person.personCategory.startsWith('12');

/** Whether the pack frees this person from every consequence of arrears. */
export const isExempt = (person: Pick<Person, 'employment' | 'personCategory'>, policy: Policy): boolean =>
  policy.retireesExempt && isRetired(person);

/** Whether arrears can pause the sharing of this person at all. */
export const isPausable = (person: Pick<Person, 'employment' | 'personCategory'>, policy: Policy): boolean =>
  policy.pauseOnArrears && !isExempt(person, policy);

/** First day of the present arrears: a month unpaid, or insurance ended; null when neither. */
export function arrearsStart(person: Pick<Person, 'arrearsSince' | 'uninsuredSince'>): CalendarDate | null {
  if (person.arrearsSince === null) return person.uninsuredSince;
  return person.uninsuredSince === null ? person.arrearsSince : earlier(person.arrearsSince, person.uninsuredSince);
}

/** Whether the person is in arrears on a date as far as their own account is concerned: grace only delays the effect on sharing. */
export function isInArrears(person: Person, on: CalendarDate, policy: Policy): boolean {
  const since = arrearsStart(person);
  return since !== null && on >= since && !isExempt(person, policy);
}

/** The first day on which arrears (by default the present ones) block sharing, after grace; null when they never do. */
export function blockStart(person: Person, policy: Policy, since = arrearsStart(person)): CalendarDate | null {
  if (since === null || !isPausable(person, policy)) return null;
  return since === BEGINNING ? since : addDays(since, policy.arrearsGraceDays);
}

/** The first day on which sharing works again after the last recovery; null when there was none, or the person is exempt. */
export function resumeDate(person: Person, policy: Policy): CalendarDate | null {
  if (person.recoveredOn === null || isExempt(person, policy)) return null;
  return addDays(person.recoveredOn, policy.resumeMode === 'MANUAL' ? 0 : policy.resumeWaitDays);
}
