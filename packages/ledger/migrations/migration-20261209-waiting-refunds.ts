import { Migration } from '@mikro-orm/migrations';

/** Lets a reader see which refunds wait for their claims, and nothing of what they hold: the audit took each for an answer that is missing. An older worker runs on. */
export class Migration20261209WaitingRefunds extends Migration {
  override up(): void {
    this.addSql('grant select (partition, refund_id) on parked_refund to gongji_reader');
  }
}
