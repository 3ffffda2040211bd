import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { controlledQueue, itemsOf } from '../../support/controlled-queue.js';
import { readMessage, uuid } from '../../support/mail-samples.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import { accepted, replied } from '../../support/started-queue.js';

const id = (number: number) => ({ transaction: uuid(1), number });

test('messages move out to a file each, and into another queue with all that was known of them', async () => {
  const folder = scratchFolder();
  const one = await controlledQueue();
  await one.submit(
    { hold: true, metadata: { a: '\xff' }, quotas: ['q'], dsn: { notify: 'NEVER' }, priority: 1 },
    { delaySeconds: 500, jobId: 'j', dsn: { envid: 'a\r\nb', orcpt: 'rfc822;\r\n\xff', notify: '' } },
  );
  await one.queue.wish(id(1), { kind: 'set', change: { retry: 3, reason: 'busy' } });
  await one.clock.advance(0);
  const before = [1, 2].map((number) => one.queue.find(id(number))!.message);
  expect(await one.ask('J', { path: folder })).toEqual({ affected: 2, failures: [] });
  expect(one.queue.size).toBe(0);
  expect(readdirSync(folder).sort()).toEqual([`${uuid(1)}-1.hqf`, `${uuid(1)}-2.hqf`]);

  const other = await controlledQueue();
  for (const number of [1, 2]) {
    const answer = await other.ask('E', { path: path.join(folder, `${uuid(1)}-${number}.hqf`) });
    expect(answer['id']).toEqual({ transaction: uuid(1), queue: number });
  }
  await other.clock.advance(0);
  expect([1, 2].map((number) => other.queue.find(id(number))!.message)).toEqual(before);
  expect((await readMessage(other.spool, id(2))).toString()).toBe('Subject: x\r\n\r\nHello\r\n');
  expect(other.queue.find(id(2))!.state).toBe('DEFER');
});

