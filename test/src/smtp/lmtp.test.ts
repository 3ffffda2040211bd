import { afterEach, describe, expect, test } from 'vitest';
import type { EodOutcome } from '#hooks';
import { SpoolError } from '../../../src/spool/spool.js';
import { chunk } from '../../support/chunks.js';
import { hookRunner } from '../../support/compiled-hooks.js';
import { type FixtureOptions, SmtpFixture } from '../../support/smtp-fixture.js';
import { TestLog } from '../../support/test-log.js';

let mta: SmtpFixture;

async function start(options?: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture({ protocol: 'lmtp', ...options }).start();
  return mta;
}

afterEach(async () => {
  await mta.stop();
  expect(mta.spool.underWay).toBe(0);
});

const greeted = `
  S: 220 mx.argonite.test LMTP
  C: LHLO client.test
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
  S: 250 *
  C: RCPT TO:<>
  S: 501 *
  C: RCPT TO:<c@here.test>
  S: 250 *
  C: RCPT TO:<b@here.test>
  S: 250 *`;

test('RFC 2033 §4.1: LHLO greets; HELO and EHLO are not known, and LHLO is not known to SMTP', async () => {
  await start();
  await mta.play(`
    S: 220 *
    C: EHLO client.test
    S: 500 5.5.1 *
    C: HELO client.test
    S: 500 5.5.1 *
    C: LHLO
    S: 501 5.5.4 *
    C: LHLO client.test
    S: 250-mx.argonite.test
    S: 250-PIPELINING
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250 ENHANCEDSTATUSCODES
    C: HELP
    S: 214-2.0.0 LHLO MAIL RCPT DATA BDAT *
    S: 214 *`);
  await mta.stop();
  await start({ protocol: 'smtp' });
  await mta.play(`
    S: 220 *
    C: LHLO client.test
    S: 500 5.5.1 *`);
});

test('RFC 2033 §5: PIPELINING is announced whatever the settings say', async () => {
  await start({ pipelining: false });
  await mta.play(greeted);
});

