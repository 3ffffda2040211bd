// What the code looks like where speed depends on it: no checks that were proven needless, no jumps or moves too many.

import { expect, test } from 'vitest';
import { compile, disassemble } from '#lang';
import { catalogEnvironment, createCompileHost } from '../../support/script-host.js';

/** The opcodes of the function called `f`, in order. */
async function opcodesOf(script: string): Promise<string[]> {
  const { program, diagnostics } = await compile(
    { name: 'main.hsl', text: script },
    catalogEnvironment(),
    createCompileHost(),
  );
  expect(diagnostics).toEqual([]);
  const text = disassemble(program!);
  const code = text.slice(text.indexOf(' f(')).split('\n\n')[0]!;
  return [...code.matchAll(/^[> ] +\d+ {2}(\w+)/gm)].map((match) => match[1]!);
}

test('a counting loop is three instructions per turn', async () => {
  const code = await opcodesOf('function f($n) { $s = 0; for ($i = 0; $i < $n; $i++) $s += $i; return $s; }');
  expect(code).toEqual([
    'load_int',
    'load_int',
    'jump_if_not_less',
    'add',
    'increment',
    'loop_if_less',
    'return',
  ]);
});

test('variables that are surely set are not checked', async () => {
  const code = await opcodesOf(
    'function f($c) { if ($c) $x = 1; else $x = 2; while (true) { $y = $x; if ($y) break; } return $y; }',
  );
  expect(code).not.toContain('check_local');
});

test('variables that may be undeclared are', async () => {
  expect(await opcodesOf('function f($c) { if ($c) $x = 1; return $x; }')).toContain('check_local');
  expect(await opcodesOf('function f($c) { $x = 1; if ($c) unset($x); return $x; }')).toContain(
    'check_local',
  );
  expect(await opcodesOf('function f($l) { foreach ($l as $v) $x = $v; return $x; }')).toContain(
    'check_local',
  );
  expect(
    await opcodesOf('function f($l) { try { g(); $x = 1; } catch ($e) { } return $x; } function g() { }'),
  ).toContain('check_local');
});

test('a first check is enough', async () => {
  const code = await opcodesOf('function f($c) { if ($c) $x = 1; return [$x, $x, $x]; }');
  expect(code.filter((op) => op === 'check_local')).toHaveLength(1);
});

test('a condition compares and jumps at once', async () => {
  const code = await opcodesOf('function f($a) { if ($a["k"] == "x" and !($a["n"] > 5)) return 1; }');
  expect(code).toEqual([
    'get_field',
    'jump_if_not_equal_const',
    'get_field',
    'jump_if_greater_int',
    'load_int',
    'return',
    'return_none',
  ]);
});

test('if … continue and if … break are one jump', async () => {
  const code = await opcodesOf(
    'function f($l) { foreach ($l as $v) { if ($v == 1) continue; if ($v == 2) break; echo $v; } }',
  );
  expect(code).toEqual([
    'iterate',
    'next',
    'jump_if_equal_const',
    'jump_if_equal_const',
    'echo',
    'loop',
    'return_none',
  ]);
});

test('a lent argument is not marked, a kept one is', async () => {
  expect(
    await opcodesOf('function f($a) { return length($a) + g($a); } function g($b) { return $b[0]; }'),
  ).not.toContain('share');
  expect(
    await opcodesOf('function f($a) { return g($a); } function g($b) { $b[] = 1; return $b; }'),
  ).toContain('share');
});

test('constants are computed and dead branches are gone', async () => {
  expect(
    await opcodesOf(
      'function f() { if (60 * 60 > 5 and true) return "a" . 1 + 2; else return g(); } function g() { }',
    ),
  ).toEqual(['load_const', 'return']);
});

test('an array with constant names is a record made in one step', async () => {
  expect(await opcodesOf('function f($x) { return ["a" => $x, "b" => 2]; }')).toEqual([
    'share',
    'load_int',
    'new_record',
    'return',
  ]);
});

test('a chain of dots is joined at once', async () => {
  expect(await opcodesOf('function f($x) { return "a" . $x . "b" . $x["k"]; }')).toEqual([
    'load_const',
    'move',
    'load_const',
    'get_field',
    'concat_many',
    'return',
  ]);
});

test('chained method calls move nothing', async () => {
  expect(await opcodesOf('function f($o) { return $o->a()->b(1)->c; }')).toEqual([
    'move',
    'call_method',
    'load_int',
    'call_method',
    'get_field',
    'share',
    'return',
  ]);
});
