// Programs out of the grammar through compiler and VM: whatever they say, the answer is a diagnostic, a result or an HSL
// exception, within bounded time.

import { compile, execute } from '#lang';
import { catalogEnvironment, createCompileHost, createRunHost } from '../support/script-host.js';
import { ProgramGenerator } from './program-generator.js';
import { SeededRandom } from './random.js';

const limits = { depth: 100, memory: 64 * 1024 * 1024, time: 5, output: 100_000, instructions: 200_000 };

/** Flips, drops and doubles pieces of a text. */
export function mutate(text: string, random: SeededRandom): string {
  let mutated = text;
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = random.below(mutated.length + 1);
    const length = random.below(8);
    switch (random.below(3)) {
      case 0:
        mutated = mutated.slice(0, at) + mutated.slice(at + length);
        break;
      case 1:
        mutated = mutated.slice(0, at) + mutated.slice(at, at + length) + mutated.slice(at);
        break;
      default:
        mutated =
          mutated.slice(0, at) +
          random.pick([
            ...'(){}[]"\'$;:,=<>!?.#/%&|^~+-*\\\n\xff',
            'function ',
            '->',
            '::',
            '=>',
            '...',
            'yield ',
            'cache ',
          ]) +
          mutated.slice(at);
    }
  }
  return mutated;
}

export interface FuzzCounts {
  compiled: number;
  finished: number;
  failed: number;
}

/** Runs one program. @throws when anything but a diagnostic or an HSL result comes of it */
export async function runOne(text: string, counts: FuzzCounts): Promise<void> {
  const { program, diagnostics } = await compile(
    { name: 'fuzz.hsl', text },
    catalogEnvironment(),
    createCompileHost(),
  );
  if (program === undefined) {
    if (!diagnostics.some(({ severity }) => severity === 'error')) throw new Error('no program and no error');
    return;
  }
  counts.compiled++;
  const result = await execute(program, { host: createRunHost(), limits }).run();
  if (result.kind === 'finished') counts.finished++;
  else if (result.kind === 'failed') {
    counts.failed++;
    if (typeof result.error.message !== 'string') throw new Error('an error without a message');
  }
}

/** Runs for `seconds`, or `count` programs. @throws with seed, number and program of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<FuzzCounts> {
  const random = new SeededRandom(seed);
  const generator = new ProgramGenerator(random);
  const counts: FuzzCounts = { compiled: 0, finished: 0, failed: 0 };
  const deadline = performance.now() + seconds * 1000;
  for (let number = 0; number < count && performance.now() < deadline; number++) {
    const text = number % 3 === 2 ? mutate(generator.program(), random) : generator.program();
    try {
      await runOne(text, counts);
    } catch (error) {
      throw new Error(`seed ${seed}, program ${number}:\n${text}`, { cause: error });
    }
  }
  return counts;
}
