import { networkInterfaces } from 'node:os';
import { getContainerRuntimeClient } from 'testcontainers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { kafkaAnswers } from '../../src/kafka-probe.ts';
import { postgresAnswers } from '../../src/postgres-probe.ts';
import { startServers } from '../../src/servers.ts';
import { tempDir } from '../fixtures.ts';

// An engine is asked for, not looked for: where a run wants containers and there is no engine, this must fail.
describe.runIf(process.env.TEST_SERVERS === 'containers')('in containers', () => {
  const containersOf = async (dataDir: string): Promise<string[]> => {
    const { dockerode } = (await getContainerRuntimeClient()).container;
    const all = await dockerode.listContainers({ all: true });
    return all.filter(({ Labels }) => Labels['gongji.server']?.endsWith(dataDir)).map(({ State }) => State);
  };
  const start = async (dataDir: string) => {
    const servers = await startServers({ dataDir, mode: 'containers' });
    onTestFinished(servers.stop);
    return servers;
  };

  test('both servers answer on this machine alone, and stopping leaves no container', async () => {
    const dataDir = tempDir();
    const servers = await start(dataDir);
    const port = Number(servers.kafka.split(':')[1]);
    expect(await kafkaAnswers({ host: '127.0.0.1', port })).toBe(true);
    expect(await postgresAnswers(servers.postgresUrl)).toBe(true);
    const others = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
    );
    for (const { address } of others) expect(await kafkaAnswers({ host: address, port })).toBe(false);
    expect(() => servers.kafkaPid).toThrow('A server in a container is no process of ours');
    await servers.stop();
    expect(await containersOf(dataDir)).toEqual([]);
  }, 180_000);

  test('a server that ends before it is ready is shown with its last words, and leaves no container', async () => {
    const dataDir = tempDir();
    await expect(
      startServers({ dataDir, mode: 'containers', postgresSettings: { shared_buffers: 'much' } }),
    ).rejects.toThrow(/postgres could not be started: it ended before it was ready.*invalid value for parameter/s);
    expect(await containersOf(dataDir)).toEqual([]);
  }, 180_000);
});
