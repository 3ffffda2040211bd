import { afterEach, describe, expect, test } from 'vitest';
import type { HeloOutcome } from '#hooks';
import { SpoolError } from '../../../src/spool/spool.js';
import { type FixtureOptions, SmtpFixture, until } from '../../support/smtp-fixture.js';

let mta: SmtpFixture;

async function start(options?: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture(options).start();
  return mta;
}

afterEach(async () => {
  await mta.stop();
  expect(mta.spool.underWay).toBe(0);
});

const envelope = `
  S: 220 mx.argonite.test ESMTP
  C: EHLO client.test
  S: 250-mx.argonite.test
  S: 250-PIPELINING
  S: 250-SIZE 52428800
  S: 250-8BITMIME
  S: 250-SMTPUTF8
  S: 250-CHUNKING
  S: 250 ENHANCEDSTATUSCODES
  C: MAIL FROM:<a@client.test>
  S: 250 2.1.0 *
  C: RCPT TO:<b@here.test>
  S: 250 2.1.5 *`;

/** The envelope where EHLO tells of limits (RFC 9422). */
const withLimits = (limits: string) =>
  envelope.replace('S: 250 ENH', `S: 250-LIMITS ${limits}\n  S: 250 ENH`);

describe('a transaction', () => {
  test('ends in the spool, with a Received field on top', async () => {
    await start();
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: Subject: hello
      C: 
      C: body
      C: ..dot
      C: .
      S: 250 2.0.0 Ok: queued as id-2
      C: QUIT
      S: 221 2.0.0 *
      S: <close>`);
    const [{ transaction, copies }] = mta.spool.committed as [(typeof mta.spool.committed)[number]];
    expect(copies[0]!.toString()).toBe(
      'Received: from client.test (unknown [127.0.0.1])\r\n\tby mx.argonite.test with ESMTP\r\n' +
        '\tid id-2; Tue, 14 Nov 2023 22:13:20 +0000\r\nSubject: hello\r\n\r\nbody\r\n.dot\r\n',
    );
    expect(transaction).toMatchObject({
      id: 'id-2',
      ts: 1_700_000_000.5,
      serverId: 'test',
      senderIp: '127.0.0.1',
      senderHelo: 'client.test',
      requests: [
        {
          number: 1,
          sender: { localPart: 'a', domain: 'client.test' },
          recipient: { localPart: 'b', domain: 'here.test' },
          transportId: 'default',
          hold: false,
        },
      ],
    });
  });

  test('can follow another, with an id of its own', async () => {
    await start();
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: .
      S: 250 2.0.0 Ok: queued as id-2
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<postmaster>
      S: 250 *
      C: DATA
      S: 354 *
      C: second
      C: .
      S: 250 2.0.0 Ok: queued as id-3`);
    expect(mta.messages).toEqual(['', 'second\r\n']);
    expect(mta.spool.committed[1]!.transaction.requests[0]!.sender).toMatchObject({
      localPart: '',
      domain: '',
    });
  });

  test('may be pipelined whole, and is answered in one go', async () => {
    await start();
    const client = await mta.dial();
    await client.expectLine('220 *');
    client.send(
      'EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<bad>\r\nDATA\r\nhello\r\n.\r\n' +
        'RSET\r\nQUIT\r\n',
    );
    const replies = (await client.rest()).split('\r\n').map((line) => line.slice(0, 4));
    expect(replies).toEqual([
      '250-',
      '250-',
      '250-',
      '250-',
      '250-',
      '250-',
      '250 ',
      '250 ',
      '250 ',
      '501 ',
      '354 ',
      '250 ',
      '250 ',
      '221 ',
      '',
    ]);
  });

  test('reads the same however its bytes are cut', async () => {
    await start();
    const input =
      'EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nx\r\n..y\r\n.\r\nNOOP\nQUIT\r\n';
    const answers = new Set<string>();
    for (let cut = 0; cut < input.length; cut += 3) {
      const client = await mta.dial();
      await client.expectLine('220 *');
      client.send(input.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(input.slice(cut));
      answers.add((await client.rest()).replace(/queued as id-\d+/, 'queued'));
    }
    const slow = await mta.dial();
    await slow.expectLine('220 *');
    for (const byte of input) {
      slow.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    answers.add((await slow.rest()).replace(/queued as id-\d+/, 'queued'));
    expect([...answers]).toHaveLength(1);
    expect(new Set(mta.messages)).toEqual(new Set(['x\r\n.y\r\n']));
  });

  test('of a HELO client is told with SMTP, of one that did not greet with unknown', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: MAIL FROM:<a@b.test>
      C: RCPT TO:<c@d.test>
      C: DATA
      S: 250 *
      S: 250 *
      S: 354 *
      C: .
      S: 250 *
      C: HELO [127.0.0.1]
      S: 250 mx.argonite.test
      C: MAIL FROM:<a@b.test>
      C: RCPT TO:<c@d.test>
      C: DATA
      S: 250 *
      S: 250 *
      S: 354 *
      C: .
      S: 250 *`);
    const traces = mta.spool.committed.map(({ copies }) => copies[0]!.toString());
    expect(traces[0]).toMatch(
      /^Received: from unknown \(unknown \[127\.0\.0\.1\]\)\r\n\tby mx.argonite.test with SMTP\r\n/,
    );
    expect(traces[1]).toMatch(/^Received: from \[127\.0\.0\.1\] \(/);
  });
});

describe('order', () => {
  test('is kept: each command has its place', async () => {
    await start({ heloRequired: true });
    await mta.play(`
      S: 220 *
      C: MAIL FROM:<a@b.test>
      S: 503 5.5.1 *
      C: RCPT TO:<a@b.test>
      S: 503 5.5.1 *
      C: DATA
      S: 503 5.5.1 *
      C: HELO c
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 503 5.5.1 *
      C: DATA
      S: 554 5.5.1 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: RSET
      S: 250 2.0.0 *
      C: DATA
      S: 503 5.5.1 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: HELO again
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 503 5.5.1 *`);
  });

  test('commands without a place of their own are always answered', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: NOOP whatever
      S: 250 2.0.0 *
      C: VRFY somebody
      S: 252 2.0.0 *
      C: VRFY
      S: 501 5.5.4 *
      C: HELP
      S: 214-2.0.0 *
      S: 214 2.0.0 *
      C: RSET now
      S: 501 5.5.4 *
      C: EXPN list
      S: 502 5.5.1 *
      C: STARTTLS
      S: 502 5.5.1 *
      C: GET / HTTP/1.1
      S: 500 5.5.1 *
      C: 
      S: 500 5.5.1 *
      C: noop
      S: 250 *
      C: EHLO
      S: 501 5.5.4 *
      C: EHLO two words
      S: 501 5.5.4 *
      C: QUIT now
      S: 501 5.5.4 *
      C: QUIT
      S: 221 *
      S: <close>`);
  });
});

