import { afterEach, describe, expect, test } from 'vitest';
import type { HeloOutcome } from '#hooks';
import { delayOfEnvelope, refuseMailParameters, refuseRcptParameters } from '../../../src/smtp/parameters.js';
import { type FixtureOptions, SmtpFixture } from '../../support/smtp-fixture.js';

const now = Date.parse('2026-11-22T00:00:00Z') / 1000;

function mail(params: Record<string, string>, ...announced: string[]): number {
  return (
    refuseMailParameters(params, {
      announced,
      mostBytes: 1000,
      unixSeconds: () => now,
      hasRoomFor: (size) => size < 900,
    })?.code ?? 250
  );
}

function rcpt(params: Record<string, string>, ...announced: string[]): number {
  return refuseRcptParameters(params, { announced })?.code ?? 250;
}

describe('SIZE (RFC 1870)', () => {
  test.each([
    ['0', 250],
    ['899', 250],
    ['900', 452],
    ['1000', 452],
    ['1001', 552],
    ['99999999999999999999', 552],
    ['999999999999999999999', 501],
    ['', 501],
    ['-1', 501],
    ['1k', 501],
  ])('SIZE=%s: %i', (value, code) => {
    expect(mail({ SIZE: value }, 'SIZE 1000')).toBe(code);
  });

  test('is not known where it was not announced', () => {
    expect(mail({ SIZE: '1' })).toBe(555);
    expect(rcpt({ SIZE: '1' }, 'SIZE')).toBe(555);
  });
});

describe('BODY (RFC 6152)', () => {
  test.each([
    ['7BIT', 250],
    ['8bitmime', 250],
    ['BINARYMIME', 501],
    ['', 501],
  ])('BODY=%s: %i', (value, code) => {
    expect(mail({ BODY: value }, '8BITMIME')).toBe(code);
  });

  test('is not known without 8BITMIME', () => {
    expect(mail({ BODY: '7BIT' }, 'SIZE')).toBe(555);
  });
});

describe('DSN (RFC 3461 §4)', () => {
  test.each([
    [{ RET: 'FULL' }, 250],
    [{ RET: 'hdrs' }, 250],
    [{ RET: 'ALL' }, 501],
    [{ RET: '' }, 501],
    [{ ENVID: 'QQ314159' }, 250],
    [{ ENVID: 'a+3Db' }, 250],
    [{ ENVID: 'a+3db' }, 250],
    [{ ENVID: 'a+b' }, 501],
    [{ ENVID: 'a+20b' }, 250],
    [{ ENVID: 'a+0D+0AX-Injected:+20b' }, 501],
    [{ ENVID: '+C3+BC' }, 501],
    [{ ENVID: 'x'.repeat(101) }, 501],
  ])('MAIL %j: %i', (params, code) => {
    expect(mail(params as Record<string, string>, 'DSN')).toBe(code);
    expect(mail(params as Record<string, string>)).toBe(555);
  });

  test.each([
    [{ NOTIFY: 'NEVER' }, 250],
    [{ NOTIFY: 'success,failure,Delay' }, 250],
    [{ NOTIFY: 'NEVER,DELAY' }, 501],
    [{ NOTIFY: 'SUCCESS,' }, 501],
    [{ NOTIFY: '' }, 501],
    [{ ORCPT: 'rfc822;a+40b' }, 250],
    [{ ORCPT: 'utf-8;\\x{FC}@b' }, 250],
    [{ ORCPT: 'rfc822;' }, 501],
    [{ ORCPT: 'rfc822;a+0D+0Ab' }, 501],
    [{ ORCPT: 'rfc822;a+00' }, 501],
    [{ ORCPT: 'rfc822;+22a+20b+22@c' }, 250],
    [{ ORCPT: 'a@b' }, 501],
    [{ ORCPT: `rfc822;${'x'.repeat(500)}` }, 501],
  ])('RCPT %j: %i', (params, code) => {
    expect(rcpt(params as Record<string, string>, 'DSN')).toBe(code);
    expect(rcpt(params as Record<string, string>)).toBe(555);
  });
});

describe('DELIVERBY (RFC 2852 §4)', () => {
  test.each([
    ['120;R', 250],
    ['120;n', 250],
    ['+5;RT', 250],
    ['-5;NT', 250],
    ['0;N', 250],
    ['0;R', 501],
    ['-1;R', 501],
    ['1;X', 501],
    ['1', 501],
    ['1234567890;N', 501],
    ['', 501],
  ])('BY=%s: %i', (value, code) => {
    expect(mail({ BY: value }, 'DELIVERBY')).toBe(code);
  });

  test('is refused when the announced least time is longer, but only where the message would come back', () => {
    expect(mail({ BY: '59;R' }, 'DELIVERBY 60')).toBe(554);
    expect(mail({ BY: '60;R' }, 'DELIVERBY 60')).toBe(250);
    expect(mail({ BY: '59;N' }, 'DELIVERBY 60')).toBe(250);
    expect(mail({ BY: '60;R' })).toBe(555);
  });
});

