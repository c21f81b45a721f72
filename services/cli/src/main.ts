#!/usr/bin/env node
import { StartFailure } from '@repo/embedded';
import { ConfigurationError, describeError } from '@repo/observability';
import { explainRefusal } from '@repo/transport';
import manifest from '../package.json' with { type: 'json' };
import { argumentProblem, fileProblem, isAboutArguments, NotUnderstood, parseOptions, refuse } from './arguments.ts';
import { describeCommands } from './command-list.ts';
import { COMMANDS, type CommandName, isCommand } from './commands.ts';
import { readSettings, type Settings } from './config.ts';
import { didYouMean } from './did-you-mean.ts';
import { helpLanguage, LANGUAGES, type Language, languageOf } from './language.ts';
import { explainUnreachable } from './system/unreachable.ts';

/** As of a process that the signal SIGPIPE has ended. */
const UNREAD = 141;

endUnread();
process.exitCode = await main(process.argv.slice(2));

async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    console.log(`gongji ${manifest.version}`);
    return 0;
  }
  if (name.startsWith('-') || name === 'help') return list(name === 'help' ? args : [name, ...args]);
  if (!isCommand(name)) return refuse(unknown(name, languageOf(undefined, process.env) ?? 'en'));
  let settings: Settings | undefined;
  try {
    const language = helpLanguage(args, process.env);
    if (language !== null) return await help(name, language);
    settings = readSettings();
    return await (await COMMANDS[name]()).run([...args], settings);
  } catch (error) {
    if (isAboutArguments(error) || error instanceof NotUnderstood)
      return refuse(`${argumentProblem(error)}\n\ngongji ${name} --help says what it takes.`);
    const aboutFile = fileProblem(error, args);
    if (aboutFile !== undefined) return refuse(aboutFile);
    if (error instanceof ConfigurationError) return refuse(error.message);
    // These are written for the person at the terminal; anything else is a defect and shows its stack.
    const message = error instanceof StartFailure ? error.message : explainRefusal(error);
    if (message !== undefined) {
      console.error(message);
      return 1;
    }
    const unreachable = settings && explainUnreachable(error, settings);
    if (unreachable !== undefined) return endOn(unreachable);
    // What PostgreSQL says may hold values of rows, and Node would show all of it: of its errors name, code and place are told.
    if (isOfDatabase(error)) return endOn(JSON.stringify(describeError(error), null, 2));
    throw error;
  }
}

/**
 * Ends the process once nobody reads its results any more, as in `gongji dead-letters list | head -1`. If only the reader of progress and
 * problems is gone, the work goes on.
 */
function endUnread(): void {
  const mustBeUnread = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
  };
  process.stdout.on('error', (error) => {
    mustBeUnread(error);
    process.exit(UNREAD);
  });
  process.stderr.on('error', mustBeUnread);
}

function isOfDatabase(error: unknown): boolean {
  return error instanceof Error && 'severity' in error;
}

/** Ends the process as an error that nobody caught would: whatever is open still. */
function endOn(problem: string): never {
  console.error(problem);
  process.exit(1);
}

/** What a command takes, prints and exits with, whatever the settings are. */
async function help(name: CommandName, language: Language): Promise<number> {
  if (language === 'en') return (await COMMANDS[name]()).run(['--help'], readSettings({}));
  const { HELP_ZH } = await import('./help-zh.ts');
  console.log(HELP_ZH[name]);
  return 0;
}

/**
 * The message for an unknown command, with the one that may have been meant. Does not repeat what was typed: it may be a person's number or
 * name.
 */
function unknown(name: string, language: Language): string {
  const meant = didYouMean(name, Object.keys(COMMANDS));
  const there = language === 'zh' ? '没有这个命令。' : 'There is no such command.';
  const asked = language === 'zh' ? `您是不是要用 gongji ${meant}？` : ` Did you mean gongji ${meant}?`;
  return `${there}${meant === undefined ? '' : asked}\n\n${describeCommands(language)}`;
}

/** Prints the list of commands in the requested language. */
function list(args: string[]): number {
  const options = { help: { type: 'boolean', short: 'h' }, lang: { type: 'string' } } as const;
  try {
    const language = languageOf(parseOptions({ args, options }).values.lang, process.env);
    if (language === undefined) throw new NotUnderstood(LANGUAGES);
    console.log(describeCommands(language));
    return 0;
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    return refuse(`${error.message}\n\ngongji --help lists the commands.`);
  }
}
