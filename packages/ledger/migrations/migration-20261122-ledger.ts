import { Migration } from '@mikro-orm/migrations';
import { member, role } from '../src/roles.ts';

/** The first schema. There is no older worker that could meet it. */
export class Migration20261122Ledger extends Migration {
  override up(): void {
    for (const statement of [...TABLES, ...ROLES, ...GRANTS]) this.addSql(statement);
  }
}

/**
 * What a batch reads of a row besides its money, as one text that the server keeps: putting fourteen columns into words for every
 * relative of every claim was a fifth of what a claim cost. Only changed facts are put together again, not a changed balance.
 */
const facts = (...columns: string[]) => columns.map((column) => `coalesce(${column}, '')`).join(` || E'\\x1c' || `);
// Of a generated column everything must be immutable, which a date's text is not.
const dayNumber = (column: string) => `(${column} - date '1970-01-01')::text`;
const yesNo = (column: string) => `case when ${column} then 'y' else 'n' end`;

/**
 * Persons, accounts and entries are keyed by the person, bindings by the payer, outcomes by their shard, so that
 * a cluster can distribute each hot table by the first column of its primary key.
 */
const TABLES = [
  // Offset, fence and sequence of one input partition: nothing is written without this row's lock and epoch.
  `create table shard (
    shard_id int generated always as identity,
    topic text collate "C" not null,
    partition int not null,
    partitions int not null,
    epoch bigint not null default 1,
    next_offset bigint not null default 0,
    out_seq bigint not null default 0,
    result_seq bigint not null default 0,
    dead_seq bigint not null default 0,
    published_seq bigint not null default 0,
    closed_through date,
    owner text not null,
    constraint pk_shard primary key (topic, partition),
    constraint ux_shard_id unique (shard_id),
    constraint ck_shard_published check (published_seq <= out_seq)
  ) with (fillfactor = 20)`,

  // Every event's identity, for ever: the same id with other content is a conflict. Narrow, never detached.
  `create table event_id (
    event_id text collate "C" not null,
    content_hash bytea not null,
    shard_id int not null,
    seq bigint,
    month date not null,
    constraint pk_event_id primary key (event_id)
  )`,

  // One row is the stored answer and the outbox at once. dest: R = results of this shard, D = dead letters.
  `create table outcome (
    shard_id int not null,
    seq bigint not null,
    month date not null,
    dest char(1) not null,
    dest_seq bigint not null,
    key bytea,
    stamp text not null,
    payload bytea,
    constraint pk_outcome primary key (shard_id, seq),
    constraint ck_outcome_dest check (dest in ('R', 'D'))
  )`,

  // A person and their personal account. Two sums that only grow prove the balance; year is null where there is no account.
  `create table account (
    psn_no text collate "C" not null,
    partition int not null,
    version bigint not null default 0,
    year int,
    prior_year numeric(16,2) not null default 0,
    current_year numeric(16,2) not null default 0,
    held numeric(16,2) not null default 0,
    credits numeric not null default 0,
    debits numeric not null default 0,
    insutype text not null,
    psn_type text not null,
    employment text not null,
    insu_admdvs text not null,
    status text not null,
    card_active boolean not null,
    employer_enabled boolean not null,
    wallet_open boolean not null,
    uninsured_since date,
    arrears_since date,
    spell_since date,
    spell_start date not null,
    recovered_on date,
    as_of_period text not null,
    facts text collate "C" generated always as (${facts(
      'insutype',
      'psn_type',
      'employment',
      'insu_admdvs',
      'status',
      yesNo('card_active'),
      yesNo('employer_enabled'),
      yesNo('wallet_open'),
      dayNumber('uninsured_since'),
      dayNumber('arrears_since'),
      dayNumber('spell_since'),
      dayNumber('spell_start'),
      dayNumber('recovered_on'),
      'as_of_period',
    )}) stored,
    constraint pk_account primary key (psn_no),
    constraint ck_account_prior_year check (prior_year >= 0),
    constraint ck_account_current_year check (current_year >= 0),
    constraint ck_account_held check (held >= 0),
    constraint ck_account_sums check (prior_year + current_year + held = credits - debits),
    constraint ck_account_none check (year is not null or prior_year + current_year + held = 0),
    constraint ck_account_status check (status in ('ACTIVE', 'FROZEN', 'CLOSED')),
    constraint ck_account_employment check (employment in ('ACTIVE', 'FLEXIBLE', 'RETIRED', 'NONE'))
  ) with (fillfactor = 70)`,
  `create index ix_account_partition on account (partition, psn_no)`,

  // Names stand apart, so that no role that settles can read one.
  `create table person_name (
    psn_no text collate "C" not null,
    psn_name text not null,
    constraint pk_person_name primary key (psn_no)
  )`,

  // Append-only: a correction is a new entry. version counts an account's entries without gaps.
  `create table entry (
    psn_no text collate "C" not null,
    version bigint not null,
    kind text not null,
    counterpart text collate "C" not null,
    reference text collate "C" not null,
    binding_id text collate "C",
    prior_year numeric(16,2) not null,
    current_year numeric(16,2) not null,
    held numeric(16,2) not null,
    prior_year_after numeric(16,2) not null,
    current_year_after numeric(16,2) not null,
    on_day date not null,
    book_day date not null,
    counted_on date,
    constraint pk_entry primary key (psn_no, version),
    constraint ck_entry_kind check (kind in ('OPENING', 'CREDIT', 'CLAIM', 'PREMIUM', 'REFUND', 'ROLLOVER', 'PAYOUT')),
    constraint ck_entry_rollover check (kind <> 'ROLLOVER' or prior_year + current_year + held = 0)
  )`,
  `create index ix_entry_book_day on entry using brin (book_day)`,
  // What a binding has used of a day's limit, refunds of that day's claims included, is the sum of these.
  `create index ix_entry_counted on entry (binding_id, counted_on) where counted_on is not null`,

  // Both sides of every posting: what left a person's account entered the counterpart's, so each posting sums to zero.
  `create view posting as
    select psn_no, version, 'person:' || psn_no as ledger_account, prior_year + current_year + held as amount,
      kind, reference, binding_id, on_day, book_day from entry
    union all
    select psn_no, version, counterpart, -(prior_year + current_year + held), kind, reference, binding_id, on_day, book_day
      from entry`,

  `create table binding (
    payer text collate "C" not null,
    binding_id text collate "C" not null,
    beneficiary text collate "C" not null,
    relation text not null,
    type text not null,
    state text not null,
    held_arrears date,
    held_employer_off date,
    held_user date,
    held_zero_balance date,
    priority int,
    bound_at timestamptz not null,
    effective_from date not null,
    effective_to date,
    daily_limit numeric(16,2),
    authorised_amount numeric(16,2),
    premium_registered boolean not null,
    facts text collate "C" generated always as (${facts(
      `floor(extract(epoch from bound_at - timestamptz '1970-01-01 00:00:00+00') * 1000)::bigint::text`,
      'relation',
      'type',
      'state',
      dayNumber('held_arrears'),
      dayNumber('held_employer_off'),
      dayNumber('held_user'),
      dayNumber('held_zero_balance'),
      'priority::text',
      dayNumber('effective_from'),
      dayNumber('effective_to'),
      'daily_limit::text',
      'authorised_amount::text',
      yesNo('premium_registered'),
    )}) stored,
    constraint pk_binding primary key (payer, binding_id),
    constraint ux_binding_id unique (binding_id),
    constraint ck_binding_state check (state in ('PENDING', 'REJECTED', 'ACTIVE', 'PAUSED', 'REVOKED')),
    constraint ck_binding_paused check ((state = 'PAUSED') =
      (coalesce(held_arrears, held_employer_off, held_user, held_zero_balance) is not null)),
    constraint ck_binding_authorised_amount check (authorised_amount >= 0)
  ) with (fillfactor = 80)`,
  `create index ix_binding_beneficiary on binding (beneficiary) include (payer)`,
  `create index ix_binding_empty on binding (payer) where held_zero_balance is not null`,

  // Refunds of one claim or premium, in order; the outcome rows say what each returned.
  `create table claim_refund (
    claim_id text collate "C" not null,
    shard_id int not null,
    seq bigint not null,
    constraint pk_claim_refund primary key (claim_id, shard_id, seq)
  )`,

  // Refunds that came before their claim, as they came, until the claim comes or their time is up.
  `create table parked_refund (
    partition int not null,
    refund_id text collate "C" not null,
    claim_id text collate "C" not null,
    log_offset bigint not null,
    record_ms bigint not null,
    headers jsonb not null,
    key bytea,
    value bytea not null,
    until timestamptz not null,
    constraint pk_parked_refund primary key (partition, refund_id)
  )`,
  `create index ix_parked_refund_claim on parked_refund (partition, claim_id)`,

  `create table held_refund (
    psn_no text collate "C" not null,
    refund_id text collate "C" not null,
    amount numeric(16,2) not null,
    paid numeric(16,2) not null default 0,
    constraint pk_held_refund primary key (psn_no, refund_id),
    constraint ck_held_refund_paid check (paid between 0 and amount)
  )`,

  `create table contribution (
    psn_no text collate "C" not null,
    period text not null,
    due_date date,
    paid boolean not null,
    constraint pk_contribution primary key (psn_no, period)
  )`,

  // Left for the payer's members shard, in the transaction that found it; taken in order.
  `create table shard_work (
    partition int not null,
    work_id bigint generated always as identity,
    payer text collate "C" not null,
    kind text not null,
    due_on date not null,
    detail jsonb not null,
    constraint pk_shard_work primary key (partition, work_id),
    constraint ck_shard_work_kind check (kind in ('BALANCE', 'GRACE'))
  )`,
  `create index ix_shard_work_payer on shard_work (payer)`,

  // A nightly check as one shard works through it: everyone up to `cursor_psn_no` has been looked at.
  `create table arrears_check (
    partition int not null,
    check_id text collate "C" not null,
    on_day date not null,
    cursor_psn_no text collate "C" not null default '',
    checked bigint not null default 0,
    marked bigint not null default 0,
    paused bigint not null default 0,
    finished boolean not null default false,
    started_at timestamptz not null default now(),
    moved_at timestamptz not null default now(),
    constraint pk_arrears_check primary key (partition, check_id)
  )`,
  `create index ix_arrears_check_open on arrears_check (partition, on_day) where not finished`,

  `create table book_day (
    day date not null,
    entries bigint not null,
    debits numeric not null,
    credits numeric not null,
    closed_at timestamptz not null default now(),
    constraint pk_book_day primary key (day),
    constraint ck_book_day_balanced check (debits = credits)
  )`,
];

const ROLES = [role('gongji_worker'), role('gongji_reader'), member('gongji_worker'), member('gongji_reader')];

const GRANTS = [
  `grant usage on schema public to gongji_worker, gongji_reader`,
  `grant select on migration to gongji_worker`,
  `grant select, insert on entry, event_id, outcome, claim_refund to gongji_worker`,
  `grant select, insert, update on shard, account, binding, contribution, held_refund, arrears_check to gongji_worker`,
  `grant select, insert, delete on shard_work, parked_refund to gongji_worker`,
  `grant insert, update on person_name to gongji_worker`,
  `grant select (psn_no) on person_name to gongji_worker`,
  `grant select on all tables in schema public to gongji_reader`,
];
