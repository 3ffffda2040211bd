import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { sendMail, startMta, subjectOf } from '../support/mta.js';

// Clients that come in crowds, to stay or to go at once: the daemon's memory stays bounded, and others are served.

const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

function dial(port: number, localAddress: string): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
  return socket;
}

function rssMiB({ pid }: Daemon): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;
}

/** Nobody may be kept waiting much longer than this, whatever others do. */
const patienceMs = 15_000;

async function servesOthers({ daemon, sink }: Awaited<ReturnType<typeof startMta>>, subject: string) {
  const begin = performance.now();
  expect((await sendMail(daemon, `Subject: ${subject}\r\n\r\nx`)).code).toBe(250);
  expect(performance.now() - begin).toBeLessThan(patienceMs);
  await expect.poll(() => sink.deliveries.map(subjectOf)).toContain(subject);
}

test('clients that trickle their commands byte by byte cost little, and lose their patience game', async () => {
  const mta = await startMta({ server: { timeout: { idle: 60, greeting: 3 } } });
  const { daemon } = mta;
  await servesOthers(mta, 'before');
  const before = rssMiB(daemon);
  const count = 1000;
  const heard: string[] = [];
  const slow = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const socket = dial(daemon.port, `127.0.1.${1 + (index % 250)}`);
      await once(socket, 'data');
      socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
      return socket;
    }),
  );
  const trickle = setInterval(() => {
    for (const socket of slow) socket.write('x');
  }, 200);
  try {
    await servesOthers(mta, 'meanwhile');
    // Generous: an idle connection costs 6 KiB, and the process makes garbage beside.
    expect(rssMiB(daemon) - before).toBeLessThan(40);
    await expect.poll(() => heard.length).toBe(count);
  } finally {
    clearInterval(trickle);
  }
  expect(new Set(heard)).toEqual(new Set(['421 4.4.2 Timeout\r\n']));
});

test('a storm of connections that come and go leaves nothing behind', async () => {
  const mta = await startMta();
  const { daemon } = mta;
  const storm = async (count: number) => {
    let left = count;
    const visitor = async (index: number) => {
      while (left-- > 0) {
        const socket = dial(daemon.port, `127.0.2.${1 + index}`);
        await once(socket, 'connect').catch(() => {});
        // Some go without a word, some with half a command, some by a reset.
        if (left % 3 === 0) socket.end();
        else if (left % 3 === 1) socket.end('EHLO half');
        else socket.resetAndDestroy();
        if (!socket.destroyed) await new Promise((resolve) => socket.resume().once('close', resolve));
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => visitor(index)));
  };
  // The heap grows to its working size, sooner or later; what is left behind makes it grow with every storm.
  const sizes: number[] = [];
  for (let round = 0; round < 4; round++) {
    await storm(3000);
    await servesOthers(mta, `after storm ${round}`);
    sizes.push(rssMiB(daemon));
  }
  const growth = sizes.slice(1).map((size, round) => size - sizes[round]!);
  expect(Math.min(...growth), `MiB after each storm: ${sizes.map(Math.round).join(', ')}`).toBeLessThan(15);
  expect(await daemon.stop()).toBe(0);
});

test('a flood beyond the limits is turned away with 421 at once, friends are served, and the log stays small', async () => {
  const mta = await startMta({
    server: {
      concurrency: {
        ip: 5,
        rate: '200/60',
        networks: [{ network: '127.0.0.1' }],
      },
    },
  });
  const { daemon } = mta;
  const codes = new Map<string, number>();
  const flood = async (index: number) => {
    for (let i = 0; i < 60; i++) {
      const socket = dial(daemon.port, '127.0.3.1');
      const [chunk] = (await once(socket, 'data').catch(() => [undefined])) as [Buffer | undefined];
      const code = chunk === undefined ? 'gone' : chunk.toString('latin1', 0, 3);
      codes.set(code, (codes.get(code) ?? 0) + 1);
      // Those who got in stay.
      if (code !== '220') socket.destroy();
    }
    return index;
  };
  const all = Promise.all(Array.from({ length: 30 }, (_, index) => flood(index)));
  await servesOthers(mta, 'a friend');
  await all;
  expect(codes.get('220')).toBe(5);
  expect(codes.get('421')).toBe(1795);
  const told = await daemon.waitForLine(({ msg }) => msg.startsWith('connections were turned away'));
  expect(told['ip']).toBeGreaterThan(0);
  expect(
    daemon.lines.filter(({ msg }) => msg.startsWith('connections were turned away')).length,
  ).toBeLessThan(5);
  expect(daemon.lines.length).toBeLessThan(50);
});
