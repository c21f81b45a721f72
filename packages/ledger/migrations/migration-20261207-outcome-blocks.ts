import { Migration } from '@mikro-orm/migrations';

/**
 * Outcomes that follow each other are kept together as one compressed block, in the row of the first: a settlement takes less than half
 * the disk and two thirds to four fifths of the write-ahead log. `lead` is how many rows before a row that first one is; null of a row that keeps its own stamp and payload,
 * as all do that were written before, and dead letters and rejections still.
 *
 * A worker of the version before finds no stamp in such a row and stops at it, instead of publishing what it cannot read: replace all
 * workers in one go.
 */
export class Migration20261207OutcomeBlocks extends Migration {
  override up(): void {
    for (const table of ['outcome', 'archive.outcome']) {
      this.addSql(`alter table ${table} alter stamp drop not null`);
      this.addSql(`alter table ${table} add column lead int`);
      // What is compressed already is not to be tried again.
      this.addSql(`alter table ${table} alter payload set storage external`);
      this.addSql(
        `alter table ${table} add constraint ck_outcome_block check (case when lead is null then stamp is not null
           else dest = 'R' and stamp is null and lead >= 0 and (lead = 0) = (payload is not null) end) not valid`,
      );
    }
    this.addSql(
      `create or replace view all_outcome with (security_invoker = true) as
         select ${columnsOf('outcome')} from outcome union all select ${columnsOf('archive.outcome')} from archive.outcome`,
    );
  }
}

/** A row that has no payload of its own gets its place in the block, and the block: see outcome-blocks.ts. */
const columnsOf = (table: string): string => `shard_id, seq, month, dest, dest_seq, key, stamp,
  case when lead is null then payload else int4send(lead) || (select head.payload from ${table} as head
    where head.shard_id = outcome.shard_id and head.seq = outcome.seq - outcome.lead and head.month = outcome.month)
  end as payload`;
