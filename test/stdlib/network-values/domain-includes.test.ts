import fc from 'fast-check';
import { expect, test } from 'vitest';
import { domainIncludes } from '../../../stdlib/network-values/domain-includes.js';

test.each([
  ['example.com', 'example.com', true],
  ['example.com', 'a.b.example.com', true],
  ['EXAMPLE.com', 'www.example.COM', true],
  ['example.com', 'badexample.com', false],
  ['www.example.com', 'example.com', false],
  ['.example.com', 'www.example.com', true],
  ['.example.com', 'example.com', false],
  ['.example.com', '.example.com', false],
  ['example.com.', 'www.example.com', true],
  ['example.com', 'www.example.com.', true],
  ['com', 'example.com', true],
  ['', 'example.com', false],
  ['', '', false],
  ['.', 'example.com', false],
  ['example.com', '', false],
  ['example.com', '.example.com', false],
  ['\xc3\xa9.example', 'www.\xc3\xa9.example', true],
  ['\xc3\xa9.example', '\xc3\x89.example', false],
] as const)('%j includes %j: %s', (parent, domain, expected) => {
  expect(domainIncludes(parent, domain)).toBe(expected);
});

const label = fc.string({ unit: fc.constantFrom(...'abAB1-'), minLength: 1, maxLength: 3 });
const labels = fc.array(label, { minLength: 1, maxLength: 4 });

/** The rule, by lists of labels. */
function modelIncludes(parent: readonly string[], domain: readonly string[], onlyBelow: boolean): boolean {
  const tail = domain.slice(-parent.length).map((one) => one.toLowerCase());
  const isInside = tail.join('.') === parent.join('.').toLowerCase() && tail.length === parent.length;
  return isInside && !(onlyBelow && domain.length === parent.length);
}

test('labels are compared one by one', () => {
  fc.assert(
    fc.property(labels, labels, fc.boolean(), fc.boolean(), (parent, other, isBelow, onlyBelow) => {
      const domain = isBelow ? [...other, ...parent] : other;
      expect(domainIncludes((onlyBelow ? '.' : '') + parent.join('.'), domain.join('.'))).toBe(
        modelIncludes(parent, domain, onlyBelow),
      );
    }),
  );
});
