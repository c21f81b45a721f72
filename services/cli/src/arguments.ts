import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type CalendarDate, parseDate } from '@repo/domain';
import type { Settings } from './config.ts';

/** Whether `parseArgs` threw it: for an unknown option, one without its value, or an argument that no command takes. */
export const isAboutArguments = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

/** The form of our own options. Other arguments that begin with a dash are not repeated either. */
const LIKE_OPTION = /^Unknown option '-{1,2}[a-z][a-z-]{0,30}'/;

/** What was wrong with the arguments. Repeats only options, since any other argument may be a person's number or name. */
export function argumentProblem(error: unknown): string {
  if (isAboutArguments(error) && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL')
    return 'expected options alone, and found an argument that is none';
  if (isAboutArguments(error) && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && !LIKE_OPTION.test(error.message))
    return 'there is no such option';
  return (error as Error).message;
}

/** What is wrong with a file or folder that an argument names, where that is what an error is about; undefined of any other error. */
export function fileProblem(error: unknown, args: readonly string[]): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || typeof path !== 'string') return undefined;
  const named = args.map((arg) => arg.replace(/^--[a-z]+=/, '')).filter((arg) => arg !== '' && path.startsWith(arg));
  return named.length === 0 ? undefined : `${path}: expected a place that can be used; found ${code}`;
}

/** What the person asked for cannot be understood; the message is for them, and empty where the help says enough. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood';
}

/** `parseArgs`, but throws `NotUnderstood`. */
export function parseOptions<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new NotUnderstood(argumentProblem(error));
  }
}

/** The days of `--from` and `--to`, both inclusive. Throws `NotUnderstood`. */
export function readDays(values: { readonly from?: string | undefined; readonly to?: string | undefined }): {
  readonly from: CalendarDate;
  readonly to: CalendarDate;
} {
  const [from, to] = [parseDate(values.from ?? ''), parseDate(values.to ?? '')];
  if (from === null || to === null) throw new NotUnderstood('--from and --to are days, YYYY-MM-DD');
  if (from > to) throw new NotUnderstood('--from is not after --to');
  return { from, to };
}

/** Prints why a command does not begin. Answers its exit code. */
export function refuse(problem: string): 2 {
  console.error(problem);
  return 2;
}

/**
 * Makes a command that reads its arguments, then prints the help (on request, or after a message about wrong arguments) or does the work.
 * The command answers its exit code.
 */
export const command =
  <Asked>(
    read: (args: string[]) => Asked | 'help',
    help: string,
    work: (asked: Asked, settings: Settings) => Promise<number>,
  ) =>
  async (args: string[], settings: Settings): Promise<number> => {
    let asked: Asked | 'help';
    try {
      asked = read(args);
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      return refuse(error.message === '' ? help : `${error.message}\n\n${help}`);
    }
    if (asked !== 'help') return work(asked, settings);
    console.log(help);
    return 0;
  };
