import { constants } from 'node:os';
import { onStopRequest } from '@repo/embedded';
import type { Settings } from '../config.ts';
import { wantsColour } from '../demo/painter.ts';
import { DEFAULTS, play, readSize } from '../demo/play.ts';
import { startDemoSystem } from '../demo/system.ts';

const HELP = `Usage: gongji demo [--people N] [--claims N] [--seed N]   (in a checkout: npm run demo -- …)
Starts the whole system in a temporary folder, feeds it a made-up day of a Chinese city's hospitals and pharmacies, shows it
settling, audits the books and ends by itself. The same seed makes the same city and the same day.

  --people N   insured people, default ${DEFAULTS.people}
  --claims N   claims of the day, default ${DEFAULTS.claims}
  --seed N     default ${DEFAULTS.seed}
Exits with 0 if every claim was answered exactly once and the audit is clean, with 1 if not, with 2 where the command is not
understood, with 130 after Ctrl-C. NO_COLOR is honoured.`;

/** Runs the demo from start to end. Answers the exit code. */
export async function run(args: string[], settings: Settings): Promise<number> {
  const size = readSize(args);
  if (size === 'help') {
    console.log(HELP);
    return 0;
  }
  if ('problem' in size) {
    console.error(`${size.problem}\n\n${HELP}`);
    return 2;
  }
  const abort = new AbortController();
  let started = false;
  onStopRequest({
    stop: (signal) => {
      // Nothing to drain while the system starts: the exit hooks end what has been started.
      if (!started) process.exit(exitCodeOf(signal));
      abort.abort();
    },
    stopAtOnce: (signal) => process.exit(exitCodeOf(signal)),
  });
  const start = async () => {
    // Loaded here, so that the list of commands does not wait for a Kafka client.
    const { demoTools } = await import('../demo/tools.ts');
    // The view says that the system starts; its progress and restarts would only disturb the picture.
    const system = await startDemoSystem({ settings, tools: demoTools(settings), log: () => {} });
    started = true;
    return system;
  };
  const paper = process.stdout;
  const exitCode = await play(size, { start, signal: abort.signal, paper, colour: wantsColour(paper, process.env) });
  return exitCode ?? exitCodeOf('SIGINT');
}

const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
