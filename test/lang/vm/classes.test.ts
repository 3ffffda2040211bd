import { describe, expect, test } from 'vitest';
import { echoOf } from '../../support/ram-script.js';

describe('members', () => {
  test('are reached by -> and by [] alike, variables and functions', async () => {
    const script = `
      class C { $v = 1; function f($x) { return $this->v + $x; } }
      $c = C();
      echo $c["v"]; echo $c->f(1); echo $c["f"](2);
      $name = "v"; echo $c[$name];
      $f = $c->f; echo $f(3);
      echo $c->missing === none ? "none" : "some";`;
    expect(await echoOf(script)).toEqual(['1', '2', '3', '1', '4', 'none']);
  });

  test('that are missing cannot be called', async () => {
    expect(await echoOf('class C {} C()->f();')).toEqual(['failed: C has no function f']);
    expect(await echoOf('$n = none; $n->f();')).toEqual(['failed: none cannot be called (as "f" of none)']);
    expect(await echoOf('class C { $v = 1; } C()->v();')).toEqual([
      'failed: a number cannot be called (as "v" of an object)',
    ]);
  });

  test('on a value that is no object are elements', async () => {
    const script =
      '$a = ["k" => 1]; echo $a->k; $a->l = 2; echo $a; $n = none; echo $n->x === none ? "none" : "";';
    expect(await echoOf(script)).toEqual(['1', '["k"=>1,"l"=>2]', 'none']);
  });

  test('of arrays are written in place and copied on write', async () => {
    const script = `
      class C { $list = ["a"]; }
      $c = C(); $kept = $c->list;
      $c->list[] = "b"; $c->list["k"]["l"] = 1;
      echo $c->list; echo $kept; echo C()->list;`;
    expect(await echoOf(script)).toEqual(['[0=>"a",1=>"b","k"=>["l"=>1]]', '[0=>"a"]', '[0=>"a"]']);
  });
});

test('a constant key of a list, an empty array or a record without it is not there', async () => {
  const script = `
    foreach ([[7], [], ["a" => 7], ["x" => 1, 5 => 2], "text", 5] as $v) echo $v["k"] === none ? "none" : "some";
    foreach ([[7], [], ["a" => 7]] as $v) { $v["k"] = 1; echo $v; }`;
  expect(await echoOf(script)).toEqual([
    ...['none', 'none', 'none', 'none', 'none', 'none'],
    '[0=>7,"k"=>1]',
    '["k"=>1]',
    '["a"=>7,"k"=>1]',
  ]);
});

describe('private', () => {
  const secret =
    'class S { private $v = 1; private function f() { return 2; } function other($s) { return $s->v + $s->f(); } }';

  test('members may be used from functions of the class, on any instance', async () => {
    expect(await echoOf(`${secret} echo S()->other(S());`)).toEqual(['3']);
  });

  test('members are exceptions elsewhere, and not there for isset and ??', async () => {
    const script = `${secret}
      $s = S();
      try { echo $s->v; } catch ($e) { echo $e->message(); }
      try { echo $s->f(); } catch ($e) { echo $e->message(); }
      try { $s->v = 2; } catch ($e) { echo $e->message(); }
      try { unset($s->v); } catch ($e) { echo $e->message(); }
      echo isset($s->v); echo $s->v ?? "default";`;
    expect(await echoOf(script)).toEqual([
      'S->v is private',
      'S->f is private',
      'S->v is private',
      'S->v is private',
      'false',
      'default',
    ]);
  });

  test('members may be used from a closure that is given $this', async () => {
    const script =
      'class C { private $v = 5; function get() { return function () closure ($this) { return $this->v; }; } } echo C()->get()();';
    expect(await echoOf(script)).toEqual(['5']);
  });
});

describe('readonly', () => {
  test('binds the variable, not the object it holds', async () => {
    const script = `
      class Inner { $x = 1; }
      class Outer { readonly $inner; constructor() { $this->inner = Inner(); } }
      $o = Outer();
      $o->inner->x = 2;
      echo $o->inner->x;`;
    expect(await echoOf(script)).toEqual(['2']);
  });

  test('is for writing only in functions of the same instance', async () => {
    const script = `
      class R { readonly $v = [1]; function add() { $this->v[] = 2; } function touch($o) { $o->v = 3; } }
      $r = R(); $r->add(); echo $r->v;
      foreach ([
        function ($r) { $r->v = 1; }, function ($r) { $r->v[] = 1; }, function ($r) { unset($r->v); },
        function ($r) { R()->touch($r); },
      ] as $f) try { $f($r); } catch ($e) { echo $e->message(); }`;
    expect(await echoOf(script)).toEqual([
      '[0=>1,1=>2]',
      'R->v is readonly outside of its object',
      'R->v is readonly outside of its object',
      'R->v is readonly outside of its object',
      'R->v is readonly outside of its object',
    ]);
  });
});

describe('construction', () => {
  test('fills in defaults and rest parameters, and ignores what the constructor returns', async () => {
    const script = `
      class C { constructor($a, $b = 2, ...$rest) { $this->all = [$a, $b, $rest]; return 5; } }
      echo C(1)->all; echo C(1, 3, 4, 5)->all;
      $make = C; echo $make(1, 3, 4)->all; echo $make(...[7])->all;`;
    expect(await echoOf(script)).toEqual([
      '[0=>1,1=>2,2=>[]]',
      '[0=>1,1=>3,2=>[0=>4,1=>5]]',
      '[0=>1,1=>3,2=>[0=>4]]',
      '[0=>7,1=>2,2=>[]]',
    ]);
  });

  test('of a class without constructor takes no arguments', async () => {
    expect(await echoOf('class C {} $make = C; $make(1);')).toEqual([
      'failed: C has no constructor and takes 0 arguments, not 1',
    ]);
  });
});

test('static variables start anew in every execution', async () => {
  const script =
    'class C { static $n = 0; static function up() { return ++static::$n; } } C::up(); echo C::up();';
  expect(await echoOf(script)).toEqual(['2']);
  expect(await echoOf(script)).toEqual(['2']);
});

test('objects are compared by identity', async () => {
  const script =
    'class C {} $a = C(); $b = $a; echo $a == $b; echo $a === $b; echo $a == C(); echo C() === C();';
  expect(await echoOf(script)).toEqual(['true', 'true', 'false', 'false']);
});
