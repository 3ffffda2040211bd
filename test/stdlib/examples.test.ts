// Every example of the reference manual is run: its comment is what json_encode prints of its result.

import { expect, test } from 'vitest';
import { compile, execute } from '#lang';
import { catalog } from '../../stdlib/catalog.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../support/script-host.js';

const examples = catalog.flatMap(({ name, example }) =>
  (example?.split('\n') ?? []).map((line) => {
    const [, expression, json] = /^(.+) {2}\/\/ (.+)$/.exec(line)!;
    return [name, expression!, json!] as const;
  }),
);

async function run(script: string): Promise<readonly string[]> {
  const { program, diagnostics } = await compile(
    { name: 'example.hsl', text: script },
    catalogEnvironment(),
    createCompileHost(),
  );
  expect(diagnostics).toEqual([]);
  const echoed: string[] = [];
  const result = await execute(program!, { host: createRunHost((text) => echoed.push(text)) }).run();
  expect(result).toEqual({ kind: 'finished' });
  return echoed;
}

test.each(examples)('%s: %s is %s', async (_, expression, json) => {
  expect(await run(`echo json_encode(${expression});`)).toEqual([json]);
});
