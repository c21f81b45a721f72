import { credit } from './account.ts';
import { checkArrears, dueDateOf, reviewArrears, type Standing, standingOf } from './arrears.ts';
import { addDays, BEGINNING, shanghaiDate, startOfDate, yearOf } from './dates.ts';
import { partitionOf } from './partition.ts';
import { addReason, removeReason, reviewZeroBalance } from './sharing.ts';
import type { Fields } from './wire.ts';
import { type Cause, isLive, type Person, type World } from './world.ts';

/** A code refuses the event to the dead letters; null takes it. */
export type Refusal = 'PERSON_UNKNOWN' | 'BINDING_UNKNOWN' | 'TRANSITION_NOT_ALLOWED' | 'DAILY_LIMIT_MISSING' | null;

const NOBODY: Standing = { since: null, blockedFrom: null, spellBlocksFrom: null, isPausable: false };

/** `account.opened`: a person enters with the state they have elsewhere; nothing is published for an import. */
export function openAccount(world: World, fields: Fields, date: string): void {
  const person: Person = {
    psn_no: fields.text('psn_no'),
    insutype: fields.text('insutype'),
    psn_type: fields.text('psn_type'),
    employment: fields.text('employment'),
    insu_admdvs: fields.text('insu_admdvs'),
    insured: fields.flag('insured'),
    status: fields.text('status'),
    card_active: fields.flag('card_active'),
    employer_enabled: fields.flag('employer_enabled'),
    wallet_open: fields.flag('wallet_open'),
    account: null,
    unpaid: new Map(),
    paid: new Set(),
    uninsured_since: fields.flag('insured') ? null : BEGINNING,
    spell_start: null,
    ended_spell_start: BEGINNING,
    recovered_on: fields.textOr('recovered_on', null),
    block_ahead: null,
  };
  if (fields.has('prior_year') || fields.has('current_year')) {
    const asOf = fields.has('as_of') ? shanghaiDate(fields.instant('as_of').ms) : date;
    const [prior_year, current_year] = [fields.fenOr('prior_year', 0n), fields.fenOr('current_year', 0n)];
    person.account = { prior_year, current_year, year: yearOf(asOf), as_of_month: asOf.slice(0, 7) };
  }
  const since = fields.textOr('arrears_since', null);
  for (const period of fields.list('unpaid_periods')) {
    person.unpaid.set(period, since === null ? dueDateOf(world, person, period) : addDays(since, -1));
  }
  world.persons.set(person.psn_no, person);
  reviewArrears(world, person, date, { ce_type: 'account.opened', id: null }, NOBODY);
}

/** `account.changed`: facts other than money, with what they mean for sharing. */
export function changeAccount(world: World, person: Person, fields: Fields, date: string, cause: Cause): Refusal {
  const before = standingOf(world, person, date);
  person.insutype = fields.textOr('insutype', person.insutype);
  person.psn_type = fields.textOr('psn_type', person.psn_type);
  person.employment = fields.textOr('employment', person.employment);
  person.insu_admdvs = fields.textOr('insu_admdvs', person.insu_admdvs);
  person.status = fields.textOr('status', person.status);
  for (const name of ['card_active', 'employer_enabled', 'wallet_open', 'insured'] as const) {
    if (fields.has(name)) person[name] = fields.flag(name);
  }
  if (person.insured) person.uninsured_since = null;
  else person.uninsured_since ??= date;
  const isReviewed = ['insured', 'employment', 'psn_type', 'insu_admdvs'].some((name) => fields.has(name));
  if (isReviewed) reviewArrears(world, person, date, cause, before);
  if (fields.has('employer_enabled')) switchEmployer(world, person, date, cause);
  return null;
}

function switchEmployer(world: World, person: Person, date: string, cause: Cause): void {
  const isPausing = world.policy(person, date).requireEmployerEnabled && person.employment === 'ACTIVE';
  for (const binding of world.bindingsOf(person.psn_no)) {
    if (!isLive(binding, date)) continue;
    const change = { reason: 'EMPLOYER_OFF', date, effective_on: date, cause } as const;
    if (person.employer_enabled) removeReason(world, binding, change);
    else if (isPausing) addReason(world, binding, change);
  }
}

