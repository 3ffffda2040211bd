// send() and smtp_lookup_* in hsh, against servers we did not write: Postfix with TLS and XCLIENT, and the smtp-server
// package with TLS and log-ins.

import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { root, runProgram, skipReason } from '../support/peers.js';
import { startPostfix } from '../support/postfix.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { createAuthority } from '../support/test-certificates.js';

const reason = skipReason('postfix');

/** Runs a script in hsh, which trusts the authority in the file. @returns what it echoed */
async function hsh(script: string, trusted: string): Promise<string[]> {
  const { stdout, stderr } = await runProgram(
    process.execPath,
    [path.join(root, 'src/cli/launch.cjs'), 'hsh', '-e', script],
    { env: { ...process.env, SSL_CERT_FILE: trusted } },
  );
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

function authority() {
  const folder = scratchFolder();
  chmodSync(folder, 0o755);
  return createAuthority(folder);
}

test.skipIf(reason !== undefined)(
  `Postfix takes mail over TLS that is verified, and an identity by XCLIENT${reason === undefined ? '' : ` (${reason})`}`,
  async () => {
    const ca = authority();
    const { certFile, keyFile } = ca.issue('postfix.test', ['DNS:postfix.test', 'IP:127.0.0.1']);
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const postfix = await startPostfix(sink.port, {
      smtpd_tls_security_level: 'encrypt',
      smtpd_tls_cert_file: certFile,
      smtpd_tls_key_file: keyFile,
      smtpd_authorized_xclient_hosts: '127.0.0.1',
      mynetworks: '127.0.0.0/8 192.0.2.0/24',
    });
    onTestFinished(() => postfix.stop());
    const echoes = await hsh(
      `
      $at = ["host" => "127.0.0.1", "port" => ${postfix.port}, "tls" => "require_verify", "tls_default_ca" => true];
      $mail = MIME()->addHeader("Subject", "over TLS")->setBody("Hello");
      $r = $mail->send("a@client.test", ["b@example.test", "c@example.test"], [...$at, "tls_verify_host" => true,
        "tls_capture_peer_cert" => true, "xclient" => ["NAME" => "known.test", "ADDR" => "192.0.2.7"]]);
      echo $r["result"]["state"] . " " . $r["result"]["code"] . " " . $r["tls"]["protocol"];
      echo X509($r["tls"]["peercert"]["x509"])->subject();
      echo $mail->send("a@client.test", "b@example.test", [...$at, "tls_verify_name" => ["other.test"]])["error"];
      echo $mail->send("a@client.test", "b@example.test", [...$at, "tls" => "disabled"])["result"]["code"];
      echo smtp_lookup_rcpt([...$at, "tls_protocols" => "TLSv1.2"], "", "b@example.test", ["extended_result" => true])["tls"]["protocol"];
      `,
      ca.certFile,
    );
    expect(echoes).toEqual([
      'EOD 250 TLSv1.3',
      '[0=>[0=>"CN",1=>"postfix.test"]]',
      '["temporary"=>true,"message"=>"the certificate is not for other.test"]',
      '530',
      'TLSv1.2',
    ]);
    // Postfix hands it on once for each recipient or once for both.
    await sink.waitFor(1);
    expect(sink.deliveries[0]?.data).toMatch(/^Received: from .*\(known\.test \[192\.0\.2\.7\]\)/m);
    expect(sink.deliveries[0]?.data).toContain('Subject: over TLS');
  },
);

test('the smtp-server package lets in who has the password, by each of its mechanisms', async () => {
  const ca = authority();
  const { cert, key } = ca.issue('mx.test', ['IP:127.0.0.1']);
  const users: string[] = [];
  const listen = async (options: SMTPServerOptions): Promise<number> => {
    const server = new SMTPServer({
      cert,
      key,
      disableReverseLookup: true,
      onAuth: ({ method, username, password, accessToken, validatePassword }, session, callback) => {
        const isRight =
          method === 'CRAM-MD5' ? validatePassword('secret') : (password ?? accessToken) === 'secret';
        users.push(`${method} ${session.secure} ${isRight}`);
        if (isRight) callback(null, { user: username ?? 'user' });
        else callback(null, { message: 'Wrong user name or password' } as never);
      },
      ...options,
    });
    server.on('error', () => {});
    const listener = server.listen(0, '127.0.0.1') as unknown as Server;
    await once(listener, 'listening');
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    return (listener.address() as AddressInfo).port;
  };
  const ports: number[] = [];
  for (const method of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'])
    ports.push(await listen({ authMethods: [method] }));
  const plain = await listen({ authMethods: ['PLAIN', 'CRAM-MD5'], hideSTARTTLS: true });
  const echoes = await hsh(
    `
    foreach ([${ports.join(', ')}] as $port) {
      $at = ["host" => "127.0.0.1", "port" => $port, "tls" => "require_verify", "tls_default_ca" => true];
      echo smtp_lookup_auth($at, "user", "secret") . smtp_lookup_auth($at, "user", "wrong");
      $login = [...$at, "saslusername" => "user", "saslpassword" => "secret"];
      echo MailMessage::String("Subject: x\\r\\n\\r\\nx\\r\\n")->send("", "b@b.test", $login)["result"]["code"];
    }
    $at = ["host" => "127.0.0.1", "port" => ${plain}];
    echo smtp_lookup_auth($at, "user", "secret") . smtp_lookup_auth([...$at, "tls" => "optional"], "user", "secret");
    `,
    ca.certFile,
  );
  expect(echoes).toEqual([...Array(4).fill(['10', '250']).flat(), '1-1']);
  expect(users).toEqual([
    ...['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'].flatMap((method) => [
      `${method} true true`,
      `${method} true false`,
      `${method} true true`,
    ]),
    'CRAM-MD5 false true',
  ]);
});
