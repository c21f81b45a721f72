import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Client } from 'pg';
import type { RunningCity } from './city.fixture.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What every command has written to its standard error so far, with the command's name. */
export const complaints: { readonly command: string; readonly text: string }[] = [];

/** Runs `gongji` as its user would, on the servers of a running city, with other settings where some are given. */
export function gongji(
  { settings, http }: Pick<RunningCity, 'settings' | 'http'>,
  args: readonly string[],
  others: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const env = {
    ...process.env,
    GONGJI_DATABASE_URL: settings.databaseUrl,
    GONGJI_KAFKA_BROKERS: settings.kafkaBrokers?.join(),
    GONGJI_TOPIC_PREFIX: settings.topicPrefix,
    GONGJI_PARTITIONS: String(settings.partitions),
    GONGJI_DATA_DIR: settings.dataDir,
    GONGJI_HTTP_URL: http,
    ...others,
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, ...args], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      complaints.push({ command: String(args[0]), text: stderr });
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
  });
}

/** Rows of a statement, amounts as text. */
export async function asked<Row extends object>(databaseUrl: string, sql: string): Promise<Row[]> {
  const client = new Client(databaseUrl);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
