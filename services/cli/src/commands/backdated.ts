import { parseArgs } from 'node:util';
import { type BackdatedPayer, encodeBackdated } from '@repo/contracts';
import { findBackdated, Ledger } from '@repo/ledger';
import type { Settings } from '../config.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji backdated [--payer PSN_NO] [--json]

Lists, payer by payer, claims and premiums that were settled before it was known that the payer should have been passed over: a month
that was missed, insurance, an account or a binding that had ended, a pause. Nothing is taken back: each line says what was drawn and
given back in yuan, which fact speaks against it, and since when. A recovery takes off the list what it covers.

  --payer  of one payer only
  --json   one JSON object a payer, one a line

Exits with 0, or with 2 if the arguments or the settings are not understood. It finds a running \`npm start\` of this folder by itself;
GONGJI_DATABASE_URL names another database.`;

const PAYERS_AT_ONCE = 100;

/** Prints the list. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { payer: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const url = settings.databaseUrl ?? runningServers(settings)?.databaseUrl;
  if (url === undefined) {
    console.error('No list here: start the system in this folder (npm start), or set GONGJI_DATABASE_URL.');
    return 2;
  }
  const ledger = await Ledger.open({ url, role: 'gongji_reader', name: 'gongji-backdated' });
  try {
    let payers = 0;
    for (let after: string | undefined = ''; after !== undefined; ) {
      const found = encodeBackdated(
        await findBackdated(ledger, { payer: values.payer, after, payersMax: PAYERS_AT_ONCE }),
      );
      for (const payer of found) console.log(values.json ? JSON.stringify(payer) : describe(payer));
      payers += found.length;
      after = found.at(-1)?.payer;
    }
    if (payers === 0 && !values.json) console.log('Nothing was drawn before a fact that speaks against it was known.');
    return 0;
  } finally {
    await ledger.close();
  }
}

/** One payer as a table. */
export function describe({ payer, count, amount, refunded, net, draws }: BackdatedPayer): string {
  const lines = draws.map((draw) => [
    draw.on,
    draw.claim_id ?? draw.premium_id ?? '',
    `${draw.binding_id} ${draw.relation} ${draw.beneficiary}`,
    `drawn ${draw.amount}`,
    `refunded ${draw.refunded}`,
    draw.reasons.map(({ code, since, cause }) => `${code} since ${since} (${cause.ce_type} ${cause.id})`).join(', '),
  ]);
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return [
    `${payer}  ${count} drawn, ${amount} yuan, ${refunded} given back, ${net} stand`,
    ...lines.map((line) => `  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()),
  ].join('\n');
}
