import type { TestProject } from 'vitest/node';
import { provideServers } from '../src/servers.ts';

// Without this, SIGTERM would end the run without its exit hooks, and the servers would stay.
process.once('SIGTERM', () => process.exit(143));

/** Provides `databaseUrl` and `brokers` to the tests; what it started stops when the run is over. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await provideServers(process.env, (line) => console.error(line));
  project.provide('databaseUrl', servers.databaseUrl);
  project.provide('brokers', servers.brokers);
  return servers.stop;
}
