import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { configFolder, sendMail, startDaemonIn, startMta, subjectOf } from '../support/mta.js';
import { TestClient } from '../support/smtp-client.js';

// A spool on a file system of a few MiB, so that it can really be full.

/** Mounts a small file system for the time of the test. @returns why it cannot */
function mountSmall(folder: string, size: string): string | undefined {
  mkdirSync(folder, { recursive: true });
  const result = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'argonite-test', folder], {
    encoding: 'utf8',
  });
  return result.status === 0 ? undefined : (result.error?.message ?? result.stderr.trim());
}

function cannotMount(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to mount a small file system';
  const probe = path.join('/tmp', `argonite-mount-${process.pid}`);
  const why = mountSmall(probe, '64k');
  if (why === undefined) spawnSync('umount', [probe]);
  rmSync(probe, { recursive: true, force: true });
  return why === undefined ? undefined : `cannot mount a small file system: ${why}`;
}

const reason = cannotMount();
const needsMount = test.skipIf(reason !== undefined);
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);

/** Leaves less than `bytes` on the file system. */
function fill(folder: string, bytes: number): string {
  const file = path.join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
  return file;
}

/**
 * A daemon whose spool is on a file system of its own. The next hop takes nothing until `open` is called, and never what is for
 * `stays@example.test`.
 */
async function smallSpool(size: string, spool: Record<string, unknown> = {}) {
  let isOpen = false;
  const sink = await CountingSink.start({
    reply: (verb, line) =>
      verb === 'RCPT' && (!isOpen || line.includes('<stays@')) ? '451 4.3.0 later' : undefined,
  });
  onTestFinished(() => sink.stop());
  const folder = configFolder({
    nextHopPort: sink.port,
    spool,
    retry: { count: 10_000, intervals: [{ interval: 0.2 }] },
    // Large messages are many to a file system of this size.
    phases: { data: { maxsize: '100MiB' } },
  });
  const spoolFolder = path.join(folder, 'spool');
  const why = mountSmall(spoolFolder, size);
  if (why !== undefined) throw new Error(why);
  // Called after the daemon was stopped: what was registered last goes first.
  onTestFinished(() => {
    spawnSync('umount', ['-l', spoolFolder]);
  });
  const daemon = await startDaemonIn(folder);
  return {
    daemon,
    sink,
    spoolFolder,
    open: () => {
      isOpen = true;
    },
  };
}

const usedBytes = (folder: string) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);

needsMount(
  named(
    'on a full disk mail is refused with 452 4.3.1, and taken again when there is room; what was accepted is delivered',
  ),
  async () => {
    const { daemon, sink, spoolFolder, open } = await smallSpool('8m');
    const accepted: string[] = [];
    const body = `${'x'.repeat(70)}\r\n`.repeat(700);
    const { client } = await TestClient.connect(daemon.port);
    const send = async (subject: string, text = body) => {
      const reply = await client.send(
        'a@client.test',
        ['b@example.test'],
        `Subject: ${subject}\r\n\r\n${text}`,
      );
      if (reply.code === 250) accepted.push(subject);
      return reply;
    };
    for (let i = 0; i < 3; i++) expect((await send(`before ${i}`)).code).toBe(250);

    const ballast = fill(spoolFolder, 100_000);
    let refused = 0;
    for (let i = 0; i < 12; i++) {
      const reply = await send(`while ${i}`);
      if (reply.code === 250) continue;
      refused++;
      expect(reply.lines).toEqual(['452 4.3.1 Out of storage; try again later']);
    }
    expect(refused).toBeGreaterThan(5);
    // One with a file of its own: nothing of it stays.
    const before = usedBytes(spoolFolder);
    const large = await send('large', `${'x'.repeat(998)}\r\n`.repeat(2500));
    expect(large.lines).toEqual(['452 4.3.1 Out of storage; try again later']);
    expect(readdirSync(spoolFolder).filter((name) => name.startsWith('large'))).toEqual([]);
    expect(usedBytes(spoolFolder)).toBeLessThanOrEqual(before + 8192);
    expect(
      daemon.lines.some((line) => line.level === 'error' && JSON.stringify(line).includes('ENOSPC')),
    ).toBe(true);

    rmSync(ballast);
    // The room that the spool had kept back comes first.
    await expect.poll(async () => (await send('after')).code, { interval: 100 }).toBe(250);
    await client.quit();
    open();
    await sink.waitFor(accepted.length);
    expect(await daemon.stop()).toBe(0);
    expect(sink.deliveries.map(subjectOf).sort()).toEqual([...accepted].sort());
    const again = await startDaemonIn(daemon.folder);
    const ready = await again.waitForLine(({ msg }) => msg === 'ready');
    expect(ready['queue']).toEqual({ active: 0, defer: 0, hold: 0 });
  },
);

/** Sends messages of some 50 KB until twenty are refused, the first of them for that recipient. */
async function filled(port: number, first: string): Promise<{ accepted: string[]; client: TestClient }> {
  const accepted: string[] = [];
  const { client } = await TestClient.connect(port);
  for (let i = 0, refused = 0; refused < 20; i++) {
    const reply = await client.send(
      'a@client.test',
      [i === 0 ? first : 'b@example.test'],
      `Subject: before ${i}\r\n\r\n${text50k}`,
    );
    if (reply.code === 250) accepted.push(`before ${i}`);
    else refused++;
    if (reply.code !== 250) expect(reply.lines).toEqual(['452 4.3.1 Out of storage; try again later']);
  }
  return { accepted, client };
}

const text50k = `${'x'.repeat(70)}\r\n`.repeat(700);

