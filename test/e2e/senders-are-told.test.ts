import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import { CountingSink, type CountingSinkOptions, type Delivery } from '../support/counting-sink.js';
import { sendMail, startDaemon, startMta } from '../support/mta.js';
import { readReport } from '../support/report-reader.js';
import { TestClient } from '../support/smtp-client.js';

// What becomes of mail is told to its sender, by the daemon as it ships.

const refusesGone: CountingSinkOptions = {
  reply: (verb, line) =>
    verb === 'RCPT' && line.includes('<gone@') ? '550-5.1.1 no such user\r\n550 5.1.1 go away' : undefined,
};

function statusOf({ data }: Delivery): Record<string, string> {
  return Object.fromEntries(readReport(Buffer.from(data, 'latin1')).status[1]!);
}

test('a message that is refused comes back to its sender', async () => {
  const { daemon, sink } = await startMta({}, refusesGone);
  await sendMail(daemon, 'Message-ID: <m1@client.test>\r\nSubject: hello\r\n\r\nbody', [
    'gone@example.test',
    'there@example.test',
  ]);
  await sink.waitFor(2);
  const report = sink.deliveries.find(({ sender }) => sender === '')!;
  expect(report.recipients).toEqual(['from@client.test']);
  expect(statusOf(report)).toMatchObject({
    action: 'failed',
    status: '5.1.1',
    'final-recipient': 'rfc822; gone@example.test',
    'remote-mta': 'dns; [127.0.0.1]',
    'diagnostic-code': 'smtp; 550 5.1.1 no such user go away',
  });
  const parsed = await simpleParser(Buffer.from(report.data, 'latin1'));
  expect(parsed.from?.value[0]).toEqual({ name: 'Mail Delivery System', address: 'MAILER-DAEMON@mta.test' });
  expect(parsed.inReplyTo).toBe('<m1@client.test>');
  expect(parsed.text).toContain('in reply to the RCPT TO command');
  expect(await daemon.stop()).toBe(0);
});

test('a report that is refused disappears with a line in the log', async () => {
  const { daemon, sink } = await startMta(
    {},
    { reply: (verb) => (verb === 'RCPT' ? '550 5.7.1 not from you' : undefined) },
  );
  await sendMail(daemon);
  const line = await daemon.waitForLine(({ msg }) => msg.startsWith('message deleted'));
  expect(line).toMatchObject({
    level: 'warning',
    msg: 'message deleted: it has no sender to be told',
    recipient: 'from@client.test',
    reason: '550 5.7.1 not from you',
  });
  expect(sink.deliveries).toHaveLength(0);
  expect(await daemon.stop()).toBe(0);
  expect(daemon.lines.filter(({ msg }) => msg.startsWith('notification: '))).toHaveLength(1);
});

test('without dsn.transport a message that is refused is deleted, with a warning', async () => {
  const sink = await CountingSink.start(refusesGone);
  const daemon = await startDaemon({
    app: {
      transportgroups: [
        { id: 'g', transports: [{ id: 'out', connection: { server: '127.0.0.1', port: sink.port } }] },
      ],
    },
  });
  await sendMail(daemon, undefined, ['gone@example.test']);
  const line = await daemon.waitForLine(({ msg }) => msg.startsWith('message deleted'));
  expect(line.msg).toBe('message deleted and its sender not told: the transport has no dsn.transport');
  expect(await daemon.stop()).toBe(0);
  await sink.stop();
});

test('the postmaster gets the mail that is for it, and hears of reports that fail', async () => {
  const { daemon, sink } = await startMta(
    { app: { postmaster: { address: 'root@example.test' } } },
    {
      reply: (verb, line) =>
        verb === 'RCPT' && /<(?:gone|from)@/.test(line) ? '550 5.1.1 no such user' : undefined,
    },
  );
  await sendMail(daemon, 'Subject: for you\r\n\r\nbody', ['postmaster']);
  await sink.waitFor(1);
  await sendMail(daemon, undefined, ['gone@example.test']);
  await sink.waitFor(2);
  expect(sink.deliveries.map(({ sender, recipients }) => [sender, ...recipients])).toEqual([
    ['from@client.test', 'root@example.test'],
    ['', 'root@example.test'],
  ]);
  expect(statusOf(sink.deliveries[1]!)).toMatchObject({
    action: 'failed',
    'final-recipient': 'rfc822; from@client.test',
  });
  expect(await daemon.stop()).toBe(0);
});

const announcesDsn = { helo: 'Accept(["extensions" => [...$arguments["extensions"], "DSN"]]);' };

