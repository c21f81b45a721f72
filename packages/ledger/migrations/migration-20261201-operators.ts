import { Migration } from '@mikro-orm/migrations';
import { member, role } from '../src/roles.ts';

/**
 * What operators do over HTTP: a role that may look at what is held and leave orders, and a way to the dead letters. An older worker runs
 * on unhindered, and so does an older query-api.
 *
 * The index has a row for each dead letter and none for a result, so that a posting costs what it cost. Building it reads the table
 * once, and holds postings up meanwhile.
 */
export class Migration20261201Operators extends Migration {
  override up(): void {
    // By the moment of the message, which stands last in the stamp. Its text is searched and not parsed: what a sender may put into the
    // name of a header is no JSON to PostgreSQL, and an index that cannot take a row would stop its shard.
    this.addSql(
      `create index ix_outcome_dead on outcome
         ((substring(stamp from '"at":"([^"]*)"[}][}]$') collate "C"), shard_id, seq) where dest = 'D'`,
    );
    // The name that a caller gave an order over HTTP: the same name is the same order, once.
    this.addSql('alter table quarantine_order add command_id text collate "C"');
    this.addSql('create unique index ix_quarantine_order_command on quarantine_order (command_id)');

    this.addSql(role('gongji_operator'));
    this.addSql(member('gongji_operator'));
    this.addSql('grant usage on schema public to gongji_operator');
    this.addSql('grant select on quarantined_message, quarantine_order to gongji_operator');
    this.addSql(
      `grant insert (partition, topic, action, log_offset, code, ordered_by, reason, command_id)
         on quarantine_order to gongji_operator`,
    );
  }
}
