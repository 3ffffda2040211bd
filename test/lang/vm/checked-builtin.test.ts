import { describe, expect, test } from 'vitest';
import { type Builtin, builtin, HslArray, HslResource, regexOf, ScriptFault, type Value } from '#lang';
import { checkedBuiltin } from '../../../lang/vm/checked-builtin.js';
import { RamHost, regExpPatterns } from '../../support/ram-host.js';

const described = { summary: 'For the test.', group: 'types', returns: 'any' } as const;
const host = new RamHost();

const check = (declaration: Builtin, ...args: Value[]) =>
  checkedBuiltin(declaration.name, declaration, undefined).check(args, host);

const repeat = builtin({
  ...described,
  name: 'repeat',
  params: [
    { name: 'text', type: 'string' },
    { name: 'times', type: 'number', default: 2 },
    { name: 'mark', type: 'string|none', optional: true },
  ],
  run: () => null,
});

describe('arguments', () => {
  test('are passed on by position, defaults filled in, optional ones undefined', () => {
    expect(check(repeat, 'a')).toEqual(['a', 2, undefined]);
    expect(check(repeat, 'a', 3, null)).toEqual(['a', 3, null]);
  });

  test('of a wrong number are an exception that says how many there are to be', () => {
    expect(() => check(repeat)).toThrow(new ScriptFault('repeat takes 1 to 3 arguments, not 0'));
    expect(() => check(repeat, 'a', 1, 'b', 'c')).toThrow('repeat takes 1 to 3 arguments, not 4');
  });

  test('of a wrong type are an exception that names function, argument and type', () => {
    expect(() => check(repeat, 5)).toThrow('argument 1 (text) of repeat must be a string, not a number');
    expect(() => check(repeat, 'a', null)).toThrow('argument 2 (times) of repeat must be a number, not none');
    expect(() => check(repeat, 'a', 1, HslArray.empty())).toThrow(
      'argument 3 (mark) of repeat must be a string or none, not an array',
    );
  });

  test('that remain go to the rest parameter, each checked', () => {
    const sum = builtin({
      ...described,
      name: 'sum',
      params: [
        { name: 'first', type: 'number' },
        { name: 'others', type: 'number', rest: true },
      ],
      run: () => null,
    });
    expect(check(sum, 1)).toEqual([1, []]);
    expect(check(sum, 1, 2, 3)).toEqual([1, [2, 3]]);
    expect(() => check(sum)).toThrow('sum takes at least 1 argument, not 0');
    expect(() => check(sum, 1, 2, 'x')).toThrow('argument 3 (others) of sum must be a number, not a string');
  });
});

describe('options', () => {
  const connect = builtin({
    ...described,
    name: 'connect',
    params: [
      { name: 'host', type: 'string' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          timeout: { type: 'number', default: 60, doc: 'Seconds.' },
          tls: { type: 'string', oneOf: ['none', 'require'], default: 'none', doc: 'Whether.' },
          ca: { type: 'string|none', doc: 'Authority.' },
          wait: { type: 'number', aliasOf: 'timeout', doc: 'The older name.' },
        },
      },
    ],
    run: () => null,
  });
  const options = (record: Record<string, Value>) => check(connect, 'h', HslArray.fromRecord(record))[1];

  test('become a record with every key, in the order of the declaration', () => {
    expect(check(connect, 'h')[1]).toEqual({ timeout: 60, tls: 'none', ca: undefined });
    expect(options({ tls: 'require', ca: null, unknown: 1 })).toEqual({
      timeout: 60,
      tls: 'require',
      ca: null,
    });
  });

  test('take older names, and none for what may be left out', () => {
    expect(options({ wait: 5 })).toMatchObject({ timeout: 5 });
    expect(options({ timeout: null })).toMatchObject({ timeout: 60 });
  });

  test('of a wrong type or outside the allowed values are exceptions', () => {
    expect(() => options({ timeout: 'x' })).toThrow(
      'option "timeout" of argument 2 (options) of connect must be a number, not a string',
    );
    expect(() => options({ tls: 'maybe' })).toThrow('must be one of "none", "require", not "maybe"');
    expect(() => check(connect, 'h', 5)).toThrow(
      'argument 2 (options) of connect must be an array, not a number',
    );
  });
});

describe('patterns', () => {
  const find = builtin({
    ...described,
    name: 'find',
    params: [{ name: 'pattern', type: 'pattern' }],
    run: () => null,
  });

  test('are compiled from strings with or without delimiters, or taken from a Regex', () => {
    expect(check(find, 'a.c')[0]).toMatchObject({ source: 'a.c', flags: '' });
    expect(check(find, '/a.c/i')[0]).toMatchObject({ source: 'a.c', flags: 'i' });
    expect(check(find, '/a/b/')[0]).toMatchObject({ source: 'a/b', flags: '' });
    expect(check(find, '/a/z')[0]).toMatchObject({ source: '/a/z', flags: '' });
    const compiled = regExpPatterns.compile('x', '');
    expect(check(find, regexOf(compiled))[0]).toBe(compiled);
    expect(check(find, 'a.c')[0]).toBe(check(find, 'a.c')[0]);
  });

  test('that are broken, and values that are none, are exceptions', () => {
    expect(() => check(find, '(')).toThrow(/argument 1 \(pattern\) of find is no valid pattern/);
    expect(() => check(find, 5)).toThrow('argument 1 (pattern) of find must be a pattern, not a number');
    expect(() => check(find, new HslResource('Key', undefined))).toThrow('not a resource');
  });
});
