import { blockLasting } from './arrears.ts';
import { addDays, type CalendarDate, dateOf, earlier, type Instant } from './calendar.ts';
import type { RelativeSkipCode } from './codes.ts';
import { type Binding, EMPLOYEE_INSURANCE, isExempt, type Person, resumeDate } from './person.ts';
import type { PolicyLookup } from './policy.ts';

/**
 * The reasons to pass over a relative's account that depend only on facts of the payer and the binding (rule 5.2): those that a fact which
 * becomes known late can bring about for a claim settled before. Waiting after arrears counts as arrears.
 */
export const BACKDATED_REASONS = [
  'BINDING_REVOKED',
  'BINDING_EXPIRED',
  'PAYER_NOT_EMPLOYEE_INSURED',
  'PAYER_ACCOUNT_FROZEN',
  'PAYER_ACCOUNT_CLOSED',
  'PAYER_CARD_INACTIVE',
  'EMPLOYER_NOT_ENABLED',
  'PAYER_IN_ARREARS',
  'PAUSED_BY_USER',
] as const satisfies readonly RelativeSkipCode[];
export type BackdatedReason = (typeof BACKDATED_REASONS)[number];

/** Money that a payer's account has paid through a binding, for a claim settled or a premium paid at `at`. */
export interface Draw {
  readonly kind: 'CLAIM' | 'PREMIUM';
  readonly bindingId: string;
  readonly at: Instant;
}

export interface Standing {
  readonly payer: Person;
  readonly bindings: readonly Binding[];
}

/** What one event or check changed about a payer and their bindings; `at` is its moment. */
export interface FactChange {
  readonly before: Standing;
  readonly after: Standing;
  readonly at: Instant;
}

/** The first date on which a change can matter to sharing; null where it changes nothing that could keep a payer from paying. */
export function reachOf({ before, after, at }: FactChange): CalendarDate | null {
  const payerChanged = FACTS.some((fact) => before.payer[fact] !== after.payer[fact]);
  const earlierOnes = new Map(before.bindings.map((binding) => [binding.bindingId, binding]));
  const changed = after.bindings.flatMap((binding) => {
    const was = earlierOnes.get(binding.bindingId);
    return was !== undefined && was !== binding && isChanged(was, binding) ? [was, binding] : [];
  });
  if (!payerChanged && changed.length === 0) return null;
  const ends = changed.flatMap(({ effectiveTo }) => effectiveTo ?? []);
  return [spellOf(before.payer, after.payer) ?? [], ...ends].flat().reduce(earlier, dateOf(at));
}

const FACTS = [
  'insuranceKind',
  'status',
  'cardActive',
  'employerEnabled',
  'employment',
  'personCategory',
  'insuredArea',
  'arrearsSince',
  'uninsuredSince',
  'recoveredOn',
] as const satisfies readonly (keyof Person)[];

/** The facts that decide which rules of arrears apply to a payer, and whether any do. */
const RULES_FACTS = ['employment', 'personCategory', 'insuredArea'] as const satisfies readonly (keyof Person)[];

const isChanged = (before: Binding, after: Binding): boolean =>
  before.state !== after.state ||
  before.effectiveTo !== after.effectiveTo ||
  (['USER', 'ARREARS', 'EMPLOYER_OFF'] as const).some((hold) => before.holds.get(hold) !== after.holds.get(hold));

/** The first day of the arrears that a change concerns; null where it does not touch them. */
function spellOf(before: Person, after: Person): CalendarDate | null {
  if (before.arrearsSince === after.arrearsSince && before.uninsuredSince === after.uninsuredSince) return null;
  return [before.spellSince, after.spellSince].filter((day) => day !== null).sort()[0] ?? null;
}

/**
 * What a change of facts means for a draw that stands: reasons for which the payer would now be passed over on the draw's date, each with
 * its first day; and reasons that no longer apply. Arrears and the end of a binding apply by date, other facts from the moment of their
 * event. Pure.
 */
