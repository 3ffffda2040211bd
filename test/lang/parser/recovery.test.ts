import { describe, expect, test } from 'vitest';
import { printScript } from '../../../lang/ast/print.js';
import { renderLine } from '../../../lang/diagnostics/render.js';
import { findings, parseText } from './reading.js';

function messages(text: string): string[] {
  return parseText(text).diagnostics.map((one) => renderLine(one).replace(/^test\.hsl:/, ''));
}

describe('one mistake is one message, at its place', () => {
  test.each([
    ['echo 1 echo 2;', '1:8: error HSL1100: unexpected keyword "echo"; expected an operator or ";"'],
    ['echo 1\necho 2;', '1:7: error HSL1112: expected ";" before keyword "echo"'],
    ['echo (1;', '1:8: error HSL1100: unexpected ";"; expected an operator or ")"'],
    ['echo;', '1:5: error HSL1100: unexpected ";"; expected an expression'],
    ['$a = 1 + * 3;', '1:10: error HSL1100: unexpected "*"; expected an expression'],
    [
      'if ($a $b) { echo 1; } else { echo 2; }',
      '1:8: error HSL1100: unexpected "$b"; expected an operator or ")"',
    ],
    ['if $a { echo 1; }', '1:4: error HSL1100: unexpected "$a"; expected "("'],
    ['f(,);', '1:3: error HSL1100: unexpected ","; expected an argument or ")"'],
    ['f(1 2);', '1:5: error HSL1100: unexpected "2"; expected "," or ")"'],
    ['$x = [1, 2;', '1:11: error HSL1100: unexpected ";"; expected "," or "]"'],
    [
      'function f($a,) {}',
      '1:15: error HSL1100: unexpected ")"; expected a parameter. No comma is allowed behind the last parameter.',
    ],
    ['global $a,;', '1:11: error HSL1100: unexpected ";"; expected a variable'],
    ['import { a, } from "x";', '1:13: error HSL1100: unexpected "}"; expected a name or a variable'],
    ['function () closure ($a,) {};', '1:25: error HSL1100: unexpected ")"; expected a variable'],
    [
      '{\n  {\n',
      '3:1: error HSL1100: unexpected the end of the script; expected "}". The { in line 2, column 3 is never closed.',
    ],
    ['} echo 1;', '1:1: error HSL1101: unexpected "}". There is one } too many.'],
    ['$a + 1 = 2;', '1:6: error HSL1103: a number cannot be assigned to. To compare, write ==.'],
    [
      '($a) = 1;',
      '1:1: error HSL1103: an expression in parentheses cannot be assigned to. To compare, write ==.',
    ],
    ['f() = 1;', '1:1: error HSL1103: the result of a call cannot be assigned to. To compare, write ==.'],
    ['++f();', '1:3: error HSL1103: the result of a call cannot be assigned to'],
    ['A::f = 1;', '1:1: error HSL1103: the function A::f cannot be assigned to. To compare, write ==.'],
    ['array($a) = [1];', '1:1: error HSL1103: an array cannot be assigned to'],
    ['[$a] += 1;', '1:1: error HSL1103: an array cannot be assigned to'],
    [
      '[$a, [$b]] = f();',
      '1:6: error HSL1104: an array cannot be a target of a destructuring assignment. Take the inner array into a variable and destructure that.',
    ],
    ['[, $b] = f();', '1:2: error HSL1100: unexpected ","; expected an element or "]"'],
    [
      'foreach ($a as [$x]) {}',
      '1:16: error HSL1105: an array cannot be a loop variable of foreach. Take the element into a variable and destructure that in the body.',
    ],
    [
      'for ($i = 0, $j = 1; ; ) {}',
      '1:12: error HSL1100: unexpected ","; expected ";" or ")". Each part of for (...; ...; ...) is one expression.',
    ],
    [
      'echo 1, 2;',
      '1:7: error HSL1100: unexpected ","; expected ";". echo takes one expression; join texts with ".".',
    ],
    [
      'break 2;',
      '1:7: error HSL1100: unexpected "2"; expected an operator or ";". break and continue act on the innermost loop and take no number.',
    ],
    [
      'switch (1) { echo 1; case 1: }',
      '1:14: error HSL1111: a switch must begin with a case or default label; found keyword "echo"',
    ],
    [
      'include "a$b";',
      '1:9: error HSL1110: the path after include must be a string without variables. Files are found when the script is compiled, before any variable has a value.',
    ],
    [
      'import { a as $b } from "x";',
      '1:15: error HSL1121: a cannot be imported as $b. A function or class has a name without $.',
    ],
    [
      'import * as match from "x";',
      '1:13: error HSL1100: unexpected keyword "match"; expected a name. "match" is a reserved word; choose another name.',
    ],
    ['cache f();', '1:7: error HSL1100: unexpected "f"; expected an array of options'],
    [
      'cache [] $f();',
      '1:10: error HSL1117: cache takes one call of a named function, builtin or static function; found "$f"',
    ],
    ['class A { readonly function f() {} }', '1:11: error HSL1115: "readonly" does not apply to a function'],
    [
      'class A { echo 1; function f() {} }',
      '1:11: error HSL1100: unexpected keyword "echo"; expected a variable, a function or the constructor of the class',
    ],
    ['$a[1:2:3:4];', '1:9: error HSL1100: unexpected ":"; expected an operator or "]"'],
    ['match ($x) { };', '1:14: error HSL1100: unexpected "}"; expected an arm: value => result'],
    [
      'else { }',
      '1:1: error HSL1101: unexpected keyword "else". This else belongs to no if: there is a statement too many before it, or an if too few.',
    ],
    [
      '$a = object;',
      '1:6: error HSL1100: unexpected keyword "object"; expected an expression. object is a reserved word without a meaning.',
    ],
    [
      '__debug ["a$b", "c"] ;',
      '1:1: error HSL1118: a debug point is named by two strings: __debug ["debug", "point"] statement',
    ],
    ['echo "abc;\necho 2;', '1:6: error HSL1002: this string never ends; expected a closing "'],
    [
      'echo 1.2.3;',
      '1:6: error HSL1010: ambiguous concatenation: "1.2.3" may be read in two ways. Put blanks around the point that joins.',
    ],
  ])('%j', (text, message) => {
    expect(messages(text)).toEqual([message]);
  });
});

