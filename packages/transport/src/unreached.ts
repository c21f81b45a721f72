import { causesOf } from './refusal.ts';

/** A server that gives no answer, and the code of why. */
export interface Unreached {
  readonly server: 'Kafka' | 'PostgreSQL';
  readonly code: string;
}

/** The codes of a socket's errors, and of looking up its host: conditions that pass. */
export const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
]);

/** kafkajs' errors about a connection; where it knows no code, this one says the same. */
const OF_KAFKAJS: Readonly<Record<string, string>> = {
  KafkaJSConnectionError: 'ETIMEDOUT',
  KafkaJSRequestTimeoutError: 'ETIMEDOUT',
  KafkaJSConnectionClosedError: 'ECONNRESET',
};

/** node-postgres has no code for these; the texts are its own and hold nothing else. */
const OF_PG: Readonly<Record<string, string>> = {
  'timeout expired': 'ETIMEDOUT',
  'timeout exceeded when trying to connect': 'ETIMEDOUT',
  'Connection terminated due to connection timeout': 'ETIMEDOUT',
  'Connection terminated unexpectedly': 'ECONNRESET',
  'Connection terminated': 'ECONNRESET',
};

/** Which server an error says gives no answer; undefined for any other error. Call it where `explainRefusal` knows no reason. */
export function unreachedServer(error: unknown): Unreached | undefined {
  const chain = [...causesOf(error)];
  const code = chain.map((each) => String(each.code)).find((each) => SOCKET_CODES.has(each));
  if (chain.some(({ name }) => name.startsWith('KafkaJS'))) {
    const known = chain.find(({ name }) => Object.hasOwn(OF_KAFKAJS, name));
    return known && { server: 'Kafka', code: code ?? OF_KAFKAJS[known.name] ?? known.name };
  }
  const told = code ?? chain.map(({ message }) => OF_PG[message]).find((each) => each !== undefined);
  return told === undefined ? undefined : { server: 'PostgreSQL', code: told };
}
