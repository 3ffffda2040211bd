// Connections kept for the next message: queue-and-config 5, through the deliverer.

import { describe, expect, type TestContext, test } from 'vitest';
import { noTls } from '../../../src/delivery/client/tls.js';
import type { Transport } from '../../../src/delivery/deliverer.js';
import { judge } from '../../../src/delivery/failure.js';
import { type HostSecurity, securityByModes } from '../../../src/delivery/host-demand.js';
import { SmtpDeliverer, type SmtpDelivererOptions } from '../../../src/delivery/smtp-deliverer.js';
import { type AttemptChanges, makeAttempt } from '../../support/delivery-attempt.js';
import { ManualClock } from '../../support/manual-clock.js';
import { startOutboundProxy } from '../../support/outbound-proxy.js';
import { type ScriptedPeer, startPeer } from '../../support/scripted-peer.js';

const plainEhlo = '250 peer.test';

function startDeliverer(t: TestContext, options: Partial<SmtpDelivererOptions> = {}): SmtpDeliverer {
  const deliverer = new SmtpDeliverer({ hostname: 'host.test', ...options });
  t.onTestFinished(() => deliverer.close());
  return deliverer;
}

const pooling = (changes: Partial<Transport['pooling']> = {}): Partial<Transport> => ({
  pooling: { enabled: true, transactions: undefined, idleSeconds: 60, ...changes },
});

async function deliver(
  deliverer: SmtpDeliverer,
  peer: ScriptedPeer,
  times: number,
  changes: AttemptChanges = { transport: pooling() },
) {
  const reports = [];
  for (let time = 0; time < times; time++) {
    reports.push(await deliverer.attempt(makeAttempt(peer.port, changes), new AbortController().signal));
  }
  return reports;
}

describe('a pooled connection', () => {
  test.each([undefined, plainEhlo])(
    'carries one message after the other, RSET between them (EHLO %s)',
    async (EHLO) => {
      const finished: (() => Promise<void>)[] = [];
      const lifetime = { onTestFinished: (run: () => Promise<void>) => finished.push(run) };
      const peer = await startPeer(lifetime, EHLO === undefined ? {} : { EHLO });
      const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
      const reports = await deliver(deliverer, peer, 5);
      expect(reports.map(judge)).toEqual(Array(5).fill('delivered'));
      expect(reports.map(({ connection }) => connection?.transactions)).toEqual([1, 2, 3, 4, 5]);
      expect(new Set(reports.map(({ connection }) => connection?.id)).size).toBe(1);
      expect(peer.connections).toBe(1);
      expect(peer.messages).toHaveLength(5);
      expect(peer.commands.filter((line) => line === 'RSET')).toHaveLength(4);
      expect(deliverer.counters).toMatchObject({ opened: 1, pool: { hits: 4, misses: 1, size: 1 } });
      await deliverer.close();
      for (const run of finished) await run();
    },
  );

  test('is asked RSET, MAIL, RCPT and DATA in one write where PIPELINING is offered', async (t) => {
    const peer = await startPeer(t);
    await deliver(startDeliverer(t), peer, 2);
    expect(peer.reads).toContain('RSET\r\nMAIL FROM:<a@a.test> SIZE=25\r\nRCPT TO:<b@b.test>\r\nDATA\r\n');
  });

  test('carries nothing for an attempt that was given up while its TLS was looked up', async (t) => {
    const peer = await startPeer(t);
    const abort = new AbortController();
    let asked = 0;
    const security: HostSecurity = {
      decide: async (question, signal) => {
        if (++asked === 2) abort.abort();
        return securityByModes.decide(question, signal);
      },
      record: () => {},
    };
    const deliverer = startDeliverer(t, { security });
    const attempt = () => deliverer.attempt(makeAttempt(peer.port, { transport: pooling() }), abort.signal);
    expect(judge(await attempt())).toBe('delivered');
    expect((await attempt()).error?.message).toContain('given up');
    expect(peer.messages).toHaveLength(1);
  });

  test('serves no more transactions than allowed', async (t) => {
    const peer = await startPeer(t);
    const reports = await deliver(startDeliverer(t), peer, 5, { transport: pooling({ transactions: 2 }) });
    expect(reports.map(({ connection }) => connection?.transactions)).toEqual([1, 2, 1, 2, 1]);
    expect(peer.connections).toBe(3);
    await peer.until(({ open }) => open === 1); // the last has one transaction left
    expect(peer.commands.filter((line) => line === 'QUIT')).toHaveLength(2);
  });

  test('is kept after a refused message', async (t) => {
    const peer = await startPeer(t, { RCPT: ['550 5.1.1 no', '250 ok'] });
    const reports = await deliver(startDeliverer(t), peer, 2);
    expect(reports.map(judge)).toEqual(['failed', 'delivered']);
    expect(peer.connections).toBe(1);
  });

  test('is not kept after 421', async (t) => {
    const peer = await startPeer(t, { EOD: ['421 4.3.2 leaving', '250 ok'] });
    const reports = await deliver(startDeliverer(t), peer, 2);
    expect(reports.map(judge)).toEqual(['deferred', 'delivered']);
    expect(peer.connections).toBe(2);
  });

  test('is left politely when it was idle for too long', async (t) => {
    const clock = new ManualClock();
    const peer = await startPeer(t);
    const deliverer = startDeliverer(t, { clock });
    await deliver(deliverer, peer, 1, { transport: pooling({ idleSeconds: 10 }) });
    clock.advance(9_999);
    expect(deliverer.counters.pool.size).toBe(1);
    clock.advance(1);
    expect(deliverer.counters.pool).toMatchObject({ size: 0, expires: 1 });
    await peer.until(({ commands, open }) => commands.at(-1) === 'QUIT' && open === 0);
    await deliver(deliverer, peer, 1);
    expect(peer.connections).toBe(2);
  });

  test('leaves the pool when the peer hangs up', async (t) => {
    const peer = await startPeer(t);
    let closed = 0;
    const deliverer = startDeliverer(t, { watcher: { closed: () => closed++ } });
    await deliver(deliverer, peer, 1);
    peer.hangUp();
    await expect.poll(() => closed).toBe(1);
    expect(deliverer.counters).toMatchObject({ open: 0, stale: 0, pool: { size: 0 } });
  });

  test('leaves the pool when the peer says 421 unasked', async (t) => {
    const peer = await startPeer(t, { EOD: { raw: '250 ok\r\n421 4.4.2 idle too long\r\n' } });
    const deliverer = startDeliverer(t);
    expect((await deliver(deliverer, peer, 2)).map(judge)).toEqual(['delivered', 'delivered']);
    expect(deliverer.counters.pool.size).toBe(0);
  });
});

