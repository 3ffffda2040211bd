import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Units run from source through the doors' `argonite-source` condition; dialogue and end-to-end tests run what
// ships (dist/). Setting `conditions` replaces vitest's defaults, hence the other three entries.
const conditions = ['argonite-source', 'module', 'node', 'development|production'];

/** Files that take long, the longest first: begun last, one of them would run on alone. */
const longOnes = [
  'e2e/crash',
  'e2e/mail-submitted-over-http-arrives',
  'e2e/postfix-sees-our-session',
  'e2e/first-mail',
  'e2e/clients-use-tls',
  'e2e/a-greedy-script-harms-only-its-own-mail',
  'e2e/cli',
  'e2e/operators-steer-the-queue',
  'e2e/a-flood-of-connections-is-survived',
  'e2e/a-full-disk-refuses-mail-for-a-while',
  'e2e/conformance',
  'e2e/postfix-on-both-sides',
  'e2e/kills-do-not-double-what-senders-are-told',
].map((name) => `/test/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longOnes.findIndex((end) => moduleId.endsWith(end));
      return at === -1 ? longOnes.length : at;
    };
    const sorted = await super.sort(files);
    // What runs built comes first as a whole: its files are the longer ones.
    const isUnit = ({ project }: TestSpecification): number => (project.name === 'unit' ? 1 : 0);
    return sorted.sort((a, b) => isUnit(a) - isUnit(b) || rank(a) - rank(b));
  }
}

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    // vitest would leave one core to itself; most tests wait for sockets, disks and peers, so that one more finds room.
    maxWorkers: Math.max(2, availableParallelism()) + 1,
    sequence: { sequencer: LongestFirst },
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
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'built',
          include: ['test/e2e/**/*.test.ts', 'test/**/*.dialogue.test.ts'],
          // Servers, clients and peers that are other people's programs share the cores: what fails twice has failed, and vitest
          // tells of a second try. Tests that look for rare faults have none (`retry: 0`), nor has any unit.
          retry: 1,
          expect: { poll: { timeout: 40_000 } },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
