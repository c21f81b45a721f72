#!/usr/bin/env node
import { StartFailure } from '@repo/embedded';
import { ConfigurationError } from '@repo/observability';
import { explainRefusal } from '@repo/transport';
import { readSettings, type Settings } from './config.ts';

interface Command {
  /** What it does, for the list of commands. */
  readonly summary: string;
  /** Runs it and answers the exit code: 0, 1 for a failure, 2 for arguments not understood. */
  readonly run: (args: string[], settings: Settings) => Promise<number>;
}

/** A command is loaded only when it is asked for, so that `gongji --help` does not wait for a Kafka client. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: () => import('./commands/start.ts'),
  demo: () => import('./commands/demo.ts'),
  setup: () => import('./commands/setup.ts'),
  audit: () => import('./commands/audit.ts'),
  policy: () => import('./commands/policy.ts'),
  arrears: () => import('./commands/arrears.ts'),
  books: () => import('./commands/books.ts'),
  reconcile: () => import('./commands/reconcile.ts'),
  renumber: () => import('./commands/renumber.ts'),
  backdated: () => import('./commands/backdated.ts'),
  quarantine: () => import('./commands/quarantine.ts'),
  'dead-letters': () => import('./commands/dead-letters.ts'),
};

process.exitCode = await main(process.argv.slice(2));

async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') {
    console.log(await describeCommands());
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    console.error(`There is no command ${JSON.stringify(name)}.\n\n${await describeCommands()}`);
    return 2;
  }
  try {
    const command = await load();
    return await command.run(args, readSettings());
  } catch (error) {
    // These are written for the person at the terminal; anything else is a defect and shows its stack.
    const isForThem = error instanceof StartFailure || error instanceof ConfigurationError;
    const message = isForThem ? error.message : explainRefusal(error);
    if (message === undefined) throw error;
    console.error(message);
    return 1;
  }
}

async function describeCommands(): Promise<string> {
  const commands = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => [name, await load()] as const),
  );
  const width = Math.max(...commands.map(([name]) => name.length));
  return [
    'gongji settles medical claims out of family-shared personal medical-insurance accounts.',
    '',
    'Usage: gongji <command> [arguments]; gongji <command> --help says more.',
    '',
    ...commands.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
  ].join('\n');
}
