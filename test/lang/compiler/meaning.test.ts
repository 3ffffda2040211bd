// What compiled scripts do, where the compiler had to decide something: order of evaluation, who holds an array, what a
// failing statement leaves behind. Rules that are one instruction of the VM are tested there and by the conformance cases.

import { expect, test } from 'vitest';
import { run } from '../../support/run-script.js';

const cases: readonly (readonly [fact: string, script: string, output: readonly string[]])[] = [
  // order
  ['operands are read from left to right', '$a = 1; echo $a + ($a = 5); echo $a;', ['6', '5']],
  ['an increment does not change what stands left of it', '$i = 1; echo $i . $i++ . $i;', ['112']],
  [
    'arguments keep the value they had',
    'function f($x, $y) { return "$x$y"; } $i = 1; echo f($i, $i = 2);',
    ['12'],
  ],
  [
    'an array keeps the value an element had',
    '$a = [1]; echo [$a, $a[] = 2, $a];',
    ['[0=>[0=>1],1=>2,2=>[0=>1,1=>2]]'],
  ],
  [
    'the right side comes before the subscripts',
    'function f($x) { echo $x; return $x; } $a = []; $a[f("k")][f("l")] = f("v");',
    ['v', 'k', 'l'],
  ],
  [
    'a target is evaluated once',
    'function k() { echo "k"; return 0; } $a = [1]; $a[k()] += 5; $a[k()]++; echo $a;',
    ['k', 'k', '[0=>7]'],
  ],
  [
    '??= evaluates its value only when needed',
    'function v() { echo "v"; return 1; } $a["x"] ??= v(); $a["x"] ??= v(); echo $a;',
    ['v', '["x"=>1]'],
  ],
  [
    'none on the left of a dot fails before the next call',
    'function f() { echo "called"; return "x"; } $n = none; echo "a" . $n . f();',
    ['error: none cannot be concatenated; test it or give it a default with ??'],
  ],
  [
    'a dot reads a list before a later call changes it',
    'function add() { global $l; $l[] = 2; return "!"; } $l = [1]; echo $l . add() . $l;',
    ['[0=>1]![0=>1,1=>2]'],
  ],
  [
    '> evaluates its left side first',
    'function f($x) { echo $x; return $x; } echo f(1) > f(2);',
    ['1', '2', 'false'],
  ],
  [
    'defaults of destructuring are lazy',
    'function d() { echo "d"; return 9; } [$a = d(), $b = d()] = [1]; echo "$a$b";',
    ['d', '19'],
  ],
  [
    'a missing element takes the default, a none does not',
    '[$a = 1, $b = 2] = [none]; echo $a ?? "none"; echo $b;',
    ['none', '2'],
  ],
  ['destructuring reads everything before it writes', '$a = [1, 2]; [$a, $b] = $a; echo "$a$b";', ['12']],
  ['destructuring gives its right side', '$r = ([$x] = [7, 8]); echo $r;', ['[0=>7,1=>8]']],

  // assignment
  ['x = x ?? y keeps x', '$x = 5; $x = $x ?? 6; echo $x;', ['5']],
  [
    'a failing expression leaves the variable alone',
    'function f() { throw 1; } $x = 5; try { $x = none ?? f(); } catch ($e) { } echo $x;',
    ['5'],
  ],
  [
    'a failing array literal leaves the variable alone',
    'function f() { throw 1; } $x = [1]; try { $x = [...$x, f()]; } catch ($e) { } echo $x;',
    ['[0=>1]'],
  ],
  ['x = x++ keeps x', '$x = 5; $x = $x++; echo $x;', ['5']],
  [
    'a slice is replaced',
    '$o["l"] = [1, 2, 3]; $o["l"][1:2] = ["a", "b"]; echo $o;',
    ['["l"=>[0=>1,1=>"a",2=>"b",3=>3]]'],
  ],
  ['a slice of a variable that is not there', '$n[0:0] = [1]; echo $n;', ['[0=>1]']],
  [
    'a slice is removed and keys stay',
    '$a = [1, 2, 3]; echo unset($a[0:2]); echo $a; echo unset($a[5:]);',
    ['true', '[2=>3]', 'false'],
  ],
  ['a slice may be augmented', '$a = [1, 2, 3]; $a[0:2] += ["x"]; echo $a;', ['[0=>1,1=>2,2=>"x",3=>3]']],
  [
    'an element of a static variable',
    'class C { static $m = []; } C::$m["a"]["b"] = 1; C::$m["a"]["c"] ??= 2; echo C::$m;',
    ['["a"=>["b"=>1,"c"=>2]]'],
  ],
  [
    'an element of a property',
    'class C { $l = [1]; } $c = C(); $c->l[] = 2; $c->m["x"] = 1; $d = $c; $d->l[0]++; echo $c->l; echo $c->m;',
    ['[0=>2,1=>2]', '["x"=>1]'],
  ],
  [
    "a write into a call's result is lost",
    'function f() { global $g; return $g; } $g = [1]; f()[0] = 5; echo $g;',
    ['[0=>1]'],
  ],
  [
    'a write into a chosen variable is lost',
    '$a = [1]; $b = [2]; (true ? $a : $b)[0] = 5; echo $a;',
    ['[0=>1]'],
  ],
  [
    'unset makes a variable undeclared',
    '$a = 1; unset($a); echo $a ?? "gone"; echo $a;',
    ['gone', 'error: variable $a is not declared'],
  ],
  ['a scalar becomes an array when written into', '$a = "text"; $a["k"] = 1; echo $a;', ['["k"=>1]']],

  // who holds an array
  [
    'an argument is a copy',
    'function f($a) { $a[] = 2; return $a; } $x = [1]; echo f($x); echo $x;',
    ['[0=>1,1=>2]', '[0=>1]'],
  ],
  [
    'a parameter that is only read is lent',
    'function f($a) { return $a; } $x = [1]; $y = f($x); $y[] = 2; echo $x;',
    ['[0=>1]'],
  ],
  [
    'a lent parameter passed on to a writer',
    'function w($a) { $a[] = 2; return length($a); } function f($a) { return w($a) . length($a); } $x = [1]; echo f($x) . length($x);',
    ['211'],
  ],
  [
    'a lent parameter kept in an object',
    'class K { $v; } function keep($o, $a) { $o->v = $a; } $k = K(); $x = [1]; keep($k, $x); $x[] = 2; echo $k->v;',
    ['[0=>1]'],
  ],
  [
    'x = f(x) hands the array over',
    'function f($a) { $a[] = 2; return $a; } $x = [1]; $x = f($x); $x = f($x); echo $x;',
    ['[0=>1,1=>2,2=>2]'],
  ],
  [
    'x = f(x) that fails leaves x as it was',
    'function f($a) { $a[] = 2; throw 1; } $x = [1]; try { $x = f($x); } catch ($e) { } echo $x;',
    ['[0=>1]'],
  ],
  [
    'x = f(x, x) does not hand it over',
    'function f($a, $b) { $a[] = 2; return $b; } $x = [1]; $x = f($x, $x); echo $x;',
    ['[0=>1]'],
  ],
  [
    'a closure has the variable, not a copy',
    '$l = [1]; $f = function () closure ($l) { $l[] = 2; }; $m = $l; $f(); echo $l; echo $m;',
    ['[0=>1,1=>2]', '[0=>1]'],
  ],
  [
    'foreach walks what it started with',
    '$a = [1, 2]; foreach ($a as $v) { $a[] = $v; } echo $a;',
    ['[0=>1,1=>2,2=>1,3=>2]'],
  ],
  [
    'foreach over a property that is written',
    'class C { $l = [1, 2]; } $c = C(); foreach ($c->l as $v) $c->l[] = $v; echo $c->l;',
    ['[0=>1,1=>2,2=>1,3=>2]'],
  ],
  [
    'a loop variable is a copy',
    '$a = [[1], [2]]; foreach ($a as $v) { $v[] = 9; } echo $a;',
    ['[0=>[0=>1],1=>[0=>2]]'],
  ],
  [
    'a nested array is a copy when read',
    '$a = ["l" => [1]]; $b = $a["l"]; $b[] = 2; echo $a;',
    ['["l"=>[0=>1]]'],
  ],
  ['a nested array is a copy when stored', '$b = [1]; $a["l"] = $b; $a["l"][] = 2; echo $b;', ['[0=>1]']],
  [
    'a literal is the same every time',
    'function f() { $a = ["k" => [1]]; $a["k"][] = 2; return $a; } f(); echo f();',
    ['["k"=>[0=>1,1=>2]]'],
  ],
  [
    'a default is the same every time',
    'function f($a = [1]) { $a[] = 2; return $a; } f(); echo f();',
    ['[0=>1,1=>2]'],
  ],
  [
    'a field starts the same in every object',
    'class C { $l = []; function add() { $this->l[] = 1; return $this; } } C()->add(); echo C()->add()->l;',
    ['[0=>1]'],
  ],
  [
    'a returned local array is not shared with the next call',
    'function f() { $a = [1]; return $a; } $x = f(); $x[] = 2; echo f();',
    ['[0=>1]'],
  ],
  [
    'spread arguments are copies',
    'function f($a) { $a[] = 2; } $l = [[1]]; f(...$l); echo $l;',
    ['[0=>[0=>1]]'],
  ],
  ['what is thrown is a copy', '$a = [1]; try { throw $a; } catch ($e) { $e[] = 2; } echo $a;', ['[0=>1]']],
  [
    'what is yielded is a copy',
    'function g() { $a = [1]; yield $a; $a[] = 2; yield $a; } foreach (g() as $v) { $v[] = 9; echo $v; }',
    ['[0=>1,1=>9]', '[0=>1,1=>2,2=>9]'],
  ],
  [
    "a generator's argument is a copy",
    'function g($a) { foreach ($a as $v) yield $v; } $x = [1, 2]; foreach (g($x) as $v) { $x[] = $v; } echo $x;',
    ['[0=>1,1=>2,2=>1,3=>2]'],
  ],
  [
    'a callback may change the list that is mapped',
    '$l = [1, 2]; echo array_map(function ($x) closure ($l) { $l[] = $x; return $x; }, $l); echo $l;',
    ['[0=>1,1=>2]', '[0=>1,1=>2,2=>1,3=>2]'],
  ],

  // closures and scopes
  [
    'each call makes its own captured variables',
    'function c() { $n = 0; return function () closure ($n) { $n++; return $n; }; } $a = c(); $b = c(); $a(); echo $a() . $b();',
    ['21'],
  ],
  [
    'two closures of one call share',
    'function c() { $n = 0; return [function () closure ($n) { $n++; }, function () closure ($n) { return $n; }]; } $p = c(); $p[0](); $p[0](); echo $p[1]();',
    ['2'],
  ],
  [
    'a captured parameter',
    'function c($n) { return function ($by) closure ($n) { $n += $by; return $n; }; } $f = c(5); $f(1); echo $f(2);',
    ['8'],
  ],
  [
    'a closure in a closure',
    'function c() { $n = 1; return function () closure ($n) { return function () closure ($n) { $n *= 2; return $n; }; }; } $f = c()(); $f(); echo $f();',
    ['4'],
  ],
  [
    'an undeclared captured variable',
    '$f = function () closure ($late) { return $late ?? "no"; }; echo $f(); $late = 1; echo $f();',
    ['no', '1'],
  ],
  [
    'unset is seen by all who share',
    '$x = 1; $f = function () closure ($x) { unset($x); }; $f(); echo isset($x);',
    ['false'],
  ],
  [
    '$this in a closure reaches private members',
    'class C { private $n = 3; function f() { return function () closure ($this) { return $this->n; }; } } echo C()->f()();',
    ['3'],
  ],
  [
    'an inner function sees outer functions only',
    'function f() { function g() { return h(); } function h() { return "h"; } return g(); } echo f();',
    ['h'],
  ],
  [
    'static:: in a closure',
    'class C { static $n = 4; static function f() { return function () { return static::$n; }; } } echo C::f()();',
    ['4'],
  ],
  [
    'global is created late',
    'function f() { global $new; if (!isset($new)) $new = 1; $new++; } f(); f(); echo $new;',
    ['3'],
  ],

  // control flow
  [
    'continue in a for loop does the step',
    'for ($i = 0; $i < 4; $i++) { if ($i % 2) continue; echo $i; }',
    ['0', '2'],
  ],
  [
    'continue in a switch continues the loop',
    'foreach ([1, 2] as $v) { switch ($v) { case 1: continue; } echo $v; }',
    ['2'],
  ],
  [
    'default in the middle falls through',
    'switch (9) { case 1: echo 1; default: echo "d"; case 2: echo 2; }',
    ['d', '2'],
  ],
  [
    'labels are evaluated lazily',
    'function l($x) { echo "l$x"; return $x; } switch (1) { case l(1): echo "one"; break; case l(2): }',
    ['l1', 'one'],
  ],
  [
    'while with a long condition',
    '$i = 0; while ($i < 3 and ($i + 1 > 0 or $i == 100) and !($i > 50) and $i != 77 and $i !== 78) $i++; echo $i;',
    ['3'],
  ],
  ['while over a not', '$n = 3; while (!($n == 0)) $n--; echo $n;', ['0']],
  [
    'while over a call',
    'function more() { global $n; return --$n; } $n = 3; while (more()) echo $n;',
    ['2', '1'],
  ],
  ['an empty condition is true', 'for ($i = 0; ; $i++) if ($i > 2) break; echo $i;', ['3']],
  ['while (0) runs nothing', 'while (0) echo 1; echo 2;', ['2']],
  ['break leaves the innermost loop', 'forever { forever { break; } echo "out"; break; }', ['out']],
  [
    'try in a loop with continue',
    'foreach ([1, 2, 3] as $v) { try { if ($v == 2) continue; if ($v == 3) throw "x"; echo $v; } catch ($e) { echo $e; } }',
    ['1', 'x'],
  ],
  [
    'return in try leaves the function',
    'function f() { try { return 1; } catch ($e) { return 2; } } echo f();',
    ['1'],
  ],
  [
    'an exception in a handler goes outwards',
    'try { try { throw 1; } catch ($e) { throw "two"; } } catch ($e) { echo $e; }',
    ['two'],
  ],
  [
    'catch stores into a captured variable',
    '$f = function () closure ($e) { return $e; }; try { throw "t"; } catch ($e) { } echo $f();',
    ['t'],
  ],
  [
    'and, or give booleans',
    'echo 1 and "x"; echo 0 or ""; echo "a" or f(); function f() { echo "never"; }',
    ['true', 'false', 'true'],
  ],
  ['a condition may assign', 'if ($x = 0 or $y = 5) echo "$y"; echo $x;', ['5', 'true']],
  [
    'match tries arms in order, default last',
    'echo match (2) { default => "d", 1, 2 => "low", 2 => "no" };',
    ['low'],
  ],
  ['match without an arm fails', 'echo match (3) { 1 => 2 };', ['error: no arm of match takes 3']],
  [
    'nested calls in arguments',
    'function f($a, $b = 2, ...$c) { return "$a$b" . length($c); } echo f(f(1), f(1, f(5)), f(0), f(1, 2, 3));',
    ['120152002'],
  ],
  [
    'a generator hands out pairs',
    'function g() { yield "a" => 1; yield 5; } foreach (g() as $k => $v) echo "$k=$v";',
    ['a=1', '0=5'],
  ],
  ['foreach into elements', 'foreach (["x" => 1] as $p["k"] => $p["v"]) { } echo $p;', ['["k"=>"x","v"=>1]']],
  [
    'foreach into captured variables',
    '$f = function () closure ($k, $v) { return "$k$v"; }; foreach (["a" => 1] as $k => $v) echo $f();',
    ['a1'],
  ],

  // barrier
  [
    'break leaves a barrier and stores',
    'forever { barrier "m1" => $v { $v = 1; break; } } barrier "m1" => $w { echo $w; }',
    ['1'],
  ],
  [
    'return leaves a barrier and stores',
    'function f() { barrier "m2" => $v { $v = 2; return $v; } } echo f(); barrier "m2" => $w { echo $w; }',
    ['2', '2'],
  ],
  [
    'an exception leaves a barrier and stores',
    'try { barrier "m3" => $v { $v = 3; throw 1; } } catch ($e) { } barrier "m3" => $w { echo $w; }',
    ['3'],
  ],
  [
    'an undeclared variable removes the entry',
    'barrier "m4" => $v { $v = 1; } barrier "m4" => $v { unset($v); } barrier "m4" => $v { echo isset($v); }',
    ['false'],
  ],
  [
    'nested barriers are left one by one',
    'foreach ([1, 2] as $i) { barrier "m5" => $a { $a = $i; barrier "m6" => $b { $b = $i; continue; } } } barrier "m5" => $a { echo $a; } barrier "m6" => $b { echo $b; }',
    ['2', '2'],
  ],

  // folding
  [
    'constants are folded as they would run',
    'echo 2 ** 3 ** 2 . "x" . 3 * -1; echo "ab"[1:]; echo [1, 2] + [3]; echo "%\'0>3s" % [7];',
    ['512x-3', 'b', '[0=>1,1=>2,2=>3]', '007'],
  ],
  [
    'what fails when folded fails when run',
    'echo "before"; try { echo 1 / 0; } catch ($e) { echo $e->message(); }',
    ['before', 'division by zero'],
  ],
  ['a branch that is never taken may be wrong', 'if (false) echo 1 / 0; echo true ? 1 : 2;', ['1']],
  ['minus zero stays apart from zero', '$z = 0; echo 1 / (-0 + 1) . 0 . -0;', ['100']],
  [
    'large numbers are not cut',
    'echo 4294967296 + 1; $x = 4294967296; echo $x - 2147483648; echo $x > 3000000000;',
    ['4294967297', '2147483648', 'true'],
  ],
  ['integer keys in all spellings', '$a = [1 => "a"]; echo $a["1"] . $a[1.7] . $a[true];', ['aaa']],
];

test.each(cases)('%s', async (_fact, script, output) => {
  expect(await run(script)).toEqual(output);
});
