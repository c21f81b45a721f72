import type { Policies, Policy } from './policy.ts';
import type { ExpectedOutput, Portion, Reason, WireObject } from './types.ts';

/** Money of one person, in fen. `year` is the year whose contributions are in `current_year`. */
export interface Account {
  prior_year: bigint;
  current_year: bigint;
  year: number;
  /** Month of the import's `as_of`, else of the opening; months after it can be marked as missed. */
  as_of_month: string;
}

export interface Person {
  readonly psn_no: string;
  insutype: string;
  psn_type: string;
  employment: string;
  insu_admdvs: string;
  insured: boolean;
  status: string;
  card_active: boolean;
  employer_enabled: boolean;
  wallet_open: boolean;
  account: Account | null;
  /** Unpaid months with their due date. */
  readonly unpaid: Map<string, string>;
  /** Months received or recovered: cleared for good. */
  readonly paid: Set<string>;
  /** First day without insurance, while not insured. */
  uninsured_since: string | null;
  /** First day of the arrears spell that still lasts. */
  spell_start: string | null;
  ended_spell_start: string;
  recovered_on: string | null;
  /** A first blocked day that is still to come. */
  block_ahead: string | null;
}

export interface Binding {
  readonly binding_id: string;
  readonly payer: string;
  readonly beneficiary: string;
  readonly relation: string;
  readonly type: string;
  readonly bound_at: number;
  readonly effective_from: string;
  /** LIVE is published as ACTIVE or PAUSED, by whether there are reasons. */
  stage: 'PENDING' | 'REJECTED' | 'LIVE' | 'REVOKED';
  /** Each reason with its first day; null = from the beginning (imported). */
  readonly reasons: Map<Reason, string | null>;
  priority: number | null;
  effective_to: string | null;
  daily_limit: bigint | null;
  authorised_amount: bigint | null;
  premium_registered: boolean;
}

/** What one account paid of a settlement, portion by portion in the order of drawing, with what came back since. */
export interface Debit {
  readonly source: 'OWN' | 'RELATIVE';
  readonly account: string;
  readonly binding: Binding | null;
  readonly uses_authorised: boolean;
  readonly parts: { readonly portion: Portion; readonly amount: bigint; returned: bigint }[];
}

/** A settled claim or premium, as far as a refund needs it. */
export interface Settled {
  readonly kind: 'claim' | 'premium';
  readonly psn_no: string;
  readonly date: string;
  readonly debits: readonly Debit[];
  readonly cash: bigint;
  cash_returned: bigint;
}

/** What an event caused, for the outputs it leads to: its type and own id (null = it has none, so the reader's choice). */
export interface Cause {
  readonly ce_type: string;
  readonly id: string | null;
}

/** Everything the auditor remembers, and the outputs of the event in hand. */
export class World {
  readonly policies: Policies;
  readonly persons = new Map<string, Person>();
  /** By binding_id; entered through addBinding. */
  readonly bindings = new Map<string, Binding>();
  readonly #byPayer = new Map<string, Binding[]>();
  readonly #byBeneficiary = new Map<string, Binding[]>();
  /** By claim_id or premium_id: one namespace. */
  readonly settled = new Map<string, Settled>();
  /** Fen used of a binding on a date, by `binding_id date`. */
  readonly day_usage = new Map<string, bigint>();
  /** Fen held for manual payout, by `refund_id psn_no`. */
  readonly held = new Map<string, bigint>();
  /** Content first taken, by the identity of the event. */
  readonly taken = new Map<string, string>();
  outputs: ExpectedOutput[] = [];
  input = -1;

  constructor(policies: Policies) {
    this.policies = policies;
  }

  policy(person: Person, date: string): Policy {
    return this.policies.at(person.insu_admdvs, date);
  }

  person(psn_no: string): Person {
    const person = this.persons.get(psn_no);
    if (person === undefined) throw new Error('the auditor lost a person');
    return person;
  }

  addBinding(binding: Binding): void {
    this.bindings.set(binding.binding_id, binding);
    this.#byPayer.set(binding.payer, [...this.bindingsOf(binding.payer), binding]);
    this.#byBeneficiary.set(binding.beneficiary, [...this.bindingsFor(binding.beneficiary), binding]);
  }

  /** The payer's bindings in ascending order of `binding_id`. */
  bindingsOf(payer: string): Binding[] {
    return (this.#byPayer.get(payer) ?? []).toSorted((one, other) => (one.binding_id < other.binding_id ? -1 : 1));
  }

  /** The patient's bindings, in no order that matters. */
  bindingsFor(beneficiary: string): readonly Binding[] {
    return this.#byBeneficiary.get(beneficiary) ?? [];
  }

  publish(topic: 'settlements' | 'sharing', key: string, type: string, value: WireObject, unknowable: string[]): void {
    this.outputs.push({ topic, key, type, value, unknowable, input: this.input });
  }
}

/** The binding's state as published on a date. */
export function stateOf(binding: Binding, date: string): string {
  if (binding.stage !== 'LIVE') return binding.stage;
  if (binding.effective_to !== null && date > binding.effective_to) return 'EXPIRED';
  return binding.reasons.size > 0 ? 'PAUSED' : 'ACTIVE';
}

/** ACTIVE or PAUSED: a binding that can gain and lose reasons. */
export function isLive(binding: Binding, date: string): boolean {
  return ['ACTIVE', 'PAUSED'].includes(stateOf(binding, date));
}

export function usageKey(binding: Binding, date: string): string {
  return `${binding.binding_id} ${date}`;
}
