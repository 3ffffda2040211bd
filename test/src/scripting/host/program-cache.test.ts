import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProgramCache } from '#lang';
import { openProgramCache, userCacheFolder } from '../../../../src/scripting/host/program-cache.js';

let base = '';
beforeEach(() => {
  base = mkdtempSync(path.join(os.tmpdir(), 'argonite-cache-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const keyOf = (n: number) => n.toString(16).padStart(64, '0');

function open(folder: string, maxBytes?: number): ProgramCache {
  const opened = openProgramCache(folder, maxBytes);
  if (opened.kind === 'refused') throw new Error(opened.problem);
  return opened.cache;
}

describe('the cache of compiled programs', () => {
  test('gives back what was written, also to the next process', () => {
    const folder = path.join(base, 'a/b');
    open(folder).write(keyOf(1), Buffer.from('one'));
    expect(Buffer.from(open(folder).read(keyOf(1))!).toString()).toBe('one');
    expect(open(folder).read(keyOf(2))).toBeUndefined();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('takes a damaged entry for none, and removes it', () => {
    const cache = open(base);
    cache.write(keyOf(1), Buffer.from('one two three'));
    const [name] = readdirSync(base);
    const bytes = readFileSync(path.join(base, name!));
    for (const damaged of [
      bytes.subarray(0, -1),
      Buffer.from('short'),
      Buffer.concat([bytes, Buffer.from('x')]),
    ]) {
      writeFileSync(path.join(base, name!), damaged);
      expect(cache.read(keyOf(1))).toBeUndefined();
      expect(readdirSync(base)).toEqual([]);
    }
  });

  test('leaves no file outside its folder, whatever the key', () => {
    const cache = open(path.join(base, 'inner'));
    cache.write('../../evil', Buffer.from('x'));
    expect(readdirSync(base)).toEqual(['inner']);
    expect(cache.read('../../evil')).toEqual(Buffer.from('x'));
  });

  test('stays below its size, dropping what was not used for longest', () => {
    const cache = open(base, 10_000);
    for (let n = 0; n < 30; n++) {
      cache.write(keyOf(n), Buffer.alloc(1000, n));
      const date = 1_700_000_000 + n;
      utimesSync(path.join(base, `${keyOf(n)}.program`), date, date);
      // The first is used all the time.
      expect(cache.read(keyOf(0))).toBeDefined();
    }
    const sizes = readdirSync(base).map((name) => statSync(path.join(base, name)).size);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(10_000);
    expect(cache.read(keyOf(29))).toBeDefined();
    expect(cache.read(keyOf(1))).toBeUndefined();
  });

  test('does not keep what would fill it alone', () => {
    const cache = open(base, 10_000);
    cache.write(keyOf(1), Buffer.alloc(9000));
    expect(readdirSync(base)).toEqual([]);
  });

  test('clears away what a crash left half written', () => {
    const stale = path.join(base, 'x.program.1.0.new');
    writeFileSync(stale, 'half');
    utimesSync(stale, 1_700_000_000, 1_700_000_000);
    open(base).write(keyOf(1), Buffer.from('one'));
    expect(readdirSync(base)).toEqual([`${keyOf(1)}.program`]);
  });

  test('goes on when the folder disappears', () => {
    const folder = path.join(base, 'gone');
    const cache = open(folder);
    rmSync(folder, { recursive: true });
    cache.write(keyOf(1), Buffer.from('one'));
    expect(cache.read(keyOf(1))).toBeUndefined();
  });
});

describe('a folder that is not safe is refused', () => {
  test('when others may write to it', () => {
    const folder = path.join(base, 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    expect(openProgramCache(folder)).toEqual({
      kind: 'refused',
      problem: `others may write to ${folder}, so compiled scripts are not kept there: chmod go-w ${folder}`,
    });
  });

  test('when others could put another in its place', () => {
    const parent = path.join(base, 'open');
    mkdirSync(parent);
    chmodSync(parent, 0o777);
    expect(openProgramCache(path.join(parent, 'mine'))).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('others could replace'),
    });
  });

  test('when it is a link or a file', () => {
    symlinkSync(base, path.join(base, 'link'));
    writeFileSync(path.join(base, 'file'), '');
    expect(openProgramCache(path.join(base, 'link')).kind).toBe('refused');
    expect(openProgramCache(path.join(base, 'file')).kind).toBe('refused');
  });
});

test("a user's cache lies where the desktop says, or in .cache", () => {
  const before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = '/somewhere';
  expect(userCacheFolder()).toBe('/somewhere/argonite');
  process.env['XDG_CACHE_HOME'] = 'relative';
  expect(userCacheFolder()).toBe(path.join(os.homedir(), '.cache/argonite'));
  if (before === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = before;
});