/** Credits an account, opening that of a 310 person; a closed one, or a person who cannot have one, takes nothing. */
export function creditAccount(world: World, person: Person, amount: bigint, date: string, cause: Cause): Refusal {
  if (!canBeCredited(person)) return 'TRANSITION_NOT_ALLOWED';
  person.account ??= { prior_year: 0n, current_year: 0n, year: yearOf(date), as_of_month: date.slice(0, 7) };
  credit(person.account, date, amount);
  reviewZeroBalance(world, person, date, cause);
  return null;
}

function canBeCredited(person: Person): boolean {
  return person.status !== 'CLOSED' && (person.account !== null || person.insutype === '310');
}

/** `contribution.received`: the month is paid, then its money is credited; both or neither. */
export function receiveContribution(world: World, person: Person, fields: Fields, date: string, cause: Cause): Refusal {
  if (fields.has('amount') && !canBeCredited(person)) return 'TRANSITION_NOT_ALLOWED';
  clearMonth(world, person, fields.text('period'), date, cause);
  return fields.has('amount') ? creditAccount(world, person, fields.fen('amount'), date, cause) : null;
}

/** A month received or recovered is cleared for good. */
export function clearMonth(world: World, person: Person, period: string, date: string, cause: Cause): void {
  person.paid.add(period);
  const before = standingOf(world, person, date);
  if (person.unpaid.delete(period)) reviewArrears(world, person, date, cause, before);
}

/** `contribution.missed`: the month enters the unpaid set unless it was ever cleared. */
export function missContribution(world: World, person: Person, fields: Fields, date: string, cause: Cause): void {
  const period = fields.text('period');
  if (person.paid.has(period)) return;
  const [reckoned, stated] = [person.unpaid.get(period), fields.text('due_date')];
  const before = standingOf(world, person, date);
  // The order of a check and of what is stated does not matter: a spell that began with the month began by the stated date.
  if (reckoned !== undefined && reckoned !== stated && addDays(reckoned, 1) === person.spell_start) {
    person.spell_start = null;
  }
  person.unpaid.set(period, stated);
  reviewArrears(world, person, date, cause, before);
}

/** `refund.paid`: money held for manual payout left; anything but exactly what is held is not allowed. */
export function payOutRefund(world: World, fields: Fields): Refusal {
  const key = `${fields.text('refund_id')} ${fields.text('psn_no')}`;
  if (world.held.get(key) !== fields.fen('amount')) return 'TRANSITION_NOT_ALLOWED';
  world.held.delete(key);
  return null;
}

/** `arrears.check`: for everybody, or for the persons whose key falls on the named partition. */
export function checkAllArrears(world: World, fields: Fields, cause: Cause): void {
  const shard = fields.intOr('shard', null);
  const shards = fields.intOr('shards', 1);
  for (const psn_no of [...world.persons.keys()].sort()) {
    if (shard !== null && partitionOf(psn_no, shards) !== shard) continue;
    checkArrears(world, world.person(psn_no), fields.text('on'), cause);
  }
}

/**
 * The instant an event speaks of: its own time, else `ce_time`, else the record's timestamp. What an import dates (`as_of`,
 * `bound_at`) is older than the import.
 */
export function momentOf(
  type: string,
  fields: Fields,
  timestamp: number,
  ce_time: number | null,
): { ms: number; date: string } {
  if (fields.has('on')) return { ms: startOfDate(fields.text('on')), date: fields.text('on') };
  const own = ['setl_time', 'at', ...(type === 'binding.requested' ? ['bound_at'] : [])].find((name) =>
    fields.has(name),
  );
  const ms = own === undefined ? (ce_time ?? timestamp) : fields.instant(own).ms;
  return { ms, date: shanghaiDate(ms) };
}

/** The latest instant an event names, which must not lie too far ahead. */
export function latestMoment(fields: Fields, moment: number): number {
  const dated = ['as_of', 'bound_at'].filter((name) => fields.has(name)).map((name) => fields.instant(name).ms);
  return Math.max(moment, ...dated);
}
