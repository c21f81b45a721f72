/**
 * A start that cannot go on. Its message says what is wrong and what to do about it, and is meant to be shown as it is,
 * without a stack.
 */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space, or choose another directory with GONGJI_DATA_DIR',
  EDQUOT: 'the disk quota is used up; free some space, or choose another directory with GONGJI_DATA_DIR',
  EACCES: 'this user may not write there; change its owner, or choose another directory with GONGJI_DATA_DIR',
  EPERM: 'this user may not write there; change its owner, or choose another directory with GONGJI_DATA_DIR',
  EROFS: 'that file system is read-only; choose another directory with GONGJI_DATA_DIR',
  ENOTDIR: 'a part of that path is a file; choose another directory with GONGJI_DATA_DIR',
  EEXIST: 'a file of that name is in the way; choose another directory with GONGJI_DATA_DIR',
  ENOENT: 'that path cannot be created; choose another directory with GONGJI_DATA_DIR',
};

/** Turns a file-system error met while preparing `directory` into a `StartFailure`; any other error comes back as it was. */
export function explainFileError(error: unknown, directory: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const advice = ADVICE[code];
  return advice === undefined
    ? error
    : new StartFailure(`Cannot use ${directory}: ${advice} (${code}).`, { cause: error });
}
