import { styleText } from 'node:util';
import { onStopRequest } from '@repo/embedded';
import { loadPolicies } from '@repo/policy';
import { refuse } from '../arguments.ts';
import type { Settings } from '../config.ts';
import { buildConsole } from '../system/console.ts';
import { startSystem } from '../system/system.ts';

const HELP = `Usage: gongji start   (in a checkout: npm start)

Starts PostgreSQL, Kafka and every service, each a process of its own that is started again when it dies. When all are
ready it prints one line to the standard output; progress, deaths and restarts go to the standard error:

  ready kafka=HOST:PORT http=http://HOST:PORT postgres=URL

Then it builds the pages of the console, if they are not there yet, and says where they are.

Ctrl-C or SIGTERM stops everything in order, within a minute; a second one stops at once. Data and logs are in
GONGJI_DATA_DIR (.gongji), and the next start goes on from there.

Settings, from the environment or a file .env:
  GONGJI_KAFKA_BROKERS, GONGJI_DATABASE_URL   use these servers and start none in their place
  GONGJI_SERVERS                              embedded (default) or containers
  GONGJI_KAFKA_PORT, GONGJI_POSTGRES_PORT     ports of the embedded servers (free ones)
  GONGJI_HTTP_PORT                            port of the HTTP interface (8080; 0 for a free one)
  GONGJI_ADMIN_PORT                           port of its health and metrics (that of the HTTP interface; 0 for a free one)
  GONGJI_ENVELOPE_KEY_FILE                    keys that set-aside messages are sealed with (GONGJI_DATA_DIR/envelope.keys, made if it is not there)
  GONGJI_DATA_DIR                             where data and logs are kept (.gongji)
  GONGJI_POLICY_DIR                           a folder of policy packs, read over the shipped ones; its problems are listed before anything starts
  GONGJI_TOPIC_PREFIX, GONGJI_PARTITIONS      names and size of the topics (gongji, 6)
  GONGJI_INPUT_RETENTION_DAYS                 how long the input topics keep what was sent, when they are created (for ever)
  GONGJI_LOG_LEVEL                            how much the services log (info)
  GONGJI_CACHE_DIR                            where Kafka's programs are kept (~/.cache/gongji)

Exits with 0 when it was stopped, 1 when a server or a service cannot run or did not stop in time, 2 when the arguments, settings or policy
packs are not understood, 130 or 143 when it was stopped before all was ready.`;

export const STOP_WITHIN_MS = 60_000;

/** Runs the system until a signal asks it to stop. Answers the exit code. */
export async function run(args: readonly string[], settings: Settings): Promise<number> {
  if (args.length > 0) {
    const asked = args[0] === '--help' || args[0] === '-h';
    (asked ? console.log : console.error)(asked ? HELP : `start takes no arguments.\n\n${HELP}`);
    return asked ? 0 : 2;
  }
  const policies = await loadPolicies({ dir: settings.policyDir });
  if ('problems' in policies) return refuse(policies.problems.join('\n'));
  const log = (line: string): void => console.error(styleText('dim', line, { stream: process.stderr }));
  const stopped = Promise.withResolvers<void>();
  let started = false;
  onStopRequest({
    stop: (signal) => {
      // Nothing to drain yet: the exit hooks end what has been started, and both servers recover from that.
      if (!started) process.exit(exitCodeOf(signal));
      log(`${signal}: stopping (again to stop at once)`);
      stopped.resolve();
    },
    stopAtOnce: (signal) => process.exit(exitCodeOf(signal)),
  });
  const system = await startSystem({ settings, log });
  started = true;
  console.log(`ready kafka=${system.kafka} http=${system.http} postgres=${system.postgresUrl}`);
  const build = await buildConsole({ dataDir: settings.dataDir, http: system.http, log });
  await stopped.promise;
  await stopInTime(async () => {
    await build.stop();
    await system.stop();
  });
  return 0;
}

/** Stops; where that takes too long, says so and exits, and the exit hooks kill what is left. */
export async function stopInTime(stop: () => Promise<void>, withinMs = STOP_WITHIN_MS): Promise<void> {
  const limit = setTimeout(() => {
    console.error(`Not stopped within ${withinMs / 1000} s; ending what is left.`);
    process.exit(1);
  }, withinMs);
  await stop();
  clearTimeout(limit);
}

const exitCodeOf = (signal: NodeJS.Signals): number =>
  ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })[signal as 'SIGINT'] ?? 1;
