import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Child, startChild } from '../src/child.ts';
import { kafkaAnswers } from '../src/kafka-probe.ts';
import { findFreePort } from '../src/ports.ts';
import { postgresAnswers } from '../src/postgres-probe.ts';
import { READY_WITHIN_MS, waitUntilReady } from '../src/ready.ts';
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
  const kafka = () => kafkaAnswers({ host: '127.0.0.1', port });
  await expect(waitUntilReady({ name: 'Kafka', child, logFile, answers: kafka, withinMs: 300 })).rejects.toThrow(
    /Kafka did not answer within 0.3 s.*still recovering/s,
  );
  const url = `postgres://nobody@127.0.0.1:${port}/none`;
  const postgres = () => postgresAnswers(url);
  await expect(
    waitUntilReady({ name: 'PostgreSQL', child, logFile, answers: postgres, withinMs: 300 }),
  ).rejects.toThrow(/PostgreSQL did not answer within 0.3 s.*still recovering/s);
  expect(READY_WITHIN_MS).toBe(120_000);
}, 5_000);
