import { describe, expect, test } from 'vitest';
import { builtin, HslArray, HslObject } from '#lang';
import { keyOf } from '../../../lang/vm/cache.js';
import { RamHost } from '../../support/ram-host.js';
import { echoOf } from '../../support/ram-script.js';

/** Runs with one host, so that the cache lasts. */
const host = new RamHost();
async function said(script: string): Promise<readonly string[]> {
  host.echoed.length = 0;
  return [...(await echoOf(script, { host }))];
}

const look = 'function look($x) { echo "run"; return $x; }';

describe('a cached call', () => {
  test('runs once per arguments, for all executions, until its time is up', async () => {
    const script = `${look} echo cache ["ttl" => 10] look(1);`;
    expect(await said(script)).toEqual(['run', '1']);
    expect(await said(script)).toEqual(['1']);
    host.clock.push(10.5);
    expect(await said(script)).toEqual(['run', '1']);
  });

  test('keeps what it stores apart from what the script does with it', async () => {
    const script = 'function list() { return ["a"]; } $l = cache [] list(); $l[] = "b"; echo $l;';
    expect(await said(script)).toEqual(['[0=>"a",1=>"b"]']);
    expect(await said(script)).toEqual(['[0=>"a",1=>"b"]']);
  });

  test('that throws stores nothing', async () => {
    const script =
      'function fails() { echo "run"; throw "no"; } try { cache [] fails(); } catch ($e) { echo $e; }';
    expect(await said(script)).toEqual(['run', 'no']);
    expect(await said(script)).toEqual(['run', 'no']);
  });

  test('lives as long as ttl_override, then ttl_function, then ttl say', async () => {
    const script = (value: string) => `
      function of($x) { echo "run"; return $x; }
      cache ["ttl" => 100, "ttl_override" => ["bad" => 1], "ttl_function" => function ($r) { return $r == "slow" ? 50 : none; }] of(${value});`;
    for (const value of ['"bad"', '"slow"', '"good"']) expect(await said(script(value))).toEqual(['run']);
    host.clock.push(2);
    expect([await said(script('"bad"')), await said(script('"slow"')), await said(script('"good"'))]).toEqual(
      [['run'], [], []],
    );
    host.clock.push(60);
    expect([await said(script('"slow"')), await said(script('"good"'))]).toEqual([['run'], []]);
  });

  test('hands old and new value to update_function when it refreshes', async () => {
    const script = `
      function count() { return 1; }
      echo cache ["force" => true, "update_function" => function ($old, $new) { return $old + $new; }] count();`;
    expect([await said(script), await said(script), await said(script)]).toEqual([['1'], ['2'], ['3']]);
  });

  test('keeps at most `size` results, throwing out the oldest unless lru is false', async () => {
    const script = (value: number, lru: boolean) =>
      `function few${lru}($x) { echo "run"; return $x; } cache ["size" => 2, "lru" => ${lru}] few${lru}(${value});`;
    for (const value of [1, 2, 3]) await said(script(value, true));
    expect([await said(script(1, true)), await said(script(3, true))]).toEqual([['run'], []]);
    for (const value of [1, 2, 3]) await said(script(value, false));
    expect([await said(script(1, false)), await said(script(3, false))]).toEqual([[], ['run']]);
  });

  test('refuses options of a wrong type', async () => {
    expect(await said(`${look} cache ["ttl" => "x"] look(77);`)).toEqual([
      'run',
      'failed: cache option "ttl" must be a number, not string',
    ]);
  });

  test('may be of a builtin', async () => {
    let calls = 0;
    const counted = builtin({
      name: 'counted',
      group: 'types',
      summary: 'Counts its calls.',
      params: [{ name: 'x', type: 'any' }],
      returns: 'number',
      run: () => ++calls,
    });
    const script = 'echo cache [] counted([1, "a" => none]); echo cache [] counted([1, "a" => none]);';
    expect(await echoOf(script, { declarations: [counted] })).toEqual(['1', '1']);
  });
});

test('keys are equal exactly for arguments that are ===', () => {
  const object = new HslObject({ name: 'C' }, new Map(), undefined);
  const same = () => [1, 'a', HslArray.fromRecord({ k: HslArray.fromList([true, null]) }), object];
  expect(keyOf(same())).toBe(keyOf(same()));
  const different = [
    [1],
    ['1'],
    [true],
    [null],
    [0, -1],
    ['a', 'b'],
    ['ab'],
    ['a1:b'],
    [HslArray.fromList(['a'])],
    [HslArray.fromRecord({ a: 'a' })],
    [HslArray.empty(), HslArray.empty()],
    [HslArray.fromList([HslArray.empty()])],
    [object],
    [new HslObject({ name: 'C' }, new Map(), undefined)],
  ];
  expect(new Set(different.map(keyOf)).size).toBe(different.length);
});
