import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { printAnswer } from '../api.ts';
import { command, NotUnderstood, refuse } from '../arguments.ts';
import type { Settings } from '../config.ts';

const HELP = `Usage: gongji quote FILE|- [--json]

Asks what a claim (the JSON of a claim.submitted, from a file or the standard input) would come to now. Nothing is changed, reserved or
remembered. The API is that of the system that runs in this folder, or of GONGJI_HTTP_URL with the token GONGJI_HTTP_TOKEN.

  --json   the API's answer as it is

Exits with 0, 1 if the claim cannot be used, 2 if the arguments are not understood or the API does not answer.`;

interface Quote {
  readonly status: string;
  readonly code: string | null;
  readonly psn_part_amt: string;
  readonly psn_cash_pay: string;
  readonly allocation: readonly { readonly source: string; readonly relation?: string; readonly amount: string }[];
  readonly skipped: readonly { readonly source: string; readonly code: string }[];
}

/** Prints the quote. Answers the exit code. */
export const run = command(readArguments, HELP, quote);

function readArguments(args: string[]) {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) return 'help';
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new NotUnderstood();
  return { file, json: values.json };
}

type Asked = Exclude<ReturnType<typeof readArguments>, 'help'>;

async function quote({ file, json }: Asked, settings: Settings): Promise<number> {
  let body: Uint8Array<ArrayBuffer>;
  try {
    // As it is: an amount must not pass through a number, nor what is no UTF-8 through a text.
    body = readFileSync(file === '-' ? 0 : file);
  } catch {
    return refuse(`${file}: expected a file that can be read`);
  }
  return printAnswer(settings, { path: '/v1/quotes', body }, (answer) => {
    console.log(json ? JSON.stringify(answer.body) : describe(answer.body as unknown as Quote));
    return 0;
  });
}

const describe = ({ status, code, psn_part_amt, psn_cash_pay, allocation, skipped }: Quote): string =>
  [
    `${status}${code === null ? '' : ` ${code}`}, to pay ${psn_part_amt}`,
    ...allocation.map(({ source, relation, amount }) => `  ${(relation ?? source).padEnd(12)} ${amount.padStart(14)}`),
    `  ${'CASH'.padEnd(12)} ${psn_cash_pay.padStart(14)}`,
    ...skipped.map(({ source, code: why }) => `  ${source.padEnd(12)} ${'nothing'.padStart(14)}  ${why}`),
  ].join('\n');
