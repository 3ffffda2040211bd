// Every example of the reference manual is run, in the world of test/support/example-world.

import { afterAll, expect, test } from 'vitest';
import type { Declaration } from '#lang';
import type { MetricSettings } from '../../src/config/configuration.js';
import { ScriptMetrics } from '../../src/metrics/script-metrics.js';
import { catalog } from '../../stdlib/catalog.js';
import { type ExampleScript, parseExample } from '../support/example-world/example.js';
import { ExampleWorld } from '../support/example-world/world.js';

/** The metrics that examples use: `mails` (counter by result), `waiting` (gauge), `size_bytes` (histogram). */
function metrics(): ScriptMetrics {
  const made = new ScriptMetrics();
  const declare = (name: string, type: MetricSettings['type'], ...labels: string[]): MetricSettings => ({
    name,
    type,
    help: name,
    labels,
    buckets: undefined,
  });
  made.configure([
    declare('mails', 'counter', 'result'),
    declare('waiting', 'gauge'),
    declare('size_bytes', 'histogram'),
  ]);
  return made;
}

const world = new ExampleWorld(() => ({ metrics: metrics() }));
afterAll(() => world.close());

function* examplesOf(declaration: Declaration): Iterable<readonly [string, ExampleScript]> {
  const { name, example } = declaration;
  const texts: (readonly [string, string | undefined])[] = [[name, example]];
  if (declaration.kind === 'class') {
    texts.push([`${name}()`, declaration.constructorOf?.example]);
    for (const method of Object.values(declaration.statics))
      texts.push([`${name}::${method.name}`, method.example]);
    for (const method of Object.values(declaration.methods))
      texts.push([`${name}->${method.name}`, method.example]);
  }
  for (const [owner, text] of texts)
    if (text !== undefined) for (const one of parseExample(text)) yield [owner, one];
}

const examples = catalog.flatMap((declaration) =>
  [...examplesOf(declaration)].map(([name, example]) => [name, example.script, example] as const),
);

test.each(examples)('%s: %s', async (_, __, example) => {
  expect(await world.run(example)).toEqual(example.echoes);
});
