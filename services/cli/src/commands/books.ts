import { parseArgs } from 'node:util';
import { parseDate } from '@repo/domain';
import { type BookDay, closeBooks, closedDays, Ledger, NotClosable, type NotClosableReason } from '@repo/ledger';
import type { Settings } from '../config.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji books close DAY | list [--json]

close   closes every day up to and including DAY (YYYY-MM-DD): debits equal credits, and no later posting carries any of them.
        What is dated so afterwards is booked on the first open day. Closing again changes nothing. No day is ever opened again,
        so one that has not begun in China is refused, and so is any before a worker has been there.
list    the closed days that carry entries, with both sides in yuan

  --json  one JSON object a line

Exits with 0 if done, 1 if it was refused, 2 if the arguments or the settings are not understood. It finds a running \`npm start\` of this folder by itself;
GONGJI_DATABASE_URL (the owner's) names another database.`;

/** Closes or lists days of the books. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  const [action, dayText = '', ...more] = positionals;
  const day = parseDate(dayText);
  const isUnderstood = more.length === 0 && (action === 'list' ? dayText === '' : action === 'close' && day !== null);
  if (values.help === true || !isUnderstood) {
    (values.help ? console.log : console.error)(HELP);
    return values.help ? 0 : 2;
  }
  const url = settings.databaseUrl ?? runningServers(settings)?.databaseUrl;
  if (url === undefined) {
    console.error('No books here: start the system in this folder (npm start), or set GONGJI_DATABASE_URL.');
    return 2;
  }
  const ledger = await Ledger.open({
    url,
    name: 'gongji-books',
    statementTimeoutMs: 600_000,
    transactionTimeoutMs: 600_000,
  });
  try {
    print(day !== null ? await closeBooks(ledger, day) : await closedDays(ledger), values.json === true);
    return 0;
  } catch (error) {
    if (!(error instanceof NotClosable)) throw error;
    console.error(`The books stay as they are: ${WHY[error.reason]}.`);
    return 1;
  } finally {
    await ledger.close();
  }
}

const WHY: Readonly<Record<NotClosableReason, string>> = {
  NOT_BEGUN: 'that day has not begun in China, and no closed day is ever opened again',
  NO_SHARD: 'no worker has been here yet; start the system (npm start) and close them then',
};

function print(days: readonly BookDay[], json: boolean): void {
  if (json) for (const day of days) console.log(JSON.stringify(day));
  else if (days.length === 0) console.log('No day with entries.');
  else
    for (const { day, entries, debits, credits } of days)
      console.log(`${day}  ${entries} entries  debits ${debits}  credits ${credits}`);
}
