import { createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

/** The setting that names the file of keys, for whoever tells that one is missing. */
export const KEY_FILE_SETTING = 'GONGJI_ENVELOPE_KEY_FILE';

/** A key that wraps content keys, and the name by which an envelope says which one it needs. */
export interface EnvelopeKey {
  readonly id: string;
  readonly key: KeyObject;
}

const KEY_BYTES = 32;
const KEYS_MAX = 100;
const FORMAT = 'a key of 32 bytes in base64 on each line, the one that seals first';
/** Whoever is told this has a terminal: it is all that is to be done. */
const HOW_TO_MAKE_ONE = '(umask 077; openssl rand -base64 32 > FILE)';

/** A new key as a line of the file. */
export const newKey = (): string => randomBytes(KEY_BYTES).toString('base64');

/**
 * Makes a file with a new key, for its owner alone; one that is there stays. It appears whole, and is on the disk before anything is sealed with
 * it: a death on the way, or a full disk, leaves none.
 */
export function makeKeyFile(path: string): void {
  if (existsSync(path)) return;
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const draft = `${path}.new`;
  try {
    writeFileSync(draft, `${newKey()}\n`, { mode: 0o600, flush: true });
    // Never over one that somebody else has made meanwhile.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const opened = openSync(directory, 'r');
  fsyncSync(opened);
  closeSync(opened);
}

/** The key's name is the beginning of its SHA-256, which tells nothing of a random key. */
export function keyFrom(line: string): EnvelopeKey | null {
  const bytes = Buffer.from(line, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== line) return null;
  return { id: hash('sha256', bytes, 'base64url').slice(0, 16), key: createSecretKey(bytes) };
}

/** The keys in a file, or what is wrong with it: never a part of its content. */
export function readKeyFile(path: string): readonly EnvelopeKey[] | string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? `must be a file of keys, and there is none: make one with ${HOW_TO_MAKE_ONE}`
      : `must be a file of keys, and it cannot be read (${code})`;
  }
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0 || lines.length > KEYS_MAX)
    return `must hold ${FORMAT}, 1 to ${KEYS_MAX} of them, and holds ${lines.length}: make one with ${HOW_TO_MAKE_ONE}`;
  const keys: EnvelopeKey[] = [];
  for (const [at, line] of lines.entries()) {
    const key = keyFrom(line);
    if (key === null) return `must hold ${FORMAT}: line ${at + 1} is none`;
    keys.push(key);
  }
  return keys;
}

/** The file of keys as a setting: refused where it cannot be used. */
export const keyFileSetting = () =>
  z.string(`must name a file that holds ${FORMAT}: make one with ${HOW_TO_MAKE_ONE}`).superRefine((path, context) => {
    const read = readKeyFile(path);
    if (typeof read === 'string') context.addIssue({ code: 'custom', message: read });
  });
