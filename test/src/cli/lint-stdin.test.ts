import { expect, test } from 'vitest';
import { parseRequest } from '../../../src/cli/lint-stdin.js';
import { readRunningConfiguration } from '../../../src/cli/running-configuration.js';

test.each([
  ['a: [1', /not YAML/],
  ['- 1', /no map/],
  ['phase: nosuch\ndata: ""', /found phase "nosuch"; expected one of/],
  ['phase: eod', /"data" is missing/],
  ['data: ""\nfiles: {}', /"files" is no list/],
  ['data: ""\nfiles: [{id: a}]', /no id or no data/],
])('the request %j is refused in a sentence', (text, sentence) => {
  expect(parseRequest(text)).toMatch(sentence);
});

test('a request has its phase, script as bytes, files and root', () => {
  expect(
    parseRequest(
      'phase: eod\ndata: echo "å";\nfiles: [{id: a.bin, data: /wA=, binary: true}, {id: b.hsl, data: x}]\nscripting: {rootpath: /r}',
    ),
  ).toEqual({
    phase: 'eod',
    data: 'echo "\xc3\xa5";',
    files: new Map([
      ['a.bin', '\xff\0'],
      ['b.hsl', 'x'],
    ]),
    rootPath: '/r',
  });
});

test('a running configuration needs an entry point', () => {
  expect(readRunningConfiguration('scripting: {}')).toMatch(/__entrypoint/);
  expect(readRunningConfiguration('__entrypoint: echo 1;\nscripting: {files: 5}')).toMatch(/no list/);
  expect(readRunningConfiguration('__entrypoint: echo 1;')).toEqual({
    entrypoint: 'echo 1;',
    files: new Map(),
    rootPath: undefined,
  });
});
