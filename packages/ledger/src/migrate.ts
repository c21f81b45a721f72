import { runMigrations } from './database.ts';
import { Ledger } from './ledger.ts';
import { createAhead } from './partitions.ts';

/**
 * Brings a database to the newest schema, with partitions for the months that come next. Forward only; safe to run again. The URL is the
 * owner's. Throws `OtherSchema`.
 */
export async function migrate(url: string): Promise<void> {
  await runMigrations(url);
  const ledger = await Ledger.open({ url, name: 'gongji-migrate' });
  try {
    await createAhead(ledger);
  } finally {
    await ledger.close();
  }
}
