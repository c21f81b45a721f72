#!/usr/bin/env node
import { StartFailure } from '@repo/embedded';
import { ConfigurationError } from '@repo/observability';
import { explainRefusal } from '@repo/transport';
import manifest from '../package.json' with { type: 'json' };
import { argumentProblem, isAboutArguments, NotUnderstood, parseOptions, refuse } from './arguments.ts';
import { describeCommands, languageOf } from './command-list.ts';
import { COMMANDS, isCommand } from './commands.ts';
import { readSettings } from './config.ts';

process.exitCode = await main(process.argv.slice(2));

async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    console.log(`gongji ${manifest.version}`);
    return 0;
  }
  if (name.startsWith('-') || name === 'help') return list(name === 'help' ? args : [name, ...args]);
  if (!isCommand(name)) {
    console.error(
      `There is no command ${JSON.stringify(name)}.\n\n${await describeCommands(languageOf(undefined, process.env) ?? 'en')}`,
    );
    return 2;
  }
  try {
    const command = await COMMANDS[name]();
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

/** The list of commands, in the language that is asked for. */
async function list(args: string[]): Promise<number> {
  const options = { help: { type: 'boolean', short: 'h' }, lang: { type: 'string' } } as const;
  try {
    const language = languageOf(parseOptions({ args, options }).values.lang, process.env);
    if (language === undefined) throw new NotUnderstood('--lang is zh or en');
    console.log(await describeCommands(language));
    return 0;
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    return refuse(`${error.message}\n\ngongji --help lists the commands.`);
  }
}
