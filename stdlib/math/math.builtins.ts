// Group 5 of the library: numbers.

import { builtin } from '#lang';
import { fnv1a } from './fnv.js';
import { roundDecimals } from './rounding.js';

const source = 'stdlib 5';
const number = { name: 'number', type: 'number' } as const;

export const abs = builtin({
  name: 'abs',
  group: 'math',
  summary: 'Gives the magnitude of a number.',
  params: [number],
  returns: 'number',
  example: 'abs(-3.5)  // 3.5',
  source,
  pure: true,
  run: (n) => Math.abs(n),
});

export const ceil = builtin({
  name: 'ceil',
  group: 'math',
  summary: 'Rounds a number up to an integer.',
  params: [number],
  returns: 'number',
  example: 'ceil(1.2)  // 2\nceil(-1.2)  // -1',
  source,
  pure: true,
  run: (n) => Math.ceil(n) + 0,
});

export const floor = builtin({
  name: 'floor',
  group: 'math',
  summary: 'Rounds a number down to an integer.',
  params: [number],
  returns: 'number',
  example: 'floor(1.8)  // 1\nfloor(-1.2)  // -2',
  source,
  pure: true,
  run: (n) => Math.floor(n) + 0,
});

export const round = builtin({
  name: 'round',
  group: 'math',
  summary: 'Rounds a number, halves away from zero.',
  params: [
    number,
    {
      name: 'decimals',
      type: 'number',
      default: 0,
      doc: 'Places behind the point; negative: zeros before it.',
    },
  ],
  returns: 'number',
  example: 'round(3.14159, 2)  // 3.14\nround(-2.5)  // -3\nround(1250, -2)  // 1300',
  source,
  pure: true,
  run: (n, decimals) => roundDecimals(n, Math.trunc(decimals) || 0),
});

export const sqrt = builtin({
  name: 'sqrt',
  group: 'math',
  summary: 'Gives the square root of a number.',
  params: [number],
  returns: 'number',
  errors: 'Not a number (nan) when the number is negative.',
  example: 'sqrt(144)  // 12',
  source,
  pure: true,
  run: (n) => Math.sqrt(n),
});

export const log = builtin({
  name: 'log',
  group: 'math',
  summary: 'Gives the logarithm of a number.',
  params: [
    number,
    { name: 'base', type: 'number', optional: true, doc: 'The natural logarithm when left out.' },
  ],
  returns: 'number',
  errors: 'Not a number (nan) when the number or base is negative.',
  example: 'log(1)  // 0\nlog(1000, 10)  // 3',
  source,
  pure: true,
  run: (n, base) => {
    // Exact powers give whole numbers: the two common bases have functions of their own for that.
    if (base === undefined) return Math.log(n);
    if (base === 10) return Math.log10(n);
    if (base === 2) return Math.log2(n);
    const quotient = Math.log(n) / Math.log(base);
    const nearest = Math.round(quotient);
    return base ** nearest === n ? nearest : quotient;
  },
});

export const pow = builtin({
  name: 'pow',
  group: 'math',
  summary: 'Raises a number to a power.',
  details: 'The operator `**` does the same.',
  params: [
    { name: 'base', type: 'number' },
    { name: 'exponent', type: 'number' },
  ],
  returns: 'number',
  example: 'pow(2, 10)  // 1024',
  source,
  pure: true,
  run: (base, exponent) => base ** exponent,
});

export const hash = builtin({
  name: 'hash',
  group: 'math',
  summary: 'Gives a number made of a text: equal texts, equal numbers.',
  details:
    'For spreading work over buckets. The algorithm may change between releases; use sha2 for anything lasting.',
  params: [{ name: 'text', type: 'string' }],
  returns: 'number',
  example: 'hash("a") == hash("a")  // true',
  source,
  pure: true,
  run: (text) => fnv1a(text),
});

export const math = [abs, ceil, floor, round, sqrt, log, pow, hash];
