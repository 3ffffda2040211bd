import { expect, test } from 'vitest';
import { openLog } from '../../../src/log/logger.js';
import { printable } from '../../../src/log/printable.js';

function lines(mask: number, forPeople = false) {
  const written: string[] = [];
  const { logger } = openLog({ mask, forPeople, write: (line) => written.push(line) });
  return { written, logger };
}

test('a line is JSON with time, level, message and its fields', () => {
  const { written, logger } = lines(255);
  logger.child({ transaction: 'T' }).info({ size: 3 }, 'queued');
  expect(JSON.parse(written[0]!)).toMatchObject({ level: 'info', msg: 'queued', transaction: 'T', size: 3 });
});

test('the mask leaves severities out by their bit', () => {
  const { written, logger } = lines(255 & ~(1 << 7) & ~(1 << 4));
  logger.debug({}, 'a');
  logger.info({}, 'b');
  logger.warn({}, 'c');
  logger.error({}, 'd');
  expect(written.map((line) => JSON.parse(line).msg)).toEqual(['b', 'd']);
  expect(logger.isDebugEnabled()).toBe(false);
});

test('an error is told with its type, message and stack, beside what the child was made with', () => {
  const { written, logger } = lines(255);
  logger.child({ transaction: 'T' }).error({ err: new TypeError('odd'), n: 1 }, 'failed');
  expect(JSON.parse(written[0]!)).toMatchObject({
    level: 'error',
    transaction: 'T',
    n: 1,
    err: { type: 'TypeError', message: 'odd', stack: expect.stringContaining('TypeError: odd') },
    msg: 'failed',
  });
});

test('values that JSON cannot say do not cost the line', () => {
  const { written, logger } = lines(255);
  const ring: Record<string, unknown> = {};
  ring['self'] = ring;
  logger.warn({ ring, none: undefined, not: Number.NaN }, 'odd');
  expect(JSON.parse(written[0]!)).toMatchObject({ level: 'warning', not: null, msg: 'odd' });
});

test('lines with and without an error have the same keys in the same order', () => {
  const { written, logger } = lines(255);
  const child = logger.child({ transaction: 'T' });
  child.info({ a: 1, b: 'x' }, 'one');
  child.info({ a: 1, b: 'x', err: undefined }, 'two');
  const [plain, through] = written.map((line) => Object.keys(JSON.parse(line) as object));
  expect(plain).toEqual(['level', 'time', 'transaction', 'a', 'b', 'msg']);
  expect(through).toEqual(plain);
});

test('lines for people hold no control character', () => {
  const { written, logger } = lines(255, true);
  logger.info({ text: 'a\x1b[31m\nb' }, 'x\x07y');
  expect(written[0]).toMatch(/^\d\d:\d\d:\d\d info {4}x\\x07y {2}text=a\\x1b\[31m\\x0ab\n$/);
});

test.each([
  ['plain', 'plain'],
  ['a\\b', 'a\\x5cb'],
  ['\r\n\0', '\\x0d\\x0a\\x00'],
  ['\xe5', '\\xe5'],
  ['\u2028', '\\u2028'],
])('printable(%j) is %s', (bytes, text) => expect(printable(bytes)).toBe(text));

test('what is too long is cut', () => expect(printable('x'.repeat(600))).toBe(`${'x'.repeat(512)}...`));
