import { runMigrations } from './database.ts';
import { Ledger } from './ledger.ts';
import { createAhead } from './partitions.ts';

/**
 * Brings a database to the newest schema, with partitions for the months that come next, or as far as the migration named `to`. Forward only;
 * safe to run again. The URL is the owner's. Throws `OtherSchema`.
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
