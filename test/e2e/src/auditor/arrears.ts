import { addDays, BEGINNING, earliest, lastDayOf, nextMonth, yearOf } from './dates.ts';
import type { Policy } from './policy.ts';
import { addReason, removeReason, rollOver } from './sharing.ts';
import { type Binding, type Cause, isLive, type Person, type World } from './world.ts';

const CALENDAR: Cause = { ce_type: 'calendar', id: null };

/** First day of arrears by what is unpaid and by insurance that ended; null = not in arrears. */
export function arrearsSince(person: Person): string | null {
  const starts = [...person.unpaid.values()].map((dueDate) => addDays(dueDate, 1));
  if (person.uninsured_since !== null) starts.push(person.uninsured_since);
  return earliest(starts);
}

/** A retiree, whom the policy may hold to be never in arrears and never waiting. */
function isExempt(person: Person, policy: Policy): boolean {
  return policy.retireesExempt && isRetired(person);
}

function isRetired(person: Person): boolean {
  return person.employment === 'RETIRED' || person.psn_type.startsWith('12');
}

/** In arrears on a date, without grace: what the own account and a binding request look at. */
export function isInArrears(person: Person, policy: Policy, date: string): boolean {
  const since = arrearsSince(person);
  return since !== null && date >= since && !isExempt(person, policy);
}

/** First day on which arrears from a day on block sharing: after the grace; what began before all dates has none. */
function blockedFrom(since: string, policy: Policy): string {
  return since === BEGINNING ? since : addDays(since, policy.arrearsGraceDays);
}

/**
 * First day of the block that lasts on a date, each day by the rules of that day; where none lasts, the day on which the rules of the
 * date will block.
 */
function firstBlockedDay(world: World, person: Person, since: string, date: string): string {
  const start = blockedFrom(since, world.policy(person, date));
  if (start > date || start === BEGINNING) return start;
  let first = date;
  while (isBlockedOn(world, person, since, addDays(first, -1))) first = addDays(first, -1);
  return first;
}

function isBlockedOn(world: World, person: Person, since: string, day: string): boolean {
  const policy = world.policy(person, day);
  return policy.pauseOnArrears && !isExempt(person, policy) && blockedFrom(since, policy) <= day;
}

/** Whether live facts or the stored reason block sharing for arrears on a date. */
export function isBlocked(person: Person, binding: Binding, policy: Policy, date: string): boolean {
  if (!policy.pauseOnArrears || isExempt(person, policy)) return false;
  const since = arrearsSince(person);
  if (since !== null && date >= blockedFrom(since, policy)) return true;
  const effectiveOn = binding.reasons.get('ARREARS');
  return effectiveOn !== undefined && (effectiveOn === null || effectiveOn <= date);
}

/** Whether a date lies in the last ended spell or in the waiting days after it. */
export function isWaiting(person: Person, policy: Policy, date: string): boolean {
  return person.ended_spell_start <= date && date < worksAgainOn(person, policy, date);
}

/** First date from this one on that no longer has to wait after the last recovery. */
export function worksAgainOn(person: Person, policy: Policy, date: string): string {
  if (person.recovered_on === null || isExempt(person, policy)) return date;
  const waited = addDays(person.recovered_on, policy.resumeMode === 'AUTO' ? policy.resumeWaitDays : 0);
  return waited > date ? waited : date;
}

/** How a person stands by the facts and rules before an event. */
export interface Standing {
  readonly since: string | null;
  /** First day of the block by what is unpaid, where it has begun. */
  readonly blockedFrom: string | null;
  /** First day on which the spell blocks sharing. */
  readonly spellBlocksFrom: string | null;
  readonly isPausable: boolean;
}

export function standingOf(world: World, person: Person, date: string): Standing {
  const since = arrearsSince(person);
  const policy = world.policy(person, date);
  const isPausable = policy.pauseOnArrears && !isExempt(person, policy);
  const { spell_start } = person;
  const isBlocked = isPausable && since !== null && blockedFrom(since, policy) <= date;
  return {
    since,
    blockedFrom: isBlocked && since !== null ? firstBlockedDay(world, person, since, date) : null,
    spellBlocksFrom: isPausable && spell_start !== null ? firstBlockedDay(world, person, spell_start, date) : null,
    isPausable,
  };
}

/** After a fact of arrears changed: the spell begins, goes on or ends, and the bindings follow. */
export function reviewArrears(world: World, person: Person, date: string, cause: Cause, before: Standing): void {
  const since = arrearsSince(person);
  const policy = world.policy(person, date);
  const spellBefore = person.spell_start;
  const isPausable = policy.pauseOnArrears && !isExempt(person, policy);
  person.block_ahead = null;
  if (since === null) {
    if (spellBefore !== null && isPausable) endSpell(world, person, policy, date, cause);
    person.spell_start = null;
  } else {
    // Paying the oldest month does not end a spell that has blocked; one that has not was none (6.2).
    const hadBlocked = before.spellBlocksFrom !== null && before.spellBlocksFrom <= date;
    person.spell_start = hadBlocked ? earliest([since, spellBefore ?? since]) : since;
  }
  if (!isPausable) clearArrears(world, person, date, date, cause);
  if (since === null || !isPausable) return;
  // Where nobody was paused before, what is still on hold is of no earlier spell.
  const start = before.isPausable || spellBefore === null ? before.spellBlocksFrom : BEGINNING;
  followSpell(world, person, { before: start, date, cause });
  const firstBlocked = firstBlockedDay(world, person, since, date);
  if (firstBlocked > date) person.block_ahead = firstBlocked;
  // The same arrears under other rules (another area, no retiree any more) block from the day of the event, or as they did before.
  else block(world, person, since === before.since ? (before.blockedFrom ?? date) : firstBlocked, date, cause);
}

