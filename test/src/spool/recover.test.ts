import { describe, expect, test } from 'vitest';
import type { DiskSpool } from '../../../src/spool/disk-spool.js';
import type { CorruptPolicy } from '../../../src/spool/recover.js';
import type { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, queueRequest, readMessage, uuid } from '../../support/mail-samples.js';
import { idsOf, openedSpool } from '../../support/opened-spool.js';

const bodyOf = (n: number) => Buffer.from(`Subject: ${n}\r\n\r\nbody of message ${n}\r\n`);
const id = (n: number) => `${uuid(n)}:1`;

/** Messages 1 to `count`, each written by a batch of its own. */
async function filled(count: number): Promise<{ files: FrozenFiles; ends: number[] }> {
  const { spool, files } = await openedSpool();
  const ends = [files.bytesOf('meta-').length];
  for (let n = 1; n <= count; n++) {
    await commitMessage(spool, uuid(n), bodyOf(n));
    ends.push(files.bytesOf('meta-').length);
  }
  // Not closed: as if the process had been killed now.
  return { files: files.copy(), ends };
}

async function expectReadable(spool: DiskSpool, numbers: readonly number[]): Promise<void> {
  for (const n of numbers) {
    expect(await readMessage(spool, { transaction: uuid(n), number: 1 })).toEqual(bodyOf(n));
  }
}

test('a metadata log cut off at any byte of its last records loses only what was cut', async () => {
  const { files, ends } = await filled(3);
  const bytes = files.bytesOf('meta-');
  for (let length = ends[1]!; length < bytes.length; length++) {
    const torn = files.copy();
    torn.setBytes('meta-', bytes.subarray(0, length));
    const kept = [1, 2, 3].filter((n) => ends[n]! <= length);
    const { spool, found, log } = await openedSpool(torn);
    expect(idsOf(found)).toEqual(kept.map(id));
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await expectReadable(spool, kept);
    await commitMessage(spool, uuid(9), bodyOf(9));
    await spool.close();
    const again = await openedSpool(torn);
    expect(idsOf(again.found)).toEqual([...kept, 9].map(id));
    expect(again.log.lines).toEqual([]);
  }
});

test('a last record with any byte changed is taken for torn, those before it stay', async () => {
  const { files, ends } = await filled(3);
  const bytes = files.bytesOf('meta-');
  for (let at = ends[2]!; at < ends[3]!; at++) {
    const damaged = files.copy();
    const changed = Buffer.from(bytes);
    changed[at]! ^= 0x21;
    damaged.setBytes('meta-', changed);
    const { found } = await openedSpool(damaged);
    expect(idsOf(found)).toEqual([1, 2].map(id));
  }
});

test('a record in the middle with any byte changed is damage: moved aside, said loudly, the rest is loaded', async () => {
  const { files, ends } = await filled(4);
  const bytes = files.bytesOf('meta-');
  for (let at = ends[1]!; at < ends[2]!; at++) {
    const damaged = files.copy();
    const changed = Buffer.from(bytes);
    changed[at]! ^= 0x80;
    damaged.setBytes('meta-', changed);
    const { spool, found, log } = await openedSpool(damaged);
    expect(idsOf(found)).toEqual([1, 3, 4].map(id));
    await expectReadable(spool, [1, 3, 4]);
    expect(damaged.bytesOf('.corrupt')).toEqual(changed.subarray(ends[1]!, ends[2]!));
    expect(log.lines.some(({ level, message }) => level === 'error' && message.includes('damaged'))).toBe(
      true,
    );
    await spool.compacted();
    await spool.close();
    const again = await openedSpool(damaged);
    expect(idsOf(again.found)).toEqual([1, 3, 4].map(id));
    expect(again.log.lines).toEqual([]);
  }
});

describe('a damaged record in the middle', () => {
  async function damagedSpool(corrupt: CorruptPolicy) {
    const { files, ends } = await filled(4);
    const bytes = Buffer.from(files.bytesOf('meta-'));
    bytes[ends[1]! + 30]! ^= 1;
    files.setBytes('meta-', bytes);
    return { files, open: () => openedSpool(files, { corrupt }) };
  }

  test('with fail is a reason not to start, and nothing is touched', async () => {
    const { files, open } = await damagedSpool('fail');
    const before = new Map([...files.names].map(([name, file]) => [name, files.contents[file]!]));
    await expect(open()).rejects.toThrow(/meta-00000001.log, bytes \d+ to \d+/);
    const after = new Map([...files.names].map(([name, file]) => [name, files.contents[file]!]));
    expect(after).toEqual(before);
  });

  test('with delete is forgotten', async () => {
    const { files, open } = await damagedSpool('delete');
    const { spool, found } = await open();
    expect(idsOf(found)).toEqual([1, 3, 4].map(id));
    await spool.compacted();
    expect(
      [...files.names.keys()].some((name) => name.includes('corrupt') || name.includes('meta-00000001')),
    ).toBe(false);
  });

  test('with ignore stays where it is, start after start', async () => {
    const { files, open } = await damagedSpool('ignore');
    const before = files.bytesOf('meta-00000001');
    for (let i = 0; i < 2; i++) {
      const { spool, found, log } = await open();
      expect(idsOf(found)).toEqual([1, 3, 4].map(id));
      expect(log.lines.map(({ level }) => level)).toEqual(['error']);
      await spool.compacted();
      await spool.close();
    }
    expect(files.bytesOf('meta-00000001')).toEqual(before);
  });
});

