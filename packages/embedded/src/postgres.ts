import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type Child, runToEnd, startChild } from './child.ts';
import { explainFileError, StartFailure } from './failure.ts';
import { choosePort, HOST } from './ports.ts';
import { choosePostgresUser, findPostgresBinaries, type PostgresBinaries, type RunAs } from './postgres-binaries.ts';
import { postgresAnswers } from './postgres-probe.ts';
import { inSession } from './postgres-session.ts';
import { processesIn } from './process-table.ts';
import { waitUntilReady } from './ready.ts';
import { waitFor } from './wait.ts';

/** The owner and the database. */
export const OWNER = 'gongji';
export const DATABASE = 'gongji';

export interface PostgresOptions {
  /** Its parts `postgres/`, `logs/` and `run/` are used. */
  readonly dataDir: string;
  /** A free one when absent. */
  readonly port?: number | undefined;
  /** Further server settings, e.g. `{ shared_buffers: '2GB' }`; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A certificate and its key, in PEM; with them it takes TLS too. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Who may connect, as pg_hba.conf says it. The owner must get in from 127.0.0.1 without TLS. */
  readonly hba?: string;
  readonly log?: (line: string) => void;
}

export interface PostgresServer extends Child {
  /** The owner's URL of the database `gongji`. */
  readonly url: string;
  readonly port: number;
}

/**
 * Starts PostgreSQL 18 on 127.0.0.1, on a cluster made at the first start, and waits until it answers a query.
 * Commits are durable: fsync and synchronous_commit stay on. Throws a `StartFailure` that says what to do.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const dataDir = resolve(options.dataDir);
  const clusterDir = join(dataDir, 'postgres');
  const binaries = findPostgresBinaries();
  const port = await choosePort(options.port, 'GONGJI_POSTGRES_PORT');
  let runAs: RunAs;
  let password: string;
  try {
    mkdirSync(join(dataDir, 'logs'), { recursive: true });
    // Another user will own the cluster, and must be let through (not: let in) a directory root made for itself.
    if (process.getuid?.() === 0) chmodSync(dataDir, statSync(dataDir).mode | 0o011);
    runAs = choosePostgresUser({ dataDir: clusterDir, mustReach: [binaries.postgres, dataDir] });
    await ensureCluster({ dataDir, clusterDir, binaries, runAs, log: options.log });
    password = readPassword(dataDir);
    writeAccess(clusterDir, runAs, options);
  } catch (error) {
    throw explainFileError(error, dataDir);
  }
  await waitForOrphans(clusterDir);
  const logFile = join(dataDir, 'logs', 'postgres.log');
  const settings = {
    listen_addresses: HOST,
    port: String(port),
    unix_socket_directories: '',
    ...serverSettings(),
    ...(options.tls === undefined ? {} : { ssl: 'on' }),
    ...options.settings,
  };
  const { command, args } = commandAs(runAs, binaries.postgres, [
    '-D',
    clusterDir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const child = await startChild({
    name: 'postgres',
    command,
    args,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    cwd: clusterDir,
    uid: runAs.uid,
    gid: runAs.gid,
    runDir: join(dataDir, 'run'),
    logFile,
    // Fast shutdown ends the sessions and writes a checkpoint; immediate leaves recovery to the next start.
    stopSteps: [
      { signal: 'SIGINT', withinMs: 30_000 },
      { signal: 'SIGQUIT', withinMs: 10_000 },
    ],
    lastSignal: 'SIGQUIT',
  });
  const url = ownersUrl(password, port, 'postgres');
  try {
    await waitUntilReady({ name: 'PostgreSQL', child, logFile, answers: () => postgresAnswers(url) });
    await ensureDatabase(url);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { ...child, url: ownersUrl(password, port), port };
}

export const newPassword = (): string => randomBytes(18).toString('base64url');
/** The owner's URL of a database of the server on that port. */
export const ownersUrl = (password: string, port: number, database: string = DATABASE): string =>
  `postgresql://${OWNER}:${password}@${HOST}:${port}/${database}`;
const passwordFile = (dataDir: string): string => join(dataDir, 'postgres.password');

function readPassword(dataDir: string): string {
  const file = passwordFile(dataDir);
  const password = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (password !== '') return password;
  throw new StartFailure(
    `${file} with the password of ${join(dataDir, 'postgres')} is missing, so nobody can log in there. Restore it from a backup, or move both away to start empty.`,
  );
}

/** Settings for a small machine. Times are UTC, texts sort by code point, and no statement or row value reaches the log. */
export function serverSettings(): Record<string, string> {
  const large = totalmem() >= 12 * 1024 ** 3;
  return {
    max_connections: '200',
    shared_buffers: large ? '1GB' : '256MB',
    work_mem: '16MB',
    maintenance_work_mem: '256MB',
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    wal_buffers: '16MB',
    random_page_cost: '1.1',
    jit: 'off',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_parameter_max_length_on_error: '0',
    log_checkpoints: 'off',
  };
}

