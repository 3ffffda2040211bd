import { expect, test } from 'vitest';
import { compile, type Environment, execute, HslArray } from '#lang';
import { findings } from '../../support/compile-errors.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';

const environment: Environment = {
  ...catalogEnvironment(),
  variables: [
    { name: 'arguments', summary: 'What the command said.', readonly: true },
    { name: 'context', summary: 'Shared along a connection.', readonly: false },
  ],
};

const refused: readonly (readonly [script: string, code: string])[] = [
  ['$arguments = 1;', 'HSL2017:1'],
  ['$arguments["x"] = 1;', 'HSL2017:1'],
  ['$arguments[] = 1;', 'HSL2017:1'],
  ['$arguments["x"]++;', 'HSL2017:1'],
  ['unset($arguments);', 'HSL2017:1'],
  ['unset($arguments["x"]);', 'HSL2017:1'],
  ['foreach ([1] as $arguments) { }', 'HSL2017:1'],
  ['[$arguments] = [1];', 'HSL2017:1'],
  ['try { } catch ($arguments) { }', 'HSL2017:1'],
  ['barrier "b" => $arguments { }', 'HSL2017:1'],
  ['function f() { global $arguments; $arguments = 1; }', 'HSL2017:1'],
  ['$f = function () closure ($arguments) { $arguments = 1; };', 'HSL2017:1'],
  ['function f() { return $arguments; }', 'HSL2001:1'],
];

test.each(refused)('%s is refused', async (script, code) => {
  expect(await findings(script, {}, environment)).toEqual([code]);
});

test('predefined variables are there, in functions through global only, and may be written if they say so', async () => {
  const script = `
    echo $arguments["verb"];
    function f() { global $arguments; return $arguments["verb"] . "!"; }
    echo f();
    $context["n"] = 1;
    $arguments_copy = $arguments; $arguments_copy["verb"] = "changed";
    echo $arguments["verb"];`;
  const { program, diagnostics } = await compile(
    { name: 'main.hsl', text: script },
    environment,
    createCompileHost(),
  );
  expect(diagnostics).toEqual([]);
  const echoes: string[] = [];
  const given = HslArray.fromRecord({ verb: 'MAIL' });
  const execution = execute(program!, {
    host: createRunHost((text) => echoes.push(text)),
    variables: [given, HslArray.empty()],
  });
  await execution.run();
  expect(echoes).toEqual(['MAIL', 'MAIL!', 'MAIL']);
  expect((execution.variable('context') as HslArray).get('n')).toBe(1);
});

test('an imported module does not see them', async () => {
  const files = { 'a.hsl': 'echo $arguments;' };
  expect(await findings('import * as a from "a.hsl";', files, environment)).toEqual(['HSL2001:a.hsl:1']);
});

test('an included file does', async () => {
  expect(await findings('include "a.hsl";', { 'a.hsl': 'echo $arguments;' }, environment)).toEqual([]);
});

test('their names cannot be imported again', async () => {
  const files = { 'a.hsl': '$context = 1;' };
  expect(await findings('import { $context } from "a.hsl";', files, environment)).toEqual(['HSL2008:1']);
});
