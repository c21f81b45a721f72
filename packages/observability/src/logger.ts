import { type DestinationStream, type Logger as Pino, pino, stdTimeFunctions } from 'pino';
import { describeError } from './errors.ts';
import { standardOutput } from './standard-output.ts';

/**
 * The only fields a log line may carry. A field that is not in this list is left out and counted, so personal data cannot reach the
 * log through a field nobody thought of. Each name stands for a code, a count, a position, a duration or a technical id.
 */
export const LOG_FIELDS = [
  'action',
  'attempt',
  'bytes',
  'causation',
  'check',
  'claimId',
  'code',
  'component',
  'config',
  'constraint',
  'count',
  'dataDir',
  'delayMs',
  'durationMs',
  'epoch',
  'error',
  'eventType',
  'exitCode',
  'expected',
  'found',
  'group',
  'host',
  'kind',
  'lag',
  'limit',
  'migration',
  'nextOffset',
  'offset',
  'outcomes',
  'owner',
  'partition',
  'partitions',
  'phase',
  'pid',
  'policyVersion',
  'port',
  'position',
  'reason',
  'region',
  'regions',
  'rows',
  'sequence',
  'shard',
  'signal',
  'state',
  'status',
  'statusCode',
  'steps',
  'topic',
  'topics',
  'traceparent',
  'transactionalId',
  'version',
  'waitMs',
] as const;

/** Fields that hold personal data wherever they appear; written as `[redacted]`, so that a reader sees that there was one. */
export const PERSONAL_FIELDS = [
  'personNo',
  'psn_no',
  'psn_name',
  'certno',
  'name',
  'payer',
  'beneficiary',
  'account',
  'key',
  'value',
  'payload',
] as const;

/** Of the listed fields those that hold long numbers by right: positions, versions, ids of messages, of processes and of settings. */
const NUMBERED = new Set<string>([
  'causation',
  'claimId',
  'config',
  'constraint',
  'dataDir',
  'epoch',
  'group',
  'host',
  'migration',
  'nextOffset',
  'offset',
  'owner',
  'pid',
  'policyVersion',
  'position',
  'sequence',
  'shard',
  'topic',
  'topics',
  'traceparent',
  'transactionalId',
  'version',
] satisfies (typeof LOG_FIELDS)[number][]);

type Scalar = string | number | bigint | boolean | null | undefined;
type LogValue = Scalar | readonly Scalar[] | Readonly<Record<string, Scalar>>;
/** What a log line may say besides its message: listed fields, and an error of any type under `error`. */
export type LogFields = { readonly [F in Exclude<(typeof LOG_FIELDS)[number], 'error'>]?: LogValue } & {
  readonly error?: unknown;
};
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
interface Write {
  (message: string): void;
  (fields: LogFields, message: string): void;
}
/** One line of JSON per call. `error` means that a person must act; `info` is one line per batch, `debug` one per settlement. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
  /** A logger whose every line carries `fields` too. */
  child(fields: LogFields): Logger;
}

const TEXT_LENGTH_MAX = 300;
const LIST_LENGTH_MAX = 50;
const listed = new Set<string>(LOG_FIELDS);
const personal = new Set<string>(PERSONAL_FIELDS);
/** Han characters (names) and the 18-character citizen number: neither belongs in any line, not even inside an allowed field. */
const PERSONAL_TEXT = /\p{Script=Han}+|(?<!\d)\d{17}[\dXx](?!\d)/gu;

/** A word with six digits in a row is what a person number looks like; a state, a reason or a message of ours has none. */
const NUMBER_LIKE = /[\p{L}\p{N}_-]*\d{6}[\p{L}\p{N}_-]*/gu;

const maskPersonal = (text: string): string => text.slice(0, TEXT_LENGTH_MAX).replace(PERSONAL_TEXT, '[masked]');
const maskText = (text: string): string => maskPersonal(text).replace(NUMBER_LIKE, '[masked]');

type Mask = (text: string) => string;

function shapeScalar(value: unknown, mask: Mask): Scalar {
  if (typeof value === 'string') return mask(value);
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : `[${typeof value}]`;
}

function shapeValue(value: unknown, mask: Mask): unknown {
  if (value instanceof Error) return describeError(value);
  if (Array.isArray(value)) return value.slice(0, LIST_LENGTH_MAX).map((each) => shapeScalar(each, mask));
  if (typeof value !== 'object' || value === null) return shapeScalar(value, mask);
  const entries = Object.entries(value).filter(([key]) => /^[A-Za-z_]{1,60}$/.test(key) && !personal.has(key));
  return Object.fromEntries(entries.slice(0, LIST_LENGTH_MAX).map(([key, inner]) => [key, shapeScalar(inner, mask)]));
}

function shapeFields(fields: object): Record<string, unknown> {
  const shaped: { [field: string]: unknown; error?: unknown } = {};
  let unlisted = 0;
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (field === 'error') shaped.error = describeError(value);
    else if (listed.has(field)) shaped[field] = shapeValue(value, NUMBERED.has(field) ? maskPersonal : maskText);
    else if (personal.has(field)) shaped[field] = '[redacted]';
    else unlisted += 1;
  }
  return unlisted === 0 ? shaped : { ...shaped, unlisted };
}

function wrap(line: Pino): Logger {
  const writer = (level: Exclude<LogLevel, 'trace' | 'silent'>): Write => {
    // Always a fixed message and no interpolation: pino would otherwise take the message from the error it is given.
    return (first: LogFields | string, message?: string) => {
      if (!line.isLevelEnabled(level)) return;
      if (typeof first === 'string') line[level](maskText(first));
      else
        line[level](
          first instanceof Error ? { error: describeError(first) } : shapeFields(first),
          maskText(message ?? ''),
        );
    };
  };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    fatal: writer('fatal'),
    child: (fields) => wrap(line.child(shapeFields(fields))),
  };
}

/**
 * A logger for one service. Lines are written at once (synchronously): there are few, and the last one before an exit matters most.
 * @param destination where lines go, standard output unless given
 */
export function createLogger(options: { service: string; level?: LogLevel; destination?: DestinationStream }): Logger {
  const { service, level = 'info', destination = standardOutput() } = options;
  const settings = {
    level,
    base: { service, pid: process.pid },
    messageKey: 'message',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: (value: unknown) => value },
  };
  return wrap(pino(settings, destination));
}
