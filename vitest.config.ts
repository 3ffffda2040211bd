import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Units run from source through the doors' `argonite-source` condition; dialogue and end-to-end tests run what
// ships (dist/). Setting `conditions` replaces vitest's defaults, hence the other three entries.
const conditions = ['argonite-source', 'module', 'node', 'development|production'];

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    // vitest would leave one core to itself; most tests wait for sockets and disks.
    maxWorkers: Math.max(2, availableParallelism()),
    // Servers, clients and their peers share the cores: what fails twice has failed. vitest tells of every second try.
    retry: 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/**/*.dialogue.test.ts'],
          // Files share the modules of their worker, as scripts share those of a daemon: what one leaves behind in them is
          // found, and nothing is loaded 300 times.
          isolate: false,
          expect: { poll: { timeout: 20_000 } },
          // Far more than any needs: a machine that does other work at the same time is no failure.
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'built',
          include: ['test/e2e/**/*.test.ts', 'test/**/*.dialogue.test.ts'],
          expect: { poll: { timeout: 40_000 } },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
