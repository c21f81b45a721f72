import {
  add,
  addDays,
  assert,
  type Books,
  balanceOf,
  type CalendarDate,
  compareMoney,
  type Entry,
  formatMoney,
  isNegative,
  MONEY_MAX,
  type Money,
  subtract,
  ZERO,
} from '@repo/domain';
import { givenRows, insertRows } from './packed.ts';
import { BINDING_WRITE, bindingValues, FACT_WRITE, factValues } from './rows.ts';
import type { LedgerTransaction } from './transaction.ts';
import type { BookWrites } from './write.ts';

/** Writes persons, their contribution months and names. */
export function writeFacts(tx: LedgerTransaction, writes: BookWrites): void {
  const { books, opened, contributions = [], names = [] } = writes;
  const persons = [...books.changedPersons].flatMap((personNo) => books.person(personNo) ?? []);
  const fresh = persons.filter(({ personNo }) => opened?.has(personNo));
  const known = persons.filter(({ personNo }) => !opened?.has(personNo));
  insertRows(
    tx,
    'account',
    [...FACT_WRITE, ['partition', 'int']],
    fresh.map((person) => [...factValues(person), opened?.get(person.personNo)]),
  );
  for (const { personNo } of fresh) {
    const partition = opened?.get(personNo) ?? Number.NaN;
    tx.accounts.set(personNo, { version: 0, partition, isEmptied: false });
  }
  if (known.length > 0) {
    const sets = FACT_WRITE.slice(1).map(([name]) => `${name} = given.${name}`);
    const { given, parameters } = givenRows(FACT_WRITE, known.map(factValues));
    tx.send(`update account set ${sets} from ${given} where account.psn_no = given.psn_no`, parameters);
  }
  insertRows(
    tx,
    'contribution',
    [
      ['psn_no', 'text'],
      ['period', 'text'],
      ['due_date', 'date'],
      ['paid', 'boolean'],
    ],
    contributions.map(({ personNo, period, dueDate, paid }) => [personNo, period, dueDate, paid]),
    { onConflict: 'on conflict (psn_no, period) do update set due_date = excluded.due_date, paid = excluded.paid' },
  );
  writeNames(tx, new Map(names.map(({ personNo, name }) => [personNo, name])));
}

/** In two statements: `do update set … = excluded.…` would need the right to read names, which the worker's role does not have. */
function writeNames(tx: LedgerTransaction, names: ReadonlyMap<string, string>): void {
  if (names.size === 0) return;
  const columns = [
    ['psn_no', 'text'],
    ['psn_name', 'text'],
  ] as const;
  const { given, parameters } = givenRows(columns, [...names]);
  tx.send(
    `update person_name set psn_name = given.psn_name from ${given} where person_name.psn_no = given.psn_no`,
    parameters,
  );
  insertRows(tx, 'person_name', columns, [...names], { onConflict: 'on conflict (psn_no) do nothing' });
}

const ENTRY_COLUMNS = [
  'psn_no',
  'version',
  'kind',
  'counterpart',
  'reference',
  'binding_id',
  'prior_year',
  'current_year',
  'held',
  'prior_year_after',
  'current_year_after',
  'on_day',
  'book_day',
  'counted_on',
];

/** Appends entries, each with its account's next version. `closedThrough`: the last day whose books are closed. */
export function writeEntries(
  tx: LedgerTransaction,
  closedThrough: CalendarDate | null,
  entries: readonly Entry[],
): void {
  const firstOpen = closedThrough === null ? null : addDays(closedThrough, 1);
  const rows = entries.map((entry) => {
    const account = tx.accounts.get(entry.personNo);
    assert(account !== undefined, 'an entry is written only under its account lock');
    account.version += 1;
    return [
      entry.personNo,
      account.version,
      entry.kind,
      entry.counterpart,
      entry.reference,
      entry.bindingId,
      formatMoney(entry.priorYear),
      formatMoney(entry.currentYear),
      formatMoney(entry.held),
      formatMoney(entry.after.priorYear),
      formatMoney(entry.after.currentYear),
      entry.on,
      bookDay(entry, firstOpen),
      entry.countedOn,
    ];
  });
  tx.copy('entry', ENTRY_COLUMNS, rows);
}

/**
 * The day an entry is booked on: its own, or the first open day if that is later; and never before the day it counts on, so that usage of a
 * day need not be looked for earlier.
 */
const bookDay = ({ on, countedOn }: Entry, firstOpen: CalendarDate | null): CalendarDate =>
  [countedOn ?? on, firstOpen ?? on].reduce((latest, day) => (day > latest ? day : latest), on);

const MONEY_WRITE = [
  ['psn_no', 'text'],
  ['version', 'bigint'],
  ['year', 'int'],
  ['prior_year', 'numeric'],
  ['current_year', 'numeric'],
  ['held', 'numeric'],
  ['credits', 'numeric'],
  ['debits', 'numeric'],
] as const;

/**
 * Writes absolute balances after the batch, safe because the rows have been locked since they were read, and adds to the sums that only
 * grow.
 */
export function writeMoney(tx: LedgerTransaction, books: Books): void {
  const moved = new Map<string, { held: Money; credits: Money; debits: Money }>();
  for (const { personNo, priorYear, currentYear, held } of books.entries) {
    const sums = moved.get(personNo) ?? { held: ZERO, credits: ZERO, debits: ZERO };
    const amount = add(add(priorYear, currentYear), held);
    sums.held = add(sums.held, held);
    if (isNegative(amount)) sums.debits = subtract(sums.debits, amount);
    else sums.credits = add(sums.credits, amount);
    moved.set(personNo, sums);
  }
  if (moved.size === 0) return;
  const rows = [...moved].map(([personNo, { held, credits, debits }]) => {
    const purse = books.person(personNo)?.purse;
    assert(purse != null, 'money moves only in accounts that are locked');
    assert(compareMoney(balanceOf(purse), MONEY_MAX) <= 0, 'a balance fits the national interface');
    const after = [formatMoney(purse.priorYear), formatMoney(purse.currentYear)];
    const sums = [formatMoney(held), formatMoney(credits), formatMoney(debits)];
    return [personNo, tx.accounts.get(personNo)?.version, purse.year, ...after, ...sums];
  });
  const { given, parameters } = givenRows(MONEY_WRITE, rows);
  tx.send(
    `update account set version = given.version, year = given.year, prior_year = given.prior_year, current_year = given.current_year,
       held = account.held + given.held, credits = account.credits + given.credits, debits = account.debits + given.debits
     from ${given} where account.psn_no = given.psn_no`,
    parameters,
  );
}

/** Writes new and changed bindings. */
export function writeBindings(tx: LedgerTransaction, books: Books): void {
  const changed = [...books.changedBindings].flatMap((bindingId) => books.binding(bindingId) ?? []);
  insertRows(
    tx,
    'binding',
    BINDING_WRITE,
    changed.sort((a, b) => (a.bindingId < b.bindingId ? -1 : 1)).map(bindingValues),
    {
      onConflict: `on conflict (payer, binding_id) do update set ${BINDING_WRITE.slice(5).map(
        ([name]) => `${name} = excluded.${name}`,
      )}`,
    },
  );
}