describe('line ends', () => {
  test('of commands are CR LF; anything else is refused, and what follows is in step', async () => {
    await start();
    // NOOP LF; NO CR OP CR LF; NOOP CR LF
    await mta.play(`
      S: 220 *
      C~ 4e4f4f50 0a
      S: 500 5.5.2 *
      C~ 4e4f 0d 4f50 0d0a
      S: 500 5.5.2 *
      C: NOOP
      S: 250 *`);
  });

  test.each([
    ['LF . LF', '0a 2e 0a'],
    ['LF . CR LF', '0a 2e 0d0a'],
    ['CR . CR', '0d 2e 0d'],
    ['CR LF . LF', '0d0a 2e 0a'],
    ['CR LF . CR', '0d0a 2e 0d'],
    ['CR . CR LF', '0d 2e 0d0a'],
  ])('%s smuggles nothing: the message goes on, and is refused at its end', async (_name, bytes) => {
    await start();
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C~ 61 ${bytes} 62 0d0a
      C: MAIL FROM:<smuggled@evil.test>
      C: RCPT TO:<victim@here.test>
      C: DATA
      C: smuggled
      C: .
      S: 554 5.6.0 *
      C: NOOP
      S: 250 *`);
    expect(mta.spool.committed).toEqual([]);
  });

  test('bare ones elsewhere in a message are part of it', async () => {
    await start();
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C~ 61 0a 62 0d 63 0d0a
      C: .
      S: 250 *`);
    expect(mta.messages).toEqual(['a\nb\rc\r\n']);
  });
});