/** Sends one message in a dialogue, with these parameters. */
async function sendWith(port: number, mail: string, rcpt: string): Promise<void> {
  const { client } = await TestClient.connect(port);
  for (const line of [
    'EHLO client.test',
    `MAIL FROM:<from@client.test>${mail}`,
    `RCPT TO:${rcpt}`,
    'DATA',
    'Subject: with parameters\r\n\r\nthe body\r\n.',
  ])
    expect((await client.command(line)).code, line).toBeLessThan(400);
  await client.quit();
}

test('what the sender wants to hear decides what it hears', async () => {
  const { daemon, sink } = await startMta({ hooks: announcesDsn }, refusesGone);
  await sendWith(daemon.port, '', '<gone@example.test> NOTIFY=NEVER');
  await sendWith(daemon.port, '', '<gone@example.test> NOTIFY=SUCCESS,DELAY');
  await sendWith(daemon.port, '', '<there@example.test> NOTIFY=FAILURE');
  await sink.waitFor(1);
  await sendWith(
    daemon.port,
    ' RET=FULL ENVID=QQ+2B1',
    '<gone@example.test> NOTIFY=FAILURE ORCPT=rfc822;first+40example.test',
  );
  await sink.waitFor(2);
  const failed = sink.deliveries[1]!;
  expect(statusOf(failed)).toMatchObject({
    action: 'failed',
    'original-recipient': 'rfc822; first@example.test',
  });
  const read = readReport(Buffer.from(failed.data, 'latin1'));
  expect(read.status[0]!.get('original-envelope-id')).toBe('QQ+1');
  expect(read.parts[2]!.fields.get('content-type')).toBe('message/rfc822');
  expect(read.parts[2]!.body).toContain('the body');
  await sendWith(daemon.port, ' RET=HDRS', '<there@example.test> NOTIFY=SUCCESS');
  await sink.waitFor(4);
  const relayed = sink.deliveries.slice(2).find(({ sender }) => sender === '')!;
  expect(statusOf(relayed)).toMatchObject({ action: 'relayed', status: '2.0.0' });
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries).toHaveLength(4);
});

test('a next hop with the extension is told what the sender wants to hear, and tells it', async () => {
  const lines: string[] = [];
  const { daemon, sink } = await startMta(
    { hooks: announcesDsn },
    {
      extensions: ['PIPELINING', 'DSN'],
      reply: (_, line) => {
        lines.push(line);
        return undefined;
      },
    },
  );
  await sendWith(
    daemon.port,
    ' RET=HDRS ENVID=QQ+2B1',
    '<there@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2Bx@example.test',
  );
  await sink.waitFor(1);
  expect(lines).toContain('MAIL FROM:<from@client.test> RET=HDRS ENVID=QQ+2B1');
  expect(lines).toContain(
    'RCPT TO:<there@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2Bx@example.test',
  );
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries).toHaveLength(1);
});

test('postdelivery knows the notification beforehand, by its id', async () => {
  const { daemon, sink } = await startMta(
    {
      hooks: {
        postdelivery: `
          echo $message["id"]["transaction"] . " " . json_encode($arguments["dsn"] ?? none) . " " . json_encode($arguments["action"] ?? none);
          if ($message["sender"] != "")
            Bounce(["dsn" => ["metadata" => ["about" => $message["id"]["transaction"]], "jobid" => "bounces"]]);`,
        predelivery: `
          if ($message["sender"] == "")
            echo "report " . $message["id"]["transaction"] . " " . json_encode(GetMetaData()) . " " . $message["jobid"];`,
      },
    },
    refusesGone,
  );
  await sendMail(daemon, undefined, ['gone@example.test']);
  await sink.waitFor(1);
  const said = (text: RegExp) => daemon.waitForLine(({ msg }) => text.test(msg));
  const { msg: ending } = await said(/"BOUNCE"$/);
  const [, transaction, dsn] = /^(\S+) (\{.*\}) "BOUNCE"$/.exec(ending)!;
  const told = JSON.parse(dsn!) as { id: { transaction: string; queue: number } };
  expect(told).toEqual({
    action: 'failed',
    id: { transaction: expect.stringMatching(/^[0-9a-f-]{36}$/), queue: 1 },
    status: [5, 1, 1],
    diagnostictype: 'smtp',
    diagnosticcode: '550 5.1.1 no such user go away',
  });
  const { msg: report } = await said(/^report /);
  expect(report).toBe(`report ${told.id.transaction} {"about":"${transaction}"} bounces`);
  expect(sink.deliveries[0]!.data).toContain(`Message-ID: <${told.id.transaction}.1@mta.test>`);
  expect(await daemon.stop()).toBe(0);
});
