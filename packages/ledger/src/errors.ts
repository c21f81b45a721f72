import { SOCKET_CODES } from '@repo/transport';

/** The shard belongs to another owner, or has moved on; nothing was written. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** Another transaction changed rows that this one had read before locking them. A new attempt from the start resolves it. */
export class Raced extends Error {
  override readonly name = 'Raced';
}

/**
 * Conditions that a new attempt from the start resolves: serialization failure, deadlock, lock timeout. With those of `TAKEN` and
 * `isPartedMeanwhile`: an id taken, or a month's partition created, at the same moment.
 */
const RETRY = new Set(['40001', '40P01', '55P03']);
const TAKEN = new Set(['pk_event_id', 'ux_binding_id']);

/**
 * Conditions of the connection, the server or its resources, which pass. A refused login (28) is one of them: it is never the message's
 * fault, and the password or certificate is corrected from outside.
 */
const PASSING = /^(08|28|53|57|58|25006|XX000|25P0[34])/;
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)|^EPROTO$/;

/** The SQLSTATE or system code of a driver's error or one of its causes; null where there is none. */
export function codeOf(error: unknown): string | null {
  for (let at = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return null;
}

/** A row was routed to one partition while another was created for its month: a check violation without a constraint name. */
const isPartedMeanwhile = (error: unknown): boolean => codeOf(error) === '23514' && constraintOf(error) === '';

const constraintOf = (error: unknown): string =>
  typeof error === 'object' && error !== null ? String((error as { constraint?: unknown }).constraint ?? '') : '';

/** Whether the same transaction may succeed if it is begun again at once. */
export const isRetry = (error: unknown): boolean =>
  error instanceof Raced ||
  RETRY.has(codeOf(error) ?? '') ||
  isPartedMeanwhile(error) ||
  (codeOf(error) === '23505' && TAKEN.has(constraintOf(error)));

/** Whether the error is one of the connection or of the server's state, and passes by itself. */
export function isTransient(error: unknown): boolean {
  if (isRetry(error)) return true;
  const code = codeOf(error);
  if (code !== null) return PASSING.test(code) || SOCKET_CODES.has(code) || TLS.test(code);
  // node-postgres has no code for a connection that ended, nor for a pool or server that timed out.
  return error instanceof Error && CONNECTION_GONE.test(error.message);
}
const CONNECTION_GONE =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|does not support SSL connections|not queryable/;

/** The database lacks a right, a table, a column, a function or a schema that we ask for: 42501, 42P01, 42703, 42883, 3F000. */
const LACKING = new Set(['42501', '42P01', '42703', '42883', '3F000']);

/**
 * Whether the database is not what this version expects: a migration or a grant is missing. It passes once somebody puts that right, and
 * no message is to blame, although only some messages may need what is missing.
 */
export const isUnprepared = (error: unknown): boolean => LACKING.has(codeOf(error) ?? '');
