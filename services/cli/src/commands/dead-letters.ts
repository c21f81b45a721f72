import { detailInChinese } from '@repo/contracts';
import {
  type DeadLetter,
  type Filter,
  type Found,
  isOurs,
  placeName,
  readDeadLetters,
  redrive,
  wholeOf,
} from '@repo/set-aside';
import { NotUnderstood } from '../arguments.ts';
import type { Settings } from '../config.ts';
import { languageOf } from '../language.ts';
import { isNarrowed, placeIn, readArguments } from '../messages/asked.ts';
import { progressBar } from '../progress-bar.ts';
import { runningBrokers } from '../system/addresses.ts';
import { explainServer } from '../system/unreachable.ts';

const HELP = `Usage: gongji dead-letters list [filters] [--lang zh|en] [--json]
       gongji dead-letters show PLACE [--value] [--lang zh|en] [--json]
       gongji dead-letters redrive (filters | --all) [--dry-run] [--json]

list     what lies in the dead letters: where it came from, its code, when it died, its type, id and size; never its key or value
show     one of them, by its place as \`list\` shows it (claims/3@1042); with --value also key, headers and value: personal data
redrive  sends them back to the topic and partition they came from, with their original key, value and headers, in the order in which
         they died. A rejected message took no id: it is judged afresh, behind whatever its sender has sent since. What was taken after
         all is not taken twice, and what is rejected again comes to the dead letters again. The old dead letters stay where they are.

Filters, all of which must hold:
  --topic claims|members   --partition N   --code CODE   --key KEY (exactly; a person's number)
  --id ID                  a claim, refund, premium, binding, change, credit, contribution or check id
  --since, --until         when it died, as an instant: at or after, and before

  --lang     of what was wrong with a message, where it is a text of ours; the locale's if absent, and English with --json
  --dry-run  says what would be sent, by code, and sends nothing
  --json     one JSON object a line; of redrive, one in all

Exits with 0 if done; 1 if nothing matched, or something that matched is not of these topics; 2 if the arguments or the settings are
not understood, or Kafka cannot be read. Needs GONGJI_KAFKA_BROKERS, or a running \`npm start\` of this folder.`;

const FILTERS = ['topic', 'partition', 'code', 'since', 'until', 'id', 'key'] as const;
const ACTIONS = {
  list: [...FILTERS, 'lang'],
  show: ['value', 'lang'],
  redrive: [...FILTERS, 'all', 'dry-run'],
} as const;

const NOT_OURS = 'topics that are none of this system’s inputs';

/** Lists, shows or redrives. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  let asked: ReturnType<typeof readArguments<keyof typeof ACTIONS>>;
  try {
    asked = readArguments(args, ACTIONS);
    if (asked.isHelp) {
      console.log(HELP);
      return 0;
    }
    const { action, filter, places, values } = asked;
    if (places.length !== (action === 'show' ? 1 : 0))
      throw new NotUnderstood(action === 'show' ? 'show takes one place' : `${action} takes filters and no place`);
    const servers = runningBrokers(settings);
    if (servers === null)
      throw new NotUnderstood('no Kafka here: start the system (npm start), or set GONGJI_KAFKA_BROKERS');
    const json = values.json === true;
    const isChinese = !json && languageOf(values.lang, settings.environment) === 'zh';
    const how = { json, value: values.value === true, told: isChinese ? inChinese : asItIs };
    if (action === 'list') return await list(servers, filter, how);
    if (action === 'show') return await show(servers, places[0] ?? '', how);
    if (!isNarrowed(filter) && values.all !== true) throw new NotUnderstood('redrive takes a filter, or --all');
    return await redriveAll(servers, filter, { json, dryRun: values['dry-run'] === true });
  } catch (error) {
    const isAsked = error instanceof NotUnderstood;
    console.error(isAsked ? `${error.message}\n\n${HELP}` : reasonOf(error, settings));
    return 2;
  }
}

const reasonOf = (error: unknown, settings: Settings): string =>
  explainServer(error, settings) ?? `Kafka cannot be used: ${error instanceof Error ? error.name : String(error)}`;

type Servers = NonNullable<ReturnType<typeof runningBrokers>>;

/** How dead letters are shown. */
interface Shown {
  readonly json: boolean;
  /** With key, headers and value. */
  readonly value: boolean;
  readonly told: (letter: DeadLetter) => DeadLetter;
}
const asItIs = (letter: DeadLetter): DeadLetter => letter;
const inChinese = (letter: DeadLetter): DeadLetter => ({ ...letter, detail: detailInChinese(letter.detail) });

