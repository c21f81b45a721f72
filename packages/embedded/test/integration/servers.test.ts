import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKafka } from '../../src/kafka.ts';
import { kafkaAnswers } from '../../src/kafka-probe.ts';
import { startPostgres } from '../../src/postgres.ts';
import { inSession } from '../../src/postgres-session.ts';
import { processesIn, processStamp } from '../../src/process-table.ts';
import { type Servers, startServers } from '../../src/servers.ts';
import { waitFor } from '../../src/wait.ts';
import { ended, importing, runProgram, tempDir } from '../fixtures.ts';

const query = (url: string, sql: string): Promise<Record<string, unknown>[]> =>
  inSession(url, async (client) => (await client.query(sql)).rows);

const addressOf = (brokers: string) => ({ host: '127.0.0.1', port: Number(brokers.split(':')[1]) });

describe('on one data directory', () => {
  let dataDir: string;
  let servers: Servers;
  const log: string[] = [];
  const start = async (): Promise<void> => {
    servers = await startServers({ dataDir, log: (line) => log.push(line) });
  };

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'gongji-embedded-test-'));
    chmodSync(dataDir, 0o755);
    await start();
  });
  afterAll(async () => {
    await servers.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('PostgreSQL 18 answers, makes every commit durable, and sorts by code point', async () => {
    const [row] = await query(
      servers.postgresUrl,
      `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('fsync') AS fsync,
        current_setting('synchronous_commit') AS synchronous_commit, current_setting('server_encoding') AS encoding,
        current_setting('data_checksums') AS checksums, 'Z' < 'a' AS by_code_point`,
    );
    expect(row).toEqual({
      major: 18,
      fsync: 'on',
      synchronous_commit: 'on',
      encoding: 'UTF8',
      checksums: 'on',
      by_code_point: true,
    });
  });

  test('a wrong password is refused', async () => {
    const url = new URL(servers.postgresUrl);
    url.password = 'wrong';
    await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('both listen on the loopback address only', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    const ports = [addressOf(servers.kafka).port, Number(new URL(servers.postgresUrl).port)];
    // On a machine with no other address there is nothing to be reached from; 127.0.0.2 stands for one.
    for (const port of ports) expect(await canConnect(outside ?? '127.0.0.2', port)).toBe(false);
  });

  test('a second start on the same directory is told who is there', async () => {
    await expect(startServers({ dataDir })).rejects.toThrow(`already runs on ${dataDir} (process ${process.pid})`);
  });

  test('killed servers come back on the same port with what was committed', async () => {
    await query(servers.postgresUrl, 'CREATE TABLE kept AS SELECT 1 AS one');
    await Promise.all([servers.killKafka(), servers.killPostgres()]);
    expect(await kafkaAnswers(addressOf(servers.kafka))).toBe(false);
    await Promise.all([servers.restartKafka(), servers.restartPostgres()]);
    expect(await query(servers.postgresUrl, 'SELECT * FROM kept')).toEqual([{ one: 1 }]);
    expect(await kafkaAnswers(addressOf(servers.kafka))).toBe(true);
  });

  test('servers that die unasked are started again', async () => {
    const before = [servers.postgresPid, servers.kafkaPid];
    for (const pid of before) process.kill(pid, 'SIGKILL');
    expect(await waitFor(() => kafkaAnswers(addressOf(servers.kafka)), 60_000, 200)).toBe(true);
    expect(await query(servers.postgresUrl, 'SELECT * FROM kept')).toEqual([{ one: 1 }]);
    expect(servers.kafkaPid).not.toBe(before[1]);
    expect(servers.postgresPid).not.toBe(before[0]);
    expect(log).toContainEqual(expect.stringMatching(/^Kafka ended \(SIGKILL\); starting it again in 0.5 s$/));
  });

  test('stop leaves no process behind, and a later start finds the data', async () => {
    const pids = [servers.postgresPid, servers.kafkaPid];
    await servers.stop();
    expect(pids.map(processStamp)).toEqual([undefined, undefined]);
    expect(processesIn(join(dataDir, 'postgres'), 'postgres')).toEqual([]);
    await start();
    expect(await query(servers.postgresUrl, 'SELECT * FROM kept')).toEqual([{ one: 1 }]);
  });

  test('after a kill -9 of the owner the next start ends the servers it left, and goes on', async () => {
    await servers.stop();
    const source = `
${importing('startServers', 'servers.ts')}
const servers = await startServers({ dataDir: ${JSON.stringify(dataDir)} });
console.log(servers.kafkaPid + ' ' + servers.postgresPid);`;
    const { process: owner, line } = await runProgram(source);
    const pids = line.split(' ').map(Number);
    owner.kill('SIGKILL');
    await ended(owner);
    expect(pids.map(processStamp)).not.toContain(undefined);
    log.length = 0;
    await start();
    expect(pids.map(processStamp)).toEqual([undefined, undefined]);
    expect(log).toContain('ended kafka, left running by an earlier start');
    expect(await query(servers.postgresUrl, 'SELECT * FROM kept')).toEqual([{ one: 1 }]);
  });

  test('a directory of another PostgreSQL major, or a damaged one, is refused with a way out', async () => {
    await servers.stop();
    rmSync(join(dataDir, 'postgres.password'));
    await expect(startPostgres({ dataDir })).rejects.toThrow(/postgres\.password with the password .* is missing/);
    const version = join(dataDir, 'postgres', 'PG_VERSION');
    writeFileSync(version, '17\n');
    await expect(startPostgres({ dataDir })).rejects.toThrow(
      /was written by PostgreSQL 17; this is PostgreSQL 18.*pg_dump/,
    );
    rmSync(version);
    await expect(startPostgres({ dataDir })).rejects.toThrow(
      /holds PostgreSQL data but its file PG_VERSION is missing/,
    );
  });

  test('topics without meta.properties are not overwritten', async () => {
    rmSync(join(dataDir, 'kafka', 'meta.properties'));
    await expect(startKafka({ dataDir })).rejects.toThrow(
      /holds topics \(.*\) but its file meta.properties is missing/,
    );
  });
});

test('directories that hold nothing of value are made anew, whatever their path is written in', async () => {
  const dataDir = join(tempDir(), '共济 数据 \\');
  mkdirSync(dataDir);
  for (const part of ['postgres', 'kafka']) mkdirSync(join(dataDir, part));
  writeFileSync(join(dataDir, 'kafka', 'bootstrap.checkpoint'), 'cut short');
  const servers = await startServers({ dataDir });
  try {
    expect(await query(servers.postgresUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  } finally {
    await servers.stop();
  }
});

const canConnect = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
