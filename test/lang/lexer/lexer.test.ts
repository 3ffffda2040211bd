import { describe, expect, test } from 'vitest';
import { renderLine } from '../../../lang/diagnostics/render.js';
import { tokenize } from '../../../lang/lexer/lexer.js';
import { readNumber } from '../../../lang/lexer/numbers.js';
import { readRawString, readString } from '../../../lang/lexer/strings.js';
import { cpuSeconds } from '../../support/cpu-time.js';
import { fileOf } from '../parser/reading.js';

function words(text: string): string[] {
  const { tokens, problems } = tokenize(fileOf(text));
  expect(problems.map(renderLine)).toEqual([]);
  return tokens.map((token) => token.image);
}

function kinds(text: string): string[] {
  return tokenize(fileOf(text)).tokens.map((token) => token.tokenType.name);
}

function problems(text: string): string[] {
  return tokenize(fileOf(text)).problems.map((one) => renderLine(one).replace(/^test\.hsl:/, ''));
}

describe('the longest sign wins', () => {
  test.each([
    ['a>>>b', ['a', '>>>', 'b']],
    ['$x =~5', ['$x', '=~', '5']],
    ['$x = ~5', ['$x', '=', '~', '5']],
    ['!~', ['!~']],
    ['$i-->0', ['$i', '--', '>', '0']],
    ['?:', ['?', ':']],
    ['$a[::2]', ['$a', '[', '::', '2', ']']],
    ['...$x', ['...', '$x']],
    ['a??=b', ['a', '??=', 'b']],
    ['$a**=2', ['$a', '**=', '2']],
    ['a===b!==c', ['a', '===', 'b', '!==', 'c']],
    ['$x.5', ['$x', '.', '5']],
    ['1 . 5', ['1', '.', '5']],
    ['5.', ['5', '.']],
    ['$a->b=>c', ['$a', '->', 'b', '=>', 'c']],
    ['$a+++$b', ['$a', '++', '+', '$b']],
  ])('%s', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });
});

