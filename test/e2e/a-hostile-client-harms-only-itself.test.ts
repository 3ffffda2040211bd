import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { sendMail, startDaemonIn, startMta, subjectOf } from '../support/mta.js';
import { TestClient } from '../support/smtp-client.js';

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything the server says until it closes. */
async function rest(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  if (!socket.closed) await once(socket, 'close');
  return text;
}

test('garbage, NULs and lines without end are answered with 5xx or 421 and a close, and others are served', async () => {
  const { daemon, sink } = await startMta();
  const floods: Record<string, { bytes: Buffer; last: RegExp }> = {
    garbage: {
      bytes: Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919 + (i >> 3)) & 255)),
      last: /421 4\.7\.0 Too many errors/,
    },
    'lines of NULs': { bytes: Buffer.from('\0\0\0\r\n'.repeat(100)), last: /421 4\.7\.0 Too many errors/ },
    'an endless line': { bytes: Buffer.alloc(3 * 1024 * 1024, 'x'), last: /421 4\.7\.0 A line without end/ },
    'NULs without end': { bytes: Buffer.alloc(3 * 1024 * 1024), last: /421 4\.7\.0 A line without end/ },
    'bare line feeds': { bytes: Buffer.from('NOOP\n'.repeat(100)), last: /421 4\.7\.0 Too many errors/ },
    'commands without mail': {
      bytes: Buffer.from('NOOP\r\n'.repeat(1100)),
      last: /421 4\.7\.0 Too many commands/,
    },
  };
  for (const [name, { bytes, last }] of Object.entries(floods)) {
    const socket = await dial(daemon.port);
    const said = rest(socket);
    socket.write(bytes);
    expect(await said, name).toMatch(last);
  }
  expect((await sendMail(daemon)).code).toBe(250);
  await sink.waitFor(1);
  expect(daemon.lines.filter(({ level }) => level === 'error')).toEqual([]);
  // No raw bytes of theirs in the log.
  expect(daemon.lines.some((line) => /[\0-\x08\x7f-\x9f]/.test(line.msg))).toBe(false);
});

test('a mail that comes one byte at a time is taken', async () => {
  const { daemon, sink } = await startMta();
  const socket = await dial(daemon.port);
  const said = rest(socket);
  const dialogue =
    'EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nSubject: slow\r\n\r\n..\r\nx\r\n.\r\nQUIT\r\n';
  for (const byte of dialogue) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await said).match(/^\d{3} /gm)).toEqual(['220 ', '250 ', '250 ', '250 ', '354 ', '250 ', '221 ']);
  await sink.waitFor(1);
  expect(sink.deliveries[0]!.data).toMatch(/Subject: slow\r\n\r\n\.\r\nx\r\n$/);
});

test('a client that trickles a command longer than the idle time is closed, however busy it looks', async () => {
  const { daemon } = await startMta({ server: { timeout: { idle: 1 } } });
  const socket = await dial(daemon.port);
  const trickle = setInterval(() => socket.write('N'), 100);
  onTestFinished(() => clearInterval(trickle));
  expect(await rest(socket)).toMatch(/^220 .*\r\n421 4\.4\.2 Timeout\r\n$/);
});

test('a client that never reads its replies does not fill our memory', async () => {
  const { daemon, sink } = await startMta({ phases: { mailfrom: {} } });
  const socket = await dial(daemon.port);
  socket.pause();
  let isTaken = true;
  for (let i = 0; i < 200 && isTaken; i++)
    isTaken =
      socket.write('RSET\r\n'.repeat(10_000)) ||
      (await Promise.race([once(socket, 'drain').then(() => true), pause(200)]));
  expect((await sendMail(daemon)).code).toBe(250);
  await sink.waitFor(1);
});

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}

test('a client that leaves at any moment leaves nothing behind, and a message is kept only if it was whole', async () => {
  const { daemon, sink } = await startMta();
  const steps = [
    '',
    'EHLO c.test\r\n',
    'MAIL FROM:<a@b.test>\r\n',
    'RCPT TO:<c@d.test>\r\n',
    'DATA\r\n',
    'Subject: gone\r\n',
    '\r\nhalf a message\r\n.',
    '\r',
    '\n',
  ];
  let whole = 0;
  for (const how of ['end', 'reset', 'half a command'] as const) {
    for (let upTo = 1; upTo <= steps.length; upTo++) {
      const socket = await dial(daemon.port);
      const isWhole = upTo === steps.length;
      socket.resume();
      for (const step of steps.slice(0, upTo)) {
        socket.write(step);
        // The server is to see them one by one.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      if (how === 'half a command' && !isWhole) socket.write('QUI');
      if (how === 'reset') socket.resetAndDestroy();
      else {
        socket.end();
        if (isWhole) whole++;
      }
      if (!socket.closed) await once(socket, 'close');
    }
  }
  expect((await sendMail(daemon, 'Subject: last\r\n\r\n')).code).toBe(250);
  await sink.waitFor(whole + 1);
  expect(await daemon.stop()).toBe(0);
  const gone = sink.deliveries.filter((delivery) => subjectOf(delivery) === 'gone');
  // After a reset the whole message may have been seen, or not.
  expect(gone.length).toBeGreaterThanOrEqual(whole);
  expect(gone.length).toBeLessThanOrEqual(whole + 1);
  for (const { data } of gone) expect(data).toMatch(/\r\nhalf a message\r\n$/);
  expect(daemon.lines.filter(({ level }) => level === 'error')).toEqual([]);
  const again = await startDaemonIn(daemon.folder);
  expect((await again.waitForLine(({ msg }) => msg === 'ready'))['queue']).toEqual({
    active: 0,
    defer: 0,
    hold: 0,
  });
});

test('beyond the connections that are allowed a client is told 421 at once, and the next is served when one leaves', async () => {
  const { daemon } = await startMta({ server: { concurrency: { total: 5, ip: 3 } } });
  const inside = [];
  for (let i = 0; i < 3; i++) inside.push((await TestClient.connect(daemon.port)).client);
  const { greeting } = await TestClient.connect(daemon.port);
  expect(greeting.lines).toEqual(['421 4.7.0 Too many connections; come again later']);
  const elsewhere = await TestClient.connect(daemon.port, '127.0.0.2');
  expect(elsewhere.greeting.code).toBe(220);
  await inside.pop()!.quit();
  await expect
    .poll(async () => (await TestClient.connect(daemon.port)).greeting.code, { interval: 20 })
    .toBe(220);
  for (const client of [...inside, elsewhere.client]) client.destroy();
});
