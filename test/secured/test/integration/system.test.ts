import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningSystem, startSystem } from '@repo/cli/system';
import { findFreePort } from '@repo/embedded';
import { Sender, topicNames } from '@repo/messaging';
import { makeKeyFile } from '@repo/sealing';
import { freshTopicPrefix, until } from '@repo/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAcls, setAcls, takeAcls } from '../acls.ts';
import { accessOf, CA, type Environment, scramOf, secured, TOKENS } from '../settings.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const prefix = freshTopicPrefix();
const topics = topicNames(prefix);
const ACLS = readAcls(prefix);
const DATABASE = prefix.replace('-', '_');
const PASSWORD = 'p4ss';
/** Of a process, on a machine that has much else to do. */
const STARTED_WITHIN_MS = 90_000;

/** The URL of a login of the database, over TLS. */
function urlOf(user?: string, password = PASSWORD): string {
  const url = new URL(secured.postgresUrl);
  if (user !== undefined) Object.assign(url, { username: user, password });
  url.pathname = DATABASE;
  url.search = new URLSearchParams({ sslmode: 'verify-full', sslrootcert: CA }).toString();
  return url.href;
}

const dataDir = mkdtempSync(join(tmpdir(), 'gongji-secured-'));
const envelopeKeyFile = join(dataDir, 'keys');
makeKeyFile(envelopeKeyFile);

const PARTITIONS = 2;
const NEEDED: Environment = {
  GONGJI_KAFKA_BROKERS: secured.brokers,
  GONGJI_TOPIC_PREFIX: prefix,
  GONGJI_ENVELOPE_KEY_FILE: envelopeKeyFile,
  GONGJI_PARTITIONS: String(PARTITIONS),
};
/** What each process is given, and nothing else: a login of its own at both servers. */
const ENVIRONMENTS: Readonly<Record<string, Environment>> = {
  'settlement-worker': { ...scramOf('settlement-worker'), GONGJI_DATABASE_URL_WORKER: urlOf('gongji_worker') },
  'sharing-worker': { ...scramOf('sharing-worker'), GONGJI_DATABASE_URL_WORKER: urlOf('gongji_worker') },
  'query-api': { ...scramOf('query-api'), GONGJI_DATABASE_URL_READER: urlOf('gongji_reader') },
  audit: { ...scramOf('audit'), GONGJI_DATABASE_URL: urlOf('gongji_reader') },
  arrears: { ...scramOf('arrears'), GONGJI_DATABASE_URL: urlOf('gongji_reader') },
};

let system: RunningSystem;

async function asOwner(database: string, ...statements: readonly string[]): Promise<void> {
  const owner = new Client({ connectionString: new URL(database, secured.postgresUrl).href });
  await owner.connect();
  try {
    for (const statement of statements) await owner.query(statement);
  } finally {
    await owner.end();
  }
}

beforeAll(async () => {
  // As deploy/postgres/roles.sh makes them; the migration grants them what they need.
  const login = (role: string) =>
    `do $$ begin create role ${role}; exception when duplicate_object then null; end $$;
     alter role ${role} login password '${PASSWORD}'`;
  await asOwner('postgres', `create database ${DATABASE}`, login('gongji_worker'), login('gongji_reader'));
  await setAcls(ACLS, true);
  system = await startSystem({
    settings: {
      kafkaBrokers: [secured.brokers],
      kafkaAccess: accessOf(scramOf('setup')),
      databaseUrl: urlOf(),
      envelopeKeyFile,
      servers: 'embedded',
      kafkaPort: undefined,
      postgresPort: undefined,
      httpPort: 0,
      dataDir,
      policyDir: undefined,
      topicPrefix: prefix,
      partitions: PARTITIONS,
      futureDaysMax: 400,
      logLevel: 'info',
      environment: { PATH: process.env.PATH },
    },
    log: () => undefined,
    environment: ({ name }) => ({ GONGJI_DATABASE_URL: '', ...ENVIRONMENTS[name] }),
  });
});

