import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { findFreePort, HOST } from '@repo/embedded';
import { createTopics, type KafkaConnection, KafkaLog, KafkaPublisher, Sender, tail } from '@repo/messaging';
import { freshTopicPrefix, until } from '@repo/testkit';
import { explainRefusal } from '@repo/transport';
import { beforeAll, expect, test } from 'vitest';
import { passwordOf } from '../../src/servers.ts';
import { Reader } from '../reader.ts';
import { accessOf, CA, certificateOf, type Environment, scramOf, secured, TOKENS } from '../settings.ts';

const prefix = freshTopicPrefix();
const topic = `${prefix}.claims.v1`;
const ADMIN = scramOf('admin');

const connectionOf = (environment: Environment, brokers = secured.brokers): KafkaConnection => ({
  brokers: [brokers],
  clientId: 'secured-test',
  ...accessOf(environment),
});

beforeAll(async () => {
  await createTopics({ connection: connectionOf(ADMIN), prefix, partitions: 1 });
});

test.for([
  ['SCRAM-SHA-512', ADMIN, secured.brokers],
  ['OAUTHBEARER', TOKENS, secured.brokers],
  ['PLAIN', { ...ADMIN, GONGJI_KAFKA_SASL_MECHANISM: 'PLAIN' }, secured.brokers],
  ['a certificate of our own', certificateOf('client'), secured.mutualBrokers],
] as const)('what is sent over TLS with %s is read over TLS with it', async ([mechanism, environment, brokers]) => {
  const connection = connectionOf(environment, brokers);
  const read: string[] = [];
  await using _reading = await tail({
    connection,
    topics: [topic],
    from: 'end',
    onRecords: (records) => void read.push(...records.map(({ value }) => String(value))),
    onFailure: (error) => read.push(error.message),
  });
  await using sender = await Sender.open(connection);
  await sender.sendAll(topic, [{ key: 'P1', value: mechanism }]);
  await until(() => read.length > 0, { what: 'the record' });
  expect(read).toEqual([mechanism]);
});

const LOGIN = /^Kafka refuses the login/;
const AUTHORITY = /^Kafka shows a certificate of an authority that is not trusted.*GONGJI_KAFKA_TLS_CA/;
const OURS = /^Kafka does not take our certificate/;
const OTHER_CA = join(secured.certificates, 'other', 'ca.pem');
const localhost = secured.brokers.replace('127.0.0.1', 'localhost');
const noServer = `http://${HOST}:${await findFreePort()}/token`;

