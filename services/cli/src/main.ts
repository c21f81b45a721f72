#!/usr/bin/env node
import { styleText } from 'node:util';
import { StartFailure } from '@repo/embedded';
import { ConfigurationError } from '@repo/observability';
import { explainRefusal } from '@repo/transport';
import { argumentProblem, isAboutArguments } from './arguments.ts';
import { readSettings, type Settings } from './config.ts';

interface Command {
  /** What it does, for the list of commands. */
  readonly summary: string;
  /** Runs it and answers the exit code: 0, 1 for a failure, 2 for arguments not understood. */
  readonly run: (args: string[], settings: Settings) => Promise<number>;
}

/** By what they are for, as they are listed. A command is loaded only when it is asked for, so that none waits for another's Kafka client. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  Run: {
    start: () => import('./commands/start.ts'),
    demo: () => import('./commands/demo.ts'),
    setup: () => import('./commands/setup.ts'),
  },
  'Members and claims': {
    load: () => import('./commands/load.ts'),
    explain: () => import('./commands/explain.ts'),
    quote: () => import('./commands/quote.ts'),
    refund: () => import('./commands/refund.ts'),
    backdated: () => import('./commands/backdated.ts'),
  },
  Rules: {
    policy: () => import('./commands/policy.ts'),
    simulate: () => import('./commands/simulate.ts'),
    arrears: () => import('./commands/arrears.ts'),
  },
  'Books and reports': {
    audit: () => import('./commands/audit.ts'),
    books: () => import('./commands/books.ts'),
    reconcile: () => import('./commands/reconcile.ts'),
    export: () => import('./commands/export.ts'),
  },
  Operate: {
    'dead-letters': () => import('./commands/dead-letters.ts'),
    quarantine: () => import('./commands/quarantine.ts'),
    partitions: () => import('./commands/partitions.ts'),
    renumber: () => import('./commands/renumber.ts'),
  },
};
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = Object.assign({}, ...Object.values(GROUPS));

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
    if (isAboutArguments(error)) {
      console.error(`${argumentProblem(error)}\n\ngongji ${name} --help says what it takes.`);
      return 2;
    }
    // These are written for the person at the terminal; anything else is a defect and shows its stack.
    const isForThem = error instanceof StartFailure || error instanceof ConfigurationError;
    const message = isForThem ? error.message : explainRefusal(error);
    if (message === undefined) throw error;
    console.error(message);
    return 1;
  }
}

async function describeCommands(): Promise<string> {
  const summaries = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => [name, (await load()).summary] as const),
  );
  const summaryOf = new Map(summaries);
  const width = Math.max(...summaries.map(([name]) => name.length));
  return [
    'gongji settles medical claims out of family-shared personal medical-insurance accounts. 职工医保个人账户家庭共济',
    '',
    'Usage: gongji COMMAND [ARGUMENTS]; gongji COMMAND --help says more.',
    ...Object.entries(GROUPS).flatMap(([title, commands]) => [
      '',
      styleText('bold', title),
      ...Object.keys(commands).map((name) => `  ${name.padEnd(width)}  ${summaryOf.get(name)}`),
    ]),
    '',
    'Exit codes: 0 done, 1 it found differences or failed, 2 arguments, settings or a file not understood; each --help says its own.',
    'Settings come from the environment and a file .env. Results go to the standard output, progress to the standard error; --json is for',
    'programs, colours are for terminals alone.',
  ].join('\n');
}
