// What Try says of a session, carried out: TLS, log-in, XCLIENT, proxy, source address; and that no password is ever shown.

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { TryOptions } from '#hooks';
import { HslArray, HslResource, type Value } from '#lang';
import { type ConfiguredKey, certificatesInPem, privateKeyInPem } from '#stdlib';
import { attemptTlsToValue } from '../../../hooks/attempt-tls.js';
import { attemptToValue } from '../../../hooks/message-state.js';
import { noTls } from '../../../src/delivery/client/tls.js';
import type { HopAddress, SourceChoice, Transport } from '../../../src/delivery/deliverer.js';
import { judge } from '../../../src/delivery/failure.js';
import { SmtpDeliverer, type SmtpDelivererOptions } from '../../../src/delivery/smtp-deliverer.js';
import { makeAttempt } from '../../support/delivery-attempt.js';
import { startOutboundProxy } from '../../support/outbound-proxy.js';
import { type PeerScript, type PeerTls, startPeer } from '../../support/scripted-peer.js';
import { createAuthority, type TestCertificate } from '../../support/test-certificates.js';

let folder: string;
let good: PeerTls;
let trust: NonNullable<SmtpDelivererOptions['trust']>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-session-'));
  const authority = createAuthority(folder);
  good = { ...authority.issue('mx.test', ['DNS:mx.test', 'IP:127.0.0.1']), requestCert: true };
  const mine: TestCertificate = authority.issue('client.test', ['DNS:client.test']);
  const key: ConfiguredKey = { key: privateKeyInPem(mine.key)!, certificates: certificatesInPem(mine.cert)! };
  const authorities = [new X509Certificate(authority.cert)];
  trust = { key: (id) => (id === 'mine' ? key : undefined), authorities: () => authorities };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A value as JSON has it; of a resource its type. */
function toPlain(value: Value): unknown {
  if (value instanceof HslResource) return value.type;
  if (!(value instanceof HslArray)) return value;
  return Object.fromEntries([...value.entries()].map(([key, item]) => [key, toPlain(item)]));
}

const logged: unknown[] = [];
const log = {
  debug: (fields: object) => logged.push(fields),
  info: (fields: object) => logged.push(fields),
  error: (fields: object) => logged.push(fields),
};

interface Setting {
  readonly script?: PeerScript;
  readonly transport?: Partial<Transport>;
  readonly addresses?: readonly HopAddress[];
  /** The host's name; its address when absent. */
  readonly remoteMx?: string;
  readonly source?: SourceChoice;
  /** The peer speaks TLS from the first byte. */
  readonly isImplicit?: boolean;
}

async function deliver(
  t: TestContext,
  options: TryOptions,
  {
    script = {},
    transport = {},
    addresses,
    remoteMx = '127.0.0.1',
    source,
    isImplicit = false,
  }: Setting = {},
) {
  const peer = await startPeer(t, script, { ...good, isImplicit });
  const deliverer = new SmtpDeliverer({ hostname: 'host.test', trust, log });
  t.onTestFinished(() => deliverer.close());
  const attempt = makeAttempt(peer.port, {
    transport,
    options,
    source,
    addresses: addresses ?? [{ ip: '127.0.0.1', port: peer.port, remoteMx }],
  });
  const report = await deliverer.attempt(attempt, new AbortController().signal);
  return { peer, report, deliverer };
}

const offersTls = { EHLO: ['250 peer.test\nSTARTTLS', '250 peer.test\nAUTH PLAIN LOGIN\nXCLIENT ADDR'] };

