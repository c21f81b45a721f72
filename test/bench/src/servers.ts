import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inSession, startServers } from '@repo/embedded';

/** The one broker and the one database server that everything in a run is measured on. */
export interface BenchServers extends AsyncDisposable {
  readonly brokers: string;
  /** Where the pipelines' logs go. */
  readonly workDir: string;
  /** The broker's process and log directory, where it is ours. */
  readonly brokerPid: number | undefined;
  readonly brokerDir: string | undefined;
  /** Makes a database, empty or as a copy of `template`. It is dropped when disposed of, or else with the servers. */
  createDatabase(name: string, template?: string): Promise<{ readonly url: string } & AsyncDisposable>;
}

/** Takes the servers named by `GONGJI_KAFKA_BROKERS` and `GONGJI_DATABASE_URL`, or starts its own, which go when it ends. */
export async function openServers(log: (line: string) => void): Promise<BenchServers> {
  await using stack = new AsyncDisposableStack();
  const workDir = mkdtempSync(join(tmpdir(), 'gongji-bench-'));
  stack.defer(() => rmSync(workDir, { recursive: true, force: true }));
  const { GONGJI_KAFKA_BROKERS: brokers, GONGJI_DATABASE_URL: databaseUrl } = process.env;
  const given =
    brokers && databaseUrl ? { brokers, databaseUrl, brokerPid: undefined, brokerDir: undefined } : undefined;
  const { databaseUrl: ownerUrl, ...servers } = given ?? (await startOwn(workDir, stack, log));
  const databases = stack.use(databasesAt(ownerUrl));
  const owned = stack.move();
  return { ...servers, workDir, createDatabase: databases.create, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startOwn(dataDir: string, stack: AsyncDisposableStack, log: (line: string) => void) {
  const postgresSettings = { shared_preload_libraries: 'pg_stat_statements' };
  const servers = await startServers({ dataDir, log, postgresSettings });
  stack.defer(() => servers.stop());
  const { kafka: brokers, postgresUrl: databaseUrl, kafkaPid: brokerPid } = servers;
  return { brokers, databaseUrl, brokerPid, brokerDir: join(dataDir, 'kafka') };
}

function databasesAt(ownerUrl: string) {
  const names = new Set<string>();
  const drop = async (name: string) => {
    await execute(ownerUrl, `DROP DATABASE "${name}" WITH (FORCE)`);
    names.delete(name);
  };
  const create = async (name: string, template = 'template1') => {
    const url = new URL(ownerUrl);
    url.pathname = `/${name}`;
    // By files: through the log, a large town would be written three times.
    await execute(ownerUrl, `CREATE DATABASE "${name}" TEMPLATE "${template}" STRATEGY file_copy`);
    names.add(name);
    // Counts statements where the server has it loaded; measured without them where it has not.
    await execute(url.href, 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements').catch(() => {});
    return { url: url.href, [Symbol.asyncDispose]: () => drop(name) };
  };
  const dropAll = async () => {
    for (const name of names) await drop(name);
  };
  return { create, [Symbol.asyncDispose]: dropAll };
}

/** Runs one statement in a session of its own. */
export async function execute(url: string, sql: string): Promise<void> {
  await queryOne(url, sql);
}

/** The first column of the first row that one statement answers, in a session of its own; undefined when there is none. */
export async function queryOne(url: string, sql: string): Promise<unknown> {
  return inSession(url, async (client) => {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  });
}
