// What can go wrong between us and a peer, in every state of a dialogue with TLS, a log-in and XCLIENT: the right verdict, in
// bounded time and memory. The same without TLS is in smtp-deliverer.test.ts.

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import { defaultTimeouts } from '../../../src/delivery/client/timeouts.js';
import { noTls } from '../../../src/delivery/client/tls.js';
import type { SmtpState } from '../../../src/delivery/client/trouble.js';
import type { Transport } from '../../../src/delivery/deliverer.js';
import { judge } from '../../../src/delivery/failure.js';
import { SmtpDeliverer, type SmtpDelivererOptions } from '../../../src/delivery/smtp-deliverer.js';
import { makeAttempt } from '../../support/delivery-attempt.js';
import { ManualClock } from '../../support/manual-clock.js';
import {
  type PeerAnswer,
  type PeerScript,
  type PeerState,
  type PeerTls,
  type ScriptedPeer,
  startPeer,
} from '../../support/scripted-peer.js';
import { createAuthority, type TestAuthority } from '../../support/test-certificates.js';

let folder: string;
let authority: TestAuthority;
let good: PeerTls;
let trust: NonNullable<SmtpDelivererOptions['trust']>;
const others: Record<string, PeerTls> = {};

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-faults-'));
  authority = createAuthority(folder);
  good = authority.issue('mx.test', ['IP:127.0.0.1', 'DNS:mx.test']);
  others['wrong name'] = authority.issue('other.test', ['DNS:other.test']);
  others['expired'] = authority.issue('mx.test', ['IP:127.0.0.1'], { isExpired: true });
  const elsewhere = mkdtempSync(path.join(folder, 'elsewhere-'));
  others['unknown authority'] = createAuthority(elsewhere).issue('mx.test', ['IP:127.0.0.1']);
  const authorities = [new X509Certificate(authority.cert)];
  trust = { key: () => undefined, authorities: () => authorities };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inPlain = '250 peer.test\nPIPELINING\nSTARTTLS\nAUTH LOGIN\nXCLIENT ADDR';
const inTls = '250 peer.test\nPIPELINING\nAUTH PLAIN\nXCLIENT ADDR';
const patience: Record<string, number> = Object.fromEntries(
  Object.keys(defaultTimeouts).map((state) => [state, 5]),
);
const protectedTransport: Partial<Transport> = {
  tls: { ...noTls, mode: 'require_verify', verifiesHost: true },
  credentials: { userName: 'user', password: 'topsecret', allowsUnverified: false },
  timeouts: patience,
};
const fullSession = { xclient: { ADDR: '192.0.2.7' } };

interface Setting {
  readonly script: PeerScript;
  readonly tls?: PeerTls;
  readonly transport?: Partial<Transport>;
  readonly options?: Partial<SmtpDelivererOptions>;
  /** Without XCLIENT. */
  readonly isPlain?: boolean;
}

function start(t: TestContext, { options }: Pick<Setting, 'options'>): SmtpDeliverer {
  const deliverer = new SmtpDeliverer({ hostname: 'host.test', trust, ...options });
  t.onTestFinished(() => deliverer.close());
  return deliverer;
}

async function deliver(t: TestContext, setting: Setting) {
  const peer = await startPeer(t, setting.script, setting.tls ?? good);
  const deliverer = start(t, setting);
  const attempt = makeAttempt(peer.port, {
    transport: { ...protectedTransport, ...setting.transport },
    options: setting.isPlain === true ? {} : fullSession,
  });
  const report = await deliverer.attempt(attempt, new AbortController().signal);
  return { peer, deliverer, report };
}

/** The script that misbehaves in a state of the full session: EHLO is said three times. */
function misbehavingIn(state: PeerState, answer: PeerAnswer): PeerScript {
  return {
    EHLO: [inPlain, inTls],
    ...(state === 'EHLO' ? { EHLO: [inPlain, answer] } : { [state]: answer }),
  };
}

/** What our report calls a state of the peer. */
const reported: Partial<Record<PeerState, SmtpState>> = { AUTH: 'AUTH-PLAIN' };

test('the session of these tests works, and says EHLO once more after TLS and after XCLIENT', async (t) => {
  const { peer, report } = await deliver(t, { script: { EHLO: [inPlain, inTls] } });
  expect(judge(report)).toBe('delivered');
  expect(peer.commands.map((line) => line.split(' ')[0])).toEqual(
    'EHLO STARTTLS EHLO XCLIENT EHLO AUTH MAIL RCPT DATA'.split(' '),
  );
  expect(report.connection?.tls).toMatchObject({ isStarted: true, protocol: 'TLSv1.3', keySize: 256 });
});

