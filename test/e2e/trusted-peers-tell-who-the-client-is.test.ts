import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { Dialogue } from '../support/dialogue.js';
import { queueAll, startMta } from '../support/mta.js';
import { runProgram, skipReason, swaks } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { TestClient } from '../support/smtp-client.js';

// A proxy, a content filter, a program on the same machine: whom we believe what they say about the client.

const reason = skipReason('swaks');
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);
const listener = { address: '127.0.0.1', port: 0 };

/** The client as the trace field of the delivered message has it. */
const clientOf = ({ data }: { readonly data: string }) => /^Received: from (.*)\r$/m.exec(data)?.[1];

test.skipIf(reason !== undefined)(
  named('swaks speaks for another client by the PROXY protocol, in both versions'),
  async () => {
    const { daemon, sink } = await startMta({
      start: { listeners: [listener], proxyprotocol: ['127.0.0.1'] },
      server: { timeout: { proxyheader: 1 } },
      hooks: {
        rcptto: 'Accept();',
        eod: `
          $arguments["mail"]->addHeader("X-Seen", $connection["remoteip"] . " " . $connection["remoteport"] . " " . $connection["localip"] . " " . $connection["localport"]);
          ${queueAll}`,
      },
    });
    for (const [version, family, source, destination] of [
      ['1', 'TCP4', '192.0.2.7', '198.51.100.1'],
      ['1', 'TCP6', '2001:db8::7', '2001:db8::1'],
      ['2', 'AF_INET', '192.0.2.7', '198.51.100.1'],
      ['2', 'AF_INET6', '2001:db8::7', '2001:db8::1'],
    ] as const) {
      const { code, stdout } = await swaks(daemon.port, [
        ...['--proxy-version', version, '--proxy-family', family],
        ...['--proxy-source', source, '--proxy-source-port', '4711'],
        ...['--proxy-dest', destination, '--proxy-dest-port', '25'],
      ]);
      expect({ code, stdout }).toMatchObject({ code: 0 });
    }
    await sink.waitFor(4);
    const seen = sink.deliveries.map(({ data }) => /^X-Seen: (.*)\r$/m.exec(data)?.[1]).sort();
    expect(seen).toEqual([
      '192.0.2.7 4711 198.51.100.1 25',
      '192.0.2.7 4711 198.51.100.1 25',
      '2001:db8::7 4711 2001:db8::1 25',
      '2001:db8::7 4711 2001:db8::1 25',
    ]);
    // Without its header it is not heard.
    expect((await swaks(daemon.port)).code).not.toBe(0);
  },
);

test.skipIf(reason !== undefined)(named('swaks speaks for another client by XCLIENT'), async () => {
  const { daemon, sink } = await startMta({
    start: { listeners: [listener], xclient: ['127.0.0.1'] },
    hooks: {
      connect: `if ($arguments["remoteip"] == "192.0.2.66") Reject("not you");`,
      rcptto: 'Accept();',
      eod: queueAll,
    },
  });
  const say = (...args: readonly string[]) => swaks(daemon.port, args);
  const { code, stdout } = await say(
    ...['--xclient-name', 'spike.example.test', '--xclient-addr', '192.0.2.7'],
    ...['--xclient-delim', '--xclient-helo', 'inner.test', '--xclient-proto', 'ESMTP'],
  );
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stdout.match(/<- +220 mta\.test ESMTP/g)).toHaveLength(3);
  await sink.waitFor(1);
  expect(clientOf(sink.deliveries[0]!)).toBe('swaks.test (unknown [192.0.2.7])');
  const refused = await say('--xclient-addr', '192.0.2.66');
  expect(refused.stdout).toContain('521 5.7.1 not you');
});

test('XCLIENT and PROXY are for nobody unless the configuration names them', async () => {
  const { daemon } = await startMta();
  const client = await Dialogue.open(daemon.port);
  await client.play(`
    S: 220 *
    C: XCLIENT ADDR=192.0.2.7
    S: 550 5.7.0 *
    C: PROXY TCP4 192.0.2.7 192.0.2.1 1 25
    S: 500 5.5.1 *`);
  client.close();
});

test('a program on the same machine sends through a UNIX socket, and scripts see its user', async () => {
  const folder = scratchFolder();
  const file = path.join(folder, 'smtp.sock');
  const { daemon, sink } = await startMta({
    start: { listeners: [listener, { path: file, chmod: '0600' }] },
    hooks: {
      rcptto: 'Accept();',
      eod: `
        $arguments["mail"]->addHeader("X-User", "" . ($connection["remoteuid"] ?? "nobody"));
        ${queueAll}`,
    },
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const script = `
import smtplib, socket, sys
class Local(smtplib.SMTP):
    def _get_socket(self, host, port, timeout):
        s = socket.socket(socket.AF_UNIX)
        s.connect(sys.argv[1])
        return s
s = Local("localhost", local_hostname="local.test")
s.sendmail("a@b.test", ["c@d.test"], "Subject: local\\r\\n\\r\\nx")
s.quit()
`;
  const { code, stderr } = await runProgram('python3', ['-c', script, file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { client } = await TestClient.connect(daemon.port);
  await client.send('a@b.test', ['c@d.test'], 'Subject: network\r\n\r\n');
  await client.quit();
  await sink.waitFor(2);
  const users = sink.deliveries.map(({ data }) => /^X-User: (.*)\r$/m.exec(data)?.[1]).sort();
  expect(users).toEqual([`${process.getuid!()}`, 'nobody']);
  expect(await daemon.stop()).toBe(0);
  expect(existsSync(file)).toBe(false);
});

test('a script counts connections, and refuses on its own terms', async () => {
  const { daemon } = await startMta({
    hooks: {
      connect: `
        if (server_concurrency($arguments["serverid"], "127.0.0.0/8") > 2)
          Defer("you are " . server_concurrency("in", $arguments["remoteip"]), ["reply_codes" => ["enhanced" => [4, 7, 9]]]);`,
    },
  });
  const clients = [];
  for (const expected of ['S: 220 *', 'S: 220 *', 'S: 421 4.7.9 you are 3']) {
    const client = await Dialogue.open(daemon.port);
    clients.push(client);
    await client.play(expected);
  }
  for (const client of clients) client.close();
});

test('a script refuses early talkers, which a delayed greeting shows', async () => {
  const { daemon } = await startMta({
    server: { banner: { delay: 1 } },
    hooks: { connect: `if ($arguments["earlytalker"] ?? false) Reject("wait for the greeting");` },
  });
  const early = await Dialogue.open(daemon.port);
  await early.play('C: EHLO spam.test\nS: 521 5.7.1 wait for the greeting\nS: <close>');
  const begin = performance.now();
  const patient = await Dialogue.open(daemon.port);
  await patient.play('S: 220 *\nC: QUIT\nS: 221 *');
  expect(performance.now() - begin).toBeGreaterThan(900);
});
