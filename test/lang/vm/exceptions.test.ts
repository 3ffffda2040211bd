import { describe, expect, test } from 'vitest';
import { builtin, ScriptFault } from '#lang';
import { echoOf, startScript } from '../../support/ram-script.js';

const length = builtin({
  name: 'length',
  group: 'types',
  summary: 'Counts.',
  params: [{ name: 'x', type: 'array' }],
  returns: 'number',
  run: (x) => x.length,
});

async function errorOf(script: string): Promise<string> {
  const ended = await (await startScript(script)).result;
  return ended.kind === 'failed' ? ended.error.toText() : ended.kind;
}

describe('a runtime error', () => {
  test('is an Exception with message and place', async () => {
    const script = `
try { $x = none; echo $x + 1; }
catch ($e) {
  echo $e->message();
  echo $e->file();
  echo $e->line();
  echo $e->toString();
}`;
    const [message, file, line, text] = await echoOf(script);
    expect([message, file, line]).toEqual(['+ does not work on none and number', 'main.hsl', '2']);
    expect(text).toMatch(/^\+ does not work on none and number \(main\.hsl:2:\d+\)$/);
  });

  test('has its message in bytes: what a builtin shortens with an ellipsis or names in Unicode is UTF-8', async () => {
    const refuse = builtin({
      name: 'refuse',
      group: 'types',
      summary: 'Refuses.',
      params: [{ name: 'word', type: 'string' }],
      returns: 'none',
      run: (word) => {
        throw new ScriptFault(`no ${word}…`);
      },
    });
    const script = 'try { refuse("\\xc3\\xa5"); } catch ($e) { echo $e->message(); }';
    const [message] = await echoOf(script, { declarations: [refuse] });
    expect(message).toBe('no \xc3\xa5\xe2\x80\xa6');
  });

  test('that nobody catches carries the calls that led there', async () => {
    const text = await errorOf(
      'function f($x) {\n  return $x / 0;\n}\nfunction g() {\n  return f(1);\n}\ng();',
    );
    expect(text.split('\n').map((line) => line.replace(/:\d+\)?$/, ''))).toEqual([
      'division by zero (main.hsl:2',
      '    at f (main.hsl:2',
      '    at g (main.hsl:5',
      '    at main.hsl:7',
    ]);
  });
});

describe('an exception', () => {
  test('made by a script has no place of its own', async () => {
    const script = `
      try { throw Exception("bad"); }
      catch ($e) { echo $e->toString(); echo $e->line() === none ? "none" : "some"; }`;
    expect(await echoOf(script)).toEqual(['bad', 'none']);
  });

  test('goes to the innermost try around the call, and no further unless thrown again', async () => {
    const script = `
      function f() { throw "deep"; }
      function g() { try { f(); } catch ($e) { echo "g $e"; throw "again"; } }
      try { g(); } catch ($e) { echo "main $e"; }
      echo "end";`;
    expect(await echoOf(script)).toEqual(['g deep', 'main again', 'end']);
  });

  test('in a catch block is not caught by its own try', async () => {
    expect(await errorOf('try { throw 1; } catch ($e) { throw "second"; }')).toMatch(/^second \(main\.hsl:1/);
  });

  test('may be any value', async () => {
    const script = 'foreach ([none, 5, [1], "x"] as $v) { try { throw $v; } catch ($e) { echo $e; } }';
    expect(await echoOf(script)).toEqual(['none', '5', '[0=>1]', 'x']);
  });
});

test('values nested too deeply for the machine are an exception, not a crash', async () => {
  const script = `
    $a = [];
    for ($i = 0; $i < 20000; $i++) $a = [$a];
    try { echo $a; } catch ($e) { echo $e->message(); }`;
  expect(await echoOf(script)).toEqual(['the value is nested too deeply']);
});

test('an array that holds itself many times over is compared at once and too long to print', async () => {
  const script = `
    function grown() { $a = [1]; for ($i = 0; $i < 60; $i++) $a = [$a, $a]; return $a; }
    echo grown() === grown();
    try { echo grown(); } catch ($e) { echo $e->message(); }
    try { cache [] length(grown()); } catch ($e) { echo $e->message(); }`;
  expect(await echoOf(script, { declarations: [length] })).toEqual([
    'true',
    'the text of the array would be too long',
    'the arguments of a cached call are too large to be its key',
  ]);
});

test('a member of a native object cannot be set', async () => {
  expect(await echoOf('$e = Exception("x"); $e->message = 1;')).toEqual([
    'failed: objects of class Exception have no variables that a script can set',
  ]);
});

test('endless recursion is an exception that can be caught', async () => {
  const script = `
    function f($n) { return f($n + 1); }
    try { f(0); } catch ($e) { echo $e->message(); }`;
  expect(await echoOf(script)).toEqual(['calls are nested more than 512 deep']);
});
