import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createScriptFiles } from '../../../../src/scripting/host/script-files.js';
import type { FileContent } from '../../../../stdlib/files/file-content.js';
import { scratchFolder } from '../../../support/scratch-folder.js';

function world() {
  const folder = scratchFolder({
    'root/list.txt': 'one\ntwo\n',
    'root/lib/deep.txt': 'deep',
    'root/gr\u00fc\u00df.txt': '\u00fc',
    'outside.txt': 'secret',
    'rooted/secret.txt': 'secret',
  });
  const at = (name: string) => path.join(folder, name);
  symlinkSync(at('outside.txt'), at('root/link.txt'));
  symlinkSync(at('rooted'), at('root/linked'));
  symlinkSync(at('root/lib'), at('root/inner'));
  symlinkSync('loop', at('root/loop'));
  const refusals: string[] = [];
  const open = createScriptFiles({
    files: new Map([
      ['listed.txt', 'from the list'],
      ['file://list.txt', 'never this'],
    ]),
    root: at('root'),
    onRefusal: (sentence) => refusals.push(sentence),
  });
  const text = async (name: string): Promise<string | undefined> => {
    const file = await open(name);
    if (file === undefined) return undefined;
    const bytes = await file.read(0, file.sizeBytes);
    file.close?.();
    return bytes.toString('latin1');
  };
  return { at, open, text, refusals };
}

const bytes = (name: string) => Buffer.from(name).toString('latin1');

test('a plain name is a file of the configuration, and nothing else', async () => {
  const { open, text } = world();
  expect(await text('listed.txt')).toBe('from the list');
  expect((await open('listed.txt'))!.path).toBeUndefined();
  expect(await text('list.txt')).toBeUndefined();
  expect(await text('')).toBeUndefined();
});

test('file:// names a file below the script root', async () => {
  const { at, open, text, refusals } = world();
  expect(await text('file://list.txt')).toBe('one\ntwo\n');
  expect(await text('file:///list.txt')).toBe('one\ntwo\n');
  expect(await text('file://lib/../lib/./deep.txt')).toBe('deep');
  expect(await text(bytes('file://gr\u00fc\u00df.txt'))).toBe('\xc3\xbc');
  expect(await text('file://inner/deep.txt')).toBe('deep');
  const file = (await open('file://inner/deep.txt'))!;
  expect(file).toMatchObject({ path: at('root/lib/deep.txt'), sizeBytes: 4 });
  file.close?.();
  expect(refusals).toEqual([]);
});

test.each([
  'file://../outside.txt',
  'file://lib/../../outside.txt',
  'file:///../outside.txt',
  'file://..',
  'file://',
  'file://.',
  'file://list.txt\0',
  'file://list.txt\0.png',
  'file://missing.txt',
  'file://list.txt/more',
  `file://${'x'.repeat(5000)}`,
  'FILE://list.txt',
  'http://list.txt',
  '/etc/passwd',
])('%j is not found', async (name) => {
  const { text, refusals } = world();
  expect(await text(name)).toBeUndefined();
  expect(refusals).toEqual([]);
});

test('a link that leads out of the root is refused, and so is one in the middle of a path', async () => {
  const { text, refusals } = world();
  expect(await text('file://link.txt')).toBeUndefined();
  expect(await text('file://linked/secret.txt')).toBeUndefined();
  expect(refusals).toEqual([
    expect.stringContaining(
      '"file://link.txt" is not opened: it is a link that leads out of the script root',
    ),
    expect.stringContaining('"file://linked/secret.txt"'),
  ]);
});

test('folders, pipes and circular links are refused without waiting for anybody', async () => {
  const { at, text, refusals } = world();
  execFileSync('mkfifo', [at('root/pipe')]);
  expect(await text('file://lib')).toBeUndefined();
  expect(await text('file://pipe')).toBeUndefined();
  expect(await text('file://loop')).toBeUndefined();
  expect(refusals).toEqual([
    expect.stringContaining('it is no plain file'),
    expect.stringContaining('it is no plain file'),
    expect.stringContaining('ELOOP'),
  ]);
});

test('what a refusal says of the name cannot forge a line of the log', async () => {
  const { at, text, refusals } = world();
  mkdirSync(at('root/a\nb'));
  expect(await text('file://a\nb')).toBeUndefined();
  expect(refusals[0]).not.toContain('\n');
});

test('a root that begins like another one does not open it', async () => {
  const { text, refusals } = world();
  expect(await text('file://../rooted/secret.txt')).toBeUndefined();
  expect(refusals).toEqual([]);
});

test('without a root there are only the files of the configuration', async () => {
  const open = createScriptFiles({ files: new Map([['a', 'x']]) });
  expect(await open('file://a')).toBeUndefined();
  expect((await open('a'))!.sizeBytes).toBe(1);
  expect(await createScriptFiles({ root: '/no/such/root' })('file://a')).toBeUndefined();
});

test('a file that became shorter gives what is left, and one that grew what it had', async () => {
  const { at, open } = world();
  const file = (await open('file://list.txt'))!;
  truncateSync(at('root/list.txt'), 3);
  expect((await file.read(0, 8)).toString()).toBe('one');
  expect((await file.read(4, 8)).toString()).toBe('');
  writeFileSync(at('root/list.txt'), 'one and more');
  expect(file.sizeBytes).toBe(8);
  file.close?.();
  file.close?.();
});

test('closing gives the descriptor back', async () => {
  const { at, open } = world();
  const descriptors = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === at('root/list.txt');
      } catch {
        // It was the one that read the folder.
        return false;
      }
    }).length;
  const file: FileContent = (await open('file://list.txt'))!;
  expect(descriptors()).toBe(1);
  await file.read(0, 3);
  file.close?.();
  await expect.poll(descriptors).toBe(0);
});
