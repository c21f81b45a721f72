import { type CalendarDate, type Policy, type RulesUsed, rulesUsed } from '@repo/domain';
import { PARAMETERS, type ParameterName, type PlainValue, type Policies } from '@repo/policy';
import { type Language, packOf, wordsOf } from './words.ts';

/** The rules by which an account was judged, as published with the outcome, with their content where it is still loaded. */
export interface RulesInForce extends RulesUsed {
  readonly policy: Policy | null;
}

/** What an explanation says of the rules: which pack, and which of its values decided. */
export interface SaidPolicy extends RulesUsed {
  readonly parameter?: ParameterName;
  readonly value?: PlainValue;
}

/** A parameter that takes the value of another where no pack sets it. */
const FOLLOWS: Partial<Record<ParameterName, ParameterName>> = { premiumRelations: 'allowedRelations' };

/** Finds the rules of a date again. An outcome names them by insured area and version; equal names mean equal rules. */
export class RuleBook {
  readonly #policies: Policies;
  readonly #on: CalendarDate;
  readonly #gone = new Map<string, RulesUsed>();

  constructor(policies: Policies, on: CalendarDate) {
    this.#policies = policies;
    this.#on = on;
  }

  /** The rules that an outcome names, with their content where it is still loaded; null where it names none. */
  find(named: RulesUsed | null): RulesInForce | null {
    if (named === null) return null;
    const policy = this.#policies.policyAt(named.region, this.#on);
    if (rulesUsed(named.region, policy).version === named.version) return { ...named, policy };
    this.#gone.set(`${named.region} ${named.version}`, named);
    return { ...named, policy: null };
  }

  /** The value of a parameter in these rules, with a sentence about it; null where there is nothing to say. */
  clause(rules: RulesInForce | null, parameter: ParameterName | undefined, lang: Language) {
    if (rules === null || rules.policy === null || parameter === undefined) return null;
    const all = this.#policies.explainPolicy(rules.region, this.#on);
    const explained = all.find((candidate) => candidate.parameter === parameter);
    if (explained === undefined || explained.value === null) return null;
    const { value, source } = explained;
    const followed = source === 'default' ? FOLLOWS[parameter] : undefined;
    const whose = packOf(all.find((candidate) => candidate.parameter === followed)?.source ?? source, lang);
    const words = wordsOf(value, lang);
    const names = (followed === undefined ? [parameter] : [followed, parameter]).map((each) => PARAMETERS[each]);
    const text = {
      zh: `${whose}，${names.map(({ zh }) => `“${zh}”`).join('以及')}为：${words}。`,
      en: ` ${whose}, ${names.map(({ en }) => en).join(', and so ')}: ${words}.`,
    }[lang];
    return { value, text };
  }

  /** A sentence for each set of rules that was looked up but is no longer loaded. */
  gone(lang: Language): string[] {
    return [...this.#gone.values()].map(
      ({ region, version }) =>
        ({
          zh: `结算时适用的规则（参保地${region}，版本${version}）目前已经不在系统中，因此不能说明其中的具体数值。`,
          en: `The rules that applied at the time (area ${region}, version ${version}) are no longer loaded, so their values cannot be told.`,
        })[lang],
    );
  }
}
