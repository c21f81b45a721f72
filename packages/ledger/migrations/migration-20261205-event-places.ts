import { Migration } from '@mikro-orm/migrations';

/**
 * Where an event was read: with its shard's topic and partition that is the place of the message as it came, which nobody could find
 * until now but by reading the topic. An older worker runs on and leaves it empty, as it is for what was taken before.
 */
export class Migration20261205EventPlaces extends Migration {
  override up(): void {
    // log_offset: in the input topic and partition of the shard; null: entered by a load, or before this was kept.
    this.addSql('alter table event_id add column log_offset bigint');
  }
}
