import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A control group in which processes have so much of one processor together, as a container's limit gives it. */
export interface Limit extends Disposable {
  add(pid: number): void;
}

const PERIOD_US = 100_000; // as every group has it that says nothing else

/** Makes a group of either version; it goes when disposed of, after its processes. Undefined: this machine lets us make none. */
export function openLimit(name: string, share: number): Limit | undefined {
  const isOld = existsSync('/sys/fs/cgroup/cpu/cgroup.procs'); // version 1, a tree for each controller
  const group = `/sys/fs/cgroup/${isOld ? 'cpu/' : ''}${name}`;
  try {
    mkdirSync(group);
    writeFileSync(join(group, isOld ? 'cpu.cfs_quota_us' : 'cpu.max'), String(Math.round(share * PERIOD_US)));
  } catch {
    return undefined;
  }
  return {
    add: (pid) => writeFileSync(join(group, 'cgroup.procs'), String(pid)),
    [Symbol.dispose]: () => rmdirSync(group),
  };
}
