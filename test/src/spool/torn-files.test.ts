import { expect, test } from 'vitest';
import type { SpoolSizes } from '../../../src/spool/disk-spool.js';
import { messageIdToText } from '../../../src/spool/id-table.js';
import { DamagedMessageError } from '../../../src/spool/spool.js';
import type { FrozenFiles } from '../../support/frozen-files.js';
import { readMessage, seededRandom } from '../../support/mail-samples.js';
import { openedSpool } from '../../support/opened-spool.js';
import { type WornSpool, wornSizes, wornSpool } from '../../support/worn-spool.js';

// Whatever happens to the bytes of a file, recovery ends; what it finds is what was committed, once; and when anything is missing,
// or back, or older than it should be, the log says that something is wrong.

async function check(
  { messages, isClosed, files }: WornSpool,
  name: string,
  image: FrozenFiles,
  what: string,
  sizes: Partial<SpoolSizes> = wornSizes,
): Promise<void> {
  const { spool, found, log } = await openedSpool(image, { sizes });
  // After a kill the open end may miss whole writes: so it lies on a disk that they have not reached yet.
  const isOpenEnd =
    !isClosed &&
    name ===
      [...files.names.keys()]
        .filter((other) => other.includes('/meta-'))
        .sort()
        .at(-1);
  const isTold = isOpenEnd || log.lines.some(({ level }) => level !== 'info');
  const seen = new Set<string>();
  for (const message of found) {
    const id = messageIdToText(message.id);
    if (seen.has(id)) throw new Error(`${what}: ${id} is there twice`);
    seen.add(id);
    const expected = messages.get(id);
    if (expected === undefined) {
      if (!isTold) throw new Error(`${what}: ${id} is back, and nothing is said`);
      continue;
    }
    if (!isTold) expect([what, message]).toEqual([what, expected.message]);
    const bytes = await readMessage(spool, message.id).catch((error: unknown) => {
      if (error instanceof DamagedMessageError) return undefined;
      throw error;
    });
    if (bytes?.equals(expected.bytes) === false) throw new Error(`${what}: ${id} has other bytes`);
  }
  if (seen.size < messages.size && !isTold)
    throw new Error(`${what}: messages are missing, and nothing is said`);
  await spool.close();
}

function withBytes(files: FrozenFiles, name: string, change: (bytes: Buffer) => Buffer): FrozenFiles {
  const image = files.copy();
  image.setBytes(name, change(Buffer.from(image.bytesOf(name))));
  return image;
}

for (const isClosed of [false, true]) {
  const state = isClosed ? 'closed' : 'killed';

  test(`the files of a ${state} spool may be cut off anywhere near their ends`, async () => {
    const worn = await wornSpool(isClosed);
    const names = [...worn.files.names.keys()];
    for (const kind of ['snapshot', 'meta', 'body', 'large']) expect(names.join()).toContain(kind);
    for (const name of names) {
      const size = worn.files.bytesOf(name).length;
      for (let cut = 1; cut <= Math.min(size, 150); cut++) {
        const image = withBytes(worn.files, name, (bytes) => bytes.subarray(0, size - cut));
        await check(worn, name, image, `${name} without its last ${cut} bytes`);
      }
    }
  }, 60_000);

  test(`each of the last bytes of the files of a ${state} spool may be wrong`, async () => {
    const worn = await wornSpool(isClosed);
    for (const name of worn.files.names.keys()) {
      const size = worn.files.bytesOf(name).length;
      for (let back = 1; back <= Math.min(size, 100); back++) {
        const image = withBytes(worn.files, name, (bytes) => {
          bytes[size - back]! ^= 1 << (back % 8);
          return bytes;
        });
        await check(worn, name, image, `${name}, byte ${size - back} changed`);
      }
    }
  }, 60_000);

  test(`any bit of the files of a ${state} spool may flip`, async () => {
    const worn = await wornSpool(isClosed);
    const random = seededRandom(isClosed ? 1 : 2);
    const names = [...worn.files.names.keys()];
    for (let round = 0; round < 1200; round++) {
      const name = names[Math.floor(random() * names.length)]!;
      // The first bytes, the header's, as often as all the others.
      const share = random() < 0.3 ? 0.05 : 1;
      const at = Math.floor(random() * share * worn.files.bytesOf(name).length);
      const bit = Math.floor(random() * 8);
      const image = withBytes(worn.files, name, (bytes) => {
        bytes[at]! ^= 1 << bit;
        return bytes;
      });
      await check(worn, name, image, `${name}, bit ${bit} of byte ${at} flipped`);
    }
  }, 60_000);

  test(`half-made files and the room kept back by a ${state} spool may be cut off or wrong anywhere; all mail is there`, async () => {
    const worn = await wornSpool(isClosed);
    const snapshot = [...worn.files.names.keys()].find((name) => name.includes('/snapshot-'))!;
    const extras: Readonly<Record<string, Buffer>> = {
      '/spool/incoming-00000090.tmp': Buffer.alloc(3000, 'half a message '),
      '/spool/snapshot-00000090.tmp': Buffer.from(worn.files.bytesOf(snapshot)),
      '/spool/large-00000091.body': Buffer.alloc(3000, 'a message that was never promised '),
      '/spool/reserve': Buffer.alloc(65_536, 'r'),
    };
    const sizes = { ...wornSizes, reserveBytes: 65_536 };
    for (const [name, whole] of Object.entries(extras)) {
      for (const cut of [0, 1, 2, 15, 16, 17, 100, 1000, whole.length]) {
        for (const isWrong of [false, true]) {
          const bytes = Buffer.from(whole.subarray(0, whole.length - cut));
          if (isWrong) bytes.fill(0xa7, Math.max(0, bytes.length - 20));
          const image = worn.files.copy();
          const file = await image.open(name, 'create');
          await file.write([bytes], 0);
          const what = `${name} without ${cut} bytes${isWrong ? ', the last ones wrong' : ''}`;
          await check(worn, name, image, what, sizes);
          // Nothing of what never counted stays, and the room is kept back again.
          const names = [...image.names.keys()];
          expect([what, names.includes(name)]).toEqual([what, name.endsWith('/reserve')]);
          expect([what, image.bytesOf('/reserve').length]).toEqual([what, 65_536]);
        }
      }
    }
  }, 60_000);

  test(`any file of a ${state} spool may be missing or empty`, async () => {
    const worn = await wornSpool(isClosed);
    for (const name of worn.files.names.keys()) {
      const missing = worn.files.copy();
      missing.names.delete(name);
      await check(worn, name, missing, `without ${name}`);
      await check(
        worn,
        name,
        withBytes(worn.files, name, () => Buffer.alloc(0)),
        `${name} is empty`,
      );
    }
  });
}
