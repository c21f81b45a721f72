import { runMigrations } from './database.ts';
import { Ledger } from './ledger.ts';
import { createAhead } from './partitions.ts';

/**
 * Brings a database to the newest schema, or up to the migration named `to`; to the newest also creates partitions for the coming months.
 * Forward only; safe to run again. Needs the owner's URL. Throws `OtherSchema`.
 */
export async function migrate(url: string, { to }: { readonly to?: string } = {}): Promise<void> {
  await runMigrations(url, to === undefined ? {} : { to });
  if (to !== undefined) return;
  const ledger = await Ledger.open({ url, name: 'gongji-migrate' });
  try {
    await createAhead(ledger);
  } finally {
    await ledger.close();
  }
}