describe('limits', () => {
  test('a line that is too long is refused, however long, and the session survives', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: NOOP ${'x'.repeat(2041)}
      S: 250 *
      C: NOOP ${'x'.repeat(2042)}
      S: 500 5.5.2 *
      C: NOOP ${'x'.repeat(500_000)}
      S: 500 5.5.2 *
      C: NOOP
      S: 250 *`);
  });

  test('a line that never ends ends the session', async () => {
    await start({ limits: { endlessLineBytes: 100_000 } });
    const client = await mta.dial();
    await client.expectLine('220 *');
    client.send('x'.repeat(300_000));
    await client.expectLine('421 4.7.0 *');
    await client.expectClose();
  });

  test('a message that is too big is refused when announced, and when sent', async () => {
    await start({ limits: { messageBytes: 1000 } });
    await mta.play(`
      S: 220 *
      C: MAIL FROM:<a@b.test> SIZE=1001
      S: 552 5.3.4 *
      C: MAIL FROM:<a@b.test> SIZE=1000
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: ${'x'.repeat(999)}
      C: .
      S: 552 5.3.4 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: ${'x'.repeat(998)}
      C: .
      S: 250 *`);
    expect(mta.spool.committed).toHaveLength(1);
  });

  test('recipients beyond the limit must come again', async () => {
    await start({ limits: { recipients: 1 } });
    await mta.play(`${withLimits('RCPTMAX=1')}
      C: RCPT TO:<c@here.test>
      S: 452 4.5.3 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
  });

  test('messages beyond the limit need a new connection', async () => {
    await start({ limits: { messagesPerConnection: 1 } });
    await mta.play(`${withLimits('MAILMAX=1')}
      C: DATA
      S: 354 *
      C: .
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 421 4.7.0 *
      S: <close>`);
  });

  test('wrong commands are borne a while', async () => {
    await start({ limits: { errorsPerConnection: 3 } });
    await mta.play(`
      S: 220 *
      C: FOO
      S: 500 *
      C: RCPT TO:<a@b.test>
      S: 503 *
      C: FOO
      S: 421 4.7.0 *
      S: <close>`);
  });

  test('commands that bring no mail are borne a while', async () => {
    await start({ limits: { commandsWithoutMail: 2 } });
    await mta.play(`
      S: 220 *
      C: NOOP
      S: 250 *
      C: RSET
      S: 250 *
      C: NOOP
      S: 421 4.7.0 *
      S: <close>`);
  });

  test('a message that has been everywhere is in a loop', async () => {
    await start({ limits: { hops: 3 } });
    const message = (hops: number) =>
      `${'C: received: from x\n'.repeat(hops)}C: \nC: Received: in the body\n`;
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      ${message(2)}
      C: .
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: DATA
      S: 354 *
      ${message(3)}
      C: .
      S: 554 5.4.6 *`);
  });

  test('header sections have a size', async () => {
    await start({ limits: { headerBytes: 2000, headerLines: 50 } });
    const header = (lines: number, line: string) => `${`C: ${line}\n`.repeat(lines)}C: \nC: body\n`;
    for (const [lines, line] of [
      [3, 'x'.repeat(700)],
      [60, 'a:'],
    ] as const)
      await mta.play(`${envelope}
        C: DATA
        S: 354 *
        ${header(lines, line)}
        C: .
        S: 554 5.6.0 *`);
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      ${header(40, 'a:')}
      C: .
      S: 250 *`);
  });

  test('connections beyond the limits are turned away', async () => {
    await start({ limits: { connections: 2, connectionsPerIp: 1 } });
    const first = await mta.dial({ localAddress: '127.0.0.1' });
    await first.expectLine('220 *');
    await (await mta.dial({ localAddress: '127.0.0.1' })).play('S: 421 4.7.0 *\nS: <close>');
    await (await mta.dial({ localAddress: '127.0.0.2' })).expectLine('220 *');
    await (await mta.dial({ localAddress: '127.0.0.3' })).play('S: 421 4.7.0 *\nS: <close>');
    await first.play('C: QUIT\nS: 221 *\nS: <close>');
    first.close();
    await until(() => mta.server.sessionCount === 1);
    await (await mta.dial({ localAddress: '127.0.0.1' })).expectLine('220 *');
  });
});

