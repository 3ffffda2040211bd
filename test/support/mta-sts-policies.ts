// MTA-STS policy files and records with what they mean (RFC 8461 3.1, 3.2): read alike by the daemon and by the module
// extras://mta-sts. All ASCII.

/** A file and its meaning, or a part of the reason why it is none. */
export interface PolicyCase {
  readonly name: string;
  readonly text: string;
  readonly means:
    | { readonly mode: string; readonly mx: readonly string[]; readonly maxAgeSeconds: number }
    | { readonly problem: RegExp };
}

const enforced = { mode: 'enforce', mx: ['mx1.example.test', '*.example.test'], maxAgeSeconds: 86_400 };

/** Files. */
export const policyCases: readonly PolicyCase[] = [
  {
    name: 'lines ended by CRLF, names in any case',
    text: 'version: STSv1\r\nmode: enforce\r\nmx: mx1.Example.test\r\nmx: *.example.test\r\nmax_age: 86400\r\n',
    means: enforced,
  },
  {
    name: 'lines ended by LF, the last by nothing',
    text: 'version: STSv1\nmode: enforce\nmx: mx1.example.test\nmx: *.example.test\nmax_age: 86400',
    means: enforced,
  },
  {
    name: 'any order, no blanks, blanks behind, unknown names',
    text: 'max_age:86400\nx-new: what ever\nmx:mx1.example.test \nmx:\t*.example.test\nmode:  enforce\t\nversion:STSv1\n',
    means: enforced,
  },
  {
    name: 'of a name said twice the first counts',
    text: 'version: STSv1\nmode: testing\nmode: enforce\nmx: a.test\nmax_age: 1\nmax_age: 2\n',
    means: { mode: 'testing', mx: ['a.test'], maxAgeSeconds: 1 },
  },
  {
    name: 'none needs no mx, and a year is the longest',
    text: 'version: STSv1\nmode: none\nmax_age: 9999999999\n',
    means: { mode: 'none', mx: [], maxAgeSeconds: 31_557_600 },
  },
  {
    name: 'an age of nothing',
    text: 'version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 0\n',
    means: { mode: 'enforce', mx: ['a.test'], maxAgeSeconds: 0 },
  },
  { name: 'nothing', text: '', means: { problem: /not of version STSv1/ } },
  { name: 'a web page', text: '<html>', means: { problem: /no field/ } },
  {
    name: 'another version',
    text: 'version: STSv2\nmode: none\nmax_age: 1\n',
    means: { problem: /not of version STSv1/ },
  },
  {
    name: 'no known mode',
    text: 'version: STSv1\nmode: Enforce\nmax_age: 1\nmx: a.test',
    means: { problem: /no mode out of/ },
  },
  {
    name: 'no age',
    text: 'version: STSv1\nmode: enforce\nmx: a.test',
    means: { problem: /no max_age/ },
  },
  {
    name: 'an age that is no number of seconds',
    text: 'version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 1d',
    means: { problem: /no max_age/ },
  },
  {
    name: 'an age of more than ten digits',
    text: 'version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 12345678901',
    means: { problem: /no max_age/ },
  },
  {
    name: 'no mx',
    text: 'version: STSv1\nmode: enforce\nmax_age: 1',
    means: { problem: /names no mx/ },
  },
  ...['a b', '*.*.test', '*', '*test', 'a..test', '.test', 'a.test;', '-a.test', 'mx.*.test'].map((mx) => ({
    name: `the mx "${mx}"`,
    text: `version: STSv1\nmode: enforce\nmax_age: 1\nmx: ${mx}`,
    means: { problem: /no host name/ },
  })),
];

/** TXT records of one name, and the id they give. */
export const recordCases: readonly (readonly [texts: readonly string[], id: string | undefined])[] = [
  [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
  [['v=STSv1;id=1'], '1'],
  [['v=STSv1 ; id=1 ;'], '1'],
  [['unrelated', 'v=STSv1; id=20260101;', 'v=spf1 -all'], '20260101'],
  [[], undefined],
  [['v=STSv1; id=1;', 'v=STSv1; id=2;'], undefined],
  [['v=STSv1'], undefined],
  [['v=STSv1;'], undefined],
  [['v=STSv10; id=1'], undefined],
  [['V=STSv1; id=1'], undefined],
  [['id=1; v=STSv1'], undefined],
  [['v=STSv1; id=not-an-id'], undefined],
  [[`v=STSv1; id=${'1'.repeat(33)}`], undefined],
];
