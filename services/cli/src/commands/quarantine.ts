import { userInfo } from 'node:os';
import { codeOf, findQuarantines, type HeldPlace, Ledger, type Quarantine } from '@repo/ledger';
import { type Envelopes, KEY_FILE_SETTING } from '@repo/sealing';
import {
  DROP_CODES,
  type Filter,
  heldOf,
  listed,
  listedMessage,
  type Ordered,
  order,
  planDrop,
  quarantinesFor,
  reasonProblem,
  textProblem,
  waitFor,
  wholeOf,
} from '@repo/set-aside';
import { NotUnderstood } from '../arguments.ts';
import type { Settings } from '../config.ts';
import { isNarrowed, placeIn, readArguments } from '../messages/asked.ts';
import { progressBar } from '../progress-bar.ts';
import { runningServers } from '../system/addresses.ts';
import { keysAtHand } from '../system/key-file.ts';
import { explainServer } from '../system/unreachable.ts';

const HELP = `Usage: gongji quarantine list [filters] [--json]
       gongji quarantine show PLACE [--value] [--json]
       gongji quarantine release (PLACE | filters | --all) [--by NAME] [--why TEXT] [--dry-run] [--no-wait] [--json]
       gongji quarantine drop PLACE --why TEXT [--code CODE] [--by NAME] [--dry-run] [--no-wait] [--json]

A worker that fails on a message holds it and every later one of its key (the patient's, on members the payer's) on that topic. Nothing of
them is judged or published; everybody else goes on, and a relative's claim may draw on that person's account as before. So it does where it
fails on work of a key that no message asks for: a refund that waited too long, what a posting left to tell, a check for arrears. That is
listed at a place below 0 (claims/3@-1): released, it is done again at once, and held again if it still fails; it cannot be dropped.

list     the quarantined keys, one a line: the place of the first held message (claims/3@1042), since when, how many, what failed
show     the held messages of the key that the one at PLACE is of; with --value also key, headers and value: personal data
release  has the shard's owner apply what is held of the key, in order and before anything new of it; for after the defect is mended.
         A message that it still fails on ends the release: it and those behind it stay held
drop     sends the one message at PLACE to the dead letters, with --code: EVENT_UNREADABLE (default), EVENT_MALFORMED, or, of a claim,
         CLAIM_MALFORMED, which also tells the hospital that the claim is rejected. The others stay held until they are released

Filters, all of which must hold:
  --topic claims|members   --partition N   --key KEY (exactly; a person's number)   --since, --until (instants: held at or after, before)
  --id ID                  a claim, refund, premium, binding, change, credit, contribution or check id of a held message

  --why      the reason, kept for ever with the order: name no person in it
  --by       who orders it; the name of the system's user when absent
  --dry-run  says what would be ordered and orders nothing
  --no-wait  leaves the order and does not wait until it is carried out

Exits with 0 if done; 1 if nothing is held there, the worker failed again on a message of the order, or nothing moved for a minute (the
order stands); 2 if the arguments or the settings are not understood, or the database cannot be used.
It finds a running \`npm start\` of this folder by itself, and its keys; GONGJI_DATABASE_URL (the owner's) names another database, and
GONGJI_ENVELOPE_KEY_FILE the keys that its messages are sealed with: without them everything but type, id and content is shown.`;

const FILTERS = ['topic', 'partition', 'since', 'until', 'id', 'key'] as const;
const ACTIONS = {
  list: FILTERS,
  show: ['value'],
  release: [...FILTERS, 'all', 'by', 'why', 'dry-run', 'no-wait'],
  drop: ['code', 'by', 'why', 'dry-run', 'no-wait'],
} as const;
type Asked = Extract<ReturnType<typeof readArguments<keyof typeof ACTIONS>>, { isHelp: false }>;

/** What a command works on. */
interface At {
  readonly ledger: Ledger;
  readonly prefix: string;
  readonly json: boolean;
  /** The keys that open held messages; null where there are none here. */
  readonly envelopes: Envelopes | null;
}

