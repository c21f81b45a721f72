import { Migration } from '@mikro-orm/migrations';

/**
 * Where among the payer's postings a binding was changed: without it nobody can say which limit, or how much of an authorisation, a
 * payment met. An older worker runs on and leaves it empty, as it is for what was changed before.
 */
export class Migration20261204ChangeOrder extends Migration {
  override up(): void {
    // payer_version: the version of the payer's account at the change; the account's later entries found the binding as it was changed.
    this.addSql('alter table binding_change add column payer_version bigint');
  }
}
