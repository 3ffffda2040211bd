// Clients that we did not write use the extensions they know, against the daemon as it ships. BDAT has a small client of its
// own, since none of them speaks it.

import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { chunkBytes } from '../support/chunks.js';
import { CountingSink } from '../support/counting-sink.js';
import { queueAll, startDaemon, startDaemonIn, startMta } from '../support/mta.js';
import { runProgram, skipReason, swaks } from '../support/peers.js';
import { startPostfix } from '../support/postfix.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { TestClient } from '../support/smtp-client.js';

const missing = (...programs: string[]) => skipReason(...programs);
const named = (fact: string, reason: string | undefined) =>
  reason === undefined ? fact : `${fact} (${reason})`;
const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

const noSwaks = missing('swaks');
test.skipIf(noSwaks !== undefined)(
  named('swaks speaks LMTP, and gets a reply for each recipient', noSwaks),
  async () => {
    const { daemon, sink } = await startMta({ server: { protocol: 'lmtp' } });
    const { code, stdout } = await swaks(daemon.port, [
      '--protocol',
      'LMTP',
      '--to',
      'a@example.test,b@example.test',
    ]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/220 mta\.test LMTP/);
    expect(stdout.match(/250 2\.0\.0 Ok: queued as/g)?.length).toBeGreaterThanOrEqual(1);
    await sink.waitFor(2);
    expect(sink.deliveries[0]!.data).toMatch(/\r\n\tby mta\.test with LMTP\r\n/);
  },
);

