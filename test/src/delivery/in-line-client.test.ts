// The scripts' SMTP client against peers that protect, ask for names and passwords, refuse, lie or fall silent.

import { createHmac, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { MailOutcome, MailServer } from '#stdlib';
import type { TlsTrust } from '../../../src/delivery/client/tls.js';
import type { InLineClientOptions } from '../../../src/delivery/in-line-client.js';
import type { Names } from '../../../src/delivery/next-hops/names.js';
import { outcomeToValue } from '../../../stdlib/smtp/outcome-values.js';
import { makeTransport } from '../../support/delivery-attempt.js';
import { noKey, patience, sendThrough, serverAt, startClient } from '../../support/in-line-client.js';
import { type PeerScript, type PeerTls, startPeer } from '../../support/scripted-peer.js';
import { createAuthority, type TestAuthority } from '../../support/test-certificates.js';
import { TestLog } from '../../support/test-log.js';

let folder: string;
let authority: TestAuthority;
/** For peer.test and 127.0.0.1, of the authority; for another name; of nobody we know. */
let good: PeerTls;
let misnamed: PeerTls;
let unknown: PeerTls;
let trust: TlsTrust;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-tls-'));
  authority = createAuthority(folder);
  good = authority.issue('peer.test', ['DNS:peer.test', 'DNS:*.pool.test', 'IP:127.0.0.1']);
  misnamed = authority.issue('other.test', ['DNS:other.test']);
  const elsewhere = mkdtempSync(path.join(folder, 'elsewhere-'));
  unknown = createAuthority(elsewhere).issue('peer.test', ['DNS:peer.test', 'IP:127.0.0.1']);
  const authorities = [new X509Certificate(authority.cert)];
  trust = { key: noKey, authorities: () => authorities };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const starttls = '250 peer.test\nPIPELINING\nSTARTTLS';
const inTls = '250 peer.test\nPIPELINING\nAUTH PLAIN LOGIN';

/** EHLO before and after TLS. */
const protectedPeer: PeerScript = { EHLO: [starttls, inTls] };

async function send(
  t: TestContext,
  script: PeerScript,
  server: MailServer,
  tls?: PeerTls,
  options: Partial<InLineClientOptions> = {},
) {
  const peer = await startPeer(t, script, tls);
  const client = startClient(t, { trust, ...options });
  const outcome = await sendThrough(client, serverAt(peer.port, server));
  return { peer, client, outcome };
}

const codeOf = (outcome: MailOutcome) => ('reply' in outcome ? outcome.reply.code : undefined);
const errorOf = (outcome: MailOutcome) => ('error' in outcome ? outcome.error.message : undefined);

describe('send', () => {
  test('gives the reply to the message, the connection and no TLS', async (t) => {
    const { peer, outcome } = await send(t, {}, {});
    expect(outcome).toEqual({
      reply: { state: 'EOD', code: 250, enhanced: [2, 0, 0], reason: ['taken'] },
      connection: { localIp: '127.0.0.1', remoteIp: '127.0.0.1', remoteMx: '127.0.0.1' },
      tls: { isStarted: false },
    });
    expect(peer.messages.map(String)).toEqual(['Subject: hello\r\n\r\nhello\r\n']);
    await peer.until(({ commands }) => commands.includes('QUIT'));
  });

  test('names all recipients in one transaction', async (t) => {
    const peer = await startPeer(t);
    const outcome = await sendThrough(startClient(t), serverAt(peer.port), ['b', 'c', 'd']);
    expect(codeOf(outcome)).toBe(250);
    expect(peer.commands.filter((line) => /^(MAIL|RCPT|DATA)/.test(line))).toEqual([
      'MAIL FROM:<a@a.test> SIZE=25',
      'RCPT TO:<b@b.test>',
      'RCPT TO:<c@b.test>',
      'RCPT TO:<d@b.test>',
      'DATA',
    ]);
    expect(peer.messages).toHaveLength(1);
  });

  test.for([
    ['with PIPELINING', '250 peer.test\nPIPELINING'],
    ['without PIPELINING', '250 peer.test'],
  ] as const)('sends nothing when a recipient is refused, and says which: %s', async ([_how, EHLO], t) => {
    const peer = await startPeer(t, { EHLO, RCPT: ['250 ok', '550 5.1.1 no such user', '250 ok'] });
    const outcome = await sendThrough(startClient(t), serverAt(peer.port), ['b', 'c', 'd']);
    expect(outcome).toMatchObject({
      reply: { state: 'RCPT', code: 550, enhanced: [5, 1, 1], recipientIndex: 1 },
    });
    expect(peer.commands).not.toContain('DATA');
    await peer.until(({ commands }) => commands.includes('QUIT'));
  });

  test('by LMTP reads a reply for each recipient and tells the first refusal', async (t) => {
    const peer = await startPeer(t, { EOD: { raw: '250 ok\r\n452 4.2.2 full\r\n250 ok\r\n' } });
    const outcome = await sendThrough(startClient(t), serverAt(peer.port, { protocol: 'lmtp' }), [
      'b',
      'c',
      'd',
    ]);
    expect(outcome).toMatchObject({ reply: { state: 'EOD', code: 452, recipientIndex: 1 } });
    expect(outcome.recipients?.map(({ code, reason }) => [code, ...reason])).toEqual([
      [250, 'ok'],
      [452, 'full'],
      [250, 'ok'],
    ]);
    expect(outcomeToValue(outcome).get('recipients')).toHaveProperty('length', 3);
  });

  test('by LMTP tells what was heard before a peer was lost', async (t) => {
    const peer = await startPeer(t, { EOD: { raw: '250 ok\r\n', next: 'close' } });
    const server = serverAt(peer.port, { protocol: 'lmtp' });
    const outcome = await sendThrough(startClient(t), server, ['b', 'c']);
    expect(outcome).toMatchObject({ error: { isTemporary: true }, recipients: [{ code: 250 }] });
  });

  test('uses the settings of a transport', async (t) => {
    const peer = await startPeer(t, { RCPT: '450 4.2.0 later' });
    const transport = makeTransport({ port: peer.port, helo: 'transport.test' });
    const client = startClient(t, { transport: (id) => (id === 'relay' ? transport : undefined) });
    expect(await sendThrough(client, { transportId: 'relay' })).toMatchObject({ reply: { code: 450 } });
    expect(peer.commands[0]).toBe('EHLO transport.test');
    expect(errorOf(await sendThrough(client, { transportId: 'gone' }))).toBe('there is no transport "gone"');
  });

  test('comes from the address it is told', async (t) => {
    const { outcome } = await send(t, {}, { sourceIp: '127.0.0.9' });
    expect(outcome.connection?.localIp).toBe('127.0.0.9');
  });

  test('has no address to try when source and host are of different families', async (t) => {
    const { outcome } = await send(t, {}, { sourceIp: '::1' });
    expect(outcome).toMatchObject({ error: { isTemporary: true, message: expect.stringMatching(/family/) } });
  });

  test('is given up by its signal', async (t) => {
    const peer = await startPeer(t, { MAIL: 'silence' });
    const aborter = new AbortController();
    const sent = sendThrough(startClient(t), serverAt(peer.port), ['b'], aborter.signal);
    await peer.until(({ commands }) => commands.length === 2);
    aborter.abort();
    expect(await sent).toMatchObject({
      error: { isTemporary: true, message: 'the attempt was given up in state MAIL' },
    });
    await peer.until(({ open }) => open === 0);
  });

  test('of an address that cannot be written makes no connection', async (t) => {
    const peer = await startPeer(t);
    const outcome = await sendThrough(startClient(t), serverAt(peer.port), ['a\nb']);
    expect(outcome).toMatchObject({
      error: { isTemporary: false, message: expect.stringMatching(/^5\.1\.3 /) },
    });
    expect(peer.connections).toBe(0);
  });

  test('reads a large edited message in pieces', async (t) => {
    const peer = await startPeer(t);
    const original = Buffer.alloc(3_000_000, 'abcdefghi\n').fill('\r\n', 0, 2);
    let reads = 0;
    const outcome = await startClient(t).send(
      {
        sender: { localPart: '', domain: '' },
        recipients: [{ localPart: 'b', domain: 'b.test', params: { NOTIFY: 'NEVER' } }],
        source: {
          sizeBytes: original.length,
          head: original.subarray(0, 1000),
          isComplete: false,
          read: async (start, end) => {
            reads++;
            return original.subarray(start, end);
          },
        },
        pieces: [
          { kind: 'bytes', bytes: Buffer.from('X: 1\r\n') },
          { kind: 'range', start: 2, end: 100_002 },
          { kind: 'range', start: 200_002, end: original.length },
        ],
      },
      serverAt(peer.port),
      new AbortController().signal,
    );
    expect(codeOf(outcome)).toBe(250);
    expect(reads).toBeGreaterThan(40);
    expect(peer.commands).toContain('RCPT TO:<b@b.test> NOTIFY=NEVER');
    const expected = Buffer.concat([
      Buffer.from('X: 1\r\n'),
      original.subarray(2, 100_002),
      original.subarray(200_002),
    ]);
    expect(peer.messages[0]?.toString('latin1').replaceAll('\r\n', '\n')).toBe(
      expected.toString('latin1').replaceAll('\r\n', '\n'),
    );
  });
});

describe('mail hosts', () => {
  const names = (changes: Partial<Names> = {}): Names => ({
    mailHosts: async () => ({
      kind: 'hosts',
      hosts: [
        { name: 'second.pool.test', preference: 20 },
        { name: 'first.pool.test', preference: 10 },
      ],
    }),
    addresses: async (host) => ({
      kind: 'addresses',
      ips: [host.startsWith('first') ? '127.0.0.2' : '127.0.0.1'],
    }),
    ...changes,
  });

  async function lookUp(t: TestContext, changes: Partial<Names>, server: MailServer = {}) {
    const peer = await startPeer(t);
    const client = startClient(t, { names: () => names(changes), random: () => 0.5 });
    const outcome = await sendThrough(client, { port: peer.port, timeouts: patience, ...server });
    return { peer, outcome };
  }

  test('are tried by preference until one takes mail', async (t) => {
    const { outcome } = await lookUp(t, {});
    // Nobody listens at 127.0.0.2.
    expect(outcome).toMatchObject({
      reply: { code: 250 },
      connection: { remoteIp: '127.0.0.1', remoteMx: 'second.pool.test' },
    });
  });

  test('are those of the domain that is named, or of the recipient', async (t) => {
    const asked: string[] = [];
    const mailHosts: Names['mailHosts'] = async (domain) => {
      asked.push(domain);
      return { kind: 'hosts', hosts: [{ name: 'mx.test', preference: 1 }] };
    };
    await lookUp(t, { mailHosts });
    await lookUp(t, { mailHosts }, { domain: 'b\xc3\xbccher.test' });
    await lookUp(t, { mailHosts }, { host: 'Lookup-MX' });
    expect(asked).toEqual(['b.test', 'xn--bcher-kva.test', 'b.test']);
  });

  test('are the domain itself where it has none', async (t) => {
    const { outcome } = await lookUp(t, {
      mailHosts: async () => ({ kind: 'none', reason: 'nodata', message: 'none' }),
    });
    expect(outcome.connection?.remoteMx).toBe('b.test');
  });

  test('are not asked for where the domain is an address', async (t) => {
    const peer = await startPeer(t);
    const client = startClient(t, { names: () => names({ mailHosts: () => Promise.reject(new Error()) }) });
    const recipient = { localPart: 'b', domain: '[127.0.0.1]' };
    const server = { port: peer.port, timeouts: patience };
    const outcome = await client.lookupRecipient(recipient, recipient, server, new AbortController().signal);
    expect(codeOf(outcome)).toBe(250);
  });

  test.for([
    ['a null MX', { kind: 'hosts', hosts: [{ name: '', preference: 0 }] }, false, /takes no mail/],
    ['no such domain', { kind: 'none', reason: 'nxdomain', message: 'x' }, false, /does not exist/],
    ['servers in trouble', { kind: 'none', reason: 'other', message: 'SERVFAIL' }, true, /SERVFAIL/],
  ] as const)('%s: an error', async ([_what, answer, isTemporary, message], t) => {
    const { outcome } = await lookUp(t, { mailHosts: async () => answer });
    expect(outcome).toEqual({ error: { isTemporary, message: expect.stringMatching(message) } });
  });

  test.for([
    [{ mxInclude: ['second.pool.test'] }, 'second.pool.test'],
    [{ mxExclude: ['FIRST.pool.test.'] }, 'second.pool.test'],
    [{ mxInclude: ['*.pool.test'], mxExclude: ['first.*'] }, 'second.pool.test'],
    [{ mxInclude: ['*.test'] }, undefined],
    [{ mxExclude: ['*.pool.test'] }, undefined],
  ] as const)('%j leaves %s', async ([filter, remoteMx], t) => {
    const { outcome } = await lookUp(t, {}, filter);
    expect(outcome.connection?.remoteMx).toBe(remoteMx);
    if (remoteMx === undefined)
      expect(outcome).toMatchObject({
        error: { isTemporary: true, message: expect.stringMatching(/mx_include/) },
      });
  });

  test.for([
    ['nodata', false],
    ['other', true],
  ] as const)('without an address (%s) are an error', async ([reason, isTemporary], t) => {
    const { outcome } = await lookUp(t, {
      addresses: async () => ({ kind: 'none', reason, message: 'nothing' }),
    });
    expect(outcome).toMatchObject({ error: { isTemporary } });
  });
});

describe('TLS', () => {
  test('is begun where it is optional and offered; what was said before it is forgotten', async (t) => {
    const { peer, outcome } = await send(
      t,
      { EHLO: ['250 peer.test\nSTARTTLS\nPIPELINING\nSIZE 10', '250 peer.test'] },
      { tls: 'optional' },
      unknown,
    );
    expect(outcome).toMatchObject({
      reply: { code: 250 },
      tls: { isStarted: true, protocol: 'TLSv1.3', keySize: 256, isPeerVerified: false },
    });
    expect(outcome.tls?.cipher).toMatch(/^TLS_/);
    expect(outcome.tls?.peerCertificate).toBeUndefined();
    // A limit of 10 bytes would have refused the message, and nothing may be pipelined.
    expect(peer.commands).toEqual([
      'EHLO client.test',
      'STARTTLS',
      'EHLO client.test',
      'MAIL FROM:<a@a.test>',
      'RCPT TO:<b@b.test>',
      'DATA',
      ...peer.commands.slice(6),
    ]);
  });

  test('shows the certificate when asked for', async (t) => {
    const server = { tls: 'require', tlsCapturesPeerCertificate: true } as const;
    const { outcome } = await send(t, protectedPeer, server, good);
    expect(new X509Certificate(outcome.tls!.peerCertificate!).subject).toBe('CN=peer.test');
    expect(outcome.tls).toMatchObject({ isPeerVerified: true });
  });

  const notOffered: PeerScript = { EHLO: '250 peer.test' };
  const refused: PeerScript = { EHLO: starttls, STARTTLS: '454 4.7.0 not now' };
  const garbage: PeerScript = { EHLO: starttls, HANDSHAKE: { raw: 'HTTP/1.1 400 Bad Request\r\n\r\n' } };
  const cutOff: PeerScript = { EHLO: starttls, HANDSHAKE: 'close' };
  const reset: PeerScript = { EHLO: starttls, HANDSHAKE: 'reset' };
  const silent: PeerScript = { EHLO: starttls, HANDSHAKE: 'silence' };

  test.for([
    ['not offered', notOffered, 1],
    ['refused', refused, 1],
    ['answered with garbage', garbage, 2],
    ['cut off', cutOff, 2],
    ['reset', reset, 2],
    ['met with silence', silent, 2],
  ] as const)('that is optional and %s is done without', async ([_what, script, connections], t) => {
    const server: MailServer = { tls: 'optional', timeouts: { ...patience, STARTTLS: 0.2 } };
    const { peer, outcome } = await send(t, script, server, good);
    expect(outcome).toMatchObject({ reply: { code: 250 }, tls: { isStarted: false } });
    expect(outcome.tls?.error).toBeTruthy();
    expect(peer.connections).toBe(connections);
    expect(peer.commands.filter((line) => line === 'STARTTLS')).toHaveLength(script === notOffered ? 0 : 1);
  });

  test.for([
    ['not offered', notOffered, /does not offer STARTTLS/],
    ['answered with garbage', garbage, /handshake failed.*ERR_SSL/],
    ['cut off', cutOff, /handshake failed/],
    ['reset', reset, /handshake failed/],
    ['met with silence', silent, /no answer in state STARTTLS within 0.2 s/],
  ] as const)('that is required and %s is a temporary error', async ([_what, script, message], t) => {
    const server: MailServer = { tls: 'require', timeouts: { ...patience, STARTTLS: 0.2 } };
    const { peer, outcome } = await send(t, script, server, good);
    expect(outcome).toMatchObject({
      error: { isTemporary: true, message: expect.stringMatching(message) },
    });
    expect(peer.connections).toBe(1);
    expect(peer.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
  });

  test('that is required and refused is told with the reply', async (t) => {
    const { outcome } = await send(t, refused, { tls: 'require' });
    expect(outcome).toMatchObject({ reply: { state: 'STARTTLS', code: 454 } });
  });

  test.for([
    ['a whole reply', '220 go ahead\r\n250 injected\r\n'],
    ['half a reply', '220 go ahead\r\n25'],
  ] as const)(
    'is not begun behind %s in plain text, not even where it is optional',
    async ([_what, raw], t) => {
      const script: PeerScript = { EHLO: starttls, STARTTLS: { raw } };
      const { peer, outcome } = await send(t, script, { tls: 'optional' }, good);
      expect(outcome).toMatchObject({ error: { isTemporary: true } });
      expect(errorOf(outcome)).toMatch(/plain text|nobody asked for/);
      expect(peer.connections).toBe(1);
    },
  );

  test.for([
    ['require_verify', 'unknown', {}, /not trusted/],
    ['optional_verify', 'unknown', {}, /not trusted/],
    ['require_verify', 'misnamed', {}, undefined],
    ['require_verify', 'misnamed', { tlsVerifyHost: true }, /not for "127\.0\.0\.1"/],
    ['require', 'misnamed', { tlsVerifyHost: true }, /not for "127\.0\.0\.1"/],
    ['require', 'unknown', {}, undefined],
    ['optional', 'unknown', {}, undefined],
    ['require_verify', 'good', { tlsVerifyHost: true }, undefined],
    ['optional_verify', 'good', { tlsVerifyHost: true }, undefined],
    ['require_verify', 'good', { tlsVerifyNames: ['a.pool.test'] }, undefined],
    ['require_verify', 'good', { tlsVerifyNames: ['no.test', '*.pool.test'] }, undefined],
    ['require_verify', 'good', { tlsVerifyNames: ['a.b.pool.test'] }, /not for a\.b\.pool\.test/],
    ['require_verify', 'good', { tlsVerifyNames: ['*.test'] }, undefined],
    ['require_verify', 'misnamed', { tlsVerifyNames: ['peer.test', '*.pool.test'] }, /not for/],
  ] as const)('%s with a certificate that is %s, %j: %s', async ([tls, which, more, problem], t) => {
    const certificate = { good, misnamed, unknown }[which];
    const { peer, outcome } = await send(t, protectedPeer, { tls, ...more }, certificate);
    if (problem === undefined) expect(codeOf(outcome)).toBe(250);
    else {
      expect(outcome).toMatchObject({ error: { isTemporary: true, message: problem } });
      expect(peer.connections).toBe(1);
      expect(peer.commands.filter((line) => line.startsWith('EHLO'))).toHaveLength(1);
    }
  });

  test('asks for a server name only when told, and never for an address', async (t) => {
    const peer = await startPeer(t, { EHLO: starttls }, good);
    const names: Names = {
      addresses: async () => ({ kind: 'addresses', ips: ['127.0.0.1'] }),
      mailHosts: async () => ({ kind: 'none', reason: 'nodata', message: '' }),
    };
    const client = startClient(t, { trust, names: () => names });
    const servers: MailServer[] = [
      {},
      { tlsSni: true },
      { tlsSni: 'sni.test' },
      { host: 'peer.test', tlsSni: true },
      { tlsSni: false },
    ];
    for (const server of servers)
      await sendThrough(client, serverAt(peer.port, { tls: 'require', ...server }));
    expect(peer.handshakes.map(({ servername }) => servername)).toEqual([
      undefined,
      undefined,
      'sni.test',
      'peer.test',
      undefined,
    ]);
  });

  test('shows a configured certificate', async (t) => {
    const own = authority.issue('client.test', ['DNS:client.test']);
    const key = { key: createPrivateKey(own.key), certificates: [new X509Certificate(own.cert)] };
    const peer = await startPeer(t, { EHLO: starttls }, { ...good, requestCert: true });
    const client = startClient(t, { trust: { ...trust, key: (id) => (id === 'mine' ? key : undefined) } });
    const with_ = (id: string) => serverAt(peer.port, { tls: 'require', tlsClientCertificate: id });
    expect(codeOf(await sendThrough(client, with_('mine')))).toBe(250);
    expect(peer.handshakes).toEqual([{ servername: undefined, client: 'client.test' }]);
    expect(errorOf(await sendThrough(client, with_('other')))).toMatch(/no key "other"/);
  });

  test('uses the protocols and ciphers that are allowed', async (t) => {
    const allowed = { tlsProtocols: '!SSLv2,!SSLv3,!TLSv1.3', tlsCiphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
    const { outcome } = await send(t, protectedPeer, { tls: 'require', ...allowed }, good);
    expect(outcome.tls).toMatchObject({ protocol: 'TLSv1.2', keySize: 128 });
    const wrong = await send(t, protectedPeer, { tls: 'require', tlsCiphers: 'NO-SUCH' }, good);
    expect(errorOf(wrong.outcome)).toMatch(/TLS cannot be set up/);
  });

  test('by dane is as with optional for a host that publishes nothing, and by dane_require is not had', async (t) => {
    const { outcome } = await send(t, protectedPeer, { tls: 'dane' }, good);
    expect(codeOf(outcome)).toBe(250);
    expect(outcome.tls).toMatchObject({ isStarted: true });
    const required = await send(t, protectedPeer, { tls: 'dane_require' }, good);
    expect(required.outcome).toMatchObject({
      error: { isTemporary: true, message: expect.stringMatching(/dane_require/) },
    });
    expect(required.peer.connections).toBe(0);
  });

  test('works by LMTP', async (t) => {
    const script = { LHLO: [starttls, '250 peer.test'] };
    const { peer, outcome } = await send(t, script, { tls: 'require', protocol: 'lmtp' }, good);
    expect(codeOf(outcome)).toBe(250);
    expect(peer.commands.filter((line) => line === 'LHLO client.test')).toHaveLength(2);
  });
});

describe('a log-in', () => {
  const login: MailServer = { saslUserName: 'user', saslPassword: 'sesame open' };
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  const plain = `AUTH PLAIN ${encoded('\0user\0sesame open')}`;

  const digest = createHmac('md5', 'sesame open').update('<1.2@peer.test>').digest('hex');
  const mechanisms: readonly (readonly [string, PeerScript, readonly string[]])[] = [
    ['PLAIN', {}, [plain]],
    [
      'LOGIN',
      { AUTH: '334 VXNlcm5hbWU6', AUTH_STEP: ['334 UGFzc3dvcmQ6', '235 ok'] },
      ['AUTH LOGIN', encoded('user'), encoded('sesame open')],
    ],
    ['CRAM-MD5', { AUTH: `334 ${encoded('<1.2@peer.test>')}` }, ['AUTH CRAM-MD5', encoded(`user ${digest}`)]],
    ['XOAUTH2', {}, [`AUTH XOAUTH2 ${encoded('user=user\x01auth=Bearer sesame open\x01\x01')}`]],
  ];
  test.for(mechanisms)('by %s', async ([mechanism, script, expected], t) => {
    const EHLO = `250 peer.test\nAUTH=OLD ${mechanism}`;
    const { peer, outcome } = await send(t, { EHLO, ...script }, login);
    expect(codeOf(outcome)).toBe(250);
    expect(peer.commands.slice(1, 1 + expected.length)).toEqual(expected);
  });

  test('answers a challenge as it came, even if it has the password in it by chance', async (t) => {
    const challenge = encoded('<1.2@peer.test>');
    const saslPassword = challenge.slice(4, 8);
    const answer = createHmac('md5', saslPassword).update('<1.2@peer.test>').digest('hex');
    const script = { EHLO: '250 peer.test\nAUTH CRAM-MD5', AUTH: `334 ${challenge}` };
    const { peer } = await send(t, script, { ...login, saslPassword });
    expect(peer.commands[2]).toBe(encoded(`user ${answer}`));
  });

  test('in plain text prefers the mechanism that does not show the password', async (t) => {
    const EHLO = '250 peer.test\nAUTH PLAIN LOGIN CRAM-MD5';
    const { peer } = await send(t, { EHLO, AUTH: '334 ' }, login);
    expect(peer.commands[1]).toBe('AUTH CRAM-MD5');
  });

  test('takes the next mechanism only when the peer does not know the first', async (t) => {
    const EHLO = '250 peer.test\nAUTH PLAIN CRAM-MD5';
    const unknownFirst = await send(t, { EHLO, AUTH: ['504 5.5.4 no', '235 ok'] }, login);
    expect(codeOf(unknownFirst.outcome)).toBe(250);
    const wrong = await send(t, { EHLO: '250 peer.test\nAUTH PLAIN LOGIN', AUTH: '535 5.7.8 no' }, login);
    expect(wrong.outcome).toMatchObject({ reply: { state: 'AUTH', code: 535 } });
    expect(wrong.peer.commands.filter((line) => line.startsWith('AUTH'))).toHaveLength(1);
  });

  test('is made in a TLS session with the right peer', async (t) => {
    const { peer, outcome } = await send(t, protectedPeer, { tls: 'require', ...login }, good);
    expect(codeOf(outcome)).toBe(250);
    expect(peer.commands[3]).toBe(plain);
  });

  test.for([
    ['an untrusted certificate', 'unknown', protectedPeer, { tls: 'require' }, /not trusted/],
    ['an untrusted certificate', 'unknown', protectedPeer, { tls: 'optional' }, /not trusted/],
    ['a certificate for others', 'misnamed', protectedPeer, { tls: 'require_verify' }, /another name/],
    ['no TLS', 'good', { EHLO: inTls }, { tls: 'optional' }, /plain text/],
    [
      'a TLS session that failed',
      'good',
      { EHLO: [starttls, inTls], HANDSHAKE: 'close' },
      { tls: 'optional' },
      /plain text/,
    ],
  ] as const)('is not made with %s (%s)', async ([_what, which, script, server, message], t) => {
    const certificate = { good, misnamed, unknown }[which];
    const { peer, outcome } = await send(t, script as PeerScript, { ...server, ...login }, certificate);
    expect(outcome).toMatchObject({ error: { isTemporary: true, message } });
    expect(peer.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
    const told = await send(
      t,
      script as PeerScript,
      { ...server, ...login, saslAllowsUnverified: true },
      certificate,
    );
    expect(codeOf(told.outcome)).toBe(250);
  });

  test('never shows the password, even if the peer repeats it', async (t) => {
    const log = new TestLog();
    const AUTH = `535 5.7.8 cannot take ${encoded('\0user\0sesame open')} nor sesame open`;
    const { outcome } = await send(t, { EHLO: '250 peer.test\nAUTH PLAIN', AUTH }, login, undefined, { log });
    expect(outcome).toMatchObject({ reply: { reason: ['cannot take *** nor ***'] } });
    const shown = JSON.stringify([outcome, log.lines]);
    expect(shown).not.toContain('sesame');
    expect(shown).not.toContain(encoded('\0user\0sesame open'));
  });

  test('that the peer does not offer is a temporary error', async (t) => {
    expect(errorOf((await send(t, {}, login)).outcome)).toMatch(/offers no AUTH/);
    const odd = await send(t, { EHLO: '250 peer.test\nAUTH GSSAPI' }, login);
    expect(errorOf(odd.outcome)).toMatch(/GSSAPI only/);
  });

  test('is cancelled when the peer asks on and on', async (t) => {
    const script = { EHLO: '250 peer.test\nAUTH LOGIN', AUTH: '334 x', AUTH_STEP: '334 more' };
    const { peer, outcome } = await send(t, script, login);
    expect(errorOf(outcome)).toMatch(/asked for more/);
    expect(peer.commands.at(-1)).toBe('*');
  });

  test('can be tried alone', async (t) => {
    const peer = await startPeer(t, {
      EHLO: '250 peer.test\nAUTH PLAIN',
      AUTH: ['235 2.7.0 hello', '535 no', '454 4.7.0 later'],
    });
    const client = startClient(t);
    const ask = () => client.lookupAuth(serverAt(peer.port), 'user', 'secret', new AbortController().signal);
    expect(await ask()).toMatchObject({ reply: { state: 'AUTH', code: 235, reason: ['hello'] } });
    expect(await ask()).toMatchObject({ reply: { state: 'AUTH', code: 535 } });
    expect(await ask()).toMatchObject({ reply: { state: 'AUTH', code: 454 } });
    expect(peer.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
  });
});

describe('XCLIENT', () => {
  const EHLO = '250 peer.test\nXCLIENT NAME ADDR HELO';

  test('is said with encoded values, and the peer greeted again', async (t) => {
    const { peer, outcome } = await send(
      t,
      { EHLO },
      { xclient: { addr: '192.0.2.1', NAME: 'a b+c', HELO: '' } },
    );
    expect(codeOf(outcome)).toBe(250);
    expect(peer.commands.slice(0, 3)).toEqual([
      'EHLO client.test',
      'XCLIENT ADDR=192.0.2.1 NAME=a+20b+2Bc HELO=[UNAVAILABLE]',
      'EHLO client.test',
    ]);
  });

  test('that cannot be said is a temporary error', async (t) => {
    expect(errorOf((await send(t, {}, { xclient: { ADDR: '::1' } })).outcome)).toMatch(/does not offer/);
    expect(errorOf((await send(t, { EHLO }, { xclient: { LOGIN: 'x' } })).outcome)).toMatch(/LOGIN/);
    expect(errorOf((await send(t, { EHLO }, { xclient: { 'A B': 'x' } })).outcome)).toMatch(/no attribute/);
    const refused = await send(t, { EHLO, XCLIENT: '550 5.7.0 no' }, { xclient: { ADDR: '192.0.2.1' } });
    expect(refused.outcome).toMatchObject({ reply: { state: 'XCLIENT', code: 550 } });
  });
});

describe('a question about a recipient', () => {
  const address = (localPart: string) => ({ localPart, domain: 'b.test' });

  test('sends no message and leaves politely', async (t) => {
    const peer = await startPeer(t);
    const client = startClient(t);
    const signal = new AbortController().signal;
    const outcome = await client.lookupRecipient(
      { localPart: '', domain: '' },
      address('b'),
      serverAt(peer.port),
      signal,
    );
    expect(outcome).toMatchObject({ reply: { state: 'RCPT', code: 250, enhanced: [2, 1, 5] } });
    await peer.until(({ commands }) => commands.includes('QUIT'));
    expect(peer.commands).toEqual(['EHLO client.test', 'MAIL FROM:<>', 'RCPT TO:<b@b.test>', 'RSET', 'QUIT']);
  });

  test.for([
    [{ MAIL: '550 5.7.1 no' }, { state: 'MAIL', code: 550 }],
    [{ RCPT: '550 5.1.1 no' }, { state: 'RCPT', code: 550 }],
    [{ RCPT: '450 4.2.0 later' }, { state: 'RCPT', code: 450 }],
    [{ BANNER: '554 5.7.1 no' }, { state: 'BANNER', code: 554 }],
    [{ RSET: 'close' }, { state: 'RCPT', code: 250 }],
  ] as const)('%j answers %j', async ([script, reply], t) => {
    const peer = await startPeer(t, script);
    const server = serverAt(peer.port);
    const { signal } = new AbortController();
    expect(await startClient(t).lookupRecipient(address('a'), address('b'), server, signal)).toMatchObject({
      reply,
    });
  });
});

describe('a hostile peer takes bounded time and memory', () => {
  const states = [
    'BANNER',
    'EHLO',
    'STARTTLS',
    'HANDSHAKE',
    'AUTH',
    'XCLIENT',
    'MAIL',
    'RCPT',
    'DATA',
    'EOD',
  ] as const;
  const server: MailServer = {
    tls: 'require',
    saslUserName: 'user',
    saslPassword: 'password',
    xclient: { ADDR: '192.0.2.1' },
    timeouts: Object.fromEntries(Object.keys(patience).map((state) => [state, 0.3])),
  };
  const EHLO = ['250 peer.test\nSTARTTLS', '250 peer.test\nXCLIENT ADDR\nAUTH PLAIN'];

  test.for(states)('that falls silent in %s', async (state, t) => {
    const { outcome } = await send(t, { EHLO, [state]: 'silence' }, server, good);
    expect(outcome).toMatchObject({
      error: { isTemporary: true, message: expect.stringMatching(/within 0\.3 s/) },
    });
  });

  test.for(states.filter((state) => state !== 'HANDSHAKE'))(
    'that talks without end in %s',
    async (state, t) => {
      const raw = Buffer.from('250-more of it\r\n'.repeat(100_000));
      const { outcome } = await send(t, { EHLO, [state]: { raw } }, server, good);
      expect(outcome).toMatchObject({ error: { isTemporary: true } });
    },
  );

  test.for(states)('that sends bytes of no meaning in %s', async (state, t) => {
    const raw = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 89 + 7) & 255));
    const { outcome } = await send(t, { EHLO, [state]: { raw } }, server, good);
    expect(outcome).toMatchObject({ error: { isTemporary: true } });
    expect(errorOf(outcome)).not.toMatch(/[^\x20-\x7e]/);
  });
});
