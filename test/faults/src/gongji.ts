import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Place } from './evidence.ts';

const MAIN = fileURLToPath(new URL('../../../services/cli/src/main.ts', import.meta.url));

/** Runs a command of the product as an operator would. Null = it ended with code 0, else all that it said. */
export function gongji(
  { kafka, postgresUrl, prefix, envelopeKeyFile }: Place,
  args: readonly string[],
  limitMs: number,
): Promise<string | null> {
  const env = {
    ...process.env,
    GONGJI_KAFKA_BROKERS: kafka,
    GONGJI_DATABASE_URL: postgresUrl,
    GONGJI_TOPIC_PREFIX: prefix,
    GONGJI_ENVELOPE_KEY_FILE: envelopeKeyFile,
  };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env, maxBuffer: 1 << 24, timeout: limitMs },
      (error, stdout, stderr) => resolve(error === null ? null : `${stdout}${stderr}`),
    );
  });
}
