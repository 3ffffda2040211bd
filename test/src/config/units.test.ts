import { expect, test } from 'vitest';
import { parseDuration, parseSize } from '../../../src/config/units.js';

test.each([
  [0, 0],
  [10, 10],
  ['10', 10],
  ['1KiB', 1024],
  ['1 MiB', 1048576],
  ['2GiB', 2147483648],
  ['1TiB', 1099511627776],
  ['5B', 5],
  ['5MB', undefined],
  ['-1', undefined],
  [-1, undefined],
  [1.5, undefined],
  [null, undefined],
  ['', undefined],
])('size %j is %j', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each([
  [0, 0],
  [1.5, 1.5],
  ['15m', 900],
  ['1h30m', 5400],
  ['1d', 86400],
  ['1d2h3m4s', 93784],
  ['90', 90],
  ['0.5s', 0.5],
  ['', undefined],
  ['1x', undefined],
  ['m', undefined],
  ['1m1h', undefined],
  [-1, undefined],
  [Number.NaN, undefined],
])('duration %j is %j', (text, seconds) => expect(parseDuration(text)).toBe(seconds));
