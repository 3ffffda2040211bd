import { describe, expect, test } from 'vitest';
import { builtin } from '#lang';
import { RamHost } from '../../support/ram-host.js';
import { echoOf, startScript } from '../../support/ram-script.js';

const pause = builtin({
  name: 'pause',
  group: 'time',
  summary: 'Waits for the test.',
  params: [],
  returns: 'none',
  suspends: true,
  run: (context) => (context.services as { pause: Promise<null> }).pause,
});

const finish = builtin({
  name: 'Finish',
  group: 'actions',
  summary: 'Ends the script.',
  params: [],
  returns: 'none',
  ends: true,
  run: () => 'done',
});

describe('a barrier', () => {
  test('keeps a value under its name and is left by every way out', async () => {
    const host = new RamHost();
    const script = `
      function byReturn() { barrier "b" => $v { $v = ($v ?? 0) + 1; return $v; } }
      echo byReturn();
      forever { barrier "b" => $v { $v += 1; break; } }
      for ($i = 0; $i < 2; $i++) { barrier "b" => $v { $v += 1; continue; } }
      try { barrier "b" => $v { $v += 1; throw "out"; } } catch ($e) { echo $e; }
      barrier "b" => $v { echo $v; }
      echo $v;`;
    expect(await echoOf(script, { host })).toEqual(['1', 'out', '5', '5']);
    expect(host.memory.values.get('b')).toBe(5);
    expect(host.memory.isLocked('b')).toBe(false);
  });

  test('removes the entry when the variable is unset, and gives none without an entry', async () => {
    const host = new RamHost();
    host.memory.values.set('b', 'kept');
    const script = 'barrier "b" => $v { echo $v; unset($v); } barrier "b" => $v { echo isset($v); }';
    expect(await echoOf(script, { host })).toEqual(['kept', 'false']);
    expect(host.memory.values.has('b')).toBe(false);
  });

  test('of the same name inside itself is an exception', async () => {
    expect(await echoOf('barrier "b" { barrier "b" { echo "never"; } }')).toEqual([
      'failed: barrier "b" is entered again inside itself: that would wait for ever',
    ]);
  });

  test('lets one execution in at a time', async () => {
    const host = new RamHost();
    let resume: (value: null) => void = () => {};
    const services = {
      pause: new Promise<null>((resolve) => {
        resume = resolve;
      }),
    };
    const script = (name: string) =>
      `barrier "b" => $v { echo "${name} in"; pause(); $v = "${name}"; echo "${name} out"; }`;
    const surroundings = { host, services, declarations: [pause] };
    const first = await startScript(script('first'), surroundings);
    const second = await startScript(script('second'), surroundings);
    expect(host.echoed).toEqual(['first in']);
    resume(null);
    await first.result;
    await second.result;
    expect(host.echoed).toEqual(['first in', 'first out', 'second in', 'second out']);
    expect(host.memory.values.get('b')).toBe('second');
  });

  test('is released when its execution is cancelled, inside it or while it waits for it', async () => {
    const host = new RamHost();
    const services = { pause: new Promise<null>(() => {}) };
    const script = 'barrier "b" { pause(); }';
    const surroundings = { host, services, declarations: [pause] };
    const inside = await startScript(script, surroundings);
    const waiting = await startScript(script, surroundings);
    waiting.execution.cancel('gone');
    inside.execution.cancel('gone');
    expect(host.memory.isLocked('b')).toBe(false);
    expect(await Promise.all([inside.result, waiting.result])).toEqual([
      { kind: 'cancelled', reason: 'gone' },
      { kind: 'cancelled', reason: 'gone' },
    ]);
  });

  test('stores its value also when an action ends the script', async () => {
    const host = new RamHost();
    const script = 'barrier "b" => $v { $v = 7; try { Finish(); } catch ($e) { echo "never"; } }';
    const { result } = await startScript(script, { host, declarations: [finish] });
    expect(result).toEqual({ kind: 'ended', action: 'Finish', outcome: 'done' });
    expect(host.memory.values.get('b')).toBe(7);
    expect(host.memory.isLocked('b')).toBe(false);
  });
});
