import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type QueuedMessage, type Spool, SpoolError } from '../../../src/spool/spool.js';
import { openSpools } from '../../../src/spool/spread-spool.js';
import { FrozenFiles, type Operation } from '../../support/frozen-files.js';
import { commitMessage, keptLog, queueRequest, readMessage, uuid } from '../../support/mail-samples.js';
import { idsOf } from '../../support/opened-spool.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const folders = ['/one', '/two'];

async function openedSpools(files: FrozenFiles) {
  const log = keptLog();
  const sizes = { reserveBytes: 0, memoryBytes: 5000, repairMs: 5 };
  const spool = await openSpools({ folders, files, log, now: () => 1000, sizes });
  onTestFinished(() => spool.close());
  const found: QueuedMessage[] = [];
  await spool.recover((messages) => found.push(...messages));
  return { spool, files, found, log };
}

function twoFolders(): FrozenFiles {
  const files = new FrozenFiles();
  files.folders = new Set(folders);
  return files;
}

const body = (n: number) => Buffer.from(`Subject: ${n}\r\n\r\nbody ${n}\r\n`);
const idOf = (n: number) =>
  `${((n * 2654435761) % 2 ** 32).toString(16).padStart(8, '0')}${uuid(n).slice(8)}`;
const commit = (spool: Spool, n: number) => commitMessage(spool, idOf(n), body(n));
const inFolder = (files: FrozenFiles, folder: string) =>
  [...files.names].reduce(
    (sum, [name, file]) => sum + (name.startsWith(`${folder}/body`) ? files.contents[file]!.length : 0),
    0,
  );

test('mail is spread over two folders, and a restart finds all of it', async () => {
  const { spool, files } = await openedSpools(twoFolders());
  const messages: QueuedMessage[] = [];
  for (let n = 0; n < 100; n++) messages.push(...(await commit(spool, n)));
  for (const folder of folders) expect(inFolder(files, folder)).toBeGreaterThan(1000);
  for (const { id } of messages) await spool.update(id, { retry: 1, nextTry: 2000 });
  await spool.remove(messages[0]!.id);
  await spool.close();
  const after = await openedSpools(files);
  expect(idsOf(after.found)).toEqual(idsOf(messages.slice(1)));
  expect(after.found.every(({ retry }) => retry === 1)).toBe(true);
  for (const [n, { id }] of messages.entries()) {
    if (n > 0) expect(await readMessage(after.spool, id)).toEqual(body(n));
  }
});

test('the recipients of a transaction stay in one folder', async () => {
  const { spool, files } = await openedSpools(twoFolders());
  await commitMessage(
    spool,
    idOf(7),
    body(7),
    [1, 2, 3].map((number) => queueRequest(number)),
  );
  expect(folders.filter((folder) => inFolder(files, folder) > 0)).toHaveLength(1);
});

const full = ({ kind, name }: Operation) =>
  kind === 'write' && name.startsWith('/one/') ? { code: 'ENOSPC' } : undefined;

test('a folder that is full is passed over; mail goes to the other, and comes back later', async () => {
  const { spool, files, log } = await openedSpools(twoFolders());
  files.fail = full;
  const messages: QueuedMessage[] = [];
  for (let n = 0; n < 40; n++) messages.push(...(await commit(spool, n)));
  expect(inFolder(files, '/one')).toBe(0);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  // A large one, which goes to its folder's disk as it comes, may be refused once; then its folder is passed over.
  const large = Buffer.alloc(20_000, 'x');
  const refused = await commitMessage(spool, idOf(50), large).then(
    () => 0,
    () => 1,
  );
  for (let n = 51; n < 55; n++) await commitMessage(spool, idOf(n), large);
  files.fail = () => undefined;
  await expect.poll(() => log.lines.at(-1)?.message).toBe('the spool can be written to again');
  for (let n = 60; n < 100; n++) messages.push(...(await commit(spool, n)));
  expect(inFolder(files, '/one')).toBeGreaterThan(500);
  await spool.close();
  expect((await openedSpools(files)).found).toHaveLength(84 + 1 - refused);
});

