import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SpoolSizes } from '../../../src/spool/disk-spool.js';
import type { QueuedMessage } from '../../../src/spool/spool.js';
import { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, readMessage, uuid } from '../../support/mail-samples.js';
import { idsOf, openedSpool } from '../../support/opened-spool.js';

const sizes: Partial<SpoolSizes> = {
  metaSegmentBytes: 4000,
  bodySegmentBytes: 10_000,
  snapshotBytes: 8000,
  memoryBytes: 2000,
  recentBytes: 0,
};

function bytesOnDisk(files: FrozenFiles): number {
  let sum = 0;
  for (const file of files.names.values()) sum += files.contents[file]!.length;
  return sum;
}

const bodyOf = (n: number) => Buffer.alloc(200 + ((n * 61) % 1500), `(${n})`);

test('under load the files stay as small as what lives in them, and every message can be read at all times', async () => {
  const { spool, files, log } = await openedSpool(new FrozenFiles(), { sizes });
  const living: QueuedMessage[] = [];
  let largest = 0;
  for (let n = 0; n < 1500; n++) {
    living.push(...(await commitMessage(spool, uuid(n), bodyOf(n))));
    if (living.length > 60) {
      // Every twentieth message stays for long, so that segments are left with a few.
      const at = living.findIndex(
        (message) => Number.parseInt(message.id.transaction.slice(-6), 16) % 20 !== 0,
      );
      const [done] = living.splice(at < 0 ? 0 : at, 1);
      await spool.remove(done!.id);
    }
    if (n % 50 === 0) {
      for (const message of living) {
        const number = Number.parseInt(message.id.transaction.slice(-6), 16);
        expect((await readMessage(spool, message.id)).equals(bodyOf(number))).toBe(true);
      }
      largest = Math.max(largest, bytesOnDisk(files));
    }
  }
  await spool.compacted();
  expect(log.lines).toEqual([]);
  // Some sixty messages of a kilobyte; without compaction it would be 1.5 MB and more.
  expect(largest).toBeLessThan(450_000);
  await spool.close();
  const after = await openedSpool(files, { sizes });
  expect(idsOf(after.found)).toEqual(idsOf(living));
});

test('a reader keeps its bytes while they are moved and their file deleted', async () => {
  const { spool, files } = await openedSpool(new FrozenFiles(), { sizes });
  const messages: QueuedMessage[] = [];
  for (let n = 0; n < 12; n++)
    messages.push(...(await commitMessage(spool, uuid(n), Buffer.alloc(1500, `${n}`))));
  const reading = spool.open(messages[0]!.id).chunks()[Symbol.asyncIterator]();
  for (const message of messages.slice(1, 7)) await spool.remove(message.id);
  await spool.compacted();
  expect([...files.names.keys()].some((name) => name.includes('body-00000001'))).toBe(false);
  expect((await reading.next()).value).toEqual(Buffer.alloc(1500, '0'));
});

for (const code of ['EMFILE', 'EIO']) {
  test(`a disk that cannot be read for a while (${code}) is not taken for a damaged message`, async () => {
    const { spool, files, log } = await openedSpool(new FrozenFiles(), { sizes });
    const messages: QueuedMessage[] = [];
    for (let n = 0; n < 20; n++)
      messages.push(...(await commitMessage(spool, uuid(n), Buffer.alloc(1500, `${n}`))));
    files.fail = ({ kind, name }) =>
      name.includes('body-00000001') && ['open', 'read'].includes(kind) ? { code } : undefined;
    for (const message of messages.slice(1, 6)) await spool.remove(message.id);
    await spool.compacted();
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
    files.fail = () => undefined;
    // Its file is no file that is kept as it is: the next that leaves it lets the rest be moved.
    await spool.remove(messages[6]!.id);
    await spool.compacted();
    expect([...files.names.keys()].some((name) => name.includes('body-00000001'))).toBe(false);
    expect(await readMessage(spool, messages[0]!.id)).toEqual(Buffer.alloc(1500, '0'));
  });
}

test('a snapshot that cannot be written is tried again later and costs nothing', async () => {
  const { spool, files, log } = await openedSpool(new FrozenFiles(), { sizes });
  files.fail = ({ name }) => (name.includes('snapshot') ? { code: 'ENOSPC' } : undefined);
  for (let n = 0; n < 60; n++) await commitMessage(spool, uuid(n), bodyOf(n));
  await spool.compacted();
  expect(log.lines.some(({ level }) => level === 'warn')).toBe(true);
  expect([...files.names.keys()].some((name) => name.includes('snapshot'))).toBe(false);
  files.fail = () => undefined;
  for (let n = 60; n < 120; n++) await commitMessage(spool, uuid(n), bodyOf(n));
  await spool.compacted();
  expect([...files.names.keys()].some((name) => name.includes('snapshot'))).toBe(true);
  await spool.close();
  expect((await openedSpool(files, { sizes })).found).toHaveLength(120);
});

test('starts without work do not pile up files', async () => {
  const files = new FrozenFiles();
  for (let i = 0; i < 40; i++) {
    const { spool } = await openedSpool(files);
    await spool.compacted();
    await spool.close();
  }
  expect(files.names.size).toBeLessThan(22);
});

type Step =
  | { readonly kind: 'commit'; readonly sizeBytes: number; readonly hold: boolean }
  | { readonly kind: 'update'; readonly which: number; readonly retry: number; readonly reason: string }
  | { readonly kind: 'remove'; readonly which: number }
  | { readonly kind: 'restart' };

test('it agrees with a map over any run of commits, changes, removals and restarts', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('commit' as const),
        sizeBytes: fc.nat(3000),
        hold: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('update' as const),
        which: fc.nat(),
        retry: fc.nat(60),
        reason: fc.string(),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const files = new FrozenFiles();
      const small = {
        ...sizes,
        metaSegmentBytes: 700,
        bodySegmentBytes: 2500,
        snapshotBytes: 1000,
        liveShare: 0.7,
      };
      let { spool } = await openedSpool(files, { sizes: small });
      const model = new Map<string, { message: QueuedMessage; body: Buffer }>();
      const pick = (which: number) => [...model.keys()][which % model.size]!;
      let n = 0;
      for (const action of steps) {
        if (action.kind === 'commit') {
          const body = Buffer.alloc(action.sizeBytes, `${++n}.`);
          const [message] = await commitMessage(spool, uuid(n), body);
          model.set(message!.id.transaction, { message: message!, body });
        } else if (action.kind === 'restart') {
          await spool.close();
          const after = await openedSpool(files, { sizes: small });
          spool = after.spool;
          const byId = new Map(after.found.map((message) => [message.id.transaction, message]));
          expect(byId).toEqual(new Map([...model].map(([id, { message }]) => [id, message])));
        } else if (model.size > 0 && action.kind === 'update') {
          const entry = model.get(pick(action.which))!;
          const change = { retry: action.retry, reason: action.reason };
          await spool.update(entry.message.id, change);
          const { reason: _, ...rest } = entry.message;
          entry.message = {
            ...rest,
            retry: action.retry,
            ...(action.reason === '' ? {} : { reason: action.reason }),
          };
        } else if (model.size > 0 && action.kind === 'remove') {
          const id = pick(action.which);
          await spool.remove(model.get(id)!.message.id);
          model.delete(id);
        }
      }
      expect(spool.count).toBe(model.size);
      for (const { message, body } of model.values()) {
        expect((await readMessage(spool, message.id)).equals(body)).toBe(true);
      }
      await spool.close();
    }),
    { numRuns: 60 },
  );
}, 60_000);
