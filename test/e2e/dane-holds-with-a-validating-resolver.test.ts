import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type EximPeer, startExim } from '../support/exim.js';
import { sendMail, startDaemon } from '../support/mta.js';
import { skipReason } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { TestAuthority, type TestCertificate } from '../support/test-authority.js';
import { startUnbound } from '../support/unbound.js';

// RFC 7672 with nothing made up: zones signed by ldns, validated by unbound, mail taken by Exim over TLS.

const reason =
  skipReason('exim4', 'unbound', 'ldns-signzone') ??
  (process.getuid?.() === 0 ? undefined : 'Exim needs root');
const needsPeers = test.skipIf(reason !== undefined);
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);

needsPeers(
  named('DANE: proven records let mail through, wrong, forged and unproven ones do what the RFC says'),
  async ({ onTestFinished }) => {
    const authority = new TestAuthority(scratchFolder());
    const certificate = authority.certificate('exim', { extensions: ['subjectAltName=DNS:mx.right.test'] });
    const exim = await startExim(certificate);
    onTestFinished(() => exim.stop());
    const zone = (name: string, isSigned: boolean, tlsa: string | undefined) => ({
      name,
      isSigned,
      records: [
        '@ 300 IN MX 10 mx',
        'mx 300 IN A 127.0.0.1',
        ...(tlsa === undefined ? [] : [`_${exim.port}._tcp.mx 300 IN TLSA 3 1 1 ${tlsa}`]),
      ],
    });
    const right = fingerprint(certificate);
    const wrong = '00'.repeat(32);
    const unbound = await startUnbound([
      zone('right.test', true, right),
      zone('wrong.test', true, wrong),
      // The address was changed after it had been signed: nothing may be sent there.
      {
        ...zone('forged.test', true, right),
        forge: (text) => text.replace(/^(mx\.forged\.test\.\s.*\sA\s+)127\.0\.0\.1/m, '$1127.0.0.9'),
      },
      // Nobody can prove the record, so it says nothing: opportunistic TLS as without it.
      zone('unsigned.test', false, wrong),
      zone('without.test', true, undefined),
    ]);
    onTestFinished(() => unbound.stop());
    const daemon = await startDaemon({
      app: {
        resolver: { servers: [`127.0.0.1:${unbound.port}`] },
        transportgroups: [
          {
            id: 'group',
            retry: { count: 5, intervals: [{ interval: 600 }] },
            session: { tls: { mode: 'dane' } },
            transports: [{ id: 'out', connection: { port: exim.port } }],
          },
        ],
      },
    });
    const domains = ['right', 'wrong', 'forged', 'unsigned', 'without'].map((name) => `you@${name}.test`);
    expect((await sendMail(daemon, undefined, domains)).code).toBe(250);
    const wrongLine = await daemon.waitForLine((line) => isAttempt(line, 'wrong.test'));
    expect(JSON.stringify(wrongLine)).toMatch(/TLSA|DANE/i);
    const forged = await daemon.waitForLine((line) => isAttempt(line, 'forged.test'));
    expect(JSON.stringify(forged)).toMatch(/deferred|SERVFAIL/);
    await expect
      .poll(() => takenBy(exim))
      .toEqual(['you@right.test', 'you@unsigned.test', 'you@without.test']);
    for (const line of exim.log().filter((one) => one.includes(' <= '))) expect(line).toContain('P=esmtps');
  },
);

function isAttempt(line: Readonly<Record<string, unknown>>, domain: string): boolean {
  return String(line['recipient']).endsWith(domain) && /defer/.test(JSON.stringify(line));
}

/** SHA-256 of the public key: usage 3, selector 1, matching type 1. */
function fingerprint({ certificate }: TestCertificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function takenBy(exim: EximPeer): string[] {
  return exim
    .messages()
    .flatMap(({ header }) => header.match(/^you@\S+$/gm) ?? [])
    .sort();
}
