import { styleText } from 'node:util';
import { command, parseOptions, refuse } from '../arguments.ts';
import type { AuditReport } from '../audit/audit.ts';
import type { Settings } from '../config.ts';
import { progressBar } from '../progress-bar.ts';
import { runningServers } from '../system/addresses.ts';
import { keysAtHand } from '../system/key-file.ts';
import { explainServer } from '../system/unreachable.ts';

const HELP = `Usage: gongji audit [--no-kafka] [--json]

Checks from the outside of the code that wrote it that every account equals its entries, every settlement adds up and is on
the accounts to the fen, and every outcome in Kafka equals its row in PostgreSQL. It only reads, and the system may run on:
what is compared is the database as it is when the audit begins. A running \`npm start\` of this folder is found by itself.

  --no-kafka   PostgreSQL alone
  --json       one JSON object instead of a table

Exits with 0 if there is no difference, with 1 if there is, with 2 if the audit could not run.

Settings, from the environment or a file .env:
  GONGJI_DATABASE_URL    of the owner, or of a user who may become gongji_reader
  GONGJI_KAFKA_BROKERS   host:port, several separated by commas
  GONGJI_TOPIC_PREFIX    names of the topics (gongji)
  GONGJI_ENVELOPE_KEY_FILE  of the keys that dead letters are sealed with; without them those cannot be compared, which is a difference
  GONGJI_DATA_DIR        where the system that was started here keeps its data (.gongji)`;

/** Runs the audit and prints what it found. Answers the exit code. */
export const run = command(readArguments, HELP, check);

function readArguments(args: string[]) {
  const options = {
    json: { type: 'boolean' },
    'no-kafka': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = parseOptions({ args, options });
  return values.help ? 'help' : { json: values.json === true, noKafka: values['no-kafka'] === true };
}

type Asked = Exclude<ReturnType<typeof readArguments>, 'help'>;

async function check({ json, noKafka }: Asked, settings: Settings): Promise<number> {
  const servers = runningServers(noKafka ? { ...settings, kafkaBrokers: [] } : settings);
  if (servers === null)
    return refuse(
      'Nothing to audit: start the system here (npm start), or set GONGJI_DATABASE_URL and GONGJI_KAFKA_BROKERS.',
    );
  try {
    const bar = json ? undefined : progressBar(process.stderr);
    // Loaded here, so that the list of commands does not wait for a Kafka client.
    const { audit } = await import('../audit/audit.ts');
    const report = await audit({
      ...servers,
      envelopes: keysAtHand(settings),
      ...(noKafka && { brokers: null }),
      ...(bar && { onProgress: bar.show }),
    }).finally(() => bar?.clear());
    if (json) console.log(JSON.stringify(report));
    else printReport(report);
    return report.clean ? 0 : 1;
  } catch (error) {
    console.error(`The audit could not run: ${reasonOf(error, settings)}`);
    return 2;
  }
}

/** A driver's message may contain values of rows, so for an error with a code only the code is shown. */
function reasonOf(error: unknown, settings: Settings): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'NothingToAudit') return error.message;
  const refusal = explainServer(error, settings);
  if (refusal !== undefined) return refusal;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return REASONS[code ?? error.name] ?? code ?? error.stack ?? error.name;
}
const REASONS: Readonly<Record<string, string>> = {
  '42P01': 'the database has no schema of this system (42P01)',
  '3D000': 'there is no such database (3D000)',
  '22023': 'PostgreSQL has no role gongji_reader, so no schema of this system (22023)',
  '42501': 'the user may not become gongji_reader, or the schema is older than this command (42501)',
  KafkaJSProtocolError: 'Kafka has no topics of this prefix that may be read',
  KafkaJSNumberOfRetriesExceeded: 'Kafka does not answer',
};

function printReport({ clean, checks, notes }: AuditReport): void {
  const wide = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, checked, wrong, holds, examples } of checks) {
    const count = checked.toLocaleString('en-US').padStart(11);
    if (wrong === 0) {
      console.log(
        `${styleText(checked === 0 ? 'dim' : 'green', checked === 0 ? '·' : '✓')} ${name.padEnd(wide)} ${count}  ${styleText('dim', holds)}`,
      );
      continue;
    }
    console.log(styleText('red', `✗ ${name.padEnd(wide)} ${count}  ${wrong.toLocaleString('en-US')} not: ${holds}`));
    for (const example of examples) console.log(`    ${example}`);
  }
  for (const note of notes) console.log(`\nNote: ${note}.`);
  console.log(clean ? styleText('green', '\nNo difference.') : styleText('red', '\nThere are differences.'));
}
