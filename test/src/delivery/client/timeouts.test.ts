import { expect, test } from 'vitest';
import { defaultTimeouts, timeoutsFor } from '../../../../src/delivery/client/timeouts.js';

test('the defaults are those of the reference (hooks 14)', () => {
  const seconds = timeoutsFor(undefined, undefined);
  for (const state of ['BANNER', 'EHLO', 'HELO', 'LHLO', 'STARTTLS', 'XCLIENT', 'MAIL', 'RCPT'] as const)
    expect(seconds(state), state).toBe(300);
  for (const state of ['AUTH-CRAM-MD5', 'AUTH-PLAIN', 'AUTH-LOGIN', 'AUTH-LOGIN-USER', 'AUTH'] as const)
    expect(seconds(state), state).toBe(300);
  expect([seconds('DATA'), seconds('EOD')]).toEqual([120, 600]);
  for (const state of ['RSET', 'NOOP', 'QUIT'] as const) expect(seconds(state), state).toBe(20);
  expect(Object.keys(defaultTimeouts)).toHaveLength(18);
});

test('Try says more than the transport, the transport more than the default', () => {
  const seconds = timeoutsFor({ MAIL: 1 }, { MAIL: 2, RCPT: 3 });
  expect([seconds('MAIL'), seconds('RCPT'), seconds('DATA')]).toEqual([1, 3, 120]);
});

test('CONNECT is the older name of BANNER', () => {
  expect(timeoutsFor({ CONNECT: 5 }, { BANNER: 6 })('BANNER')).toBe(5);
  expect(timeoutsFor({ CONNECT: 5, BANNER: 4 }, undefined)('BANNER')).toBe(4);
  expect(timeoutsFor(undefined, { CONNECT: 7 })('BANNER')).toBe(7);
  expect(timeoutsFor({ CONNECT: 5 }, undefined)('MAIL')).toBe(300);
});
