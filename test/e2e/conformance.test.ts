import path from 'node:path';
import { expect, test } from 'vitest';
import { root, runProgram } from '../support/peers.js';

// What HSL means, as data: every case of the language, and those of the library whose functions exist.

const groups = [
  'string',
  'array',
  'types',
  'math',
  'encoding',
  'json',
  'yaml',
  'csv',
  'pack',
  'pcre',
  'time',
  'mimeword',
];

function conformance(...args: string[]) {
  return runProgram(process.execPath, [path.join(root, 'dist/test/conformance/run.js'), ...args], {
    env: { ...process.env, TZ: 'UTC' },
  });
}

test.each([
  ['the language', ['test/conformance/hsl-conformance.yaml']],
  ['every rule of the language', ['test/conformance/hsl-rules.yaml']],
  ['the library, rule by rule,', ['test/conformance/stdlib-rules.yaml']],
  ['the library', ['test/conformance/stdlib-cases.yaml', ...groups.flatMap((group) => ['--group', group])]],
])('%s does what its cases say', async (_, args) => {
  const { code, stdout } = await conformance(
    ...args.map((arg) => (arg.endsWith('.yaml') ? path.join(root, arg) : arg)),
  );
  expect(stdout.trimEnd().split('\n').at(-1), stdout).toMatch(/^\d{2,} passed, 0 failed$/);
  expect(code).toBe(0);
});
