import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { explainFileError } from '@repo/embedded';
import { Envelopes, makeKeyFile } from '@repo/sealing';
import type { Settings } from '../config.ts';

type Given = Pick<Settings, 'envelopeKeyFile' | 'dataDir'>;

const ownFile = (dataDir: string): string => join(resolve(dataDir), 'envelope.keys');

/**
 * The file of keys that seal messages: the one in the settings, else the data directory's, which is created with a new key where missing.
 */
export function provideKeyFile({ envelopeKeyFile, dataDir }: Given): string {
  if (envelopeKeyFile !== undefined) return resolve(envelopeKeyFile);
  const path = ownFile(dataDir);
  try {
    makeKeyFile(path);
  } catch (error) {
    throw explainFileError(error, resolve(dataDir));
  }
  return path;
}

/** The keys with which a command opens messages: those in the settings, else those of the data directory; null where there are none. */
export function keysAtHand({ envelopeKeyFile, dataDir }: Given): Envelopes | null {
  const path = envelopeKeyFile ?? ownFile(dataDir);
  return envelopeKeyFile !== undefined || existsSync(path) ? Envelopes.read(path) : null;
}
