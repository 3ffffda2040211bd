import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CaseFileError, readCases } from './cases.js';

test('the first format names output with its last line feed, files and errors', () => {
  const [one, two] = readCases(
    `
- name: a
  script: |
    echo "å";
  files:
    part.hsl: x
  output: |
    å
  certainty: doc
  surprise: [1]
- name: b
  script: nope
  error: compile
`,
    'x.yaml',
  );
  expect(one).toEqual({
    name: 'a',
    group: undefined,
    script: 'echo "\xc3\xa5";\n',
    files: new Map([['part.hsl', 'x']]),
    output: '\xc3\xa5\n',
    dropsLastLineFeed: false,
    error: undefined,
  });
  expect(two).toMatchObject({ name: 'b', error: 'compile', output: undefined });
});

test('the second format has groups, and output without its last line feed', () => {
  expect(
    readCases('cases:\n- {id: a, group: g, script: "echo 2;", expect: 2, basis: ours}\n', 'x.yaml'),
  ).toMatchObject([{ name: 'a', group: 'g', output: '2', dropsLastLineFeed: true }]);
});

test.each([
  ['[', /^x\.yaml: /],
  ['a: 1', /expected a list of cases/],
  ['- 1', /case 1 is not a map/],
  ['- name: a', /case 1 \(a\) has no script/],
  ['- script: a', /case 1 has no name or id/],
  ['- {name: a, script: b, error: later}', /error must be compile, runtime or any, not later/],
  ['- {name: a, script: b, files: [1]}', /files must be a map/],
])('%j is refused', (text, message) => {
  expect(() => readCases(text, 'x.yaml')).toThrow(CaseFileError);
  expect(() => readCases(text, 'x.yaml')).toThrow(message);
});

test('our own files are read', () => {
  const read = (name: string) => readCases(readFileSync(new URL(name, import.meta.url), 'utf8'), name);
  expect(read('hsl-conformance.yaml').length).toBeGreaterThan(200);
  expect(read('stdlib-cases.yaml').length).toBeGreaterThan(300);
});