interface ClusterOptions {
  readonly dataDir: string;
  readonly clusterDir: string;
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly log: ((line: string) => void) | undefined;
}

async function ensureCluster(options: ClusterOptions): Promise<void> {
  const { clusterDir, binaries } = options;
  const ours = binaries.version.split('.')[0];
  if (existsSync(join(clusterDir, 'PG_VERSION'))) {
    const found = readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8').trim();
    if (found === ours) return;
    throw new StartFailure(
      `${clusterDir} was written by PostgreSQL ${found}; this is PostgreSQL ${ours}, which cannot read it. Move the data over with pg_dump and pg_restore, or choose another GONGJI_DATA_DIR.`,
    );
  }
  if (existsSync(clusterDir)) {
    if (holdsData(clusterDir)) {
      throw new StartFailure(
        `${clusterDir} holds PostgreSQL data but its file PG_VERSION is missing, so the directory is damaged. Restore it from a backup, or move it away to start empty.`,
      );
    }
    rmSync(clusterDir, { recursive: true });
  }
  await createCluster(options);
}

/** Under the names the server looks for by itself. */
function writeAccess(clusterDir: string, runAs: RunAs, { tls, hba }: PostgresOptions): void {
  const owner = ownerToBe(runAs);
  const files = { 'server.crt': tls?.cert, 'server.key': tls?.key, 'pg_hba.conf': hba };
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) continue;
    const path = join(clusterDir, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
  }
}

/** initdb writes global/pg_control before it can store anything, and databases live in base/ and pg_tblspc/. */
const holdsData = (clusterDir: string): boolean =>
  existsSync(join(clusterDir, 'global', 'pg_control')) ||
  ['base', 'pg_tblspc', 'pg_wal'].some(
    (part) => existsSync(join(clusterDir, part)) && readdirSync(join(clusterDir, part)).length > 0,
  );

/** Made beside and renamed, so that a death on the way leaves no half-made cluster in its place. */
async function createCluster({ dataDir, clusterDir, binaries, runAs, log }: ClusterOptions): Promise<void> {
  log?.('creating the PostgreSQL data directory');
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith('postgres.new-')) rmSync(join(dataDir, name), { recursive: true });
  }
  const draft = join(dataDir, `postgres.new-${process.pid}`);
  mkdirSync(draft, { mode: 0o700 });
  const password = newPassword();
  const pwfile = join(draft, '..', `postgres.new-${process.pid}.password`);
  writeFileSync(pwfile, `${password}\n`, { mode: 0o600 });
  const owner = ownerToBe(runAs);
  if (owner !== undefined) for (const path of [draft, pwfile]) chownSync(path, owner.uid, owner.gid);
  const { command, args } = commandAs(runAs, binaries.initdb, [
    `--pgdata=${draft}`,
    `--username=${OWNER}`,
    `--pwfile=${pwfile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]);
  try {
    await runToEnd(command, args, {
      cwd: dataDir,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      ...(runAs.uid === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
    });
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    rmSync(draft, { recursive: true, force: true });
    rmSync(pwfile, { force: true });
    throw new StartFailure(`PostgreSQL's initdb failed in ${dataDir}:\n${text.trim()}`, { cause: error });
  }
  rmSync(pwfile);
  writeFileSync(passwordFile(dataDir), `${password}\n`, { mode: 0o600 });
  renameSync(draft, clusterDir);
}

function commandAs({ prefix }: RunAs, program: string, args: readonly string[]): { command: string; args: string[] } {
  const [command = program, ...rest] = [...prefix, program, ...args];
  return { command, args: rest };
}

function ownerToBe({ uid, gid, prefix }: RunAs): { uid: number; gid: number } | undefined {
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  const idOf = (flag: string): number => Number(prefix.find((part) => part.startsWith(flag))?.slice(flag.length));
  return prefix.length === 0 ? undefined : { uid: idOf('--reuid='), gid: idOf('--regid=') };
}

/**
 * After a postmaster's kill -9 its sessions notice within moments and end by themselves, and the server refuses to start
 * before they have. One that does not end (stopped, or in a long computation) is ended.
 */
async function waitForOrphans(clusterDir: string): Promise<void> {
  const directory = realpathSync(clusterDir);
  // Whoever else stands in the directory, such as somebody's shell, is none of ours.
  const orphans = () => processesIn(directory, 'postgres');
  if (await waitFor(() => orphans().length === 0, 5_000)) return;
  for (const pid of orphans()) tell(pid, 'SIGQUIT');
  if (await waitFor(() => orphans().length === 0, 5_000)) return;
  for (const pid of orphans()) tell(pid, 'SIGKILL');
  await waitFor(() => orphans().length === 0, 5_000);
}

/** One that has ended meanwhile needs no telling. */
function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const ensureDatabase = (url: string): Promise<void> =>
  inSession(url, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
