import { describe, expect, test } from 'vitest';
import { printScript } from '../../../lang/ast/print.js';
import { loadParser } from '../../../lang/parser/index.js';
import { bare, expressionOf, fileOf, grouped, scriptOf } from './reading.js';

describe('operators are grouped by their level (hsl-language 5.1)', () => {
  test.each([
    ['1 + 2 * 3 - 4 / 2', '((1 + (2 * 3)) - (4 / 2))'],
    ['10 - 2 - 3', '((10 - 2) - 3)'],
    ['2 ** 3 ** 2', '(2 ** (3 ** 2))'],
    ['-2 ** 2', '(-(2 ** 2))'],
    ['2 ** -1', '(2 ** (-1))'],
    ['2 ** -1 ** 2', '(2 ** (-(1 ** 2)))'],
    ['2 * 3 ** 2', '(2 * (3 ** 2))'],
    ['!$a ** 2', '(!($a ** 2))'],
    ['- -$x', '(-(-$x))'],
    ['not $a and $b', '((!$a) and $b)'],
    ['!$a == $b', '((!$a) == $b)'],
    ['~$a & $b', '((~$a) & $b)'],
    ['3 + 4 . "th"', '((3 + 4) . "th")'],
    ['"v" . 6 + 1', '("v" . (6 + 1))'],
    ['$a << 1 + 2', '($a << (1 + 2))'],
    ['"a" . 1 << 2', '("a" . (1 << 2))'],
    ['$a . $b < $c', '(($a . $b) < $c)'],
    ['$a < $b == $c > $d', '(($a < $b) == ($c > $d))'],
    ['$a == $b & $c', '(($a == $b) & $c)'],
    ['$a | $b ^ $c & $d', '($a | ($b ^ ($c & $d)))'],
    ['$a or $b and $c', '($a or ($b and $c))'],
    ['$a == 1 and $b =~ $c or $d !~ $e', '((($a == 1) and ($b =~ $c)) or ($d !~ $e))'],
    ['$a ?? $b or $c', '($a ?? ($b or $c))'],
    ['$a ?? $b ?? $c', '($a ?? ($b ?? $c))'],
    ['$a ?? 500 * 1024', '($a ?? (500 * 1024))'],
    ['$a ? $b : $c ? $d : $e', '($a ? $b : ($c ? $d : $e))'],
    ['$a ? $b ? 1 : 2 : 3', '($a ? ($b ? 1 : 2) : 3)'],
    ['$a ?: $b == 1 ? $c : $d', '($a ? : (($b == 1) ? $c : $d))'],
    ['$a ? : $b', '($a ? : $b)'],
    ['$c ? $x ?? $y : $z', '($c ? ($x ?? $y) : $z)'],
    ['$x == 1 and $y ? 1 : 2', '((($x == 1) and $y) ? 1 : 2)'],
    ['$i-->0', '(($i--) > 0)'],
    ['$a+++$b', '(($a++) + $b)'],
    ['$a - -$b', '($a - (-$b))'],
    ['!$n--', '(!($n--))'],
    ['++$a["x"]->y', '(++$a["x"]->y)'],
  ])('%s is %s', (text, expected) => {
    expect(grouped(expressionOf(text))).toBe(expected);
  });
});

describe('an assignment may stand wherever an operand may', () => {
  test.each([
    ['$a = $b = 5', '($a = ($b = 5))'],
    ['!$line = next()', '(!($line = next()))'],
    ['$a and $b = 5', '($a and ($b = 5))'],
    ['1 + $n = 2', '(1 + ($n = 2))'],
    ['!$r = 1 == 2 or 3 == 3', '(!($r = ((1 == 2) or (3 == 3))))'],
    ['$c ? ++$x : $x = 0', '($c ? (++$x) : ($x = 0))'],
    ['$ok = f() == 1 and g()', '($ok = ((f() == 1) and g()))'],
    ['2 ** $x = 3', '(2 ** ($x = 3))'],
    ['$a += $b -= 1', '($a += ($b -= 1))'],
    ['$a ??= $b ? 1 : 2', '($a ??= ($b ? 1 : 2))'],
    ['$a["k"] .= "x"', '($a["k"] .= "x")'],
  ])('%s is %s', (text, expected) => {
    expect(grouped(expressionOf(text))).toBe(expected);
  });
});

describe('postfix parts', () => {
  test.each([
    ['$a[0]["k"]->m(1)[1:]', '$a[0]["k"]->m(1)[1::]'],
    ['$o->echo->class', '$o->echo->class'],
    ['f()()', 'f()()'],
    ['$a[:]', '$a[::]'],
    ['$a[1:2:-1]', '$a[1:2:(-1)]'],
    ['$a[::2]', '$a[::2]'],
    ['$a[1::2]', '$a[1::2]'],
    ['$a[::]', '$a[::]'],
    ['$a[1: :2]', '$a[1::2]'],
    ['$a[$x ? 1 : 2 : 3]', '$a[($x ? 1 : 2):3:]'],
    ['$p[-(f($p) <= 3 ? f($p) - 1 : 2):]', '$p[(-((f($p) <= 3) ? (f($p) - 1) : 2))::]'],
    ['"abc"[1]', '"abc"[1]'],
    ['($f)(1)', '$f(1)'],
  ])('%s is %s', (text, expected) => {
    expect(grouped(expressionOf(text))).toBe(expected);
  });
});

