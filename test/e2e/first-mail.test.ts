import { expect, onTestFinished, test } from 'vitest';
import { CountingSink, type CountingSinkOptions } from '../support/counting-sink.js';
import { Daemon, type DaemonConfig } from '../support/daemon.js';
import { TestClient } from '../support/smtp-client.js';

// One mail through the real daemon, and what scripts can do to it on the way.

async function mta(config: DaemonConfig = {}, sinkOptions: CountingSinkOptions = {}) {
  const sink = await CountingSink.start(sinkOptions);
  onTestFinished(() => sink.stop());
  const daemon = await Daemon.start({ nextHopPort: sink.port, ...config });
  onTestFinished(() => daemon.dispose());
  return { sink, daemon };
}

async function send(
  daemon: Daemon,
  message = 'Subject: hello\r\n\r\nbody',
  recipients = ['to@example.test'],
  sender = 'from@client.test',
) {
  const { client } = await TestClient.connect(daemon.port);
  const reply = await client.send(sender, recipients, message);
  await client.quit();
  return reply;
}

const queueAll = `
  foreach ($transaction["recipients"] as $r)
    $arguments["mail"]->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
  Accept();`;

test('a mail from loopback passes a daemon without scripts, with one Received field on top', async () => {
  const { daemon, sink } = await mta();
  const reply = await send(daemon);
  expect(reply.lines[0]).toMatch(/^250 2\.0\.0 .*[0-9a-f-]{36}/);
  await sink.waitFor(1);
  const { sender, recipients, data } = sink.deliveries[0]!;
  expect({ sender, recipients }).toEqual({ sender: 'from@client.test', recipients: ['to@example.test'] });
  expect(data).toMatch(
    /^Received: from \S+ \([^)]*\[127\.0\.0\.1\]\)\r\n?[\s\S]*by mta\.test[\s\S]*?Subject: hello\r\n\r\nbody\r\n$/,
  );
  expect(data.match(/^Received:/gm)).toHaveLength(1);
});

test('a rcptto script refuses one recipient and lets another pass', async () => {
  const { daemon, sink } = await mta({
    hooks: { rcptto: `if ($arguments["address"]["localpart"] == "no") Reject("not here");`, eod: queueAll },
  });
  const { client } = await TestClient.connect(daemon.port);
  await client.command('EHLO client.test');
  await client.command('MAIL FROM:<a@b.test>');
  expect((await client.command('RCPT TO:<no@example.test>')).lines).toEqual(['554 5.7.1 not here']);
  expect((await client.command('RCPT TO:<yes@example.test>')).code).toBe(250);
  expect((await client.command('DATA')).code).toBe(354);
  client.socket.write('Subject: x\r\n\r\n.\r\n');
  expect((await client.reply()).code).toBe(250);
  await client.quit();
  await sink.waitFor(1);
  expect(sink.deliveries[0]!.recipients).toEqual(['yes@example.test']);
});

test('an eod script rewrites a header, adds a recipient, and the bytes around stay as they were', async () => {
  const { daemon, sink } = await mta({
    hooks: {
      eod: `
        $mail = $arguments["mail"];
        $mail->setHeader("Subject", "[list] " . $mail->getHeader("Subject"));
        $mail->addHeader("X-Added", "yes");
        $mail->delHeader("X-Gone");
        foreach ($transaction["recipients"] as $r)
          $mail->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
        $mail->queue($transaction["senderaddress"], ["localpart" => "archive", "domain" => "example.test"], "out");
        Accept();`,
    },
  });
  await send(
    daemon,
    'x-ODD :  kept  \r\n\tas it is \r\nSubject: hi\r\nX-Gone: 1\r\nTo: a\r\n\r\n..dots\r\n\x00\xff bytes',
  );
  await sink.waitFor(2);
  expect(sink.deliveries.map(({ recipients }) => recipients[0]).sort()).toEqual([
    'archive@example.test',
    'to@example.test',
  ]);
  for (const { data } of sink.deliveries) {
    expect(data).toContain(
      'x-ODD :  kept  \r\n\tas it is \r\nSubject: [list] hi\r\nTo: a\r\n\r\n..dots\r\n\x00\xff bytes\r\n',
    );
    expect(data).toContain('X-Added: yes\r\n');
    expect(data).not.toContain('X-Gone');
  }
});

test('Accept without queue() discards the mail, and a later Reject undoes queue()', async () => {
  const { daemon, sink } = await mta({
    hooks: {
      eod: `
        $mail = $arguments["mail"];
        $subject = $mail->getHeader("Subject");
        if ($subject == "discard") Accept();
        foreach ($transaction["recipients"] as $r)
          $mail->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
        if ($subject == "undo") Reject("no");
        if ($subject == "break") $mail->nothing();
        Accept();`,
    },
  });
  expect((await send(daemon, 'Subject: discard\r\n\r\n')).code).toBe(250);
  expect((await send(daemon, 'Subject: undo\r\n\r\n')).lines).toEqual(['550 5.7.1 no']);
  expect((await send(daemon, 'Subject: break\r\n\r\n')).code).toBe(421);
  expect((await send(daemon, 'Subject: pass\r\n\r\n')).code).toBe(250);
  await sink.waitFor(1);
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries.map(({ data }) => /Subject: (\w+)/.exec(data)?.[1])).toEqual(['pass']);
});