test.concurrent.for<[wrong: string, environment: Environment, brokers: string, said: RegExp]>([
  ['password', { ...ADMIN, GONGJI_KAFKA_SASL_PASSWORD: 'no' }, secured.brokers, LOGIN],
  ['user', { ...ADMIN, GONGJI_KAFKA_SASL_USERNAME: 'nobody' }, secured.brokers, LOGIN],
  ['authority', { ...ADMIN, GONGJI_KAFKA_TLS_CA: OTHER_CA }, secured.brokers, AUTHORITY],
  ['host name', ADMIN, localhost, /^Kafka shows a certificate for another host name.*GONGJI_KAFKA_BROKERS/],
  ['date of its certificate', ADMIN, secured.expiredBrokers, /^Kafka shows a certificate that has expired/],
  ['certificate of ours, none at all', { GONGJI_KAFKA_TLS_CA: CA }, secured.mutualBrokers, OURS],
  ['certificate of ours, of another authority', certificateOf('other/other'), secured.mutualBrokers, OURS],
  ['port, one without TLS', ADMIN, secured.openBrokers, /^Kafka cut the connection.*GONGJI_KAFKA_BROKERS/],
  [
    'client secret',
    { ...TOKENS, GONGJI_KAFKA_OAUTH_CLIENT_SECRET: 'no' },
    secured.brokers,
    /gives no token \(invalid_client\).*CLIENT_SECRET/,
  ],
  [
    'token endpoint, one out of order',
    { ...TOKENS, GONGJI_KAFKA_OAUTH_TOKEN_URL: `${secured.issuer}/down` },
    secured.brokers,
    /token endpoint does not answer \(503\)/,
  ],
  [
    'token endpoint, one that is not there',
    { ...TOKENS, GONGJI_KAFKA_OAUTH_TOKEN_URL: noServer },
    secured.brokers,
    /token endpoint does not answer \(ECONNREFUSED\).*TOKEN_URL/,
  ],
  [
    'life of tokens',
    { ...TOKENS, GONGJI_KAFKA_OAUTH_CLIENT_ID: 'hasty' },
    secured.brokers,
    /gives tokens for 5 s: have it give them for 20 s at least/,
  ],
])('the wrong %s is refused, and the error says what to do', async ([, environment, brokers, said]) => {
  const error = await Sender.open(connectionOf(environment, brokers)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(explainRefusal(error)).toMatch(said);
});

test.concurrent('certificates that are replaced count for the next connection, without a restart', async ({
  onTestFinished,
}) => {
  const directory = mkdtempSync(join(tmpdir(), 'gongji-secured-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const ca = join(directory, 'ca.pem');
  copyFileSync(OTHER_CA, ca);
  const connection = connectionOf({ ...ADMIN, GONGJI_KAFKA_TLS_CA: ca });
  await expect(Sender.open(connection)).rejects.toThrow();
  copyFileSync(CA, ca);
  await using sender = await Sender.open(connection);
  await sender.sendAll(topic, [{ key: null, value: 'after' }]);
});

/** Counts connections. */
function counting(connection: KafkaConnection): KafkaConnection & { readonly lost: () => number } {
  let lost = 0;
  return {
    ...connection,
    lost: () => lost,
    // The client opens some only when it first needs them; none of them may go.
    socketFactory: ({ host, port, ssl, onConnect }) =>
      (ssl ? tls.connect({ host, port, ...ssl }, onConnect) : net.connect({ host, port }, onConnect)).once(
        'close',
        () => {
          lost += 1;
        },
      ),
  };
}

test.concurrent('sessions that end are renewed under way: no connection is lost, nothing is published twice or read twice', async ({
  expect,
}) => {
  const access = accessOf(TOKENS);
  if (access.sasl?.mechanism !== 'oauthbearer') throw new Error('no tokens');
  const { oauthBearerProvider: provide } = access.sasl;
  let logins = 0;
  const connection = counting({
    brokers: [secured.brokers],
    clientId: 'secured-test',
    ...access,
    sasl: {
      mechanism: 'oauthbearer',
      oauthBearerProvider: () => {
        logins += 1;
        return provide();
      },
    },
  });
  const results = `${prefix}.settlements.v1`;
  const publisher = new KafkaPublisher({ connection, app: prefix, topic, resultsTopic: results });
  const read: number[] = [];
  const crashes: Error[] = [];
  const log = new KafkaLog({ connection, topic: results, groupId: prefix, onCrash: (error) => crashes.push(error) });
  await log.run(new Reader((value) => read.push(Number(value))));
  await publisher.recover(0);
  const [loginsAtFirst, lostAtFirst] = [logins, connection.lost()];
  const end = performance.now() + 16_000;
  let seq = 0;
  // Longer than a session: without a renewal the broker would cut each connection on the way.
  while (performance.now() < end) {
    seq += 1;
    const value = Buffer.from(String(seq));
    await publisher.publish(0, [{ seq: BigInt(seq), topic: results, partition: 0, key: null, value, headers: [] }]);
    await delay(20);
  }
  await until(() => read.length >= seq, { what: 'everything published' });
  expect(crashes).toEqual([]);
  expect(read).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
  expect(logins - loginsAtFirst).toBeGreaterThan(6);
  expect(connection.lost() - lostAtFirst).toBe(0);
  await log.stop();
  await publisher.close();
});

test('a password reaches no error text', async () => {
  const environment = { ...ADMIN, GONGJI_KAFKA_SASL_PASSWORD: `${passwordOf('admin')}x` };
  const error = await Sender.open(connectionOf(environment)).catch((reason: unknown) => reason);
  expect(`${String(error)} ${(error as Error).stack} ${explainRefusal(error)}`).not.toContain(passwordOf('admin'));
});