describe('RFC 2033 §4.2: one reply for each accepted recipient', () => {
  test('follows DATA, also where two are the same', async () => {
    await start();
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: x
      C: .
      S: 250 2.0.0 Ok: queued as *
      S: 250 2.0.0 Ok: queued as *
      S: 250 2.0.0 Ok: queued as *
      C: NOOP
      S: 250 2.0.0 Ok`);
    const { transaction, copies } = mta.spool.committed[0]!;
    expect(transaction.requests).toHaveLength(3);
    expect(copies[0]!.toString()).toContain(' with LMTP\r\n');
  });

  test('follows when the script, the spool or a limit refuses', async () => {
    await start({
      limits: { messageBytes: 10 },
      hooks: { eod: () => ({ kind: 'Reject', reason: ['no', 'really'] }) },
    });
    const client = await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: .
      S: 550-5.7.1 no
      S: 550 5.7.1 really
      S: 550-5.7.1 no
      S: 550 5.7.1 really
      S: 550-5.7.1 no
      S: 550 5.7.1 really
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      C: RCPT TO:<c@here.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: 12345678901
      C: .
      S: 552 5.3.4 *
      S: 552 5.3.4 *`);
    mta.spool.failOnReceive = new SpoolError('full', true);
    await client.play(`
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      C: RCPT TO:<c@here.test>
      S: 250 *
      C: DATA
      S: 452 4.3.1 *
      C: NOOP
      S: 250 2.0.0 Ok`);
  });

  test('closes only after the last one', async () => {
    await start({ hooks: { eod: () => ({ kind: 'Defer', disconnect: true }) } });
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: .
      S: 421 4.3.0 *
      S: 421 4.3.0 *
      S: 421 4.3.0 *
      S: <close>`);
  });

  test('does not begin without one: DATA is refused with 503', async () => {
    await start();
    await mta.play(`${greeted}
      C: DATA
      S: 503 5.5.1 *
      C: MAIL FROM:<>
      S: 250 *
      C: DATA
      S: 503 5.5.1 *`);
  });
});

describe('RFC 2033 §4.2: each recipient has a verdict of its own', () => {
  const verdicts: EodOutcome = {
    kind: 'Accept',
    queued: [],
    recipients: [
      undefined,
      { code: 452, enhanced: [4, 2, 2], reason: ['Mailbox full', 'Come back later'] },
      { code: 550 },
    ],
  };

  test('where a script gives some; the others hear what the message got', async () => {
    await start({ hooks: { eod: () => verdicts } });
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: x
      C: .
      S: 250 2.0.0 Ok: queued as id-*
      S: 452-4.2.2 Mailbox full
      S: 452 4.2.2 Come back later
      S: 550 5.7.1 Message refused
      C: NOOP
      S: 250 2.0.0 Ok`);
    expect(
      mta.log.lines.filter(({ message }) => message === 'refused').map(({ fields }) => fields['argument']),
    ).toEqual(['TO:<>', 'c@here.test', 'b@here.test']);
  });

  test('after BDAT LAST too', async () => {
    await start({ hooks: { eod: () => verdicts } });
    await mta.play(`${envelope}
      ${chunk('y\r\n', 'LAST')}
      S: 250 *
      S: 452-4.2.2 Mailbox full
      S: 452 *
      S: 550 *
      C: NOOP
      S: 250 2.0.0 Ok`);
  });

  test('counts as a message only if one of them got it', async () => {
    await start({
      limits: { messagesPerConnection: 1 },
      hooks: {
        eod: () => ({
          kind: 'Accept',
          queued: [],
          recipients: [{ code: 550 }, { code: 550 }, { code: 450 }],
        }),
      },
    });
    await mta.play(`${envelope.replace('S: 250-CHUNKING', 'S: 250-CHUNKING\n  S: 250-LIMITS MAILMAX=1')}
      C: DATA
      S: 354 *
      C: .
      S: 550 5.7.1 Message refused
      S: 550 5.7.1 Message refused
      S: 450 4.3.0 Try again later
      C: MAIL FROM:<>
      S: 250 *`);
  });

  const script = `
    $mail = $arguments["mail"];
    $answers = [];
    foreach ($transaction["recipients"] as $i => $to) {
      if ($to["address"]["localpart"] == "c")
        $answers[$i] = ["reason" => "No " . $to["recipient"], "reply_codes" => ["code" => 550, "enhanced" => [5, 1, 1]]];
      else
        $mail->queue($transaction["senderaddress"], $to["address"], $to["transportid"]);
    }
    Accept(["recipients" => $answers]);`;

  test('as a script says it (hooks 9)', async () => {
    await start({
      parts: { hooks: await hookRunner({ 'eod/a': script }, new TestLog()) },
      hookIds: { eod: 'a' },
    });
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: x
      C: .
      S: 250 2.0.0 Ok: queued as *
      S: 550 5.1.1 No c@here.test
      S: 250 2.0.0 Ok: queued as *`);
    expect(mta.spool.committed[0]!.transaction.requests.map(({ recipient }) => recipient.localPart)).toEqual([
      'b',
      'b',
    ]);
  });

  test('unless the spool is in trouble: then all of them may come again', async () => {
    await start({
      parts: { hooks: await hookRunner({ 'eod/a': script }, new TestLog()) },
      hookIds: { eod: 'a' },
    });
    mta.spool.failOnCommit = new SpoolError('broken', false);
    await mta.play(`${envelope}
      C: DATA
      S: 354 *
      C: .
      S: 451 4.3.0 *
      S: 451 4.3.0 *
      S: 451 4.3.0 *`);
  });

  test('is a script error over SMTP, where nobody would hear it', async () => {
    const log = new TestLog();
    await start({
      protocol: 'smtp',
      parts: { hooks: await hookRunner({ 'eod/a': script }, log) },
      hookIds: { eod: 'a' },
    });
    await mta.play(`
      S: 220 *
      C: HELO c.test
      S: 250 *
      C: MAIL FROM:<>
      S: 250 *
      C: RCPT TO:<b@here.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 421 4.3.0 *`);
    expect(mta.spool.committed).toEqual([]);
    expect(log.lines.map(({ message, fields }) => message + JSON.stringify(fields)).join('\n')).toContain(
      'recipients" is for LMTP',
    );
  });
});

describe('RFC 2033 §4.3: BDAT', () => {
  test('is answered once, with LAST once for each recipient', async () => {
    await start();
    await mta.play(`${envelope}
      ${chunk('x\r\n')}
      S: 250 2.0.0 3 octets received
      ${chunk('y\r\n', 'LAST')}
      S: 250 2.0.0 Ok: queued as *
      S: 250 2.0.0 Ok: queued as *
      S: 250 2.0.0 Ok: queued as *
      C: NOOP
      S: 250 2.0.0 Ok`);
    expect(mta.messages).toEqual(['x\r\ny\r\n', 'x\r\ny\r\n', 'x\r\ny\r\n']);
  });

  test('with LAST and no recipient has no reply at all', async () => {
    await start();
    await mta.play(`${greeted}
      C: MAIL FROM:<>
      S: 250 *
      ${chunk('x\r\n')}
      S: 503 5.5.1 No valid recipients
      ${chunk('y\r\n', 'LAST')}
      C: NOOP
      S: 250 2.0.0 Ok`);
  });

  test('refused on the way is refused for each recipient at the end', async () => {
    await start({ limits: { messageBytes: 5 } });
    await mta.play(`${envelope}
      ${chunk('123456')}
      S: 552 *
      ${chunk('', 'LAST')}
      S: 552 *
      S: 552 *
      S: 552 *
      C: NOOP
      S: 250 2.0.0 Ok`);
  });
});

test('the helo script sees LHLO, and its extensions', async () => {
  const seen: unknown[] = [];
  await start({
    hooks: {
      helo: (host, extensions, state) => {
        seen.push(host, extensions?.[0], state.helo);
        return { kind: 'Accept' };
      },
      mailfrom: (_sender, state) => {
        seen.push(state.helo);
        return { kind: 'Accept' };
      },
    },
  });
  await mta.play(`${greeted}
    C: MAIL FROM:<>
    S: 250 *`);
  expect(seen).toEqual(['client.test', 'PIPELINING', undefined, { verb: 'LHLO', host: 'client.test' }]);
});

test('MAIL before LHLO is refused where a greeting is required', async () => {
  await start({ heloRequired: true });
  await mta.play(`
    S: 220 *
    C: MAIL FROM:<>
    S: 503 5.5.1 *`);
});
