import { expect, test } from 'vitest';
import { startExim } from '../support/exim.js';
import { sendMail, startDaemon } from '../support/mta.js';
import { skipReason } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { TestClient } from '../support/smtp-client.js';
import { TestAuthority } from '../support/test-authority.js';

// Exim as the server behind us: a peer that nobody of ours has written, with CHUNKING, DSN and SMTPUTF8.

const reason = skipReason('exim4') ?? (process.getuid?.() === 0 ? undefined : 'Exim needs root');
const needsExim = test.skipIf(reason !== undefined);
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);

needsExim(
  named('Exim takes our mail over TLS, byte for byte, and what it defers waits'),
  async ({ onTestFinished }) => {
    const authority = new TestAuthority(scratchFolder());
    const exim = await startExim(
      authority.certificate('exim', { extensions: ['subjectAltName=DNS:exim.test'] }),
    );
    onTestFinished(() => exim.stop());
    const daemon = await startDaemon({
      nextHopPort: exim.port,
      session: { tls: { mode: 'require' } },
      retry: { count: 5, intervals: [{ interval: 600 }] },
    });
    const body = 'A line.\r\n.one that begins with a dot\r\n\r\nlast';
    const reply = await sendMail(daemon, `Subject: to Exim\r\n\r\n${body}`, [
      'a@exim.test',
      'later@exim.test',
    ]);
    expect(reply.code).toBe(250);
    const taken = await expect
      .poll(() => exim.log().find((line) => line.includes(' <= ')))
      .toMatch(/<= from@client\.test .*P=esmtps X=TLS1\.[23]:/)
      .then(() => exim.messages());
    expect(taken).toHaveLength(1);
    expect(taken[0]!.header).toContain('Subject: to Exim\n');
    expect(taken[0]!.body.replace(/^.*-D\n/, '')).toBe(`${body.replaceAll('\r\n', '\n')}\n`);
    const waiting = await daemon.waitForLine(({ reason: why }) => /^45\d/.test(String(why)));
    expect(JSON.stringify(waiting)).toContain('later@exim.test');
  },
);

needsExim(
  named('mail of a writer whose address is not ASCII reaches Exim as SMTPUTF8 (RFC 6531)'),
  async ({ onTestFinished }) => {
    const exim = await startExim();
    onTestFinished(() => exim.stop());
    const daemon = await startDaemon({ nextHopPort: exim.port });
    const { client } = await TestClient.connect(daemon.port);
    const utf8 = (text: string) => Buffer.from(text).toString('latin1');
    for (const line of [
      'EHLO client.test',
      utf8('MAIL FROM:<josé@client.test> SMTPUTF8'),
      'RCPT TO:<you@exim.test>',
      'DATA',
    ])
      expect((await client.command(line)).code, line).toBeLessThan(400);
    expect((await client.command(utf8('Subject: Grüße\r\n\r\nhello\r\n.'))).code).toBe(250);
    await client.quit();
    await expect
      .poll(() => exim.log().find((line) => line.includes(' <= ')))
      .toMatch(/<= jos\S+@client\.test .*P=utf8esmtp/);
  },
);

needsExim(
  named('Exim takes what senders want to hear, and what they are told, in every alphabet (RFC 3461, 6533)'),
  async ({ onTestFinished }) => {
    const exim = await startExim();
    onTestFinished(() => exim.stop());
    const daemon = await startDaemon({
      nextHopPort: exim.port,
      hooks: { helo: 'Accept(["extensions" => [...$arguments["extensions"], "DSN"]]);' },
    });
    const { client } = await TestClient.connect(daemon.port);
    const utf8 = (text: string) => Buffer.from(text).toString('latin1');
    for (const line of [
      'EHLO client.test',
      utf8('MAIL FROM:<josé@client.test> SMTPUTF8 RET=FULL ENVID=QQ+2B1'),
      utf8('RCPT TO:<you@exim.test> NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;grün@exim.test'),
      utf8('RCPT TO:<refused@exim.test> NOTIFY=FAILURE ORCPT=utf-8;blå@exim.test'),
      'DATA',
    ])
      expect((await client.command(line)).code, line).toBeLessThan(400);
    expect((await client.command(utf8('Subject: Grüße\r\n\r\nhallå\r\n.'))).code).toBe(250);
    await client.quit();
    const arrivals = () => exim.log().filter((line) => line.includes(' <= '));
    await expect.poll(() => arrivals().length).toBe(2);
    expect(arrivals().find((line) => line.includes(' <= <> '))).toMatch(/ P=utf8esmtp/);
    const headers = exim.messages().map(({ header }) => header);
    const passedOn = headers.find((header) => header.includes('you@exim.test'))!;
    expect(passedOn).toContain('utf-8;gr\\x{FC}n@exim.test');
    expect(passedOn).toContain('-dsn_envid QQ+2B1');
    const report = exim
      .messages()
      .find(({ header }) => header.includes('report-type=global-delivery-status'))!;
    expect(report.header).toContain(utf8('To: josé@client.test\n'));
    expect(report.body).toContain('Original-Envelope-Id: QQ+1');
    expect(report.body).toContain(utf8('Original-Recipient: utf-8; blå@exim.test'));
    expect(report.body).toContain('Diagnostic-Code: smtp; 550 nobody of that name');
    expect(report.body).toContain('Content-Type: message/global\n');
  },
);
