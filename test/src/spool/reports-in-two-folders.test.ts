import { expect, onTestFinished, test } from 'vitest';
import { messageIdToText } from '../../../src/spool/id-table.js';
import type { QueuedMessage, Spool } from '../../../src/spool/spool.js';
import { openSpools } from '../../../src/spool/spread-spool.js';
import { FrozenFiles } from '../../support/frozen-files.js';
import { commitMessage, keptLog, queueRequest, seededRandom, uuid } from '../../support/mail-samples.js';

// A message ends, and a report tells of it: the report is committed, the message removed; then the report is delivered and removed.
// On a disk as a kill or a power cut leaves it, a message whose report was promised is never there without that report: it
// would be told of twice.

const folders = ['/one', '/two'];

async function opened(files: FrozenFiles): Promise<{ spool: Spool; found: readonly string[] }> {
  const sizes = {
    reserveBytes: 0,
    memoryBytes: 5000,
    metaSegmentBytes: 1500,
    bodySegmentBytes: 3000,
    snapshotBytes: 3000,
    repairMs: 1,
  };
  const spool = await openSpools({ folders, files, log: keptLog(), now: () => 1000, corrupt: 'fail', sizes });
  onTestFinished(() => spool.close());
  const found: QueuedMessage[] = [];
  await spool.recover((messages) => found.push(...messages));
  return { spool, found: found.map(({ id }) => messageIdToText(id)) };
}

const idOf = (n: number, isReport: boolean) =>
  `${((n * 2654435761 + (isReport ? 1e9 : 0)) % 2 ** 32).toString(16).padStart(8, '0')}${uuid(2 * n + (isReport ? 1 : 0)).slice(8)}`;
const nameOf = (n: number, isReport: boolean) => `${idOf(n, isReport)}:1`;

/** Messages that end one after the other, some at a time. In half of them the folder of the message takes no new mail by then. */
async function work(files: FrozenFiles, seed: number, count: number): Promise<void> {
  const random = seededRandom(seed);
  const { spool } = await opened(files);
  const turns = async () => {
    for (let turn = Math.floor(random() * 5); turn > 0; turn--) await new Promise(setImmediate);
  };
  const line = Array.from({ length: count }, (_, n) => n).values();
  const worker = async () => {
    for (const n of line) {
      const [message] = await commitMessage(spool, idOf(n, false), Buffer.alloc(100 + n * 10, `${n} `)).catch(
        () => [],
      );
      if (message === undefined) continue;
      files.mark(`in ${n}`);
      await turns();
      const size = random() < 0.2 ? 8000 : 200;
      const [report] = await commitReport(spool, n, Buffer.alloc(size, `told ${n} `)).catch(() => []);
      if (report === undefined) continue;
      files.mark(`told ${n}`);
      const removed = spool.remove(message.id);
      await turns();
      await removed;
      files.mark(`going ${n}`);
      await spool.remove(report.id);
      await turns();
    }
  };
  const full = { folder: '' };
  files.fail = ({ kind, name }) =>
    kind === 'write' && name.startsWith(`${full.folder}/`) && !name.includes('/meta-')
      ? { code: 'ENOSPC' }
      : undefined;
  let isOver = false;
  const others = (async () => {
    while (!isOver) {
      full.folder = random() < 0.5 ? '/none' : folders[Math.floor(random() * 2)]!;
      for (let turn = 0; turn < 12; turn++) await turns();
    }
    full.folder = '/none';
  })();
  await Promise.all([worker(), worker(), worker()]);
  isOver = true;
  await others;
}

async function commitReport(spool: Spool, n: number, body: Buffer): Promise<readonly QueuedMessage[]> {
  const beside = { transaction: idOf(n, false), number: 1 };
  const incoming = spool.receive(beside);
  await incoming.write(body);
  const message = await incoming.finish();
  const pieces = [{ kind: 'range', start: 0, end: message.sizeBytes }] as const;
  return spool.commit({
    id: idOf(n, true),
    ts: 1000,
    serverId: '',
    senderIp: '',
    senderHelo: '',
    message,
    beside,
    requests: [queueRequest(1, { pieces })],
  });
}

test('a report lies in the folder of its message', async () => {
  const files = new FrozenFiles();
  const { spool } = await opened(files);
  for (let n = 0; n < 40; n++) {
    await commitMessage(spool, idOf(n, false), Buffer.from(`message <${n}>`));
    // Every third has a file of its own.
    await commitReport(spool, n, Buffer.from(`report <${n}>`.padEnd(n % 3 === 0 ? 9000 : 20)));
  }
  const bytes = (folder: string) =>
    [...files.names]
      .filter(([name]) => name.startsWith(`${folder}/`))
      .map(([, file]) => files.contents[file]!.toString('latin1'))
      .join();
  for (const folder of folders) {
    const all = bytes(folder);
    expect(all).toMatch(/message <\d+>/);
    for (let n = 0; n < 40; n++)
      expect([n, all.includes(`message <${n}>`)]).toEqual([n, all.includes(`report <${n}>`)]);
  }
});

test('no power cut brings a message back whose report has gone', async () => {
  let images = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const files = new FrozenFiles();
    await work(files, seed, 25);
    const random = seededRandom(seed);
    for (let moment = 1; moment <= files.diary.length; moment += 1 + Math.floor(random() * 3)) {
      const isPowerCut = random() < 0.8;
      const image = isPowerCut ? files.afterPowerCut(moment, random) : files.afterKill(moment);
      const { spool, found } = await opened(image);
      const there = new Set(found);
      images++;
      for (const mark of files.marksUntil(moment)) {
        const [word, n] = mark.split(' ') as [string, string];
        const message = there.has(nameOf(Number(n), false));
        const report = there.has(nameOf(Number(n), true));
        const where = `seed ${seed}, moment ${moment}, ${isPowerCut ? 'power cut' : 'kill'}: ${n}`;
        if (word === 'told' && message && !report) throw new Error(`${where} is back without its report`);
        if (word === 'told' && !report && !files.marksUntil(moment).includes(`going ${n}`))
          throw new Error(`${where}: its report is lost`);
      }
      await spool.close();
    }
  }
  expect(images).toBeGreaterThan(500);
}, 120_000);
