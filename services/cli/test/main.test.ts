import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { writeAddresses } from '../src/system/addresses.ts';

/** A server that answers the first message of whoever connects as PostgreSQL answers a statement that it refuses. */
async function startRefusing(fields: Readonly<Record<string, string>>): Promise<number> {
  const body = `${Object.entries(fields)
    .map(([name, text]) => `${name}${text}\0`)
    .join('')}\0`;
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(body) + 4);
  const answer = Buffer.concat([Buffer.from('E'), length, Buffer.from(body)]);
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(answer)));
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

const MAIN = join(import.meta.dirname, '../src/main.ts');

/** Runs `gongji` as its user would, with settings of one's own. */
const gongji = (args: readonly string[], settings: Readonly<Record<string, string>>) =>
  promisify(execFile)(process.execPath, [MAIN, ...args], { env: { ...process.env, ...settings } }).then(
    (ended) => ({ code: 0, ...ended }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  );

test.each(['start', 'policy', 'dead-letters'])(
  '%s does not begin with wrong settings, and its help does not read them',
  async (name) => {
    const wrong = { GONGJI_PARTITIONS: 'many', GONGJI_HTTP_PORT: '70000', LC_ALL: 'C' };
    const { code, stdout, stderr } = await gongji([name], wrong);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^the settings cannot be used:\n {2}GONGJI_HTTP_PORT: .*\n {2}GONGJI_PARTITIONS: .*\n$/);
    expect(await gongji([name, '--help'], wrong)).toMatchObject({ code: 0, stderr: '' });
  },
);

/** Servers that nobody runs, and a password that nobody may see. */
const AWAY = {
  GONGJI_DATABASE_URL: 'postgresql://gongji:geheim@127.0.0.1:1/gongji',
  GONGJI_KAFKA_BROKERS: '127.0.0.1:2',
  GONGJI_DATA_DIR: '/nowhere',
};
const NO_POSTGRES =
  'PostgreSQL at 127.0.0.1:1 does not answer (ECONNREFUSED): see whether it runs, and whether GONGJI_DATABASE_URL is right.\n';
const NO_KAFKA =
  'Kafka at 127.0.0.1:2 does not answer (ECONNREFUSED): see whether it runs, and whether GONGJI_KAFKA_BROKERS is right.\n';

// kafkajs tries for ten seconds, or twice that.
test.concurrent.each([
  [['setup'], 1, NO_POSTGRES],
  [['load', join(import.meta.dirname, '../package.json'), '--format', 'ndjson'], 1, NO_POSTGRES],
  [['backdated'], 1, NO_POSTGRES],
  [['simulate', '--from', '2026-03-10', '--to', '2026-03-10'], 1, NO_KAFKA],
  [['arrears', '--on', '2026-03-10'], 1, NO_POSTGRES],
  [['books', 'list'], 1, NO_POSTGRES],
  [['reconcile', 'totals', '--day', '2026-03-10'], 1, NO_POSTGRES],
  [['export', '--from', '2026-03-10', '--to', '2026-03-10'], 1, NO_POSTGRES],
  [['partitions', 'list'], 1, NO_POSTGRES],
  [['renumber'], 1, NO_POSTGRES],
  // Of these 1 says what they found.
  [['audit'], 2, `The audit could not run: ${NO_POSTGRES}`],
  [['dead-letters', 'list'], 2, NO_KAFKA],
  [['quarantine', 'list'], 2, NO_POSTGRES],
] as const)('%j ends with %i if a server does not answer, and says which', async (args, code, stderr) => {
  expect(await gongji(args, AWAY)).toEqual({ code, stdout: '', stderr });
});

test('if a system was started in this folder and is gone, that is said', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-main-test-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const { GONGJI_DATABASE_URL: postgresUrl, GONGJI_KAFKA_BROKERS: kafka } = AWAY;
  writeAddresses(dataDir, { postgresUrl, kafka, http: 'http://127.0.0.1:3', topicPrefix: 'gongji' });
  const unset = { GONGJI_DATABASE_URL: '', GONGJI_KAFKA_BROKERS: '', GONGJI_DATA_DIR: dataDir };
  expect(await gongji(['books', 'list'], unset)).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'PostgreSQL at 127.0.0.1:1 does not answer (ECONNREFUSED): see whether the system of this folder runs (npm start), or set GONGJI_DATABASE_URL.\n',
  });
});

test('of an error of the database that nobody expected code and place are told, and no value of a row', async () => {
  const port = await startRefusing({
    S: 'ERROR',
    V: 'ERROR',
    C: '23505',
    M: 'duplicate key value violates unique constraint "pk_account"',
    D: 'Key (psn_no)=(P-of-somebody) already exists.',
    W: 'COPY account, line 1: "P-of-somebody"',
    n: 'pk_account',
  });
  const ended = await gongji(['partitions', 'list'], { GONGJI_DATABASE_URL: `postgresql://u:p@127.0.0.1:${port}/d` });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/"code": "23505",\s+"constraint": "pk_account",\s+"frames": \[/);
  expect(ended.stderr).not.toContain('somebody');
});
