// The judge is iconv(1) of the system's libc, where there is one, and TextDecoder.

import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EILSEQ, EINVAL, openConversion } from '../../../stdlib/encodings/iconv.js';

/** What comes of it: the bytes in latin1, or the number that says why not. */
function convert(from: string, to: string, bytes: string | Buffer): string | number {
  const conversion = openConversion(from, to)!;
  const result = conversion.convert(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  expect(conversion.errno === 0).toBe(result !== undefined);
  return result === undefined ? conversion.errno : result.toString('latin1');
}

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

test.each<readonly [string, string, string, string]>([
  ['ISO-8859-1', 'UTF-8', '\xf6', '\xc3\xb6'],
  ['latin1', 'utf8', '\x80', '\xc2\x80'],
  ['ISO_8859-15', 'UTF-8', '\xa4', utf8('\u20ac')],
  ['windows-1252', 'UTF-8', '\x80', utf8('\u20ac')],
  ['cp437', 'UTF-8', '\x81', utf8('\u00fc')],
  ['x-euc-jp', 'UTF-8', '\xc6\xfc', utf8('\u65e5')],
  ['UTF-8', 'unicodefeff', 'a', 'a\0'],
  ['x-mac-cyrillic', 'UTF-8', '\x80', utf8('\u0410')],
  ['KOI8-R', 'UTF-8', '\xc1', utf8('\u0430')],
  ['UTF-8', 'ISO-8859-1', utf8('\u00e5\u00e4\u00f6'), '\xe5\xe4\xf6'],
  ['UTF-8', 'Shift_JIS', utf8('\u65e5\u672c'), '\x93\xfa\x96\x7b'],
  ['EUC-JP', 'UTF-8', '\xc6\xfc', utf8('\u65e5')],
  ['GB18030', 'UTF-8', '\xc4\xe3', utf8('\u4f60')],
  ['Big5', 'UTF-8', '\xa7\x41', utf8('\u4f60')],
  ['UTF-8', 'EUC-KR', utf8('\uac00'), '\xb0\xa1'],
  ['UTF-8', 'UTF-16', 'a', '\xff\xfea\0'],
  ['UTF-8', 'UTF-16BE', utf8('a\u{1f600}'), '\0a\xd8\x3d\xde\0'],
  ['UTF-16', 'UTF-8', '\xfe\xff\0a', 'a'],
  ['UTF-16', 'UTF-8', '\xff\xfea\0', 'a'],
  ['UTF-16', 'UTF-8', 'a\0', 'a'],
  ['UTF-16LE', 'UTF-8', '\xff\xfea\0', utf8('\ufeffa')],
  ['UTF-8', 'UTF-32', 'a', '\xff\xfe\0\0a\0\0\0'],
  ['UTF-8', 'UCS-4', 'a', '\0\0\0a'],
  ['UTF-32', 'UTF-8', '\0\0\xfe\xff\0\x01\xf6\0', utf8('\u{1f600}')],
  ['UTF-8', 'UTF-7', utf8('\u20ac'), '+IKw-'],
  ['UTF-8', 'UTF-8', utf8('\ufeffa\ufffd'), utf8('\ufeffa\ufffd')],
  ['UTF-8', 'ISO-2022-JP', utf8('a\u65e5\u672cb\n'), 'a\x1b$BF|K\\\x1b(Bb\n'],
  ['ISO-2022-JP', 'UTF-8', 'a\x1b$BF|K\\\x1b(Bb', utf8('a\u65e5\u672cb')],
  ['UTF-8', 'ISO-2022-KR', utf8('\uac00ab'), '\x1b$)C\x0e0!\x0fab'],
  ['ISO-2022-KR', 'UTF-8', '\x1b$)C\x0e0!\x0fab', utf8('\uac00ab')],
])('%s to %s', (from, to, bytes, expected) => {
  expect(convert(from, to, bytes)).toBe(expected);
});

describe('a character set that nobody knows', () => {
  test.each([
    '',
    'x-unknown',
    'base64',
    'b-a-s-e-64',
    'hex',
    'binary',
    'utf-8x',
    '//TRANSLIT',
    '\0',
    '__proto__',
  ])('%j', (name) => {
    expect(openConversion(name, 'UTF-8')).toBeUndefined();
    expect(openConversion('UTF-8', name)).toBeUndefined();
  });

  test('one that can only be read is no target', () => {
    expect(openConversion('x-mac-cyrillic', 'UTF-8')).toBeDefined();
    expect(openConversion('UTF-8', 'x-mac-cyrillic')).toBeUndefined();
  });
});

describe('what is malformed is refused', () => {
  test.each([
    ['UTF-8', 'a\xffb'],
    ['UTF-8', '\xc0\xaf'],
    ['UTF-8', '\xed\xa0\x80'],
    ['UTF-8', '\xf4\x90\x80\x80'],
    ['UTF-8', 'a\xe2\x82b'],
    ['US-ASCII', 'a\x80'],
    ['windows-1252', 'a\x81'],
    ['UTF-16BE', '\xdc\0\0a'],
    ['UTF-16LE', 'a\0\0\xd8b\0'],
    ['UTF-32LE', '\0\xd8\0\0'],
    ['UTF-32BE', '\0\x11\0\0'],
    ['ISO-2022-JP', 'a\xff'],
    ['ISO-2022-KR', 'a\xff'],
  ])('%s %j', (from, bytes) => {
    expect(convert(from, 'UTF-8', bytes)).toBe(EILSEQ);
  });
});

describe('a text that ends inside a character is incomplete', () => {
  test.each([
    ['UTF-8', 'a\xe2\x82'],
    ['UTF-8', '\xf0'],
    ['UTF-16LE', 'a\0b'],
    ['UTF-16LE', 'a\0\x3d\xd8'],
    ['UTF-32', 'a\0\0'],
    ['Shift_JIS', 'a\x93'],
    ['EUC-KR', 'a\xb0'],
    ['Big5', '\xa7'],
  ])('%s %j', (from, bytes) => {
    expect(convert(from, 'UTF-8', bytes)).toBe(EINVAL);
  });
});

describe('what the target lacks', () => {
  const text = utf8('10 \u20ac, Zo\u00eb \u2013 \u65e5');

  test('is refused', () => {
    expect(convert('UTF-8', 'US-ASCII', text)).toBe(EILSEQ);
    expect(convert('UTF-8', 'ISO-8859-1', text)).toBe(EILSEQ);
    expect(convert('UTF-8', 'ISO-2022-JP', utf8('\uff71'))).toBe(EILSEQ);
  });

  test('becomes something alike, in //TRANSLIT', () => {
    expect(convert('UTF-8', 'US-ASCII//TRANSLIT', text)).toBe('10 EUR, Zoe - ?');
    expect(convert('UTF-8', 'ISO-8859-1//translit', text)).toBe('10 EUR, Zo\xeb - ?');
    expect(convert('UTF-8', 'windows-1252//TRANSLIT', text)).toBe('10 \x80, Zo\xeb \x96 ?');
    expect(convert('UTF-8', 'ISO-2022-JP//TRANSLIT', utf8('\uff71'))).toBe('\x1b$B%"\x1b(B');
  });

  test('goes, in //IGNORE, with whatever is malformed', () => {
    expect(convert('UTF-8', 'US-ASCII//IGNORE', text)).toBe('10 , Zo  ');
    expect(convert('UTF-8', 'US-ASCII//IGNORE', 'a\xffb\xe2\x82')).toBe('ab');
    expect(convert('UTF-8', 'UTF-8//IGNORE', `${utf8('\ufffd')}\xff`)).toBe(utf8('\ufffd'));
    expect(convert('UTF-8', 'US-ASCII//TRANSLIT//IGNORE', `${utf8('\u20ac\u65e5')}\xff`)).toBe('EUR?');
    expect(convert('windows-1252', 'UTF-8//IGNORE', 'a\x81b')).toBe('ab');
  });

  test('flags of the source are without effect', () => {
    expect(convert('UTF-8//IGNORE', 'US-ASCII', utf8('\u20ac'))).toBe(EILSEQ);
  });
});

test('a conversion can be used again after a failure', () => {
  const conversion = openConversion('UTF-8', 'ISO-8859-1')!;
  expect(conversion.convert(Buffer.from('\xff', 'latin1'))).toBeUndefined();
  expect(conversion.errno).toBe(EILSEQ);
  expect(conversion.convert(Buffer.from('\u00f6'))!.toString('latin1')).toBe('\xf6');
  expect(conversion.errno).toBe(0);
});

const text = fc.string({ unit: 'binary', maxLength: 50 });

test.each(['UTF-8', 'UTF-16', 'UTF-16BE', 'UTF-16LE', 'UTF-32', 'UTF-32BE', 'UTF-32LE', 'GB18030', 'UTF-7'])(
  '%s holds every text',
  (name) => {
    fc.assert(
      fc.property(text, (one) => {
        const bytes = utf8(one);
        const there = convert('UTF-8', name, bytes);
        expect(convert(name, 'UTF-8', there as string)).toBe(bytes);
      }),
    );
  },
);

test('UTF-8 is taken as strictly as TextDecoder takes it', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const unit = fc.constantFrom(
    0x41,
    0x80,
    0xbf,
    0xc0,
    0xc3,
    0xe0,
    0xe2,
    0xed,
    0xa0,
    0x9f,
    0xef,
    0xf0,
    0x90,
    0xf4,
    0x8f,
    0xf5,
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 8 }).chain(() => fc.array(unit, { maxLength: 8 })),
      (bytes) => {
        let isRight = true;
        try {
          strict.decode(Uint8Array.from(bytes));
        } catch {
          isRight = false;
        }
        expect(typeof convert('UTF-8', 'UTF-16LE', Buffer.from(bytes)) === 'string').toBe(isRight);
      },
    ),
    { numRuns: 2000 },
  );
});

