import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Tests on a real PostgreSQL and Kafka, one file after the other unless a package says otherwise. Runs in the folder of the package that names it. */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts'],
    passWithNoTests: true,
    pool: 'forks',
    fileParallelism: false,
    globalSetup: here('./global-setup.ts'),
    setupFiles: here('./file-setup.ts'),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    reporters: ['default', 'json'],
    outputFile: { json: '.report/integration.json' },
  },
});
