import { Migration } from '@mikro-orm/migrations';

/**
 * What payers changed of their bindings: order, limits, authorisations, the last day. Nobody publishes it, and the binding's own row knows
 * only what holds now, so until now nobody could say why an account was asked first last month. An older worker runs on and notes nothing.
 */
export class Migration20261202BindingChanges extends Migration {
  override up(): void {
    // change_no: in the order in which they were applied. changes: [{"field": "daily_limit", "before": "100.00", "after": null}], as on the wire.
    this.addSql(`create table binding_change (
      payer text collate "C" not null,
      binding_id text collate "C" not null,
      change_no bigint generated always as identity,
      change_id text collate "C" not null,
      changed_at timestamptz not null,
      changes jsonb not null,
      constraint pk_binding_change primary key (payer, binding_id, change_no)
    )`);
    this.addSql('grant insert on binding_change to gongji_worker');
    this.addSql('grant select on binding_change to gongji_reader');
  }
}