describe('a pooled connection that has died', () => {
  const deaths = [
    ['RSET', 'close'],
    ['RSET', 'reset'],
    ['RSET', '421 4.4.2 too late'],
    ['RSET', '502 5.5.1 never heard of it'],
    ['RSET', { raw: 'garbage\r\n' }],
    ['MAIL', 'close'],
    ['MAIL', '421 4.4.2 too late'],
  ] as const;
  for (const [pipelining, EHLO] of [
    ['with', undefined],
    ['without', plainEhlo],
  ] as const) {
    test.each(deaths)(
      `(%s, %o, ${pipelining} PIPELINING) is replaced without counting the attempt`,
      async (state, death) => {
        const finished: (() => Promise<void>)[] = [];
        const peer = await startPeer(
          { onTestFinished: (run) => finished.push(run) },
          {
            ...(EHLO === undefined ? {} : { EHLO }),
            [state]: state === 'MAIL' ? ['250 ok', death, '250 ok'] : death,
          },
        );
        const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
        const reports = await deliver(deliverer, peer, 2);
        expect(reports.map(judge)).toEqual(['delivered', 'delivered']);
        expect(reports[1]?.connection?.transactions).toBe(1);
        expect(peer.messages).toHaveLength(2);
        expect(deliverer.counters).toMatchObject({ opened: 2, stale: 1 });
        await deliverer.close();
        for (const run of finished) await run();
      },
    );
  }

  test('silently is found out by the timeout of RSET', async (t) => {
    const peer = await startPeer(t, { RSET: 'silence' });
    const transport = { ...pooling(), timeouts: { RSET: 0.05 } };
    const reports = await deliver(startDeliverer(t), peer, 2, { transport });
    expect(reports.map(judge)).toEqual(['delivered', 'delivered']);
    expect(peer.connections).toBe(2);
  });

  test('and is followed by a peer that is gone gives the reason of the fresh connection', async (t) => {
    const peer = await startPeer(t, { RSET: 'close', BANNER: ['220 peer.test', '421 4.3.2 restarting'] });
    const [, second] = await deliver(startDeliverer(t), peer, 2);
    expect(second?.result).toMatchObject({ code: 421, state: 'BANNER' });
  });
});

