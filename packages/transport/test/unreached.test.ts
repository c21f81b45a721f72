import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { unreachedServer } from '../src/unreached.ts';

/** The error of connecting to a port that nobody listens on, as the system says it. */
async function refused(): Promise<Error> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const [error] = await once(connect(port, '127.0.0.1'), 'error').catch((rejected: Error) => [rejected]);
  return error;
}

const named = (name: string, cause?: unknown): Error => Object.assign(new Error('secret', { cause }), { name });

test('a socket that fails is that of Kafka below an error of its client, else that of PostgreSQL', async () => {
  const error = await refused();
  expect(unreachedServer(error)).toEqual({ server: 'PostgreSQL', code: 'ECONNREFUSED' });
  expect(unreachedServer(new AggregateError([error]))).toEqual({ server: 'PostgreSQL', code: 'ECONNREFUSED' });
  const ofKafka = Object.assign(named('KafkaJSConnectionError'), { code: 'ENOTFOUND' });
  for (const each of [ofKafka, named('KafkaJSNumberOfRetriesExceeded', ofKafka)])
    expect(unreachedServer(each)).toEqual({ server: 'Kafka', code: 'ENOTFOUND' });
});

test('what has no code of its own is given the one that says the same', () => {
  expect(unreachedServer(new Error('timeout expired'))).toEqual({ server: 'PostgreSQL', code: 'ETIMEDOUT' });
  expect(unreachedServer(new Error('Connection terminated unexpectedly'))?.code).toBe('ECONNRESET');
  expect(unreachedServer(named('KafkaJSConnectionError'))).toEqual({ server: 'Kafka', code: 'ETIMEDOUT' });
});

test('any other error is none of these', () => {
  const ofDatabase = Object.assign(new Error('duplicate key'), { code: '23505' });
  const ofBroker = named('KafkaJSNumberOfRetriesExceeded', named('KafkaJSProtocolError'));
  for (const each of [new Error('no'), 'ECONNREFUSED', undefined, ofDatabase, ofBroker])
    expect(unreachedServer(each)).toBeUndefined();
});
