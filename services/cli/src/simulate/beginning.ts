import {
  add,
  BEGINNING,
  type Binding,
  type BindingChanges,
  type CalendarDate,
  type Contribution,
  type MemberEvent,
  type Money,
  money,
  type Period,
  type Person,
  type PolicyLookup,
  subtract,
  ZERO,
} from '@repo/domain';
import type { Snapshot } from '@repo/ledger';
import { findBindings, findPersonsAfter } from '@repo/ledger';
import type { AccountOrder } from './inputs.ts';

/** What was there before the first input of the topics: people, bindings and months from a bulk load. */
export interface Beginning {
  readonly persons: readonly Person[];
  readonly bindings: readonly Binding[];
  readonly months: readonly Contribution[];
}

const PAGE = 5_000;

/**
 * Reads from all entries: the order of each account's postings, its opening amounts, and for each binding the sum of the entries that
 * moved its authorised amount: negative where some of it is used.
 */
export async function readPostings(snapshot: Snapshot, policyOf: PolicyLookup) {
  const order = new Map<string, string[]>();
  const opening = new Map<string, { priorYear: Money; currentYear: Money }>();
  const used = new Map<string, Money>();
  const sql = `select entry.psn_no, kind, reference, binding_id, entry.prior_year, entry.current_year, entry.held, on_day::text, insu_admdvs
    from all_entry as entry join account using (psn_no) order by entry.psn_no, entry.version`;
  interface Row {
    readonly psn_no: string;
    readonly kind: string;
    readonly reference: string;
    readonly binding_id: string | null;
    readonly prior_year: string;
    readonly current_year: string;
    readonly held: string;
    readonly on_day: CalendarDate;
    readonly insu_admdvs: string;
  }
  for await (const piece of snapshot.pieces<Row>('postings', sql, PAGE)) {
    for (const { psn_no, kind, reference, binding_id, prior_year, current_year, held, on_day, insu_admdvs } of piece) {
      if (kind === 'ROLLOVER') continue;
      if (kind === 'OPENING') opening.set(psn_no, { priorYear: money(prior_year), currentYear: money(current_year) });
      const named =
        kind === 'OPENING' ? psn_no : kind === 'CREDIT' || kind === 'PAYOUT' ? `${reference} ${psn_no}` : reference;
      const keys = order.get(psn_no) ?? [];
      order.set(psn_no, keys);
      keys.push(`${kind} ${named}`);
      if (binding_id === null || policyOf(insu_admdvs, on_day).sharablePortion !== 'PRIOR_YEAR_AUTHORISED') continue;
      const amount = [prior_year, current_year, held].map(money).reduce(add, ZERO);
      used.set(binding_id, add(used.get(binding_id) ?? ZERO, amount));
    }
  }
  return { order: order as AccountOrder, opening, used };
}

/**
 * The bulk-loaded people and bindings as they were then: their present state with the topics' events undone. The ledger keeps no earlier
 * values, so a fact that an event changed starts with the contract's default.
 */
