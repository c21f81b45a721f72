import type { Disposition } from '../port.ts';

/** A transaction was not answered as the protocol requires, so its outcome is unknown. */
export class PublishUnknown extends Error {
  constructor(detail: string) {
    super(`the outcome of a transaction is unknown: ${detail}`);
    this.name = 'PublishUnknown';
  }
}

/**
 * The name of the broker's error code (`CONCURRENT_TRANSACTIONS`), unwrapped from kafkajs' errors; undefined where it is no protocol error.
 */
export function protocolErrorOf(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('type' in inner && typeof inner.type === 'string') return inner.type;
  }
  return undefined;
}

/** Broker errors that repeating the request will not change: the request itself, or a permission, is wrong. */
const LASTING: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'INVALID_REQUEST',
  'INVALID_TRANSACTION_TIMEOUT',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
]);

/**
 * Classifies an error of this package or of kafkajs; undefined for any other error. A fenced producer counts as transient: whether the
 * shard is still ours only the database can tell, and the processor asks it.
 */
export function classifyKafkaError(error: unknown): Disposition | undefined {
  if (error instanceof PublishUnknown) return 'transient';
  if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) return undefined;
  const code = protocolErrorOf(error);
  if (code !== undefined) return LASTING.has(code) ? 'defect' : 'transient';
  // kafkajs uses one error name for a refused login and for a connection that was cut during it, and a user unknown now may be known in a
  // minute.
  return error.name === 'KafkaJSNotImplemented' ? 'defect' : 'transient';
}
