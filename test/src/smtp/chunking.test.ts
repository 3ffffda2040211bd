import { afterEach, describe, expect, test } from 'vitest';
import { smtpDefaults } from '../../../src/smtp/options.js';
import { SpoolError } from '../../../src/spool/spool.js';
import { chunk, chunkBytes } from '../../support/chunks.js';
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
const envelope = `${greeted}
  C: MAIL FROM:<a@client.test>
  S: 250 *
  C: RCPT TO:<b@here.test>
  S: 250 *`;
const envelopeBytes = 'EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';

describe('RFC 3030 §2: BDAT', () => {
  test('one chunk with LAST is a message', async () => {
    await start();
    await mta.play(`${envelope}
      ${chunk('Subject: hi\r\n\r\nbody\r\n', 'LAST')}
      S: 250 2.0.0 Ok: queued as id-2
      C: QUIT
      S: 221 *
      S: <close>`);
    expect(mta.messages).toEqual(['Subject: hi\r\n\r\nbody\r\n']);
  });

  test('each chunk is answered with its size, the last with the verdict', async () => {
    await start();
    await mta.play(`${envelope}
      ${chunk('Subject: hi\r\n')}
      S: 250 2.0.0 13 octets received
      ${chunk('\r\nbody')}
      S: 250 2.0.0 6 octets received
      C: NOOP
      S: 250 2.0.0 Ok
      ${chunk('\r\n', 'LAST')}
      S: 250 2.0.0 Ok: queued as id-2
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      ${chunk('second', 'LAST')}
      S: 250 2.0.0 Ok: queued as id-3`);
    expect(mta.messages).toEqual(['Subject: hi\r\n\r\nbody\r\n', 'second']);
  });

  test('BDAT 0 is a chunk too, and BDAT 0 LAST ends the message', async () => {
    await start();
    await mta.play(`${envelope}
      C: BDAT 0
      S: 250 2.0.0 0 octets received
      ${chunk('x\r\n')}
      S: 250 2.0.0 3 octets received
      C: bdat 0 last
      S: 250 2.0.0 Ok: queued as id-2
      C: MAIL FROM:<>
      C: RCPT TO:<b@here.test>
      C: BDAT 0 LAST
      S: 250 *
      S: 250 *
      S: 250 2.0.0 Ok: queued as id-3`);
    expect(mta.messages).toEqual(['x\r\n', '']);
  });

  test('dots and a missing last line end are left as they are', async () => {
    await start();
    const text = '.\r\n..\r\n.x\r\n\r\n.\r\nend';
    await mta.play(`${envelope}
      ${chunk(text, 'LAST')}
      S: 250 *`);
    expect(mta.messages).toEqual([text]);
  });

  test('NUL, 8-bit bytes and bare line ends are carried as in DATA', async () => {
    await start();
    const text = 'a\0b\xff\xfe\r\nbare\nfeed, bare\rreturn\r\n';
    await mta.play(`${envelope}
      ${chunk(text, 'LAST')}
      S: 250 *`);
    expect(mta.messages).toEqual([text]);
  });

  test('pipelined chunks are answered in order, in one packet', async () => {
    await start();
    const client = await mta.dial();
    await client.expectLine('220 *');
    client.send(
      `${envelopeBytes}${chunkBytes('a\r\n')}${chunkBytes('b\r\n')}${chunkBytes('c\r\n', 'LAST')}NOOP\r\nQUIT\r\n`,
    );
    const codes = (await client.rest()).match(/^\d{3} .*$/gm);
    expect(codes).toEqual([
      '250 ENHANCEDSTATUSCODES',
      expect.stringMatching(/^250 2\.1\.0/),
      expect.stringMatching(/^250 2\.1\.5/),
      '250 2.0.0 3 octets received',
      '250 2.0.0 3 octets received',
      '250 2.0.0 Ok: queued as id-2',
      '250 2.0.0 Ok',
      '221 2.0.0 Bye',
    ]);
    expect(mta.messages).toEqual(['a\r\nb\r\nc\r\n']);
  });

  test('a stream cut at every byte gives the same replies and the same message', async () => {
    await start();
    const input = `${envelopeBytes}${chunkBytes('H: x\r\n\r\n.\r\n')}${chunkBytes('')}${chunkBytes('QUIT\r\n', 'LAST')}${envelopeBytes}${chunkBytes('', 'LAST')}QUIT\r\n`;
    const answers = new Set<string>();
    for (let cut = 0; cut <= input.length; cut++) {
      const client = await mta.dial();
      await client.expectLine('220 *');
      client.send(input.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(input.slice(cut));
      answers.add((await client.rest()).replace(/queued as id-\d+/g, 'queued'));
      client.close();
    }
    const slow = await mta.dial();
    await slow.expectLine('220 *');
    for (const byte of input) {
      slow.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    answers.add((await slow.rest()).replace(/queued as id-\d+/g, 'queued'));
    expect([...answers]).toHaveLength(1);
    expect(new Set(mta.messages)).toEqual(new Set(['H: x\r\n\r\n.\r\nQUIT\r\n', '']));
  });

  test('the eod script decides as after DATA', async () => {
    await start({ hooks: { eod: () => ({ kind: 'Reject', reason: ['not this one'] }) } });
    await mta.play(`${envelope}
      ${chunk('x\r\n')}
      S: 250 *
      ${chunk('y\r\n', 'LAST')}
      S: 550 5.7.1 not this one
      C: BDAT 0 LAST
      S: 503 5.5.1 *`);
    expect(mta.messages).toEqual([]);
  });

  test('a transaction after RSET between chunks begins anew', async () => {
    await start();
    await mta.play(`${envelope}
      ${chunk('first\r\n')}
      S: 250 *
      C: RSET
      S: 250 *
      ${chunk('lost\r\n', 'LAST')}
      S: 503 5.5.1 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      ${chunk('second\r\n', 'LAST')}
      S: 250 *`);
    expect(mta.messages).toEqual(['second\r\n']);
  });

  test('EHLO between chunks gives the message up', async () => {
    await start();
    await mta.play(`${envelope}
      ${chunk('first\r\n')}
      S: 250 *
      C: HELO again
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 503 5.5.1 *`);
    expect(mta.spool.underWay).toBe(0);
  });
});

describe('RFC 3030 §2: out of order', () => {
  test('DATA, RCPT and MAIL after BDAT are refused, and the message can go on', async () => {
    await start();
    await mta.play(`${envelope}
      ${chunk('one\r\n')}
      S: 250 *
      C: DATA
      S: 503 5.5.1 *
      C: RCPT TO:<c@here.test>
      S: 503 5.5.1 *
      C: MAIL FROM:<c@here.test>
      S: 503 5.5.1 *
      ${chunk('two\r\n', 'LAST')}
      S: 250 2.0.0 Ok: queued as *`);
    expect(mta.messages).toEqual(['one\r\ntwo\r\n']);
  });

  test('without MAIL, or without a recipient, the bytes are read and then refused', async () => {
    await start();
    await mta.play(`${greeted}
      ${chunk('QUIT\r\nQUIT\r\n')}
      S: 503 5.5.1 Say MAIL first
      ${chunk('RSET\r\n', 'LAST')}
      S: 503 5.5.1 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      ${chunk('MAIL FROM:<x@y.test>\r\n')}
      S: 554 5.5.1 No valid recipients
      C: BDAT 0 LAST
      S: 554 5.5.1 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      ${chunk('x\r\n', 'LAST')}
      S: 250 *`);
    expect(mta.messages).toEqual(['x\r\n']);
  });

  test('where CHUNKING was not announced the bytes are read all the same', async () => {
    await start({ chunking: false });
    await mta.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250-PIPELINING
      S: 250-SIZE *
      S: 250-8BITMIME
      S: 250-SMTPUTF8
      S: 250 ENHANCEDSTATUSCODES
      ${chunk('QUIT\r\n', 'LAST')}
      S: 502 5.5.1 *
      C: NOOP
      S: 250 *`);
    await mta.play(`
      S: 220 *
      C: HELO c
      S: 250 *
      ${chunk('QUIT\r\n', 'LAST')}
      S: 502 5.5.1 *
      C: NOOP
      S: 250 *`);
  });

  test('a script takes CHUNKING back by not announcing it', async () => {
    await start({ hooks: { helo: () => ({ kind: 'Accept', extensions: ['PIPELINING'] }) } });
    await mta.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250 PIPELINING
      ${chunk('QUIT\r\n')}
      S: 502 5.5.1 *`);
  });

  test.each([
    '',
    ' ',
    ' x',
    ' -1',
    ' +1',
    ' 1 FIRST',
    ' LAST',
    ' 1LAST',
    ' 0x10',
    ' 1.5',
    ' 1e3',
    ` ${'9'.repeat(21)}`,
  ])(
    'a size that cannot be read ends the session, since the next command cannot be found: BDAT%s',
    async (argument) => {
      await start();
      await mta.play(`${envelope}
        C: BDAT${argument}
        C: NOOP
        S: 501 5.5.4 *
        S: <close>`);
    },
  );

  test('BINARYMIME is not announced, and not by a script either', async () => {
    await start({
      hooks: {
        helo: (_host, extensions) => ({ kind: 'Accept', extensions: [...extensions!, 'BINARYMIME'] }),
      },
    });
    await mta.play(`${greeted}
      C: MAIL FROM:<a@b.test> BODY=BINARYMIME
      S: 501 5.5.4 *`);
  });
});

describe('BDAT and a proxy script (hooks 4)', () => {
  test('that answers itself: the bytes are read all the same, and are never commands', async () => {
    await start({
      hooks: { proxy: () => ({ kind: 'Reply', code: 250, reason: ['mine'], next: false }) },
      proxyCommands: new Set(['bdat']),
    });
    await mta.play(`${envelope}
      ${chunk('QUIT\r\n')}
      S: 250 2.0.0 mine
      ${chunk('QUIT\r\n', 'LAST')}
      S: 250 2.0.0 mine
      C: NOOP
      S: 250 2.0.0 Ok`);
    expect(mta.messages).toEqual([]);
  });

  test('that refuses one chunk refuses the message', async () => {
    let refuses = true;
    await start({
      hooks: {
        proxy: () =>
          refuses
            ? { kind: 'Reply', code: 450, enhanced: [4, 7, 1], reason: ['later'], next: false }
            : { kind: 'Pass', next: false },
      },
      proxyCommands: new Set(['bdat']),
    });
    const client = await mta.play(`${envelope}
      ${chunk('a\r\n')}
      S: 450 4.7.1 later`);
    refuses = false;
    await client.play(`
      ${chunk('b\r\n')}
      S: 450 4.7.1 later
      ${chunk('c\r\n', 'LAST')}
      S: 450 4.7.1 later
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      ${chunk('whole\r\n', 'LAST')}
      S: 250 *`);
    expect(mta.messages).toEqual(['whole\r\n']);
  });

  test('that answers a chunk too big to be read ends the session', async () => {
    await start({
      hooks: { proxy: () => ({ kind: 'Reply', code: 250, reason: ['mine'], next: false }) },
      proxyCommands: new Set(['bdat']),
      limits: { refusedChunkBytes: 10 },
    });
    await mta.play(`${greeted}
      C: BDAT 11
      S: 250 2.0.0 mine
      S: <close>`);
  });
});

describe('BDAT and sizes', () => {
  test('a message over the limit is refused, chunk by chunk, until LAST', async () => {
    await start({ limits: { messageBytes: 10 } });
    await mta.play(`${envelope}
      ${chunk('12345678')}
      S: 250 *
      ${chunk('123')}
      S: 552 5.3.4 *
      ${chunk('4')}
      S: 552 5.3.4 *
      C: RCPT TO:<c@here.test>
      S: 503 5.5.1 *
      ${chunk('5', 'LAST')}
      S: 552 5.3.4 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      ${chunk('1234567890', 'LAST')}
      S: 250 *`);
    expect(mta.messages).toEqual(['1234567890']);
  });

  test('a refused message lets go of the spool at once', async () => {
    await start({ limits: { messageBytes: 10 } });
    await mta.play(`${envelope}
      ${chunk('12345678')}
      S: 250 *
      ${chunk('12345678')}
      S: 552 *`);
    expect(mta.spool.underWay).toBe(0);
  });

  test('a chunk far too big to be read only to be refused ends the session', async () => {
    await start({ limits: { messageBytes: 10, refusedChunkBytes: 1000 } });
    await mta.play(`${envelope}
      C: BDAT 1000 LAST
      C~ ${'78'.repeat(1000)}
      S: 552 5.3.4 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      C: BDAT 1001 LAST
      S: 552 5.3.4 *
      S: <close>`);
    await mta.play(`${greeted}
      C: BDAT 18446744073709551616
      S: 503 5.5.1 *
      S: <close>`);
  });

  test('without a limit no number is too big to begin with, but one that no computer can count is', async () => {
    await start({ limits: { messageBytes: 0 } });
    await mta.play(`${envelope.replace('SIZE *', 'SIZE')}
      C: BDAT 99999999999999999999 LAST
      S: 552 5.3.4 *
      S: <close>`);
  });

  test('refused chunks count as errors', async () => {
    await start({ limits: { errorsPerConnection: 3 } });
    await mta.play(`${greeted}
      C: BDAT 0
      S: 503 *
      C: BDAT 0
      S: 503 *
      C: BDAT 0
      S: 421 4.7.0 *
      S: <close>`);
  });
});

describe('BDAT and trouble', () => {
  test('a spool that takes nothing is told with every chunk, and LAST ends the transaction', async () => {
    await start();
    mta.spool.failOnReceive = new SpoolError('full', true);
    await mta.play(`${envelope}
      ${chunk('QUIT\r\n')}
      S: 452 4.3.1 *
      ${chunk('x', 'LAST')}
      S: 452 4.3.1 *
      C: MAIL FROM:<a@b.test>
      S: 250 *`);
  });

  test('a spool that fails while a chunk comes is told with it or a later one', async () => {
    await start();
    mta.spool.failOnWrite = new SpoolError('broken', false);
    await mta.play(`${envelope}
      ${chunk('x')}
      S: 250 *
      ${chunk('y')}
      S: 451 4.3.0 *
      ${chunk('z', 'LAST')}
      S: 451 4.3.0 *
      C: DATA
      S: 503 *`);
  });

  test('a slow spool makes the client wait', async () => {
    await start();
    let goOn = () => {};
    mta.spool.slowWrite = new Promise((resolve) => {
      goOn = resolve;
    });
    const client = await mta.play(`${envelope}
      ${chunk('x\r\n')}
      S: 250 *`);
    client.send('NOOP\r\n');
    await new Promise((resolve) => setImmediate(resolve));
    goOn();
    await client.play(`
      S: 250 2.0.0 Ok
      ${chunk('y\r\n', 'LAST')}
      S: 250 2.0.0 Ok: queued *`);
  });

  test.each([
    ['inside a chunk', 'BDAT 10\r\nabc'],
    ['between two', 'BDAT 3\r\nabc'],
    ['inside a refused one', 'RSET\r\nBDAT 10\r\nabc'],
  ])('a client that goes %s leaves nothing behind', async (_where, bytes) => {
    await start();
    const client = await mta.play(envelope);
    client.send(bytes);
    await new Promise((resolve) => setImmediate(resolve));
    client.close();
    await until(() => mta.server.sessionCount === 0);
    expect(mta.spool.underWay).toBe(0);
    expect(mta.messages).toEqual([]);
  });

  test('a chunk that stops coming ends by the time of data, a message by its own', async () => {
    await start({
      timeouts: { ...smtpDefaults.timeouts, transactionSeconds: 100, dataSeconds: 60, messageSeconds: 150 },
    });
    const stuck = await mta.play(`${envelope}
      C: BDAT 10
      C~ 61`);
    await until(() => mta.spool.writtenBytes > 100);
    mta.pass(61);
    await stuck.play('S: 421 4.4.2 *\nS: <close>');
    const endless = await mta.play(`${envelope}
      ${chunk('x')}
      S: 250 *`);
    mta.pass(90);
    await endless.play(`${chunk('x')}\nS: 250 *`);
    mta.pass(61);
    await endless.play('S: 421 4.4.2 *\nS: <close>');
  });
});