describe('comments and white space separate tokens and are gone', () => {
  test.each([
    ['a // b\nc', ['a', 'c']],
    ['a /* b \n c */ d', ['a', 'd']],
    ['a /* /* */ b */', ['a', 'b', '*', '/']],
    ['\t\r\n a', ['a']],
    ['/**/a//', ['a']],
    ['"//" /* " */ a', ['"//"', 'a']],
  ])('%j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });
});

describe('keywords', () => {
  test('are names behind -> and behind the :: of a class', () => {
    expect(kinds('$o->echo Foo::match static::class $o -> or')).toEqual([
      'Variable',
      'Sign ->',
      'Identifier',
      'Identifier',
      'Sign ::',
      'Identifier',
      'Word static',
      'Sign ::',
      'Identifier',
      'Variable',
      'Sign ->',
      'Identifier',
    ]);
  });

  test('stay keywords behind the two colons of a slice', () => {
    expect(kinds('$a[1::not $b]')).toContain('Word not');
    expect(kinds('$a[::none]')).toContain('Word none');
  });

  test('are told apart from names that begin like them', () => {
    expect(kinds('echo echoes Echo includeonce include_once')).toEqual([
      'Word echo',
      'Identifier',
      'Identifier',
      'Identifier',
      'Word include_once',
    ]);
  });

  test('may name the methods of a class, but nothing inside them', () => {
    expect(problems('class C { function match() {} private static function foreach() {} }')).toEqual([]);
    expect(problems('class C { function f() { function match() {} } }')).toHaveLength(1);
    expect(problems('$a->class; { function match() {} }')).toHaveLength(1);
    expect(problems('class C { function constructor() {} }')).toHaveLength(1);
  });

  test('cannot name a function or class', () => {
    expect(problems('function foreach() {} class if {}')).toEqual([
      '1:10: error HSL1109: "foreach" is a keyword and cannot be the name of a function',
      '1:29: error HSL1109: "if" is a keyword and cannot be the name of a class',
    ]);
  });
});

describe('numbers', () => {
  test.each([
    ['0', 0],
    ['007', 7],
    ['1_000_000', 1000000],
    ['1_0.2_5', 10.25],
    ['0xff_FF', 65535],
    ['0x00_ff', 255],
    ['0o7_7', 63],
    ['0b1010_0101', 165],
    ['0xffffffffffffffff', 2 ** 64],
    ['9007199254740993', 9007199254740992],
    ['0.1', 0.1],
  ])('%s is %d', (text, value) => {
    expect(readNumber(text)).toEqual({ kind: 'number', value });
    expect(words(text)).toEqual([text]);
  });

  test.each([
    ['1_', 'a _ stands between two digits only'],
    ['1__0', 'a _ stands between two digits only'],
    ['0x_1', 'a _ stands between two digits only'],
    ['1_.5', 'a _ stands between two digits only'],
    ['0x', 'a hexadecimal number has at least one digit behind 0x'],
    ['0xg', 'that is no hexadecimal digit'],
    ['0b2', 'that is no binary digit'],
    ['0o8', 'that is no octal digit'],
    ['0XFF', 'the prefix is written 0x'],
    ['1e5', 'there is no exponent form'],
    ['1.5e', 'there is no exponent form'],
    ['12abc', 'a name cannot begin with a digit'],
  ])('%s is none', (text, why) => {
    expect(problems(text)).toEqual([`1:1: error HSL1009: "${text}" is not a number: ${why}`]);
  });

  test.each(['1.2.3', '1.2.3.4', '0x1.5'])('%s is an ambiguous concatenation', (text) => {
    expect(problems(text)[0]).toContain('HSL1010: ambiguous concatenation');
  });
});

describe('double-quoted strings', () => {
  const named = (name: string, start: number, end: number) => ({ name, start, end });
  test.each([
    ['""', []],
    ['"abc"', ['abc']],
    ['"a\\"b\\\\c\\$d"', ['a"b\\c$d']],
    ['"\\n\\r\\t"', ['\n\r\t']],
    ['"A\\x42\\x4a\\xfF"', ['ABJ\xff']],
    ['"\\x4"', ['\\x4']],
    ['"\\xzz"', ['\\xzz']],
    ['"\\d\\0\\u\\\'"', ["\\d\\0\\u\\'"]],
    ['"two\nlines"', ['two\nlines']],
    ['"$a"', [named('a', 1, 3)]],
    ['"x$a_1[0]"', ['x', named('a_1', 2, 6), '[0]']],
    ['"${n}name"', [named('n', 1, 5), 'name']],
    ['"$1 US$ 5 $"', ['$1 US$ 5 $']],
    ['"${a b} ${} ${1} ${"', ['${a b} ${} ${1} ${']],
    ['"\\$a\\\\$a"', ['$a\\', named('a', 6, 8)]],
    ['"$a$b"', [named('a', 1, 3), named('b', 3, 5)]],
    ['"$o->p"', [named('o', 1, 3), '->p']],
  ])('%s', (text, parts) => {
    expect(words(text)).toEqual([text]);
    expect(readString(text)).toEqual(parts);
  });

  test('may hold any byte', () => {
    expect(problems('"å“\x00"')).toEqual([]);
  });

  test('without an end are reported where they begin, and reading goes on in the next line', () => {
    expect(problems('echo "abc;\necho @;')).toEqual([
      '1:6: error HSL1002: this string never ends; expected a closing "',
      '2:6: error HSL1001: unexpected character "@"',
    ]);
  });
});

describe('raw strings', () => {
  test.each([
    ["''a\\n$b''", 'a\\n$b'],
    ["'x'it''s raw'x'", "it''s raw"],
    ["''it's''", "it's"],
    ["'#'say ''hi'''#'", "say ''hi''"],
    ["''one\ntwo''", 'one\ntwo'],
    ["''''", ''],
    ["'END'a'END'", 'a'],
  ])('%s', (text, value) => {
    expect(words(text)).toEqual([text]);
    expect(readRawString(text)).toBe(value);
  });

  test('that were meant as plain strings are explained', () => {
    expect(problems("echo 'two words'; echo 'one';")).toEqual([
      "1:6: error HSL1004: this ' opens no raw string; expected another ' right after it or after a delimiter word. Strings stand in double quotes; a raw string is written ''text'' or 'W'text'W'.",
      "1:24: error HSL1003: this raw string never ends; expected a closing 'one'. 'one' opens a raw string that ends at the next 'one'. For a plain string write \"one\".",
    ]);
  });
});

describe('pattern literals', () => {
  test.each(['#/a/', '#/\\//', '#/[/', '#/a b/imsxuUX', '#/\\\\/'])('%s', (text) => {
    expect(words(text)).toEqual([text]);
  });

  test.each([
    ['#//', '1:1: error HSL1007'],
    ['#/abc', '1:1: error HSL1006'],
    ['#/abc\n/', '1:1: error HSL1006'],
    ['#/a/ig', '1:6: error HSL1008: unknown pattern flag "g"'],
    ['#/\\/', '1:1: error HSL1006'],
  ])('%j is refused', (text, message) => {
    expect(problems(text)[0]).toContain(message);
  });
});

describe('what is no HSL is named', () => {
  test.each([
    ['echo “hi there”;', 'HSL1000: a typographic quote (U+201C) cannot stand here'],
    ['echo\u00a01;', 'HSL1000: a no-break space (U+00A0) cannot stand here'],
    ['$å = 1;', 'HSL1001'],
    ['a – b', 'HSL1000: a dash (U+2013)'],
    ['\ufeffecho 1;', 'HSL1000: a byte order mark (U+FEFF)'],
    ['€', 'HSL1000: the character'],
    ['# a comment', 'HSL1200: HSL has no comments that begin with #; use //'],
    ['/* never', 'HSL1005: this comment never ends'],
    ['a && b', 'HSL1200: HSL has no "&&"; use "and"'],
    ['a || b', 'HSL1200: HSL has no "||"; use "or"'],
    ['$a |= 1', 'HSL1200: HSL has no "|="'],
    ['$a <<= 1', 'HSL1200: HSL has no "<<="'],
    ['$a >>= 1', 'HSL1200: HSL has no ">>="'],
    ['$a ^= 1', 'HSL1200: HSL has no "^="'],
    ['$a &= 1', 'HSL1200: HSL has no "&="'],
    ['$a?->b', 'HSL1200: HSL has no "?->"; use "->"'],
    ['$a?.b', 'HSL1200: HSL has no "?."; use "->"'],
    ['$a <> $b', 'HSL1200: HSL has no "<>"; use "!="'],
    ['$a = <<<EOT\nx\nEOT;', 'HSL1200: HSL has no heredocs; use a raw string'],
    ['`ls`', 'HSL1001: unexpected character "`"'],
    ['\x07', 'HSL1001: unexpected character 0x07'],
  ])('%j', (text, message) => {
    const found = problems(text);
    expect(found[0]).toContain(message);
  });

  test('a lone byte is named by its value', () => {
    const { problems: found } = tokenize({ name: 'x', text: '$a\xe5 = 1;\xa0' });
    expect(found.map((one) => one.message.split(' cannot')[0])).toEqual([
      'the byte 0xe5',
      'the byte 0xa0 (a no-break space in Latin-1)',
    ]);
  });

  test('a pair of typographic quotes is one message', () => {
    expect(problems('echo “hi there”; echo 1;')).toHaveLength(1);
  });
});

test('many texts without an end do not make reading slow', async () => {
  const hostile = [
    "'a' ".repeat(50_000),
    '"\\"\n'.repeat(50_000),
    '“'.repeat(50_000),
    '#/x\n'.repeat(20_000),
  ];
  for (const text of hostile) {
    expect(await cpuSeconds(() => tokenize(fileOf(text)))).toBeLessThan(2);
  }
});