// --- Against the system's iconv ---------------------------------------------------------------------------------

function systemIconv(from: string, to: string, bytes: Buffer): string | undefined {
  const { status, stdout } = spawnSync('iconv', ['-f', from, '-t', to], {
    input: bytes,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  return status === 0 ? stdout.toString('latin1') : undefined;
}

const isGlibc = /GNU libc|GLIBC/i.test(spawnSync('iconv', ['--version'], { encoding: 'utf8' }).stdout ?? '');

describe.skipIf(!isGlibc)('as iconv(1) of glibc has it', () => {
  const letters = [
    [0xa0, 0x17f],
    [0x2010, 0x203a],
    [0x20a0, 0x20bf],
    [0x2150, 0x215f],
    [0x2190, 0x21d4],
    [0x2460, 0x2473],
    [0xff01, 0xff5e],
    [0x410, 0x44f],
  ] as const;
  const all = letters.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => String.fromCharCode(first + i)),
  );
  // Theirs is `?`: a blank with its accent taken off, and marks of direction, which just go.
  const apart = new Set('\u00a8\u00af\u2017\u202a\u202b\u202c\u202d\u202e');

  test('//TRANSLIT makes the same of letters, punctuation, currencies, fractions, arrows', () => {
    const ours = openConversion('UTF-8', 'US-ASCII//TRANSLIT')!;
    const theirs = systemIconv('UTF-8', 'US-ASCII//TRANSLIT', Buffer.from(all.join('\n')))!.split('\n');
    const differences = all.flatMap((one, index) => {
      const made = ours.convert(Buffer.from(one))!.toString('latin1');
      return made === theirs[index] || apart.has(one) ? [] : [`${one}: ${made}, not ${theirs[index]}`];
    });
    expect(differences).toEqual([]);
  });

  test.each([
    'ISO-8859-1',
    'ISO-8859-2',
    'ISO-8859-5',
    'ISO-8859-7',
    'ISO-8859-9',
    'ISO-8859-15',
    'CP1250',
    'CP1251',
    'CP437',
    'CP850',
    'KOI8-R',
    'KOI8-U',
  ])('%s is the same table', (name) => {
    const readable = Array.from({ length: 256 }, (_, byte) => byte).filter(
      (byte) => typeof convert(name, 'UTF-8', Buffer.of(byte)) === 'string',
    );
    expect(readable.length).toBeGreaterThan(200);
    const bytes = Buffer.from(readable);
    expect(convert(name, 'UTF-8', bytes)).toBe(systemIconv(name, 'UTF-8', bytes));
  });

  test.each([
    'SHIFT_JIS',
    'EUC-JP',
    'ISO-2022-JP',
    'EUC-KR',
    'ISO-2022-KR',
    'GB18030',
    'BIG5',
    'UTF-16',
    'UTF-32',
    'UCS-2',
    'UCS-4',
  ])('%s is written the same way', (name) => {
    const samples = {
      'EUC-KR': '\ud55c\uad6d\uc5b4 abc\n\uac00',
      'ISO-2022-KR': '\ud55c\uad6d\uc5b4 abc \uac00',
      BIG5: '\u4f60\u597d abc\n\u4f60',
      GB18030: '\u4f60\u597d abc\n\u{1f600}',
    } as const;
    const sample = samples[name as keyof typeof samples] ?? '\u65e5\u672c\u8a9e abc\n\u3042';
    const bytes = Buffer.from(sample);
    const written = convert('UTF-8', name, bytes);
    expect(written).toBe(systemIconv('UTF-8', name, bytes));
    expect(convert(name, 'UTF-8', written as string)).toBe(bytes.toString('latin1'));
  });
});

test('the longest texts are converted in no time', () => {
  const long = Buffer.from('\u00e5 \u65e5'.repeat(200_000));
  for (const name of [
    'US-ASCII//TRANSLIT',
    'ISO-2022-JP//TRANSLIT',
    'ISO-8859-1//IGNORE',
    'UTF-32',
    'EUC-KR//TRANSLIT',
  ])
    expect(openConversion('UTF-8', name)!.convert(long)).toBeDefined();
  expect(openConversion('UTF-8', 'UTF-16//IGNORE')!.convert(Buffer.alloc(1_000_000, 0xe2))!.length).toBe(2);
}, 5000);
