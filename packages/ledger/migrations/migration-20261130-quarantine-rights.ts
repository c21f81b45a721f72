import { Migration } from '@mikro-orm/migrations';

/**
 * Takes from readers and workers what nothing they do with the quarantine needs. An older worker and an older query-api run on: neither
 * ever read what is taken here.
 */
export class Migration20261130QuarantineRights extends Migration {
  override up(): void {
    // A reader compares the books with what is held: whose and where. Why, since when, and what was ordered about it is for operators.
    this.addSql('revoke select (failure, held_at) on quarantined_message from gongji_reader');
    this.addSql('revoke select on quarantine_order, arrears_left from gongji_reader');
    // A worker carries an order out; who gave it, when and why is no concern of its.
    this.addSql('revoke select on quarantine_order from gongji_worker');
    this.addSql(
      `grant select (partition, order_id, topic, action, log_offset, code, messages, ended_at)
         on quarantine_order to gongji_worker`,
    );
  }
}