/** Lists, shows, releases or drops. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  try {
    const asked = readArguments(args, ACTIONS);
    if (asked.isHelp) {
      console.log(HELP);
      return 0;
    }
    if (asked.action === 'list' && asked.places.length > 0) throw new NotUnderstood('list takes filters and no place');
    const servers = runningServers({ ...settings, kafkaBrokers: settings.kafkaBrokers ?? [] });
    if (servers === null)
      throw new NotUnderstood('no database here: start the system (npm start), or set GONGJI_DATABASE_URL');
    const envelopes = keysAtHand(settings);
    if (asked.filter.id !== undefined && envelopes === null)
      throw new NotUnderstood(`--id looks into what is held, which is sealed: set ${KEY_FILE_SETTING}`);
    const ledger = await Ledger.open({ url: servers.databaseUrl, name: 'gongji-quarantine' });
    try {
      const json = asked.values.json === true;
      return await carryOut(asked, { ledger, prefix: servers.topicPrefix, json, envelopes });
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof NotUnderstood) console.error(`${error.message}\n\n${HELP}`);
    // A driver's message may contain values of rows, so only its code is shown.
    else console.error(reasonOf(error, settings));
    return 2;
  }
}

const reasonOf = (error: unknown, settings: Settings): string =>
  explainServer(error, settings) ?? `The database cannot be used: ${codeOf(error) ?? (error as Error).name}`;

function carryOut(asked: Asked, at: At): Promise<number> {
  switch (asked.action) {
    case 'list':
      return list(asked.filter, at);
    case 'show':
      return show(placeOf(asked, at), asked.values.value === true, at);
    case 'release':
      return release(asked, at);
    case 'drop':
      return drop(asked, at);
    default:
      return asked.action satisfies never;
  }
}

function placeOf({ places, action }: Asked, { prefix }: At): HeldPlace {
  if (places.length !== 1) throw new NotUnderstood(`${action} takes one place`);
  return placeIn(prefix, places[0] ?? '');
}

async function list(filter: Filter, { ledger, prefix, json, envelopes }: At): Promise<number> {
  const found = await quarantinesFor(ledger, prefix, filter, envelopes);
  for (const quarantine of found)
    console.log(json ? JSON.stringify(listed(prefix, quarantine)) : describe(prefix, quarantine));
  if (found.length === 0 && !json) console.log('Nothing is held.');
  return 0;
}

async function show(place: HeldPlace, withValue: boolean, { ledger, prefix, json, envelopes }: At): Promise<number> {
  let count = 0;
  for await (const message of heldOf(ledger, place, envelopes)) {
    const line = listedMessage(prefix, place, message);
    const shown = withValue ? { ...line, ...wholeOf(message) } : line;
    console.log(json ? JSON.stringify(shown) : JSON.stringify(shown, null, 2));
    count += 1;
  }
  if (count === 0) console.error('Nothing is held there.');
  else if (!withValue && !json) console.log('Key, headers and value are personal data: --value shows them.');
  return count === 0 ? 1 : 0;
}

async function release(asked: Asked, at: At): Promise<number> {
  const { filter, places, values } = asked;
  const { ledger, prefix, json, envelopes } = at;
  const hasFilter = isNarrowed(filter) || values.all === true;
  if ((places.length === 0) !== hasFilter) throw new NotUnderstood('release takes one place, or filters, or --all');
  const found = hasFilter
    ? await quarantinesFor(ledger, prefix, filter, envelopes)
    : await findQuarantines(ledger, placeOf(asked, at));
  if (found.length === 0) return nothingHeld();
  const by = whoIn(asked);
  const why = values.why === undefined ? '' : await reasonIn(values.why, found, at);
  if (values['dry-run']) {
    for (const quarantine of found)
      console.log(
        json
          ? JSON.stringify({ dryRun: true, ...listed(prefix, quarantine) })
          : `would release ${describe(prefix, quarantine)}`,
      );
    return 0;
  }
  const orders: Ordered[] = [];
  for (const quarantine of found)
    orders.push(await order(ledger, prefix, quarantine, { action: 'RELEASE', code: null, by, reason: why }));
  const total = found.reduce((sum, { messages }) => sum + messages, 0);
  return end(orders, { ...at, total, noWait: values['no-wait'] === true, what: 'released' });
}

async function drop(asked: Asked, at: At): Promise<number> {
  const { values } = asked;
  const { ledger, prefix, json, envelopes } = at;
  const place = placeOf(asked, at);
  const code = DROP_CODES.find((known) => known === (values.code ?? DROP_CODES[0]));
  if (code === undefined) throw new NotUnderstood(`--code must be one of ${DROP_CODES.join(', ')}`);
  if (values.why === undefined) throw new NotUnderstood('drop takes --why: the reason is kept with the order');
  const planned = await planDrop(ledger, prefix, { place, code }, envelopes);
  if (planned.kind === 'CODE') throw new NotUnderstood(`--code ${code} is for claims`);
  if (planned.kind === 'NOTHING') return nothingHeld();
  if (planned.kind === 'WORK')
    throw new NotUnderstood('this is work and no message: the books need it, so it can only be released');
  const { message: line, quarantines } = planned;
  const reason = await reasonIn(values.why, quarantines, at);
  if (values['dry-run']) {
    console.log(
      json
        ? JSON.stringify({ dryRun: true, code, ...line })
        : `would drop ${line.place} as ${code}: ${line.type ?? '-'} ${line.id ?? '-'}`,
    );
    return 0;
  }
  const ordered = await order(ledger, prefix, place, { action: 'DROP', code, by: whoIn(asked), reason });
  return end([ordered], { ...at, total: 1, noWait: values['no-wait'] === true, what: 'dropped' });
}

function nothingHeld(): number {
  console.error('Nothing is held there.');
  return 1;
}

function whoIn({ values }: Asked): string {
  const who = values.by ?? userInfo().username;
  const problem = textProblem(who);
  if (problem !== null) throw new NotUnderstood(`--by ${problem}`);
  return who;
}

/** Checks the reason: it is kept for ever beside the place, so it must not name a person. */
async function reasonIn(reason: string, found: readonly Quarantine[], { ledger }: At): Promise<string> {
  const problem = await reasonProblem(ledger, reason, found);
  if (problem !== null) throw new NotUnderstood(`--why ${problem}`);
  return reason;
}

