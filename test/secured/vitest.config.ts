import { defineConfig } from 'vitest/config';

/** On servers of its own, which let nobody in without TLS and a login; two files side by side, which wait more than they compute. */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: './src/global-setup.ts',
    // Most tests start processes of the project.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    teardownTimeout: 60_000,
    reporters: ['default', 'json'],
    outputFile: { json: '.report/integration.json' },
  },
});
