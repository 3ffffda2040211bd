import { describe, expect, test } from 'vitest';
import { echoOf } from '../../support/ram-script.js';

const upTo = 'function upTo($n) { for ($i = 1; $i <= $n; $i++) yield $i; }';

describe('a generator', () => {
  test('gives its values to foreach, with running keys or its own', async () => {
    const script = `${upTo}
      function named() { yield "a" => 1; yield "b" => 2; yield; }
      foreach (upTo(2) as $k => $v) echo "$k=$v";
      foreach (named() as $k => $v) echo "$k=$v";`;
    expect(await echoOf(script)).toEqual(['0=1', '1=2', 'a=1', 'b=2', '0=none']);
  });

  test('is driven by next(), which goes on saying that it is done', async () => {
    const script = `${upTo}
      $it = upTo(1);
      echo $it->next(); echo $it->next(); echo $it->next();`;
    const done = '["value"=>none,"done"=>true]';
    expect(await echoOf(script)).toEqual(['["value"=>1,"done"=>false]', done, done]);
  });

  test('goes on where it stands, whoever asks', async () => {
    const script = `${upTo}
      $it = upTo(4);
      echo $it->next()["value"];
      foreach ($it as $v) { echo $v; if ($v == 3) break; }
      foreach ($it as $v) echo "then $v";
      foreach ($it as $v) echo "never";`;
    expect(await echoOf(script)).toEqual(['1', '2', '3', 'then 4']);
  });

  test('checks its arguments when it is called and runs nothing', async () => {
    const script = `${upTo} $f = upTo; try { $f(); } catch ($e) { echo $e->message(); }
      function loud() { echo "runs"; yield 1; } loud(); echo "quiet";`;
    expect(await echoOf(script)).toEqual(['upTo takes 1 argument, not 0', 'quiet']);
  });

  test('that throws is finished, and the exception goes to who asked', async () => {
    const script = `
      function g() { yield 1; throw "broken"; }
      $it = g();
      try { foreach ($it as $v) echo $v; } catch ($e) { echo $e; }
      echo $it->next()["done"];`;
    expect(await echoOf(script)).toEqual(['1', 'broken', 'true']);
  });

  test('catches inside itself', async () => {
    const script = `
      function g() { try { yield 1; throw "x"; } catch ($e) { yield "caught $e"; } }
      foreach (g() as $v) echo $v;`;
    expect(await echoOf(script)).toEqual(['1', 'caught x']);
  });

  test('nests', async () => {
    const script = `${upTo}
      function twice($n) { foreach (upTo($n) as $v) { yield $v; yield $v; } }
      function all() { foreach (twice(2) as $k => $v) yield "$k:$v"; }
      foreach (all() as $v) echo $v;`;
    expect(await echoOf(script)).toEqual(['0:1', '1:1', '2:2', '3:2']);
  });

  test('cannot ask itself', async () => {
    const script = `
      $it = none;
      $f = function () closure ($it) { $it->next(); yield 1; };
      $it = $f();
      try { $it->next(); } catch ($e) { echo $e->message(); }`;
    expect(await echoOf(script)).toEqual(['a generator cannot ask itself for its next value']);
  });

  test('may be a method or a closure', async () => {
    const script = `
      class C { $n = 2; function each() { for ($i = 0; $i < $this->n; $i++) yield $i; } }
      foreach (C()->each() as $v) echo $v;
      $sum = 10;
      $f = function ($x) closure ($sum) { yield $sum + $x; };
      foreach ($f(1) as $v) echo $v;`;
    expect(await echoOf(script)).toEqual(['0', '1', '11']);
  });

  test('with a bound next() can be asked through a function value', async () => {
    const script = `${upTo} $next = upTo(1)->next; echo $next()["value"]; echo $next()["done"];`;
    expect(await echoOf(script)).toEqual(['1', 'true']);
  });
});

test('foreach over anything that cannot be walked is an exception', async () => {
  for (const [value, name] of [
    ['none', 'none'],
    ['5', 'number'],
    ['"text"', 'string'],
  ])
    expect(await echoOf(`foreach (${value} as $v) echo $v;`)).toEqual([
      `failed: foreach walks arrays and iterators, not ${name}`,
    ]);
  expect(await echoOf('class C {} foreach (C() as $v) echo $v;')).toEqual([
    'failed: foreach cannot walk a C',
  ]);
});

test('foreach walks the array as it was', async () => {
  const script = `
    $a = [1, 2];
    foreach ($a as $k => $v) { $a[] = $v + 10; unset($a[0]); echo "$k=$v"; }
    echo $a;
    $d = ["x" => [1], 5 => [2]];
    foreach ($d as $k => $v) { $v[] = 9; $d[$k] = $v; unset($d[5]); }
    echo $d;`;
  expect(await echoOf(script)).toEqual(['0=1', '1=2', '[1=>2,2=>11,3=>12]', '["x"=>[0=>1,1=>9]]']);
});