describe('what HSL does not have is named, with what to write instead (hsl-language 18)', () => {
  test.each([
    ['if (1 && 2) {}', '"&&"; use "and"'],
    ['if (1 || 2) {}', '"||"; use "or"'],
    ['$a xor $b;', '"xor"; compare'],
    ['$a = new A(1);', '"new"; call the class like a function'],
    ['if (1) {} elseif (2) {} else {}', '"elseif"; write "else if"'],
    ['do { f(); } while (1);', 'do ... while; use forever'],
    ['try {} catch ($e) {} finally { f(); }', '"finally"; repeat'],
    ['if ($a in $b) {}', 'operator "in"; use array_includes'],
    [
      'foreach ($x in $list) {}',
      'operator "in"; use array_includes(value, array); a loop is written foreach ($list as $value)',
    ],
    ['$a?->b;', '"?->"; use "->"'],
    ['$a |= 1;', '"|="; write'],
    ['print "x";', '"print"; use "echo"'],
    ['goto end;', '"goto"; use a loop'],
    ['const X = 1;', '"const"; assign to a variable'],
    ['class A extends B {}', 'inheritance; hold'],
    ['$f = ($x) => $x;', 'arrow functions; write function'],
    ['$f = fn($x) => $x;', 'arrow functions; write function'],
    ['f(name: 1);', 'named arguments; pass'],
    ['function f(&$x) {}', 'references; arrays are copied'],
    ['foreach ($a as &$v) {}', 'references; arrays are copied'],
    ['export function f() {}', '"export"; leave it out'],
    ['memoize f(1);', '"memoize"; use cache'],
    ['function f() { static $n = 0; }', 'static local variables; use a static variable of a class'],
    ['function f(string $x, $y) {}', 'type annotations; leave the type out'],
    ['function f(array $x) {}', 'type annotations; leave the type out'],
    ['function f(): int {}', 'type annotations; leave the type out'],
    ['class A { public function f() {} }', '"public"; the modifiers are'],
    ['# comment', 'comments that begin with #; use //'],
    ['$a = <<<X\ntext\nX;', 'heredocs; use a raw string'],
    ['require "x";', '"require"; use "include"'],
    ['let $x = 1;', '"let"; assign'],
    ['async function f() {}', '"async"; leave it out'],
    ['struct S {}', '"struct"; write a class'],
  ])('%j', (text, message) => {
    const found = messages(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`HSL1200: HSL has no ${message}`);
  });

  test('exponents, single quotes and ?. as well', () => {
    expect(messages('echo 1e5;')[0]).toContain('there is no exponent form');
    expect(messages("echo 'two words';")[0]).toContain('Strings stand in double quotes');
    expect(messages('$a?.b;')[0]).toContain('HSL has no "?."');
  });
});

describe('several mistakes', () => {
  const text = [
    'function f($a {',
    '  return $a + ;',
    '}',
    'echo f(1 2);',
    'if ($x == ) { echo "never"; }',
    'echo "fine";',
    '$y = 1 && 2;',
    'foreach ($list as $v { echo $v; }',
    'class A { private $x = ; function g() { new B(); } }',
    'echo 1__0;',
  ].join('\n');

  test('are all reported, each in its line', () => {
    expect(findings(parseText(text).diagnostics)).toEqual([
      '1:15 HSL1100',
      '2:15 HSL1100',
      '4:10 HSL1100',
      '5:11 HSL1100',
      '7:8 HSL1200',
      '8:22 HSL1100',
      '9:24 HSL1100',
      '9:41 HSL1200',
      '10:6 HSL1009',
    ]);
  });

  test('leave what is right in the tree', () => {
    const printed = printScript(parseText(text).script);
    expect(printed).toContain('echo "fine";');
    expect(printed).toContain('function g()');
  });

  test('stop being reported when there are too many', () => {
    const { diagnostics } = parseText('echo );\n'.repeat(1000));
    expect(diagnostics.length).toBeLessThan(250);
    expect(diagnostics.at(-1)?.code).toBe('HSL1113');
  });
});