interface SpellChange {
  /** First blocked day of the spell by the facts and rules before; null = there was none. */
  readonly before: string | null;
  readonly date: string;
  readonly cause: Cause;
}

/**
 * ARREARS counts from the first blocked day of its spell: it is dated by it, and goes while that day is still to come. What an earlier
 * spell left stays.
 */
function followSpell(world: World, person: Person, { before, date, cause }: SpellChange): void {
  if (person.spell_start === null || before === null) return;
  const firstBlocked = firstBlockedDay(world, person, person.spell_start, date);
  if (firstBlocked === before) return;
  for (const binding of world.bindingsOf(person.psn_no)) {
    const from = binding.reasons.get('ARREARS');
    if (from === undefined || !isLive(binding, date)) continue;
    const isOfSpell = from === null ? before <= date : from >= before;
    if (!isOfSpell) continue;
    if (firstBlocked > date && (from === null || from < firstBlocked)) {
      removeReason(world, binding, { reason: 'ARREARS', date, effective_on: date, cause });
    } else if (from !== null && (from < firstBlocked || firstBlocked < before)) {
      binding.reasons.set('ARREARS', firstBlocked);
    }
  }
}

function block(world: World, person: Person, firstBlocked: string, date: string, cause: Cause): void {
  const effective_on = firstBlocked === BEGINNING ? date : firstBlocked;
  for (const binding of world.bindingsOf(person.psn_no)) {
    if (isLive(binding, date)) addReason(world, binding, { reason: 'ARREARS', date, effective_on, cause });
  }
}

/** A PENDING binding that was just approved gains ARREARS where the payer is blocked already. */
export function blockApproved(world: World, person: Person, binding: Binding, date: string, cause: Cause): void {
  const since = arrearsSince(person);
  const policy = world.policy(person, date);
  if (since === null || !policy.pauseOnArrears || isExempt(person, policy)) return;
  const firstBlocked = firstBlockedDay(world, person, since, date);
  if (firstBlocked > date || !isLive(binding, date)) return;
  const effective_on = firstBlocked === BEGINNING ? date : firstBlocked;
  addReason(world, binding, { reason: 'ARREARS', date, effective_on, cause });
}

function endSpell(world: World, person: Person, policy: Policy, date: string, cause: Cause): void {
  const start = person.spell_start ?? BEGINNING;
  const wasBlocked = date >= blockedFrom(start, policy);
  if (wasBlocked) {
    person.recovered_on = date;
    person.ended_spell_start = start;
  }
  if (policy.resumeMode === 'MANUAL') return;
  const effective_on = wasBlocked ? addDays(date, policy.resumeWaitDays) : date;
  clearArrears(world, person, date, effective_on, cause);
}

/** Takes ARREARS off every live binding of the payer. */
function clearArrears(world: World, person: Person, date: string, effective_on: string, cause: Cause): void {
  for (const binding of world.bindingsOf(person.psn_no)) {
    if (isLive(binding, date)) removeReason(world, binding, { reason: 'ARREARS', date, effective_on, cause });
  }
}

/** What the calendar brings up to a date, in order of its days, before the event in hand: grace that ended, New Year. */
export function passTime(world: World, person: Person, date: string): void {
  const lastYear = person.account?.year ?? yearOf(date);
  for (let year = lastYear + 1; year <= yearOf(date); year += 1) {
    endGrace(world, person, `${year}-01-01`);
    rollOver(world, person, `${year}-01-01`);
  }
  endGrace(world, person, date);
}

/** On the first blocked day the rules of that day decide; where their grace is longer, that day moves. */
function endGrace(world: World, person: Person, date: string): void {
  while (person.block_ahead !== null && person.block_ahead <= date) {
    const day = person.block_ahead;
    const since = arrearsSince(person);
    const policy = world.policy(person, day);
    person.block_ahead = null;
    if (since === null || !policy.pauseOnArrears || isExempt(person, policy)) return;
    const firstBlocked = firstBlockedDay(world, person, since, day);
    if (firstBlocked > day) person.block_ahead = firstBlocked;
    else block(world, person, firstBlocked, day, CALENDAR);
  }
}

/**
 * The nightly check of a date for one person: months overdue before it are marked as missed; and what is unpaid blocks by the rules of
 * the date, or blocks nobody.
 */
export function checkArrears(world: World, person: Person, on: string, cause: Cause): void {
  passTime(world, person, on);
  const before = standingOf(world, person, on);
  if (markMonths(world, person, on)) reviewArrears(world, person, on, cause, before);
  else if (before.since !== null) {
    const policy = world.policy(person, on);
    if (!policy.pauseOnArrears || isExempt(person, policy)) clearArrears(world, person, on, on, cause);
    else if (before.blockedFrom !== null) block(world, person, before.blockedFrom, on, cause);
  }
}

function markMonths(world: World, person: Person, on: string): boolean {
  const contributes = person.insutype === '310' && ['ACTIVE', 'FLEXIBLE'].includes(person.employment);
  if (!contributes || person.account === null) return false;
  let isMarked = false;
  for (let month = nextMonth(person.account.as_of_month); ; month = nextMonth(month)) {
    const dueDate = dueDateOf(world, person, month);
    if (dueDate >= on) return isMarked;
    if (person.paid.has(month) || person.unpaid.has(month)) continue;
    person.unpaid.set(month, dueDate);
    isMarked = true;
  }
}

/** A month's own due date, by the pack in force on its first day. */
export function dueDateOf(world: World, person: Person, month: string): string {
  const { contributionDueDay } = world.policy(person, `${month}-01`);
  return contributionDueDay === 'LAST' ? lastDayOf(month) : `${month}-${String(contributionDueDay).padStart(2, '0')}`;
}
