import { Migration } from '@mikro-orm/migrations';

/**
 * Draws that stand although a fact that became known later says the payer should have been passed over: a list for staff. An older worker
 * knows nothing of the table and runs on; what it applies meanwhile is not listed.
 */
export class Migration20261123Backdated extends Migration {
  override up(): void {
    // One row for each entry and reason: the entry's account is the payer's.
    this.addSql(`create table backdated_draw (
      psn_no text collate "C" not null,
      version bigint not null,
      reason text not null,
      since date not null,
      cause_type text not null,
      cause_id text not null,
      known_at timestamptz not null default now(),
      constraint pk_backdated_draw primary key (psn_no, version, reason)
    )`);
    this.addSql('grant select, insert, delete on backdated_draw to gongji_worker');
    this.addSql('grant select on backdated_draw to gongji_reader');
  }
}
