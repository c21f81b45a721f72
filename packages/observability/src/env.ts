import { loadEnvFile } from 'node:process';
import { z } from 'zod';

/** The environment cannot be used. The message lists every problem by the setting's name and never shows a value. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly code = 'CONFIGURATION_INVALID';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the settings cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

const integer = ({ min, max }: { min: number; max: number }) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

/** Schemas for settings as they stand in an environment: texts. Units belong in a setting's name (`RETRY_DELAY_MS`). */
export const setting = {
  /** A whole number between `min` and `max`, both allowed. */
  integer,
  /** A switch: `1` on, `0` off. */
  flag: () => z.enum(['0', '1'], 'must be 0 or 1').transform((text) => text === '1'),
  /** A TCP port; 0 asks the system for a free one. */
  port: () => integer({ min: 0, max: 65_535 }),
  /** `host:port` pairs separated by commas, as a list. */
  hostPorts: () =>
    z
      .string()
      .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, 'must be host:port, several separated by commas')
      .transform((text) => text.split(',')),
  /** A text that is never shown, such as a URL with a password in it. */
  secret: () => z.string().min(1).meta({ secret: true }),
} as const;

const isSecret = (schema: unknown): boolean => {
  const { secret } = (schema instanceof z.ZodType ? schema.meta() : undefined) ?? {};
  if (secret === true) return true;
  const inner = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? schema.unwrap() : undefined;
  return inner !== undefined && isSecret(inner);
};

function loadFile(path: string): void {
  try {
    loadEnvFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/**
 * Reads a service's settings, first adding those of a `.env` file in the working directory that the environment does not have. An empty
 * setting counts as absent. Throws a {@link ConfigurationError} with all problems at once.
 * @returns the settings, and how to show them in the log, secrets hidden
 */
export function readEnv<S extends z.ZodObject>(
  schema: S,
  options: { env?: NodeJS.ProcessEnv; file?: string } = {},
): { readonly settings: z.output<S>; readonly shown: Readonly<Record<string, string>> } {
  const { file = '.env' } = options;
  if (options.env === undefined) loadFile(file);
  const given = Object.fromEntries(Object.entries(options.env ?? process.env).filter(([, text]) => text !== ''));
  const result = schema.safeParse(given);
  if (!result.success) {
    throw new ConfigurationError(
      result.error.issues.map(({ path, message }) => `${path.join('.') || 'settings'}: ${message}`),
    );
  }
  const show = ([name, value]: [string, unknown]) => [name, isSecret(schema.shape[name]) ? '[secret]' : String(value)];
  return { settings: result.data, shown: Object.fromEntries(Object.entries(result.data).map(show)) };
}
