import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { COMMAND_KEY } from '@repo/contracts';
import { AWAY, printAnswer } from '../api.ts';
import { command, NotUnderstood } from '../arguments.ts';
import type { Settings } from '../config.ts';

const HELP = `Usage: gongji refund CLAIM_ID [--amount YUAN] [--key KEY] [--json]

Gives money of a settlement back to where it came from: cash first, then relatives, the last one first, then the own account. It becomes
claim.refunded on the topic; the worker decides. The API is that of the system that runs in this folder, or of GONGJI_HTTP_URL with the
token GONGJI_HTTP_TOKEN.

  --amount  of the personal burden; all that is left if absent
  --key     names the command: the same key again is the same refund, once. A new one if absent, which is told where the outcome is not known
  --json    the API's answer as it is

Exits with 0 if refunded, 1 if it is refused, 2 if the arguments are not understood or the API does not answer, 3 if it was sent and its
outcome is not there yet: the same command with its key asks again.`;

const PENDING = 202;

/** Asks for the refund and prints what came of it. Answers the exit code. */
export const run = command(readArguments, HELP, refund);

function readArguments(args: string[]) {
  const text = { type: 'string' } as const;
  const options = {
    amount: text,
    key: text,
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) return 'help';
  const [claimId, ...more] = positionals;
  if (claimId === undefined || more.length > 0) throw new NotUnderstood();
  // Another could not even be sent.
  if (values.key !== undefined && !COMMAND_KEY.test(values.key))
    throw new NotUnderstood('--key is 1 to 200 ASCII characters, without spaces at its ends');
  return { claimId, key: values.key ?? randomUUID(), amount: values.amount, json: values.json };
}

type Asked = Exclude<ReturnType<typeof readArguments>, 'help'>;

async function refund({ claimId, key, amount, json }: Asked, settings: Settings): Promise<number> {
  const asked = {
    path: `/v1/settlements/${encodeURIComponent(claimId)}/refunds`,
    body: JSON.stringify(amount === undefined ? {} : { amount }),
    headers: { 'idempotency-key': key },
  };
  const exitCode = await printAnswer(settings, asked, ({ status, body }) => {
    const isPending = status === PENDING;
    print(body, { key, isPending, json });
    return isPending ? 3 : 0;
  });
  // It may have been sent all the same: with another key it would be a second refund.
  if (exitCode === AWAY) console.error(`To ask again without paying twice: --key ${key}`);
  return exitCode;
}

function print(
  body: Readonly<Record<string, unknown>>,
  { key, isPending, json }: Pick<Asked, 'key' | 'json'> & { readonly isPending: boolean },
): void {
  if (json) console.log(JSON.stringify({ ...body, ...(isPending ? { key } : {}) }));
  else if (isPending) console.log(`Sent; its outcome is not there yet. Ask again with --key ${key}`);
  else {
    const {
      refund_id,
      amount: given,
      returned,
    } = body as unknown as {
      readonly refund_id: string;
      readonly amount: string;
      readonly returned: readonly { readonly source: string; readonly amount: string; readonly manual?: true }[];
    };
    console.log(`${refund_id}: ${given} given back`);
    for (const { source, amount: part, manual } of returned)
      console.log(`  ${source.padEnd(12)} ${part.padStart(14)}${manual ? '  held to be paid out by hand' : ''}`);
  }
}