test('a broken script defers the mail, and the log says where it broke', async () => {
  const { daemon } = await mta({ hooks: { mailfrom: 'echo "before";\n$x = none;\n$x = "a" . $x;\n' } });
  const { client } = await TestClient.connect(daemon.port);
  await client.command('EHLO c.test');
  expect((await client.command('MAIL FROM:<a@b.test>')).code).toBe(450);
  await client.quit();
  const line = await daemon.waitForLine((one) => one.level === 'error');
  expect(JSON.stringify(line)).toMatch(/main\.hsl:3:/);
  expect(daemon.lines.some((one) => one.level === 'debug' && one.msg === 'before')).toBe(true);
});

test('a temporary failure of the next hop is tried again until it passes, and survives a restart in between', async () => {
  let refusals = 0;
  const options: CountingSinkOptions = {
    reply: (verb) => (verb === 'RCPT' && refusals++ < 2 ? '451 4.3.0 later' : undefined),
  };
  const { daemon, sink } = await mta({ retry: { count: 10, intervals: [{ interval: 1 }] } }, options);
  await send(daemon);
  await daemon.waitForLine(
    (line) => /defer|retry|queue/i.test(line.msg) && JSON.stringify(line).includes('451'),
  );
  expect(await daemon.stop()).toBe(0);
  const again = await Daemon.startIn(daemon.folder);
  onTestFinished(() => again.dispose());
  await sink.waitFor(1);
  expect(refusals).toBe(3);
});

test('after a permanent failure its sender has a report, and nothing is left', async () => {
  const { daemon, sink } = await mta(
    {},
    {
      reply: (verb, line) =>
        verb === 'RCPT' && line.includes('<to@') ? '550 5.1.1 no such user' : undefined,
    },
  );
  await send(daemon);
  await sink.waitFor(1);
  expect(sink.deliveries[0]).toMatchObject({ sender: '', recipients: ['from@client.test'] });
  expect(sink.deliveries[0]!.data).toContain('\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n');
  expect(await daemon.stop()).toBe(0);
  const again = await Daemon.startIn(daemon.folder);
  onTestFinished(() => again.dispose());
  const ready = await again.waitForLine((one) => one.msg === 'ready');
  expect(ready['queue']).toMatchObject({ hold: 0, active: 0, defer: 0 });
});

test('pre- and postdelivery scripts steer where mail goes and what becomes of it', async () => {
  const { sink: other } = await mta();
  const { daemon, sink } = await mta({
    hooks: {
      predelivery: `
        if ($arguments["retry"] == 0) $context = "first";
        if ($message["recipientaddress"]["localpart"] == "elsewhere") Try(["host" => "127.0.0.1", "port" => ${other.port}]);
        if ($message["recipientaddress"]["localpart"] == "wait") Queue(["hold" => true, "reason" => "asked to"]);`,
      postdelivery: `echo "post " . $message["recipient"] . " " . ($arguments["action"] ?? "delivered") . " " . $arguments["attempt"]["result"]["code"] . " $context";`,
    },
  });
  await send(daemon, 'Subject: a\r\n\r\n', [
    'here@example.test',
    'elsewhere@example.test',
    'wait@example.test',
  ]);
  await sink.waitFor(1);
  await other.waitFor(1);
  expect(other.deliveries[0]!.recipients).toEqual(['elsewhere@example.test']);
  await daemon.waitForLine((line) => line.msg === 'post here@example.test delivered 250 first');
});

test('SIGHUP applies a new script, and a broken one changes nothing', async () => {
  const { daemon } = await mta({ hooks: { helo: 'Accept(["reason" => "one"]);' } });
  const helo = async () => {
    const { client } = await TestClient.connect(daemon.port);
    const reply = await client.command('EHLO c.test');
    await client.quit();
    return reply.lines[0];
  };
  expect(await helo()).toBe('250-one');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${daemon.folder}/hooks/helo/main.hsl`, 'Accept(["reason" => "two"]);');
  daemon.child.kill('SIGHUP');
  await daemon.waitForLine((line) => line.msg === 'configuration reloaded');
  expect(await helo()).toBe('250-two');
  writeFileSync(`${daemon.folder}/hooks/helo/main.hsl`, 'Accept(["reason" => "three"]');
  daemon.child.kill('SIGHUP');
  const line = await daemon.waitForLine((one) => /not reloaded/.test(one.msg));
  expect(JSON.stringify(line)).toContain('main.hsl:1:');
  expect(await helo()).toBe('250-two');
});

test('SIGHUP says that a change of smtpd.yaml waits for a restart', async () => {
  const { daemon } = await mta();
  const { readFileSync, writeFileSync } = await import('node:fs');
  const file = `${daemon.folder}/smtpd.yaml`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('mta.test', 'other.test'));
  daemon.child.kill('SIGHUP');
  await daemon.waitForLine((line) => line.level === 'warning' && /restart to apply/.test(line.msg));
  await daemon.waitForLine((line) => line.msg === 'configuration reloaded');
});

test('SIGTERM ends with 0 and lets a running transaction finish', async () => {
  const { daemon, sink } = await mta();
  const { client } = await TestClient.connect(daemon.port);
  await client.command('EHLO c.test');
  await client.command('MAIL FROM:<a@b.test>');
  await client.command('RCPT TO:<c@d.test>');
  expect((await client.command('DATA')).code).toBe(354);
  const ended = daemon.stop();
  await daemon.waitForLine((line) => line.msg === 'stopping');
  client.socket.write('Subject: last\r\n\r\n.\r\n');
  expect((await client.reply()).code).toBe(250);
  client.destroy();
  expect(await ended).toBe(0);
  const again = await Daemon.startIn(daemon.folder);
  onTestFinished(() => again.dispose());
  await sink.waitFor(1);
});
