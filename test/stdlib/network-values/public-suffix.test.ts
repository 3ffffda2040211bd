import fc from 'fast-check';
import { parse } from 'tldts';
import { describe, expect, test } from 'vitest';
import {
  builtInSuffixes,
  publicSuffix,
  readSuffixList,
  type SuffixList,
} from '../../../stdlib/network-values/public-suffix.js';

function listOf(text: string): SuffixList {
  const list = readSuffixList(text);
  if ('problem' in list) throw new Error(list.problem);
  return list;
}

// From the test vectors of publicsuffix.org.
const vectors: readonly (readonly [string, string | undefined])[] = [
  ['com', 'com'],
  ['www.example.com', 'com'],
  ['WWW.EXAMPLE.COM', 'com'],
  ['example.co.uk.', 'co.uk'],
  ['biz', 'biz'],
  ['b.domain.biz', 'biz'],
  ['test.ac.jp', 'ac.jp'],
  ['www.kyoto.jp', 'kyoto.jp'],
  ['b.c.kobe.jp', 'c.kobe.jp'],
  ['city.kobe.jp', 'kobe.jp'],
  ['www.city.kobe.jp', 'kobe.jp'],
  ['ck', 'ck'],
  ['b.test.ck', 'test.ck'],
  ['www.www.ck', 'ck'],
  ['a.k12.ak.us', 'k12.ak.us'],
  ['foo.github.io', 'github.io'],
  ['\u98df\u72ee.\u516c\u53f8.cn', '\u516c\u53f8.cn'],
  ['xn--85x722f.xn--55qx5d.cn', 'xn--55qx5d.cn'],
  ['xn--85x722f.xn--fiqs8s', 'xn--fiqs8s'],
  ['printer.local', undefined],
  ['example.invalidtld', undefined],
  ['192.0.2.1', undefined],
  ['', undefined],
  ['.', undefined],
  ['.com', undefined],
  ['a..com', undefined],
  [`${'a.'.repeat(600)}com`, undefined],
];

describe('the built-in list', () => {
  test.each(vectors)('%s: %s', (domain, suffix) => {
    expect(publicSuffix(domain, builtInSuffixes)).toBe(suffix);
  });
});

describe('a list from a file', () => {
  const list = listOf(`// ===BEGIN===

com
uk
co.uk   this is not part of the rule
*.ck
!www.ck
\t*.kobe.jp\r
!city.kobe.jp
jp
\u516c\u53f8.cn
cn
github.io
io
*.deep.*.example
`);

  test.each([
    ['www.example.com', 'com'],
    ['a.co.uk', 'co.uk'],
    ['a.uk', 'uk'],
    ['x.ck', 'x.ck'],
    ['www.ck', 'ck'],
    ['a.www.ck', 'ck'],
    ['ck', 'ck'],
    ['b.c.kobe.jp', 'c.kobe.jp'],
    ['city.kobe.jp', 'kobe.jp'],
    ['x.\u516c\u53f8.cn', '\u516c\u53f8.cn'],
    ['x.xn--55qx5d.cn', 'xn--55qx5d.cn'],
    ['x.github.io', 'github.io'],
    ['v.w.deep.x.example', 'w.deep.x.example'],
    ['example.org', undefined],
  ])('%s: %s', (domain, suffix) => {
    expect(publicSuffix(domain, list)).toBe(suffix);
  });

  test('is refused with the reason when it is none', () => {
    expect(readSuffixList('// only comments\n\n')).toEqual({ problem: 'there is no rule in it' });
    expect(readSuffixList('com\nco..uk\n')).toEqual({
      problem: 'line 2 is no rule: "co..uk"; expected labels with dots between them',
    });
    expect(readSuffixList('x'.repeat(17 * 1024 * 1024))).toMatchObject({
      problem: expect.stringMatching(/at most/),
    });
  });
});

test('rules read from a file mean what the built-in list makes of them', () => {
  // Rules of the real list, so that both know the same part of it.
  const list = listOf(
    'com\nuk\nco.uk\nck\n*.ck\n!www.ck\njp\nkobe.jp\n*.kobe.jp\n!city.kobe.jp\nac.jp\nio\ngithub.io\n',
  );
  const label = fc.constantFrom('www', 'city', 'a', 'kobe', 'co', 'ac', 'github', 'x-1');
  const top = fc.constantFrom('com', 'uk', 'co.uk', 'ck', 'kobe.jp', 'ac.jp', 'github.io');
  fc.assert(
    fc.property(fc.array(label, { maxLength: 3 }), top, (labels, suffix) => {
      const domain = [...labels, suffix].join('.');
      const judged = parse(domain, { allowPrivateDomains: true, extractHostname: false });
      // The real list has more rules below some of these names.
      fc.pre(listKnows(judged.publicSuffix));
      expect(publicSuffix(domain, list)).toBe(publicSuffix(domain, builtInSuffixes));
    }),
  );
});

function listKnows(suffix: string | null): boolean {
  return (
    suffix !== null &&
    /^(?:com|uk|co\.uk|ck|[^.]+\.ck|kobe\.jp|[^.]+\.kobe\.jp|ac\.jp|jp|io|github\.io)$/.test(suffix)
  );
}

test('a suffix is the end of its domain', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      const suffix = publicSuffix(text, builtInSuffixes);
      if (suffix !== undefined)
        expect(`.${text.toLowerCase().replace(/\.$/, '')}`.endsWith(`.${suffix}`)).toBe(true);
    }),
  );
});
