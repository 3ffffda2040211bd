import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import type { Daemon, DaemonConfig } from '../support/daemon.js';
import { Dialogue } from '../support/dialogue.js';
import { queueAll, startDaemon, startMta, subjectOf } from '../support/mta.js';
import { noTlsForSwaks, runProgram, skipReason, smtpSource, swaks } from '../support/peers.js';
import { startPostfix } from '../support/postfix.js';
import { createAuthority, type TestAuthority, type TestCertificate } from '../support/test-certificates.js';

// Clients that we did not write speak TLS with us, as they come.

let folder: string;
let authority: TestAuthority;
let made: Record<'plain' | 'exact' | 'wild' | 'client' | 'newer', TestCertificate>;
let rsa: { readonly keyFile: string; readonly certFile: string };

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-tls-'));
  authority = createAuthority(folder);
  made = {
    plain: authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']),
    exact: authority.issue('mx.example.test', ['DNS:mx.example.test']),
    wild: authority.issue('*.example.test', ['DNS:*.example.test']),
    client: authority.issue('client.test', ['DNS:client.test']),
    newer: authority.issue('newer.test', ['DNS:newer.test']),
  };
  rsa = { keyFile: path.join(folder, 'rsa.key'), certFile: path.join(folder, 'rsa.crt') };
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=rsa.test'],
      ...['-keyout', rsa.keyFile, '-out', rsa.certFile],
    ],
    { stdio: 'ignore' },
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** STARTTLS on the first listener, TLS from the start on the second. */
function tlsConfig(tls: Readonly<Record<string, unknown>> = {}): DaemonConfig {
  const key = (id: string, { keyFile, certFile }: { keyFile: string; certFile: string }) => ({
    id,
    privatekey: { path: keyFile },
    certificate: { path: certFile },
  });
  return {
    start: {
      listeners: [
        { address: '127.0.0.1', port: 0, id: 'smtp' },
        { address: '127.0.0.1', port: 0, id: 'smtps' },
      ],
    },
    server: {
      tls: {
        implicit: ['smtps'],
        certs: [
          { cert: 'plain' },
          { cert: 'rsa' },
          { cert: 'exact', sni: 'mx.example.test' },
          { cert: 'wild', sni: '*.example.test' },
        ],
        ...tls,
      },
    },
    app: {
      pki: {
        private: [
          key('plain', made.plain),
          key('rsa', rsa),
          key('exact', made.exact),
          key('wild', made.wild),
        ],
        ca: [{ id: 'ours', certificate: { path: authority.certFile } }],
      },
    },
  };
}

/** The port of the second listener. */
async function implicitPort(daemon: Daemon): Promise<number> {
  const ready = await daemon.waitForLine(({ msg }) => msg === 'ready');
  return (ready['listeners'] as readonly { port: number }[])[1]!.port;
}

/** What openssl's client shows and hears. */
async function sClient(port: number, args: readonly string[], input = 'EHLO c.test\r\nQUIT\r\n') {
  const { code, stdout, stderr } = await runProgram(
    'openssl',
    [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-CAfile',
      authority.certFile,
      '-ign_eof',
      '-crlf',
      ...args,
    ],
    { input: input.replaceAll('\r\n', '\n') },
  );
  return { code, said: stdout + stderr };
}

const withoutOpenssl = skipReason('openssl');
const named = (fact: string, reason: string | undefined) =>
  reason === undefined ? fact : `${fact} (${reason})`;
const starttls = ['-starttls', 'smtp'];

