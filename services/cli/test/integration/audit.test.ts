import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { topicsOf } from '@repo/contracts';
import { date } from '@repo/domain';
import { closeBooks, Ledger } from '@repo/ledger';
import { Sender, type TailedRecord, tail } from '@repo/messaging';
import { Envelopes, newKey } from '@repo/sealing';
import { testDatabaseUrl } from '@repo/testkit';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditReport, audit, NothingToAudit } from '../../src/audit/audit.ts';
import { STALLED_MS } from '../../src/audit/published.ts';
import { type FilledLedger, fillLedger } from './family.fixture.ts';
import { layOpen } from './laid-open.ts';
import { partitionCases } from './partitions.cases.ts';
import {
  IN_ACCOUNTS,
  IN_BLOCKS,
  IN_ENTRIES,
  IN_KAFKA,
  IN_OUTCOMES,
  type Tampering,
  UNPUBLISHED,
} from './tamper.fixture.ts';

const original = `audit_${randomBytes(6).toString('hex')}`;
const databases: string[] = [];
let filled: FilledLedger;

const urlOf = (database: string): string =>
  Object.assign(new URL(testDatabaseUrl()), { pathname: `/${database}` }).href;

async function execute(databaseUrl: string, sql: string, prepare?: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client(databaseUrl);
  await client.connect();
  try {
    await prepare?.(client);
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A copy of the filled ledger, its outcomes laid open unless they are to stay in their blocks, on which someone who may do everything has then done this. */
async function tamperedWith(
  sql: string,
  prepare: ((client: Client) => Promise<void>) | undefined = layOpen,
): Promise<string> {
  const name = `audit_${randomBytes(6).toString('hex')}`;
  await execute(testDatabaseUrl(), `create database ${name} template ${original}`);
  databases.push(name);
  await execute(urlOf(name), sql, prepare);
  return urlOf(name);
}

const auditOf = (databaseUrl: string, brokers: readonly string[] | null = null, limits = {}): Promise<AuditReport> =>
  audit({ databaseUrl, brokers, topicPrefix: filled.topicPrefix, envelopes: filled.envelopes, ...limits });

const broken = ({ checks }: AuditReport): Record<string, number> =>
  Object.fromEntries(checks.flatMap(({ name, wrong }) => (wrong > 0 ? [[name, wrong]] : [])));

beforeAll(async () => {
  databases.push(original);
  await execute(testDatabaseUrl(), `create database ${original}`);
  filled = await fillLedger(urlOf(original));
});

/** Of the refund whose claim did not come. */
const WAITING = '1 refunds wait for their claims and are not answered yet';

afterAll(async () => {
  for (const name of databases) await execute(testDatabaseUrl(), `drop database if exists ${name} with (force)`);
});

test('a ledger as the system leaves it is clean, and every check had something to check', async () => {
  const seen: number[] = [];
  const report = await audit({
    databaseUrl: urlOf(original),
    brokers: filled.brokers,
    topicPrefix: filled.topicPrefix,
    envelopes: filled.envelopes,
    onProgress: (share) => seen.push(share),
  });
  expect(broken(report)).toEqual({});
  expect(report.clean).toBe(true);
  expect(report.notes).toEqual([WAITING]);
  // No binding was changed here: authorised-audit of test/e2e has such.
  const idle = report.checks.filter(({ checked }) => checked === 0);
  expect(idle.map(({ name }) => name)).toEqual(['binding-authorised']);
  expect(seen).toEqual(seen.toSorted((left, right) => left - right));
  expect(seen.at(-1)).toBe(1);
});

describe('finds, and finds nothing else than what comes of it:', () => {
  test.each<Tampering>([...IN_ACCOUNTS, ...IN_ENTRIES, ...IN_OUTCOMES])('$it', async ({ sql, breaks }) => {
    const report = await auditOf(await tamperedWith(sql));
    expect(broken(report)).toEqual(breaks);
    expect(report.clean).toBe(false);
    // No person's number is told, not even in what is wrong.
    expect(JSON.stringify(report)).not.toMatch(/\bP[123]\b/);
  });

  test.each<Tampering>(IN_BLOCKS)('$it', async ({ sql, breaks }) => {
    const report = await auditOf(await tamperedWith(sql, async () => undefined), filled.brokers, { stalledMs: 4_000 });
    expect(broken(report)).toEqual(breaks);
  });

  test.each(IN_KAFKA)('$it', async ({ sql, breaks }) => {
    // What is not there is waited for; here less long.
    const report = await auditOf(await tamperedWith(sql), filled.brokers, { stalledMs: 4_000 });
    expect(broken(report)).toEqual(breaks);
  });

  test('what is not there within 15 s without any record', () => {
    expect(STALLED_MS).toBe(15_000);
  });
});

test.each([
  ['without keys', null],
  ['with another key', Envelopes.of(newKey())],
])('%s it says how many dead letters it could not compare, and is not clean', async (_, envelopes) => {
  const report = await audit({
    ...{ databaseUrl: urlOf(original), brokers: filled.brokers, topicPrefix: filled.topicPrefix },
    envelopes,
  });
  expect([broken(report), report.clean]).toEqual([{ 'record-opened': 2 }, false]);
  expect(report.findings.join()).toContain('GONGJI_ENVELOPE_KEY_FILE');
});

test('a limit that may have been lowered after it was used is a note', async () => {
  const changed = `insert into event_id values ('binding.changed:1', '', 0, null, '2026-11-01');`;
  const lowered = `update binding set daily_limit = 100 where binding_id = 'B2'`;
  const report = await auditOf(await tamperedWith(`${changed} ${lowered}`));
  expect(report.clean).toBe(true);
  expect(report.notes).toEqual([WAITING, expect.stringContaining('may have been lowered later')]);
});

test('an outcome that has not been published yet is a note', async () => {
  const report = await auditOf(await tamperedWith(UNPUBLISHED), filled.brokers);
  expect(broken(report)).toEqual({});
  expect(report.notes).toEqual([WAITING, '1 outcomes had not been published when the audit began']);
});

describe('partitions', () =>
  partitionCases(() => ({
    copy: tamperedWith,
    audited: async (databaseUrl) => {
      const report = await auditOf(databaseUrl, filled.brokers);
      return {
        wrong: broken(report),
        checked: Object.fromEntries(report.checks.map(({ name, checked }) => [name, checked])),
      };
    },
    folder: mkdtempSync(join(tmpdir(), 'gongji-partitions-test-')),
  })));

test('closed days are as they were closed', async () => {
  const databaseUrl = await tamperedWith('select 1');
  const ledger = await Ledger.open({ url: databaseUrl, name: 'audit-test' });
  const days = await closeBooks(ledger, date('2026-03-31')).finally(() => ledger.close());
  expect(days).toHaveLength(5);
  expect(broken(await auditOf(databaseUrl))).toEqual({});
});

describe('reconcile', () => {
  const reconcile = (...args: string[]) => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const env = { ...process.env, GONGJI_DATABASE_URL: urlOf(original), NO_COLOR: '1' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'reconcile', ...args], {
      env,
      encoding: 'utf8',
    });
    return { status, lines: stdout.split('\n').filter(Boolean), stderr };
  };
  const march = ['--from', '2026-03-10', '--to', '2026-03-11'];

  test('totals are what the outcomes say, a refund on its own day, refused claims and premiums not among them', () => {
    const { status, lines, stderr } = reconcile('totals', ...march);
    expect(lines).toEqual([
      'day,fixmedins_code,insutype,clr_type,medfee_sumamt,fund_pay_sumamt,acct_pay,acct_mulaid_pay,cash_payamt,fixmedins_setl_cnt',
      '2026-03-10,H61010200001,310,11,750.00,200.00,40.00,380.00,130.00,2',
      '2026-03-11,H61010200001,310,11,-300.00,0.00,-40.00,-130.00,-130.00,0',
    ]);
    expect(stderr).toMatch(
      /^2026-03-10 {2}\d+ entries, debits (.+), credits \1; open, gongji books close 2026-03-10 closes it$/m,
    );
    expect(status).toBe(0);
  });

  test('details compared with themselves do not differ; a changed, a missing and a foreign line are told', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'gongji-reconcile-')), 'theirs.csv');
    try {
      expect(reconcile('details', ...march, '--out', file)).toMatchObject({ status: 0, lines: [] });
      expect(statSync(file).mode & 0o077).toBe(0);
      const same = reconcile('compare', file, ...march);
      expect(same.lines[0]).toMatch(/^the same +4 /);
      expect(same.status).toBe(0);
      const [head = '', ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
      // Only a refund ends with its id.
      const settled = rows.filter((row) => row.endsWith(','));
      const refunded = rows.filter((row) => !row.endsWith(','));
      const [first = ''] = settled;
      const theirs = [first.replace(',100.00,', ',100.01,'), settled[1], refunded[0], `X${first}`];
      writeFileSync(file, [head, ...theirs].join('\n'));
      const { status, lines } = reconcile('compare', file, ...march, '--json');
      const { differences } = JSON.parse(lines[0] ?? '{}') as { differences: { kind: string; setl_id: string }[] };
      expect(differences.map(({ kind }) => kind)).toEqual(['MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS']);
      expect(differences[0]?.setl_id).toMatch(/^X/);
      expect(status).toBe(1);
    } finally {
      rmSync(dirname(file), { recursive: true, force: true });
    }
  });

  test('totals compared with themselves do not differ; of another day’s sum it is told where', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gongji-reconcile-'));
    try {
      const file = join(folder, 'totals.csv');
      reconcile('totals', ...march, '--out', file);
      const same = reconcile('compare', file, ...march);
      expect({ status: same.status, first: same.lines[0] }).toEqual({
        status: 0,
        first: expect.stringMatching(/^the same +2 /),
      });
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace(',130.00,2', ',130.01,2').replace('2026-03-11', '2026-03-12'),
      );
      const { status, lines } = reconcile('compare', file, ...march);
      expect(lines.slice(4)).toEqual([
        '  missing here    2026-03-12 H61010200001 310 11  medfee_sumamt there -300.00',
        '  missing there   2026-03-11 H61010200001 310 11  medfee_sumamt here -300.00',
        '  amount differs  2026-03-10 H61010200001 310 11  cash_payamt here 130.00 there 130.01',
      ]);
      expect(status).toBe(1);
      writeFileSync(file, 'total\n1.00\n');
      expect(reconcile('compare', file, ...march)).toMatchObject({ status: 2, lines: [] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('another institution has nothing, and what is not understood is said with how it is asked', () => {
    expect(reconcile('totals', ...march, '--institution', 'H1').lines).toHaveLength(1);
    const refused = reconcile('totals', '--day', '2026-02-30');
    expect(refused.stderr).toContain('expected --day DAY');
    expect(refused.status).toBe(2);
  });
});

test('a prefix that is not this database’s is refused, for it would leave every record out', async () => {
  const options = { databaseUrl: urlOf(original), brokers: null, topicPrefix: 'other' };
  await expect(audit(options)).rejects.toThrow(NothingToAudit);
});

describe('where the broker has deleted the first records of an output topic', () => {
  /** Deletes the first records of each partition, as its retention would, or all where there are fewer. */
  async function deleteBelow(topic: string, offset: number): Promise<void> {
    const admin = new Kafka({
      brokers: [...filled.brokers],
      clientId: 'audit-test',
      logLevel: logLevel.NOTHING,
    }).admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    const below = ({ high }: { high: string }) => String(Math.min(offset, Number(high)));
    const partitions = ends.map((end) => ({ partition: end.partition, offset: below(end) }));
    await admin.deleteTopicRecords({ topic, partitions }).finally(() => admin.disconnect());
  }
  const audited = (url = urlOf(original)): Promise<AuditReport> => auditOf(url, filled.brokers, { stalledMs: 4_000 });
  const lost = (topic: string, count: string) =>
    expect.stringMatching(
      new RegExp(`^${topic} no longer has ${count} outcomes, which could not be compared with it$`),
    );

  test('how many it has no longer is a note, and what is left is compared', async () => {
    const { settlements } = topicsOf(filled.topicPrefix);
    // Of these three some may be the marks of transactions.
    await deleteBelow(settlements, 3);
    const report = await audited();
    expect(broken(report)).toEqual({});
    expect(report.notes).toEqual([WAITING, lost(settlements, '[123]')]);
    const last = `update outcome set payload = payload || ' ' where shard_id = (select shard_id from event_id
      where event_id = 'claim:C5') and seq = (select seq from event_id where event_id = 'claim:C5')`;
    expect(broken(await audited(await tamperedWith(last)))).toEqual({ 'record-content': 1 });
  });

  test('a partition that has none left is not waited for', async () => {
    const { deadLetters } = topicsOf(filled.topicPrefix);
    await deleteBelow(deadLetters, Number.MAX_SAFE_INTEGER);
    const beganMs = performance.now();
    const report = await audited();
    expect(performance.now() - beganMs).toBeLessThan(4_000);
    expect(broken(report)).toEqual({});
    expect(report.notes).toContainEqual(lost(deadLetters, '2'));
  });
});

test('a record that comes twice is found', async () => {
  const { settlements } = topicsOf(filled.topicPrefix);
  const connection = { brokers: filled.brokers, clientId: 'audit-test' };
  const first = Promise.withResolvers<TailedRecord>();
  {
    await using _reading = await tail({
      connection,
      topics: [settlements],
      from: 'start',
      onRecords: ([record]) => record && first.resolve(record),
      onFailure: first.reject,
    });
    await using sender = await Sender.open(connection);
    await sender.sendAll(settlements, [await first.promise]);
  }
  const report = await auditOf(urlOf(original), filled.brokers);
  expect(broken(report)).toEqual({ 'record-sequence': 1 });
});
