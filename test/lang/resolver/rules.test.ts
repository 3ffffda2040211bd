import { expect, test } from 'vitest';
import { findings } from '../../support/compile-errors.js';

/** Each script, and the findings it must give. */
const cases: readonly (readonly [fact: string, script: string, expected: readonly string[]])[] = [
  // names
  ['an unknown function is refused', 'echo 1;\necho nothing_like_it(1);', ['HSL2002:2']],
  ['a builtin is known', 'echo length("a");', []],
  ['builtin asks the library only', 'function f() { return 1; }\necho builtin f();', ['HSL2027:2']],
  ['a function may be called above its definition', 'echo f();\nfunction f() { return 1; }', []],
  ['two functions of one name clash', 'function f() { }\nfunction f() { }', ['HSL2008:2']],
  ['a class and a function share a namespace', 'class A { }\nfunction A() { }', ['HSL2008:2']],
  ['a nested function is unknown outside', 'function f() { function g() { } }\ng();', ['HSL2002:2']],
  ['a nested function sees its siblings', 'function f() { function g() { h(); } function h() { } }', []],
  [
    'an anonymous function sees named ones',
    'function f() { return 1; }\n$g = function () { return f(); };',
    [],
  ],
  ['a namespace that does not exist', 'echo nowhere::f();', ['HSL2042:1']],

  // variables
  ['a variable nothing sets', 'echo $never;', ['HSL2001:1']],
  ['a variable nothing sets, in code that never runs', 'if (false) echo $never;', ['HSL2001:1']],
  ['code that never runs may read what was set', '$a = 1;\nif (false) echo $a;', []],
  ['code that never runs may read a parameter', 'function f($a) { return 1; return $a; }', ['HSL9002:1']],
  ['a variable set below may be set in another turn', 'for (;;) { if (isset($a)) echo $a; $a = 1; }', []],
  ['a read guarded by isset is fine', 'if (isset($x)) echo $x;', []],
  ['?? needs no variable', 'echo $x ?? 1;\necho $x["a"]->b ?? 2;', []],
  ['a global variable is not seen in a function', '$g = 1;\nfunction f() { return $g; }', ['HSL2001:2']],
  ['global makes it seen', '$g = 1;\nfunction f() { global $g; return $g; }', []],
  [
    'a variable of the function around is not seen',
    '$v = 1; $f = function () { return $v; };',
    ['HSL2001:1'],
  ],
  ['++ needs a variable that exists', 'function f() { $n++; return $n; }', ['HSL2001:1']],
  ['a path brings its variable into being', '$a["x"][] = 1;\necho $a;', []],
  ['an operator on an element does not', '$a["x"] .= 1;', ['HSL2001:1']],
  ['interpolation reads', 'echo "$missing";', ['HSL2001:1']],
  ['one report per variable and function', 'echo $a; echo $a;\necho $b;', ['HSL2001:1', 'HSL2001:2']],
  ['a parameter is there', 'function f($a, ...$r) { return [$a, $r]; }', []],
  ['catch sets its variable', 'try { throw 1; } catch ($e) { echo $e; }', []],
  ['destructuring sets its variables', '[$a, $b = 1, ...$c] = [1];\necho [$a, $b, $c];', []],
  ['foreach sets its variables', 'foreach ([1] as $k => $v) echo $k + $v;', []],

  // $this and static
  ['$this outside a class', 'echo $this;', ['HSL2018:1']],
  ['$this in a static function', 'class A { static function f() { return $this; } }', ['HSL2018:1']],
  [
    '$this in a closure that does not list it',
    'class A { function f() { return function () { return $this; }; } }',
    ['HSL2018:1'],
  ],
  [
    '$this in a closure that lists it',
    'class A { function f() { return function () closure ($this) { return $this; }; } }',
    [],
  ],
  ['$this cannot be assigned', 'class A { function f() { $this = 1; } }', ['HSL2019:1']],
  ['$this cannot be a parameter', 'function f($this) { }', ['HSL2019:1']],
  [
    '$this cannot be a loop variable',
    'class A { function f() { foreach ([1] as $this) { } } }',
    ['HSL2019:1'],
  ],
  ['static:: outside a class', 'function f() { return static::$x; }', ['HSL2020:1']],
  ['an unknown static variable', 'class A { static $x = 1; }\necho A::$y;', ['HSL2021:2']],
  ['an instance variable is not static', 'class A { $x = 1; }\necho A::$x;', ['HSL2022:2']],
  ['an instance function is not static', 'class A { function f() { } }\nA::f();', ['HSL2022:2']],
  ['a private static variable', 'class A { private static $x = 1; }\necho A::$x;', ['HSL2023:2']],
  ['a private static function', 'class A { private static function f() { } }\nA::f();', ['HSL2023:2']],
  ['private statics inside', 'class A { private static $x = 1; static function f() { return A::$x; } }', []],
  ['a function cannot be assigned to', 'class A { static function f() { } }\nA::f = 1;', ['HSL1103:2']],

  // placement
  ['break outside a loop', 'echo 1;\nbreak;', ['HSL2003:2']],
  ['continue outside a loop', 'continue;', ['HSL2003:1']],
  ['break ends a switch', 'switch (1) { case 1: break; }', []],
  ['continue in a switch needs a loop', 'switch (1) { case 1: continue; }', ['HSL2003:1']],
  [
    'a loop around a function does not count',
    'forever { $f = function () { break; }; $f(); break; }',
    ['HSL2003:1'],
  ],
  ['yield at top level', 'yield 1;', ['HSL2005:1']],
  ['yield in a constructor', 'class A { constructor() { yield 1; } }', ['HSL2005:1']],
  ['global at top level', '$g = 1;\nglobal $g;', ['HSL2006:2']],
  ['return at top level', 'return 5;', []],

  // global
  ['global for a parameter', 'function f($a) { global $a; }', ['HSL2009:1']],
  ['global behind an assignment', 'function f() { $a = 1;\nglobal $a; }', ['HSL2009:2']],
  ['global twice', '$a = 1;\nfunction f() { global $a; global $a; return $a; }', []],
  ['global for what does not exist yet', 'function f() { global $a; $a = 1; }\nf();\necho $a;', []],

  // parameters
  ['a parameter twice', 'function f($a, $a) { }', ['HSL2010:1']],
  ['a required parameter behind a default', 'function f($a = 1, $b) { }', ['HSL2011:1']],
  ['a parameter behind the rest', 'function f(...$a, $b) { }', ['HSL2012:1']],
  ['a default that is not constant', 'function f($a = $b) { }', ['HSL2013:1']],
  ['a default that calls', 'function f($a = length("x")) { }', ['HSL2013:1']],
  ['a default that fails', 'function f($a = 1 / 0) { }', ['HSL2014:1']],
  [
    'constant defaults',
    'function f($a = 60 * 5, $b = ["k" => [1, -2]], $c = "a" . 1, $d = true ? 1 : 2) { }',
    [],
  ],
  ['a closure lists a variable twice', '$a = 1; $f = function () closure ($a, $a) { };', ['HSL2034:1']],
  ['a closure lists a parameter', '$a = 1; $f = function ($a) closure ($a) { };', ['HSL2034:1']],

  // classes
  ['a variable and a function of one name', 'class A { $a = 1;\nfunction a() { } }', ['HSL2024:2']],
  ['a variable twice', 'class A { $a;\nstatic $a; }', ['HSL2024:2']],
  ['two constructors', 'class A { constructor() { }\nconstructor() { } }', ['HSL2025:2']],
  ['an initial value that is not constant', 'class A { $a = length("x"); }', ['HSL2013:1']],

  // calls
  ['too few arguments', 'function f($a, $b) { }\nf(1);', ['HSL2015:2']],
  ['too many arguments', 'function f($a, $b = 1) { }\nf(1, 2, 3);', ['HSL2015:2']],
  ['a rest takes any number', 'function f($a, ...$r) { }\nf(1, 2, 3);', []],
  ['a builtin with too few arguments', 'echo length();', ['HSL2015:1']],
  ['a builtin with too many arguments', 'echo length(1, 2);', ['HSL2015:1']],
  ['a constructor with too many arguments', 'class A { constructor($a) { } }\nA(1, 2);', ['HSL2015:2']],
  ['a class without constructor takes none', 'class A { }\nA(1);', ['HSL2015:2']],
  ['a static function is counted', 'class A { static function f($a) { } }\nA::f();', ['HSL2015:2']],
  ['a function called on the spot is counted', 'function ($a) { return $a; }();', ['HSL2015:1']],
  ['a spread may be anything', 'function f($a, $b) { }\nf(...[1, 2]);\nf(1, ...[2]);', []],
  ['a spread does not hide a surplus', 'function f($a) { }\nf(1, 2, ...[3]);', ['HSL2015:2']],
  ['the native class Exception is counted', 'throw Exception();', ['HSL2015:1']],
  ['a cached call is counted', 'function f($a) { }\ncache [] f();', ['HSL2015:2']],
  ['a class cannot be cached', 'class A { }\ncache [] A();', ['HSL2039:2']],
  ['an unknown cache option is a warning', 'function f() { }\ncache ["tttl" => 5] f();', ['HSL9003:2']],

  // assignments and paths
  ['reading []', '$a = [];\necho $a[];', ['HSL2035:2']],
  ['adding to []', '$a = [];\n$a[] += 1;', ['HSL2035:2']],
  ['keyed and positional targets', '[$a, "k" => $b] = [1];', ['HSL2030:1']],
  ['a target behind the rest', '[...$a, $b] = [1];', ['HSL2031:1']],
  ['the rest behind keys', '["a" => $a, ...$b] = [1];', ['HSL2032:1']],
  ['isset of a call', 'isset(length("a"));', ['HSL2036:1']],
  ["isset of a call's element", 'function f() { return []; }\nisset(f()["a"]);', ['HSL2036:2']],
  ['unset of a slice', '$a = [1];\nunset($a[0:1]);', []],
  ['isset of a slice', '$a = [1];\nisset($a[0:1]);', ['HSL2036:2']],
  ['a bad pattern literal', 'echo "a" =~ #/(/;', ['HSL2038:1']],
  ['a bad pattern string', 'echo "a" =~ "(";', ['HSL2038:1']],
  ['a bad pattern for a builtin', 'echo 1;\necho pcre_match("(", "a");', ['HSL2038:2']],

  // warnings
  [
    'an operator that cannot work on its literals',
    'echo 1;\nif (length("a") == 0) echo [1] / 2;',
    ['HSL9001:2'],
  ],
  ['code behind return', 'function f() { return 1;\necho 2; }', ['HSL9002:2']],
  ['code behind an endless loop', 'forever { }\necho 2;', ['HSL9002:2']],
  ['break behind return is a habit', 'switch (1) { case 1: return 1; break; }', []],
];

test.each(cases)('%s', async (_fact, script, expected) => {
  expect(await findings(script)).toEqual(expected);
});