afterAll(async () => {
  await system?.stop();
  await takeAcls(ACLS, prefix);
  await asOwner('postgres', `drop database ${DATABASE} with (force)`);
  rmSync(dataDir, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program of the project to its end, with this environment alone. */
function run(program: string, args: readonly string[], environment: Environment): Promise<Ended> {
  const from = performance.now();
  const env = { PATH: process.env.PATH, ...NEEDED, ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [`services/${program}/src/main.ts`, ...args], { cwd: ROOT, env }, (error, out, err) =>
      resolve({
        code: error === null ? 0 : Number(error.code),
        output: `${out}${err}`,
        seconds: (performance.now() - from) / 1_000,
      }),
    );
  });
}

async function read(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${system.http}${path}`)).json()) as Record<string, unknown>;
}

const OPENED = '2025-01-05T09:00:00+08:00';
const account = (psn_no: string, prior_year: string) => ({
  psn_no,
  insutype: '310',
  psn_type: '1101',
  employment: 'ACTIVE',
  insu_admdvs: '210102',
  insured: true,
  prior_year,
  current_year: '0.00',
  as_of: OPENED,
});

describe('with TLS, a login of its own for each process, and no right more than its files give', () => {
  test('a claim is settled, a binding is paused, and HTTP answers', async () => {
    await using sender = await Sender.open({
      brokers: [secured.brokers],
      clientId: 'secured-test',
      ...accessOf(TOKENS),
    });
    const send = (topic: string, key: string, type: string, value: object) =>
      sender.sendAll(topic, [{ key, value: JSON.stringify(value), headers: [['ce_type', Buffer.from(type)]] }]);
    await send(topics.members, 'P1', 'account.opened', account('P1', '40.00'));
    await send(topics.members, 'P2', 'account.opened', account('P2', '60.00'));
    const binding = { binding_id: 'B1', payer: 'P2', beneficiary: 'P1', relation: 'SPOUSE', bound_at: OPENED };
    await send(topics.members, 'P2', 'binding.opened', binding);
    const bindings = async () => (await read('/v1/bindings?payer=P2')).bindings as { state: string }[] | undefined;
    await until(async () => (await bindings())?.length === 1, { what: 'the binding', deadlineMs: 30_000 });
    await send(topics.claims, 'P1', 'claim.submitted', {
      claim_id: 'C1',
      mdtrt_id: 'M1',
      psn_no: 'P1',
      fixmedins_code: 'H21010200001',
      designated: true,
      fix_blng_admdvs: '210102',
      med_type: '11',
      setl_time: '2025-03-10T10:00:00+08:00',
      medfee_sumamt: '150.00',
      fund_pay_sumamt: '0.00',
      psn_part_amt: '150.00',
    });
    await until(async () => (await read('/v1/settlements/C1')).status === 'SETTLED', {
      what: 'the settlement',
      deadlineMs: 30_000,
    });
    expect(await read('/v1/settlements/C1')).toMatchObject({ acct_pay: '40.00', acct_mulaid_pay: '60.00' });
    expect(await read('/v1/settlements/C1/input')).toMatchObject({ type: 'claim.submitted', id: 'C1', key: 'P1' });
    const pause = { binding_id: 'B1', payer: 'P2', at: '2025-03-12T10:00:00+08:00' };
    await send(topics.members, 'P2', 'binding.paused', pause);
    await until(async () => (await bindings())?.[0]?.state === 'PAUSED', { what: 'the pause', deadlineMs: 30_000 });
    const ready = await read('/health/ready');
    expect(ready).toMatchObject({ status: 'ok', checks: { broker: { ok: true }, database: { ok: true } } });
  });

  test('the check for arrears runs', async () => {
    const arrears = await run('cli', ['arrears', '--on', '2025-03-01', '--json'], ENVIRONMENTS.arrears ?? {});
    expect(arrears).toMatchObject({ code: 0, output: expect.stringContaining('"finished":2') });
  });

  test('the audit runs', async () => {
    const audit = await run('cli', ['audit', '--json'], ENVIRONMENTS.audit ?? {});
    expect(audit).toMatchObject({ code: 0, output: expect.stringContaining('"clean":true') });
  });
});

const WORKER = ENVIRONMENTS['settlement-worker'] ?? {};
const refusedAt = (what: string, environment: Environment, said: string) => [what, environment, said] as const;

test.concurrent.for([
  refusedAt('Kafka by its password', { GONGJI_KAFKA_SASL_PASSWORD: 'no' }, 'Kafka refuses the login'),
  refusedAt(
    'the database by its password',
    { GONGJI_DATABASE_URL_WORKER: urlOf('gongji_worker', 'no') },
    'PostgreSQL refuses the user or the password (28P01)',
  ),
  refusedAt(
    'the token endpoint',
    {
      ...TOKENS,
      GONGJI_KAFKA_OAUTH_TOKEN_URL: `${secured.issuer}/down`,
      GONGJI_KAFKA_SASL_USERNAME: '',
      GONGJI_KAFKA_SASL_PASSWORD: '',
    },
    'The token endpoint does not answer (503)',
  ),
])('a worker that is refused by %s says so, waits, and ends', async ([, environment, said]) => {
  const { code, output, seconds } = await run('settlement-worker', [], { ...WORKER, ...environment });
  expect(output).toContain(said);
  expect(code).toBe(1);
  expect(seconds).toBeGreaterThan(10);
  expect(output).not.toContain(PASSWORD);
});

test('settings that cannot be used are told together', async () => {
  const { code, output } = await run('settlement-worker', [], {
    ...WORKER,
    GONGJI_KAFKA_TLS_CA: '/nowhere/ca.pem',
    GONGJI_KAFKA_TLS_CERT: join(secured.certificates, 'expired.pem'),
    GONGJI_KAFKA_SASL_PASSWORD: '',
    GONGJI_DATABASE_URL_WORKER: `${urlOf('gongji_worker')}&sslcert=/x`,
  });
  expect(code).toBe(1);
  expect(output).toContain(
    'GONGJI_KAFKA_TLS_CA: must be a file that can be used, and there is no file /nowhere/ca.pem',
  );
  expect(output).toMatch(/GONGJI_KAFKA_TLS_CERT: .* expired on 2020-02-01: put a new one there/);
  expect(output).toContain('GONGJI_KAFKA_TLS_KEY: must be set with GONGJI_KAFKA_TLS_CERT');
  expect(output).toContain('GONGJI_KAFKA_SASL_PASSWORD: must be set for SCRAM-SHA-512');
  expect(output).toContain('GONGJI_DATABASE_URL_WORKER: must have both sslcert and sslkey, or neither');
});

test('query-api says what is wrong with the broker’s certificate', async () => {
  const port = await findFreePort();
  const stop = new AbortController();
  const env = {
    PATH: process.env.PATH,
    ...NEEDED,
    ...ENVIRONMENTS['query-api'],
    GONGJI_KAFKA_BROKERS: secured.expiredBrokers,
    GONGJI_HTTP_PORT: String(port),
  };
  const ended = new Promise<void>((resolve) => {
    execFile(process.execPath, ['services/query-api/src/main.ts'], { cwd: ROOT, env, signal: stop.signal }, () =>
      resolve(),
    );
  });
  const health = async () => (await (await fetch(`http://127.0.0.1:${port}/health/ready`)).json()) as object;
  const answer = await until(health, { what: 'its health', deadlineMs: STARTED_WITHIN_MS });
  expect(answer).toMatchObject({
    checks: { broker: { ok: false, problem: expect.stringMatching(/^Kafka shows a certificate that has expired/) } },
  });
  stop.abort();
  await ended;
});