describe('connections are shared only where nothing differs', () => {
  test('another helo name gets another connection', async (t) => {
    const peer = await startPeer(t);
    const deliverer = startDeliverer(t);
    await deliver(deliverer, peer, 1);
    await deliver(deliverer, peer, 1, { transport: pooling(), options: { helo: 'other.test' } });
    expect(peer.connections).toBe(2);
  });

  test('a transport without pooling neither takes nor keeps', async (t) => {
    const peer = await startPeer(t);
    const deliverer = startDeliverer(t);
    await deliver(deliverer, peer, 1);
    await deliver(deliverer, peer, 1, {});
    expect(peer.connections).toBe(2);
    expect(deliverer.counters.pool).toMatchObject({ size: 1, hits: 0, misses: 1 });
  });
});

describe('a full pool', () => {
  test('makes room by leaving the connection idle for longest', async (t) => {
    const first = await startPeer(t);
    const second = await startPeer(t);
    const deliverer = startDeliverer(t, { poolSize: () => 1 });
    await deliver(deliverer, first, 1);
    await deliver(deliverer, second, 1);
    await first.until(({ open }) => open === 0);
    await deliver(deliverer, second, 1);
    expect(second.connections).toBe(1);
    expect(deliverer.counters.pool).toMatchObject({ size: 1, evicts: 1 });
  });

  test('spares those that may not be evicted, though they have idled for longer', async (t) => {
    const [kept, first, second] = [await startPeer(t), await startPeer(t), await startPeer(t)];
    const deliverer = startDeliverer(t, { poolSize: () => 2 });
    await deliver(deliverer, kept, 1, { transport: pooling({ isEvictable: false }) });
    await deliver(deliverer, first, 1);
    await deliver(deliverer, second, 1);
    await first.until(({ open }) => open === 0);
    expect([kept.open, second.open]).toEqual([1, 1]);
    expect(deliverer.counters.pool).toMatchObject({ size: 2, evicts: 1, skips: 0 });
  });

  test('of connections that may not be evicted takes no more', async (t) => {
    const [kept, other] = [await startPeer(t), await startPeer(t)];
    const deliverer = startDeliverer(t, { poolSize: () => 1 });
    await deliver(deliverer, kept, 1, { transport: pooling({ isEvictable: false }) });
    expect((await deliver(deliverer, other, 1)).map(judge)).toEqual(['delivered']);
    await other.until(({ commands, open }) => commands.at(-1) === 'QUIT' && open === 0);
    expect(deliverer.counters.pool).toMatchObject({ size: 1, evicts: 0, skips: 1 });
    await deliver(deliverer, kept, 1);
    expect(deliverer.counters.pool).toMatchObject({ hits: 1 });
  });

  test('that is made smaller while it is in use gives up what is too much', async (t) => {
    const peers = [await startPeer(t), await startPeer(t), await startPeer(t)] as const;
    let size = 3;
    const deliverer = startDeliverer(t, { poolSize: () => size });
    for (const peer of peers) await deliver(deliverer, peer, 1);
    expect(deliverer.counters.pool).toMatchObject({ size: 3, evicts: 0 });
    size = 1;
    await deliver(deliverer, peers[2], 1);
    await peers[1].until(({ open }) => open === 0);
    expect(deliverer.counters.pool).toMatchObject({ size: 1, evicts: 2 });
  });

  test('of size 0 keeps nothing', async (t) => {
    const peer = await startPeer(t);
    const deliverer = startDeliverer(t, { poolSize: () => 0 });
    await deliver(deliverer, peer, 2);
    expect(peer.connections).toBe(2);
    expect(deliverer.counters.pool).toMatchObject({ size: 0, skips: 2 });
  });
});