describe.skipIf(withoutOpenssl !== undefined)(named('openssl s_client', withoutOpenssl), () => {
  test('is shown the certificate of the name it asks for, with an unbroken chain', async () => {
    const { daemon } = await startMta(tlsConfig());
    const port = await implicitPort(daemon);
    for (const [name, subject] of [
      ['mx.example.test', 'mx.example.test'],
      ['other.example.test', '*.example.test'],
      ['unknown.test', 'localhost'],
      [undefined, 'localhost'],
    ] as const) {
      const sni = name === undefined ? ['-noservername'] : ['-servername', name];
      const first = await sClient(daemon.port, [...starttls, ...sni, '-sigalgs', 'ecdsa_secp256r1_sha256']);
      expect(first.said).toContain(`subject=CN = ${subject}\n`);
      expect(first.said).toContain('Verify return code: 0 (ok)');
      expect(first.said).toMatch(/^250-mta\.test\r?$/m);
      expect(first.said).toMatch(/^221 /m);
      const second = await sClient(port, [...sni, '-sigalgs', 'ecdsa_secp256r1_sha256']);
      expect(second.said).toContain(`subject=CN = ${subject}\n`);
      expect(second.said).toMatch(/^220 mta\.test ESMTP\r?$/m);
    }
  });

  test('is shown the RSA certificate when that is all it understands', async () => {
    const { daemon } = await startMta(tlsConfig());
    const { said } = await sClient(daemon.port, [
      ...starttls,
      '-tls1_2',
      '-cipher',
      'ECDHE-RSA-AES128-GCM-SHA256',
    ]);
    expect(said).toContain('subject=CN = rsa.test\n');
    expect(said).toMatch(/^221 /m);
  });

  test('gets TLS 1.2 and 1.3, and nothing older', async () => {
    const { daemon } = await startMta(tlsConfig());
    for (const [version, shown] of [
      ['-tls1_2', 'TLSv1.2'],
      ['-tls1_3', 'TLSv1.3'],
    ] as const) {
      const { said } = await sClient(daemon.port, [...starttls, version]);
      expect(said).toMatch(new RegExp(`(?:Protocol  : |New, )${shown.replace('.', '\\.')}`));
      expect(said).toMatch(/^221 /m);
    }
    const { said } = await sClient(daemon.port, [...starttls, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']);
    expect(said).not.toMatch(/^221 /m);
    expect(said).toMatch(/alert protocol version|no protocols available/);
  });

  test('cannot renegotiate', async () => {
    const { daemon } = await startMta(tlsConfig());
    const child = await runProgram(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${daemon.port}`, ...starttls, '-tls1_2', '-crlf'],
      { input: 'R\n' },
    );
    expect(child.stdout + child.stderr).toMatch(/no renegotiation|RENEGOTIATING/);
    expect(await (await Dialogue.open(daemon.port)).line()).toMatch(/^220 /);
  });

  test('shows its certificate, and a script sees whose it is and what it is worth', async () => {
    const helo = `
      $tls = $connection["tls"] ?? [];
      $cert = $tls["peercert"] ?? none;
      Accept(["reason" => $cert ? X509($cert["x509"])->subject()[0][1] . " " . count($cert["chain"]) . " " . $cert["error"] . " " . $tls["protocol"] . " " . $tls["keysize"] : "nobody"]);`;
    const { daemon } = await startMta({ ...tlsConfig({ clientcert: 'request' }), hooks: { helo } });
    const own = ['-cert', made.client.certFile, '-key', made.client.keyFile];
    expect((await sClient(daemon.port, [...starttls, ...own])).said).toMatch(
      /^250-client\.test 1 0 TLSv1\.3 256\r?$/m,
    );
    expect((await sClient(daemon.port, starttls)).said).toMatch(/^250-nobody\r?$/m);
    const self = ['-cert', rsa.certFile, '-key', rsa.keyFile];
    expect((await sClient(daemon.port, [...starttls, ...self])).said).toMatch(
      /^250-rsa\.test 0 18 TLSv1\.3 256\r?$/m,
    );
  });

  test('is turned away with 554 when its certificate does not do', async () => {
    const { daemon } = await startMta(tlsConfig({ clientcert: 'verify' }));
    const self = ['-cert', rsa.certFile, '-key', rsa.keyFile];
    expect((await sClient(daemon.port, starttls)).said).toMatch(
      /^554 5\.7\.0 A client certificate is needed/m,
    );
    expect((await sClient(daemon.port, [...starttls, ...self])).said).toMatch(/^554 5\.7\.0 .* not trusted/m);
    expect((await sClient(await implicitPort(daemon), [])).said).toMatch(/^554 5\.7\.0 /m);
    const own = ['-cert', made.client.certFile, '-key', made.client.keyFile];
    expect((await sClient(daemon.port, [...starttls, ...own])).said).toMatch(/^250-mta\.test\r?$/m);
  });
});

const withoutSwaks = noTlsForSwaks();

describe.skipIf(withoutSwaks !== undefined)(named('swaks', withoutSwaks), () => {
  test('sends over STARTTLS and over TLS from the start', async () => {
    const { daemon, sink } = await startMta(tlsConfig());
    const port = await implicitPort(daemon);
    for (const [where, args] of [
      [daemon.port, ['--tls']],
      [daemon.port, ['--tls', '--tls-protocol', 'tlsv1_2', '--tls-sni', 'mx.example.test']],
      [port, ['--tls-on-connect']],
      [daemon.port, ['--tls', '--pipeline']],
    ] as const) {
      const { code, stdout } = await swaks(where, args);
      expect({ code, stdout }).toMatchObject({ code: 0 });
    }
    await sink.waitFor(4);
    for (const { data } of sink.deliveries) expect(data).toMatch(/ with ESMTPS\r\n/);
  });
});

const withoutPython = skipReason('python3');

test.skipIf(withoutPython !== undefined)(
  named("Python's smtplib trusts our certificate and sends over both", withoutPython),
  async () => {
    const { daemon, sink } = await startMta(tlsConfig());
    const script = `
import smtplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
one = smtplib.SMTP("localhost", int(sys.argv[2]), local_hostname="python.test")
one.starttls(context=context)
one.sendmail("a@b.test", ["c@d.test"], "Subject: starttls\\r\\n\\r\\nx")
assert not one.has_extn("starttls")
one.quit()
two = smtplib.SMTP_SSL("localhost", int(sys.argv[3]), local_hostname="python.test", context=context)
two.sendmail("a@b.test", ["c@d.test"], "Subject: smtps\\r\\n\\r\\nx")
two.quit()
`;
    const port = await implicitPort(daemon);
    const { code, stderr } = await runProgram('python3', [
      '-c',
      script,
      authority.certFile,
      `${daemon.port}`,
      `${port}`,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await sink.waitFor(2);
    expect(sink.deliveries.map(subjectOf).sort()).toEqual(['smtps', 'starttls']);
  },
);

const withoutCurl = skipReason('curl');

test.skipIf(withoutCurl !== undefined)(named('curl sends over both', withoutCurl), async () => {
  const { daemon, sink } = await startMta(tlsConfig());
  const port = await implicitPort(daemon);
  for (const [url, more] of [
    [`smtp://localhost:${daemon.port}/curl.test`, ['--ssl-reqd']],
    [`smtps://localhost:${port}/curl.test`, []],
  ] as const) {
    const { code, stderr } = await runProgram(
      'curl',
      [
        ...['-sS', url, '--cacert', authority.certFile, ...more],
        ...['--mail-from', 'a@b.test', '--mail-rcpt', 'c@d.test', '--upload-file', '-'],
      ],
      { input: 'Subject: curl\r\n\r\nx\r\n' },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
  await sink.waitFor(2);
});

test('nodemailer sends over both, several mails in one session', async () => {
  const { daemon, sink } = await startMta(tlsConfig());
  const tls = { ca: authority.cert, servername: 'mx.example.test' };
  for (const transport of [
    createTransport({ host: '127.0.0.1', port: daemon.port, requireTLS: true, pool: true, tls }),
    createTransport({ host: '127.0.0.1', port: await implicitPort(daemon), secure: true, pool: true, tls }),
  ]) {
    for (let i = 0; i < 3; i++)
      await transport.sendMail({ from: 'a@b.test', to: 'c@d.test', subject: 'x', text: 'x'.repeat(100_000) });
    transport.close();
  }
  await sink.waitFor(6);
});

const withoutPostfix = skipReason('postfix', 'smtp-source');

test.skipIf(withoutPostfix !== undefined)(
  named('Postfix relays to us over TLS that it has verified, with its client certificate', withoutPostfix),
  async () => {
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const eod = `
      if (($connection["tls"]["peercert"]["error"] ?? -1) != 0) Reject("who are you");
      ${queueAll}`;
    const daemon = await startDaemon({
      ...tlsConfig({ clientcert: 'verify' }),
      nextHopPort: sink.port,
      hooks: { eod },
    });
    const postfix = await startPostfix(daemon.port, {
      smtp_tls_security_level: 'verify',
      smtp_tls_verify_cert_match: 'localhost',
      smtp_tls_CAfile: authority.certFile,
      smtp_tls_cert_file: made.client.certFile,
      smtp_tls_key_file: made.client.keyFile,
      smtp_tls_loglevel: '1',
    });
    onTestFinished(() => postfix.stop());
    await smtpSource(postfix.port, { count: 20, sessions: 4, sizeBytes: 3000 });
    await sink.waitFor(20);
    expect(postfix.log()).toMatch(
      /Verified TLS connection established to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: TLSv1\.3/,
    );
    expect(sink.deliveries.every(({ data }) => / with ESMTPS\r\n/.test(data))).toBe(true);
    expect(await daemon.stop()).toBe(0);
  },
);

test('new certificates come with a reload: new handshakes are shown them, sessions go on with the old', async () => {
  const keyFile = path.join(folder, 'reloaded.key');
  const certFile = path.join(folder, 'reloaded.crt');
  copyFileSync(made.plain.keyFile, keyFile);
  copyFileSync(made.plain.certFile, certFile);
  const { daemon, sink } = await startMta({
    server: { tls: { certs: { cert: 'own' } } },
    app: {
      pki: { private: [{ id: 'own', privatekey: { path: keyFile }, certificate: { path: certFile } }] },
    },
  });
  const secured = async () => {
    const plain = await Dialogue.open(daemon.port);
    await plain.play('S: 220 *\nC: STARTTLS\nS: 220 *');
    return plain.secure();
  };
  const subjectOfServer = ({ socket }: Dialogue) =>
    (socket as unknown as { getPeerX509Certificate(): { subject: string } }).getPeerX509Certificate().subject;
  const old = await secured();
  await old.play('C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<c@d.test>\nS: 250 *');
  copyFileSync(made.newer.keyFile, keyFile);
  copyFileSync(made.newer.certFile, certFile);
  daemon.child.kill('SIGHUP');
  await daemon.waitForLine(({ msg }) => msg === 'configuration reloaded');
  expect(subjectOfServer(await secured())).toBe('CN=newer.test');
  expect(subjectOfServer(old)).toBe('CN=localhost');
  await old.play('C: DATA\nS: 354 *\nC: Subject: over the old session\nC:\nC: .\nS: 250 *');
  await sink.waitFor(1);
  // A key that does not belong to its certificate is refused as a whole, and the old ones stay.
  copyFileSync(made.plain.keyFile, keyFile);
  daemon.child.kill('SIGHUP');
  await daemon.waitForLine(({ msg }) => msg.startsWith('configuration not reloaded'));
  expect(subjectOfServer(await secured())).toBe('CN=newer.test');
});