interface Ending extends At {
  readonly total: number;
  readonly noWait: boolean;
  readonly what: 'released' | 'dropped';
}

async function end(orders: readonly Ordered[], { ledger, json, total, noWait, what }: Ending): Promise<number> {
  if (noWait) {
    tell(orders, json, () => 'ordered');
    return 0;
  }
  const bar = json ? undefined : progressBar(process.stderr);
  const ended = await waitFor(ledger, orders, (messages) =>
    bar?.show(Math.min(1, messages / Math.max(1, total)), `${messages} messages`),
  ).finally(() => bar?.clear());
  tell(ended, json, ({ messages, result }) => {
    if (result === 'DONE') return `${messages} ${what}`;
    if (result === 'GONE') return 'nothing was held there any more';
    if (result === 'FAILED')
      return `${messages} ${what}; then the worker failed again, and the rest stays held: see \`list\``;
    return `${messages} ${what} so far; nothing moved for a minute: is the worker running? The order stands`;
  });
  return ended.every(({ result }) => result === 'DONE') ? 0 : 1;
}

function tell(orders: readonly Ordered[], json: boolean, describeEnd: (order: Ordered) => string): void {
  for (const one of orders) {
    const { place, messages, result } = one;
    console.log(json ? JSON.stringify({ place, messages, result }) : `${place}: ${describeEnd(one)}.`);
  }
}

function describe(prefix: string, quarantine: Quarantine): string {
  const { place, since, messages, bytes, failed, failure, ordered } = listed(prefix, quarantine);
  const parts = [place, `since ${since}`, `${messages} held`, `${bytes} bytes`];
  if (failed !== null) parts.push(`failed ${failed}: ${failure}`);
  if (ordered !== null) parts.push(`${ordered} ordered`);
  return parts.join('  ');
}
