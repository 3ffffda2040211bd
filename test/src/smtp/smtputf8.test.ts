import { afterEach, describe, expect, test } from 'vitest';
import type { MailFromOutcome, QueueRequest } from '#hooks';
import { type FixtureOptions, SmtpFixture } from '../../support/smtp-fixture.js';

let mta: SmtpFixture;

async function start(options?: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture(options).start();
  return mta;
}

afterEach(() => mta.stop());

const greeted = `
  S: 220 *
  C: EHLO client.test
  S: 250-mx.argonite.test
  S: 250-PIPELINING
  S: 250-SIZE *
  S: 250-8BITMIME
  S: 250-SMTPUTF8
  S: 250-CHUNKING
  S: 250 ENHANCEDSTATUSCODES`;

/** A text as the bytes of its UTF-8, one character each: what the engine works with. */
const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');

describe('RFC 6531 §3.4: MAIL with SMTPUTF8', () => {
  test('lets sender and recipients be UTF-8, local part and domain', async () => {
    await start();
    await mta.play(`${greeted}
      C: MAIL FROM:<jörg@bücher.test> SMTPUTF8
      S: 250 2.1.0 *
      C: RCPT TO:<用户@例子.测试>
      S: 250 2.1.5 *
      C: RCPT TO:<"ü ber"@here.test>
      S: 250 2.1.5 *
      C: RCPT TO:<plain@here.test>
      S: 250 2.1.5 *
      C: DATA
      S: 354 *
      C: Subject: Grüße
      C: .
      S: 250 2.0.0 *`);
    const { requests } = mta.spool.committed[0]!.transaction;
    expect(requests[0]!.sender).toEqual({
      localPart: utf8('jörg'),
      domain: utf8('bücher.test'),
      params: { SMTPUTF8: '' },
    });
    expect(requests.map(({ recipient }) => recipient.localPart)).toEqual([
      utf8('用户'),
      utf8('ü ber'),
      'plain',
    ]);
  });

  test('is told to delivery with every copy, also when a script queues with a sender of its own', async () => {
    await start({
      hooks: {
        eod: (mail) => {
          const request = (number: number): QueueRequest => ({
            number,
            sender: { localPart: 'x', domain: 'here.test' },
            recipient: { localPart: `r${number}`, domain: 'y.test' },
            transportId: 'default',
            pieces: mail.document.pieces(),
            metadata: {},
            hold: false,
            priority: 0,
            delaySeconds: 0,
            quotas: [],
            dsn: {},
          });
          return { kind: 'Accept', queued: [request(1), request(2)] };
        },
      },
    });
    const mail = (parameter: string) => `
      C: MAIL FROM:<a@b.test>${parameter}
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`;
    await mta.play(`${greeted}${mail(' SMTPUTF8')}${mail('')}`);
    const senders = mta.spool.committed.map(({ transaction }) =>
      transaction.requests.map(({ sender }) => sender.params),
    );
    expect(senders).toEqual([
      [{ SMTPUTF8: '' }, { SMTPUTF8: '' }],
      [undefined, undefined],
    ]);
  });

  test('holds although a mailfrom script gives another sender', async () => {
    await start({
      hooks: {
        mailfrom: (): MailFromOutcome => ({
          kind: 'Accept',
          sender: { localPart: 'new', domain: 'here.test', params: {} },
        }),
      },
    });
    await mta.play(`${greeted}
      C: MAIL FROM:<ü@b.test> SMTPUTF8
      S: 250 *
      C: RCPT TO:<ö@here.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
    expect(mta.spool.committed[0]!.transaction.requests[0]!.sender).toEqual({
      localPart: 'new',
      domain: 'here.test',
      params: { SMTPUTF8: '' },
    });
  });

  test('needs 8-bit addresses to be UTF-8, and domains to be names', async () => {
    await start();
    await mta.play(`${greeted}
      C~ ${hex('MAIL FROM:<j\xf6rg@b.test> SMTPUTF8\r\n')}
      S: 501 5.5.2 *
      C~ ${hex('MAIL FROM:<a\xc3@b.test> SMTPUTF8\r\n')}
      S: 501 5.5.2 *
      C~ ${hex('MAIL FROM:<a\xed\xa0\x80@b.test> SMTPUTF8\r\n')}
      S: 501 5.5.2 *
      C~ ${hex('MAIL FROM:<a\xc0\xaf@b.test> SMTPUTF8\r\n')}
      S: 501 5.5.2 *
      C: MAIL FROM:<a@\u200b.test> SMTPUTF8
      S: 501 5.1.7 *
      C: MAIL FROM:<a@bücher..test> SMTPUTF8
      S: 501 5.1.7 *
      C: MAIL FROM:<ü@xn--bcher-kva.test> SMTPUTF8
      S: 250 *
      C~ ${hex('RCPT TO:<\xff@b.test>\r\n')}
      S: 501 5.5.2 *
      C: RCPT TO:<ö@[127.0.0.1]>
      S: 250 *`);
  });

  test('takes no value, and is not for RCPT', async () => {
    await start();
    await mta.play(`${greeted}
      C: MAIL FROM:<a@b.test> SMTPUTF8=yes
      S: 501 5.5.4 *
      C: MAIL FROM:<ü@b.test> SMTPUTF8=yes
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<ü@b.test> SMTPUTF8
      S: 553 5.6.7 *
      C: RCPT TO:<a@b.test> SMTPUTF8
      S: 555 5.5.4 *`);
  });

  test('goes with every other parameter, and lets ORCPT be UTF-8 (RFC 6533 §3)', async () => {
    await start({
      hooks: { helo: (_host, extensions) => ({ kind: 'Accept', extensions: [...extensions!, 'DSN'] }) },
    });
    await mta.play(`${greeted.replace('S: 250 ENH', 'S: 250-ENH')}
      S: 250 DSN
      C: MAIL FROM:<> BODY=8BITMIME SMTPUTF8 SIZE=10
      S: 250 *
      C: RCPT TO:<ü@b.test> NOTIFY=NEVER ORCPT=utf-8;ü@b.test
      S: 250 *
      C: RSET
      S: 250 *
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<a@b.test> ORCPT=utf-8;ü@b.test
      S: 501 5.5.4 *
      C: RCPT TO:<a@b.test> ORCPT=utf-8;\\x{FC}@b.test
      S: 250 *`);
  });
});

describe('RFC 6531 §3.5: without SMTPUTF8', () => {
  test('8-bit addresses are refused with 553 5.6.7', async () => {
    await start();
    await mta.play(`${greeted}
      C: MAIL FROM:<ü@b.test>
      S: 553 5.6.7 *
      C: MAIL FROM:<a@ü.test>
      S: 553 5.6.7 *
      C: MAIL FROM:<a@b.test> BODY=8BITMIME
      S: 250 *
      C: RCPT TO:<ü@b.test>
      S: 553 5.6.7 *
      C: RCPT TO:<a@bücher.test>
      S: 553 5.6.7 *`);
  });

  test('8-bit headers are carried as they are: such mail is older than SMTPUTF8', async () => {
    await start();
    await mta.play(`${greeted}
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<b@b.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: Subject: ü
      C: .
      S: 250 *`);
    expect(mta.messages).toEqual([utf8('Subject: ü\r\n')]);
    expect(mta.spool.committed[0]!.transaction.requests[0]!.sender.params).toEqual({});
  });

  test.each([
    ['smtputf8: false', { smtpUtf8: false }],
    ['8bitmime: false (RFC 6531 §3.1: never without)', { eightBitMime: false }],
  ])('announced no more, the parameter is not known: %s', async (_setting, options) => {
    await start(options);
    const client = await mta.dial();
    await client.expectLine('220 *');
    client.send('EHLO c\r\n');
    const lines: string[] = [];
    do lines.push((await client.line())!);
    while (!lines.at(-1)!.startsWith('250 '));
    expect(lines.filter((line) => line.includes('UTF8'))).toEqual([]);
    await client.play(`
      C: MAIL FROM:<ü@b.test> SMTPUTF8
      S: 555 5.5.4 *
      C: MAIL FROM:<a@b.test> SMTPUTF8
      S: 555 5.5.4 *`);
  });

  test('HELO clients have no parameter for it', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: HELO c
      S: 250 *
      C: MAIL FROM:<ü@b.test> SMTPUTF8
      S: 555 5.5.4 *`);
  });
});

test('RFC 6531 §3.7.4.2: VRFY takes UTF-8 with SMTPUTF8 only, and answers in ASCII', async () => {
  await start();
  await mta.play(`
    S: 220 *
    C: VRFY jörg
    S: 553 5.6.7 *
    C: VRFY jörg SMTPUTF8
    S: 252 *
    C: VRFY joe smtputf8
    S: 252 *
    C~ ${hex('VRFY \xff SMTPUTF8\r\n')}
    S: 501 5.5.2 *`);
});

test.each([
  ['EHLO c', ' SMTPUTF8', 'UTF8SMTP'],
  ['EHLO c', '', 'ESMTP'],
  ['HELO c', '', 'SMTP'],
])('RFC 6531 §4.3: after %s and MAIL%s the trace field says %s', async (greeting, parameter, keyword) => {
  await start();
  const client = await mta.dial();
  client.send(
    `${greeting}\r\nMAIL FROM:<a@b.test>${parameter}\r\nRCPT TO:<a@b.test>\r\nDATA\r\n.\r\nQUIT\r\n`,
  );
  await client.rest();
  expect(mta.spool.committed[0]!.copies[0]!.toString()).toContain(` with ${keyword}\r\n`);
});
