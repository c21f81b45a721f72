import { Migration } from '@mikro-orm/migrations';

/** Takes from readers what nothing they do needs; an older worker runs on, and so does an older query-api. */
export class Migration20261127ReaderRights extends Migration {
  override up(): void {
    // Work between shards, and refunds as they came: each is for the worker that left it.
    this.addSql('revoke select on shard_work, parked_refund from gongji_reader');
  }
}
