// RFC 5321 played as it is written: the scenarios of appendix D, and the rules of single commands.

import { afterEach, describe, expect, test } from 'vitest';
import { smtpDefaults } from '../../../src/smtp/options.js';
import { type FixtureOptions, SmtpFixture } from '../../support/smtp-fixture.js';

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
  S: 220 mx.argonite.test *
  C: EHLO bar.com
  S: 250-mx.argonite.test
  S: 250-*
  S: 250-*
  S: 250-*
  S: 250-*
  S: 250-*
  S: 250 *`;

describe('RFC 5321 appendix D', () => {
  test('D.1: a typical transaction; the unknown recipient is refused, the others get the mail', async () => {
    await start({
      hooks: {
        rcptto: ({ localPart }) =>
          localPart === 'Green'
            ? { kind: 'Reject', code: 550, enhanced: [5, 1, 1], reason: ['No such user here'] }
            : { kind: 'Accept' },
      },
    });
    await mta.play(`${greeted}
      C: MAIL FROM:<Smith@bar.com>
      S: 250 *
      C: RCPT TO:<Jones@foo.com>
      S: 250 *
      C: RCPT TO:<Green@foo.com>
      S: 550 5.1.1 No such user here
      C: RCPT TO:<Brown@foo.com>
      S: 250 *
      C: DATA
      S: 354 *
      C: Blah blah blah...
      C: ...etc. etc. etc.
      C: .
      S: 250 *
      C: QUIT
      S: 221 *
      S: <close>`);
    expect(mta.messages).toEqual([
      'Blah blah blah...\r\n..etc. etc. etc.\r\n',
      'Blah blah blah...\r\n..etc. etc. etc.\r\n',
    ]);
    expect(mta.spool.committed[0]!.transaction.requests.map(({ recipient }) => recipient.localPart)).toEqual([
      'Jones',
      'Brown',
    ]);
  });

  test('D.2: an aborted transaction', async () => {
    await start({
      hooks: {
        rcptto: ({ localPart }) =>
          localPart === 'Green' ? { kind: 'Reject', code: 550 } : { kind: 'Accept' },
      },
    });
    await mta.play(`${greeted}
      C: MAIL FROM:<Smith@bar.com>
      S: 250 *
      C: RCPT TO:<Jones@foo.com>
      S: 250 *
      C: RCPT TO:<Green@foo.com>
      S: 550 *
      C: RSET
      S: 250 *
      C: QUIT
      S: 221 *
      S: <close>`);
    expect(mta.messages).toEqual([]);
  });

  test('D.3: a relayed mail: the second step, with the trace field of the first', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: EHLO foo.com
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250 *
      C: MAIL FROM:<JQP@bar.com>
      S: 250 *
      C: RCPT TO:<Jones@XYZ.COM>
      S: 250 *
      C: DATA
      S: 354 *
      C: Received: from bar.com by foo.com ; Thu, 21 May 1998
      C:     05:33:29 -0700
      C: Date: Thu, 21 May 1998 05:33:22 -0700
      C: From: John Q. Public <JQP@bar.com>
      C: Subject:  The Next Meeting of the Board
      C: To: Jones@xyz.com
      C: 
      C: Bill:
      C: The next meeting of the board of directors will be
      C: on Tuesday.
      C:                         John.
      C: .
      S: 250 *
      C: QUIT
      S: 221 *
      S: <close>`);
    const text = mta.spool.committed[0]!.copies[0]!.toString();
    expect(text.match(/^Received: from (\S+)/gm)).toEqual([
      'Received: from foo.com',
      'Received: from bar.com',
    ]);
  });

  test('D.4: verifying and sending; 252 is what a careful server says', async () => {
    await start();
    await mta.play(`${greeted}
      C: VRFY Crispin
      S: 252 2.0.0 *
      C: MAIL FROM:<EAK@bar.com>
      S: 250 *
      C: RCPT TO:<Admin.MRC@foo.com>
      S: 250 *
      C: DATA
      S: 354 *
      C: Blah blah blah...
      C: .
      S: 250 *
      C: QUIT
      S: 221 *
      S: <close>`);
  });
});

