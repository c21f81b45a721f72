import { Migration } from '@mikro-orm/migrations';

/**
 * Finds what was published about a person, for the console: until now only the id of a claim led to it. An older worker runs on unhindered.
 *
 * A bloom filter for each stretch of 128 pages: a stretch gets its filter when the table is vacuumed and not when a row is added, so
 * that a posting costs what it cost; a tree would take a random write for every claim. Building it reads the table once, and holds
 * postings up meanwhile.
 */
export class Migration20261128PersonOutcomes extends Migration {
  override up(): void {
    this.addSql('create index ix_outcome_key on outcome using brin (key bytea_bloom_ops)');
  }
}