describe('a damaged body', () => {
  async function damagedBody(n: number) {
    const { files } = await filled(3);
    const bytes = Buffer.from(files.bytesOf('body-'));
    bytes[bytes.indexOf(`body of message ${n}`)]! ^= 1;
    files.setBytes('body-', bytes);
    return files;
  }

  test('is moved aside, its message is given up with its recipient named, and stays so', async () => {
    const files = await damagedBody(2);
    const { spool, found, log } = await openedSpool(files);
    expect(idsOf(found)).toEqual([1, 3].map(id));
    expect(log.lines.find(({ level }) => level === 'error')?.fields).toMatchObject({
      messages: [id(2)],
      recipients: ['r1@to.test'],
    });
    expect(files.bytesOf('.corrupt').includes('ody of message 2')).toBe(true);
    await spool.close();
    const again = await openedSpool(files);
    expect(idsOf(again.found)).toEqual([1, 3].map(id));
    expect(again.log.lines).toEqual([]);
  });

  test('with fail is a reason not to start', async () => {
    const files = await damagedBody(1);
    await expect(openedSpool(files, { corrupt: 'fail' })).rejects.toThrow(`message ${uuid(1)}`);
  });

  test('with ignore is left, and its file with it', async () => {
    const files = await damagedBody(2);
    const { spool, found } = await openedSpool(files, { corrupt: 'ignore' });
    for (const message of found) await spool.remove(message.id);
    await spool.close();
    expect(files.bytesOf('body-').includes('ody of message 2')).toBe(true);
    expect((await openedSpool(files, { corrupt: 'ignore' })).found).toEqual([]);
  });

  test('of the last batch was never acknowledged: left out and spoken of', async () => {
    const files = await damagedBody(3);
    const { spool, found, log } = await openedSpool(files);
    expect(idsOf(found)).toEqual([1, 2].map(id));
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
    await spool.close();
    const again = await openedSpool(files);
    expect(idsOf(again.found)).toEqual([1, 2].map(id));
    expect(again.log.lines).toEqual([]);
  });

  test('beyond the budget of the start is found when it is read', async () => {
    const files = await damagedBody(1);
    const { spool, found } = await openedSpool(files, { sizes: { checkBytes: 1 } });
    expect(idsOf(found)).toEqual([1, 2, 3].map(id));
    await expect(readMessage(spool, found[0]!.id)).rejects.toThrow('is damaged');
    await expectReadable(spool, [2, 3]);
  });
});

test('a lost body file costs its messages and no others', async () => {
  const { spool, files } = await openedSpool();
  await commitMessage(spool, uuid(1), bodyOf(1));
  await spool.close();
  const second = await openedSpool(files);
  await commitMessage(second.spool, uuid(2), bodyOf(2));
  await commitMessage(second.spool, uuid(3), bodyOf(3));
  await second.spool.close();
  files.names.delete('/spool/body-00000001.log');
  const { found, log } = await openedSpool(files);
  expect(idsOf(found)).toEqual([2, 3].map(id));
  expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
});

test('a lost metadata file is noticed', async () => {
  const { spool, files } = await openedSpool();
  await commitMessage(spool, uuid(1), bodyOf(1));
  await spool.close();
  await (await openedSpool(files)).spool.close();
  files.names.delete('/spool/meta-00000001.log');
  await expect(openedSpool(files.copy(), { corrupt: 'fail' })).rejects.toThrow(
    'a file of the log is missing',
  );
  const { found, log } = await openedSpool(files);
  expect(found).toEqual([]);
  expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  expect(files.bytesOf('body-').includes('body of message 1')).toBe(true);
});

test('bytes in a message that look like a record are not taken for one', async () => {
  const { files: donor } = await filled(1);
  const fake = donor.bytesOf('meta-');
  const { spool, files } = await openedSpool();
  await commitMessage(spool, uuid(5), bodyOf(5), [
    queueRequest(1, { metadata: { fake: fake.toString('latin1') } }),
  ]);
  await commitMessage(spool, uuid(6), bodyOf(6));
  const bytes = Buffer.from(files.bytesOf('meta-'));
  const at = bytes.indexOf('"ts"');
  bytes[at]! ^= 1;
  const damaged = files.copy();
  damaged.setBytes('meta-', bytes);
  expect(idsOf((await openedSpool(damaged)).found)).toEqual([id(6)]);
});

test('a spool of a newer format is refused, not repaired', async () => {
  const { files } = await filled(1);
  const { crc32 } = await import('node:zlib');
  const bytes = Buffer.from(files.bytesOf('meta-'));
  bytes[2] = 3;
  const size = 16 + bytes.readUInt32LE(4);
  bytes.writeUInt32LE(crc32(bytes.subarray(16, size), crc32(bytes.subarray(0, 12), 0)), 12);
  files.setBytes('meta-', bytes);
  await expect(openedSpool(files)).rejects.toThrow('written in format 3');
});

test('files that are not the spool’s are left alone', async () => {
  const { files } = await filled(1);
  const foreign = await files.open('/spool/README', 'create');
  await foreign.write([Buffer.from('hands off')], 0);
  await openedSpool(files);
  expect(files.bytesOf('README').toString()).toBe('hands off');
});
