import { expect, test } from 'vitest';
import type { Caller } from '../../../src/control/operation.js';
import { logFollowing } from '../../../src/control/operations/log.js';
import { requestFrame } from '../../../src/control/socket/frames.js';
import { wireShapes } from '../../../src/control/wire-shapes.js';
import { LogLines } from '../../../src/log/log-lines.js';
import { ControlWire, startedControl } from '../../support/control-socket.js';

const line = (level: string, msg: string, more: object = {}) =>
  JSON.stringify({ level, time: '2026-11-22T10:00:00Z', ...more, msg });

function someLines(): LogLines {
  const lines = new LogLines();
  lines.put(`${line('info', 'ready')}\n`);
  lines.put(line('warning', 'turned away', { server: 'in' }));
  lines.put(line('error', 'broken', { server: 'web', count: 3 }));
  return lines;
}

/** The messages of the last lines that fit. */
function shown(lines: LogLines, request: object): string[] {
  const found: string[] = [];
  const caller: Caller = {
    signal: new AbortController().signal,
    stream: {
      send: (_name, frame) => {
        found.push((JSON.parse((frame as { line: string }).line) as { msg: string }).msg);
        return true;
      },
      onRoom: () => {},
      keep: () => {},
    },
  };
  void logFollowing(lines).run({ contains: [], fields: {}, ...request }, caller);
  return found;
}

test('the last lines are shown by level, text, pattern and field', () => {
  const lines = someLines();
  expect(shown(lines, {})).toEqual(['ready', 'turned away', 'broken']);
  expect(shown(lines, { lines: 1 })).toEqual(['broken']);
  expect(shown(lines, { lines: 0 })).toEqual([]);
  expect(shown(lines, { level: 'warning' })).toEqual(['turned away', 'broken']);
  expect(shown(lines, { contains: ['server', 'away'] })).toEqual(['turned away']);
  expect(shown(lines, { regex: 'r(ead|oke)' })).toEqual(['ready', 'broken']);
  expect(shown(lines, { fields: { server: 'web', count: '3' } })).toEqual(['broken']);
  expect(() => shown(lines, { level: 'loud' })).toThrow('expected one of error, warning, info, debug');
});

test('a thousand lines are kept, and no more characters than there is room for', () => {
  const lines = new LogLines();
  for (let i = 0; i < 2500; i++) lines.put(String(i));
  expect(lines.last()).toHaveLength(1000);
  expect(lines.last()[0]).toBe('1500');
  for (let i = 0; i < 10; i++) lines.put('x'.repeat(100_000));
  expect(lines.last()).toHaveLength(5);
});

test('a follower sees what comes, and other commands go on beside it', async () => {
  const lines = someLines();
  const { place } = await startedControl({ R: logFollowing(lines), n: { run: () => ({}) } });
  const wire = await ControlWire.to(place);
  const answers = [await wire.ask('R', { follow: true, level: 'error' }), await wire.answer()];
  expect(answers.map(({ status }) => status)).toEqual(['=', '+']);
  lines.put(line('info', 'not this'));
  lines.put(line('error', 'but this'));
  const frame = await wire.answer();
  expect(frame.status).toBe('=');
  expect(JSON.parse(frame.data.toString())).toEqual({ line: line('error', 'but this') });
  expect((await wire.ask('n')).status).toBe('+');
});

test('lines come before the answer in Protobuf too', async () => {
  const { place } = await startedControl({ R: logFollowing(someLines()) });
  const wire = await ControlWire.to(place);
  wire.write(requestFrame('R', Buffer.from([0x10, 2]), true));
  const answers = [await wire.answer(), await wire.answer(), await wire.answer()];
  expect(answers.map(({ status }) => status)).toEqual(['=', '=', '+']);
  expect((await wireShapes()).fromBytes('LogFrame', answers[1]!.data)).toEqual({
    line: line('error', 'broken', { server: 'web', count: 3 }),
  });
});

test('a follower that is too slow loses lines, is told how many, and nobody waits for it', async () => {
  const lines = new LogLines();
  const { place } = await startedControl({ R: logFollowing(lines) });
  const wire = await ControlWire.to(place);
  expect((await wire.ask('R', { follow: true })).status).toBe('+');
  wire.socket.pause();
  const long = 'x'.repeat(1000);
  for (let i = 0; i < 50_000; i++) lines.put(long);
  wire.socket.resume();
  let seen = 0;
  // The last line is repeated until it comes through: then there was room again.
  const knock = setInterval(() => lines.put('the end'), 10);
  for (;;) {
    const frame = JSON.parse((await wire.answer()).data.toString()) as { line: string; lost?: number };
    if (frame.line !== 'the end') {
      seen++;
      continue;
    }
    clearInterval(knock);
    expect(frame.lost).toBeGreaterThan(10_000);
    expect(seen).toBeLessThan(40_000);
    return;
  }
});
