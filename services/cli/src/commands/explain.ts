import { parseArgs } from 'node:util';
import { printAnswer } from '../api.ts';
import { command, NotUnderstood } from '../arguments.ts';
import type { Settings } from '../config.ts';

const HELP = `Usage: gongji explain CLAIM_ID [--lang zh|en] [--json]

Says in sentences, to be read aloud, which accounts were asked, what each paid or why it did not, what was left in cash, and what has been
given back since. Then, marked by “-” and not for the patient’s ears, what kept an account that paid only a part from paying more, of the
accounts that the token may see. The API is that of the system that runs in this folder, or of GONGJI_HTTP_URL with the token GONGJI_HTTP_TOKEN.

  --lang   zh (the default) or en
  --json   the API's answer as it is

Exits with 0, 1 if there is no such settlement, 2 if the arguments are not understood or the API does not answer.`;

/** Prints the explanation. Answers the exit code. */
export const run = command(readArguments, HELP, explain);

function readArguments(args: string[]) {
  const options = {
    lang: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) return 'help';
  const [claimId, ...more] = positionals;
  const { lang = 'zh', json } = values;
  if (claimId === undefined || more.length > 0 || (lang !== 'zh' && lang !== 'en')) throw new NotUnderstood();
  return { claimId, lang, json } as const;
}

type Told = {
  /** Refunds included. */
  readonly sentences: readonly string[];
  readonly steps: readonly {
    readonly account?: string;
    readonly stopped_by?: readonly { readonly sentence: string }[];
  }[];
};

type Asked = Exclude<ReturnType<typeof readArguments>, 'help'>;

function explain({ claimId, lang, json }: Asked, settings: Settings): Promise<number> {
  const path = `/v1/settlements/${encodeURIComponent(claimId)}/explanation?lang=${lang}`;
  return printAnswer(settings, { path }, ({ body }) => {
    const { sentences, steps } = body as Told;
    const stops = steps.flatMap(({ account, stopped_by = [] }) =>
      stopped_by.map(({ sentence }) => `- ${account}: ${sentence}`),
    );
    for (const line of json ? [JSON.stringify(body)] : [...sentences, ...stops]) console.log(line);
    return 0;
  });
}
