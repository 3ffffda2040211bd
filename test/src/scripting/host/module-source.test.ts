import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModuleSource } from '#lang';
import { createFileStamp, createModuleSource } from '../../../../src/scripting/host/module-source.js';

let folder = '';
let source: ModuleSource;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'argonite-modules-'));
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  write('root/main.hsl', 'main');
  write('root/lib/a.hsl', 'a');
  write('root/lib/b.hsl', 'b');
  write('root/plain', 'plain');
  write('root/gr\u00fc\u00df.hsl', '\u00fc');
  write('second/other.hsl', 'other');
  write('second/main.hsl', 'not this one');
  write('outside.hsl', 'secret');
  write('extras/backoff.hsl', 'backoff');
  write('extras/parts/one.hsl', 'one');
  write('extras/parts/two.hsl', 'two');
  write('extras/authentication/arc.hsl', 'bundled arc');
  write('extras/authentication/header.hsl', 'bundled header');
  write('root/authentication.header', 'own header');
  symlinkSync(path.join(folder, 'outside.hsl'), path.join(folder, 'root/link.hsl'));
  symlinkSync(path.join(folder, 'root/lib/a.hsl'), path.join(folder, 'root/inner.hsl'));
  source = createModuleSource({
    files: new Map([
      ['listed', 'from the list'],
      ['lib/b.hsl', 'b from the list'],
    ]),
    folders: [path.join(folder, 'root'), path.join(folder, 'second')],
    extras: path.join(folder, 'extras'),
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('paths that lead to a file', () => {
  test.each([
    ['main.hsl', '<stdin>', 'main.hsl', 'main'],
    ['main', '<stdin>', 'main.hsl', 'main'],
    ['file:main.hsl', 'lib/a.hsl', 'main.hsl', 'main'],
    ['file://lib/a', 'main.hsl', 'lib/a.hsl', 'a'],
    ['./b.hsl', 'lib/a.hsl', 'lib/b.hsl', 'b from the list'],
    ['./a', 'lib/b.hsl', 'lib/a.hsl', 'a'],
    ['../main.hsl', 'lib/a.hsl', 'main.hsl', 'main'],
    ['../main.hsl', 'lib/../lib/a.hsl', 'main.hsl', 'main'],
    ['./main.hsl', '<stdin>', 'main.hsl', 'main'],
    ['lib//./a.hsl', 'main.hsl', 'lib/a.hsl', 'a'],
    ['plain', 'main.hsl', 'plain', 'plain'],
    ['plain.hsl', 'main.hsl', 'plain', 'plain'],
    ['other.hsl', 'main.hsl', 'other.hsl', 'other'],
    ['listed', 'main.hsl', 'listed', 'from the list'],
    ['listed.hsl', 'main.hsl', 'listed', 'from the list'],
    ['inner.hsl', 'main.hsl', 'inner.hsl', 'a'],
    ['gr\xc3\xbc\xc3\x9f.hsl', 'main.hsl', 'gr\xc3\xbc\xc3\x9f.hsl', '\xc3\xbc'],
    ['extras://backoff', 'main.hsl', 'extras://backoff', 'backoff'],
    ['extras://backoff.hsl', 'main.hsl', 'extras://backoff', 'backoff'],
    ['./two', 'extras://parts/one', 'extras://parts/two', 'two'],
    ['../backoff.hsl', 'extras://parts/one', 'extras://backoff', 'backoff'],
  ])('%s in %s is %s', (written, from, name, text) => {
    expect(source.find(written, from)).toEqual({ name, text });
  });
});

describe('paths that lead nowhere say why', () => {
  test.each([
    [
      'missing.hsl',
      'main.hsl',
      /^there is no file missing\.hsl in the list of files or below .+root or below .+second$/,
    ],
    ['../outside.hsl', 'main.hsl', /leads out of the script root/],
    ['lib/../../outside.hsl', 'main.hsl', /leads out of the script root/],
    ['file://../outside.hsl', 'main.hsl', /leads out of the script root/],
    ['../../root/main.hsl', 'extras://parts/one', /leads out of the script root/],
    ['link.hsl', 'main.hsl', /a link that leads out of the script root/],
    ['/etc/passwd', 'main.hsl', /absolute/],
    ['file:///etc/passwd', 'main.hsl', /absolute/],
    ['http://example.org/x.hsl', 'main.hsl', /"http:\/\/" is no place for scripts/],
    ['extras:backoff', 'main.hsl', /"extras:" is no place for scripts/],
    ['extras://nope', 'main.hsl', /no module of that name \(extras:\/\/nope\)/],
    ['lib', 'main.hsl', /there is no file lib /],
    ['', 'main.hsl', /names no file/],
    ['a\0b', 'main.hsl', /names no file/],
  ])('%j in %s', (written, from, problem) => {
    expect(source.find(written, from)).toEqual({ problem: expect.stringMatching(problem) });
  });

  test('a source without folders says that there is none', () => {
    expect(createModuleSource().find('a.hsl', '<stdin>')).toEqual({
      problem: 'there is no script root here, so no file can be found',
    });
  });
});

test('the stamp of a script file changes with the file', () => {
  const stamp = createFileStamp({
    files: new Map([['listed', 'x']]),
    folders: [path.join(folder, 'second')],
  });
  const before = stamp('other.hsl');
  expect(before).toBeDefined();
  expect(stamp('other')).toBe(before);
  writeFileSync(path.join(folder, 'second/other.hsl'), 'changed');
  expect(stamp('other.hsl')).not.toBe(before);
  expect([stamp('missing'), stamp('../outside.hsl')]).toEqual([undefined, undefined]);
});

test('the stamp of a listed file is that of its content, whichever list has it', () => {
  const stampIn = (text: string) => createFileStamp({ files: new Map([['listed.hsl', text]]) })('listed');
  expect(stampIn('x')).toBeDefined();
  expect(stampIn('x')).toBe(stampIn('x'));
  expect(stampIn('x')).not.toBe(stampIn('y'));
});

describe('includes of older scripts', () => {
  test.each(['authentication.arc', 'authentication/arc', 'file://authentication.arc'])(
    '%s is the one that ships with us',
    (name) => {
      expect(source.find(name, 'main.hsl')).toEqual({
        name: 'extras://authentication/arc',
        text: 'bundled arc',
      });
    },
  );

  test('a file of the configuration with that name wins', () => {
    expect(source.find('authentication.header', 'main.hsl')).toEqual({
      name: 'authentication.header',
      text: 'own header',
    });
    expect(source.find('authentication/header', 'main.hsl')).toEqual({
      name: 'extras://authentication/header',
      text: 'bundled header',
    });
  });
});