describe('RFC 5321 §4.1.1', () => {
  test('§4.1.1.1: EHLO and HELO want a name, and give the transaction up', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: HELO
      S: 501 5.5.4 *
      C: HELO <x>
      S: 501 5.5.4 *
      C: HELO [127.0.0.1]
      S: 250 mx.argonite.test
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: helo other.test
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 503 *`);
  });

  test('§4.1.1.2: MAIL cannot be nested, and knows its syntax', async () => {
    await start();
    await mta.play(`${greeted}
      C: MAIL
      S: 501 5.5.4 *
      C: MAIL TO:<a@b.test>
      S: 501 5.5.4 *
      C: MAIL FROM:a@b.test
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.test
      S: 501 5.1.7 *
      C: MAIL FROM:<a@b.test>SIZE=1
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.test> SIZE=1 SIZE=1
      S: 501 5.5.4 *
      C: MAIL FROM:<@hosta.int,@jkl.org:userc@d.bar.org>
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 503 5.5.1 *`);
  });

  test('§4.1.1.3: RCPT needs MAIL; postmaster needs no domain (§4.5.1)', async () => {
    await start();
    await mta.play(`${greeted}
      C: RCPT TO:<a@b.test>
      S: 503 5.5.1 *
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<>
      S: 501 5.1.3 *
      C: RCPT TO:<nobody>
      S: 501 5.1.3 *
      C: RCPT TO:<Postmaster>
      S: 250 *`);
  });

  test('§4.5.1: mail for the postmaster goes where the configuration says', async () => {
    await start({ postmaster: { localPart: 'root', domain: 'argonite.test' } });
    await mta.play(`${greeted}
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<postmaster> NOTIFY=NEVER
      S: 555 *
      C: RCPT TO:<Postmaster>
      S: 250 *
      C: RCPT TO:<postmaster@elsewhere.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
    expect(
      mta.spool.committed.flatMap(({ transaction }) =>
        transaction.requests.map(({ recipient: { localPart, domain } }) => `${localPart}@${domain}`),
      ),
    ).toEqual(['root@argonite.test', 'postmaster@elsewhere.test']);
  });

  test('§4.1.1.4: DATA takes no argument, and needs a recipient', async () => {
    await start();
    await mta.play(`${greeted}
      C: DATA
      S: 503 5.5.1 *
      C: MAIL FROM:<>
      S: 250 *
      C: DATA
      S: 554 5.5.1 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: DATA now
      S: 501 5.5.4 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
  });

  test('§4.1.1.5: RSET may come at any time and takes no argument', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: RSET
      S: 250 *
      C: RSET x
      S: 501 5.5.4 *
      C: MAIL FROM:<>
      S: 250 *
      C: RSET
      S: 250 *
      C: MAIL FROM:<>
      S: 250 *`);
  });

  test('§4.1.1.6, §4.1.1.7: VRFY says neither yes nor no, EXPN is not carried out', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: VRFY
      S: 501 5.5.4 *
      C: VRFY  
      S: 501 5.5.4 *
      C: VRFY Smith
      S: 252 2.0.0 *
      C: VRFY <smith@here.test>
      S: 252 2.0.0 *
      C: EXPN Example-People
      S: 502 5.5.1 *`);
  });

  test('§4.1.1.8: HELP names what this server speaks, whatever it is asked about', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: HELP
      S: 214-2.0.0 HELO EHLO MAIL RCPT DATA BDAT *RSET NOOP VRFY HELP*
      S: 214 2.0.0 See RFC 5321
      C: HELP MAIL
      S: 214-2.0.0 *
      S: 214 2.0.0 *`);
  });

  test('§4.1.1.9: NOOP may have an argument, which is ignored', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: NOOP
      S: 250 2.0.0 Ok
      C: NOOP QUIT
      S: 250 2.0.0 Ok
      C: NOOP ünïcode
      S: 250 2.0.0 Ok`);
  });

  test('§4.1.1.10: QUIT says goodbye and closes, and what is pipelined behind it is not read', async () => {
    await start();
    await mta.play(`${greeted}
      C: MAIL FROM:<>
      C: QUIT
      C: NOOP
      S: 250 *
      S: 221 2.0.0 *
      S: <close>`);
  });
});

describe('RFC 5321 §4.2.4: what is not known', () => {
  test('unknown verbs are 500, known ones that are not carried out 502', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: XYZZY
      S: 500 5.5.1 *
      C: MAILFROM:<a@b.test>
      S: 500 5.5.1 *
      C: 
      S: 500 5.5.1 *
      C:  NOOP
      S: 500 5.5.1 *
      C: TURN
      S: 502 5.5.1 *
      C: SEND FROM:<a@b.test>
      S: 502 5.5.1 *
      C: SOML FROM:<a@b.test>
      S: 502 5.5.1 *
      C: SAML FROM:<a@b.test>
      S: 502 5.5.1 *`);
  });

  test('ETRN is 502 (RFC 1985 §5.3), and 458 where a script announced it', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: ETRN example.com
      S: 502 5.5.1 *`);
    await mta.stop();
    await start({ hooks: { helo: () => ({ kind: 'Accept', extensions: ['ETRN'] }) } });
    await mta.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250 ETRN
      C: ETRN
      S: 501 5.5.4 *
      C: ETRN @example.com
      S: 458 4.5.0 *
      C: HELP
      S: 214-2.0.0 *ETRN*
      S: 214 *`);
  });
});

