// Builtins that work through much: what they make counts before the script has it, and the event loop turns meanwhile.

import { describe, expect, test } from 'vitest';
import { type BuiltinSteps, builtin, call, callAtomic, HslArray, PAUSE, type Value } from '#lang';
import { RamHost } from '../../support/ram-host.js';
import { echoOf, startScript } from '../../support/ram-script.js';

const tooMuch = 'failed: the script uses more than 100000 bytes of memory for strings and arrays';
const memory = { memory: 100_000 };

const fetched = builtin({
  name: 'fetched',
  group: 'http',
  summary: 'Gives a text that it did not count.',
  params: [{ name: 'length', type: 'number' }],
  returns: 'string',
  suspends: true,
  run: (length) => Promise.resolve('x'.repeat(length)),
});

const made = builtin({
  name: 'made',
  group: 'strings',
  summary: 'Gives a list that it did not count.',
  params: [{ name: 'length', type: 'number' }],
  returns: 'array',
  run: (length) => HslArray.fromList(Array(length).fill(1)),
});

/** Counts a kilobyte per piece; the pieces are nowhere but in its own variables. */
const collect = builtin({
  name: 'collect',
  group: 'strings',
  summary: 'Collects pieces.',
  params: [
    { name: 'pieces', type: 'number' },
    { name: 'between', type: 'function|none', optional: true },
  ],
  returns: 'number',
  callbacks: true,
  *run(pieces, between, ctx): BuiltinSteps<Value> {
    for (let piece = 0; piece < pieces; piece++) {
      ctx.charge(1000);
      if (between) yield call(between);
      else yield PAUSE;
    }
    return pieces;
  },
});

const declarations = [fetched, made, collect];

describe('the memory limit', () => {
  test('counts what a builtin gives, at once or later', async () => {
    const keep = (expression: string) => `$all = []; forever { $all[] = ${expression}; }`;
    expect(await echoOf(keep('fetched(1000)'), { declarations, limits: memory })).toEqual([tooMuch]);
    expect(await echoOf(keep('made(100)'), { declarations, limits: memory })).toEqual([tooMuch]);
  });

  test('counts what a builtin has counted and not handed over', async () => {
    expect(await echoOf('echo collect(90);', { declarations, limits: memory })).toEqual(['90']);
    expect(await echoOf('echo collect(200);', { declarations, limits: memory })).toEqual([tooMuch]);
  });

  test('lets a script make and drop as much as it likes', async () => {
    const script = `
      $text = "x" * 300;
      for ($i = 0; $i < 2000; $i += 1) { $x = $text . $text; $y = made(10); $z = collect(1); $w = fetched(500); }
      echo "done";`;
    expect(await echoOf(script, { declarations, limits: memory })).toEqual(['done']);
  });

  test('does not take what a function called back has dropped for what the builtin holds', async () => {
    const script = 'echo collect(50, function () { $x = "x" * 3000; return 1; });';
    expect(await echoOf(script, { declarations, limits: memory })).toEqual(['50']);
  });
});

describe('a builtin that pauses', () => {
  /** Each look at the clock is a millisecond later. */
  const hostOfSlowBuiltins = (): { host: RamHost; turns: () => number } => {
    const host = new RamHost();
    let looks = 0;
    let turns = 0;
    host.clock.monotonic = () => looks++ / 1000;
    const nextTurn = host.nextTurn.bind(host);
    host.nextTurn = (resume) => {
      turns++;
      nextTurn(resume);
    };
    return { host, turns: () => turns };
  };

  test('lets the event loop turn when its time is over, and goes on', async () => {
    const { host, turns } = hostOfSlowBuiltins();
    expect(await echoOf('echo collect(50);', { declarations, host })).toEqual(['50']);
    expect(turns()).toBeGreaterThan(5);
  });

  test('ends when the script has no time left', async () => {
    const { host } = hostOfSlowBuiltins();
    const echoed = await echoOf('echo collect(5000);', { declarations, host, limits: { time: 1 } });
    expect(echoed).toEqual(['failed: the script ran longer than 1 seconds']);
  });

  test('ends when the execution is cancelled', async () => {
    const { host } = hostOfSlowBuiltins();
    const { execution, result } = await startScript('echo collect(5000);', { declarations, host });
    execution.cancel('enough');
    expect(await result).toMatchObject({ kind: 'cancelled', reason: 'enough' });
  });

  test('works through in one go where nobody may wait', async () => {
    const { host, turns } = hostOfSlowBuiltins();
    const locked = builtin({
      name: 'locked',
      group: 'state',
      summary: 'Calls a function that must not wait.',
      params: [{ name: 'fn', type: 'function' }],
      returns: 'any',
      callbacks: true,
      *run(fn): BuiltinSteps<Value> {
        return yield callAtomic(fn);
      },
    });
    const script = 'echo locked(function () { return collect(50); });';
    expect(await echoOf(script, { declarations: [...declarations, locked], host })).toEqual(['50']);
    expect(turns()).toBe(0);
  });
});

describe('a script that asks for ever for what is known at once', () => {
  const known = builtin({
    name: 'known',
    group: 'files',
    summary: 'Promises what it has.',
    params: [],
    returns: 'number',
    suspends: true,
    run: () => Promise.resolve(1),
  });
  /** Time goes by: each look at the clock is 0.1 ms later. */
  const hostInTime = (): RamHost => {
    const host = new RamHost();
    let looks = 0;
    host.clock.monotonic = () => looks++ / 10_000;
    host.nextTurn = (resume) => void setImmediate(resume);
    return host;
  };

  test('leaves the event loop its turns', async () => {
    const { execution, result } = await startScript('while (true) { known(); }', {
      declarations: [known],
      host: hostInTime(),
    });
    // A timer only comes when the loop turns.
    setTimeout(() => execution.cancel('others had their turn'), 5);
    expect(await result).toMatchObject({ kind: 'cancelled' });
  });

  test('ends when its time is over', async () => {
    const echoed = await echoOf('while (true) { known(); }', {
      declarations: [known],
      host: hostInTime(),
      limits: { time: 1 },
    });
    expect(echoed).toEqual(['failed: the script ran longer than 1 seconds']);
  });
});
