import { describe, expect, test } from 'vitest';
import { editDistance, suggest } from '../../../lang/diagnostics/suggest.js';

describe('the nearest name', () => {
  const names = ['str_find', 'str_upper', 'array_map', 'length', 'Exception', 'is_array'];

  test.each([
    ['str_fnd', 'str_find'],
    ['strfind', 'str_find'],
    ['STR_UPPER', 'str_upper'],
    ['lenght', 'length'],
    ['arary_map', 'array_map'],
    ['exception', 'Exception'],
    ['array_mpa', 'array_map'],
  ])('of %s is %s', (name, nearest) => {
    expect(suggest(name, names)).toBe(nearest);
  });

  test.each(['x', 'foo', 'json_encode', 'substring', ''])('of %s is none of them', (name) => {
    expect(suggest(name, names)).toBeUndefined();
  });

  test('never is the name itself, and never a very long one', () => {
    expect(suggest('length', ['length'])).toBeUndefined();
    expect(suggest('a'.repeat(1000), ['a'.repeat(999)])).toBeUndefined();
  });
});

test('a swap of neighbours counts as one edit, and counting stops at the limit', () => {
  expect(editDistance('form', 'from', 5)).toBe(1);
  expect(editDistance('kitten', 'sitting', 5)).toBe(3);
  expect(editDistance('kitten', 'sitting', 1)).toBe(2);
  expect(editDistance('', 'abc', 5)).toBe(3);
});