describe('every construct is read and printed back', () => {
  test.each([
    ['echo "a" . 1;'],
    ['if (1) echo 1; else if (2) echo 2; else echo 3;'],
    ['for (;;) ;'],
    ['for ($i = 0; $i < 3; $i++) ;'],
    ['foreach ($a ?: [] as $k => $v) ;'],
    ['foreach (f() as $o->x[1]) ;'],
    ['forever break;'],
    ['while (!($l = next())) continue;'],
    ['throw Exception("x");'],
    ['global $a, $b;'],
    ['return;'],
    ['include "a.hsl";'],
    ['include_once "a.hsl";'],
    ['import { a, b as c, $x as $y } from "m";'],
    ['import * as ns from "m";'],
    ['import $x from "f.csv" with ["delimiter" => ";"];'],
    ['[$a, $b = 3, ...$rest] = f();'],
    ['["k" => $a, "l" => $b[0] = 1] = $c;'],
    ['[] = f();'],
    ['$a[] = 1;'],
    ['A::$x["k"] += 1;'],
    ['static::$n++;'],
    ['ns::f(1);'],
    ['cache ["ttl" => 1] f(1);'],
    ['cache [] builtin f(...$a);'],
    ['cache [] static::f();'],
    ['unset($a["x"][1:2]);'],
    ['echo isset($a->b) ? builtin length("x") : none;'],
    ['yield;'],
    ['yield 1 => 2;'],
    ['$x = (yield 1);'],
    ['__debug ["d", "p"] echo 1;'],
    ['f(function ($x) closure ($y) {}, ...$z);'],
    ['$f = function () closure () {};'],
    ['"x" =~ #/a\\/b/i;'],
    ['a::match(b::echo);'],
  ])('%s', (text) => {
    expect(printScript(scriptOf(text))).toBe(`${text}\n`);
  });

  test.each([
    ['barrier "a" . $b => $c { $c = 1 }', 'barrier "a" . $b => $c {\n  $c = 1;\n}\n'],
    ['try { f(); } catch ($e) { }', 'try {\n  f();\n} catch ($e) {}\n'],
    [
      'switch (1) { case 1: case f(): break; default: { echo 1; } }',
      'switch (1) {\n  case 1:\n  case f():\n    break;\n  default:\n    {\n      echo 1;\n    }\n}\n',
    ],
    [
      'echo match ($x) { 1, 2 => "a", default => "b", };',
      'echo match ($x) {\n  1, 2 => "a",\n  default => "b",\n};\n',
    ],
    ['function ($x) { return $x; }(5);', 'function ($x) {\n  return $x;\n}(5);\n'],
    ['array(1, "k" => 2,);', '[1, "k" => 2];\n'],
    ['f(1, 2,);', 'f(1, 2);\n'],
    ['[$a, $b,] = [1, 2,];', '[$a, $b] = [1, 2];\n'],
    ['cache ["ttl" => 60,] f();', 'cache ["ttl" => 60] f();\n'],
    ['not $a;', '!$a;\n'],
    ['if (1) if (2) ; else ;', 'if (1) if (2) ; else ;\n'],
    [
      'class C { private static $a = 1; readonly private $b; ; constructor($x = 1) {}; static private function f() {} $c }',
      'class C {\n  private static $a = 1;\n  private readonly $b;\n  constructor($x = 1) {}\n  private static function f() {}\n  $c;\n}\n',
    ],
  ])('%s', (text, expected) => {
    expect(printScript(scriptOf(text))).toBe(expected);
  });

  test('the ; may be missing before } and at the end', () => {
    expect(printScript(scriptOf('if (1) { echo 1 } return 2'))).toBe('if (1) {\n  echo 1;\n}\nreturn 2;\n');
  });

  test('a dangling else goes to the nearest if', () => {
    expect(bare(scriptOf('if (1) if (2) ; else break;'))).toEqual(
      bare(scriptOf('if (1) if (2) ; else break;')),
    );
    const [outer] = scriptOf('if (1) if (2) ; else break;').body;
    expect(outer?.kind === 'If' && outer.otherwise).toBeUndefined();
  });

  test('a name that other languages use is an ordinary name where HSL allows one', () => {
    const text = 'print($new, $o->in, fn::do());\nelseifs();\nin(new(), xor);\n';
    expect(printScript(scriptOf(text))).toBe(text);
  });
});

describe('spans', () => {
  test('of a statement run from its first byte to its ;', () => {
    const text = '  echo 1 + $a ;  $b[0]->c(2)  ;';
    const spans = scriptOf(text).body.map(({ span }) => text.slice(span.start, span.end));
    expect(spans).toEqual(['echo 1 + $a ;', '$b[0]->c(2)  ;']);
  });

  test('of variables in a string are exact', () => {
    const text = '$_ = "å $a ${b}c";';
    const template = expressionOf(text.slice(5, -1));
    const names =
      template.kind === 'Template' ? template.parts.filter((part) => typeof part !== 'string') : [];
    const bytes = fileOf(text).text;
    expect(names.map(({ span }) => bytes.slice(span.start, span.end))).toEqual(['$a', '${b}']);
  });

  test('of operators cover both operands', () => {
    const text = '$_ = $a  or  f( 1 ) ;';
    const node = expressionOf('$a  or  f( 1 ) ');
    expect(text.slice(node.span.start, node.span.end)).toBe('$a  or  f( 1 )');
  });
});

test('there is one parser per process', async () => {
  const [one, two] = await Promise.all([loadParser(), loadParser()]);
  expect(one).toBe(two);
  expect(one.parse(fileOf('echo 1;')).diagnostics).toEqual([]);
});
