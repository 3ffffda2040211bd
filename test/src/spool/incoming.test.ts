import { expect, test } from 'vitest';
import type { Pieces } from '#stdlib';
import { SpoolError } from '../../../src/spool/spool.js';
import { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, queueRequest, readMessage, seededRandom, uuid } from '../../support/mail-samples.js';
import { idsOf, openedSpool } from '../../support/opened-spool.js';

const small = { sizes: { memoryBytes: 10_000 } };

function large(sizeBytes: number): Buffer {
  const random = seededRandom(sizeBytes);
  return Buffer.from(Array.from({ length: sizeBytes }, () => Math.floor(random() * 256)));
}

function fileNames(files: FrozenFiles): string[] {
  return [...files.names.keys()].filter((name) => /large|incoming/.test(name));
}

test('a message larger than the limit goes to a file of its own while it comes in', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), small);
  const bytes = large(200_000);
  const incoming = spool.receive();
  for (let at = 0; at < bytes.length; at += 7001) await incoming.write(bytes.subarray(at, at + 7001));
  expect(fileNames(files)).toEqual(['/spool/incoming-00000001.tmp']);
  const message = await incoming.finish();
  expect(message.isComplete).toBe(false);
  expect(message.sizeBytes).toBe(bytes.length);
  expect(message.head.equals(bytes.subarray(0, message.head.length))).toBe(true);
  expect(message.head.length).toBeGreaterThanOrEqual(10_000);
  expect((await message.read(5, 20)).equals(bytes.subarray(5, 20))).toBe(true);
  expect((await message.read(150_000, 150_100)).equals(bytes.subarray(150_000, 150_100))).toBe(true);
  message.discard();
  await new Promise(setImmediate);
  expect(fileNames(files)).toEqual([]);
});

test('a large message survives a restart, edited or not, and its file goes with it', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), small);
  const bytes = large(200_000);
  const pieces: Pieces = [
    { kind: 'bytes', bytes: Buffer.from('X: 1\r\n') },
    { kind: 'range', start: 100, end: 150_000 },
  ];
  const messages = await commitMessage(spool, uuid(1), bytes, [queueRequest(1), queueRequest(2, { pieces })]);
  expect(fileNames(files)).toEqual(['/spool/large-00000001.body']);
  await spool.close();
  const after = await openedSpool(files, small);
  expect(idsOf(after.found)).toEqual(idsOf(messages));
  expect(after.spool.open(messages[0]!.id).whole()).toBeUndefined();
  expect((await readMessage(after.spool, messages[0]!.id)).equals(bytes)).toBe(true);
  const edited = Buffer.concat([Buffer.from('X: 1\r\n'), bytes.subarray(100, 150_000)]);
  expect((await readMessage(after.spool, messages[1]!.id)).equals(edited)).toBe(true);
  for await (const chunk of after.spool.open(messages[0]!.id).chunks()) {
    expect(chunk.length).toBeLessThanOrEqual(65_536);
    break;
  }
  await after.spool.remove(messages[0]!.id);
  expect(fileNames(files)).toHaveLength(1);
  await after.spool.remove(messages[1]!.id);
  await new Promise(setImmediate);
  expect(fileNames(files)).toEqual([]);
});

test('a large message whose bytes have changed is reported, not sent', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), small);
  const [message] = await commitMessage(spool, uuid(1), large(200_000));
  const bytes = Buffer.from(files.bytesOf('large-'));
  bytes[199_999]! ^= 1;
  files.setBytes('large-', bytes);
  await expect(readMessage(spool, message!.id)).rejects.toThrow('checksum does not match');
  files.setBytes('large-', bytes.subarray(0, 1000));
  await expect(readMessage(spool, message!.id)).rejects.toThrow('ends at byte 1000');
});

test('a message that is discarded halfway leaves nothing', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), small);
  const incoming = spool.receive();
  void incoming.write(large(20_000));
  incoming.discard();
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  expect(fileNames(files)).toEqual([]);
});

test('a file of a message that was never committed is gone after a restart', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), small);
  await spool.receive().write(large(20_000));
  await new Promise(setImmediate);
  const after = await openedSpool(files.copy(), small);
  expect(fileNames(after.files)).toEqual([]);
});

test.each(['write', 'sync', 'rename', 'syncFolder', 'open'] as const)(
  'a full disk at the %s of a large message is told as such and leaves nothing',
  async (kind) => {
    const { spool, files } = await openedSpool(new FrozenFiles(), small);
    files.fail = (operation) => (operation.kind === kind ? { code: 'ENOSPC', written: 100 } : undefined);
    const failure = await commitMessage(spool, uuid(1), large(200_000)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SpoolError);
    expect(failure).toMatchObject({ noSpace: true });
    files.fail = () => undefined;
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    expect(fileNames(files)).toEqual([]);
    await commitMessage(spool, uuid(2), large(200_000));
    expect(idsOf((await openedSpool(files.copy(), small)).found)).toEqual([`${uuid(2)}:1`]);
  },
);

test('a sender that is faster than the disk is asked to wait', async () => {
  const { spool } = await openedSpool();
  const incoming = spool.receive();
  expect(incoming.write(Buffer.alloc(1024 * 1024))).toBeUndefined();
  const wait = incoming.write(Buffer.alloc(1024 * 1024));
  expect(wait).toBeInstanceOf(Promise);
  await wait;
  (await incoming.finish()).discard();
});
