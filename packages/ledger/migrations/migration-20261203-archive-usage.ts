import { Migration } from '@mikro-orm/migrations';

/** Takes back a right that nobody needs: archived months are read by the views of the schema public. An older worker and an older query-api run on. */
export class Migration20261203ArchiveUsage extends Migration {
  override up(): void {
    this.addSql('revoke usage on schema archive from gongji_worker, gongji_reader');
  }
}
