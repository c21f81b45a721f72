import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort, HOST, startKafka, startPostgres } from '@repo/embedded';
import { AUDIENCE, startIssuer } from './issuer.ts';

const SCRIPT = fileURLToPath(new URL('../../../deploy/tls/make-certificates.sh', import.meta.url));

/** Logins of SCRAM and the services they are for; the password of each is its name reversed. */
export const LOGINS = [
  'settlement-worker',
  'sharing-worker',
  'query-api',
  'setup',
  'audit',
  'arrears',
  'renumber',
  'dead-letters',
  'simulate',
  'admin',
] as const;
export type Login = (typeof LOGINS)[number];
export const passwordOf = (login: Login): string => `${[...login].reverse().join('')}-1`;

/** Clients of the token endpoint that may do anything at the broker. */
export const TOKEN_CLIENT = 'token-client';

/** Whose certificate may do anything at the broker. */
const CLIENT = 'client';

/** Kafka's own wait between two logins of a session by token: the client, which logs in 10 s early, does so every 2 s. */
const SESSION_MS = 12_000;

export interface Secured {
  /** Holds `ca.pem`, and `other/ca.pem` of an authority nobody else knows. */
  readonly certificates: string;
  /** `host:port` of the listener for services: TLS and a login. Its certificate is for 127.0.0.1 alone. */
  readonly brokers: string;
  /** The same with a certificate that has expired. */
  readonly expiredBrokers: string;
  /** Where clients show a certificate instead of a login: `client.pem` in `certificates` is one that is taken. */
  readonly mutualBrokers: string;
  /** For the test itself: whoever comes here may do anything. */
  readonly openBrokers: string;
  /** The owner's, without TLS; everybody else needs TLS. Its certificate is for 127.0.0.1 alone. */
  readonly postgresUrl: string;
  readonly issuer: string;
}

/** Makes a certificate, in PEM, with the project's script. Dates are `YYYYMMDDHHMMSSZ`. */
export function makeCertificate(
  directory: string,
  name: string,
  hosts: string,
  validity: readonly [from: string, until: string] | readonly [] = [],
): { readonly cert: string; readonly key: string } {
  execFileSync(SCRIPT, [directory, name, hosts, ...validity]);
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
}

export const EXPIRED = ['20200101000000Z', '20200201000000Z'] as const;

/** Only the owner gets in without TLS, for the test and for the probe that waits until the server is there. */
export const HBA = `host all gongji ${HOST}/32 scram-sha-256\nhostssl all all ${HOST}/32 scram-sha-256\n`;

/** A broker with TLS, SCRAM, tokens and an authorizer, a database with TLS, and an issuer of tokens. */
export async function startSecured(): Promise<Secured & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const dataDir = started.adopt(mkdtempSync(join(tmpdir(), 'gongji-secured-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  );
  const certificates = join(dataDir, 'tls');
  const server = makeCertificate(certificates, 'server', HOST);
  makeCertificate(certificates, 'expired', HOST, EXPIRED);
  makeCertificate(join(certificates, 'other'), 'other', HOST);
  makeCertificate(certificates, CLIENT, HOST);
  const issuer = started.use(await startIssuer());
  const [port, secure, expired, mutual] = await freePorts();
  const postgres = await startPostgres({ dataDir, tls: server, hba: HBA });
  started.defer(() => postgres.stop().then(() => undefined));
  const kafka = await startKafka({
    dataDir,
    port,
    listeners: {
      SECURE: { port: secure, protocol: 'SASL_SSL' },
      EXPIRED: { port: expired, protocol: 'SASL_SSL' },
      MUTUAL: { port: mutual, protocol: 'SSL' },
    },
    settings: {
      ...listenerSettings('secure', join(certificates, 'server.keystore.pem'), issuer.url),
      ...listenerSettings('expired', join(certificates, 'expired.keystore.pem'), issuer.url),
      ...mutualSettings(certificates),
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': `User:ANONYMOUS;User:admin;User:${TOKEN_CLIENT};User:CN=${CLIENT}`,
    },
    scramUsers: Object.fromEntries(LOGINS.map((login) => [login, passwordOf(login)])),
    jvmArgs: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${issuer.url}/keys`],
    heap: '512m',
  });
  started.defer(() => kafka.stop().then(() => undefined));
  const owned = started.move();
  return {
    certificates,
    brokers: `${HOST}:${secure}`,
    expiredBrokers: `${HOST}:${expired}`,
    mutualBrokers: `${HOST}:${mutual}`,
    openBrokers: kafka.brokers,
    postgresUrl: postgres.url,
    issuer: issuer.url,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Four, each another. */
async function freePorts(): Promise<[number, number, number, number]> {
  const ports = [await findFreePort(), await findFreePort(), await findFreePort(), await findFreePort()] as const;
  return new Set(ports).size < ports.length ? freePorts() : [...ports];
}

/** Of a listener that asks for a certificate of the same authority. */
function mutualSettings(certificates: string): Record<string, string> {
  const settings = {
    'ssl.client.auth': 'required',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(certificates, 'server.keystore.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(certificates, 'ca.pem'),
  };
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`listener.name.mutual.${key}`, value]));
}

const MODULES = 'org.apache.kafka.common.security';

function listenerSettings(name: string, keystore: string, issuer: string): Record<string, string> {
  const settings = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512,OAUTHBEARER,PLAIN',
    'scram-sha-512.sasl.jaas.config': `${MODULES}.scram.ScramLoginModule required;`,
    'plain.sasl.jaas.config': `${MODULES}.plain.PlainLoginModule required user_admin="${passwordOf('admin')}";`,
    'oauthbearer.sasl.jaas.config': `${MODULES}.oauthbearer.OAuthBearerLoginModule required;`,
    'oauthbearer.sasl.server.callback.handler.class': `${MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    'oauthbearer.connections.max.reauth.ms': String(SESSION_MS),
    'sasl.oauthbearer.jwks.endpoint.url': `${issuer}/keys`,
    'sasl.oauthbearer.expected.audience': AUDIENCE,
    'sasl.oauthbearer.expected.issuer': issuer,
  };
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`listener.name.${name}.${key}`, value]));
}
