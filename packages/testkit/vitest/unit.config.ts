import { defineConfig } from 'vitest/config';

/** Tests that need no server. Runs in the folder of the package that names it. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/integration/**'],
    passWithNoTests: true,
    // A slow or busy machine is no failure; a test that hangs is.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', 'json'],
    outputFile: { json: '.report/unit.json' },
  },
});
