// The services behind the library, in the daemon and in hsh: a script that uses each, messages that scripts queue, a
// reload that replaces what is configured, TLS and a log-in at the next hop.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { queueAll, sendMail, startDaemon, startDaemonIn, startMta, subjectOf } from '../support/mta.js';
import { root, runProgram } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { startPeer } from '../support/scripted-peer.js';
import { createAuthority } from '../support/test-certificates.js';

const lifetime = { onTestFinished };

/** Notes the paths it is asked for. */
async function startWeb() {
  const paths: string[] = [];
  let changed = () => {};
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.end('answer');
    changed();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    paths,
    port: (server.address() as AddressInfo).port,
    asked: (count: number) =>
      new Promise<void>((resolve) => {
        changed = () => paths.length >= count && resolve();
        changed();
      }),
  };
}

/** Each service once; one echo for each. */
const useEach = (smtpPort: number, webPort: number) => `
  $at = ["host" => "127.0.0.1", "port" => ${smtpPort}];
  echo "dns " . dns_query("a.known.test")["result"][0];
  echo "file " . File("named.txt")->read();
  echo "rcpt " . smtp_lookup_rcpt([...$at, "sourceipid" => "nine"], "", "b@b.test");
  echo "auth " . smtp_lookup_auth($at, "user", "secret");
  echo "send " . MIME()->addHeader("Subject", "sent")->setBody("x")->send("", ["b@b.test"], "out")["result"]["code"];
  echo "http " . http("http://127.0.0.1:${webPort}/now");
  echo "background " . http("http://127.0.0.1:${webPort}/later", ["background" => true]);
  metrics_increment("seen", []);
  echo "metric " . metrics_get("seen", [])["value"];
  echo "crypt " . str_slice(crypt("secret", "\\$6\\$salt"), 0, 7);
  echo "key " . (length(MailMessage::String("From: a@b.test\\r\\n\\r\\n")->signDKIM("s", "b.test", "pki:mine", ["return_header" => true, "algorithm" => "ed25519-sha256"]) ?? "") > 100);
  echo "host " . gethostname();
`;
const expectedEchoes = [
  'dns 192.0.2.7',
  'file by name',
  'rcpt 1',
  'auth 1',
  'send 250',
  'http answer',
  'background true',
  'metric 1',
  'crypt $6$salt',
  'key true',
];
const { privateKey } = generateKeyPairSync('ed25519');
const named = {
  pki: {
    private: [
      { id: 'mine', privatekey: { data: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() } },
    ],
  },
  resolver: { servers: ['127.0.0.1:1'], hosts: { 'a.known.test': { a: ['192.0.2.7'] } } },
  addresses: [{ id: 'nine', address: '127.0.0.9', hostname: 'nine.test' }],
  metrics: [{ name: 'seen', type: 'counter', help: 'seen' }],
  scripting: { files: [{ id: 'named.txt', data: 'by name' }] },
};

test('a hook and hsh use every service of the library', async () => {
  const peer = await startPeer(lifetime, { EHLO: '250 peer.test\nAUTH PLAIN' });
  const web = await startWeb();
  const script = useEach(peer.port, web.port);
  const daemon = await startDaemon({ nextHopPort: peer.port, app: named, hooks: { mailfrom: script } });
  await sendMail(daemon);
  await daemon.waitForLine(({ msg }) => msg === 'host mta.test');
  const echoes = daemon.lines.map(({ msg }) => msg).filter((msg) => /^[a-z]+ [^ ]+/.test(msg));
  expect(echoes).toEqual(expect.arrayContaining(expectedEchoes));
  await web.asked(2);
  expect(peer.commands).toContain('EHLO nine.test');

  const file = path.join(daemon.folder, 'each.hsl');
  writeFileSync(file, script);
  const hsh = await runProgram(process.execPath, [
    path.join(root, 'src/cli/launch.cjs'),
    'hsh',
    '--config',
    daemon.folder,
    file,
  ]);
  expect(hsh.stderr).toBe('');
  expect(hsh.stdout.split('\n').slice(0, -2)).toEqual(expectedEchoes);
  // hsh ends when what it left in the background is done.
  expect(web.paths).toEqual(['/now', '/later', '/now', '/later']);
  expect(await daemon.stop()).toBe(0);
});