describe('parameters', () => {
  test('of extensions that are not announced are not known', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250 *
      C: MAIL FROM:<a@b.test> RET=FULL
      S: 555 5.5.4 *
      C: MAIL FROM:<a@b.test> BODY=BINARYMIME
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.test> SIZE=x
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.test> BODY=8bitmime SIZE=100
      S: 250 *
      C: RCPT TO:<a@b.test> NOTIFY=NEVER
      S: 555 5.5.4 *`);
  });

  test('of extensions that a script announces are taken', async () => {
    await start({
      hooks: {
        helo: (_host, extensions): HeloOutcome => ({
          kind: 'Accept',
          extensions: [...extensions!.filter((name) => !name.startsWith('SIZE')), 'DSN', 'X-OWN'],
          reason: ['hello there'],
        }),
      },
    });
    await mta.play(`
      S: 220 *
      C: EHLO c
      S: 250-hello there
      S: 250-PIPELINING
      S: 250-8BITMIME
      S: 250-SMTPUTF8
      S: 250-CHUNKING
      S: 250-ENHANCEDSTATUSCODES
      S: 250-DSN
      S: 250 X-OWN
      C: MAIL FROM:<a@b.test> RET=HDRS ENVID=a+2Bb X-OWN=1
      S: 250 *
      C: RCPT TO:<a@b.test> NOTIFY=SUCCESS,never
      S: 501 5.5.4 *
      C: RCPT TO:<a@b.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
    expect(mta.spool.committed[0]!.transaction.requests[0]!.dsn).toEqual({
      ret: 'HDRS',
      envid: 'a+b',
      notify: 'SUCCESS,DELAY',
      orcpt: 'rfc822;x+y',
    });
  });
});