test('a message that is in the queue is not taken in again', async () => {
  const folder = scratchFolder();
  const { ask, submit, queue } = await controlledQueue();
  await submit({ hold: true });
  await ask('J', { path: folder });
  const file = path.join(folder, `${uuid(1)}-1.hqf`);
  await ask('E', { path: file });
  await expect(ask('E', { path: file })).rejects.toThrow('in the queue already');
  const both = await Promise.allSettled([
    ask('E', { file: readFileSync(file).toString('base64') }),
    ask('E', { path: file }),
  ]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(queue.size).toBe(1);
});

test('a message whose file import would not take stays in the queue', async () => {
  const folder = scratchFolder();
  const { ask, submit, queue } = await controlledQueue();
  await submit({ hold: true, metadata: { a: 'x'.repeat(1024 * 1024) } }, { hold: true });
  const answer = await ask('J', { path: folder });
  expect(answer).toMatchObject({ affected: 1, failures: [{ id: { queue: 1 } }] });
  expect(JSON.stringify(answer['failures'])).toContain('may have 1048576 bytes');
  expect([queue.size, readdirSync(folder)]).toEqual([1, [`${uuid(1)}-2.hqf`]]);
});

test('a message of whose end the sender is just being told is not taken in again before that is over', async () => {
  const folder = scratchFolder();
  const later = replied(451, 'later');
  let isNoticeTaken = false;
  const { ask, submit, queue, clock, told } = await controlledQueue({
    attempt: () => Promise.resolve(replied(550, 'no such user')),
    tell: () => Promise.resolve(isNoticeTaken ? accepted : later),
  });
  await submit({ hold: true });
  await ask('J', { path: folder });
  const file = { path: path.join(folder, `${uuid(1)}-1.hqf`) };
  await ask('E', file);
  await queue.wish(id(1), { kind: 'release' });
  await clock.advance(1);
  expect(told).toHaveLength(1);
  const { transaction } = told[0]!.attempt.id;
  await expect(ask('E', file)).rejects.toThrow(
    `${transaction}:1, which is still in the queue; import it when`,
  );
  expect(queue.size).toBe(1);
  isNoticeTaken = true;
  await clock.advance(60);
  await ask('E', file);
  expect(queue.find(id(1))).toBeDefined();
});

test('a message whose file cannot be written stays, and one that is being sent too', async () => {
  const folder = scratchFolder();
  const { ask, submit, queue, clock } = await controlledQueue({ attempt: () => new Promise(() => {}) });
  await submit({ hold: true }, {});
  await clock.advance(0);
  mkdirSync(path.join(folder, `${uuid(1)}-1.hqf`));
  const answer = await ask('J', { path: folder });
  expect(answer['affected']).toBe(0);
  expect(answer['failures']).toMatchObject([
    { id: { transaction: uuid(1), queue: 2 }, reason: 'it is being worked on; ask again later' },
    { id: { transaction: uuid(1), queue: 1 } },
  ]);
  expect(queue.counts()).toMatchObject({ HOLD: 1, SENDING: 1 });
});

test('the log has the conditions that were given, and no others', async () => {
  const folder = scratchFolder();
  const { ask, submit, controlLog } = await controlledQueue();
  await submit({ hold: true });
  await ask('J', { path: folder, conditions: { jobids: [], queues: [{ queue: 'HOLD' }] } });
  const line = controlLog.lines.find(({ fields }) => fields['command'] === 'QueueUnload');
  expect(line?.fields).toEqual({
    command: 'QueueUnload',
    affected: 1,
    conditions: { queues: [{ queue: 'HOLD' }] },
    folder,
  });
});

test('a folder in which nothing can be made is called by the name that was given', async () => {
  const { ask, submit, queue } = await controlledQueue();
  await submit({ hold: true });
  expect(await ask('J', { path: '/proc' })).toEqual({
    affected: 0,
    failures: [
      {
        id: { transaction: uuid(1), queue: 1 },
        reason: expect.stringMatching(/^no file can be made in \/proc: E[A-Z]+: [a-z ]+$/),
      },
    ],
  });
  expect(queue.size).toBe(1);
});

test('no path leads out of the folder', async () => {
  const folder = scratchFolder();
  const { ask, submit } = await controlledQueue();
  await submit({ hold: true });
  symlinkSync(folder, path.join(folder, 'link'));
  const outside = path.join(folder, 'outside');
  writeFileSync(outside, 'mine');
  const inside = path.join(folder, 'inside');
  mkdirSync(inside);
  symlinkSync(outside, path.join(inside, `.${uuid(1)}-1.hqf.part`));
  symlinkSync(outside, path.join(inside, `${uuid(1)}-1.hqf`));
  await expect(ask('J', { path: 'relative' })).rejects.toThrow('expected an absolute path');
  await expect(ask('J', { path: path.join(folder, 'none') })).rejects.toThrow('there is no folder');
  await expect(ask('J', { path: path.join(folder, 'link') })).rejects.toThrow('a link to one');
  expect(await ask('J', { path: inside })).toEqual({ affected: 1, failures: [] });
  expect(readFileSync(outside, 'utf8')).toBe('mine');
  symlinkSync(path.join(inside, `${uuid(1)}-1.hqf`), path.join(folder, 'link.hqf'));
  await expect(ask('E', { path: path.join(folder, 'link.hqf') })).rejects.toThrow(
    'path: this is a link; expected the file itself',
  );
  await expect(ask('E', { path: folder })).rejects.toThrow('is no file');
});

test('a message comes in as bytes with an envelope', async () => {
  const { ask, queue, spool } = await controlledQueue();
  const answer = await ask('E', {
    message: Buffer.from('Subject: y\n\nbody').toString('base64'),
    envelope: {
      sender: { localpart: 'a', domain: 'x.test' },
      recipients: [
        { localpart: 'b', domain: 'x.test' },
        { localpart: 'c', domain: 'x.test' },
      ],
      transportid: 'out',
      hold: true,
      metadata: { k: 'é' },
    },
  });
  const ids = answer['ids'] as { transaction: string; queue: number }[];
  expect(ids).toHaveLength(2);
  expect(queue.counts().HOLD).toBe(2);
  const bytes = await readMessage(spool, { transaction: ids[1]!.transaction, number: 2 });
  expect(bytes.toString()).toBe('Subject: y\r\n\r\nbody\r\n');
  expect(itemsOf(await ask('F'))[0]).toMatchObject({ metadata: { k: 'é' }, state: 'HOLD' });
});

test('what is no queue file is refused with what is wrong', async () => {
  const folder = scratchFolder();
  const { ask, submit, queue } = await controlledQueue();
  await submit({ hold: true });
  await ask('J', { path: folder });
  const whole = readFileSync(path.join(folder, `${uuid(1)}-1.hqf`));
  const end = whole.indexOf(0x0a);
  const head = JSON.parse(whole.toString('utf8', 0, end)) as Record<string, unknown>;
  const told = (bytes: Buffer | string) =>
    ask('E', { file: Buffer.from(bytes).toString('base64') }).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  const changed = (changes: object) =>
    `${JSON.stringify({ ...head, ...changes })}\nSubject: x\r\n\r\nHello\r\n`;
  expect(await told('')).toContain('no first line');
  expect(await told('x'.repeat(2 * 1024 * 1024))).toContain('longer than');
  expect(await told('{"a": 1}\n')).toContain('does not say so');
  expect(await told(whole.subarray(0, -3))).toContain('only 18 bytes; expected 21');
  expect(await told(Buffer.concat([whole, Buffer.from('x')]))).toContain('more than 21 bytes');
  expect(await told(changed({ sizeBytes: 2 ** 32 }))).toContain('sizeBytes: found 4294967296');
  expect(await told(changed({ version: 2 }))).toContain('version 2; expected version 1');
  expect(await told(changed({ id: { transaction: '../../etc', number: 1 } }))).toContain('expected a UUID');
  expect(await told(changed({ recipient: { localPart: 'a\r\nb', domain: 'x' } }))).toContain('an address');
  expect(await told(changed({ dsn: { notify: 'NEVER,DELAY' } }))).toContain('expected NEVER, or a list of');
  expect(await told(changed({ priority: 7 }))).toContain('from 0 to 1');
  expect(await told(changed({ metadata: { a: 'ž' } }))).toContain('a text of bytes');
  expect(queue.size).toBe(0);
});

test('a file that is refused is not kept open, and one that is not there is told once', async () => {
  const folder = scratchFolder();
  const { ask } = await controlledQueue();
  const file = path.join(folder, 'wrong.hqf');
  writeFileSync(file, `{"format":"something else"}\n${'x'.repeat(100_000)}`);
  const open = () =>
    readdirSync('/proc/self/fd')
      .map((fd) => linkOf(fd))
      .filter((name) => name === file);
  await expect(ask('E', { path: file })).rejects.toThrow('does not say so');
  expect(open()).toEqual([]);
  await expect(ask('E', { path: path.join(folder, 'none.hqf') })).rejects.toThrow(
    /^path: there is no such file where the daemon runs$/,
  );
});

/** What a descriptor of this process is; empty when it has just been closed. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

test('the bytes of a message are read in pieces', async () => {
  const { ask, submit } = await controlledQueue();
  await submit({ hold: true });
  const message = { transaction: uuid(1), queue: 1 };
  const text = async (request: object) => {
    const { size, data } = await ask('m', { id: message, ...request });
    return [size, Buffer.from(data as string, 'base64').toString()];
  };
  expect(await text({})).toEqual([21, 'Subject: x\r\n\r\nHello\r\n']);
  expect(await text({ offset: 9, length: 3 })).toEqual([21, 'x\r\n']);
  expect(await text({ offset: 30 })).toEqual([21, '']);
  await expect(ask('m', { id: { transaction: uuid(9), queue: 1 } })).rejects.toThrow('is not in the spool');
});
