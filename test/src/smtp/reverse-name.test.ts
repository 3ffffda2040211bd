import { afterEach, describe, expect, test } from 'vitest';
import { HslArray } from '#lang';
import { createResolver, type Resolver } from '#stdlib';
import { lookUpName } from '../../../src/smtp/reverse-name.js';
import { SmtpFixture, until } from '../../support/smtp-fixture.js';

const hosts = {
  '1.0.0.127.in-addr.arpa': { ptr: ['liar.test', 'Client.Test'] },
  '2.0.0.127.in-addr.arpa': { ptr: ['liar.test'] },
  'client.test': { a: ['127.0.0.9', '127.0.0.1'] },
  'liar.test': { a: ['192.0.2.1'] },
  '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': { ptr: ['six.test'] },
  'six.test': { aaaa: ['2001:db8:0:0::1'] },
} as const;
const resolver = createResolver({ hosts, hostsFile: undefined, servers: ['127.0.0.1:9'] });

const plain = (value: unknown): unknown =>
  value instanceof HslArray ? Object.fromEntries(value.toList().map((each, at) => [at, plain(each)])) : value;

describe('a look-up', () => {
  test('confirms the name that leads back to the address', async () => {
    const { confirmed, forward } = await lookUpName(resolver, '127.0.0.1');
    expect(confirmed).toBe('client.test');
    expect(plain((forward as HslArray).get('result'))).toEqual({ 0: '127.0.0.9', 1: '127.0.0.1' });
  });

  test('compares IPv6 addresses by value', async () => {
    expect((await lookUpName(resolver, '2001:db8::1')).confirmed).toBe('six.test');
  });

  test('confirms nothing for a name that leads elsewhere, and shows both answers', async () => {
    const { confirmed, reverse, forward } = await lookUpName(resolver, '127.0.0.2');
    expect(confirmed).toBeUndefined();
    expect(plain((reverse as HslArray).get('result'))).toEqual({ 0: 'liar.test' });
    expect(plain((forward as HslArray).get('result'))).toEqual({ 0: '192.0.2.1' });
  });

  test('that fails shows the error, and no forward answer', async () => {
    const failing: Resolver = {
      query: () => ({ kind: 'failure', error: 'TRY_AGAIN', isSecure: false }),
      close: () => {},
    };
    const { confirmed, reverse, forward } = await lookUpName(failing, '127.0.0.3');
    expect([confirmed, (reverse as HslArray).get('error'), forward]).toEqual([undefined, 'TRY_AGAIN', null]);
  });
});

describe('a session', () => {
  let mta: SmtpFixture;
  afterEach(() => mta.stop());

  test('asks before it greets; connect scripts and the trace field see the name (hooks 3)', async () => {
    let seen: unknown;
    mta = await new SmtpFixture({
      reverseNames: true,
      resolver,
      hooks: {
        connect: (state) => {
          seen = state.remotePtr;
          return { kind: 'Accept' };
        },
      },
    }).start();
    await mta.play(`
      S: 220 *
      C: HELO c
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<c@d.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: .
      S: 250 *`);
    expect(seen).toBe('client.test');
    expect(mta.spool.committed[0]!.copies[0]!.toString()).toContain('(client.test [127.0.0.1])');
  });

  test('asks nobody unless it is told to', async () => {
    mta = await new SmtpFixture({ resolver: { query: () => expect.fail(), close: () => {} } }).start();
    await mta.play('S: 220 *');
  });

  test('whose client goes gives the question up', async () => {
    let isAsked = false;
    let isGivenUp = false;
    mta = await new SmtpFixture({
      reverseNames: true,
      resolver: {
        query: (_question, signal) =>
          new Promise((resolve) => {
            isAsked = true;
            signal?.addEventListener('abort', () => {
              isGivenUp = true;
              resolve({ kind: 'failure', error: 'TRY_AGAIN', isSecure: false });
            });
          }),
        close: () => {},
      },
    }).start();
    const client = await mta.dial();
    await until(() => isAsked);
    client.close();
    await until(() => isGivenUp && mta.server.sessionCount === 0);
  });
});
