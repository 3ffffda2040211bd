// Values of fields in conditions (queue-and-config 2.2, 2.3).

import { describe, expect, test } from 'vitest';
import { type ConditionField, readFieldValues } from '../../../src/policy/field-patterns.js';
import { sharedPatternEngine } from '../../../src/scripting/host/patterns/engine.js';

const lists: Readonly<Record<string, readonly string[]>> = {
  'remotemx/big': ['*.google.test', 'mx.yahoo.test'],
  'localip/ours': ['192.0.2.0/28', '2001:db8::/32'],
  'remotemx/nested': ['@big'],
};

function read(field: ConditionField, written: string | readonly string[]) {
  return readFieldValues(field, written, {
    engine: sharedPatternEngine(),
    list: (name, id) => lists[`${name}/${id}`],
  });
}

function matches(field: ConditionField, written: string | readonly string[], value: string): boolean {
  const test = read(field, written);
  if (typeof test !== 'function') throw new Error(test.problem);
  return test(value);
}

function problem(field: ConditionField, written: string): string {
  const test = read(field, written);
  return typeof test === 'function' ? 'none' : test.problem;
}

test.each([
  ['recipientdomain', '*.example.test', 'example.test', false],
  ['recipientdomain', '*.example.test', 'a.b.EXAMPLE.test', true],
  ['recipientdomain', 'Example.TEST.', 'example.test', true],
  ['recipientdomain', 'example.test', 'EXAMPLE.test.', true],
  ['recipientdomain', 'example.test', 'a.example.test', false],
  ['recipientdomain', 'bücher.test', 'xn--bcher-kva.test', true],
  ['recipientdomain', '*.bücher.test', 'a.xn--bcher-kva.test', true],
  ['recipientdomain', 'xn--bcher-kva.test', Buffer.from('BÜCHER.test', 'utf8').toString('latin1'), true],
  ['recipientdomain', '*', '', true],
  ['recipientdomain', '*.', '', false],
  ['remotemx', '/^mx[0-9]+\\.big/', 'MX12.big.test', true],
  ['remotemx', '/google/', 'aspmx.l.google.com', true],
  ['remotemx', '/^google/', 'aspmx.l.google.com', false],
  ['remotemx', '@big', 'aspmx.l.google.test', true],
  ['remotemx', '@big', 'mx.yahoo.test', true],
  ['remotemx', '@big', 'yahoo.test', false],
  ['localip', '192.0.2.0/28', '192.0.2.15', true],
  ['localip', '192.0.2.0/28', '192.0.2.16', false],
  ['localip', '@ours', '2001:db8:ffff::1', true],
  ['remoteip', '::ffff:192.0.2.1', '192.0.2.1', true],
  ['remoteip', '192.0.2.1', '::ffff:192.0.2.1', true],
  ['remoteip', '2001:db8:0::1', '2001:db8::1', true],
  ['remoteip', '0.0.0.0/0', '', false],
  ['jobid', 'Spring', 'spring', false],
  ['jobid', '/spring/', 'SPRING-1', true],
  ['jobid', '*.x', 'a.x', false],
] as const)('%s %s against %s is %s', (field, written, value, isMatch) => {
  expect(matches(field, written, value)).toBe(isMatch);
});

test('any of several values may match', () => {
  const written = ['a.test', '*.b.test', '/c[0-9]/'];
  const values = ['a.test', 'x.b.test', 'mx.c7.test', 'd.test'];
  expect(values.map((value) => matches('remotemx', written, value))).toEqual([true, true, true, false]);
});

describe('what cannot be read is told', () => {
  test.each([
    ['remotemx', '@nosuch', 'there is no list "nosuch" in lists.remotemx'],
    ['remotemx', '@nested', 'in the list "nested": found "@big"; a list cannot contain another one'],
    ['remoteip', '192.0.2.0/33', 'found "192.0.2.0/33"; expected an address or a network'],
    ['remoteip', 'mx.test', 'found "mx.test"; expected an address or a network'],
    ['remotemx', '/(/', 'the pattern /(/ cannot be used'],
  ] as const)('%s %s', (field, written, text) => {
    expect(problem(field, written)).toContain(text);
  });
});