/** Mail is taken again, several at once, without a restart; in the end each was delivered once but `stays`. */
async function expectRecovery(
  { daemon, sink, open }: Awaited<ReturnType<typeof smallSpool>>,
  { accepted, client }: Awaited<ReturnType<typeof filled>>,
  stays: string,
): Promise<void> {
  expect(accepted).toContain(stays);
  open();
  await sink.waitFor(accepted.length - 1);
  let number = 0;
  const send = async () => {
    const subject = `after ${++number}`;
    const reply = await client.send(
      'a@client.test',
      ['b@example.test'],
      `Subject: ${subject}\r\n\r\n${text50k}`,
    );
    if (reply.code === 250) accepted.push(subject);
    return reply.code;
  };
  // One may find the last bit of room before the spool has found more.
  const inARow = async () => {
    for (let i = 0; i < 12; i++) if ((await send()) !== 250) return i;
    return 12;
  };
  await expect.poll(inARow, { interval: 100 }).toBe(12);
  await client.quit();
  await sink.waitFor(accepted.length - 1);
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries.map(subjectOf).sort()).toEqual(accepted.filter((s) => s !== stays).sort());
  const again = await startDaemonIn(daemon.folder);
  const ready = await again.waitForLine(({ msg }) => msg === 'ready');
  const { active, defer, hold } = ready['queue'] as Record<string, number>;
  expect(active! + defer! + hold!).toBe(1);
}

needsMount(
  named(
    'a disk that the queue itself has filled takes mail again when the queue has drained, without a restart',
  ),
  async () => {
    const small = await smallSpool('8m');
    const mail = await filled(small.daemon.port, 'stays@example.test');
    expect(mail.accepted.length).toBeGreaterThan(100);
    await expectRecovery(small, mail, 'before 0');
  },
  60_000,
);

needsMount(
  named('a queue that grew while there was room gives that room back when others have filled the disk'),
  async () => {
    const small = await smallSpool('128m');
    const { client } = await TestClient.connect(small.daemon.port);
    const early: string[] = [];
    for (let i = 0; i < 60; i++) {
      const text = `Subject: early ${i}\r\n\r\n${text50k}`;
      const recipient = i === 0 ? 'stays@example.test' : 'b@example.test';
      expect((await client.send('a@client.test', [recipient], text)).code).toBe(250);
      early.push(`early ${i}`);
    }
    await client.quit();
    // One file of three megabytes, of which nothing is given back while it is the last one.
    expect(readdirSync(small.spoolFolder).filter((name) => name.startsWith('body-'))).toHaveLength(1);
    fill(small.spoolFolder, 60_000);
    const mail = await filled(small.daemon.port, 'b@example.test');
    mail.accepted.push(...early);
    await expectRecovery(small, mail, 'early 0');
  },
  60_000,
);

needsMount(named('a start without a byte left uses the room that was kept back, and delivers'), async () => {
  const { daemon, sink, spoolFolder, open } = await smallSpool('8m');
  expect((await sendMail(daemon, 'Subject: one\r\n\r\nbody')).code).toBe(250);
  await daemon.stop('SIGKILL');
  fill(spoolFolder, 0);
  open();
  const again = await startDaemonIn(daemon.folder);
  await sink.waitFor(1);
  expect((await sendMail(again)).lines).toEqual(['452 4.3.1 Out of storage; try again later']);
  rmSync(path.join(spoolFolder, 'ballast'));
  await expect.poll(async () => (await sendMail(again)).code, { interval: 100 }).toBe(250);
});

needsMount(
  named('mail that was accepted before the disk was full is there after a kill on the full disk'),
  async () => {
    const { daemon, sink, spoolFolder, open } = await smallSpool('4m');
    for (const subject of ['one', 'two', 'three'])
      expect((await sendMail(daemon, `Subject: ${subject}\r\n\r\nbody`)).code).toBe(250);
    fill(spoolFolder, 0);
    const refused = await sendMail(
      daemon,
      `Subject: refused\r\n\r\n${'x'.repeat(900)}\r\n`.padEnd(20_000, 'y'),
    );
    expect(refused.code).toBe(452);
    await daemon.stop('SIGKILL');
    rmSync(path.join(spoolFolder, 'ballast'));
    open();
    await startDaemonIn(daemon.folder);
    await sink.waitFor(3);
    expect(sink.deliveries.map(subjectOf).sort()).toEqual(['one', 'three', 'two']);
  },
);

needsMount(named('below spool.minfree the reply to DATA is 452 4.3.1 before a byte is written'), async () => {
  const { daemon, spoolFolder, open, sink } = await smallSpool('8m', { minfree: { bytes: '2MiB' } });
  expect((await sendMail(daemon, 'Subject: before\r\n\r\n')).code).toBe(250);
  const ballast = fill(spoolFolder, 1_500_000);
  const answerToData = async () => {
    const { client } = await TestClient.connect(daemon.port);
    await client.command('EHLO c.test');
    await client.command('MAIL FROM:<a@b.test>');
    await client.command('RCPT TO:<c@d.test>');
    const reply = await client.command('DATA');
    client.destroy();
    return reply.lines[0];
  };
  // The file system is asked once a second.
  await expect.poll(answerToData, { interval: 100 }).toBe('452 4.3.1 Out of storage; try again later');
  rmSync(ballast);
  await expect.poll(answerToData, { interval: 100 }).toMatch(/^354 /);
  open();
  await sink.waitFor(1);
});

test('spool.minfree beyond what the disk has refuses all mail, and the log says which key asks for it', async () => {
  const { daemon } = await startMta({ spool: { minfree: { bytes: '1000TiB' } } });
  expect((await sendMail(daemon)).lines).toEqual(['452 4.3.1 Out of storage; try again later']);
  const line = await daemon.waitForLine(({ level }) => level === 'error');
  expect(line.msg).toContain('spool.minfree.bytes');
});
