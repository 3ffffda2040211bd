import { expect, test } from 'vitest';
import { diagnose, findings } from '../../support/compile-errors.js';
import { run } from '../../support/run-script.js';

type Case = readonly [
  fact: string,
  script: string,
  files: Readonly<Record<string, string>>,
  expected: readonly string[],
];

const refused: readonly Case[] = [
  ['a missing include', 'echo 1;\ninclude "no.hsl";', {}, ['HSL3001:2']],
  ['a missing module', 'import { f } from "no.hsl";\nf();', {}, ['HSL3001:1']],
  ['a file that includes itself', 'include "a.hsl";', { 'a.hsl': '\ninclude "a.hsl";' }, ['HSL3002:a.hsl:2']],
  [
    'includes in a circle',
    'include "a.hsl";',
    { 'a.hsl': 'include "b.hsl";', 'b.hsl': 'include "a.hsl";' },
    ['HSL3002:b.hsl:1'],
  ],
  [
    'an include of the entry',
    'include "a.hsl";',
    { 'a.hsl': 'include "main.hsl";', 'main.hsl': '' },
    ['HSL3002:a.hsl:1'],
  ],
  [
    'imports in a circle',
    'import { f } from "a.hsl";\nf();',
    {
      'a.hsl': 'import { g } from "b.hsl"; function f() { g(); }',
      'b.hsl': '\nimport { f } from "a.hsl"; function g() { f(); }',
    },
    ['HSL3003:b.hsl:2'],
  ],
  [
    'an import of the entry',
    'import { f } from "a.hsl";',
    { 'a.hsl': 'import { x } from "main.hsl"; function f() { }', 'main.hsl': '' },
    ['HSL3003:a.hsl:1'],
  ],
  [
    'a circle of an import and an include',
    'import { f } from "a.hsl";',
    { 'a.hsl': 'include "b.hsl"; function f() { }', 'b.hsl': 'import { f } from "a.hsl";' },
    ['HSL3003:b.hsl:1'],
  ],
  [
    'a symbol the module does not have',
    'import { g } from "a.hsl";',
    { 'a.hsl': 'function f() { }' },
    ['HSL3004:1'],
  ],
  [
    'a variable the module does not set',
    'import { $y } from "a.hsl";\necho $y;',
    { 'a.hsl': '$x = 1; echo isset($y);' },
    ['HSL3004:1'],
  ],
  [
    'a symbol of a namespace',
    'import * as m from "a.hsl";\nm::g(); echo m::$y;',
    { 'a.hsl': '$x = 1; function f() { }' },
    ['HSL2043:2', 'HSL2043:2'],
  ],
  ['a namespace is no value', 'import * as m from "a.hsl";\necho m;', { 'a.hsl': '' }, ['HSL2041:2']],
  [
    'two imports of one name',
    'import { f } from "a.hsl";\nimport { f } from "b.hsl";',
    { 'a.hsl': 'function f() { }', 'b.hsl': 'function f() { }' },
    ['HSL2008:2'],
  ],
  [
    'an import and a function of one name',
    'import { f } from "a.hsl";\nfunction f() { }',
    { 'a.hsl': 'function f() { }' },
    ['HSL2008:2'],
  ],
  [
    'an import and a variable above it',
    '$x = 1;\nimport { $x } from "a.hsl";',
    { 'a.hsl': '$x = 1;' },
    ['HSL2008:2'],
  ],
  [
    'two imported variables of one name',
    'import { $x } from "a.hsl";\nimport { $x } from "b.hsl";',
    { 'a.hsl': '$x = 1;', 'b.hsl': '$x = 1;' },
    ['HSL2008:2'],
  ],
  [
    'an import inside a condition',
    'if (1) {\nimport { f } from "a.hsl"; }',
    { 'a.hsl': 'function f() { }' },
    ['HSL2007:2'],
  ],
  [
    'an import inside a function',
    'function g() {\nimport { f } from "a.hsl"; }',
    { 'a.hsl': 'function f() { }' },
    ['HSL2007:2'],
  ],
  [
    'an import in a file included by a function',
    'function g() {\ninclude "i.hsl"; }',
    { 'i.hsl': 'import { f } from "a.hsl";', 'a.hsl': 'function f() { }' },
    ['HSL2007:i.hsl:1'],
  ],
  [
    'a function included twice',
    'include "a.hsl";\ninclude "a.hsl";',
    { 'a.hsl': 'function f() { }' },
    ['HSL2008:a.hsl:1'],
  ],
  [
    'arguments of an imported function',
    'import { f } from "a.hsl";\nf();',
    { 'a.hsl': 'function f($a) { }' },
    ['HSL2015:2'],
  ],
  [
    'a mistake in a module',
    'import { f } from "a.hsl";\nf();',
    { 'a.hsl': 'function f() {\nreturn $x; }' },
    ['HSL2001:a.hsl:2'],
  ],
  ['a script imported as data', 'import $x from "a.hsl";', { 'a.hsl': '' }, ['HSL3005:1']],
  ['a file without an ending imported as data', 'import $x from "a";', { a: '' }, ['HSL3005:1']],
  ['an unknown loader', 'import $x from "jsonn!a.json";', { 'a.json': '1' }, ['HSL3006:1']],
  ['an unknown option', 'import $x from "a.csv" with ["delimeter" => ";"];', { 'a.csv': '' }, ['HSL3007:1']],
  [
    'an option that is not constant',
    '$d = ";";\nimport $x from "a.csv" with ["delimiter" => $d];',
    { 'a.csv': '' },
    ['HSL3008:2'],
  ],
  ['broken data', 'import $x from "a.json";', { 'a.json': '{ "a": }' }, ['HSL3009:1']],
  ['missing data', 'import $x from "a.json";', {}, ['HSL3001:1']],
];

