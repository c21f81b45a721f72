/**
 * A start that cannot go on. Its message says what is wrong and what to do about it, and is meant to be shown as it is,
 * without a stack.
 */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

/** What is wrong, and what to do about it before another directory is chosen. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space, or',
  EDQUOT: 'the disk quota is used up; free some space, or',
  EACCES: 'this user may not write there; change its owner, or',
  EPERM: 'this user may not write there; change its owner, or',
  EROFS: 'that file system is read-only;',
  ENOTDIR: 'a part of that path is a file;',
  EEXIST: 'a file of that name is in the way;',
  ENOENT: 'that path cannot be created;',
};
/** What SQLite, which keeps the lock, says instead: SQLITE_READONLY, SQLITE_FULL, SQLITE_CANTOPEN. */
const OF_SQLITE: Readonly<Record<number, string>> = { 8: 'EACCES', 13: 'ENOSPC', 14: 'EACCES' };

/**
 * Turns a file-system error met while preparing `directory` into a `StartFailure`; any other error comes back as it was. `setting` is what
 * chooses the directory.
 */
export function explainFileError(error: unknown, directory: string, setting = 'GONGJI_DATA_DIR'): unknown {
  const code = fileCodeOf(error);
  const advice = ADVICE[code];
  return advice === undefined
    ? error
    : new StartFailure(`Cannot use ${directory}: ${advice} choose another directory with ${setting} (${code}).`, {
        cause: error,
      });
}

function fileCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('errcode' in error) return OF_SQLITE[Number(error.errcode)] ?? '';
  return 'code' in error ? String(error.code) : '';
}
