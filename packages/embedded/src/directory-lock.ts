import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DirectoryLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Takes the lock of a directory, or undefined while another process has it. Node has no flock(); SQLite has, and the
 * operating system frees it with the process that held it, so a lock never outlives its owner and nobody must judge
 * whether one is stale.
 */
export function lockDirectory(directory: string): DirectoryLock | undefined {
  mkdirSync(directory, { recursive: true });
  const database = new DatabaseSync(join(directory, 'lock'));
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  writeFileSync(join(directory, 'lock.pid'), String(process.pid));
  return { release: () => database.close() };
}

/** The pid of the lock's last taker, for a message to a person; it decides nothing. */
export function lastLockTaker(directory: string): string {
  try {
    return readFileSync(join(directory, 'lock.pid'), 'utf8');
  } catch {
    return 'unknown';
  }
}
