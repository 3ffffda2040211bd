// The examples of actions: each is a script of its phase, run in the world of the manual's examples, and its last line says
// what comes of it.

import { afterAll, describe, expect, test } from 'vitest';
import type { Phase } from '#hooks';
import { phases } from '../../src/scripting/hook-programs.js';
import { parseExample } from '../support/example-world/example.js';
import { builtinsOf, promisedEnd } from '../support/example-world/hooks.js';
import { ExampleWorld } from '../support/example-world/world.js';

const world = new ExampleWorld();
afterAll(() => world.close());

describe.each(Object.values(phases).map((phase) => [phase.name, phase] as const))('%s', (_, phase: Phase) => {
  test.each(builtinsOf(phase).map((one) => [one.name, one] as const))(
    '%s',
    async (name, { ends, example }) => {
      if (example === undefined) throw new Error(`${name} has no example`);
      if (ends === true) {
        expect((await world.runHook(phase, name, example)).end).toBe(promisedEnd(example));
        return;
      }
      for (const { script, echoes } of parseExample(example))
        expect(await world.runHook(phase, name, script)).toEqual({ echoes, end: 'the end of the script' });
    },
  );
});
