import { expect, test } from 'vitest';
import { textToBytes, toText } from '#lang';
import { ReplSession } from '../../../../src/cli/repl/session.js';
import { createRunHost } from '../../../../src/scripting/host/index.js';

function shell() {
  const echoes: string[] = [];
  const session = new ReplSession('.', createRunHost({ echo: (text) => void echoes.push(text) }));
  const type = async (text: string) => {
    const outcome = await session.run(textToBytes(text));
    if (outcome.kind === 'done') return outcome.value === undefined ? '' : toText(outcome.value);
    return outcome.kind === 'failed' ? `failed: ${outcome.error.message}` : outcome.kind;
  };
  return { session, echoes, type };
}

test('variables and functions last, and a new definition replaces the old one', async () => {
  const { type } = shell();
  await type('function f($x) {\n  // a comment does not swallow the rest\n  return $x + 1;\n}');
  await type('$a = 41;');
  expect(await type('f($a)')).toBe('42');
  await type('function f($x) { return "new " . $x; }');
  expect(await type('f($a)')).toBe('new 41');
});

test('a class lasts, as do its objects', async () => {
  const { type } = shell();
  await type('class C { $n = 1; function get() { return $this->n; } }');
  await type('$c = C();');
  expect(await type('$c->get()')).toBe('1');
  await type('class C { function get() { return "newer"; } }');
  expect(await type('C()->get()')).toBe('newer');
});

test('what was assigned and declared before an error stays', async () => {
  const { type } = shell();
  expect(await type('function g() { return 7; } $a = 1; throw Exception("boom");')).toBe('failed: boom');
  expect(await type('$a + g()')).toBe('8');
});

test.each(['function f() {', 'echo [1,', 'echo "open', 'if (true)', '/* still'])(
  '%j wants more input',
  async (text) => {
    expect(await shell().type(text)).toBe('incomplete');
  },
);

test('a mistake inside the input is refused and nothing runs', async () => {
  const { type, echoes } = shell();
  expect(await type('echo 1; echo nosuch(2);')).toBe('refused');
  expect(echoes).toEqual([]);
});

test('a refused expression is shown as it was typed', async () => {
  const outcome = await shell().session.run('$nothing + 1');
  expect(outcome.kind === 'refused' && outcome.diagnostics.map(({ span }) => span.start)).toEqual([0]);
});

test('an endless loop can be interrupted', async () => {
  const { session, type } = shell();
  const running = type('$n = 0; forever { $n += 1; }');
  const poll = setInterval(() => session.interrupt() && clearInterval(poll), 1);
  expect(await running).toBe('cancelled');
  expect(await type('$n > 0')).toBe('true');
});
