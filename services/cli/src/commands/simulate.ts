import { writeFileSync } from 'node:fs';
import { DECODE_LIMITS } from '@repo/contracts';
import { loadPolicies } from '@repo/policy';
import { command, parseOptions, readDays, refuse } from '../arguments.ts';
import { barChart } from '../chart/bars.ts';
import type { Settings } from '../config.ts';
import { progressBar } from '../progress-bar.ts';
import type { Change, Group, Report } from '../simulate/report.ts';
import { runningServers } from '../system/addresses.ts';

const HELP = `Usage: gongji simulate --from DAY --to DAY [--pack FILE] [--svg FILE] [--json]

Replays everything on the input topics twice, through the rules in force and, from the first day on, through the same rules with the
pack FILE added: each claim sees the balances that its own side has come to, members' events included. Tells for the claims of these
days (YYYY-MM-DD, both included) what would have changed, by the patients' region, insurance and category, and for payers.

  --pack   a policy file as in GONGJI_POLICY_DIR; it replaces the pack of its region and date. Without it nothing changes: a check
  --svg    also draws the change in cash by group
  --json   one JSON object

It only reads, in one read-only transaction, and the system may run on. The inputs must still be on the topics from the first one on, of
whichever days: where they are not, it says from which day each topic is whole, and does nothing. A fact of a person who was loaded in
bulk that a later event changed is taken to have begun as the contract's default. GONGJI_MAX_FUTURE_DAYS must be what the workers had.

Exits with 0 if every claim comes out under the rules in force as the ledger has it, 1 if some do not (how many is told, and the
comparison is worth that much less), 2 if the arguments, the pack or the settings are not understood or the inputs are gone.`;

/** Replays and prints. Answers the exit code. */
export const run = command(readArguments, HELP, replay);

type Asked = Exclude<ReturnType<typeof readArguments>, 'help'>;

async function replay(asked: Asked, settings: Settings): Promise<number> {
  const servers = runningServers(settings);
  if (servers === null)
    return refuse(
      'Nothing to replay: start the system here (npm start), or set GONGJI_DATABASE_URL and GONGJI_KAFKA_BROKERS.',
    );
  const before = await loadPolicies({ dir: settings.policyDir });
  const after = await loadPolicies({ dir: settings.policyDir, file: asked.pack });
  if ('problems' in before) return refuse(before.problems.join('\n'));
  if ('problems' in after) return refuse(after.problems.join('\n'));
  // Loaded here, so that the list of commands does not wait for a Kafka client.
  const { simulate, CannotReplay } = await import('../simulate/simulate.ts');
  const bar = progressBar(process.stderr);
  try {
    const { databaseUrl, brokers, kafkaAccess, topicPrefix } = servers;
    const report = await simulate({
      from: asked.from,
      to: asked.to,
      databaseUrl,
      connection: { brokers, clientId: 'gongji-simulate', ...kafkaAccess },
      topicPrefix,
      limits: { ...DECODE_LIMITS, futureDaysMax: settings.futureDaysMax },
      before: before.policies.policyAt,
      after: after.policies.policyAt,
      ...(bar && { onProgress: bar.show }),
    }).finally(() => bar?.clear());
    console.log(asked.json ? JSON.stringify(report) : describe(report));
    if (asked.svg !== undefined) writeFileSync(asked.svg, draw(report));
    return report.reproduced === report.replayed ? 0 : 1;
  } catch (error) {
    if (error instanceof CannotReplay) return refuse(error.message);
    throw error;
  }
}

function readArguments(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { from: text, to: text, pack: text, svg: text, json: flag, help: { ...flag, short: 'h' } } as const;
  const { values } = parseOptions({ args, options });
  if (values.help) return 'help';
  return { ...readDays(values), pack: values.pack, svg: values.svg, json: values.json === true };
}

const groupsOf = (report: Report): [title: string, groups: readonly Group[]][] => [
  ['参保地 region', report.byRegion],
  ['险种 insurance', report.byInsurance],
  ['人员类别 category', report.byCategory],
];

/** The report as text: what was, what would be, and the change. */
export function describe(report: Report): string {
  const { from, to, claims, reproduced, replayed, all, patients, payers, differing } = report;
  const line = (name: string, { was, would, change }: Change): string =>
    `  ${was.padStart(16)} ${would.padStart(16)} ${signed(change).padStart(16)}  ${name}`;
  const part = (title: string, groups: readonly Group[]): string[] => [
    '',
    `${title}: 现金 cash`,
    ...groups.map(({ group, claims: count, cash }) => line(`${group} (${count} claims)`, cash)),
  ];
  return [
    `${claims} claims from ${from} to ${to}, yuan: what was, what would have been, the change`,
    line('本人账户 own accounts', all.own),
    line('亲属共济 relatives', all.relatives),
    line('现金 cash', all.cash),
    ...groupsOf(report).flatMap(([title, groups]) => part(title, groups)),
    '',
    `${patients.gain.people} patients would have paid ${patients.gain.yuan} less in cash, ${patients.lose.people} would have paid ${patients.lose.yuan} more.`,
    `${payers.payMore.people} payers' accounts would have paid ${payers.payMore.yuan} more, ${payers.payLess.people} would have paid ${payers.payLess.yuan} less.`,
    reproduced === replayed
      ? `Under the rules in force all ${replayed} claims come out as the ledger has them.`
      : `Under the rules in force ${replayed - reproduced} of ${replayed} claims do not come out as the ledger has them, so the change is worth that much less: ${differing.join(', ')}`,
  ].join('\n');
}

const signed = (change: string): string => (change.startsWith('-') || change === '0.00' ? change : `+${change}`);

/** The change in cash of every group. */
const draw = (report: Report): string =>
  barChart({
    title: '规则改变后现金的变化 · Change in cash under the changed rules',
    note: `${report.from} – ${report.to}, 元 yuan; 向左为减少 less to the left`,
    bars: groupsOf(report).flatMap(([title, groups]) =>
      groups.map(({ group, cash }) => ({ label: group, series: title, value: Number(cash.change) })),
    ),
  });
