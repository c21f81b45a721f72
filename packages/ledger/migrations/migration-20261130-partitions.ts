import { Migration } from '@mikro-orm/migrations';

/**
 * Parts the two tables that grow by months, so that old months can be taken to the archive. An older worker survives it: the names and columns
 * are as they were, its prepared statements are planned anew, and it begins a batch again that waited too long meanwhile. It does not look into
 * the archive: archive nothing before all workers are of this version.
 *
 * What is there stays where it is: each old table becomes the partition of all time up to this month's end. To prove that it fits PostgreSQL reads
 * it once, while postings wait, unless a valid constraint says so already (see the changelog). No index is built.
 */
export class Migration20261130Partitions extends Migration {
  override up(): void {
    const part = TABLES.flatMap(partition);
    for (const statement of [...LOCKS, ...REFUNDS, ...part, ...ARCHIVE, ...VIEWS, ...GRANTS]) this.addSql(statement);
  }
}

/** Behind the first of these no batch is under way, so that the others are waited for by nobody who has one of them. */
const LOCKS = [
  'lock table shard in exclusive mode',
  'lock table outcome, entry in access exclusive mode',
  // It stands on the table and not on its name.
  'drop view posting',
];

/** A refund's outcome is found as its claim's is, by its month. The default says for older workers what it says for newer ones. */
const REFUNDS = [
  `alter table claim_refund add month date not null default date_trunc('month', now())::date`,
  `update claim_refund set month = outcome.month from outcome
   where (outcome.shard_id, outcome.seq) = (claim_refund.shard_id, claim_refund.seq) and outcome.month <> claim_refund.month`,
];

/** Unique keys belong to each partition: one of the whole would have to hold the month, and would say no more for it. */
const TABLES = [
  {
    table: 'outcome',
    by: 'month',
    key: '(shard_id, seq)',
    indexes: { ix_outcome_key: 'using brin (key bytea_bloom_ops)' },
  },
  {
    table: 'entry',
    by: 'book_day',
    key: '(psn_no, version)',
    indexes: {
      ix_entry_book_day: 'using brin (book_day)',
      ix_entry_counted: '(binding_id, counted_on) where counted_on is not null',
    },
  },
] as const;

function partition({ table, by, key, indexes }: (typeof TABLES)[number]): string[] {
  const old = `${table}_beginning`;
  return [
    `alter table ${table} rename to ${old}`,
    ...Object.keys(indexes).map((index) => `alter index ${index} rename to ${index}_beginning`),
    `create table ${table} (like ${old} including defaults including constraints) partition by range (${by})`,
    ...Object.entries(indexes).map(([index, of]) => `create index ${index} on ${table} ${of}`),
    // The net: what falls into a month that nobody has created a partition for is kept here until somebody does.
    `create table ${table}_default (like ${table} including defaults including constraints, constraint pk_${table}_default primary key ${key})`,
    `alter table ${table} attach partition ${table}_default default`,
    // A claim may be dated months ahead: what is booked after this month goes to the net, and from there to its months.
    `do $$ declare ends date := date_trunc('month', now()) + interval '1 month'; begin
       if exists (select from ${old}) then
         revoke all on ${old} from gongji_worker, gongji_reader;
         with later as (delete from ${old} where ${by} >= ends returning *) insert into ${table} select * from later;
         execute format('alter table ${table} attach partition ${old} for values from (minvalue) to (%L)', ends);
       else
         drop table ${old};
       end if;
     end $$`,
  ];
}

/** Months that are no longer written to, parted in the same way: a lookup by the month finds the one that it is in. */
const ARCHIVE = [
  'create schema archive',
  ...TABLES.map(
    ({ table, by }) =>
      `create table archive.${table} (like ${table} including defaults including constraints) partition by range (${by})`,
  ),
];

const OUTCOME = 'shard_id, seq, month, dest, dest_seq, key, stamp, payload';
const ENTRY = `psn_no, version, kind, counterpart, reference, binding_id, prior_year, current_year, held, prior_year_after,
  current_year_after, on_day, book_day, counted_on`;
/** Where a row is stored, for whoever must point at one. */
const PLACE = 'tableoid::regclass as stored_in, ctid as place';

/** Both together, which readers and lookups of what may be old use. What is new is written to the tables themselves. */
const VIEWS = [
  `create view all_outcome with (security_invoker = true) as
     select ${OUTCOME} from outcome union all select ${OUTCOME} from archive.outcome`,
  `create view all_entry with (security_invoker = true) as
     select ${ENTRY}, ${PLACE} from entry union all select ${ENTRY}, ${PLACE} from archive.entry`,
  `create view posting as
    select psn_no, version, 'person:' || psn_no as ledger_account, prior_year + current_year + held as amount,
      kind, reference, binding_id, on_day, book_day from all_entry
    union all
    select psn_no, version, counterpart, -(prior_year + current_year + held), kind, reference, binding_id, on_day, book_day
      from all_entry`,
];

const GRANTS = [
  'grant usage on schema archive to gongji_worker, gongji_reader',
  'grant select, insert on outcome, entry to gongji_worker',
  'grant select on outcome, entry, posting to gongji_reader',
  'grant select on all_outcome, all_entry, archive.outcome, archive.entry to gongji_worker, gongji_reader',
];
