import { describe, expect, test } from 'vitest';
import { SIZE_LIMIT } from '../../../lang/parser/parse.js';
import { parseText } from './reading.js';

function codes(text: string): string[] {
  return parseText(text).diagnostics.map((one) => one.code);
}

describe('nesting up to the limit is read, beyond it is a message', () => {
  test.each([
    ['parentheses', '(', ')', 150],
    ['arrays', '[', ']', 150],
    ['calls', 'f(', ')', 150],
    ['subscripts', '$a[', ']', 150],
  ])('%s', (_, open, close, depth) => {
    expect(codes(`echo ${open.repeat(depth)}1${close.repeat(depth)};`)).toEqual([]);
    expect(codes(`echo ${open.repeat(100_000)}1;`)).toEqual(['HSL1102']);
    expect(codes(`echo ${open.repeat(2000)}1${close.repeat(2000)};`)).toEqual(['HSL1102']);
  });

  test.each([
    ['blocks', '{'],
    ['ifs', 'if (1) '],
    ['loops', 'forever '],
    ['functions', 'function () { '],
    ['closures in calls', 'f(function () { return '],
    ['conditionals', '1 ? 2 : '],
    ['assignments', '$a = '],
    ['powers', '2 ** '],
    ['signs', '- '],
    ['negations', '!'],
    ['matches', 'match (1) { 1 => '],
    ['debug points', '__debug ["a", "b"] '],
    ['switches', 'switch (1) { case 1: '],
    ['classes', 'class A { function f() { '],
  ])('%s', (_, open) => {
    expect(codes(`${open.repeat(20_000)}1;`)).toContain('HSL1102');
    // Whatever the depth, nothing is thrown.
    for (const depth of [50, 99, 199, 200, 201, 400]) codes(open.repeat(depth));
  });
});

describe('chains are read in a loop, and end where later passes could not follow', () => {
  test.each([
    ['concatenations', '"a"', ' . "a"'],
    ['properties', '$a', '->b'],
    ['alternatives', 'if (1) ;', ' else if (1) ;'],
  ])('%s', (_, first, more) => {
    const end = first.endsWith(';') ? '' : ';';
    expect(codes(`${first}${more.repeat(500)}${end}`)).toEqual([]);
    expect(codes(`${first}${more.repeat(20_000)}${end}`)).toEqual(['HSL1102']);
  });

  test('lists may be as long as they like', () => {
    expect(codes(`$a = [${'1, '.repeat(50_000)}];`)).toEqual([]);
    expect(codes('echo 1;\n'.repeat(20_000))).toEqual([]);
  });
});

test('a file above the size limit is not read', () => {
  expect(codes(`//${' '.repeat(SIZE_LIMIT)}`)).toEqual(['HSL1011']);
});
