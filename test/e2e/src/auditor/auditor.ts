import { passTime } from './arrears.ts';
import { effectiveFrom, isLiveState, moveBinding, openBinding, requestBinding } from './bindings.ts';
import { amountRefusal, answerClaim } from './claims.ts';
import { readInstant } from './dates.ts';
import { FIELDS } from './fields.ts';
import {
  changeAccount,
  checkAllArrears,
  clearMonth,
  creditAccount,
  latestMoment,
  missContribution,
  momentOf,
  openAccount,
  payOutRefund,
  type Refusal,
  receiveContribution,
} from './members.ts';
import { type Pack, Policies } from './policy.ts';
import { answerPremium } from './premiums.ts';
import { answerRefund } from './refunds.ts';
import { SHIPPED_PACKS, SHIPPED_TEMPLATES } from './shipped-packs.ts';
import type { ExpectedOutput, WireEvent, WireObject } from './types.ts';
import { type AccountView, type BindingView, viewAccount, viewBinding } from './views.ts';
import { decode, Fields, parseValue } from './wire.ts';
import { type Cause, World } from './world.ts';

const DAY_MS = 86_400_000;
const VALUE_BYTES_MAX = 1_048_576;
/** The field that is an event's own id, where it has one; the others are known by person or binding and period or moment. */
const OWN_ID = ['refund_id', 'claim_id', 'premium_id', 'change_id', 'credit_id', 'contribution_id', 'check_id'];

/**
 * A second, naive computation of every outcome: one event at a time, in the order given, with no database, no batch and no
 * code of the product. The order of events is the caller's: as the topics keep it per key, and across keys as it was waited for.
 */
export class Auditor {
  readonly #world: World;
  readonly #futureDaysMax: number;

  /** @param packs every policy file in force, shipped ones included; @param futureDaysMax as the system under test is set. */
  constructor(packs: readonly Pack[] = SHIPPED_PACKS, templates = SHIPPED_TEMPLATES, futureDaysMax = 400) {
    this.#world = new World(new Policies(packs, templates));
    this.#futureDaysMax = futureDaysMax;
  }

  /** Takes one input record and tells the records that must appear for it, in order within each output topic. */
  apply(event: WireEvent): ExpectedOutput[] {
    const world = this.#world;
    world.input += 1;
    world.outputs = [];
    const code = this.#take(event);
    if (code !== null) {
      const value = typeof event.value === 'string' ? event.value : JSON.stringify(event.value);
      world.outputs.push({ topic: 'dead-letters', key: event.key, code, value, input: world.input });
    }
    return world.outputs;
  }