test('mail is refused when every folder is broken', async () => {
  const { spool, files } = await openedSpools(twoFolders());
  files.fail = ({ kind }) => (kind === 'write' ? { code: 'EIO' } : undefined);
  await expect(commit(spool, 1)).rejects.toMatchObject({ noSpace: false, isTold: true });
  await expect(commit(spool, 2)).rejects.toThrow(SpoolError);
});

test('what lies in a folder that cannot be written to is not to be sent, what lies in the others is; new mail goes there', async () => {
  const { spool, files } = await openedSpools(twoFolders());
  const messages: QueuedMessage[] = [];
  for (let n = 0; n < 20; n++) messages.push(...(await commit(spool, n)));
  expect(spool.isPartlyWritable()).toBe(false);
  files.fail = ({ kind, name }) =>
    kind === 'write' && name.startsWith('/one/') ? { code: 'EIO' } : undefined;
  const outcomes = await Promise.allSettled(messages.map(({ id }) => spool.update(id, { retry: 1 })));
  const isRefused = outcomes.map(({ status }) => status === 'rejected');
  expect(new Set(isRefused)).toEqual(new Set([true, false]));
  expect(spool.isWritable()).toBe(true);
  expect(spool.isPartlyWritable()).toBe(true);
  for (const [n, { id }] of messages.entries()) expect(spool.isWritable(id)).toBe(!isRefused[n]);
  const before = inFolder(files, '/two');
  for (let n = 20; n < 40; n++) await commit(spool, n);
  expect(inFolder(files, '/two')).toBeGreaterThan(before + 20 * 20);
  files.fail = () => undefined;
  await expect.poll(() => spool.isPartlyWritable()).toBe(false);
  for (const { id } of messages) expect(spool.isWritable(id)).toBe(true);
});

test('room is asked of each folder', async () => {
  const files = twoFolders();
  files.freeOf.set('/one', { bytes: 10, inodes: 10 });
  const log = keptLog();
  const spool = await openSpools({
    folders,
    files,
    log,
    minimumFree: { bytes: 1000, inodes: 0 },
    sizes: { reserveBytes: 0 },
  });
  onTestFinished(() => spool.close());
  await spool.recover(() => {});
  for (let n = 0; n < 20; n++) await commit(spool, n);
  expect(inFolder(files, '/one')).toBe(0);
  expect(spool.hasRoomFor(100)).toBe(true);
  expect(spool.hasRoomFor(1e13)).toBe(false);
});

test('an id that is in one folder is refused by all', async () => {
  const { spool } = await openedSpools(twoFolders());
  await commit(spool, 1);
  await expect(commit(spool, 1)).rejects.toThrow('is in the spool already');
});

test('a message that two folders have is found once, and the other is taken out', async () => {
  const { spool, files } = await openedSpools(twoFolders());
  const [message] = await commit(spool, 1);
  await spool.close();
  const copy = new FrozenFiles();
  copy.folders = new Set(folders);
  const folder = folders.find((name) => inFolder(files, name) > 0)!;
  for (const [name, file] of files.names) {
    if (!name.startsWith(`${folder}/`)) continue;
    for (const other of folders) {
      const handle = await copy.open(name.replace(folder, other), 'create');
      await handle.write([files.contents[file]!], 0);
    }
  }
  const after = await openedSpools(copy);
  expect(idsOf(after.found)).toEqual(idsOf([message!]));
  expect(after.log.lines.map(({ level }) => level)).toEqual(['warn']);
  await after.spool.close();
  const again = await openedSpools(copy);
  expect(idsOf(again.found)).toEqual(idsOf([message!]));
  expect(again.log.lines).toEqual([]);
});

test('of several folders one that is missing is a reason not to start; a single one is made', async () => {
  const parent = scratchFolder();
  const [there, missing] = [path.join(parent, 'there'), path.join(parent, 'missing')];
  mkdirSync(there);
  const open = openSpools({ folders: [there, missing], log: keptLog() });
  await expect(open).rejects.toThrow(`the spool folder ${missing} does not exist`);
  const single = await openSpools({ folders: [missing], log: keptLog() });
  await single.close();
  const both = await openSpools({ folders: [there, missing], log: keptLog() });
  await both.close();
});