async function list(servers: Servers, filter: Filter, { json, told }: Shown): Promise<number> {
  const bar = json ? undefined : progressBar(process.stderr);
  const counts = new Map<string, number>();
  let foreign = 0;
  const { others } = await readDeadLetters(servers, filter, {
    onProgress: (share) => bar?.show(share, 'read'),
    onFound: (found) => {
      const { letter } = found;
      bar?.clear();
      counts.set(letter.code, (counts.get(letter.code) ?? 0) + 1);
      if (!isOurs(found, servers.topicPrefix)) foreign += 1;
      console.log(json ? JSON.stringify(letter) : describe(told(letter)));
    },
  });
  bar?.clear();
  if (!json) console.log(total(counts, 'dead letters'));
  if (others > 0) console.error(`${others} records in the topic are no dead letters of this system.`);
  if (foreign > 0) console.error(`${foreign} came from ${NOT_OURS}.`);
  return counts.size === 0 || foreign > 0 ? 1 : 0;
}

async function show(servers: Servers, text: string, { json, value, told }: Shown): Promise<number> {
  const { topic, partition, offset } = placeIn(servers.topicPrefix, text);
  const place = placeName(servers.topicPrefix, topic, partition, offset);
  const found: Found[] = [];
  const bar = json ? undefined : progressBar(process.stderr);
  await readDeadLetters(
    servers,
    { partition },
    {
      onProgress: (share) => bar?.show(share, 'read'),
      onFound: (one) => void (one.letter.place === place && found.push(one)),
    },
  );
  bar?.clear();
  for (const { letter, original } of found) {
    const shown = value ? { ...told(letter), ...wholeOf(original) } : told(letter);
    console.log(json ? JSON.stringify(shown) : JSON.stringify(shown, null, 2));
  }
  if (found.length > 0) {
    if (!json && !value) console.log('Key, headers and value are personal data: --value shows them.');
    return 0;
  }
  console.error(`There is no dead letter of ${place}.`);
  return 1;
}

async function redriveAll(
  servers: Servers,
  filter: Filter,
  { json, dryRun }: { json: boolean; dryRun: boolean },
): Promise<number> {
  const bar = json ? undefined : progressBar(process.stderr);
  const due = new Map<string, number>();
  let foreign = 0;
  await readDeadLetters(servers, filter, {
    onProgress: (share) => bar?.show(dryRun ? share : share / 2, 'counted'),
    onFound: (found) => {
      if (isOurs(found, servers.topicPrefix)) due.set(found.letter.code, (due.get(found.letter.code) ?? 0) + 1);
      else foreign += 1;
    },
  });
  const sent = new Map<string, number>();
  if (!dryRun && due.size > 0) {
    await redrive(servers, filter, {
      onProgress: (share) => bar?.show(0.5 + share / 2, 'sent'),
      onSent: ({ letter }) => sent.set(letter.code, (sent.get(letter.code) ?? 0) + 1),
    });
  }
  bar?.clear();
  const done = dryRun ? due : sent;
  if (json)
    console.log(JSON.stringify({ dryRun, sent: Object.fromEntries(sent), due: Object.fromEntries(due), foreign }));
  else console.log(total(done, dryRun ? 'dead letters would be sent again' : 'dead letters were sent again'));
  if (foreign > 0) console.error(`${foreign} came from ${NOT_OURS}: they are left alone.`);
  return done.size === 0 || foreign > 0 ? 1 : 0;
}

const describe = ({ place, code, at, type, id, bytes, detail }: DeadLetter): string =>
  [place, code, at, type ?? '-', id ?? '-', `${bytes} bytes`, detail].join('  ');

function total(counts: ReadonlyMap<string, number>, what: string): string {
  const sum = [...counts.values()].reduce((one, other) => one + other, 0);
  const byCode = [...counts].map(([code, count]) => `${code} ${count}`).join(', ');
  return `${sum} ${what}${sum === 0 ? '' : `: ${byCode}`}.`;
}