describe('without scripts', () => {
  test('nobody but the machine itself may relay', async () => {
    await start({ listeners: [{ address: '0.0.0.0', port: 0 }] });
    const own = Object.values((await import('node:os')).networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    if (own === undefined) return;
    const { Dialogue } = await import('../../support/dialogue.js');
    const stranger = await Dialogue.open(mta.port, { host: own, localAddress: own });
    await stranger.play(`
      S: 220 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 554 5.7.1 *`);
    stranger.close();
  });

  test('a recipient without transport is refused', async () => {
    await start({ transportId: undefined });
    await mta.play(`
      S: 220 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 554 5.3.5 *`);
  });
});

describe("the spool's trouble", () => {
  const full = new SpoolError('no space left on device', true);
  const broken = new SpoolError('input/output error', false);

  test('before the message is told at DATA', async () => {
    await start();
    mta.spool.failOnReceive = full;
    await mta.play(`${envelope}
      C: DATA
      S: 452 4.3.1 *
      C: NOOP
      S: 250 *`);
    expect(mta.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('is not logged for each message again that it refuses', async () => {
    await start();
    mta.spool.failOnReceive = new SpoolError('no space left on device', true, { isTold: true });
    await mta.play(`${envelope}
      C: DATA
      S: 452 4.3.1 *`);
    expect(mta.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test.each([
    ['failOnWrite', full, '452 4.3.1 *'],
    ['failOnWrite', broken, '451 4.3.0 *'],
    ['failOnCommit', full, '452 4.3.1 *'],
    ['failOnCommit', broken, '451 4.3.0 *'],
  ] as const)('during it (%s, %s) is told at its end: %s', async (where, error, reply) => {
    await start();
    mta.spool[where] = error;
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: ${'x'.repeat(100)}
      C: .
      S: ${reply}
      C: NOOP
      S: 250 *`);
    expect(mta.log.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  test('being slow makes the client wait, not the memory grow', async () => {
    await start();
    let goOn = () => {};
    mta.spool.slowWrite = new Promise((resolve) => {
      goOn = resolve;
    });
    const client = await mta.play(`${envelope}\nC: DATA\nS: 354 *`);
    client.send(`${'x'.repeat(998)}\r\n`.repeat(3000));
    await until(() => mta.spool.writtenBytes > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(mta.spool.writtenBytes).toBeLessThan(200_000);
    mta.spool.slowWrite = undefined;
    goOn();
    client.send('.\r\n');
    await client.expectLine('250 *');
    expect(mta.messages[0]).toHaveLength(3_000_000);
  });
});

describe('time', () => {
  test('ends an idle session', async () => {
    await start();
    const client = await mta.dial();
    await client.expectLine('220 *');
    mta.pass(299);
    await client.play('C: NOOP\nS: 250 *');
    mta.pass(299);
    client.send('NO'); // slow bytes are no command
    mta.pass(2);
    await client.play('S: 421 4.4.2 *\nS: <close>');
  });

  test('ends a message that stops, and one that never stops', async () => {
    await start();
    const stops = await mta.play(`${envelope}\nC: DATA\nS: 354 *`);
    stops.send('some\r\n');
    await until(() => mta.spool.underWay === 1);
    mta.pass(301);
    await stops.play('S: 421 4.4.2 *\nS: <close>');
    const drips = await mta.play(`${envelope.replace('250 2.1.5', '250 2.1.5')}\nC: DATA\nS: 354 *`);
    for (let seconds = 0; seconds <= 3600; seconds += 200) {
      drips.send('x');
      await new Promise((resolve) => setTimeout(resolve, 1));
      mta.pass(200);
    }
    await drips.play('S: 421 4.4.2 *\nS: <close>');
  });

  test('does not count while a script runs', async () => {
    let answer: (outcome: HeloOutcome) => void = () => {};
    await start({
      hooks: {
        helo: () =>
          new Promise<HeloOutcome>((resolve) => {
            answer = resolve;
          }),
      },
    });
    const client = await mta.play('S: 220 *\nC: HELO c');
    const before = answer;
    await until(() => answer !== before);
    mta.pass(10_000);
    answer({ kind: 'Accept' });
    await client.expectLine('250 *');
  });

  test('cuts off a client that does not hang up', async () => {
    await start();
    const client = await mta.play('S: 220 *');
    client.socket.pause();
    client.send('QUIT\r\n');
    await until(() => mta.server.sessionCount === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    mta.pass(31);
    await until(() => mta.server.sessionCount === 0);
  });
});

describe('a client that goes', () => {
  test.each([
    ['S: 220 *', ''],
    ['S: 220 *\nC: EHLO', 'x'],
    [envelope, ''],
    [`${envelope}\nC: DATA\nS: 354 *`, ''],
    [`${envelope}\nC: DATA\nS: 354 *`, 'half a mess'],
    [`${envelope}\nC: DATA\nS: 354 *`, 'half a message\r\n.\r'],
  ])('leaves nothing behind (%#)', async (transcript, last) => {
    await start();
    const client = await mta.play(transcript);
    client.send(last);
    client.socket.destroy();
    await until(() => mta.server.sessionCount === 0);
    expect(mta.spool.underWay).toBe(0);
    expect(mta.spool.committed).toEqual([]);
  });

  test('after its last command is answered first', async () => {
    await start();
    const client = await mta.dial();
    await client.expectLine('220 *');
    client.socket.end('NOOP\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n');
    expect(await client.rest()).toMatch(/^250 .*\r\n250 .*\r\n221 .*\r\n$/);
  });

  test('with garbage does not disturb anybody', async () => {
    await start();
    const garbage = Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * 7919) % 256));
    const client = await mta.dial();
    client.send(garbage);
    client.send('\r\n'.repeat(30));
    expect(await client.rest()).toMatch(/421 4\.7\.0 Too many errors\r\n$/);
    await mta.play(envelope);
    for (const { fields } of mta.log.lines) expect(JSON.stringify(fields)).toMatch(/^[\x20-\x7e]*$/);
  });
});

describe('a fault of ours', () => {
  test('ends its session with 421, and the others go on', async () => {
    await start({
      hooks: {
        mailfrom: () => {
          throw new TypeError('a bug');
        },
      },
    });
    const other = await mta.play('S: 220 *');
    await mta.play(`
      S: 220 *
      C: MAIL FROM:<a@b.test>
      S: 421 4.3.0 *
      S: <close>`);
    expect(mta.log.lines).toContainEqual(expect.objectContaining({ level: 'error' }));
    await other.play('C: NOOP\nS: 250 *');
  });
});
