import { describe, expect, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import type { TlsCause, Trouble } from '../../../src/delivery/client/trouble.js';
import {
  fallsBackToPlainText,
  isStale,
  judge,
  sparesConnection,
  successEnding,
  triesNextAddress,
  troubleEnding,
  weightier,
} from '../../../src/delivery/failure.js';

const refused = (
  state: Trouble['state'],
  code: number,
  enhanced?: readonly [number, number, number],
): Trouble => ({
  kind: 'refused',
  state,
  reply: { code, lines: ['no'], ...(enhanced === undefined ? {} : { enhanced }) },
});
const closed = (state: Trouble['state']): Trouble => ({ kind: 'closed', state, message: 'gone' });
const timeout = (state: Trouble['state']): Trouble => ({ kind: 'timeout', state, seconds: 300 });
const protocol = (state: Trouble['state']): Trouble => ({ kind: 'protocol', state, message: 'odd' });
const unreachable: Trouble = { kind: 'unreachable', state: 'BANNER', message: 'no connection' };
const cancelled: Trouble = { kind: 'cancelled', state: 'RCPT' };
const tooBig: Trouble = { kind: 'impossible', state: 'MAIL', status: [5, 3, 4], message: 'too big' };
const misconfigured: Trouble = { kind: 'misconfigured', state: 'EHLO', message: 'bad helo' };
const tls = (cause: TlsCause): Trouble => ({
  kind: 'tls',
  state: 'STARTTLS',
  cause,
  message: 'no TLS',
});
const unreadable: Trouble = { kind: 'unreadable', state: 'DATA', message: 'disk' };

type ErrorType = NonNullable<AttemptReport['error']>['type'];

describe('what each failure means', () => {
  const table: [Trouble, 'deferred' | 'failed', ErrorType | 'reply'][] = [
    ...(['BANNER', 'HELO', 'LHLO', 'MAIL', 'RCPT', 'DATA', 'EOD'] as const).flatMap(
      (state): [Trouble, 'deferred' | 'failed', 'reply'][] => [
        [refused(state, 421), 'deferred', 'reply'],
        [refused(state, 450), 'deferred', 'reply'],
        [refused(state, 499), 'deferred', 'reply'],
        [refused(state, 550), 'failed', 'reply'],
        [refused(state, 599), 'failed', 'reply'],
      ],
    ),
    // About us, not about the message: a slip of ours must not return mail.
    ...(['STARTTLS', 'AUTH', 'AUTH-PLAIN', 'AUTH-LOGIN', 'XCLIENT'] as const).flatMap(
      (state): [Trouble, 'deferred', 'reply'][] => [
        [refused(state, 454), 'deferred', 'reply'],
        [refused(state, 535), 'deferred', 'reply'],
      ],
    ),
    [tls('not-offered'), 'deferred', 'tls'],
    [tls('handshake'), 'deferred', 'tls'],
    [tls('unverified'), 'deferred', 'tls'],
    [refused('RCPT', 552), 'failed', 'reply'],
    [refused('RCPT', 552, [5, 2, 2]), 'failed', 'reply'],
    [refused('RCPT', 552, [5, 5, 3]), 'deferred', 'reply'],
    [refused('EOD', 552, [5, 3, 4]), 'failed', 'reply'],
    [refused('RCPT', 550, [4, 7, 1]), 'failed', 'reply'],
    [refused('RCPT', 450, [5, 1, 1]), 'deferred', 'reply'],
    [unreachable, 'deferred', 'network'],
    [closed('BANNER'), 'deferred', 'network'],
    [closed('EOD'), 'deferred', 'network'],
    [timeout('MAIL'), 'deferred', 'network'],
    [cancelled, 'deferred', 'network'],
    [protocol('EHLO'), 'deferred', 'protocol'],
    [tooBig, 'failed', 'smtp'],
    [misconfigured, 'deferred', 'config'],
    [unreadable, 'deferred', 'config'],
  ];
  test.each(table)('%o is %s (%s)', (trouble, verdict, type) => {
    const ending = troubleEnding(trouble);
    expect(judge(ending)).toBe(verdict);
    expect(ending.error?.type ?? 'reply').toBe(type);
    expect((ending.result === undefined) !== (ending.error === undefined)).toBe(true);
  });

  test.each([200, 250, 251, 299])('%i to the message is a delivery', (code) => {
    expect(judge(successEnding({ code, lines: ['ok'] }))).toBe('delivered');
  });

  test('a positive reply in any other state delivers nothing', () => {
    expect(judge({ result: { code: 250, reason: [], state: 'RCPT' } })).toBe('deferred');
  });

  test('a report that says nothing is temporary', () => {
    expect(judge({})).toBe('deferred');
    expect(judge({ result: { code: 700, reason: [], state: 'EOD' } })).toBe('deferred');
  });

  test.each([closed('EOD'), timeout('EOD'), protocol('EOD'), { ...cancelled, state: 'EOD' } as Trouble])(
    '%o says that the message may arrive twice',
    (trouble) => {
      expect(troubleEnding(trouble).error?.message).toMatch(/may arrive twice/);
      expect(troubleEnding({ ...trouble, state: 'DATA' }).error?.message).not.toMatch(/twice/);
    },
  );
});

test('the next address is tried when this one failed before it was asked about the message', () => {
  const next = [
    unreachable,
    refused('BANNER', 554),
    refused('HELO', 550),
    refused('EHLO', 421),
    closed('LHLO'),
  ];
  const stay = [
    refused('MAIL', 450),
    timeout('RCPT'),
    closed('EOD'),
    tooBig,
    { ...cancelled, state: 'BANNER' } as Trouble,
  ];
  expect(next.map(triesNextAddress)).toEqual(next.map(() => true));
  expect(stay.map(triesNextAddress)).toEqual(stay.map(() => false));
});

test('of several addresses the one that leaves hope is reported', () => {
  const never = refused('BANNER', 554);
  const later = refused('BANNER', 421);
  expect(weightier(undefined, never)).toBe(never);
  expect(weightier(later, never)).toBe(later);
  expect(weightier(never, later)).toBe(later);
  expect(weightier(later, unreachable)).toBe(unreachable);
});

test('a reused connection is stale when it fails before MAIL was accepted', () => {
  const stale = [closed('RSET'), timeout('RSET'), refused('RSET', 502), closed('MAIL'), refused('MAIL', 421)];
  const sound = [
    refused('MAIL', 450),
    timeout('MAIL'),
    closed('RCPT'),
    refused('RCPT', 421),
    { ...cancelled, state: 'RSET' } as Trouble,
  ];
  expect(stale.map(isStale)).toEqual(stale.map(() => true));
  expect(sound.map(isStale)).toEqual(sound.map(() => false));
});

test('a connection is used again after a refusal that is in step, and after nothing else', () => {
  const spared = [
    refused('MAIL', 550),
    refused('RCPT', 450),
    refused('DATA', 451),
    refused('EOD', 554),
    tooBig,
    unreadable,
  ];
  const spent = [refused('RCPT', 421), refused('BANNER', 554), protocol('MAIL'), closed('RCPT')];
  expect(spared.map(sparesConnection)).toEqual(spared.map(() => true));
  expect(spent.map(sparesConnection)).toEqual(spent.map(() => false));
});

describe('without TLS the same address is tried once more', () => {
  const table: [Trouble, 'fallsBack' | 'insists', boolean][] = [
    [tls('handshake'), 'fallsBack', true],
    [timeout('STARTTLS'), 'fallsBack', true],
    [closed('STARTTLS'), 'fallsBack', true],
    [tls('handshake'), 'insists', false],
    [tls('unverified'), 'insists', false],
    [protocol('STARTTLS'), 'fallsBack', false],
    [refused('STARTTLS', 421), 'fallsBack', false],
    [{ kind: 'cancelled', state: 'STARTTLS' }, 'fallsBack', false],
    [timeout('EHLO'), 'fallsBack', false],
    // A session that fails later, with TLS 1.3 for want of a certificate of ours, was begun.
    [{ ...tls('handshake'), state: 'EHLO' } as Trouble, 'fallsBack', false],
  ];
  test.each(table)('%o, where the demand %s: %s', (trouble, demand, isTried) => {
    expect(fallsBackToPlainText(trouble, demand === 'fallsBack')).toBe(isTried);
  });
});

describe('what was demanded beside the mode', () => {
  const unmet = { type: 'dane', temporary: true } as const;
  test('gives the error its type', () => {
    const { error } = troubleEnding({ ...tls('unverified'), unmet } as Trouble);
    expect(error).toMatchObject({ type: 'dane', temporary: true, state: 'STARTTLS' });
  });

  test('may be permanent, and has a status then', () => {
    const never = { type: 'tls', temporary: false, status: [5, 7, 10] } as const;
    const ending = troubleEnding({ ...tls('not-tried'), unmet: never } as Trouble);
    expect(ending.error).toMatchObject({ temporary: false, type: 'tls', message: '5.7.10 no TLS' });
    expect(judge(ending)).toBe('failed');
  });
});

test('what one host cannot take is shown to the next, what none can is not', () => {
  const noUtf8: Trouble = { ...tooBig, status: [5, 6, 7], isAboutPeer: true } as Trouble;
  expect(triesNextAddress(noUtf8)).toBe(true);
  expect(triesNextAddress(tooBig)).toBe(false);
  expect(judge(troubleEnding(weightier(noUtf8, unreachable)))).toBe('deferred');
  expect(judge(troubleEnding(weightier(unreachable, noUtf8)))).toBe('deferred');
  expect(judge(troubleEnding(weightier(noUtf8, noUtf8)))).toBe('failed');
});

test('behind a proxy that is not there no other address is tried', () => {
  expect(triesNextAddress({ ...unreachable, isProxy: true } as Trouble)).toBe(false);
  expect(judge(troubleEnding({ ...unreachable, isProxy: true } as Trouble))).toBe('deferred');
});

test('a password that was refused is not tried at other addresses', () => {
  expect(triesNextAddress(refused('AUTH', 535))).toBe(false);
  expect(triesNextAddress(refused('AUTH', 454))).toBe(true);
  expect(triesNextAddress(closed('AUTH'))).toBe(true);
  expect(triesNextAddress({ kind: 'misconfigured', state: 'AUTH', message: 'no AUTH' })).toBe(false);
  expect(triesNextAddress(tls('handshake'))).toBe(true);
  expect(triesNextAddress(refused('XCLIENT', 550))).toBe(true);
});