export function reconsider(
  draw: Draw,
  change: FactChange,
  policyOf: PolicyLookup,
): { readonly noted: ReadonlyMap<BackdatedReason, CalendarDate>; readonly lifted: readonly BackdatedReason[] } {
  const was = reasonsAgainst(draw, change.before, policyOf);
  const is = reasonsAgainst(draw, change.after, policyOf);
  const spell = spellOf(change.before.payer, change.after.payer);
  // Retiring or moving frees from the day of the event on, whatever else the event says.
  const isMoved = RULES_FACTS.some((fact) => change.before.payer[fact] !== change.after.payer[fact]);
  const concerns = (reason: BackdatedReason): boolean => {
    if (reason === 'BINDING_EXPIRED') return true;
    if (reason === 'PAYER_IN_ARREARS' && spell !== null && !isMoved) return dateOf(draw.at) >= spell;
    return draw.at >= change.at;
  };
  const differing = BACKDATED_REASONS.filter((reason) => was.has(reason) !== is.has(reason) && concerns(reason));
  const noted = differing.filter((reason) => is.has(reason));
  return {
    noted: new Map(noted.map((reason) => [reason, is.get(reason) ?? dateOf(change.at)])),
    lifted: differing.filter((reason) => was.has(reason)),
  };
}

/** The reasons against a draw on its date, by the facts, each with its first day; null where the fact has no date of its own. */
function reasonsAgainst(
  { kind, bindingId, at }: Draw,
  { payer, bindings }: Standing,
  policyOf: PolicyLookup,
): Map<BackdatedReason, CalendarDate | null> {
  const on = dateOf(at);
  const policy = policyOf(payer.insuredArea, on);
  const reasons = new Map<BackdatedReason, CalendarDate | null>();
  const binding = bindings.find((each) => each.bindingId === bindingId);
  if (binding === undefined) return reasons;
  const add = (reason: BackdatedReason, holds: boolean) => void (holds && reasons.set(reason, null));
  add('BINDING_REVOKED', binding.state === 'REVOKED');
  add('PAYER_NOT_EMPLOYEE_INSURED', payer.insuranceKind !== EMPLOYEE_INSURANCE);
  add('PAYER_ACCOUNT_FROZEN', payer.status === 'FROZEN');
  add('PAYER_ACCOUNT_CLOSED', payer.status === 'CLOSED');
  add('PAUSED_BY_USER', binding.holds.has('USER'));
  if (kind === 'CLAIM') {
    const switchedOff = !payer.employerEnabled || binding.holds.has('EMPLOYER_OFF');
    add('PAYER_CARD_INACTIVE', policy.requireCardActive && !payer.cardActive);
    add('EMPLOYER_NOT_ENABLED', policy.requireEmployerEnabled && payer.employment === 'ACTIVE' && switchedOff);
  }
  const { effectiveTo } = binding;
  if (effectiveTo !== null && on > effectiveTo) reasons.set('BINDING_EXPIRED', addDays(effectiveTo, 1));
  const since = arrearsSince(binding, payer, on, policyOf);
  if (since !== null) reasons.set('PAYER_IN_ARREARS', since);
  return reasons;
}

/**
 * The first day of the block by arrears that covers a date, without its grace. A spell that has ended blocks until sharing works again. On
 * the days of its grace a late claim has to wait too, but the payer was still to pay on them, so they do not count.
 */
function arrearsSince(binding: Binding, payer: Person, on: CalendarDate, policyOf: PolicyLookup): CalendarDate | null {
  const policy = policyOf(payer.insuredArea, on);
  if (isExempt(payer, policy)) return null;
  const starts = policy.pauseOnArrears ? [blockLasting(payer, on, policyOf), binding.holds.get('ARREARS') ?? null] : [];
  const resumes = resumeDate(payer, policy);
  if (resumes !== null && on < resumes) starts.push(addDays(payer.lastSpellStart, policy.arrearsGraceDays));
  return starts.filter((day) => day !== null && day <= on).sort()[0] ?? null;
}
