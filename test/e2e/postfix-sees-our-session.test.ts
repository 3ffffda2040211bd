import { expect, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { sendMail, startDaemon } from '../support/mta.js';
import { skipReason } from '../support/peers.js';
import { startPostfix } from '../support/postfix.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { createAuthority } from '../support/test-certificates.js';

// What Postfix sees of a session that a script shaped with Try: our certificate, our chunks, the client we claim to be, the
// address that a PROXY header gives.

const reason = skipReason('postfix');
const needsPostfix = test.skipIf(reason !== undefined);
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);

/** What a script learnt of an attempt, as it logged it. */
const tellAttempt = `
  echo "attempt " . json_encode([
    "result" => $arguments["attempt"]["result"],
    "error" => $arguments["attempt"]["error"]["message"] ?? none,
    "localip" => $arguments["attempt"]["connection"]["localip"] ?? none,
    "tls" => [...$arguments["attempt"]["connection"]["tls"] ?? [], "peercert" => none],
    "subject" => X509($arguments["attempt"]["connection"]["tls"]["peercert"]["x509"])->subject()["CN"] ?? none,
  ]);`;

needsPostfix(
  named('Postfix gets a large message in chunks, over TLS, from the holder of our certificate'),
  async ({ onTestFinished }) => {
    const folder = scratchFolder();
    const authority = createAuthority(folder);
    const server = authority.issue('postfix.test', ['DNS:postfix.test']);
    const client = authority.issue('client.test', ['DNS:client.test']);
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const postfix = await startPostfix(sink.port, {
      smtpd_tls_security_level: 'encrypt',
      smtpd_tls_cert_file: server.certFile,
      smtpd_tls_key_file: server.keyFile,
      smtpd_tls_CAfile: authority.certFile,
      smtpd_tls_req_ccert: 'yes',
      smtpd_tls_loglevel: '1',
      smtpd_tls_received_header: 'yes',
    });
    onTestFinished(() => postfix.stop());
    const daemon = await startDaemon({
      nextHopPort: postfix.port,
      // Postfix counts what came when the session ends.
      pooling: false,
      app: {
        pki: {
          private: [
            { id: 'ours', privatekey: { path: client.keyFile }, certificate: { path: client.certFile } },
          ],
          ca: [{ id: 'tests', certificate: { path: authority.certFile } }],
        },
      },
      hooks: {
        predelivery: `
          Try(["tls" => "require_verify", "tls_verify_name" => ["*.test"], "tls_client_cert" => "ours", "tls_sni" => "postfix.test"]);`,
        postdelivery: tellAttempt,
      },
    });
    const body = `${'x'.repeat(70)}\r\n`.repeat(12_000);
    expect((await sendMail(daemon, `Subject: large\r\n\r\n${body}.dot\r\n`)).code).toBe(250);
    await sink.waitFor(1);
    expect(sink.deliveries[0]!.data.slice(-body.length - 8)).toContain(body);
    expect(sink.deliveries[0]!.data).toMatch(/using TLSv1\.3/);
    expect(sink.deliveries[0]!.data).toMatch(
      /Client CN "client\.test", Issuer "Test authority" \(verified OK\)/,
    );
    // What Postfix counts at the end of a session.
    await expect.poll(() => postfix.log()).toMatch(/ehlo=2 starttls=1 mail=1 rcpt=1 bdat=2/);
    const line = await daemon.waitForLine(({ msg }) => String(msg).includes('attempt {'));
    expect(String(line['msg'])).toMatch(/"subject":"postfix\.test"|TLSv1\.3/);
  },
);

needsPostfix(
  named('a certificate that Postfix shows for another name, or does not get from us, keeps the mail here'),
  async ({ onTestFinished }) => {
    const folder = scratchFolder();
    const authority = createAuthority(folder);
    const server = authority.issue('postfix.test', ['DNS:postfix.test']);
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const postfix = await startPostfix(sink.port, {
      smtpd_tls_security_level: 'encrypt',
      smtpd_tls_cert_file: server.certFile,
      smtpd_tls_key_file: server.keyFile,
      smtpd_tls_CAfile: authority.certFile,
      smtpd_tls_req_ccert: 'yes',
    });
    onTestFinished(() => postfix.stop());
    const daemon = await startDaemon({
      nextHopPort: postfix.port,
      app: { pki: { ca: [{ id: 'tests', certificate: { path: authority.certFile } }] } },
      retry: { count: 5, intervals: [{ interval: 600 }] },
      hooks: {
        predelivery: `
          if ($message["recipientaddress"]["localpart"] == "name")
            Try(["tls" => "require_verify", "tls_verify_name" => ["other.test"]]);
          Try(["tls" => "require_verify", "tls_verify_name" => ["postfix.test"]]);`,
      },
    });
    await sendMail(daemon, 'Subject: x\r\n\r\nbody', ['name@example.test']);
    await daemon.waitForLine(({ reason: why }) => /certificate is not for other\.test/.test(String(why)));
    await sendMail(daemon, 'Subject: x\r\n\r\nbody', ['nocert@example.test']);
    await daemon.waitForLine(({ reason: why }) => /No client certificate presented/.test(String(why)));
    expect(sink.deliveries).toHaveLength(0);
  },
);

needsPostfix(
  named('Postfix behind a PROXY header sees the address that we chose, in either version of the header'),
  async ({ onTestFinished }) => {
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const postfix = await startPostfix(sink.port, {
      smtpd_upstream_proxy_protocol: 'haproxy',
      smtpd_upstream_proxy_timeout: '5s',
      mynetworks: '127.0.0.0/8 192.0.2.0/24',
    });
    onTestFinished(() => postfix.stop());
    const daemon = await startDaemon({
      // Where the mail would go without the proxy: nowhere.
      nextHopPort: 1,
      app: { addresses: [{ id: 'far', address: '192.0.2.55', hostname: 'far.test' }] },
      hooks: {
        predelivery: `
          $version = $message["recipientaddress"]["localpart"] == "one" ? 1 : 2;
          Try(["sourceip" => ["far"], "proxy" => ["address" => "127.0.0.1", "port" => ${postfix.port}, "version" => $version]]);`,
      },
    });
    await sendMail(daemon, 'Subject: x\r\n\r\nbody', ['one@example.test', 'two@example.test']);
    await sink.waitFor(2);
    for (const { data } of sink.deliveries)
      expect(data).toMatch(/Received: from far\.test \(unknown \[192\.0\.2\.55\]\)/);
  },
);

needsPostfix(named('Postfix takes us for the client that XCLIENT names'), async ({ onTestFinished }) => {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  const postfix = await startPostfix(sink.port, {
    smtpd_authorized_xclient_hosts: '127.0.0.0/8',
    mynetworks: '198.51.100.0/24',
  });
  onTestFinished(() => postfix.stop());
  const daemon = await startDaemon({
    nextHopPort: postfix.port,
    hooks: {
      predelivery: `Try(["xclient" => ["NAME" => "customer.test", "ADDR" => "198.51.100.7", "HELO" => "customer.test"]]);`,
    },
  });
  await sendMail(daemon);
  await sink.waitFor(1);
  expect(sink.deliveries[0]!.data).toMatch(/\(customer\.test \[198\.51\.100\.7\]\)/);
});
