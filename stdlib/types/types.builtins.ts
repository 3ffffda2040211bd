// Group 2 of the library: what a value is and what it is as another type. isset, unset and array() are language.

import { type Builtin, builtin, HslArray, type TypeWord, toBoolean, toNumber, typeWord } from '#lang';
import { olderName } from '../older-name.js';

const source = 'stdlib 2';
const value = { name: 'value', type: 'any' } as const;

export const length = builtin({
  name: 'length',
  group: 'types',
  summary: 'Counts the bytes of a text or the elements of an array.',
  params: [value],
  returns: 'number|none',
  errors: 'None for values of other types.',
  since: '5.0',
  example: 'length("abc")  // 3\nlength(["a" => 1, 5 => 2])  // 2\nlength(5)  // null',
  source,
  pure: true,
  run: (of) => (typeof of === 'string' || of instanceof HslArray ? of.length : null),
});

export const boolean = builtin({
  name: 'boolean',
  group: 'types',
  summary: 'Says whether a value counts as true.',
  details: 'False are none, 0, the empty text and the empty array; "0" is true.',
  params: [value],
  returns: 'boolean',
  since: '4.8',
  example: 'boolean("0")  // true\nboolean([])  // false',
  source,
  pure: true,
  run: (of) => toBoolean(of),
});

export const number = builtin({
  name: 'number',
  group: 'types',
  summary: 'Makes a number of a value.',
  details: 'A text must be a number as a whole, decimal or with 0x; true is 1.',
  params: [value],
  returns: 'number',
  errors: '0 for everything that is no number.',
  example: 'number("0x1F")  // 31\nnumber("-12.5")  // -12.5\nnumber("12abc")  // 0',
  source,
  pure: true,
  run: (of) => toNumber(of),
});

export const string = builtin({
  name: 'string',
  group: 'types',
  summary: 'Makes a text of a value, as echo prints it.',
  params: [value],
  returns: 'string',
  example: 'string(2.50)  // "2.5"\nstring(["a", "k" => 1])  // "[0=>\\"a\\",\\"k\\"=>1]"',
  source,
  pure: true,
  run: (of, ctx) => ctx.toText(of),
});

/** The test for one type; safe on none. */
function typeTest(type: TypeWord, what: string, example: string, details?: string): Builtin {
  return builtin({
    name: `is_${type}`,
    group: 'types',
    summary: `Says whether a value is ${what}.`,
    ...(details === undefined ? {} : { details }),
    params: [value],
    returns: 'boolean',
    example,
    source,
    pure: true,
    run: (of) => typeWord(of) === type,
  });
}

export const types = [
  length,
  boolean,
  number,
  string,
  typeTest('array', 'an array', 'is_array([])  // true'),
  typeTest('boolean', 'true or false', 'is_boolean(false)  // true'),
  typeTest('function', 'a function', 'is_function(length)  // true'),
  typeTest(
    'number',
    'a number',
    'is_number(1)  // true\nis_number("1")  // false',
    'Booleans are none (since 5.0).',
  ),
  typeTest(
    'object',
    'an instance of a class',
    'is_object(none)  // false',
    'Resources, such as compiled patterns and keys, are none.',
  ),
  typeTest('string', 'a text', 'is_string("")  // true'),
  olderName('count', length),
  olderName('strlen', length),
];