test('a watcher sees each connection opened, idle, busy and closed', async (t) => {
  const peer = await startPeer(t);
  const seen: string[] = [];
  const deliverer = startDeliverer(t, {
    watcher: {
      opened: () => seen.push('opened'),
      idle: ({ localIp }) => seen.push(`idle ${localIp}`),
      busy: () => seen.push('busy'),
      closed: ({ remotePort }) => seen.push(remotePort === peer.port ? 'closed' : '?'),
    },
  });
  await deliver(deliverer, peer, 2);
  await deliverer.close();
  await expect.poll(() => seen.length).toBe(5);
  expect(seen).toEqual(['opened', 'idle 127.0.0.1', 'busy', 'idle 127.0.0.1', 'closed']);
});

test('close says QUIT to idle connections and does not wait long for an answer', async (t) => {
  const clock = new ManualClock();
  const peer = await startPeer(t, { QUIT: 'silence' });
  const deliverer = new SmtpDeliverer({ hostname: 'host.test', clock });
  await deliver(deliverer, peer, 1);
  const closing = deliverer.close();
  await peer.until(({ commands }) => commands.at(-1) === 'QUIT');
  clock.advance(2_000);
  await closing;
  await peer.until(({ open }) => open === 0);
});

describe('sessions that differ in protection or log-in', () => {
  const inEhlo = '250 peer.test\nAUTH PLAIN';
  const credentials = (password: string) => ({ userName: 'user', password, allowsUnverified: false });
  const optional = { ...noTls, mode: 'optional' } as const;

  test.each([
    ['a log-in', { credentials: credentials('a') }],
    ['another TLS mode', { tls: optional }],
    ['names to verify', { tls: { ...optional, verifyNames: ['a.test'] } }],
    ['other protocols', { tls: { ...optional, protocols: 'TLSv1.3' } }],
    ['another protocol', { protocol: 'lmtp' as const }],
  ])('are not exchanged: %s', async (_what, other) => {
    const finished: (() => Promise<void>)[] = [];
    const lifetime = { onTestFinished: (run: () => Promise<void>) => finished.push(run) };
    const peer = await startPeer(lifetime, { EHLO: inEhlo });
    const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
    const first = { transport: { ...pooling(), tls: noTls } };
    const second = { transport: { ...pooling(), ...other } };
    const reports = [
      ...(await deliver(deliverer, peer, 1, first)),
      ...(await deliver(deliverer, peer, 2, second)),
      ...(await deliver(deliverer, peer, 1, first)),
    ];
    expect(reports.map(judge)).toEqual(Array(4).fill('delivered'));
    expect(reports.map(({ connection }) => connection?.transactions)).toEqual([1, 1, 2, 2]);
    expect(peer.connections).toBe(2);
    await deliverer.close();
    for (const run of finished) await run();
  });

  test('are not exchanged between two passwords of a user', async (t) => {
    const peer = await startPeer(t, { EHLO: inEhlo });
    const deliverer = startDeliverer(t);
    for (const password of ['a', 'b', 'a'])
      await deliver(deliverer, peer, 1, { transport: { ...pooling(), credentials: credentials(password) } });
    expect(peer.connections).toBe(2);
  });
});

