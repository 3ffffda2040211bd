// Deliveries to peers whose TLS is wanted by the recipient's side: each of the ways in which other mail servers were talked
// out of it is a test here.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { certificatesInPem, type MailServer } from '#stdlib';
import { noTls, type TlsWish } from '../../../../src/delivery/client/tls.js';
import type { MailDomain } from '../../../../src/delivery/deliverer.js';
import { judge } from '../../../../src/delivery/failure.js';
import { resolverNames } from '../../../../src/delivery/next-hops/resolver-names.js';
import { tlsaText } from '../../../../src/delivery/security/dane/tlsa.js';
import { httpsPolicyFetch } from '../../../../src/delivery/security/mta-sts/fetch.js';
import { type PolicyFinding, StsPolicies } from '../../../../src/delivery/security/mta-sts/policies.js';
import { type TlsFailureType, tlsFailureTypes } from '../../../../src/delivery/security/tlsrpt.js';
import { TransportSecurity } from '../../../../src/delivery/security/transport-security.js';
import { SmtpDeliverer } from '../../../../src/delivery/smtp-deliverer.js';
import { recordOf } from '../../../support/dane-chains.js';
import { type AttemptChanges, makeAttempt } from '../../../support/delivery-attempt.js';
import { sendThrough, serverAt, startClient } from '../../../support/in-line-client.js';
import { type PeerScript, type ScriptedPeer, startPeer } from '../../../support/scripted-peer.js';
import { type SignedName, signedResolver } from '../../../support/signed-zone.js';
import {
  createAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../../../support/test-certificates.js';

let folder: string;
let authority: TestAuthority;
let good: TestCertificate;
let other: TestCertificate;
let expired: TestCertificate;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-security-'));
  authority = createAuthority(folder);
  good = authority.issue('mx1.test', ['DNS:mx1.test']);
  other = authority.issue('other.test', ['DNS:other.test']);
  expired = authority.issue('mx1.test', ['DNS:mx1.test'], { isExpired: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const offered: PeerScript = {
  EHLO: ['250-peer.test\r\n250-STARTTLS\r\n250 8BITMIME', '250-peer.test\r\n250 8BITMIME'].map((raw) => ({
    raw: `${raw}\r\n`,
  })),
};
const stripped: PeerScript = { EHLO: '250 peer.test\n8BITMIME' };
const requiring: PeerScript = { EHLO: ['250 peer.test\nSTARTTLS', '250 peer.test\nREQUIRETLS'] };
const secure: MailDomain = { name: 'b.test', isSecure: true };
const insecure: MailDomain = { name: 'b.test', isSecure: false };

/** `3 1 1` of a certificate. */
const pin = ({ cert }: TestCertificate, isWrong = false) =>
  tlsaText(recordOf({ certificate: certificatesInPem(cert)![0]! }, 3, 1, 1, isWrong));

interface Host {
  readonly script?: PeerScript;
  /** What it shows; absent: good. */
  readonly shows?: TestCertificate;
  /** Its TLSA records and whether they are signed. */
  readonly tlsa?: SignedName;
  /** Its addresses are not signed. */
  readonly isUnsigned?: boolean;
}

interface Delivery extends AttemptChanges {
  readonly hosts: readonly Host[];
  readonly wish: Partial<TlsWish>;
  readonly mailDomain?: MailDomain;
  readonly policy?: PolicyFinding;
}

/** One attempt at hosts mx1.test, mx2.test and so on. */
async function deliver(t: TestContext, { hosts, wish, mailDomain, policy, ...changes }: Delivery) {
  const peers: ScriptedPeer[] = [];
  const zone: Record<string, SignedName> = {};
  for (const [index, { script = offered, shows = good, tlsa, isUnsigned }] of hosts.entries()) {
    const peer = await startPeer(t, script, shows);
    peers.push(peer);
    zone[`mx${index + 1}.test`] = { a: ['127.0.0.1'], secure: isUnsigned !== true };
    if (tlsa !== undefined) zone[`_${peer.port}._tcp.mx${index + 1}.test`] = { secure: true, ...tlsa };
  }
  const resolver = signedResolver(zone);
  const security = new TransportSecurity({
    resolver: () => resolver,
    policies: { policyOf: async () => policy ?? { kind: 'none' } },
  });
  const authorities = certificatesInPem(authority.cert)!;
  const deliverer = new SmtpDeliverer({
    hostname: 'host.test',
    security,
    trust: { key: () => undefined, authorities: () => authorities },
  });
  t.onTestFinished(() => deliverer.close());
  const attempt = makeAttempt(peers[0]!.port, {
    ...changes,
    transport: { tls: { ...noTls, ...wish }, ...changes.transport },
    addresses: peers.map(({ port }, index) => ({ ip: '127.0.0.1', port, remoteMx: `mx${index + 1}.test` })),
  });
  const destination = { ...attempt.destination, ...(mailDomain === undefined ? {} : { mailDomain }) };
  const report = await deliverer.attempt({ ...attempt, destination }, new AbortController().signal);
  const { policies } = security.ledger.read();
  return {
    report,
    verdict: judge(report),
    peers,
    /** How many messages each peer got. */
    taken: peers.map(({ messages }) => messages.length),
    counted: policies.map(
      ({ policy, successes, failures, details }) =>
        `${policy.type} ${policy.domain}: ${successes}+${failures}${details.map(({ failure }) => ` ${failure}`).join('')}`,
    ),
  };
}

describe('DANE', () => {
  const wish = { mode: 'dane' } as const;

  test('delivers to a host whose certificate its TLSA record says, and asks for it by name', async (t) => {
    const { verdict, report, peers, counted } = await deliver(t, {
      hosts: [{ tlsa: { tlsa: [pin(good)] } }],
      wish,
    });
    expect(verdict).toBe('delivered');
    expect(report.connection?.tls).toMatchObject({
      isStarted: true,
      tlsa: { kind: 'records', records: [{ usage: 3, selector: 1, matchingType: 1 }] },
    });
    expect(report.connection?.tls?.tlsrpt).toBeUndefined();
    expect(peers[0]!.handshakes[0]?.servername).toBe('mx1.test');
    expect(counted).toEqual(['tlsa mx1.test: 1+0']);
  });

  test.each<readonly [string, () => TestCertificate]>([
    ['another name', () => other],
    ['a date that is over', () => expired],
  ])('takes a certificate of %s when the record names it', async (_, certificate) => {
    await withContext(async (t) => {
      const { verdict } = await deliver(t, {
        hosts: [{ shows: certificate(), tlsa: { tlsa: [pin(certificate())] } }],
        wish,
      });
      expect(verdict).toBe('delivered');
    });
  });

  test('goes to the next host when a certificate is another, and waits when no host is left', async (t) => {
    const wrong: Host = { tlsa: { tlsa: [pin(good, true)] } };
    const next = await deliver(t, { hosts: [wrong, { tlsa: { tlsa: [pin(good)] } }], wish });
    expect([next.verdict, next.taken]).toEqual(['delivered', [0, 1]]);
    const none = await deliver(t, { hosts: [wrong, wrong], wish });
    expect([none.verdict, none.taken]).toEqual(['deferred', [0, 0]]);
    expect(none.report.error).toMatchObject({
      type: 'dane',
      temporary: true,
      message: expect.stringMatching(/TLSA/),
    });
    expect(none.report.connection?.tls).toMatchObject({
      tlsrpt: 'certificate-not-trusted',
      tlsa: { kind: 'records' },
    });
    expect(none.counted).toEqual([
      'tlsa mx1.test: 0+1 certificate-not-trusted',
      'tlsa mx2.test: 0+1 certificate-not-trusted',
    ]);
  });

  test('sends nothing in plain text when STARTTLS was stripped off the announcement', async (t) => {
    const { verdict, report, taken, counted } = await deliver(t, {
      hosts: [{ script: stripped, tlsa: { tlsa: [pin(good)] } }],
      wish,
    });
    expect([verdict, taken]).toEqual(['deferred', [0]]);
    expect(report.error).toMatchObject({
      type: 'dane',
      temporary: true,
      message: expect.stringMatching(/STARTTLS/),
    });
    expect(report.connection?.tls).toMatchObject({ isStarted: false, tlsrpt: 'starttls-not-supported' });
    expect(counted).toEqual(['tlsa mx1.test: 0+1 starttls-not-supported']);
  });

  test.each<readonly [string, PeerScript]>([
    ['is refused', { ...offered, STARTTLS: '454 4.7.0 not now' }],
    ['is cut off', { ...offered, HANDSHAKE: 'close' }],
    ['is no handshake', { ...offered, HANDSHAKE: { raw: 'no TLS\r\n', next: 'close' } }],
  ])('sends nothing in plain text when STARTTLS %s', async (_, script) => {
    await withContext(async (t) => {
      const { verdict, taken, peers } = await deliver(t, {
        hosts: [{ script, tlsa: { tlsa: [pin(good)] } }],
        wish,
      });
      expect([verdict, taken, peers[0]!.commands.some((line) => line.startsWith('MAIL'))]).toEqual([
        'deferred',
        [0],
        false,
      ]);
    });
  });

  test.each<readonly [string, SignedName]>([
    ['forged (SERVFAIL)', { tlsa: 'SERVFAIL' }],
    ['unanswered', { tlsa: 'TRY_AGAIN' }],
    ['refused', { tlsa: 'REFUSED' }],
  ])(
    'a look-up of TLSA records that is %s is not "no records": the host is not even connected to',
    async (_, tlsa) => {
      await withContext(async (t) => {
        const { verdict, report, peers } = await deliver(t, { hosts: [{ tlsa }], wish });
        expect([verdict, peers[0]!.connections]).toEqual(['deferred', 0]);
        expect(report.error).toMatchObject({ type: 'dane', temporary: true });
      });
    },
  );

  test('a host whose TLSA look-up fails is passed over for one whose does not', async (t) => {
    const { verdict, taken, counted } = await deliver(t, {
      hosts: [{ tlsa: { tlsa: 'SERVFAIL' } }, {}],
      wish,
    });
    expect([verdict, taken]).toEqual(['delivered', [0, 1]]);
    expect(counted).toContain('tlsa mx1.test: 0+1 dnssec-invalid');
  });

  test('a host that may not be used now is asked about once, however many addresses it has', async (t) => {
    const resolver = signedResolver({
      'mx1.test': { a: ['127.0.0.1'], secure: true },
      '_25._tcp.mx1.test': { tlsa: 'TRY_AGAIN' },
      'mx2.test': { a: ['127.0.0.1'], secure: true },
      '_25._tcp.mx2.test': { tlsa: 'SERVFAIL' },
    });
    const security = new TransportSecurity({ resolver: () => resolver });
    const deliverer = new SmtpDeliverer({ hostname: 'host.test', security });
    t.onTestFinished(() => deliverer.close());
    const attempt = makeAttempt(25, {
      transport: { tls: { ...noTls, ...wish } },
      addresses: ['mx1.test', 'mx1.test', 'mx2.test', 'mx1.test', 'mx2.test'].map((remoteMx, index) => ({
        ip: `127.0.0.${index + 1}`,
        port: 25,
        remoteMx,
      })),
    });
    const report = await deliverer.attempt(attempt, new AbortController().signal);
    expect([judge(report), report.error?.type]).toEqual(['deferred', 'dane']);
    expect(resolver.asked.filter((question) => question.startsWith('tlsa')).sort()).toEqual([
      'tlsa _25._tcp.mx1.test',
      'tlsa _25._tcp.mx2.test',
    ]);
    const failures = security.ledger.read().policies.map(({ policy, failures }) => [policy.domain, failures]);
    // Silence says nothing about anybody's DNSSEC.
    expect(failures).toEqual([['mx2.test', 1]]);
  });

  test('records of unsigned addresses bind nobody', async (t) => {
    const { verdict } = await deliver(t, {
      hosts: [{ isUnsigned: true, tlsa: { tlsa: [pin(good, true)] } }],
      wish,
    });
    expect(verdict).toBe('delivered');
  });

  test('records that nobody can use demand encryption and nothing else', async (t) => {
    const tlsa = { tlsa: [`0 0 1 ${'ab'.repeat(32)}`] };
    const encrypted = await deliver(t, { hosts: [{ shows: other, tlsa }], wish });
    expect(encrypted.verdict).toBe('delivered');
    expect(encrypted.report.connection?.tls).toMatchObject({
      tlsrpt: 'tlsa-invalid',
      tlsa: { kind: 'error' },
    });
    const plain = await deliver(t, { hosts: [{ script: stripped, tlsa }], wish });
    expect([plain.verdict, plain.report.error?.type]).toEqual(['deferred', 'dane']);
  });

  test('without records it is as optional TLS is, plain text included', async (t) => {
    const { verdict, counted } = await deliver(t, { hosts: [{ script: stripped }], wish });
    expect([verdict, counted]).toEqual([
      'delivered',
      ['no-policy-found mx1.test: 0+1 starttls-not-supported'],
    ]);
  });

  test('dane_require sends nothing to a host without records, and is told why', async (t) => {
    const { verdict, report, peers, counted } = await deliver(t, {
      hosts: [{}],
      wish: { mode: 'dane_require' },
      mailDomain: secure,
    });
    expect([verdict, peers[0]!.connections]).toEqual(['deferred', 0]);
    expect(report.error).toMatchObject({
      type: 'dane',
      temporary: true,
      message: expect.stringMatching(/dane_require/),
    });
    expect(counted).toEqual(['no-policy-found b.test: 0+1 dane-required']);
  });

  test('dane_require does not take a host that a forged MX answer may have named', async (t) => {
    const host = { tlsa: { tlsa: [pin(good)] } };
    const forged = await deliver(t, { hosts: [host], wish: { mode: 'dane_require' }, mailDomain: insecure });
    expect([forged.verdict, forged.peers[0]!.connections]).toEqual(['deferred', 0]);
    const signed = await deliver(t, { hosts: [host], wish: { mode: 'dane_require' }, mailDomain: secure });
    expect(signed.verdict).toBe('delivered');
  });

  test('a password is told to a host that its TLSA record proves, trusted or not', async (t) => {
    const script: PeerScript = { EHLO: ['250 peer.test\nSTARTTLS', '250 peer.test\nAUTH PLAIN'] };
    const credentials = { userName: 'user', password: 'sesame', allowsUnverified: false };
    const proven = await deliver(t, {
      hosts: [{ script, shows: other, tlsa: { tlsa: [pin(other)] } }],
      wish,
      transport: { credentials },
    });
    expect(proven.verdict).toBe('delivered');
    const unproven = await deliver(t, {
      hosts: [{ script, shows: other }],
      wish,
      transport: { credentials },
    });
    expect([unproven.verdict, unproven.peers[0]!.commands.some((line) => line.startsWith('AUTH'))]).toEqual([
      'deferred',
      false,
    ]);
  });
});

describe('MTA-STS', () => {
  const policyOf = (mode: 'enforce' | 'testing' | 'none', ...mx: readonly string[]): PolicyFinding => ({
    kind: 'policy',
    id: '1',
    policy: { mode, mx, maxAgeSeconds: 1000 },
  });
  const wish = { mode: 'optional', usesMtaSts: true } as const;
  const enforce = policyOf('enforce', 'mx1.test', 'mx2.test');

  test('enforced, delivers to a host of the policy with a trusted certificate for it', async (t) => {
    const { verdict, counted } = await deliver(t, {
      hosts: [{}],
      wish,
      policy: enforce,
      mailDomain: insecure,
    });
    expect([verdict, counted]).toEqual(['delivered', ['sts b.test: 1+0']]);
  });

  test.each<readonly [string, Host | (() => Host), string]>([
    ['a certificate for another name', () => ({ shows: other }), 'certificate-host-mismatch'],
    ['an expired certificate', () => ({ shows: expired }), 'certificate-expired'],
    ['no STARTTLS', { script: stripped }, 'starttls-not-supported'],
  ])('enforced, sends nothing to a host with %s; on trial it does, and tells', async (_, host, failure) => {
    await withContext(async (t) => {
      const hosts = [typeof host === 'function' ? host() : host];
      const enforced = await deliver(t, { hosts, wish, policy: enforce, mailDomain: insecure });
      expect([enforced.verdict, enforced.taken, enforced.report.error?.type]).toEqual([
        'deferred',
        [0],
        'tls',
      ]);
      expect(enforced.report.connection?.tls?.tlsrpt).toBe(failure);
      expect(enforced.counted).toEqual([`sts b.test: 0+1 ${failure}`]);
      const tried = await deliver(t, {
        hosts,
        wish,
        policy: policyOf('testing', 'mx1.test'),
        mailDomain: insecure,
      });
      expect([tried.verdict, tried.taken]).toEqual(['delivered', [1]]);
      expect(tried.report.connection?.tls?.tlsrpt).toBe(failure);
      expect(tried.counted).toEqual([`sts b.test: 0+1 ${failure}`]);
    });
  });

  test('enforced, passes over a host that the policy does not name, and waits when none is left', async (t) => {
    const second = policyOf('enforce', 'mx2.test');
    const hosts = [{}, { shows: authority.issue('mx2.test', ['DNS:mx2.test']) }];
    const next = await deliver(t, { hosts, wish, policy: second, mailDomain: insecure });
    expect([next.verdict, next.taken, next.peers[0]!.connections]).toEqual(['delivered', [0, 1], 0]);
    expect(next.counted).toEqual(['sts b.test: 1+1 validation-failure']);
    const none = await deliver(t, { hosts: [{}], wish, policy: second, mailDomain: insecure });
    expect([none.verdict, none.report.error?.type, none.peers[0]!.connections]).toEqual([
      'deferred',
      'tls',
      0,
    ]);
  });

  test('on trial, a handshake that fails is counted once, though the mail goes on without', async (t) => {
    const { verdict, taken, counted } = await deliver(t, {
      hosts: [{ script: { ...offered, HANDSHAKE: 'close' } }],
      wish,
      mailDomain: insecure,
      policy: policyOf('testing', 'mx1.test'),
    });
    expect([verdict, taken, counted]).toEqual(['delivered', [1], ['sts b.test: 0+1 validation-failure']]);
  });

  test('on trial, a host that the policy does not name gets its mail', async (t) => {
    const { verdict, counted } = await deliver(t, {
      hosts: [{}],
      wish,
      policy: policyOf('testing', 'mx9.test'),
      mailDomain: insecure,
    });
    expect([verdict, counted]).toEqual(['delivered', ['sts b.test: 0+1 validation-failure']]);
  });

  test('does not override a DANE failure (RFC 8461 2)', async (t) => {
    const { verdict, report } = await deliver(t, {
      hosts: [{ tlsa: { tlsa: [pin(good, true)] } }],
      wish: { mode: 'dane', usesMtaSts: true },
      policy: enforce,
      mailDomain: insecure,
    });
    expect([verdict, report.error?.type]).toEqual(['deferred', 'dane']);
  });
});

describe('each result type of RFC 8460 4.3 is counted when that goes wrong', () => {
  const enforced: Omit<Delivery, 'hosts'> = {
    wish: { mode: 'optional', usesMtaSts: true },
    mailDomain: insecure,
    policy: { kind: 'policy', id: '1', policy: { mode: 'enforce', mx: ['mx1.test'], maxAgeSeconds: 1000 } },
  };
  const dane: Omit<Delivery, 'hosts'> = { wish: { mode: 'dane' }, mailDomain: secure };
  const withoutPolicy = (failure: TlsFailureType): Delivery => ({
    ...enforced,
    hosts: [{}],
    policy: { kind: 'none', failure, message: 'no policy' },
  });
  const deliveries: Readonly<Record<TlsFailureType, () => Delivery>> = {
    'starttls-not-supported': () => ({ ...enforced, hosts: [{ script: stripped }] }),
    'certificate-host-mismatch': () => ({ ...enforced, hosts: [{ shows: other }] }),
    'certificate-expired': () => ({ ...enforced, hosts: [{ shows: expired }] }),
    'certificate-not-trusted': () => ({ ...dane, hosts: [{ tlsa: { tlsa: [pin(good, true)] } }] }),
    'validation-failure': () => ({ ...enforced, hosts: [{ script: { ...offered, HANDSHAKE: 'close' } }] }),
    'tlsa-invalid': () => ({ ...dane, hosts: [{ tlsa: { tlsa: [`0 1 1 ${'ab'.repeat(32)}`] } }] }),
    'dnssec-invalid': () => ({ ...dane, hosts: [{ tlsa: { tlsa: 'SERVFAIL' } }] }),
    'dane-required': () => ({ ...dane, wish: { mode: 'dane_require' }, hosts: [{}] }),
    'sts-policy-fetch-error': () => withoutPolicy('sts-policy-fetch-error'),
    'sts-policy-invalid': () => withoutPolicy('sts-policy-invalid'),
    'sts-webpki-invalid': () => withoutPolicy('sts-webpki-invalid'),
  };

  test.for(tlsFailureTypes)('%s', async (type, t) => {
    const { counted, verdict } = await deliver(t, deliveries[type]());
    expect(counted).toEqual([expect.stringMatching(new RegExp(`: 0\\+1 ${type}$`))]);
    // Without a policy mail goes on, and unusable records want no more than encryption.
    expect(verdict).toBe(/^sts-|^tlsa-invalid/.test(type) ? 'delivered' : 'deferred');
  });
});

describe('REQUIRETLS', () => {
  const sender = { localPart: 'a', domain: 'a.test', params: { REQUIRETLS: null } } as unknown as NonNullable<
    AttemptChanges['sender']
  >;
  const wish = { mode: 'optional' } as const;

  test('is said to a host that is verified and announces it', async (t) => {
    const { verdict, peers } = await deliver(t, {
      hosts: [{ script: requiring }],
      wish,
      sender,
      mailDomain: secure,
    });
    expect(verdict).toBe('delivered');
    expect(peers[0]!.commands.find((line) => line.startsWith('MAIL'))).toMatch(/ REQUIRETLS\b/);
  });

  test('is not said in vain: 5.7.30 from a host that does not announce it, when there is no other', async (t) => {
    const lone = await deliver(t, { hosts: [{}], wish, sender, mailDomain: secure });
    expect([lone.verdict, lone.taken, lone.report.error?.message]).toEqual([
      'failed',
      [0],
      expect.stringMatching(/^5\.7\.30 /),
    ]);
    const mx2 = authority.issue('mx2.test', ['DNS:mx2.test']);
    const next = await deliver(t, {
      hosts: [{}, { script: requiring, shows: mx2 }],
      wish,
      sender,
      mailDomain: secure,
    });
    expect([next.verdict, next.taken]).toEqual(['delivered', [0, 1]]);
  });

  test.each<readonly [string, () => Host]>([
    ['without STARTTLS', () => ({ script: stripped })],
    ['with a certificate for another name', () => ({ script: requiring, shows: other })],
    ['with an expired certificate', () => ({ script: requiring, shows: expired })],
  ])('fails with 5.7.10 at a host %s', async (_, host) => {
    await withContext(async (t) => {
      const { verdict, taken, report } = await deliver(t, {
        hosts: [host()],
        wish,
        sender,
        mailDomain: secure,
      });
      expect([verdict, taken]).toEqual(['failed', [0]]);
      expect(report.error).toMatchObject({ type: 'tls', message: expect.stringMatching(/^5\.7\.10 /) });
    });
  });

  test('TLS-Required: No lets mail pass where DANE would not', async (t) => {
    const { verdict } = await deliver(t, {
      hosts: [{ tlsa: { tlsa: [pin(good, true)] } }],
      wish: { mode: 'dane' },
      message: 'Subject: hello\r\nTLS-Required: No\r\n\r\nhello\r\n',
    });
    expect(verdict).toBe('delivered');
  });
});

test('a policy is found by its record, fetched from its host, and holds for the peer; a new id changes it at once', async (t) => {
  const certificate = authority.issue('mta-sts.b.test', ['DNS:mta-sts.b.test']);
  let file = 'version: STSv1\nmode: enforce\nmx: mx1.test\nmax_age: 86400\n';
  let fetches = 0;
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (_, response) => {
    fetches++;
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.onTestFinished(() => void server.close());
  const peer = await startPeer(t, { EHLO: { raw: '250-peer.test\r\n250 STARTTLS\r\n' } }, good);
  const zone: Record<string, SignedName> = {
    'mta-sts.b.test': { a: ['127.0.0.1'] },
    '_mta-sts.b.test': { txt: ['v=STSv1; id=1;'] },
  };
  const resolver = signedResolver(zone);
  const policies = new StsPolicies({
    resolver: () => resolver,
    fetch: httpsPolicyFetch({
      resolver: () => resolver,
      authorities: () => [authority.cert],
      port: (server.address() as AddressInfo).port,
    }),
  });
  const trusted = certificatesInPem(authority.cert)!;
  const deliverer = new SmtpDeliverer({
    hostname: 'host.test',
    security: new TransportSecurity({ resolver: () => resolver, policies }),
    trust: { key: () => undefined, authorities: () => trusted },
  });
  t.onTestFinished(() => deliverer.close());
  const attempt = makeAttempt(peer.port, {
    transport: { tls: { ...noTls, mode: 'optional', usesMtaSts: true } },
    addresses: [{ ip: '127.0.0.1', port: peer.port, remoteMx: 'mx1.test' }],
  });
  const once = async () =>
    judge(
      await deliverer.attempt(
        { ...attempt, destination: { ...attempt.destination, mailDomain: insecure } },
        new AbortController().signal,
      ),
    );
  expect([await once(), await once(), fetches]).toEqual(['delivered', 'delivered', 1]);
  file = file.replace('mx1.test', 'mx2.test');
  zone['_mta-sts.b.test'] = { txt: ['v=STSv1; id=2;'] };
  expect([await once(), fetches, peer.messages.length]).toEqual(['deferred', 2, 2]);
});

test('what scripts send in line is held to the same: a wrong record or policy is a temporary error', async (t) => {
  const script = { EHLO: { raw: '250-peer.test\r\n250 STARTTLS\r\n' } };
  const peer = await startPeer(t, script, good);
  const zone: Record<string, SignedName> = { 'mx1.test': { a: ['127.0.0.1'], secure: true } };
  const records = `_${peer.port}._tcp.mx1.test`;
  const resolver = signedResolver(zone);
  const elsewhere = { mode: 'enforce', mx: ['mx9.test'], maxAgeSeconds: 60 } as const;
  const security = new TransportSecurity({
    resolver: () => resolver,
    policies: { policyOf: async () => ({ kind: 'policy', id: '1', policy: elsewhere }) },
  });
  const client = startClient(t, { names: () => resolverNames(resolver), security });
  const send = async (tls: MailServer) => {
    const outcome = await sendThrough(client, serverAt(peer.port, { host: 'mx1.test', ...tls }));
    if ('reply' in outcome) return outcome.reply.code;
    return outcome.error.isTemporary ? 'temporary' : 'permanent';
  };
  zone[records] = { tlsa: [pin(good)], secure: true };
  expect(await send({ tls: 'dane' })).toBe(250);
  zone[records] = { tlsa: [pin(good, true)], secure: true };
  expect(await send({ tls: 'dane' })).toBe('temporary');
  zone[records] = { tlsa: 'SERVFAIL' };
  expect(await send({ tls: 'dane' })).toBe('temporary');
  expect(await send({ tls: 'optional', tlsUsesMtaSts: true })).toBe('temporary');
  expect(await send({ tls: 'optional' })).toBe(250);
  expect(peer.messages.length).toBe(2);
  const counted = security.ledger
    .read()
    .policies.map(({ policy, successes, failures, details }) => [
      policy.type,
      successes,
      failures,
      ...details.map(({ failure }) => failure),
    ]);
  expect(counted).toEqual([
    ['tlsa', 1, 0],
    ['tlsa', 0, 1, 'certificate-not-trusted'],
    ['tlsa', 0, 1, 'dnssec-invalid'],
    ['sts', 0, 1, 'validation-failure'],
  ]);
});

test('connections made under one demand are not used under another', async (t) => {
  const peer = await startPeer(
    t,
    { EHLO: ['250 peer.test\nSTARTTLS', '250 peer.test', '250 peer.test\nSTARTTLS', '250 peer.test'] },
    good,
  );
  const zone: Record<string, SignedName> = { 'mx1.test': { a: ['127.0.0.1'], secure: true } };
  const resolver = signedResolver(zone);
  const security = new TransportSecurity({ resolver: () => resolver });
  const deliverer = new SmtpDeliverer({ hostname: 'host.test', security });
  t.onTestFinished(() => deliverer.close());
  const attempt = makeAttempt(peer.port, {
    transport: {
      tls: { ...noTls, mode: 'dane' },
      pooling: { enabled: true, transactions: undefined, idleSeconds: 60 },
    },
    addresses: [{ ip: '127.0.0.1', port: peer.port, remoteMx: 'mx1.test' }],
  });
  const once = () => deliverer.attempt(attempt, new AbortController().signal);
  expect(judge(await once())).toBe('delivered');
  zone[`_${peer.port}._tcp.mx1.test`] = { tlsa: [pin(good, true)], secure: true };
  const report = await once();
  expect([judge(report), report.error?.type, peer.connections]).toEqual(['deferred', 'dane', 2]);
});

/** `test.each` hands its rows over in place of the context. */
async function withContext(run: (t: TestContext) => Promise<void>): Promise<void> {
  const endings: (() => unknown)[] = [];
  try {
    await run({ onTestFinished: (end: () => unknown) => endings.push(end) } as unknown as TestContext);
  } finally {
    for (const end of endings.reverse()) await end();
  }
}