describe('Try decides over the transport', () => {
  test('with TLS where the transport has none', async (t) => {
    const { report } = await deliver(
      t,
      { tls: { mode: 'require_verify', verifiesHost: true } },
      { script: offersTls },
    );
    expect(judge(report)).toBe('delivered');
    expect(report.connection?.tls).toMatchObject({ isStarted: true });
  });

  test('and without where it has some', async (t) => {
    const transport = { tls: { ...noTls, mode: 'require' as const } };
    const { report, peer } = await deliver(
      t,
      { tls: { mode: 'disabled' } },
      { script: offersTls, transport },
    );
    expect(judge(report)).toBe('delivered');
    expect(peer.commands).not.toContain('STARTTLS');
  });

  test('what it leaves out stays: the names to verify', async (t) => {
    const transport = { tls: { ...noTls, mode: 'optional' as const, verifyNames: ['elsewhere.test'] } };
    const { report } = await deliver(t, { tls: { mode: 'require' } }, { script: offersTls, transport });
    expect(report.error).toMatchObject({ type: 'tls', message: expect.stringMatching(/elsewhere\.test/) });
  });

  test.for([
    [{ verifyNames: ['mx.test'] }, true],
    [{ verifyNames: ['*.test'] }, true],
    [{ verifyNames: ['other.test'] }, false],
  ] as const)('on names: %o', async ([tls, isGood], t) => {
    const { report } = await deliver(t, { tls: { mode: 'require_verify', ...tls } }, { script: offersTls });
    expect(judge(report)).toBe(isGood ? 'delivered' : 'deferred');
  });

  test('with a server name, protocols, ciphers and a certificate of ours', async (t) => {
    const tls = {
      mode: 'require',
      sni: 'mx.test',
      protocols: '!TLSv1.3',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
      clientCertificate: 'mine',
    } as const;
    const { report, peer } = await deliver(t, { tls }, { script: offersTls });
    expect(report.connection?.tls).toMatchObject({ protocol: 'TLSv1.2', keySize: 128 });
    expect(peer.handshakes).toEqual([{ servername: 'mx.test', client: 'client.test' }]);
  });

  test('a certificate that is not configured is a slip of ours', async (t) => {
    const tls = { mode: 'require', clientCertificate: 'theirs' } as const;
    const { report } = await deliver(t, { tls }, { script: offersTls });
    expect(report.error).toMatchObject({
      temporary: true,
      type: 'config',
      message: expect.stringMatching(/no key "theirs"/),
    });
  });

  const transport = { credentials: { userName: 'boss', password: 'geheim1', allowsUnverified: false } };
  const inPlain = { EHLO: '250 peer.test\nAUTH PLAIN\nXCLIENT ADDR' };
  const says = (user: string, password: string) =>
    `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`;

  test('on the log-in', async (t) => {
    const logIn = { userName: 'me', password: 'geheim2' };
    const { report, peer } = await deliver(t, { logIn }, { script: inPlain, transport });
    expect(judge(report)).toBe('delivered');
    expect(peer.commands[1]).toBe(says('me', 'geheim2'));
  });

  test('by going without one', async (t) => {
    const { peer } = await deliver(t, { logIn: 'none' }, { script: inPlain, transport });
    expect(peer.commands[1]).toMatch(/^MAIL/);
  });

  test('by telling the password to a peer that did not show who it is', async (t) => {
    const unproven = {
      script: { EHLO: ['250 peer.test\nSTARTTLS', '250 peer.test\nAUTH PLAIN'] },
      transport,
    };
    const tls = { mode: 'require', verifyNames: [], sni: 'x.test' } as const;
    const careful = await deliver(t, { tls }, { ...unproven, remoteMx: 'elsewhere.test' });
    expect(careful.report.error).toMatchObject({ type: 'config', state: 'AUTH' });
    const careless = await deliver(
      t,
      { tls, logIn: { allowsUnverified: true } },
      { ...unproven, remoteMx: 'elsewhere.test' },
    );
    expect(judge(careless.report)).toBe('delivered');
    expect(careless.peer.commands).toContain(says('boss', 'geheim1'));
  });

  test('on XCLIENT', async (t) => {
    const { peer, report } = await deliver(t, { xclient: { ADDR: '192.0.2.7' } }, { script: inPlain });
    expect(judge(report)).toBe('delivered');
    expect(peer.commands.slice(0, 3)).toEqual([
      'EHLO client.test',
      'XCLIENT ADDR=192.0.2.7',
      'EHLO client.test',
    ]);
  });

  test('XCLIENT is not left out where it is not offered', async (t) => {
    const { peer, report } = await deliver(t, { xclient: { ADDR: '192.0.2.7' } });
    expect(report.error).toMatchObject({ type: 'config', state: 'XCLIENT' });
    expect(peer.commands).toHaveLength(1);
  });
});