test.each(refused)('%s is refused', async (_fact, script, files, expected) => {
  expect(await findings(script, files)).toEqual(expected);
});

const allowed: readonly Case[] = [
  [
    'an include is spliced in',
    'echo 1; include "a.hsl"; echo $x;',
    { 'a.hsl': 'echo 2; $x = 3;' },
    ['1', '2', '3'],
  ],
  ['an include may be repeated', 'include "a.hsl"; include "a.hsl";', { 'a.hsl': 'echo 1;' }, ['1', '1']],
  [
    'an include in a function has its variables',
    'function f() { $x = 1; include "a.hsl"; return $y; } echo f();',
    { 'a.hsl': '$y = $x + 1;' },
    ['2'],
  ],
  [
    'an include twice in two functions',
    'function f() { include "a.hsl"; return $y; } function g() { include "a.hsl"; return $y . "g"; } echo f() . g();',
    { 'a.hsl': '$y = 1;' },
    ['11g'],
  ],
  [
    'an include in an anonymous function',
    '$f = function () { include "a.hsl"; return $y; }; echo $f();',
    { 'a.hsl': '$y = 4;' },
    ['4'],
  ],
  [
    'include_once knows includes above it',
    'include "a.hsl"; include_once "a.hsl"; include_once "./a.hsl";',
    { 'a.hsl': 'echo 1;' },
    ['1'],
  ],
  [
    'functions of an include are hoisted',
    'echo f(); include "a.hsl";',
    { 'a.hsl': 'function f() { return "f"; }' },
    ['f'],
  ],
  [
    'a break in an include ends the loop around it',
    'forever { include "a.hsl"; } echo "end";',
    { 'a.hsl': 'break;' },
    ['end'],
  ],
  [
    'an import in an included file',
    'include "a.hsl"; echo f();',
    { 'a.hsl': 'import { f } from "m.hsl";', 'm.hsl': 'function f() { return "m"; }' },
    ['m'],
  ],
  [
    'a module runs once, before the importing script',
    'echo "main"; import { f } from "a.hsl"; import { g } from "b.hsl"; f(); g();',
    {
      'a.hsl': 'import { g } from "b.hsl"; echo "a"; function f() { g(); }',
      'b.hsl': 'echo "b"; function g() { echo "g"; }',
    },
    ['b', 'a', 'main', 'g', 'g'],
  ],
  [
    'what a module imports can be imported from it',
    'import { f, $x as $y, C } from "a.hsl"; echo f() . $y . C::$n;',
    {
      'a.hsl': 'import { f, $x, C } from "b.hsl";',
      'b.hsl': '$x = 1; function f() { return "f"; } class C { static $n = 2; }',
    },
    ['f12'],
  ],
  [
    'an imported variable is written on both sides',
    'import { $n, get } from "a.hsl"; $n[] = 2; echo get(); echo $n;',
    { 'a.hsl': '$n = [1]; function get() { global $n; return $n; }' },
    ['[0=>1,1=>2]', '[0=>1,1=>2]'],
  ],
  [
    'an imported variable may be global in a function',
    'import { $n } from "a.hsl"; function f() { global $n; $n = 5; } f(); echo $n;',
    { 'a.hsl': '$n = 1;' },
    ['5'],
  ],
  [
    'a namespace gives functions, classes and variables',
    'import * as m from "a.hsl"; echo m::f(1) . m::$x . m::C()->v; $g = m::f; echo $g(2); m::$x = 7; echo m::get();',
    {
      'a.hsl':
        '$x = "x"; function f($a) { return $a; } class C { $v = "v"; } function get() { global $x; return $x; }',
    },
    ['1xv', '2', '7'],
  ],
  [
    'modules have globals of their own',
    'import { f } from "a.hsl"; $x = "main"; echo f(); echo $x;',
    { 'a.hsl': '$x = "a"; function f() { global $x; return $x; }' },
    ['a', 'main'],
  ],
  [
    'an imported class keeps its statics',
    'import { C, bump } from "a.hsl"; bump(); echo C::$n;',
    { 'a.hsl': 'class C { static $n = 1; } function bump() { C::$n++; }' },
    ['2'],
  ],
  [
    'data is an ordinary variable',
    'import $d from "d.json"; $d["a"][] = 2; echo $d;',
    { 'd.json': '{"a": [1]}' },
    ['["a"=>[0=>1,1=>2]]'],
  ],
  ['a loader can be forced', 'import $d from "txt!d.json"; echo $d;', { 'd.json': '[1]' }, ['[1]']],
  ['an unknown ending is text', 'import $d from "d.list"; echo $d;', { 'd.list': 'x' }, ['x']],
  [
    'data of a module can be imported from it',
    'import { $d as $e } from "a.hsl"; echo $e;',
    { 'a.hsl': 'import $d from "d.json";', 'd.json': '[1]' },
    ['[0=>1]'],
  ],
  [
    'data is there before the first statement',
    'function f() { global $d; return $d; } echo f(); import $d from "d.json";',
    { 'd.json': '5' },
    ['5'],
  ],
];

