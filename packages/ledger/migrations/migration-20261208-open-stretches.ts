import { Migration } from '@mikro-orm/migrations';

/**
 * The stretch of 128 pages that rows are being added to has no summary in any BRIN index. A stretch gets one when the table is vacuumed and is
 * full, so that adding a row costs nothing; but the first one of a new partition gets it with the index, empty, and after that the
 * bloom filter of `outcome.key`, 4 kB, was written to the log again for every page of outcomes: 470 bytes and 7 µs a settlement. An older
 * worker runs on unhindered.
 */
export class Migration20261208OpenStretches extends Migration {
  override up(): void {
    this.addSql(`select brin_desummarize_range(indexrelid, greatest(pg_relation_size(indrelid) / current_setting('block_size')::int - 1, 0))
      from pg_index join pg_class as brin on brin.oid = indexrelid join pg_am on pg_am.oid = brin.relam
      where amname = 'brin' and brin.relkind = 'i'
        and indrelid in (select inhrelid from pg_inherits where inhparent in ('outcome'::regclass, 'entry'::regclass))`);
  }
}