describe('TLS from the first byte (RFC 8314)', () => {
  const implicit = { tls: { isImplicit: true, mode: 'require_verify', verifiesHost: true } } as const;
  const logIn = { userName: 'me', password: 'geheim3' };
  const inside = { EHLO: '250 peer.test\nSTARTTLS\nAUTH PLAIN' };

  test('comes before the greeting, and STARTTLS is not said', async (t) => {
    const { report, peer } = await deliver(t, { ...implicit, logIn }, { script: inside, isImplicit: true });
    expect(judge(report)).toBe('delivered');
    expect(report.connection?.tls).toMatchObject({ isStarted: true });
    expect(peer.commands.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA']);
  });

  test('is never done without, whatever the mode: there is nothing to fall back to', async (t) => {
    const { report, peer } = await deliver(t, { tls: { isImplicit: true, mode: 'optional' } });
    expect(report.error).toMatchObject({ temporary: true, type: 'tls', state: 'STARTTLS' });
    expect(peer.connections).toBe(1);
  });

  test('with no mode at all tells no password to a stranger', async (t) => {
    const { report, peer } = await deliver(
      t,
      { tls: { isImplicit: true }, logIn },
      { script: inside, isImplicit: true, remoteMx: 'elsewhere.test' },
    );
    expect(report.error).toMatchObject({ type: 'config', state: 'AUTH' });
    expect(peer.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
  });

  test('is with the right peer where that is asked for', async (t) => {
    const { report } = await deliver(t, implicit, { isImplicit: true, remoteMx: 'elsewhere.test' });
    expect(report.error).toMatchObject({
      type: 'tls',
      message: expect.stringMatching(/not for "elsewhere\.test"/),
    });
    expect(report.connection?.tls?.tlsrpt).toBe('certificate-host-mismatch');
  });
});

describe('a source address', () => {
  const source: SourceChoice = { ipv4: { ip: '127.0.0.9', id: 'nine', helo: 'nine.test' } };
  test('is where the connection comes from, gives its name, and is told', async (t) => {
    const { report, peer } = await deliver(t, {}, { source });
    expect(report.connection).toMatchObject({ localIp: '127.0.0.9', localIpId: 'nine', helo: 'nine.test' });
    expect(peer.commands[0]).toBe('EHLO nine.test');
  });

  test('gives way to the name that Try gives', async (t) => {
    const { peer } = await deliver(t, { helo: 'own.test' }, { source });
    expect(peer.commands[0]).toBe('EHLO own.test');
  });
});

describe('a proxy', () => {
  test.for([1, 2, undefined] as const)(
    'is told by a header of version %s whom to connect to',
    async (version, t) => {
      const proxy = await startOutboundProxy(t);
      const { report, peer } = await deliver(t, {
        proxy: { ip: '127.0.0.1', port: proxy.port, ...(version && { version }) },
      });
      expect(judge(report)).toBe('delivered');
      expect(proxy.problems).toEqual([]);
      expect(proxy.headers).toMatchObject([
        { remoteIp: '127.0.0.1', localIp: '127.0.0.1', localPort: peer.port },
      ]);
      expect(report.connection).toMatchObject({ localIp: '127.0.0.1', remoteIp: '127.0.0.1' });
    },
  );

  test('is told our source address, which need not be of this machine', async (t) => {
    const proxy = await startOutboundProxy(t);
    const transport = { proxy: { ip: '127.0.0.1', port: proxy.port } };
    const source: SourceChoice = { ipv4: { ip: '192.0.2.55', id: 'far' } };
    const { report } = await deliver(t, {}, { transport, source });
    expect(judge(report)).toBe('delivered');
    expect(proxy.headers).toMatchObject([{ remoteIp: '192.0.2.55', remotePort: 0 }]);
    expect(report.connection).toMatchObject({ localIp: '192.0.2.55', localIpId: 'far' });
  });

  test('carries TLS to the peer behind it', async (t) => {
    const proxy = await startOutboundProxy(t);
    const options: TryOptions = {
      proxy: { ip: '127.0.0.1', port: proxy.port },
      tls: { mode: 'require_verify', verifiesHost: true },
    };
    const { report } = await deliver(t, options, { script: offersTls });
    expect(report.connection?.tls).toMatchObject({ isStarted: true });
  });

  test('of the transport can be done without, and moved', async (t) => {
    const proxy = await startOutboundProxy(t);
    const transport = { proxy: { ip: '127.0.0.1', port: 1 } };
    const without = await deliver(t, { proxy: 'none' }, { transport });
    expect(judge(without.report)).toBe('delivered');
    const moved = await deliver(t, { proxy: { port: proxy.port } }, { transport });
    expect(judge(moved.report)).toBe('delivered');
    expect(proxy.headers).toHaveLength(1);
  });

  test('that is not there is temporary, and no other address is tried through it', async (t) => {
    const addresses: HopAddress[] = [1, 2, 3].map((n) => ({
      ip: `127.0.0.${n}`,
      port: 25,
      remoteMx: `mx${n}.test`,
    }));
    const { report, deliverer } = await deliver(
      t,
      {},
      { transport: { proxy: { ip: '127.0.0.1', port: 1 } }, addresses },
    );
    expect(report.error).toMatchObject({
      temporary: true,
      type: 'network',
      message: expect.stringMatching(/the proxy 127\.0\.0\.1 port 1/),
    });
    expect(deliverer.counters.opened).toBe(1);
  });

  test('that cannot reach the peer is temporary', async (t) => {
    const proxy = await startOutboundProxy(t);
    const addresses = [{ ip: '127.0.0.1', port: 1, remoteMx: 'mx.test' }];
    const { report } = await deliver(t, { proxy: { ip: '127.0.0.1', port: proxy.port } }, { addresses });
    expect(report.error).toMatchObject({ temporary: true, type: 'network', state: 'BANNER' });
  });

  test('half of one is a slip of ours', async (t) => {
    const { report } = await deliver(t, { proxy: { ip: '127.0.0.1' } });
    expect(report.error).toMatchObject({
      temporary: true,
      type: 'config',
      message: expect.stringMatching(/without a port/),
    });
  });

  test('does not connect one family to the other', async (t) => {
    const proxy = await startOutboundProxy(t);
    const transport = { proxy: { ip: '127.0.0.1', port: proxy.port } };
    const source: SourceChoice = { ipv4: { ip: '2001:db8::1' } };
    const { report } = await deliver(t, {}, { transport, source });
    expect(report.error).toMatchObject({
      temporary: true,
      type: 'config',
      message: expect.stringMatching(/one family/),
    });
  });
});

test('scripts see the session', async (t) => {
  const { report } = await deliver(t, { tls: { mode: 'require' } }, { script: offersTls });
  const value = toPlain(attemptToValue(report));
  expect(value).toMatchObject({
    result: { code: 250, state: 'EOD' },
    connection: {
      transactions: 1,
      localip: '127.0.0.1',
      helo: 'client.test',
      remoteip: '127.0.0.1',
      remotemx: '127.0.0.1',
      remotegreet: { 0: 'peer.test ESMTP' },
      tls: {
        started: true,
        protocol: 'TLSv1.3',
        keysize: 256,
        peercert: { x509: 'X509Resource', chain: {}, error: 0 },
      },
    },
  });
});

test.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 18],
  ['CERT_HAS_EXPIRED', 10],
  ['a word that is not known', 1],
])("scripts see OpenSSL's number for what is wrong with a certificate: %s is %i", (error, number) => {
  const tls = { isStarted: true, peer: { chain: [], error } };
  expect(toPlain(attemptTlsToValue(tls))).toMatchObject({ peercert: { error: number } });
});

