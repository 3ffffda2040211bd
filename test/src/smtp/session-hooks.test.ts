import { afterEach, describe, expect, test } from 'vitest';
import type { EodOutcome, MailFromOutcome, SessionEnding } from '#hooks';
import { type FixtureOptions, SmtpFixture, until } from '../../support/smtp-fixture.js';

let mta: SmtpFixture;

async function start(options: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture(options).start();
  return mta;
}

afterEach(async () => {
  await mta.stop();
  expect(mta.spool.underWay).toBe(0);
});

const mail = `
  S: 220 *
  C: MAIL FROM:<a@b.test>
  S: 250 *
  C: RCPT TO:<c@d.test>
  S: 250 *`;

describe('connect', () => {
  test('greets as the script says', async () => {
    await start({ hooks: { connect: () => ({ kind: 'Accept', reason: ['hello', 'there'] }) } });
    await mta.play('S: 220-hello\nS: 220 there\nC: NOOP\nS: 250 *');
  });

  test('refuses with 521 and closes', async () => {
    await start({ hooks: { connect: () => ({ kind: 'Reject', reason: ['no'] }) } });
    await mta.play('S: 521 5.7.1 no\nS: <close>');
  });

  test('defers with 421 and closes, with the codes the script wants', async () => {
    await start({ hooks: { connect: () => ({ kind: 'Defer', code: 450, enhanced: [4, 7, 25] }) } });
    await mta.play('S: 450 4.7.25 Try again later\nS: <close>');
  });

  test('can change who the client is', async () => {
    await start({
      hooks: {
        connect: async () => ({
          kind: 'Accept',
          remoteIp: '2001:db8::7',
          remotePtr: 'ptr.test',
          priority: 1,
        }),
      },
    });
    await mta.play(`${mail}\nC: DATA\nS: 354 *\nC: .\nS: 250 *`);
    const { transaction, copies } = mta.spool.committed[0]!;
    expect(transaction).toMatchObject({ senderIp: '2001:db8::7', requests: [{ priority: 1 }] });
    expect(copies[0]!.toString()).toContain('(ptr.test [IPv6:2001:db8::7])');
  });

  test('cannot forge a line with what it says', async () => {
    await start({ hooks: { connect: () => ({ kind: 'Accept', reason: ['a\r\n250 b\x1b[0m\x00'] }) } });
    await mta.play('S: 220 a??250 b?[0m?\nC: NOOP\nS: 250 *');
  });
});

