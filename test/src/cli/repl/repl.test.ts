import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { runRepl } from '../../../../src/cli/repl/repl.js';

async function typed(...lines: string[]): Promise<string> {
  const input = new PassThrough();
  const output = new PassThrough();
  const code = runRepl('.', { input, output, isTerminal: false });
  input.end(lines.map((line) => `${line}\n`).join(''));
  expect(await code).toBe(0);
  return String(output.read());
}

test('a lone expression shows its value, an echo its text', async () => {
  expect(await typed('6 * 7', 'echo "å";')).toMatch(/42\n[\s\S]*å\n/);
});

test('input goes on over several lines until its brackets are closed', async () => {
  expect(await typed('function f() {', '', '  return "two lines";', '}', 'f()')).toMatch(
    / \.\.\. [\s\S]*two lines\n/,
  );
});

test('an empty line ends an input that waits for more, and says what is missing', async () => {
  const shown = await typed('echo 1 +', '', 'echo "next";');
  expect(shown).toContain('error: ');
  expect(shown).toMatch(/hsl> next\n/);
});

test('an error is shown and the variables stay', async () => {
  const shown = await typed('$a = 5;', 'ord("");', 'echo nosuch();', '$a');
  expect(shown).toContain('the text is empty');
  expect(shown).toContain('nosuch');
  expect(shown).toMatch(/5\n/);
});

test('its own commands help, show bytecode, time and variables', async () => {
  const shown = await typed(
    ':help str_find',
    ':help none_such',
    ':dis echo 1;',
    ':dis (',
    ':time 1 + 1',
    '$v = 3;',
    ':vars',
    ':nope',
  );
  expect(shown).toContain('Finds the first occurrence');
  expect(shown).toContain('there is no function, class or method "none_such"');
  expect(shown).toMatch(/echo/i);
  expect(shown).toContain('the code ends too early');
  expect(shown).toMatch(/2\n[\d.]+ ms/);
  expect(shown).toContain('$v = 3');
  expect(shown).toContain('there is no command ":nope"');
});

test(':quit leaves before the input ends', async () => {
  expect(await typed(':quit', 'echo "never";')).not.toContain('never\n');
});
