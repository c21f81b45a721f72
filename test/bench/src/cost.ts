import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inSession } from '@repo/embedded';

/** Counters of the database and the processes at one moment. Differences of two make a cost. */
export interface Counters {
  readonly walBytes: number;
  readonly fsyncs: number;
  readonly transactions: number;
  /** Statements executed, where `pg_stat_statements` is loaded. */
  readonly statements: number | undefined;
  /** Pages that were not among the database's buffers. */
  readonly pagesRead: number;
  readonly rowsInserted: number;
  readonly rowsUpdated: number;
  readonly databaseCpuSeconds: number;
  readonly brokerCpuSeconds: number | undefined;
  /** Our own: the reader and the waiting. */
  readonly benchCpuSeconds: number;
}

const CLOCK_TICKS = 100; // USER_HZ, fixed on Linux

const COUNTERS = `
  SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS wal_bytes,
    (SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io) AS fsyncs,
    d.xact_commit + d.xact_rollback AS transactions, d.blks_read, d.tup_inserted, d.tup_updated,
    current_setting('data_directory') AS data_directory
  FROM pg_stat_database d WHERE d.datname = current_database()`;

/** CPU seconds of a process and of its children, ended ones included, from `/proc`. */
export function cpuSeconds(pid: number, { withChildren = false } = {}): number {
  const fields = (id: number | string) =>
    readFileSync(`/proc/${id}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  const ticks = (parts: readonly string[], indexes: readonly number[]) =>
    indexes.reduce((sum, index) => sum + Number(parts[index]), 0);
  const own = fields(pid);
  if (!withChildren) return ticks(own, [11, 12]) / CLOCK_TICKS;
  let total = ticks(own, [11, 12, 13, 14]);
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)) {
    try {
      total += ticks(fields(child), [11, 12]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // ended meanwhile, and now in its parent's sum
    }
  }
  return total / CLOCK_TICKS;
}

/** Bytes that a process's status tells, from `/proc`. */
function statusBytes(pid: number, name: 'VmHWM' | 'VmRSS'): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm');
  const [, kilobytes] = line.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

/** The most memory that a process has had, bytes. */
export const peakRss = (pid: number): number => statusBytes(pid, 'VmHWM');

/** The memory that a process has now, bytes. */
export const rss = (pid: number): number => statusBytes(pid, 'VmRSS');

/** Reads the counters of the database behind `url`. The pipeline's sessions must have ended: a session hands in its numbers when it goes. */
export async function readCounters(url: string, brokerPid: number | undefined): Promise<Counters> {
  return inSession(url, async (client) => {
    const { rows } = await client.query(COUNTERS);
    const statements = await client
      .query(
        `SELECT sum(calls) AS calls FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      )
      .then(
        (result) => Number(result.rows[0].calls),
        () => undefined,
      );
    const row = rows[0];
    const postmaster = Number(readFileSync(join(row.data_directory, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
    return {
      walBytes: Number(row.wal_bytes),
      fsyncs: Number(row.fsyncs),
      transactions: Number(row.transactions),
      statements,
      pagesRead: Number(row.blks_read),
      rowsInserted: Number(row.tup_inserted),
      rowsUpdated: Number(row.tup_updated),
      databaseCpuSeconds: cpuSeconds(postmaster, { withChildren: true }),
      brokerCpuSeconds: brokerPid === undefined ? undefined : cpuSeconds(brokerPid),
      benchCpuSeconds: cpuSeconds(process.pid),
    };
  });
}

/** Seconds the machine's processors were busy or taken by its host, and had in all, since it started. */
export function machineCpuSeconds(): { readonly busy: number; readonly all: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, irq = 0, softIrq = 0, steal = 0] = readFileSync(
    '/proc/stat',
    'utf8',
  )
    .split('\n', 1)
    .flatMap((line) =>
      line
        .split(/ +/)
        .slice(1)
        .map((ticks) => Number(ticks) / CLOCK_TICKS),
    );
  const busy = user + nice + system + irq + softIrq + steal;
  return { busy, all: busy + idle + ioWait };
}

/** Processor seconds used until a moment: by processes by name, by the servers, by ourselves, and by whatever else runs on the machine. */
export interface Usage {
  readonly at: number;
  readonly seconds: Readonly<Record<string, number>>;
}

export async function readUsage(
  { databaseUrl, brokerPid }: { readonly databaseUrl: string; readonly brokerPid: number | undefined },
  pids: Readonly<Record<string, readonly number[]>>,
): Promise<Usage> {
  const counters = await readCounters(databaseUrl, brokerPid);
  const sum = (seconds: readonly number[]) => seconds.reduce((total, each) => total + each, 0);
  const processes = Object.entries(pids).map(([name, ids]) => [name, sum(ids.map((pid) => cpuSeconds(pid)))] as const);
  const known = {
    ...Object.fromEntries(processes),
    database: counters.databaseCpuSeconds,
    broker: counters.brokerCpuSeconds ?? 0,
    bench: counters.benchCpuSeconds,
  };
  const others = machineCpuSeconds().busy - sum(Object.values(known));
  return { at: performance.now(), seconds: { ...known, others } };
}

/** How many processors each kept busy from one moment to another. */
export function processorsBetween(start: Usage, end: Usage): Readonly<Record<string, number>> {
  const elapsed = (end.at - start.at) / 1_000;
  return Object.fromEntries(
    Object.entries(end.seconds).map(([name, seconds]) => [name, (seconds - (start.seconds[name] ?? 0)) / elapsed]),
  );
}

/** The same as text. */
export const showProcessors = (processors: Readonly<Record<string, number>>): string =>
  Object.entries(processors)
    .map(([name, busy]) => `${name} ${busy.toFixed(2)}`)
    .join(', ');

/** What `count` claims cost between two readings, each number per claim. */
export function costPerClaim(before: Counters, after: Counters, count: number): Readonly<Record<string, number>> {
  const costs: Record<string, number> = {};
  for (const [name, value] of Object.entries(after)) {
    if (name === 'benchCpuSeconds') continue; // the price of measuring, not of settling
    const earlier = before[name as keyof Counters];
    if (value !== undefined && earlier !== undefined) costs[name] = (value - earlier) / count;
  }
  return costs;
}

/** Seconds of processor in all, of costs or of counters. */
export const processorSeconds = (costs: Readonly<Record<string, number>>): number =>
  Object.entries(costs).reduce((sum, [name, value]) => (name.endsWith('CpuSeconds') ? sum + value : sum), 0);

/** Bytes of the log segments of these topics, where the broker's directory is known. */
export function brokerBytes(logDir: string, topics: readonly string[]): number {
  const partitions = readdirSync(logDir).filter((name) => topics.some((topic) => name.startsWith(`${topic}-`)));
  const segments = partitions.flatMap((name) =>
    readdirSync(join(logDir, name))
      .filter((file) => file.endsWith('.log'))
      .map((file) => join(logDir, name, file)),
  );
  return segments.reduce((sum, file) => sum + statSync(file).size, 0);
}