describe('helo', () => {
  test('is not told of extensions at HELO, and can change the name', async () => {
    const seen: unknown[] = [];
    await start({
      hooks: {
        helo: (host, extensions) => {
          seen.push([host, extensions?.length]);
          return { kind: 'Accept', host: 'renamed.test' };
        },
      },
    });
    await mta.play(`S: 220 *\nC: HELO c_c\nS: 250 mx.argonite.test\n${mail.replace('S: 220 *', '')}
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
    expect(seen).toEqual([['c_c', undefined]]);
    expect(mta.spool.committed[0]!.transaction.senderHelo).toBe('renamed.test');
  });

  test('that is refused leaves the client ungreeted', async () => {
    await start({ heloRequired: true, hooks: { helo: () => ({ kind: 'Reject' }) } });
    await mta.play('S: 220 *\nC: EHLO c\nS: 554 5.7.1 *\nC: MAIL FROM:<a@b.test>\nS: 503 *');
  });
});

describe('mailfrom and rcptto', () => {
  test('refuse with their default replies', async () => {
    const outcomes: MailFromOutcome[] = [{ kind: 'Reject' }, { kind: 'Defer' }, { kind: 'Accept' }];
    await start({ hooks: { mailfrom: () => outcomes.shift()!, rcptto: () => ({ kind: 'Reject' }) } });
    await mta.play(`
      S: 220 *
      C: MAIL FROM:<a@b.test>
      S: 554 5.7.1 Sender refused
      C: MAIL FROM:<a@b.test>
      S: 450 4.7.1 Try again later
      C: MAIL FROM:<a@b.test>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<c@d.test>
      S: 554 5.7.1 Recipient refused
      C: DATA
      S: 554 5.5.1 *`);
    expect(mta.log.lines.filter(({ message }) => message === 'refused')).toHaveLength(3);
  });

  test('give the class of their own code to the default status', async () => {
    await start({ hooks: { mailfrom: () => ({ kind: 'Reject', code: 450, reason: ['one', 'two'] }) } });
    await mta.play('S: 220 *\nC: MAIL FROM:<a@b.test>\nS: 450-4.7.1 one\nS: 450 4.7.1 two');
  });

  test('can close the connection', async () => {
    await start({ hooks: { mailfrom: () => ({ kind: 'Defer', disconnect: true }) } });
    await mta.play('S: 220 *\nC: MAIL FROM:<a@b.test>\nC: NOOP\nS: 450 *\nS: <close>');
  });

  test('can change sender, recipient and transport', async () => {
    await start({
      hooks: {
        mailfrom: async () => ({ kind: 'Accept', sender: { localPart: 'x', domain: 'y.test' } }),
        rcptto: async () => ({
          kind: 'Accept',
          recipient: { localPart: 'z', domain: 'y.test' },
          transportId: 'other',
        }),
      },
    });
    await mta.play(`${mail.replace('b.test>', 'b.test> SIZE=1')}\nC: DATA\nS: 354 *\nC: .\nS: 250 *`);
    expect(mta.spool.committed[0]!.transaction.requests).toMatchObject([
      {
        sender: { localPart: 'x', domain: 'y.test', params: { SIZE: '1' } },
        recipient: { localPart: 'z', domain: 'y.test' },
        transportId: 'other',
      },
    ]);
  });

  test('choose a transport that exists, or the recipient is deferred and the operator told', async () => {
    await start({ hooks: { rcptto: () => ({ kind: 'Accept', transportId: 'nowhere' }) } });
    await mta.play(
      `${mail.replace('S: 250 *\n  C: RCPT', 'S: 250 *\n  C: RCPT').replace(/S: 250 \*$/, 'S: 451 4.3.5 *')}`,
    );
    expect(mta.log.lines).toContainEqual(expect.objectContaining({ level: 'error' }));
  });

  test('run by recipient domain when so configured', async () => {
    const asked: string[] = [];
    await start({
      hooks: {
        rcptto: () => ({ kind: 'Accept' }),
      },
      hookIds: { rcptto: 'any', rcpttoByDomain: new Map([['a.test', 'onlya']]) },
    });
    const { hooks } = mta.server.parts;
    const original = hooks.rcptto.bind(hooks);
    hooks.rcptto = (id, ...rest) => {
      asked.push(id);
      return original(id, ...rest);
    };
    await mta.play(`
      S: 220 *
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<x@A.test>
      S: 250 *
      C: RCPT TO:<y@b.test>
      S: 250 *`);
    expect(asked).toEqual(['onlya', 'any']);
  });

  test('that wait hold up only their own session, and keep the order', async () => {
    let answer: (outcome: MailFromOutcome) => void = () => {};
    await start({
      hooks: {
        mailfrom: () =>
          new Promise<MailFromOutcome>((resolve) => {
            answer = resolve;
          }),
      },
    });
    const first = answer;
    const client = await mta.play('S: 220 *');
    client.send('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nNOOP\r\n');
    await until(() => answer !== first);
    await mta.play('S: 220 *\nC: NOOP\nS: 250 *');
    answer({ kind: 'Accept' });
    await client.play('S: 250 2.1.0 *\nS: 250 2.1.5 *\nS: 250 2.0.0 *');
  });
});

describe('eod', () => {
  const end = `${mail}\nC: DATA\nS: 354 *\nC: Subject: s\nC: \nC: body\nC: .`;

  test('queues only what the script queued', async () => {
    await start({
      hooks: {
        eod: (message) => {
          message.part.edits.add('X-New', Buffer.from('X-New: 1\r\n'));
          const request = (number: number, localPart: string) => ({
            number,
            sender: { localPart: '', domain: '' },
            recipient: { localPart, domain: 'd.test' },
            transportId: 'default',
            pieces: message.document.pieces(),
            metadata: {},
            hold: false,
            priority: 0 as const,
            delaySeconds: 0,
            quotas: [],
            dsn: {},
          });
          return { kind: 'Accept', queued: [request(1, 'one'), request(2, 'two')] };
        },
      },
    });
    await mta.play(`${end}\nS: 250 2.0.0 Ok: queued as id-2`);
    expect(mta.spool.committed[0]!.copies[1]!.toString()).toMatch(
      /^X-New: 1\r\nReceived: [\s\S]*\r\nSubject: s\r\n\r\nbody\r\n$/,
    );
  });

  test('drops what was accepted and not queued', async () => {
    await start({ hooks: { eod: () => ({ kind: 'Accept', queued: [] }) } });
    await mta.play(`${end}\nS: 250 2.0.0 Ok: queued as id-2`);
    expect(mta.spool.committed).toEqual([]);
  });

  test.each([
    [{ kind: 'Reject' }, '550 5.7.1 Message refused'],
    [{ kind: 'Defer' }, '421 4.3.0 Try again later'],
    [{ kind: 'Reject', reason: ['spam'], code: 554, enhanced: [5, 7, 0] }, '554 5.7.0 spam'],
  ] as const)('refuses with %j, and the session goes on', async (outcome, reply) => {
    await start({ hooks: { eod: async () => outcome as unknown as EodOutcome } });
    await mta.play(`${end}\nS: ${reply}\nC: MAIL FROM:<a@b.test>\nS: 250 *`);
    expect(mta.spool.committed).toEqual([]);
  });

  test('sees the message as received, trace field included', async () => {
    let seen: string[] = [];
    await start({
      hooks: {
        eod: (message) => {
          seen = message.part.header.fields.map(({ name }) => name);
          return { kind: 'Reject' };
        },
      },
    });
    await mta.play(`${end}\nS: 550 *`);
    expect(seen).toEqual(['received', 'subject']);
  });

  test('is cancelled when the client goes, and the message forgotten', async () => {
    let isAsked = false;
    let answer: (outcome: EodOutcome) => void = () => {};
    await start({
      hooks: {
        eod: () => {
          isAsked = true;
          return new Promise<EodOutcome>((resolve) => {
            answer = resolve;
          });
        },
      },
    });
    const client = await mta.play(end);
    await until(() => isAsked);
    client.close();
    await until(() => mta.cancelled.length > 0);
    answer({ kind: 'Accept', queued: [] });
    await until(() => mta.spool.underWay === 0);
    expect(mta.spool.committed).toEqual([]);
  });
});

describe('disconnect', () => {
  test('is told who ended the session, and after what', async () => {
    const endings: SessionEnding[] = [];
    await start({ hooks: { disconnect: (ending) => endings.push(ending) } });
    const quits = await mta.play('S: 220 *\nC: QUIT\nS: 221 *\nS: <close>');
    quits.close();
    await until(() => endings.length === 1);
    expect(endings[0]).toMatchObject({ close: 'local', reply: { code: 221, state: 'QUIT' } });
    const goes = await mta.play('S: 220 *\nC: NOOP\nS: 250 *');
    goes.close();
    await until(() => endings.length === 2);
    expect(endings[1]).toMatchObject({ close: 'remote', reply: { code: 250, state: 'NOOP' } });
  });
});

describe('shutting down', () => {
  test('tells idle clients at once, and lets a transaction finish', async () => {
    await start({ hooks: {} });
    const idle = await mta.play('S: 220 *\nC: NOOP\nS: 250 *');
    const busy = await mta.play(mail);
    const stopped = mta.server.stop(30);
    await idle.play('S: 421 4.3.2 *\nS: <close>');
    idle.close();
    await busy.play('C: DATA\nS: 354 *\nC: last\nC: .\nS: 250 *\nS: 421 4.3.2 *\nS: <close>');
    busy.close();
    await stopped;
    expect(mta.messages).toEqual(['last\r\n']);
  });

  test('does not wait longer than its grace', async () => {
    await start({ hooks: {} });
    await mta.play(mail);
    const stopped = mta.server.stop(30);
    mta.pass(31);
    await stopped;
    expect(mta.server.sessionCount).toBe(0);
  });
});
