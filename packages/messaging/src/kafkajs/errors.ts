import type { Disposition } from '../port.ts';

/** A transaction's answer did not say what it must; the outcome is unknown. */
export class PublishUnknown extends Error {
  constructor(detail: string) {
    super(`the outcome of a transaction is unknown: ${detail}`);
    this.name = 'PublishUnknown';
  }
}

/** The broker's error code by name (`CONCURRENT_TRANSACTIONS`), through kafkajs' wrappers; undefined where it is no protocol error. */
export function protocolErrorOf(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('type' in inner && typeof inner.type === 'string') return inner.type;
  }
  return undefined;
}

/** Answers of the broker that will not change by trying again: the request itself, or a permission, is wrong. */
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
 * What an error of this package or of kafkajs means; undefined for any other error. A fenced producer counts as transient: whether
 * the shard is still ours is the database's to say, and the processor asks it.
 */
export function classifyKafkaError(error: unknown): Disposition | undefined {
  if (error instanceof PublishUnknown) return 'transient';
  if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) return undefined;
  const code = protocolErrorOf(error);
  if (code !== undefined) return LASTING.has(code) ? 'defect' : 'transient';
  // kafkajs gives one name to a login that was refused and to one that was cut, and the broker may know the user again in a minute.
  return error.name === 'KafkaJSNotImplemented' ? 'defect' : 'transient';
}