describe('RFC 5321 §4.5.3.1: sizes', () => {
  test('§4.5.3.1.4: lines with NUL are refused, and the next one is in step', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C~ 4e4f4f50 00 0d0a
      S: 500 5.5.2 *
      C~ 00 0d0a
      S: 500 5.5.2 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C~ 5243505420544f3a3c6100406200 3e 0d0a
      S: 500 5.5.2 *`);
  });

  test('§4.5.3.1.2, §4.5.3.1.3: long local parts are taken, domains beyond 255 bytes are not', async () => {
    await start();
    const label = `${'x'.repeat(63)}.`;
    await mta.play(`${greeted}
      C: MAIL FROM:<${'l'.repeat(64)}@${label.repeat(3)}test>
      S: 250 *
      C: RCPT TO:<a@${label.repeat(4)}test>
      S: 501 5.1.3 *
      C: RCPT TO:<a@${'x'.repeat(64)}.test>
      S: 501 5.1.3 *`);
  });

  test('§4.5.3.1.6: text lines beyond 1000 bytes are carried as they are', async () => {
    await start();
    const line = 'x'.repeat(100_000);
    await mta.play(`${greeted}
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: ${line}
      C: .
      S: 250 *`);
    expect(mta.messages).toEqual([`${line}\r\n`]);
  });

  test('§4.5.3.1.8, §4.5.3.1.10: a hundred recipients always fit; beyond the limit it is 452, and the rest get the mail', async () => {
    await start({ limits: { recipients: 100 } });
    const client = await mta.dial();
    await client.expectLine('220 *');
    let text = 'HELO c\r\nMAIL FROM:<>\r\n';
    for (let number = 1; number <= 101; number++) text += `RCPT TO:<r${number}@b.test>\r\n`;
    client.send(`${text}DATA\r\n.\r\nQUIT\r\n`);
    const codes = (await client.rest()).match(/^\d{3} \d\.\d\.\d/gm)!;
    expect(codes.filter((code) => code === '250 2.1.5')).toHaveLength(100);
    expect(codes.filter((code) => code === '452 4.5.3')).toHaveLength(1);
    expect(mta.spool.committed[0]!.transaction.requests).toHaveLength(100);
  });
});

describe('RFC 5321 §4.5.3.2: time', () => {
  const timeouts = {
    ...smtpDefaults.timeouts,
    commandSeconds: 100,
    greetingSeconds: 10,
    transactionSeconds: 50,
    dataSeconds: 20,
    messageSeconds: 60,
    lingerSeconds: 5,
  };

  test('runs by state: before the greeting, after it, in a transaction, in a message', async () => {
    await start({ timeouts });
    const silent = await mta.play('S: 220 *');
    mta.pass(9);
    await silent.play('C: NOOP\nS: 250 *');
    mta.pass(11);
    await silent.play('S: 421 4.4.2 *\nS: <close>');

    const greetedClient = await mta.play('S: 220 *\nC: HELO c\nS: 250 *');
    mta.pass(99);
    await greetedClient.play('C: NOOP\nS: 250 *');
    mta.pass(101);
    await greetedClient.play('S: 421 4.4.2 *\nS: <close>');

    const transaction =
      'S: 220 *\nC: HELO c\nS: 250 *\nC: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<a@b.test>\nS: 250 *';
    const slow = await mta.play(transaction);
    mta.pass(49);
    await slow.play('C: NOOP\nS: 250 *');
    mta.pass(51);
    await slow.play('S: 421 4.4.2 *\nS: <close>');

    const stuck = await mta.play(`${transaction}\nC: DATA\nS: 354 *`);
    mta.pass(21);
    await stuck.play('S: 421 4.4.2 *\nS: <close>');
  });

  test('after RSET is that of an idle session again', async () => {
    await start({ timeouts });
    const client = await mta.play(
      'S: 220 *\nC: HELO c\nS: 250 *\nC: MAIL FROM:<>\nS: 250 *\nC: RSET\nS: 250 *',
    );
    mta.pass(99);
    await client.play('C: NOOP\nS: 250 *');
  });

  test('does not run while a script is waited for', async () => {
    let decide: (outcome: { kind: 'Accept' }) => void = () => {};
    let wasAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      wasAsked = resolve;
    });
    await start({
      timeouts,
      hooks: {
        mailfrom: () =>
          new Promise((resolve) => {
            decide = resolve;
            wasAsked();
          }),
      },
    });
    const client = await mta.play('S: 220 *\nC: HELO c\nS: 250 *');
    client.send('MAIL FROM:<>\r\n');
    await asked;
    // The session has to hear that its script waits.
    await new Promise(setImmediate);
    mta.pass(1000);
    decide({ kind: 'Accept' });
    await client.expectLine('250 *');
    mta.pass(49);
    await client.play('C: NOOP\nS: 250 *');
  });
});

test('RFC 5321 §6.3: a message that has been through too many hands is a loop', async () => {
  await start({ limits: { hops: 3 } });
  const mail = (hops: number) => `
    C: MAIL FROM:<>
    C: RCPT TO:<a@b.test>
    C: DATA
    S: 250 *
    S: 250 *
    S: 354 *
    ${'C: Received: x\n    '.repeat(hops)}
    C: 
    C: .`;
  await mta.play(`S: 220 *
    ${mail(2)}
    S: 250 *
    ${mail(3)}
    S: 554 5.4.6 *`);
});
