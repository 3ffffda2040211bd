import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { sendMail, startMta, subjectOf } from '../support/mta.js';
import { runProgram } from '../support/peers.js';
import { TestClient } from '../support/smtp-client.js';

// A daemon that may have few files open, and more clients than that.

/** Fewer, and Node cannot even load the program. */
const openFiles = 300;

async function dial(port: number): Promise<{ client: TestClient; code: number }> {
  const { client, greeting } = await TestClient.connect(port);
  onTestFinished(() => client.destroy());
  return { client, code: greeting.code };
}

test('when file descriptors run out, clients are told 421, those that are in go on, and the rest may come again later', async () => {
  const { daemon, sink } = await startMta({ openFiles, concurrency: 1 });
  const taken: TestClient[] = [];
  const codes = new Set<number>();
  for (let i = 0; i < openFiles + 20; i++) {
    const { client, code } = await dial(daemon.port);
    codes.add(code);
    if (code === 220) taken.push(client);
  }
  expect([...codes].sort()).toEqual([220, 421]);
  expect(taken.length).toBeGreaterThan(20);
  const line = await daemon.waitForLine(({ level, msg }) => level === 'error' && msg.includes('descriptors'));
  expect(line.msg).toContain(`environment.rlimit.nofile (now ${openFiles})`);

  // What was kept back is enough to take and deliver mail meanwhile.
  expect((await taken[0]!.send('a@b.test', ['c@d.test'], 'Subject: meanwhile\r\n\r\n')).code).toBe(250);
  await sink.waitFor(1);

  for (const client of taken) client.destroy();
  await expect.poll(async () => (await dial(daemon.port)).code, { interval: 50 }).toBe(220);
  expect((await sendMail(daemon, 'Subject: afterwards\r\n\r\n')).code).toBe(250);
  await sink.waitFor(2);
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries.map(subjectOf)).toEqual(['meanwhile', 'afterwards']);
});

/** Leaves a running daemon room for `spare` more open files; undefined gives it plenty again. */
async function leaveRoom(pid: number, spare: number | undefined): Promise<void> {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  // What counts is the number of a descriptor, and the lowest free one is always taken: gaps are room as well.
  let limit = 0;
  for (let free = 0; free < (spare ?? 1000); limit++) if (!open.has(limit)) free++;
  // The soft limit alone: it may be raised again without being root.
  const { code, stderr } = await runProgram('prlimit', ['--pid', `${pid}`, `--nofile=${limit}:`]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

test('large messages that find no descriptor are refused for now, and nothing that was accepted is lost', async () => {
  const { daemon, sink } = await startMta({
    concurrency: 1,
    retry: { count: 100, intervals: [{ interval: 0.2 }] },
  });
  const clients: TestClient[] = [];
  for (let i = 0; i < 12; i++) clients.push((await dial(daemon.port)).client);
  await leaveRoom(daemon.pid, 4);
  // Each of these needs a file of its own, and keeps it open until its final dot.
  const body = `${'x'.repeat(998)}\r\n`.repeat(1200);
  for (const [i, client] of clients.entries()) {
    for (const line of ['MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA']) await client.command(line);
    client.socket.write(`Subject: large ${i}\r\n\r\n${body}`);
  }
  await daemon.waitForLine((line) => line.level === 'error' && JSON.stringify(line).includes('EMFILE'));
  for (const client of clients) client.socket.write('.\r\n');
  const replies = await Promise.all(clients.map((client) => client.reply()));
  const accepted = replies.flatMap(({ code }, i) => (code === 250 ? [`large ${i}`] : []));
  expect([...new Set(replies.map(({ code }) => code))].filter((code) => code !== 250)).toEqual([451]);
  await leaveRoom(daemon.pid, undefined);
  for (const client of clients) client.destroy();
  expect((await sendMail(daemon, `Subject: afterwards\r\n\r\n${body}`)).code).toBe(250);
  await sink.waitFor(accepted.length + 1);
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries.map(subjectOf).sort()).toEqual([...accepted, 'afterwards'].sort());
});
