import { seenOn } from './account.ts';
import { arrearsSince, isInArrears } from './arrears.ts';
import { BEGINNING, shanghaiInstant } from './dates.ts';
import { toYuan } from './fen.ts';
import { type Binding, type Person, stateOf, type World } from './world.ts';

export interface AccountView {
  readonly psn_no: string;
  readonly insutype: string;
  readonly psn_type: string;
  readonly employment: string;
  readonly insu_admdvs: string;
  readonly insured: boolean;
  readonly status: string;
  readonly card_active: boolean;
  readonly employer_enabled: boolean;
  readonly wallet_open: boolean;
  readonly prior_year: string | null;
  readonly current_year: string | null;
  readonly balance: string | null;
  readonly in_arrears: boolean;
  readonly arrears_since: string | null;
  readonly recovered_on: string | null;
  readonly unpaid_periods: readonly string[];
}

export interface BindingView {
  readonly binding_id: string;
  readonly payer: string;
  readonly beneficiary: string;
  readonly relation: string;
  readonly bound_at: string;
  readonly type: string;
  readonly state: string;
  readonly pause_reasons: readonly string[];
  readonly priority: number | null;
  readonly effective_from: string;
  readonly effective_to: string | null;
  readonly daily_limit: string | null;
  readonly authorised_amount: string | null;
  readonly premium_registered: boolean;
}

/** A person as the HTTP account read shows them on a date, portions reckoned as of its year. */
export function viewAccount(world: World, person: Person, date: string): AccountView {
  const account = person.account === null ? null : seenOn(person.account, date);
  const since = arrearsSince(person);
  const { psn_no, insutype, psn_type, employment, insu_admdvs, insured, status } = person;
  const { card_active, employer_enabled, wallet_open, recovered_on } = person;
  return {
    ...{ psn_no, insutype, psn_type, employment, insu_admdvs, insured, status },
    ...{ card_active, employer_enabled, wallet_open, recovered_on },
    prior_year: account === null ? null : toYuan(account.prior_year),
    current_year: account === null ? null : toYuan(account.current_year),
    balance: account === null ? null : toYuan(account.prior_year + account.current_year),
    in_arrears: isInArrears(person, world.policy(person, date), date),
    arrears_since: since === BEGINNING ? null : since,
    unpaid_periods: [...person.unpaid.keys()].sort(),
  };
}

/** A binding as the HTTP bindings read shows it on a date. */
export function viewBinding(binding: Binding, date: string): BindingView {
  const { binding_id, payer, beneficiary, relation, type, priority, effective_from, effective_to } = binding;
  return {
    ...{ binding_id, payer, beneficiary, relation, type, priority, effective_from, effective_to },
    bound_at: shanghaiInstant(binding.bound_at),
    state: stateOf(binding, date),
    pause_reasons: [...binding.reasons.keys()].sort(),
    daily_limit: binding.daily_limit === null ? null : toYuan(binding.daily_limit),
    authorised_amount: binding.authorised_amount === null ? null : toYuan(binding.authorised_amount),
    premium_registered: binding.premium_registered,
  };
}
