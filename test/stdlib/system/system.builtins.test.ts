import { expect, test } from 'vitest';
import { gethostname, syslog } from '../../../stdlib/system/system.builtins.js';
import { FakeContext } from '../../support/fake-context.js';

test('the host name is what the daemon says', () => {
  expect(new FakeContext({ services: { hostname: () => 'mx.test' } }).call(gethostname)).toBe('mx.test');
});

test('syslog takes names and numbers', () => {
  const lines: unknown[] = [];
  const ctx = new FakeContext({ services: { syslog: (...line) => lines.push(line) } });
  ctx.call(syslog, 'warning', 'a');
  ctx.call(syslog, 7, 'b');
  ctx.call(syslog, 16 * 8 + 3, 'c');
  expect(lines).toEqual([
    [4, 'a'],
    [7, 'b'],
    [131, 'c'],
  ]);
  expect(() => ctx.call(syslog, 'loud', 'x')).toThrow('no priority "loud"');
  expect(() => ctx.call(syslog, 999, 'x')).toThrow('no priority');
  expect(() => ctx.call(syslog, 'toString', 'x')).toThrow('no priority');
});
