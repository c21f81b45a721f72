import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Child, startChild } from '../src/child.ts';
import { READY_WITHIN_MS as KAFKA_WITHIN_MS, waitUntilReady as waitForKafka } from '../src/kafka.ts';
import { findFreePort } from '../src/ports.ts';
import { READY_WITHIN_MS as POSTGRES_WITHIN_MS, waitUntilReady as waitForPostgres } from '../src/postgres.ts';
import { script, tempDir } from './fixtures.ts';

/** A server that says something to its log, and then runs without answering anybody. */
async function silent(): Promise<{ child: Child; logFile: string }> {
  const directory = tempDir();
  const logFile = join(directory, 'log');
  const child = await startChild({
    name: 'silent',
    command: script(join(directory, 'silent'), 'echo still recovering; exec sleep 600'),
    args: [],
    runDir: directory,
    logFile,
    stopSteps: [{ signal: 'SIGTERM', withinMs: 1_000 }],
  });
  onTestFinished(() => void child.stop());
  return { child, logFile };
}

test('a server that runs and does not answer is given up with the end of its log', async () => {
  const port = await findFreePort();
  const { child, logFile } = await silent();
  await expect(waitForKafka({ child, port, logFile, withinMs: 300 })).rejects.toThrow(
    /Kafka did not answer within 0.3 s.*still recovering/s,
  );
  const url = `postgres://nobody@127.0.0.1:${port}/none`;
  await expect(waitForPostgres({ child, url, logFile, withinMs: 300 })).rejects.toThrow(
    /PostgreSQL did not answer within 0.3 s.*still recovering/s,
  );
  expect([KAFKA_WITHIN_MS, POSTGRES_WITHIN_MS]).toEqual([120_000, 120_000]);
}, 5_000);