test('a disconnect hook queues a report, with everything a queued message can have', async () => {
  const { daemon, sink } = await startMta({
    hooks: {
      eod: queueAll,
      disconnect: `
        $report = MIME()->addHeader("From", "robot@mta.test")->addHeader("Subject", "report")->setBody("one session");
        $id = $report->queue("", "postmaster@example.test", "out", ["metadata" => ["kind" => "report"], "jobid" => "job",
          "tenantid" => "tenant", "priority" => 1, "dsn" => ["notify" => "NEVER"]]);
        echo "queued " . $id["queue"] . " " . length($id["transaction"]);
        $report->queue("", "held@example.test", "out", ["hold" => true]);
        $report->queue("", "later@example.test", "out", ["delay" => 1000]);
        try { $report->queue("", "nobody@example.test", "nowhere"); } catch ($e) { echo $e->message(); }`,
      predelivery: `
        if (GetMetaData()["kind"] ?? "" == "report")
          echo "report job " . $message["jobid"] . " " . $message["tenantid"] . " " . $message["priority"] . " " . $message["dsn"]["notify"];
        Try();`,
    },
  });
  expect((await sendMail(daemon, 'Subject: first\r\n\r\n')).code).toBe(250);
  await sink.waitFor(2);
  expect(sink.deliveries.map(subjectOf).sort()).toEqual(['first', 'report']);
  const report = sink.deliveries.find((delivery) => subjectOf(delivery) === 'report')!;
  expect(report).toMatchObject({ sender: '', recipients: ['postmaster@example.test'] });
  await daemon.waitForLine(({ msg }) => msg === 'queued 1 36');
  await daemon.waitForLine(({ msg }) => msg === 'report job job tenant 1 NEVER');
  await daemon.waitForLine(({ msg }) => /there is no transport "nowhere"/.test(msg));
  await daemon.stop();
  const again = await startDaemonIn(daemon.folder);
  const ready = await again.waitForLine(({ msg }) => msg === 'ready');
  expect(ready['queue']).toEqual({ active: 0, defer: 1, hold: 1 });
});

test('what a script has queued survives a kill', async () => {
  const { daemon, sink } = await startMta({
    hooks: {
      eod: queueAll,
      postdelivery: `
        if ($message["sender"] == "") return;
        $id = MIME()->addHeader("Subject", "told")->setBody("done")->queue("", "audit@example.test", "out", ["delay" => 1]);
        echo "told " . $id["transaction"];`,
    },
  });
  expect((await sendMail(daemon, 'Subject: first\r\n\r\n')).code).toBe(250);
  await daemon.waitForLine(({ msg }) => msg.startsWith('told '));
  await daemon.stop('SIGKILL');
  expect(sink.deliveries.map(subjectOf)).toEqual(['first']);
  await startDaemonIn(daemon.folder);
  await sink.waitFor(2);
  expect(sink.deliveries.map(subjectOf)).toContain('told');
});

test('a reload replaces what scripts ask for by name', async () => {
  const { daemon } = await startMta({
    app: named,
    hooks: {
      mailfrom: 'echo "is " . dns_query("a.known.test")["result"][0] . " " . File("named.txt")->read();',
    },
  });
  await sendMail(daemon);
  await daemon.waitForLine(({ msg }) => msg === 'is 192.0.2.7 by name');
  const file = path.join(daemon.folder, 'smtpd-app.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('192.0.2.7', '192.0.2.8').replace('by name', 'by another name'));
  process.kill(daemon.pid, 'SIGHUP');
  await daemon.waitForLine(({ msg }) => msg === 'configuration reloaded');
  await sendMail(daemon);
  await daemon.waitForLine(({ msg }) => msg === 'is 192.0.2.8 by another name');
});

test('the queue protects its sessions and logs in as its transport says', async () => {
  const tls = createAuthority(scratchFolder()).issue('peer.test', ['IP:127.0.0.1']);
  const peer = await startPeer(
    lifetime,
    { EHLO: ['250 peer.test\nSTARTTLS', '250 peer.test\nAUTH PLAIN'], AUTH: '235 ok' },
    tls,
  );
  const session = {
    tls: { mode: 'require' },
    saslusername: 'user',
    saslpassword: 'very secret',
    saslunverified: true,
  };
  const daemon = await startDaemon({ nextHopPort: peer.port, session, hooks: { eod: queueAll } });
  expect((await sendMail(daemon)).code).toBe(250);
  await peer.until(({ messages }) => messages.length === 1);
  expect(peer.commands.slice(0, 4)).toEqual([
    'EHLO mta.test',
    'STARTTLS',
    'EHLO mta.test',
    `AUTH PLAIN ${Buffer.from('\0user\0very secret').toString('base64')}`,
  ]);
  expect(JSON.stringify(daemon.lines)).not.toContain('secret');
});

test('mail waits while its next hop cannot be trusted', async () => {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  const session = { tls: { mode: 'require_verify' } };
  const daemon = await startDaemon({ nextHopPort: sink.port, session, hooks: { eod: queueAll } });
  expect((await sendMail(daemon)).code).toBe(250);
  const line = await daemon.waitForLine(({ msg }) => msg === 'message deferred');
  expect(JSON.stringify(line)).toContain('does not offer STARTTLS');
  expect(sink.deliveries).toEqual([]);
});