test.for([
  ['the command', `AUTH PLAIN ${Buffer.from('\0me\0topsecret').toString('base64')}`],
  ['a part of it', `LAIN ${Buffer.from('\0me\0topsecret').toString('base64').slice(0, -2)}`],
  ['the password', 'topsecret'],
  ['a reply and the password', '250-topsecret\r\ntopsecret'],
])('a peer that echoes %s does not bring the password into a report or a log', async ([, echo], t) => {
  const logIn = { userName: 'me', password: 'topsecret' };
  const script = { EHLO: '250 peer.test\nAUTH PLAIN', AUTH: { raw: `${echo}\r\n` } };
  const { report } = await deliver(t, { logIn }, { script });
  expect(report.error).toMatchObject({ type: 'protocol', state: 'AUTH-PLAIN', temporary: true });
  const shown = JSON.stringify([report, toPlain(attemptToValue(report)), logged]);
  expect(shown).not.toContain('topsecret');
  expect(shown).not.toContain(Buffer.from('\0me\0topsecret').toString('base64').slice(0, 12));
});

test('no password is in a report, in what scripts see, or in a log', async (t) => {
  const logIn = { userName: 'me', password: 'topsecret' };
  const repeats = `535 5.7.8 no: ${Buffer.from('\0me\0topsecret').toString('base64')} topsecret`;
  const script = { EHLO: '250 peer.test\nAUTH PLAIN', AUTH: repeats };
  const { report } = await deliver(t, { logIn }, { script });
  expect(report.result).toMatchObject({ code: 535, state: 'AUTH' });
  const shown = JSON.stringify([report, toPlain(attemptToValue(report)), logged]);
  expect(shown).not.toContain('topsecret');
  expect(shown).not.toContain(Buffer.from('\0me\0topsecret').toString('base64'));
});