test('without STARTTLS EHLO is said once', async (t) => {
  const { peer } = await deliver(t, {
    script: {},
    transport: { tls: { ...noTls, mode: 'optional' }, credentials: undefined },
  });
  expect(peer.commands.filter((line) => line.startsWith('EHLO'))).toHaveLength(1);
});

test('what was announced before TLS is forgotten', async (t) => {
  // In plain text it offers LOGIN and chunks; inside neither.
  const { report, peer } = await deliver(t, {
    script: { EHLO: [`${inPlain}\nSMTPUTF8\nDSN`, '250 peer.test\nXCLIENT ADDR'] },
  });
  expect(report.error).toMatchObject({ type: 'config', message: expect.stringMatching(/offers no AUTH/) });
  expect(peer.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
});

describe('inside TLS', () => {
  const misdeeds: [string, PeerAnswer, Partial<NonNullable<AttemptReport['error']>>][] = [
    ['a reset', 'reset', { type: 'network' }],
    ['a close', 'close', { type: 'network' }],
    ['silence', 'silence', { type: 'network' }],
    ['half a reply and a close', { raw: '250-half', next: 'close' }, { type: 'network' }],
    ['a reply of 1 MiB', { raw: `250-${'x'.repeat(80)}\r\n`.repeat(12_500) }, { type: 'protocol' }],
    ['a line of 1 MiB', { raw: 'x'.repeat(1024 * 1024) }, { type: 'protocol' }],
    ['a multi-line reply of two codes', { raw: '250-one\r\n550 two\r\n' }, { type: 'protocol' }],
  ];
  const states: PeerState[] = ['EHLO', 'AUTH', 'XCLIENT', 'MAIL', 'RCPT', 'DATA', 'EOD'];
  for (const state of states) {
    for (const [name, answer, error] of misdeeds) {
      test(`${name} in ${state} is temporary and told as what it is`, async (t) => {
        const where = reported[state] ?? state;
        const { report, deliverer } = await deliver(t, {
          script: misbehavingIn(state, answer),
          transport: { timeouts: { ...patience, ...(answer === 'silence' ? { [where]: 0.1 } : {}) } },
        });
        expect(report.result).toBeUndefined();
        expect(report.error).toMatchObject({ temporary: true, ...error });
        // A reset throws away what was said before it and not read yet.
        if (answer !== 'reset') expect(report.error?.state).toBe(where);
        expect(report.error?.message.includes('may arrive twice')).toBe(report.error?.state === 'EOD');
        expect(judge(report)).toBe('deferred');
        expect(JSON.stringify(report)).not.toContain('topsecret');
        await deliverer.close();
        await expect.poll(() => deliverer.counters).toMatchObject({ open: 0, pool: { size: 0 } });
      });
    }

    test.for([421, 450, 554])(`%i in ${state} is the result`, async (code, t) => {
      const { report } = await deliver(t, { script: misbehavingIn(state, `${code} no`) });
      const isAboutUs = state === 'AUTH' || state === 'XCLIENT';
      expect(report.result).toMatchObject({ code, state: state === 'AUTH' ? 'AUTH' : state });
      expect(judge(report)).toBe(code === 554 && !isAboutUs ? 'failed' : 'deferred');
    });
  }
});

describe('in virtual time', () => {
  /** What the peer has seen when it falls silent. */
  const silences: [SmtpState, PeerScript, (peer: ScriptedPeer) => boolean][] = [
    ['BANNER', { BANNER: 'silence' }, ({ connections }) => connections === 1],
    ['EHLO', { EHLO: 'silence' }, said('EHLO')],
    ['STARTTLS', { EHLO: inPlain, STARTTLS: 'silence' }, said('STARTTLS')],
    ['XCLIENT', { ...misbehavingIn('XCLIENT', 'silence') }, said('XCLIENT')],
    ['AUTH-PLAIN', { ...misbehavingIn('AUTH', 'silence') }, said('AUTH')],
    ['MAIL', { ...misbehavingIn('MAIL', 'silence') }, said('DATA')],
    ['RCPT', { ...misbehavingIn('RCPT', 'silence') }, said('DATA')],
    ['DATA', { ...misbehavingIn('DATA', 'silence') }, said('DATA')],
    ['EOD', { ...misbehavingIn('EOD', 'silence') }, ({ messages }) => messages.length === 1],
  ];
  test.for(silences)(
    'silence in %s lasts as long as the standard says, and no longer',
    async ([state, script, seen], t) => {
      const clock = new ManualClock();
      const peer = await startPeer(t, script, good);
      const deliverer = start(t, { options: { clock } });
      const attempt = makeAttempt(peer.port, {
        transport: { ...protectedTransport, timeouts: {} },
        options: fullSession,
      });
      let isOver = false;
      const pending = deliverer.attempt(attempt, new AbortController().signal).finally(() => {
        isOver = true;
      });
      await peer.until(seen);
      await turns();
      const seconds = defaultTimeouts[state];
      clock.advance(seconds * 1000 - 1);
      await turns();
      expect(isOver).toBe(false);
      clock.advance(1);
      const report = await pending;
      expect(report.error).toMatchObject({ temporary: true, type: 'network', state });
      expect(report.error?.message).toContain(`within ${seconds} s`);
      expect(judge(report)).toBe('deferred');
    },
  );

  test('a handshake that never ends has a deadline', async (t) => {
    const clock = new ManualClock();
    const peer = await startPeer(t, { EHLO: inPlain, HANDSHAKE: 'silence' }, good);
    const deliverer = start(t, { options: { clock } });
    const pending = deliverer.attempt(
      makeAttempt(peer.port, { transport: { ...protectedTransport, timeouts: {} } }),
      new AbortController().signal,
    );
    await peer.until(said('STARTTLS'));
    await turns();
    clock.advance(300_000);
    expect((await pending).error).toMatchObject({ temporary: true, state: 'STARTTLS' });
  });

  test('a peer that never answers QUIT is left', async (t) => {
    const clock = new ManualClock();
    const peer = await startPeer(t, { QUIT: 'silence' });
    const deliverer = start(t, { options: { clock } });
    await deliverer.attempt(makeAttempt(peer.port), new AbortController().signal);
    await peer.until(said('QUIT'));
    expect(deliverer.counters.open).toBe(1);
    clock.advance(20_000);
    await expect.poll(() => deliverer.counters.open).toBe(0);
  });

  test('a pooled connection that never answers RSET costs 20 s and no attempt', async (t) => {
    const clock = new ManualClock();
    const peer = await startPeer(t, { RSET: 'silence' });
    const deliverer = start(t, { options: { clock } });
    const attempt = makeAttempt(peer.port, {
      transport: { pooling: { enabled: true, transactions: undefined, idleSeconds: 60 } },
    });
    await deliverer.attempt(attempt, new AbortController().signal);
    const pending = deliverer.attempt(attempt, new AbortController().signal);
    await peer.until(({ commands }) => commands.includes('RSET'));
    await turns();
    clock.advance(20_000);
    const report = await pending;
    expect(judge(report)).toBe('delivered');
    expect(report.connection?.transactions).toBe(1);
    expect(deliverer.counters).toMatchObject({ stale: 1, opened: 2 });
  });
});

function said(verb: string): (peer: ScriptedPeer) => boolean {
  return ({ commands }) => commands.some((line) => line.startsWith(verb));
}

/** What the peer has said has arrived. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('TLS that fails', () => {
  type Mode = 'optional' | 'optional_verify' | 'require' | 'require_verify';
  const modes: readonly Mode[] = ['optional', 'optional_verify', 'require', 'require_verify'];
  type End = 'plain' | 'TLS' | 'tls error' | 'refused' | 'network' | 'protocol';
  const open = '250 peer.test\nSTARTTLS';
  /** By mode, in the order above; last the word of RFC 8460 for those that go on or fail by TLS. */
  const table: [string, PeerScript, string | undefined, readonly End[], string | undefined][] = [
    [
      'not offered',
      { EHLO: '250 peer.test' },
      undefined,
      ['plain', 'plain', 'tls error', 'tls error'],
      'starttls-not-supported',
    ],
    [
      'refused with 454',
      { EHLO: open, STARTTLS: '454 not now' },
      undefined,
      ['plain', 'plain', 'refused', 'refused'],
      'starttls-not-supported',
    ],
    [
      'refused with 502',
      { EHLO: open, STARTTLS: '502 what' },
      undefined,
      ['plain', 'plain', 'refused', 'refused'],
      'starttls-not-supported',
    ],
    [
      'garbage for a handshake',
      { EHLO: open, HANDSHAKE: { raw: 'no TLS here\r\n' } },
      undefined,
      ['plain', 'tls error', 'tls error', 'tls error'],
      'validation-failure',
    ],
    [
      'a close during the handshake',
      { EHLO: open, HANDSHAKE: 'close' },
      undefined,
      ['plain', 'tls error', 'tls error', 'tls error'],
      'validation-failure',
    ],
    [
      'a reset during the handshake',
      { EHLO: open, HANDSHAKE: 'reset' },
      undefined,
      ['plain', 'tls error', 'tls error', 'tls error'],
      'validation-failure',
    ],
    [
      'silence during the handshake',
      { EHLO: open, HANDSHAKE: 'silence' },
      undefined,
      ['plain', 'network', 'network', 'network'],
      'validation-failure',
    ],
    [
      'plain text behind the go-ahead',
      { EHLO: open, STARTTLS: { raw: '220 go\r\n250 injected\r\n' } },
      undefined,
      ['protocol', 'protocol', 'protocol', 'protocol'],
      undefined,
    ],
    [
      'a close at STARTTLS',
      { EHLO: open, STARTTLS: 'close' },
      undefined,
      ['plain', 'network', 'network', 'network'],
      undefined,
    ],
    [
      'a wrong name',
      { EHLO: [open, '250 peer.test'] },
      'wrong name',
      ['TLS', 'tls error', 'tls error', 'tls error'],
      'certificate-host-mismatch',
    ],
    [
      'an expired certificate',
      { EHLO: [open, '250 peer.test'] },
      'expired',
      ['TLS', 'tls error', 'TLS', 'tls error'],
      'certificate-expired',
    ],
    [
      'an unknown authority',
      { EHLO: [open, '250 peer.test'] },
      'unknown authority',
      ['TLS', 'tls error', 'TLS', 'tls error'],
      'certificate-not-trusted',
    ],
  ];
  for (const [name, script, certificate, ends, failure] of table) {
    test.for(modes.map((mode, index) => [mode, ends[index]] as const))(
      `${name} with %s: %s`,
      async ([mode, end], t) => {
        const { report, peer } = await deliver(t, {
          script,
          tls: certificate === undefined ? good : others[certificate]!,
          transport: {
            tls: { ...noTls, mode, verifiesHost: true },
            credentials: undefined,
            timeouts: { ...patience, STARTTLS: name.startsWith('silence') ? 0.2 : 5 },
          },
        }).catch((error: unknown) => {
          throw error;
        });
        // XCLIENT is not offered by these peers: all that matters is how far it came.
        expect(judge(report)).toBe('deferred');
        if (end === 'plain' || end === 'TLS') {
          expect(report.error).toMatchObject({ type: 'config', state: 'XCLIENT' });
          expect(report.connection?.tls?.isStarted).toBe(end === 'TLS');
          if (end === 'plain' && failure !== undefined) expect(report.connection?.tls?.tlsrpt).toBe(failure);
          return;
        }
        if (end === 'refused') expect(report.result).toMatchObject({ state: 'STARTTLS' });
        else expect(report.error?.type).toBe(end === 'tls error' ? 'tls' : end);
        if (end === 'tls error') expect(report.connection?.tls?.tlsrpt).toBe(failure);
        expect(peer.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
      },
    );
  }

  test('the certificate and what is wrong with it are in the report', async (t) => {
    const { report } = await deliver(t, {
      script: { EHLO: [open, inTls] },
      tls: others['expired']!,
      transport: { tls: { ...noTls, mode: 'require' }, credentials: undefined },
    });
    const peer = report.connection?.tls?.peer;
    expect(peer?.error).toBe('CERT_HAS_EXPIRED');
    expect(peer?.certificate?.subject).toBe('CN=mx.test');
    expect(peer?.chain).toEqual([]);
  });
});

