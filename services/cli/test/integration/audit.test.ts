import { randomBytes } from 'node:crypto';
import { topicsOf } from '@repo/contracts';
import { date } from '@repo/domain';
import { closeBooks, Ledger } from '@repo/ledger';
import { Sender, type TailedRecord, tail } from '@repo/messaging';
import { testDatabaseUrl } from '@repo/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditReport, audit, NothingToAudit } from '../../src/audit/audit.ts';
import { type FilledLedger, fillLedger } from './family.fixture.ts';
import { IN_ACCOUNTS, IN_ENTRIES, IN_KAFKA, IN_OUTCOMES, type Tampering, UNPUBLISHED } from './tamper.fixture.ts';

const original = `audit_${randomBytes(6).toString('hex')}`;
const databases: string[] = [];
let filled: FilledLedger;

const urlOf = (database: string): string =>
  Object.assign(new URL(testDatabaseUrl()), { pathname: `/${database}` }).href;

async function execute(databaseUrl: string, sql: string): Promise<void> {
  const client = new Client(databaseUrl);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A copy of the filled ledger, on which someone who may do everything has then done this. */
async function tamperedWith(sql: string): Promise<string> {
  const name = `audit_${randomBytes(6).toString('hex')}`;
  await execute(testDatabaseUrl(), `create database ${name} template ${original}`);
  databases.push(name);
  await execute(urlOf(name), sql);
  return urlOf(name);
}

const auditOf = (databaseUrl: string, brokers: readonly string[] | null = null): Promise<AuditReport> =>
  audit({ databaseUrl, brokers, topicPrefix: filled.topicPrefix });

const broken = ({ checks }: AuditReport): Record<string, number> =>
  Object.fromEntries(checks.flatMap(({ name, wrong }) => (wrong > 0 ? [[name, wrong]] : [])));

beforeAll(async () => {
  databases.push(original);
  await execute(testDatabaseUrl(), `create database ${original}`);
  filled = await fillLedger(urlOf(original));
});

afterAll(async () => {
  for (const name of databases) await execute(testDatabaseUrl(), `drop database if exists ${name} with (force)`);
});

test('a ledger as the system leaves it is clean, and every check had something to check', async () => {
  const seen: number[] = [];
  const report = await audit({
    databaseUrl: urlOf(original),
    brokers: filled.brokers,
    topicPrefix: filled.topicPrefix,
    onProgress: (share) => seen.push(share),
  });
  expect(broken(report)).toEqual({});
  expect(report.clean).toBe(true);
  expect(report.checks.filter(({ checked }) => checked === 0)).toEqual([]);
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

  test.each(IN_KAFKA)('$it', async ({ sql, breaks }) => {
    const report = await auditOf(await tamperedWith(sql), filled.brokers);
    expect(broken(report)).toEqual(breaks);
  });
});

test('a limit that may have been lowered after it was used is a note', async () => {
  const changed = `insert into event_id values ('binding.changed:1', '', 0, null, '2026-11-01');`;
  const lowered = `update binding set daily_limit = 100 where binding_id = 'B2'`;
  const report = await auditOf(await tamperedWith(`${changed} ${lowered}`));
  expect(report.clean).toBe(true);
  expect(report.notes).toHaveLength(1);
});

test('an outcome that has not been published yet is a note', async () => {
  const report = await auditOf(await tamperedWith(UNPUBLISHED), filled.brokers);
  expect(broken(report)).toEqual({});
  expect(report.notes).toEqual(['1 outcomes had not been published when the audit began']);
});

test('closed days are as they were closed', async () => {
  const databaseUrl = await tamperedWith('select 1');
  const ledger = await Ledger.open({ url: databaseUrl, name: 'audit-test' });
  const days = await closeBooks(ledger, date('2026-03-31')).finally(() => ledger.close());
  expect(days).toHaveLength(5);
  expect(broken(await auditOf(databaseUrl))).toEqual({});
});

test('a prefix that is not this database’s is refused, for it would leave every record out', async () => {
  const options = { databaseUrl: urlOf(original), brokers: null, topicPrefix: 'other' };
  await expect(audit(options)).rejects.toThrow(NothingToAudit);
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
