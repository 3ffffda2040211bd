import { describe, expect, test } from 'vitest';
import type { CorruptPolicy } from '../../../src/spool/recover.js';
import type { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, readMessage, uuid } from '../../support/mail-samples.js';
import { idsOf, openedSpool } from '../../support/opened-spool.js';
import { type WornSpool, wornSizes, wornSpool } from '../../support/worn-spool.js';

// `spool.corrupt` (queue-and-config 1.5) with every kind of file and damage.

/** What is done to which file. The part of a name is that of the first file of its kind. */
const damages: Readonly<Record<string, (files: FrozenFiles) => string>> = {
  'a record of the metadata log': (files) => flip(files, 'meta', 300),
  'the header of a metadata file': (files) => flip(files, 'meta', 40),
  'a record of the snapshot': (files) => flip(files, 'snapshot', 400),
  'the header of the snapshot': (files) => flip(files, 'snapshot', 40),
  'the end of the snapshot': (files) => cut(files, 'snapshot', 10),
  'the body of a message': (files) => flip(files, 'body', 200),
  'the header of a body segment': (files) => flip(files, 'body', 20),
  'the size of a body segment': (files) => cut(files, 'body', 100),
  'the size of a large message': (files) => cut(files, 'large', 1000),
  'a whole body segment': (files) => remove(files, 'body'),
  'a whole large message': (files) => remove(files, 'large'),
  'a whole metadata file': (files) => remove(files, 'meta'),
};

function first(files: FrozenFiles, kind: string): string {
  return [...files.names.keys()].filter((name) => name.includes(`/${kind}-`)).sort()[0]!;
}

function flip(files: FrozenFiles, kind: string, at: number): string {
  const name = first(files, kind);
  const bytes = Buffer.from(files.bytesOf(name));
  bytes[at]! ^= 1;
  files.setBytes(name, bytes);
  return name;
}

function cut(files: FrozenFiles, kind: string, count: number): string {
  const name = first(files, kind);
  files.setBytes(name, files.bytesOf(name).subarray(0, -count));
  return name;
}

function remove(files: FrozenFiles, kind: string): string {
  const name = first(files, kind);
  files.names.delete(name);
  return name;
}

/** The second file of its kind, so that damage is not at an open end: files begin where a start or a full file ends one. */
async function damaged(damage: (files: FrozenFiles) => string) {
  const worn = await wornSpool(true);
  const name = damage(worn.files);
  return { ...worn, name };
}

const open = (files: FrozenFiles, corrupt: CorruptPolicy) =>
  openedSpool(files, { corrupt, sizes: wornSizes });

const imageOf = (files: FrozenFiles) =>
  new Map([...files.names].map(([name, file]) => [name, files.contents[file]!.toString('latin1')]));

/** Everything that was found is what was committed. */
async function expectWhole({ messages }: WornSpool, { spool, found }: Awaited<ReturnType<typeof open>>) {
  for (const message of found) {
    const known = messages.get(idsOf([message])[0]!);
    // Only a lost metadata record brings removed messages back.
    if (known !== undefined) expect((await readMessage(spool, message.id)).equals(known.bytes)).toBe(true);
  }
  expect(found.length).toBeGreaterThan(messages.size / 4);
}

for (const [what, damage] of Object.entries(damages)) {
  describe(`damage of ${what}`, () => {
    test('with fail is a reason not to start that names the file or the message, and nothing is touched', async () => {
      const { files } = await damaged(damage);
      const before = imageOf(files);
      await expect(open(files, 'fail')).rejects.toThrow(
        /is damaged and spool\.corrupt is "fail": (\/spool\/|message )/,
      );
      expect(imageOf(files)).toEqual(before);
    });

    test('with rename is moved aside and told; the rest is loaded, and the next start is quiet', async () => {
      const worn = await damaged(damage);
      const { files, name } = worn;
      const wasThere = files.names.has(name);
      const start = await open(files, 'rename');
      expect(start.log.lines.filter(({ level }) => level === 'error')).not.toEqual([]);
      await expectWhole(worn, start);
      if (wasThere && !what.includes('end of the snapshot')) {
        expect(
          [...files.names.keys()].some((other) => other.startsWith(name) && other.endsWith('.corrupt')),
        ).toBe(true);
      }
      await commitMessage(start.spool, uuid(99), Buffer.from('after'));
      await start.spool.compacted();
      await start.spool.close();
      const again = await open(files, 'rename');
      expect(idsOf(again.found)).toEqual([...idsOf(start.found), `${uuid(99)}:1`].sort());
      expect(again.log.lines).toEqual([]);
    });

    test('with delete is forgotten and told; the rest is loaded, and the next start is quiet', async () => {
      const worn = await damaged(damage);
      const start = await open(worn.files, 'delete');
      expect(start.log.lines.filter(({ level }) => level === 'error')).not.toEqual([]);
      await expectWhole(worn, start);
      await start.spool.compacted();
      await start.spool.close();
      expect([...worn.files.names.keys()].filter((name) => name.includes('corrupt'))).toEqual([]);
      const again = await open(worn.files, 'delete');
      expect(idsOf(again.found)).toEqual(idsOf(start.found));
      expect(again.log.lines).toEqual([]);
    });

    test('with ignore stays where it is and is told at every start; the rest is loaded', async () => {
      const worn = await damaged(damage);
      const before = imageOf(worn.files).get(worn.name);
      for (let i = 0; i < 2; i++) {
        const start = await open(worn.files, 'ignore');
        expect(start.log.lines.filter(({ level }) => level === 'error')).not.toEqual([]);
        await expectWhole(worn, start);
        await start.spool.compacted();
        await start.spool.close();
      }
      expect(imageOf(worn.files).get(worn.name)).toEqual(before);
    });
  });
}
