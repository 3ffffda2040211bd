import { expect, test } from 'vitest';
import { textToBytes } from '#lang';
import { complete } from '../../../../src/cli/repl/complete.js';
import { helpFor } from '../../../../src/cli/repl/help.js';
import { ReplSession } from '../../../../src/cli/repl/session.js';
import { plainEnvironment } from '../../../../src/cli/script-surroundings.js';
import { createRunHost } from '../../../../src/scripting/host/index.js';

const session = new ReplSession('.', createRunHost({ echo: () => undefined }));
await session.run(
  textToBytes(
    'class Point { function norm($scale) { return 1; } static function origin() { return 0; } private function own() {} }',
  ),
);
await session.run(textToBytes('function str_mine($a) { return $a; }'));
await session.run(textToBytes('$point = Point(); $map = Map("string", "any"); $other = 1;'));
const environment = plainEnvironment();
const scope = { environment, variables: session.variables, declared: session.declared };

test.each([
  ['echo str_fi', 'str_find', /str_find\(string \$text, string \$sub \[, number \$offset = 0\]\) {2}Finds/],
  ['str_mi', 'str_mine', /^function str_mine\(\$a\)$/],
  ['$m = Map', 'Map', /^class Map/],
  ['$map->me', 'merge', /merge\(/],
  ['$point->no', 'norm', /^norm\(\$scale\)$/],
  ['Point::', 'origin', /^origin\(\)$/],
  ['Poi', 'Point', /^class Point$/],
  ['echo $oth', 'other', /variable/],
  ['forea', 'foreach', /keyword/],
])('%j completes to %s with its help', (line, text, help) => {
  const { completions } = complete(line, scope);
  expect(completions.map((one) => one.text)).toEqual([text]);
  expect(completions[0]?.help).toMatch(help);
});

test('nothing is offered where nothing was begun, and private methods never', () => {
  expect(complete('echo 1 + ', scope).completions).toEqual([]);
  expect(complete('$point->o', scope).completions).toEqual([]);
});

test.each([
  ['str_find', /Finds the first occurrence/],
  ['Map', /->merge/],
  ['Map->merge', /### Map->merge/],
  ['->merge', /### Map->merge/],
  ['str_mine', /return \$a/],
  ['Point->norm', /^Point->norm\(\$scale\)$/],
])(':help %s knows it', (name, text) => {
  expect(helpFor(name, environment, session.declared)).toMatch(text);
});

test(':help of an unknown name is nothing', () => {
  expect(helpFor('no_such', environment, session.declared)).toBeUndefined();
});
