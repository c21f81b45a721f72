import type { TestProject } from 'vitest/node';
import { type Secured, startSecured } from './servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly secured: Secured;
  }
}

// Without this, SIGTERM would end the run without its exit hooks, and the servers would stay.
process.once('SIGTERM', () => process.exit(143));

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { [Symbol.asyncDispose]: stop, ...secured } = await startSecured();
  project.provide('secured', secured);
  return async () => stop();
}