  /** What HTTP must show of a person on a date; null where the person is unknown. */
  account(psn_no: string, date: string): AccountView | null {
    const person = this.#world.persons.get(psn_no);
    return person === undefined ? null : viewAccount(this.#world, person, date);
  }

  /** What HTTP must show of every binding on a date, in ascending order of `binding_id`. */
  bindings(date: string): BindingView[] {
    const all = [...this.#world.bindings.values()].map((binding) => viewBinding(binding, date));
    return all.sort((one, other) => (one.binding_id < other.binding_id ? -1 : 1));
  }

  /** The numbers of everybody who entered. */
  persons(): string[] {
    return [...this.#world.persons.keys()].sort();
  }

  /** The dead-letter code of an event, or null where it was taken. */
  #take(event: WireEvent): string | null {
    if (typeof event.value === 'string' && Buffer.byteLength(event.value) > VALUE_BYTES_MAX) return 'EVENT_TOO_LARGE';
    const value = parseValue(event.value);
    if (value === null) return 'EVENT_UNREADABLE';
    const type = event.type ?? value.ce_type;
    if (typeof type !== 'string' || topicOf(type) !== event.topic) return 'EVENT_TYPE_UNKNOWN';
    const person = value[keyField(type)];
    if (type !== 'arrears.check' && typeof person === 'string' && person !== '' && person !== event.key)
      return 'KEY_MISMATCH';
    const fields = decode(type, value);
    const ce_time = event.ce_time === undefined ? null : readInstant(event.ce_time);
    const moment = fields === null ? null : momentOf(type, fields, event.timestamp, ce_time);
    const latest = event.timestamp + this.#futureDaysMax * DAY_MS;
    const isSound =
      fields !== null &&
      moment !== null &&
      latestMoment(fields, moment.ms) <= latest &&
      isConsistent(type, fields, moment.date);
    if (!isSound)
      return type === 'claim.submitted' ? this.#reject(event.key, value, 'CLAIM_MALFORMED') : 'EVENT_MALFORMED';
    if (type === 'claim.submitted') {
      const amountCode = amountRefusal(fields);
      if (amountCode !== null) return this.#reject(event.key, value, amountCode);
    }
    const identity = identityOf(type, fields);
    const content = contentOf(type, fields);
    const first = this.#world.taken.get(identity);
    if (first === content) return null;
    if (first !== undefined) {
      return type === 'claim.submitted' ? this.#reject(event.key, value, 'CLAIM_DUPLICATE_CONFLICT') : 'EVENT_CONFLICT';
    }
    const code = event.topic === 'claims' ? this.#answer(type, fields) : this.#follow(type, fields, moment.date);
    if (code === null) this.#world.taken.set(identity, content);
    return code;
  }

  #answer(type: string, fields: Fields): null {
    if (type === 'claim.submitted') answerClaim(this.#world, fields);
    else if (type === 'claim.refunded') answerRefund(this.#world, fields);
    else answerPremium(this.#world, fields);
    return null;
  }

  #follow(type: string, fields: Fields, date: string): Refusal {
    const world = this.#world;
    const cause: Cause = { ce_type: type, id: ownId(fields) };
    if (type === 'arrears.check') {
      checkAllArrears(world, fields, cause);
      return null;
    }
    if (type === 'account.opened') {
      openAccount(world, fields, date);
      return null;
    }
    if (type.startsWith('binding.') && !fields.has('relation')) {
      const binding = world.bindings.get(fields.text('binding_id'));
      const payer = world.persons.get(fields.text('payer'));
      if (payer !== undefined) passTime(world, payer, date);
      if (binding === undefined || binding.payer !== payer?.psn_no) return 'BINDING_UNKNOWN';
      return moveBinding(world, type, binding, fields, date, cause);
    }
    const person = world.persons.get(fields.text(keyField(type)));
    if (person === undefined) return 'PERSON_UNKNOWN';
    passTime(world, person, date);
    switch (type) {
      case 'binding.opened':
        if (world.bindings.has(fields.text('binding_id'))) return 'TRANSITION_NOT_ALLOWED';
        openBinding(world, fields);
        return null;
      case 'binding.requested':
        if (world.bindings.has(fields.text('binding_id'))) return 'TRANSITION_NOT_ALLOWED';
        requestBinding(world, person, fields, date);
        return null;
      case 'account.changed':
        return changeAccount(world, person, fields, date, cause);
      case 'account.credited':
        return creditAccount(world, person, fields.fen('amount'), date, cause);
      case 'contribution.received':
        return receiveContribution(world, person, fields, date, cause);
      case 'contribution.missed':
        missContribution(world, person, fields, date, cause);
        return null;
      case 'contribution.recovered':
        clearMonth(world, person, fields.text('period'), date, cause);
        return null;
      case 'refund.paid':
        return payOutRefund(world, fields);
      default:
        throw new Error(`no rule follows ${type}`);
    }
  }

  /** A rejected claim also has a published answer where its id could be read. */
  #reject(key: string | null, value: WireObject, code: string): string {
    const { claim_id, psn_no } = value;
    if (typeof claim_id === 'string' && claim_id !== '') {
      const known = typeof psn_no === 'string' ? psn_no : null;
      const outcome = { claim_id, psn_no: known, status: 'REJECTED', code };
      this.#world.publish('settlements', key ?? '', 'settlement.rejected', outcome, ['issues']);
    }
    return code;
  }
}

function topicOf(type: string): 'claims' | 'members' | null {
  if (FIELDS[type] === undefined) return null;
  return type.startsWith('claim.') || type.startsWith('premium.') ? 'claims' : 'members';
}

/** The field whose person must be the record's key. */
function keyField(type: string): string {
  if (type.startsWith('binding.')) return 'payer';
  return type.startsWith('premium.') ? 'beneficiary' : 'psn_no';
}

function isConsistent(type: string, fields: Fields, date: string): boolean {
  if (type !== 'binding.opened') return true;
  const state = fields.text('state');
  if (state === 'EXPIRED') return fields.has('effective_to') && fields.text('effective_to') < date;
  return state !== 'PAUSED' || fields.list('pause_reasons').length > 0;
}

/** What two events of one identity must share: the decoded fields, with what an absent one means filled in. */
function contentOf(type: string, fields: Fields): string {
  const all = new Map(fields.all);
  if (all.has('prior_year') || all.has('current_year')) {
    for (const portion of ['prior_year', 'current_year']) all.set(portion, all.get(portion) ?? 0n);
  }
  if (all.has('bound_at')) all.set('effective_from', effectiveFrom(fields));
  if (type === 'binding.opened') {
    all.set('state', isLiveState(fields.text('state')) ? 'LIVE' : fields.text('state'));
    all.set('pause_reasons', [...new Set(fields.list('pause_reasons'))].sort());
  }
  return `${type} ${new Fields(all).content()}`;
}

function ownId(fields: Fields): string | null {
  const name = OWN_ID.find((each) => fields.has(each));
  return name === undefined ? null : fields.text(name);
}

function identityOf(type: string, fields: Fields): string {
  if (type === 'claim.submitted' || type === 'premium.submitted') return `settlement ${ownId(fields)}`;
  if (type === 'refund.paid') return `${type} ${fields.text('refund_id')} ${fields.text('psn_no')}`;
  const id = ownId(fields);
  // A check without a shard is passed on as one per shard, under the same id.
  if (id !== null) return `${type} ${id} ${fields.intOr('shard', '')}`;
  const subject = fields.has('binding_id') ? fields.text('binding_id') : fields.text('psn_no');
  const period = fields.textOr('period', null) ?? (fields.has('at') ? String(fields.instant('at').ms) : '');
  return `${type} ${subject} ${period}`;
}