test.each(allowed)('%s', async (_fact, script, files, output) => {
  expect(await run(script, files)).toEqual(output);
});

test('a finding in an included file says where it was included', async () => {
  const [found] = await diagnose('echo 1;\ninclude "a.hsl";', {
    'a.hsl': '\n\ninclude "b.hsl";',
    'b.hsl': 'break;',
  });
  expect(found?.file.name).toBe('b.hsl');
  expect(found?.includedFrom?.map(({ file }) => file.name)).toEqual(['a.hsl', 'main.hsl']);
});

test('names that are near are suggested', async () => {
  const hints = async (script: string, files = {}) => (await diagnose(script, files)).map(({ hint }) => hint);
  expect(await hints('echo lenght("a");')).toEqual(['Did you mean "length"?']);
  expect(await hints('$sender = 1; echo $sendr;')).toEqual(['Did you mean "$sender"?']);
  expect(await hints('import { greeet } from "a.hsl";', { 'a.hsl': 'function greet() { }' })).toEqual([
    'Did you mean "greet"?',
  ]);
  expect(await hints('$g = 1; function f() { return $g; }')).toEqual([
    'To use the global variable, write "global $g;" in the function',
  ]);
});

test('includes that double at every level are stopped', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, level) => [
      `${level}.hsl`,
      `include "${level + 1}.hsl"; include "${level + 1}.hsl";`,
    ]),
  );
  const codes = new Set(
    (await findings('include "0.hsl";', { ...files, '20.hsl': '' })).map((each) => each.slice(0, 7)),
  );
  expect(codes).toEqual(new Set(['HSL3010']));
});

test('a long chain of includes is stopped', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, level) => [`${level}.hsl`, `include "${level + 1}.hsl";`]),
  );
  expect(await findings('include "0.hsl";', { ...files, '100.hsl': '' })).toEqual(['HSL3010:63.hsl:1']);
});
