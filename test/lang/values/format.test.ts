import { expect, test } from 'vitest';
import { HslArray, ScriptFault, type Value } from '#lang';
import { formatText } from '../../../lang/values/format.js';

const format = (template: string, ...values: Value[]) =>
  formatText(template, HslArray.fromList(values), { charge: () => {} });

test.each<[string, Value[], string]>([
  ['%s is %.2f', ['x', 6.02214], 'x is 6.02'],
  ["%'0>6s", ['42'], '000042'],
  ['%[1]s-%[0]s', ['a', 'b'], 'b-a'],
  ['%[1]s%s', ['a', 'b', 'c'], 'bc'],
  ['[%5s][%>5s][%^5s]', ['ab', 'ab', 'abc'], '[ab   ][   ab][ abc ]'],
  ['[%^5s]', ['ab'], '[ ab  ]'],
  ['100%% of %s', ['x'], '100% of x'],
  ['[%.3s]', ['abcdef'], '[abc]'],
  ['[%8.1f]', [2.75], '[     2.8]'],
  ['[%<6f]', [1.5], '[1.5   ]'],
  ["[%'0=6f]", [-1.5], '[-001.5]'],
  ['%x %x %b', [255, -255.9, 5], 'ff -ff 101'],
  ['[%5c]', [65], '[A    ]'],
  ['%s', [12], '12'],
  ['%.0f', [1e21], '1000000000000000000000'],
  ['%f', ['7'], '7'],
  ['%s', [null], 'none'],
  ["%'%>3s", ['x'], '%%x'],
])('%s', (template, values, expected) => {
  expect(format(template, ...values)).toBe(expected);
});

test('a missing argument, an unknown type and a lone percent sign are exceptions', () => {
  expect(() => format('%s')).toThrow(ScriptFault);
  expect(() => format('%[3]s', 1)).toThrow('wants argument [3]');
  expect(() => format('%d', 1)).toThrow('unknown type "d"');
  expect(() => format('5 %', 1)).toThrow('ends without a type');
});
