// What a message asks of every hop: SMTPUTF8, REQUIRETLS, MT-PRIORITY, DELIVERBY, and DSN parameters. A host that cannot give
// it is passed over for the next; when none can, the message fails, and nothing is taken away from it.

import { describe, expect, type TestContext, test } from 'vitest';
import type { Address } from '#hooks';
import { noTls } from '../../../src/delivery/client/tls.js';
import { judge } from '../../../src/delivery/failure.js';
import { SmtpDeliverer } from '../../../src/delivery/smtp-deliverer.js';
import { type AttemptChanges, makeAttempt } from '../../support/delivery-attempt.js';
import { startPeer } from '../../support/scripted-peer.js';

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const from = (params: Readonly<Record<string, string>>): Address => ({
  localPart: 'a',
  domain: 'a.test',
  params,
});

/** Delivers to hosts that offer these extensions, in this order. */
async function deliver(
  t: TestContext,
  offers: readonly string[],
  changes: AttemptChanges & {
    readonly ageSeconds?: number;
    readonly dsn?: Readonly<Record<string, string>>;
  } = {},
) {
  const peers = [];
  for (const offer of offers) peers.push(await startPeer(t, { EHLO: `250 peer.test${offer}` }));
  const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
  t.onTestFinished(() => deliverer.close());
  const addresses = peers.map(({ port }, index) => ({ ip: '127.0.0.1', port, remoteMx: `mx${index}.test` }));
  const attempt = {
    ...makeAttempt(peers[0]!.port, { ...changes, addresses }),
    ageSeconds: changes.ageSeconds,
    dsn: changes.dsn,
  };
  const report = await deliverer.attempt(attempt, new AbortController().signal);
  const mails = peers.map(({ commands }) => commands.find((line) => line.startsWith('MAIL')));
  return { report, peers, mails, deliverer };
}

describe('SMTPUTF8', () => {
  const international: AttemptChanges = { recipient: { localPart: utf8('jürgen'), domain: 'b.test' } };
  const header: AttemptChanges = {
    sender: from({ SMTPUTF8: '' }),
    message: utf8('Subject: Grüße\r\n\r\nhi\r\n'),
  };

  test.for([
    ['an address', international],
    ['headers of a message that came with it', header],
    [
      'such headers, though the domain could be written otherwise',
      { ...header, recipient: { localPart: 'b', domain: utf8('bücher.test') } },
    ],
  ] as const)('that %s needs: the next host is asked', async ([, changes], t) => {
    const { report, mails, deliverer } = await deliver(t, ['', '\nSMTPUTF8'], changes);
    expect(judge(report)).toBe('delivered');
    expect(mails).toEqual([undefined, expect.stringMatching(/ SMTPUTF8/)]);
    expect(report.connection?.remoteMx).toBe('mx1.test');
    await deliverer.close();
    await expect.poll(() => deliverer.counters.open).toBe(0);
  });

  test.for([international, header])(
    'that no host offers fails with 5.6.7 and no MAIL',
    async (changes, t) => {
      const { report, mails } = await deliver(t, ['', '\n8BITMIME'], changes);
      expect(judge(report)).toBe('failed');
      expect(report.error).toMatchObject({
        temporary: false,
        type: 'smtp',
        message: expect.stringMatching(/^5\.6\.7 .*SMTPUTF8/),
      });
      expect(mails).toEqual([undefined, undefined]);
    },
  );

  test('that one host lacks and the other cannot be asked about is temporary', async (t) => {
    const peer = await startPeer(t, { EHLO: '250 peer.test' });
    const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
    t.onTestFinished(() => deliverer.close());
    const addresses = [
      { ip: '127.0.0.1', port: peer.port },
      { ip: '127.0.0.1', port: 1 },
    ];
    const mixed = await deliverer.attempt(
      makeAttempt(peer.port, { ...international, addresses }),
      new AbortController().signal,
    );
    expect(judge(mixed)).toBe('deferred');
  });

  test('is not looked for on a pooled connection that was not offered it', async (t) => {
    const peer = await startPeer(t, { EHLO: ['250 peer.test', '250 peer.test\nSMTPUTF8'] });
    const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
    t.onTestFinished(() => deliverer.close());
    const transport = { pooling: { enabled: true, transactions: undefined, idleSeconds: 60 } };
    const signal = new AbortController().signal;
    await deliverer.attempt(makeAttempt(peer.port, { transport }), signal);
    const report = await deliverer.attempt(makeAttempt(peer.port, { transport, ...international }), signal);
    expect(judge(report)).toBe('delivered');
    expect(report.connection?.transactions).toBe(1);
    expect(peer.connections).toBe(2);
  });
});

describe('MT-PRIORITY', () => {
  test('goes to a peer that offers it, and the message without it to others', async (t) => {
    const sender = from({ 'MT-PRIORITY': '-3' });
    expect((await deliver(t, ['\nMT-PRIORITY'], { sender })).mails[0]).toContain(' MT-PRIORITY=-3');
    const { report, mails } = await deliver(t, [''], { sender });
    expect(judge(report)).toBe('delivered');
    expect(mails[0]).toBe('MAIL FROM:<a@a.test>');
  });
});