describe('FUTURERELEASE (RFC 4865 §4)', () => {
  const announced = 'FUTURERELEASE 86400 2026-11-22T12:00:00Z';

  test.each([
    [{ HOLDFOR: '1' }, 250],
    [{ HOLDFOR: '43200' }, 250],
    [{ HOLDFOR: '43201' }, 501],
    [{ HOLDFOR: '86401' }, 501],
    [{ HOLDFOR: '0' }, 501],
    [{ HOLDFOR: '-1' }, 501],
    [{ HOLDFOR: '1234567890' }, 501],
    [{ HOLDUNTIL: '2026-11-22T12:00:00Z' }, 250],
    [{ HOLDUNTIL: '2026-11-22t13:00:00.5+01:00' }, 501],
    [{ HOLDUNTIL: '2026-11-22T13:00:00+01:00' }, 250],
    [{ HOLDUNTIL: '2020-01-01T00:00:00Z' }, 250],
    [{ HOLDUNTIL: '2026-13-01T00:00:00Z' }, 501],
    [{ HOLDUNTIL: '2026-11-22' }, 501],
    [{ HOLDUNTIL: '' }, 501],
    [{ HOLDFOR: '1', HOLDUNTIL: '2026-11-22T12:00:00Z' }, 501],
  ])('%j: %i', (params, code) => {
    expect(mail(params as Record<string, string>, announced)).toBe(code);
    expect(mail(params as Record<string, string>)).toBe(555);
  });

  test('announced without limits takes any time', () => {
    expect(mail({ HOLDFOR: '999999999' }, 'FUTURERELEASE')).toBe(250);
  });

  test('delays mail that no script queues', () => {
    expect(delayOfEnvelope({ HOLDFOR: '60' }, now)).toBe(60);
    expect(delayOfEnvelope({ HOLDUNTIL: '2026-11-22T00:01:00Z' }, now)).toBe(60);
    expect(delayOfEnvelope({ HOLDUNTIL: '2020-01-01T00:00:00Z' }, now)).toBe(0);
    expect(delayOfEnvelope({}, now)).toBe(0);
  });
});

test.each([
  ['9', 250],
  ['-9', 250],
  ['0', 250],
  ['10', 501],
  ['-0', 501],
  ['+1', 501],
  ['', 501],
])('MT-PRIORITY=%s (RFC 6710 §4.1): %i', (value, code) => {
  expect(mail({ 'MT-PRIORITY': value }, 'MT-PRIORITY MIXER')).toBe(code);
  expect(mail({ 'MT-PRIORITY': value })).toBe(555);
});

test.each([
  ['<>', 250],
  ['a+40b.test', 250],
  ['a+b', 501],
  ['', 501],
])('AUTH=%s (RFC 4954 §5): %i', (value, code) => {
  expect(mail({ AUTH: value }, 'AUTH PLAIN LOGIN')).toBe(code);
  expect(mail({ AUTH: value })).toBe(555);
});

test('REQUIRETLS and SMTPUTF8 take no value', () => {
  for (const keyword of ['REQUIRETLS', 'SMTPUTF8']) {
    expect(mail({ [keyword]: '' }, keyword)).toBe(250);
    expect(mail({ [keyword]: 'x' }, keyword)).toBe(501);
    expect(mail({ [keyword]: '' })).toBe(555);
    expect(rcpt({ [keyword]: '' }, keyword)).toBe(555);
  }
});

test('a parameter named like an extension is taken where a script brought that extension, not where we speak it', () => {
  expect(mail({ 'X-OWN': 'anything' }, 'X-OWN a b')).toBe(250);
  expect(rcpt({ 'X-OWN': '' }, 'x-own')).toBe(250);
  expect(mail({ PIPELINING: '' }, 'PIPELINING')).toBe(555);
  expect(rcpt({ CHUNKING: '1' }, 'CHUNKING')).toBe(555);
  expect(mail({ constructor: '1' } as Record<string, string>, 'SIZE')).toBe(555);
});

// --- In a session -----------------------------------------------------------------------------------------------------

let mta: SmtpFixture | undefined;

async function start(options?: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture(options).start();
  return mta;
}

afterEach(async () => {
  await mta?.stop();
  mta = undefined;
});

const announcing =
  (...more: string[]) =>
  (_host: string, extensions: readonly string[] | undefined): HeloOutcome => ({
    kind: 'Accept',
    extensions: [...(extensions ?? []).slice(0, 1), ...more],
  });