describe('a password', () => {
  test.for([
    ['a wrong name', 'wrong name'],
    ['an expired certificate', 'expired'],
    ['an unknown authority', 'unknown authority'],
  ])('is not told to a peer with %s', async ([, which], t) => {
    const { report, peer } = await deliver(t, {
      script: { EHLO: [inPlain, inTls] },
      tls: others[which!]!,
      transport: { tls: { ...noTls, mode: 'require' } },
    });
    expect(report.error).toMatchObject({ temporary: true, type: 'config', state: 'AUTH' });
    expect(peer.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
  });

  test('is not told in plain text where TLS was wanted and did not come', async (t) => {
    const { report, peer } = await deliver(t, {
      script: { EHLO: '250 peer.test\nAUTH PLAIN\nXCLIENT ADDR' },
      transport: { tls: { ...noTls, mode: 'optional' } },
    });
    expect(report.error).toMatchObject({ type: 'config', state: 'AUTH' });
    expect(peer.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
  });
});

test.for(['BANNER', 'EHLO', 'EOD'] as const)('of 64 MiB said in %s little is read', async (state, t) => {
  const raw = Buffer.from(`250-${'x'.repeat(1000)}\r\n`.repeat(64 * 1024));
  const sockets: Socket[] = [];
  const { report } = await deliver(t, {
    script: { ...misbehavingIn(state, { raw }), EHLO: state === 'EHLO' ? { raw } : '250 peer.test' },
    transport: { tls: noTls, credentials: undefined },
    isPlain: true,
    options: {
      connect: (target) => {
        const socket = connect(target);
        sockets.push(socket);
        return socket;
      },
    },
  });
  expect(report.error).toMatchObject({ type: 'protocol', state });
  expect(report.error?.message.length).toBeLessThan(300);
  expect(sockets.map(({ bytesRead }) => bytesRead <= 512 * 1024)).toEqual([true]);
});