describe('AUTH, the submitter (RFC 4954 5)', () => {
  const sender = from({ AUTH: 'alice+2Bnews@a.test' });
  const logIn = { credentials: { userName: 'us', password: 'p', allowsUnverified: true } };

  test('goes to a peer that offers AUTH when the client had logged in as that mailbox', async (t) => {
    const saslUsername = 'Alice+news@a.test';
    const offered = await deliver(t, ['\nAUTH PLAIN'], { sender, saslUsername });
    expect(offered.mails[0]).toContain(' AUTH=alice+2Bnews@a.test');
    const not = await deliver(t, [''], { sender, saslUsername });
    expect(judge(not.report)).toBe('delivered');
    expect(not.mails[0]).toBe('MAIL FROM:<a@a.test>');
  });

  test.for([
    [{ sender, saslUsername: 'mallory@a.test' }],
    [{ sender }],
    [{ sender: from({ AUTH: '<>' }), saslUsername: 'alice@a.test' }],
  ] as const)(
    'that nobody here can vouch for is "<>" to a peer that we have logged in to: %j',
    async ([changes], t) => {
      const { mails } = await deliver(t, ['\nAUTH PLAIN'], { ...changes, transport: logIn });
      expect(mails[0]).toContain(' AUTH=<>');
      // Others take us for nobody anyhow.
      expect((await deliver(t, ['\nAUTH PLAIN'], changes)).mails[0]).toBe('MAIL FROM:<a@a.test>');
    },
  );

  test('is who Try says, if it says it', async (t) => {
    const { mails } = await deliver(t, ['\nAUTH PLAIN'], {
      sender,
      options: { sender: from({ AUTH: 'bob@a.test' }) },
    });
    expect(mails[0]).toContain(' AUTH=bob@a.test');
  });

  test('is not made up for a message that came without', async (t) => {
    const { mails } = await deliver(t, ['\nAUTH PLAIN'], { saslUsername: 'a@a.test', transport: logIn });
    expect(mails[0]).toBe('MAIL FROM:<a@a.test>');
  });
});

describe('DELIVERBY', () => {
  test.for([
    ['120;N', 30, 'BY=90;N'],
    ['120;NT', 0, 'BY=120;NT'],
    ['60;N', 90.7, 'BY=-30;N'],
    ['600;R', 100, 'BY=500;R'],
  ] as const)('%s after %d s is said as %s', async ([by, ageSeconds, said], t) => {
    const { report, mails } = await deliver(t, ['\nDELIVERBY 60'], { sender: from({ BY: by }), ageSeconds });
    expect(judge(report)).toBe('delivered');
    expect(mails[0]).toContain(` ${said}`);
  });

  test('that only tells of delays is no reason to keep mail from a peer without it', async (t) => {
    const { report, mails } = await deliver(t, [''], { sender: from({ BY: '120;N' }) });
    expect(judge(report)).toBe('delivered');
    expect(mails[0]).not.toContain('BY=');
  });

  test.for([
    ['to a peer that does not offer it', '', 0],
    ['to a peer that keeps no time so short', '\nDELIVERBY 900', 0],
    ['when the time is over', '\nDELIVERBY', 700],
  ] as const)('that gives mail back is not sent %s', async ([, offer, ageSeconds], t) => {
    const { report, mails } = await deliver(t, [offer], { sender: from({ BY: '600;R' }), ageSeconds });
    expect(judge(report)).toBe('failed');
    expect(report.error?.message).toMatch(/^5\.4\.7 /);
    expect(mails).toEqual([undefined]);
  });
});

describe('REQUIRETLS', () => {
  test('is never sent without TLS', async (t) => {
    const { report, mails } = await deliver(t, ['\nREQUIRETLS', '\nREQUIRETLS'], {
      sender: from({ REQUIRETLS: '' }),
      transport: { tls: { ...noTls, mode: 'optional' } },
    });
    expect(judge(report)).not.toBe('delivered');
    expect(mails).toEqual([undefined, undefined]);
  });
});

test('DSN parameters of the message are passed on to a peer that offers DSN', async (t) => {
  const dsn = { envid: 'QQ1', ret: 'HDRS', notify: 'SUCCESS,FAILURE', orcpt: 'rfc822;c@c.test' };
  const { peers, report } = await deliver(t, ['\nDSN'], { dsn });
  expect(peers[0]!.commands.slice(1, 3)).toEqual([
    'MAIL FROM:<a@a.test> RET=HDRS ENVID=QQ1',
    'RCPT TO:<b@b.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@c.test',
  ]);
  expect(report.connection?.takesDsn).toBe(true);
  const without = await deliver(t, [''], { dsn });
  expect(without.peers[0]!.commands.slice(1, 3)).toEqual(['MAIL FROM:<a@a.test>', 'RCPT TO:<b@b.test>']);
  expect(without.report.connection?.takesDsn).toBe(false);
});

test('another sender that Try gives takes nothing of it back', async (t) => {
  const sender = from({ REQUIRETLS: '', 'MT-PRIORITY': '2' });
  const options = { sender: { localPart: 'srs0=x', domain: 'relay.test' } };
  const { report, mails } = await deliver(t, ['\nREQUIRETLS\nMT-PRIORITY'], {
    sender,
    options,
    transport: { tls: { ...noTls, mode: 'optional' } },
  });
  expect(judge(report)).not.toBe('delivered');
  expect(mails).toEqual([undefined]);
  const allowed = await deliver(t, ['\nMT-PRIORITY'], { sender: from({ 'MT-PRIORITY': '2' }), options });
  expect(allowed.mails).toEqual(['MAIL FROM:<srs0=x@relay.test> MT-PRIORITY=2']);
});

test('what was meant for us is not repeated', async (t) => {
  const sender = from({ BODY: '8BITMIME', SIZE: '100', AUTH: 'x', HOLDFOR: '60' });
  const { mails } = await deliver(t, ['\nFUTURERELEASE 1000 2030-01-01T00:00:00Z\nAUTH PLAIN'], { sender });
  expect(mails).toEqual(['MAIL FROM:<a@a.test>']);
});
