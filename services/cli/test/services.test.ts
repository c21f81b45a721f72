import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findFreePort, processStamp, waitFor } from '@repo/embedded';
import { expect, onTestFinished, test } from 'vitest';
import {
  MALLOC_SETTINGS,
  NODE_FLAGS,
  type RunningService,
  SERVICE_LIMITS,
  type ServiceOptions,
  startService,
  waitUntilReady,
} from '../src/system/services.ts';

const root = join(import.meta.dirname, 'fixture');

function tempDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gongji-cli-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function start(
  options: Partial<Pick<ServiceOptions, 'service' | 'httpPort' | 'adminPort'>> & {
    lines?: string[];
    instance?: number;
    mode?: (launch: number) => string;
    stopMs?: number;
    dataDir?: string;
  } = {},
): Promise<RunningService> {
  const { lines = [], instance = 1, mode = () => '', dataDir = tempDir(), ...limits } = options;
  const service = await startService({
    service: 'sharing-worker',
    httpPort: 0,
    instance,
    dataDir,
    environment: (launch) => ({ ...process.env, MODE: mode(launch) }),
    log: (line) => lines.push(line),
    root,
    ...limits,
  });
  onTestFinished(() => service.process.stop());
  return service;
}

test('a service runs as a process whose command line names it, and stops by itself when asked', async () => {
  const service = await start();
  await waitUntilReady(service);
  expect(readFileSync(`/proc/${service.pid}/cmdline`, 'utf8')).toContain('services/sharing-worker/src/main.ts');
  const { pid } = service;
  const exited = service.process.current.exited;
  await service.process.stop();
  expect(await exited).toEqual({ code: 0, signal: null });
  expect(processStamp(pid)).toBeUndefined();
  expect(readFileSync(service.logFile, 'utf8')).toContain('sharing-worker started');
});

test('what Node made of the sources is kept when a service stops, for its next start', async () => {
  const dataDir = tempDir();
  const service = await start({ dataDir });
  await waitUntilReady(service);
  await service.process.stop();
  const [version = ''] = readdirSync(join(dataDir, 'compiled', 'sharing-worker'));
  expect(readdirSync(join(dataDir, 'compiled', 'sharing-worker', version))).not.toEqual([]);
});

test('a second instance has a name, a log and a port of its own', async () => {
  const [first, second] = [await start(), await start({ instance: 2 })];
  await Promise.all([first, second].map((service) => waitUntilReady(service)));
  expect(second.name).toBe('sharing-worker-2');
  expect(second.logFile).toMatch(/sharing-worker-2\.log$/);
  expect(second.adminPort).not.toBe(first.adminPort);
});

test.each([true, false])(
  'query-api is ready when it serves, its health on a port of its own or not: %s',
  async (apart) => {
    const [httpPort, adminPort] = [await findFreePort(), apart ? await findFreePort() : undefined];
    const service = await start({ service: 'query-api', httpPort, adminPort });
    await waitUntilReady(service);
    expect(service.adminPort).toBe(adminPort ?? httpPort);
    expect((await fetch(`http://127.0.0.1:${httpPort}/`)).status).toBe(apart ? 200 : 404);
    expect((await fetch(`http://127.0.0.1:${service.adminPort}/health/ready`)).status).toBe(200);
  },
);

test('a service that dies is ready again on the same port, with the environment of its second launch', async () => {
  const lines: string[] = [];
  const launches: number[] = [];
  const mode = (launch: number): string => {
    launches.push(launch);
    return '';
  };
  const service = await start({ lines, mode });
  await waitUntilReady(service);
  const { pid } = service;
  process.kill(pid, 'SIGKILL');
  expect(await waitFor(() => service.pid !== pid, 5_000)).toBe(true);
  await waitUntilReady(service);
  expect(launches).toEqual([1, 2]);
  expect(lines[0]).toBe('sharing-worker ended (SIGKILL); starting it again in 0.5 s');
});

test('a service that cannot start is given up with the end of its log', async () => {
  const service = await start({ mode: () => 'broken' });
  await expect(waitUntilReady(service)).rejects.toThrow(
    /sharing-worker ends as soon as it starts.*sharing-worker cannot go on/s,
  );
});

test('a service that runs and is never ready is given up with the end of its log', async () => {
  const service = await start({ mode: () => 'unready' });
  expect(await waitFor(() => readFileSync(service.logFile, 'utf8').includes('started'), 10_000)).toBe(true);
  await expect(waitUntilReady(service, { withinMs: 200 })).rejects.toThrow(
    /was not ready within 0.2 s.*sharing-worker started/s,
  );
  expect(SERVICE_LIMITS).toEqual({ readyMs: 60_000, stopMs: 20_000 });
});

test('a service that does not stop in time is killed', async () => {
  const service = await start({ mode: () => 'stays', stopMs: 200 });
  await waitUntilReady(service);
  const { exited } = service.process.current;
  await service.process.stop();
  expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a service ends by itself when the process that started it is killed', async () => {
  const module = pathToFileURL(join(import.meta.dirname, '..', 'src', 'system', 'services.ts')).href;
  const source = `
import { startService, waitUntilReady } from ${JSON.stringify(module)};
const service = await startService({ service: 'sharing-worker', instance: 1, dataDir: ${JSON.stringify(tempDir())}, httpPort: 0,
  environment: () => process.env, log: () => {}, root: ${JSON.stringify(root)} });
await waitUntilReady(service);
console.log(service.pid);`;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const pid = await new Promise<number>((resolve) => owner.stdout.once('data', (line) => resolve(Number(line))));
  owner.kill('SIGKILL');
  expect(await waitFor(() => processStamp(pid) === undefined, 10_000)).toBe(true);
});

test.each(['deploy/Dockerfile', 'test/bench/src/pipelines.ts'])('%s runs a service as we do', (path) => {
  const text = readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
  for (const flag of NODE_FLAGS) expect(text).toContain(flag);
  for (const [name, value] of Object.entries(MALLOC_SETTINGS))
    expect(text).toMatch(new RegExp(`${name}(=|: ')${value}\\b`));
});