describe('connections of the same kind that a peer could tell apart', () => {
  const xclient = { EHLO: '250 peer.test\nXCLIENT ADDR' };
  const from = (ip: string): AttemptChanges => ({ source: { ipv4: { ip } } });
  const as = (ADDR: string): AttemptChanges => ({ options: { xclient: { ADDR } } });
  test.for([
    ['another source address', from('127.0.0.2'), from('127.0.0.3')],
    ['none', from('127.0.0.2'), {}],
    ['another client in XCLIENT', as('192.0.2.1'), as('192.0.2.2')],
    ['no XCLIENT', as('192.0.2.1'), {}],
  ] as const)('are not exchanged: %s', async ([, first, second], t) => {
    const peer = await startPeer(t, xclient);
    const deliverer = startDeliverer(t);
    const transport = pooling();
    for (const changes of [first, second, first, second])
      await deliver(deliverer, peer, 1, { transport, ...changes });
    expect(peer.connections).toBe(2);
    expect(deliverer.counters.pool).toMatchObject({ hits: 2, misses: 2, size: 2 });
  });

  test('are not exchanged: through a proxy and without', async (t) => {
    const proxy = await startOutboundProxy(t);
    const peer = await startPeer(t);
    const deliverer = startDeliverer(t);
    const through = { ...pooling(), proxy: { ip: '127.0.0.1', port: proxy.port } };
    for (const transport of [through, pooling(), through, pooling()])
      await deliver(deliverer, peer, 1, { transport });
    expect(peer.connections).toBe(2);
    expect(proxy.headers).toHaveLength(1);
  });

  test('are exchanged between the addresses of a host where the pool goes by hosts', async (t) => {
    const peer = await startPeer(t);
    let pooledBy: 'remoteip' | 'remotemx' = 'remotemx';
    const deliverer = startDeliverer(t, { pooledBy: () => pooledBy });
    const at = (remoteMx: string, ip = '127.0.0.1', port = peer.port): AttemptChanges => ({
      transport: pooling(),
      addresses: [{ ip, port, remoteMx }],
    });
    const transactions = async (changes: AttemptChanges) => {
      const [report] = await deliver(deliverer, peer, 1, changes);
      return report?.connection?.transactions;
    };
    expect(await transactions(at('mx1.test'))).toBe(1);
    // Nobody listens there: only a connection that is open already can have carried it.
    const [other] = await deliver(deliverer, peer, 1, at('mx1.test', '127.0.0.9'));
    expect(other?.connection).toMatchObject({ transactions: 2, remoteIp: '127.0.0.1', remoteMx: 'mx1.test' });
    expect(await transactions(at('mx2.test'))).toBe(1);
    pooledBy = 'remoteip';
    expect(await transactions(at('mx1.test', '127.0.0.9'))).toBeUndefined();
  });

  test('tell the host of the attempt, whose address they share', async (t) => {
    const peer = await startPeer(t);
    const deliverer = startDeliverer(t);
    const at = (remoteMx: string): AttemptChanges => ({
      transport: pooling(),
      addresses: [{ ip: '127.0.0.1', port: peer.port, remoteMx }],
    });
    await deliver(deliverer, peer, 1, at('mx1.test'));
    const [report] = await deliver(deliverer, peer, 1, at('mx2.test'));
    expect(report?.connection).toMatchObject({ remoteMx: 'mx2.test', transactions: 2 });
  });
});

describe('the examples of queue-and-config 5', () => {
  test('1: five messages one after the other take one connection', async (t) => {
    const peer = await startPeer(t);
    const reports = await deliver(startDeliverer(t), peer, 5);
    expect(peer.connections).toBe(1);
    expect(peer.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(5);
    expect(reports.map(({ connection }) => connection?.transactions)).toEqual([1, 2, 3, 4, 5]);
  });

  test('2: with two transactions for each, five messages take three', async (t) => {
    const peer = await startPeer(t);
    await deliver(startDeliverer(t), peer, 5, { transport: pooling({ transactions: 2 }) });
    expect(peer.connections).toBe(3);
  });

  test('3: after 3 s, where a connection may idle for 1 s, a second one is made', async (t) => {
    const clock = new ManualClock();
    const peer = await startPeer(t);
    const deliverer = startDeliverer(t, { clock });
    await deliver(deliverer, peer, 1, { transport: pooling({ idleSeconds: 1 }) });
    clock.advance(3_000);
    await deliver(deliverer, peer, 1, { transport: pooling({ idleSeconds: 1 }) });
    expect(peer.connections).toBe(2);
    expect(deliverer.counters.pool.expires).toBe(1);
  });

  test('5: a peer silent after the message is given up after the timeout of EOD', async (t) => {
    const clock = new ManualClock();
    const peer = await startPeer(t, { EOD: 'silence' });
    const deliverer = startDeliverer(t, { clock });
    const pending = deliver(deliverer, peer, 1, { transport: { timeouts: { EOD: 1 } } });
    await peer.until(({ messages }) => messages.length === 1);
    clock.advance(1_000);
    const [report] = await pending;
    expect(report).toMatchObject({
      error: { temporary: true, type: 'network', state: 'EOD' },
      durationSeconds: 1,
    });
  });

  test('6: two destinations in turns share a pool of one, and all mail is delivered', async (t) => {
    const [first, second] = [await startPeer(t), await startPeer(t)];
    const deliverer = startDeliverer(t, { poolSize: () => 1 });
    for (let round = 0; round < 3; round++)
      for (const peer of [first, second])
        expect((await deliver(deliverer, peer, 1)).map(judge)).toEqual(['delivered']);
    expect(deliverer.counters.pool).toMatchObject({ evicts: 5, size: 1, skips: 0 });
  });
});
