import { expect, test } from 'vitest';
import { sendMail, startDaemon, startDaemonIn, startMta, subjectOf } from '../support/mta.js';
import { startPeer } from '../support/scripted-peer.js';
import { TestClient } from '../support/smtp-client.js';

test('SIGTERM under load ends with 0 within the grace; what was accepted is delivered, once', async () => {
  const { daemon, sink } = await startMta({ concurrency: 10, environment: { shutdown: { grace: 10 } } });
  const accepted: string[] = [];
  let number = 0;
  const clients = Array.from({ length: 8 }, async () => {
    try {
      const { client } = await TestClient.connect(daemon.port);
      for (;;) {
        const subject = `m${++number}`;
        const { code } = await client.send(
          'a@b.test',
          ['c@d.test'],
          `Subject: ${subject}\r\n\r\n${'x'.repeat(2000)}`,
        );
        if (code === 250) accepted.push(subject);
        else expect(code).toBe(421);
      }
    } catch {
      // The daemon has said goodbye.
    }
  });
  await expect.poll(() => accepted.length, { interval: 5 }).toBeGreaterThan(100);
  const began = performance.now();
  expect(await daemon.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(10_000);
  await Promise.all(clients);
  expect(daemon.lines.filter(({ level }) => level === 'error')).toEqual([]);

  const again = await startDaemonIn(daemon.folder);
  await sink.waitFor(accepted.length);
  expect(await again.stop()).toBe(0);
  expect(sink.deliveries.map(subjectOf).sort()).toEqual([...accepted].sort());
});

test('a delivery and a client that hang are given up after one grace, and the message is there after the restart', async (t) => {
  const peer = await startPeer(t, { EHLO: '250 peer.test', MAIL: ['silence', '250 ok'] });
  const grace = 5;
  const daemon = await startDaemon({
    nextHopPort: peer.port,
    environment: { shutdown: { grace } },
    hooks: { predelivery: 'echo "retry " . $arguments["retry"]; Try();' },
  });
  expect((await sendMail(daemon)).code).toBe(250);
  await peer.until(({ commands }) => commands.some((line) => line.startsWith('MAIL')));
  // It has begun a message that it never ends.
  const { client } = await TestClient.connect(daemon.port);
  await client.command('EHLO c.test');
  await client.command('MAIL FROM:<a@b.test>');
  await client.command('RCPT TO:<c@d.test>');
  await client.command('DATA');
  const began = performance.now();
  expect(await daemon.stop()).toBe(0);
  const seconds = (performance.now() - began) / 1000;
  client.destroy();
  expect(seconds).toBeGreaterThan(grace - 0.5);
  // Not two graces, one after the other.
  expect(seconds).toBeLessThan(grace * 2 - 0.3);

  const again = await startDaemonIn(daemon.folder);
  await again.waitForLine(({ msg }) => msg === 'retry 0');
  await peer.until(({ messages }) => messages.length === 1);
  await again.waitForLine(({ msg }) => msg === 'attempt delivered');
  expect(await again.stop()).toBe(0);
  expect(peer.messages).toHaveLength(1);
});

test('a stopping daemon takes no new connection and no new transaction', async () => {
  const { daemon } = await startMta({ environment: { shutdown: { grace: 10 } } });
  const { client: busy } = await TestClient.connect(daemon.port);
  await busy.command('EHLO c.test');
  await busy.command('MAIL FROM:<a@b.test>');
  const { client: idle } = await TestClient.connect(daemon.port);
  const ended = daemon.stop();
  expect((await idle.reply()).code).toBe(421);
  await expect(TestClient.connect(daemon.port)).rejects.toThrow();
  await busy.command('RSET').catch(() => {});
  expect(await ended).toBe(0);
  busy.destroy();
  idle.destroy();
});
