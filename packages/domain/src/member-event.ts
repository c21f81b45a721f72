import type { CalendarDate, Instant, Period } from './calendar.ts';
import type { BindRefusalCode } from './codes.ts';
import type { Money } from './money.ts';
import type { AccountStatus, Binding, BindingState, Employment, PauseReason, Person } from './person.ts';

/** The input event that led to an outcome: its type and id. */
export interface Cause {
  readonly type: string;
  readonly id: string;
}

/** Facts of a person that may change by themselves, other than money (`account.changed`). */
export interface PersonChanges {
  readonly insuranceKind?: string;
  readonly personCategory?: string;
  readonly employment?: Employment;
  readonly insuredArea?: string;
  readonly insured?: boolean;
  readonly status?: AccountStatus;
  readonly cardActive?: boolean;
  readonly employerEnabled?: boolean;
  readonly walletOpen?: boolean;
}

/** Settings of a binding the payer may change; null clears one. */
export type BindingChanges = Partial<
  Pick<Binding, 'priority' | 'dailyLimit' | 'authorisedAmount' | 'effectiveTo' | 'premiumRegistered'>
>;

/** A change of what is known of members. `at`: the event's moment; `personNo` or `payer`: the person whose shard it belongs to. */
export type MemberEvent = { readonly at: Instant; readonly cause: Cause } & (
  | {
      readonly kind: 'ACCOUNT_OPENED';
      readonly person: Person;
      readonly name: string | null;
      readonly unpaidPeriods: readonly Period[];
      /** First day in arrears as the importing system knows it. */
      readonly arrearsSince: CalendarDate | null;
      /** The month of this moment, and those before it, are history that the arrears check leaves alone. */
      readonly asOf: Instant;
    }
  | {
      readonly kind: 'ACCOUNT_CHANGED';
      readonly personNo: string;
      readonly name?: string;
      readonly changes: PersonChanges;
    }
  | { readonly kind: 'ACCOUNT_CREDITED'; readonly personNo: string; readonly amount: Money; readonly reference: string }
  | {
      readonly kind: 'CONTRIBUTION_PAID';
      readonly personNo: string;
      readonly period: Period;
      readonly amount: Money | null;
      readonly reference: string;
    }
  | {
      readonly kind: 'CONTRIBUTION_MISSED';
      readonly personNo: string;
      readonly period: Period;
      readonly dueDate: CalendarDate;
    }
  | { readonly kind: 'BINDING_OPENED' | 'BINDING_REQUESTED'; readonly binding: Binding }
  | {
      readonly kind: 'BINDING_APPROVED' | 'BINDING_REJECTED' | 'BINDING_REVOKED' | 'BINDING_PAUSED';
      readonly payer: string;
      readonly bindingId: string;
    }
  | {
      readonly kind: 'BINDING_RESUMED';
      readonly payer: string;
      readonly bindingId: string;
      readonly reason: 'USER' | 'ARREARS';
    }
  | {
      readonly kind: 'BINDING_CHANGED';
      readonly payer: string;
      readonly bindingId: string;
      readonly changes: BindingChanges;
    }
  | { readonly kind: 'REFUND_PAID'; readonly personNo: string; readonly refundId: string; readonly amount: Money }
);

/** An event about sharing, to be published. */
export type SharingEvent =
  | {
      readonly kind: 'PAUSED' | 'RESUMED';
      readonly binding: Binding;
      readonly reason: PauseReason;
      readonly effectiveOn: CalendarDate;
      readonly at: Instant;
      readonly cause: Cause;
    }
  | {
      readonly kind: 'ACTIVATED' | 'REJECTED' | 'REVOKED';
      readonly binding: Binding;
      readonly state: BindingState;
      readonly at: Instant;
      readonly cause: Cause;
    }
  | {
      readonly kind: 'REFUSED';
      readonly binding: Binding;
      readonly code: BindRefusalCode;
      readonly at: Instant;
      readonly cause: Cause;
    };