describe('what a script announces', () => {
  test('reaches scripts as it was sent, in senderparams and params', async () => {
    const seen: unknown[] = [];
    const fixture = await start({
      hooks: {
        helo: announcing('DSN', 'DELIVERBY', 'FUTURERELEASE', 'MT-PRIORITY'),
        mailfrom: (sender) => {
          seen.push(sender.params);
          return { kind: 'Accept' };
        },
        rcptto: (recipient) => {
          seen.push(recipient.params);
          return { kind: 'Accept' };
        },
      },
    });
    await fixture.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250-PIPELINING
      S: 250-DSN
      S: 250-DELIVERBY
      S: 250-FUTURERELEASE
      S: 250 MT-PRIORITY
      C: mail from:<a@b.test> ret=Hdrs envid=x+2By by=120;R holdfor=60 mt-priority=-3
      S: 250 *
      C: rcpt to:<a@b.test> notify=Success orcpt=rfc822;a+2Bb
      S: 250 *`);
    expect(seen).toEqual([
      { RET: 'Hdrs', ENVID: 'x+2By', BY: '120;R', HOLDFOR: '60', 'MT-PRIORITY': '-3' },
      { NOTIFY: 'Success', ORCPT: 'rfc822;a+2Bb' },
    ]);
  });

  test('holds mail that no eod script queues (RFC 4865)', async () => {
    const fixture = await start({ hooks: { helo: announcing('FUTURERELEASE') } });
    await fixture.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250-PIPELINING
      S: 250 FUTURERELEASE
      C: MAIL FROM:<a@b.test> HOLDFOR=60
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
    expect(fixture.spool.committed[0]!.transaction.requests[0]!.delaySeconds).toBe(60);
  });

  test('is not announced where it cannot be: REQUIRETLS without TLS (RFC 8689 §2)', async () => {
    const fixture = await start({ hooks: { helo: announcing('REQUIRETLS', 'DSN') } });
    await fixture.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250-PIPELINING
      S: 250 DSN
      C: MAIL FROM:<a@b.test> REQUIRETLS
      S: 555 5.5.4 *`);
  });

  test('with TLS it is', async () => {
    const fixture = await start({
      hooks: {
        helo: (host, extensions, state) => {
          state.secured({
            protocol: 'TLSv1.3',
            cipher: 'x',
            keySize: 256,
            sni: undefined,
            peerCertificate: undefined,
          });
          return announcing('REQUIRETLS')(host, extensions);
        },
      },
    });
    await fixture.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250-PIPELINING
      S: 250 REQUIRETLS
      C: MAIL FROM:<a@b.test> REQUIRETLS
      S: 250 *
      C: RCPT TO:<a@b.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
    expect(fixture.spool.committed[0]!.copies[0]!.toString()).toContain(' with ESMTPS\r\n');
  });
});

test('RFC 1870 §6.1: a declared size that the spool has no room for is refused for now, before the transfer', async () => {
  const fixture = await start();
  fixture.spool.roomBytes = 1000;
  await fixture.play(`
    S: 220 *
    C: EHLO c
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250 *
    C: MAIL FROM:<a@b.test> SIZE=1001
    S: 452 4.3.1 *
    C: MAIL FROM:<a@b.test> SIZE=1000
    S: 250 *`);
});

describe('RFC 9422: LIMITS', () => {
  test.each([
    [{}, []],
    [{ recipients: 100 }, ['LIMITS RCPTMAX=100']],
    [{ messagesPerConnection: 5 }, ['LIMITS MAILMAX=5']],
    [{ messagesPerConnection: 5, recipients: 7 }, ['LIMITS MAILMAX=5 RCPTMAX=7']],
  ])('says what the settings say: %j', async (limits, expected) => {
    const fixture = await start({ limits });
    const client = await fixture.dial();
    client.send('EHLO c\r\nQUIT\r\n');
    expect((await client.rest()).match(/LIMITS.*(?=\r)/g) ?? []).toEqual(expected);
  });
});

test('a client that has not said EHLO may use SIZE and BODY, and nothing else, and the log tells', async () => {
  const fixture = await start();
  await fixture.play(`
    S: 220 *
    C: HELO c
    S: 250 *
    C: MAIL FROM:<a@b.test> SMTPUTF8
    S: 555 *
    C: MAIL FROM:<a@b.test> SIZE=99999999999
    S: 552 5.3.4 *
    C: MAIL FROM:<a@b.test> SIZE=1 BODY=8BITMIME
    S: 250 *`);
  const refused = fixture.log.lines
    .filter(({ message }) => message === 'refused')
    .map(({ fields }) => fields);
  expect(refused).toMatchObject([
    { command: 'MAIL', reply: expect.stringMatching(/^555 /) },
    {
      command: 'MAIL',
      argument: 'FROM:<a@b.test> SIZE=99999999999',
      reply: expect.stringMatching(/^552 5\.3\.4 /),
    },
  ]);
});
