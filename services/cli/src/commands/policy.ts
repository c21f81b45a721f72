import { parseArgs, styleText } from 'node:util';
import { type CalendarDate, dateOf, parseDate } from '@repo/domain';
import {
  type ExplainedParameter,
  loadPolicies,
  PARAMETERS,
  type Pack,
  type PlainValue,
  type Policies,
} from '@repo/policy';
import { argumentProblem } from '../arguments.ts';

const HELP = `Usage: gongji policy check [DIR] [--json]
       gongji policy show AREA [--on DATE] [--dir DIR] [--json]

check   reads a folder of policy packs over the shipped ones and lists every problem, or the packs where there is none
show    the rules of an area (6 digits) on a date, and the pack each came from

  --on DATE   YYYY-MM-DD, default today in Shanghai
  --dir DIR   a folder read over the shipped packs, default GONGJI_POLICY_DIR
  --json      one JSON object instead of a table; of check: {"packs":[{region, from, to, file}],"problems":[text]}, one of them empty

Exits with 0, with 1 where there are problems, with 2 where the command is not understood.`;

/** The parsed command; a text in its place says what was not understood. */
type Order =
  | { readonly kind: 'help' }
  | { readonly kind: 'check'; readonly dir: string; readonly json: boolean }
  | {
      readonly kind: 'show';
      readonly area: string;
      readonly on: CalendarDate;
      readonly dir: string | undefined;
      readonly json: boolean;
    };

/** Runs `policy check` or `policy show`; `policyDir` is the folder the system is set to use. Answers the exit code. */
export async function run(
  args: string[],
  { policyDir }: { readonly policyDir?: string | undefined } = {},
): Promise<number> {
  const order = readOrder(args, policyDir);
  if (typeof order === 'string') {
    console.error(`${order}\n\n${HELP}`);
    return 2;
  }
  if (order.kind === 'help') {
    console.log(HELP);
    return 0;
  }
  const loaded = await loadPolicies({ dir: order.dir });
  const isForProgram = order.kind === 'check' && order.json;
  if ('problems' in loaded) {
    if (isForProgram) console.log(JSON.stringify({ packs: [], problems: loaded.problems }));
    for (const problem of loaded.problems) console.error(problem);
    console.error(styleText('red', `problems: ${loaded.problems.length}`, { stream: process.stderr }));
    return 1;
  }
  const { packs } = loaded.policies;
  if (isForProgram) console.log(JSON.stringify({ packs: inOrder(packs).map(told), problems: [] }));
  else if (order.kind === 'check') printPacks(packs);
  else if (order.json) console.log(JSON.stringify(describe(loaded.policies, order.area, order.on)));
  else printRules(loaded.policies, order.area, order.on);
  return 0;
}

function readOrder(args: string[], policyDir: string | undefined): Order | string {
  const options = {
    on: { type: 'string' },
    dir: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    return argumentProblem(error);
  }
  const { values, positionals } = parsed;
  const [verb, subject, ...rest] = positionals;
  if (values.help) return { kind: 'help' };
  if (rest.length > 0) return `expected nothing after the ${verb === 'check' ? 'folder' : 'area'}`;
  const dir = values.dir ?? policyDir;
  if (verb === 'check') {
    const checked = subject ?? dir;
    return checked ? { kind: 'check', dir: checked, json: values.json ?? false } : 'check needs a folder';
  }
  if (verb !== 'show') return 'say check or show';
  const on = values.on === undefined ? dateOf(Date.now()) : parseDate(values.on);
  if (!/^\d{6}$/.test(subject ?? '')) return 'show needs an area of 6 digits';
  if (on === null) return '--on needs a date YYYY-MM-DD';
  return { kind: 'show', area: subject ?? '', on, dir, json: values.json ?? false };
}

function describe(policies: Policies, area: string, on: CalendarDate) {
  const { region, version } = policies.policyAt(area, on);
  return { area, on, region, version, parameters: policies.explainPolicy(area, on) };
}

function printRules(policies: Policies, area: string, on: CalendarDate): void {
  const { region, version, parameters } = describe(policies, area, on);
  console.log(styleText('bold', `${area} on ${on}: region ${region}, version ${version}\n`));
  const rows = parameters.map(({ parameter, value, source }) => [
    parameter,
    shown(value),
    origin(source),
    PARAMETERS[parameter].zh,
  ]);
  printTable(['parameter', 'value', 'set by', '含义'], rows, ([, , setBy]) => setBy === 'default');
}

function printPacks(packs: readonly Pack[]): void {
  const rows = inOrder(packs).map(({ region, from, to, file }) => [
    region,
    from ?? 'always',
    to ?? 'further notice',
    file,
  ]);
  printTable(['region', 'from', 'to', 'file'], rows, ([, , , file]) => file?.startsWith('shipped/') ?? false);
  console.log(styleText('green', `\npacks: ${packs.length}, no problem`));
}

function inOrder(packs: readonly Pack[]): Pack[] {
  const sortKey = (pack: Pack): string => `${pack.region} ${pack.from ?? ''}`;
  return [...packs].sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
}

const told = ({ region, from, to, file }: Pack) => ({ region, from, to, file });

function shown(value: PlainValue): string {
  if (value === null) return '–';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.join(', ') || 'none';
  const years = Object.entries(value).map(([year, tiers]) => `${year}: ${tiers.join(', ')}`);
  return years.join('; ') || 'none';
}

const origin = (source: ExplainedParameter['source']): string =>
  source === 'default' ? source : `${source.region} ${source.version} (${source.file})`;

/** Pads each column to its widest cell, except the last, which may hold wide characters. Rows for which `isQuiet` holds are dimmed. */
function printTable(
  head: readonly string[],
  rows: readonly string[][],
  isQuiet: (row: readonly string[]) => boolean,
): void {
  const widths = head
    .slice(0, -1)
    .map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  console.log(styleText('bold', line(head)));
  for (const row of rows) console.log(isQuiet(row) ? styleText('dim', line(row)) : line(row));
}
