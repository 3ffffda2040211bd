// Every example of the reference manual is run, in the world of test/support/example-world.

import { afterAll, expect, test } from 'vitest';
import { type Declaration, languageDeclarations, type Method } from '#lang';
import { EODMailMessage } from '#stdlib';
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

/** Methods that several classes share are run once. */
const seen = new Set<Method>();

function* textsOf(declaration: Declaration): Iterable<readonly [string, string | undefined]> {
  const { name, example } = declaration;
  yield [name, example];
  if (declaration.kind === 'builtin') return;
  yield [`${name}()`, declaration.constructorOf?.example];
  for (const method of Object.values(declaration.statics)) yield [`${name}::${method.name}`, method.example];
  for (const method of Object.values(declaration.methods)) {
    if (!seen.has(method)) yield [`${name}->${method.name}`, method.example];
    seen.add(method);
  }
}

function examplesOf(declaration: Declaration): (readonly [string, string, ExampleScript])[] {
  return [...textsOf(declaration)].flatMap(([name, text]) =>
    text === undefined ? [] : parseExample(text).map((one) => [name, one.script, one] as const),
  );
}

test.each([...languageDeclarations.values(), ...catalog].flatMap(examplesOf))(
  '%s: %s',
  async (_, __, example) => {
    expect(await world.run(example)).toEqual(example.echoes);
  },
);

test.each(examplesOf(EODMailMessage))('in the eod hook, %s: %s', async (_, __, example) => {
  expect(await world.run(example, 'eod')).toEqual(example.echoes);
});