const noPython = missing('python3');
test.skipIf(noPython !== undefined)(
  named("python's smtplib sends with SMTPUTF8, and the next hop hears of it", noPython),
  async () => {
    const { daemon, sink } = await startMta(
      { hooks: { eod: queueAll } },
      { extensions: ['8BITMIME', 'SMTPUTF8'] },
    );
    const script = `
import smtplib
with smtplib.SMTP('127.0.0.1', ${daemon.port}) as smtp:
    smtp.ehlo('python.test')
    assert smtp.has_extn('smtputf8') and smtp.has_extn('chunking') and smtp.has_extn('8bitmime')
    smtp.sendmail('jörg@bücher.test', ['用户@例子.测试'],
        'Subject: Grüße\\r\\n\\r\\nHallo'.encode('utf-8'), mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
    assert smtp.verify('somebody')[0] == 252
    try:
        smtp.sendmail('jörg@bücher.test', ['a@b.test'], 'x')
        raise SystemExit('taken without SMTPUTF8')
    except smtplib.SMTPSenderRefused as error:
        assert error.smtp_code == 553, error
`;
    const { code, stderr } = await runProgram('python3', ['-c', script]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await sink.waitFor(1);
    const { sender, recipients, data } = sink.deliveries[0]!;
    expect({ sender, recipients }).toEqual({
      sender: utf8('jörg@bücher.test'),
      recipients: [utf8('用户@例子.测试')],
    });
    expect(data).toContain(`\r\nSubject: ${utf8('Grüße')}\r\n`);
    expect(data).toContain(' with UTF8SMTP\r\n');
  },
);

test('nodemailer sends with SMTPUTF8 and DSN where a script announces it', async () => {
  const { daemon, sink } = await startMta(
    {
      hooks: {
        helo: `
          $extensions = $arguments["extensions"];
          $extensions[] = "DSN";
          Accept(["extensions" => $extensions]);`,
        rcptto: `
          if ($transaction["senderparams"]["ENVID"] != "id-1" or $arguments["params"]["NOTIFY"] != "SUCCESS,FAILURE")
            Reject("the parameters are lost");`,
        eod: queueAll,
      },
    },
    { extensions: ['8BITMIME', 'SMTPUTF8'] },
  );
  const transport = createTransport({ host: '127.0.0.1', port: daemon.port, ignoreTLS: true });
  try {
    await transport.sendMail({
      from: 'ärger@client.test',
      to: 'öl@example.test',
      subject: 'nodemailer',
      text: 'text',
      dsn: { id: 'id-1', return: 'headers', notify: ['success', 'failure'], recipient: 'me@client.test' },
    });
  } finally {
    transport.close();
  }
  await sink.waitFor(1);
  expect(sink.deliveries[0]!.recipients).toEqual([utf8('öl@example.test')]);
});

test('a message in chunks arrives as it was sent, dots and all, with its line end', async () => {
  const { daemon, sink } = await startMta();
  const { client } = await TestClient.connect(daemon.port);
  await client.command('EHLO chunks.test');
  await client.command('MAIL FROM:<me@client.test>');
  await client.command('RCPT TO:<you@example.test>');
  client.socket.write(
    chunkBytes('Subject: chunks\r\n\r\n.\r\n..two\r\n') + chunkBytes('') + chunkBytes('no end', 'LAST'),
    'latin1',
  );
  expect((await client.reply()).lines).toEqual(['250 2.0.0 29 octets received']);
  expect((await client.reply()).lines).toEqual(['250 2.0.0 0 octets received']);
  expect((await client.reply()).code).toBe(250);
  await client.quit();
  await sink.waitFor(1);
  expect(sink.deliveries[0]!.data).toMatch(/\r\nSubject: chunks\r\n\r\n\.\r\n\.\.two\r\nno end\r\n$/);
});

test('a message with a false end is refused in chunks too, and a big one goes through', async () => {
  const { daemon, sink } = await startMta({ phases: { data: { maxsize: '3MiB' } } });
  const { client } = await TestClient.connect(daemon.port);
  const envelope = async () => {
    await client.command('MAIL FROM:<me@client.test>');
    await client.command('RCPT TO:<you@example.test>');
  };
  await client.command('EHLO chunks.test');
  await envelope();
  client.socket.write(chunkBytes('Subject: x\r\n\r\nbody\n.\r\nMAIL FROM:<>\r\n', 'LAST'), 'latin1');
  expect((await client.reply()).lines[0]).toMatch(/^554 5\.6\.0/);
  await envelope();
  const megabyte = `${'x'.repeat(998)}\r\n`.repeat(1000);
  const chunks = [`Subject: big\r\n\r\n${megabyte}`, megabyte, megabyte];
  for (const [index, text] of chunks.entries()) {
    client.socket.write(chunkBytes(text, index === 2 ? 'LAST' : ''), 'latin1');
    expect((await client.reply()).code).toBe(250);
  }
  await envelope();
  client.socket.write(chunkBytes(megabyte.repeat(4), 'LAST'), 'latin1');
  expect((await client.reply()).lines[0]).toMatch(/^552 5\.3\.4/);
  expect((await client.command('NOOP')).code).toBe(250);
  await client.quit();
  await sink.waitFor(1);
  expect(sink.deliveries[0]!.data.endsWith(megabyte.repeat(3))).toBe(true);
});

test('several servers each have their own protocol, scripts, limits and extensions', async () => {
  const folder = scratchFolder({
    'smtpd.yaml': `version: "6.8"
servers:
  - { id: mx, listeners: [{ address: 127.0.0.1, port: 0 }] }
  - { id: local, listeners: [{ address: 127.0.0.1, port: 0 }] }
spool: { path: spool }
`,
    'smtpd-app.yaml': `version: "6.8"
servers:
  - id: mx
    phases:
      rcptto: { hook: mx, maxrecipients: 2 }
      mailfrom: { maxmessages: 1 }
      data: { chunking: false, smtputf8: false }
    transport: out
  - id: local
    protocol: lmtp
    phases: { rcptto: { hook: local }, data: { maxsize: 1MiB } }
    transport: out
transportgroups: [{ id: group, transports: [{ id: out, connection: { server: 127.0.0.1, port: 1 } }] }]
`,
    'hooks/rcptto/mx.hsl': 'if ($arguments["address"]["localpart"] == "no") Reject("not at the mx");',
    'hooks/rcptto/local.hsl':
      'if ($connection["helo"]["verb"] != "LHLO") Reject(); Defer("later, says local");',
  });
  const daemon = await startDaemonIn(folder);
  const ready = await daemon.waitForLine(({ msg }) => msg === 'ready');
  const [mx, local] = ready['listeners'] as readonly { port: number }[];

  const { client } = await TestClient.connect(mx!.port);
  expect((await client.command('EHLO c')).lines.slice(1)).toEqual([
    '250-PIPELINING',
    '250-SIZE 52428800',
    '250-8BITMIME',
    '250-LIMITS MAILMAX=1 RCPTMAX=2',
    '250 ENHANCEDSTATUSCODES',
  ]);
  await client.command('MAIL FROM:<>');
  expect((await client.command('RCPT TO:<no@example.test>')).lines).toEqual(['554 5.7.1 not at the mx']);
  for (const code of [250, 250, 452])
    expect((await client.command('RCPT TO:<you@example.test>')).code).toBe(code);
  await client.quit();

  const { client: second } = await TestClient.connect(local!.port);
  expect((await second.command('EHLO c')).code).toBe(500);
  expect((await second.command('LHLO c')).lines.slice(1)).toEqual([
    '250-PIPELINING',
    '250-SIZE 1048576',
    '250-8BITMIME',
    '250-SMTPUTF8',
    '250-CHUNKING',
    '250 ENHANCEDSTATUSCODES',
  ]);
  await second.command('MAIL FROM:<>');
  expect((await second.command('RCPT TO:<no@example.test>')).lines).toEqual(['450 4.7.1 later, says local']);
  await second.quit();
});

const noPostfix = missing('postfix', 'smtp-source', 'swaks');
test.skipIf(noPostfix !== undefined)(
  named('Postfix hands us SMTPUTF8 and DSN as its own client gave them', noPostfix),
  async ({ onTestFinished }) => {
    const sink = await CountingSink.start({ extensions: ['8BITMIME', 'SMTPUTF8', 'DSN'] });
    onTestFinished(() => sink.stop());
    const daemon = await startDaemon({
      nextHopPort: sink.port,
      hooks: {
        helo: `
          $extensions = $arguments["extensions"] ?? [];
          $extensions[] = "DSN";
          Accept(["extensions" => $extensions]);`,
        rcptto: `
          if ($transaction["senderparams"]["RET"] != "HDRS" or $arguments["params"]["NOTIFY"] != "FAILURE")
            Reject("the parameters are lost: " . json_encode([$transaction["senderparams"], $arguments["params"]]));`,
        eod: queueAll,
      },
    });
    const postfix = await startPostfix(daemon.port, { smtputf8_enable: 'yes' });
    onTestFinished(() => postfix.stop());
    const script = `
import smtplib
with smtplib.SMTP('127.0.0.1', ${postfix.port}) as smtp:
    smtp.sendmail('jörg@client.test', ['öl@example.test'], 'Subject: Grüße\\r\\n\\r\\nHallo'.encode('utf-8'),
        mail_options=['SMTPUTF8', 'BODY=8BITMIME', 'RET=HDRS'], rcpt_options=['NOTIFY=FAILURE'])
`;
    const { code, stderr } = await runProgram('python3', ['-c', script]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await sink.waitFor(1);
    expect(sink.deliveries[0]!.recipients).toEqual([utf8('öl@example.test')]);
    expect(postfix.log()).toContain('status=sent (250 2.0.0 ');
  },
);