export async function readBeginning(
  snapshot: Snapshot,
  events: readonly MemberEvent[],
  { opening, used }: Pick<Awaited<ReturnType<typeof readPostings>>, 'opening' | 'used'>,
): Promise<Beginning> {
  const loaded = new Set<string>();
  const ids = `select event_id from event_id where shard_id = 0 and (event_id ^@ 'account.opened:' or event_id ^@ 'binding.opened:')`;
  for await (const piece of snapshot.pieces<{ event_id: string }>('loaded', ids, PAGE))
    for (const { event_id } of piece) loaded.add(event_id);
  const ofPerson = Map.groupBy(events, (event) => ('personNo' in event ? event.personNo : ''));
  const ofBinding = Map.groupBy(events, (event) => ('bindingId' in event ? event.bindingId : ''));
  const marked = new Set<string>();
  const months: Contribution[] = [];
  for (const row of await snapshot.rows<{ psn_no: string; period: Period; due_date: string | null; paid: boolean }>(
    'select psn_no, period, due_date::text, paid from contribution',
  )) {
    const said = (ofPerson.get(row.psn_no) ?? []).filter((event) => 'period' in event && event.period === row.period);
    // A load states unpaid months without a due date; an event that marks a month later gives one.
    if (row.due_date !== null || said.length > 0) marked.add(row.psn_no);
    const first = said[0];
    const isLoaded =
      first === undefined ? row.due_date === null : first.kind === 'CONTRIBUTION_PAID' && first.reference === '';
    if (isLoaded && loaded.has(`account.opened:${row.psn_no}:`))
      months.push({ personNo: row.psn_no, period: row.period, dueDate: null, paid: false });
  }
  const persons: Person[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Person[] = await findPersonsAfter(snapshot, after, PAGE);
    for (const person of page) {
      const { personNo } = person;
      if (!loaded.has(`account.opened:${personNo}:`)) continue;
      const purse = person.purse && {
        year: Number(person.asOfPeriod.slice(0, 4)),
        ...(opening.get(personNo) ?? { priorYear: ZERO, currentYear: ZERO }),
      };
      persons.push({ ...personThen(person, ofPerson.get(personNo) ?? [], marked.has(personNo)), purse });
    }
    after = page.at(-1)?.personNo;
  }
  const bindings: Binding[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Binding[] = await findBindings(snapshot, { after, limit: PAGE });
    for (const binding of page)
      if (loaded.has(`binding.opened:${binding.bindingId}:`))
        bindings.push(
          bindingThen(binding, ofBinding.get(binding.bindingId) ?? [], used.get(binding.bindingId) ?? ZERO),
        );
    after = page.at(-1)?.bindingId;
  }
  return { persons, bindings, months };
}

const UNTOLD = { status: 'ACTIVE', cardActive: true, employerEnabled: true, walletOpen: false } as const;

function personThen(person: Person, events: readonly MemberEvent[], isMarked: boolean): Person {
  const changed = Object.assign({}, ...events.map((event) => (event.kind === 'ACCOUNT_CHANGED' ? event.changes : {})));
  const facts = Object.fromEntries(Object.entries(UNTOLD).filter(([name]) => name in changed));
  const isUninsured = person.uninsuredSince === BEGINNING && !('insured' in changed);
  const arrears = { arrearsSince: null, spellSince: null, lastSpellStart: BEGINNING, recoveredOn: null };
  return { ...person, ...facts, ...(isMarked ? arrears : {}), uninsuredSince: isUninsured ? BEGINNING : null };
}

function bindingThen(binding: Binding, events: readonly MemberEvent[], posted: Money): Binding {
  const changes: BindingChanges = Object.assign(
    {},
    ...events.map((event) => (event.kind === 'BINDING_CHANGED' ? event.changes : {})),
  );
  const holds = new Map([...binding.holds].filter(([, since]) => since === BEGINNING));
  const move = events.find(({ kind }) => kind !== 'BINDING_CHANGED')?.kind;
  if (move === 'BINDING_RESUMED') holds.set('USER', BEGINNING);
  const wasPending = move === 'BINDING_APPROVED' || move === 'BINDING_REJECTED';
  const isEnded = binding.state !== 'ACTIVE' && binding.state !== 'PAUSED' && move === undefined;
  const { authorisedAmount } = binding;
  return {
    ...binding,
    holds,
    state: isEnded ? binding.state : wasPending ? 'PENDING' : holds.size > 0 ? 'PAUSED' : 'ACTIVE',
    // Entries of payments are negative, those of refunds positive: subtracting them gives the amount before both.
    authorisedAmount:
      'authorisedAmount' in changes || authorisedAmount === null ? null : subtract(authorisedAmount, posted),
    ...('priority' in changes ? { priority: null } : {}),
    ...('dailyLimit' in changes ? { dailyLimit: null } : {}),
    ...('effectiveTo' in changes ? { effectiveTo: null } : {}),
    ...('premiumRegistered' in changes ? { premiumRegistered: false } : {}),
  };
}
