import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { waitFor } from '@repo/embedded';
import type { Relay } from './relay.ts';
import type { Stage } from './stage.ts';

/** One thing that goes wrong. `run` resolves when it has happened and what was stopped runs again; it rejects if it did not happen. */
export interface Fault {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
}

export type WorkerName = 'settlement-worker' | 'settlement-worker-2' | 'sharing-worker' | 'sharing-worker-2';

const HAPPENS_WITHIN_MS = 180_000;
/** Longer than the session timeout (10 s), the broker's session with its controller and a transaction's timeout (15 s). */
export const STALL_MS = 18_000;

/** What the two workers of one kind have in common. */
export const kindOf = (name: string): string => name.replace(/-2$/, '');

/** How many shards a process holds, as the database knows; undefined while it is away. */
export const owned = (stage: Stage, pid: number): Promise<number | undefined> =>
  stage.count(`select count(*)::int as count from shard where owner like '%:' || $1`, [pid]);

/** How often shards were ever taken. */
export const epochsOf = (stage: Stage): Promise<number | undefined> =>
  stage.count('select sum(epoch)::int as count from shard');

const STEADY_FOR_MS = 5_000;

/** Waits until every process is at work and no shard has changed hands for a while, so that what changes next is the fault's doing. */
export async function steady(stage: Stage): Promise<number> {
  let [epochs, since] = [await epochsOf(stage), performance.now()];
  await until(async () => {
    await stage.startAll();
    const now = await epochsOf(stage);
    if (now !== epochs || !(await stage.allReady())) [epochs, since] = [now, performance.now()];
    return epochs !== undefined && performance.now() - since > STEADY_FOR_MS;
  }, 'the system does not come to rest');
  return epochs ?? 0;
}

/** How often the workers say they have tried again for a reason. A worker that was started again counts from 0. */
export async function retries({ system }: Stage, reason: string): Promise<number> {
  let total = 0;
  for (const { service, adminPort } of system.services) {
    if (service === 'query-api') continue;
    const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`).catch(() => undefined);
    for (const line of (await answer?.text())?.split('\n') ?? [])
      if (/^\w*retries\w*\{/.test(line) && line.includes(`reason="${reason}"`)) total += Number(line.split(' ').at(-1));
  }
  return total;
}

export const stall = (pids: readonly number[]): Promise<void> => whileStopped(pids, () => delay(STALL_MS));

/** Does something while processes stand still, and lets them go on. */
export async function whileStopped(pids: readonly number[], work: () => Promise<void>): Promise<void> {
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await work();
  } finally {
    // One that was ended meanwhile needs no waking.
    for (const pid of [...pids].reverse()) if (isThere(pid)) process.kill(pid, 'SIGCONT');
  }
}

/** Does something while networks are disturbed, and heals them. */
export async function whileDisturbed(
  networks: readonly Relay[],
  disturb: (network: Relay) => void,
  work: () => Promise<void>,
): Promise<void> {
  for (const network of networks) disturb(network);
  try {
    await work();
  } finally {
    for (const network of networks) network.heal();
  }
}

/** The processes a process has started. */
export async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)]);
  return stdout.trim().split('\n').map(Number);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export async function isStopped(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]);
  return stdout.startsWith('T');
}

export async function until(condition: () => Promise<boolean>, orElse: string): Promise<void> {
  if (!(await waitFor(condition, HAPPENS_WITHIN_MS, 100))) throw new Error(orElse);
}

export async function happened<T>(event: Promise<T>, isRight: (value: T) => boolean, orElse: string): Promise<void> {
  const value = await Promise.race<T | undefined>([event, delay(HAPPENS_WITHIN_MS, undefined, { ref: false })]);
  if (value === undefined || !isRight(value)) throw new Error(orElse);
}
