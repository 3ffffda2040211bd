import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Deadline, Deadlines } from '../../../../src/delivery/client/deadlines.js';
import type { Clock } from '../../../../src/delivery/clock.js';
import { ManualClock } from '../../../support/manual-clock.js';

/** A clock that counts the timers it is asked for. */
class CountingClock implements Clock {
  readonly #clock = new ManualClock();
  timers = 0;
  nowMs = () => this.#clock.nowMs();
  advance = (milliseconds: number) => this.#clock.advance(milliseconds);
  setTimer(milliseconds: number, run: () => void) {
    this.timers++;
    return this.#clock.setTimer(milliseconds, run);
  }
}

describe('deadlines', () => {
  test('that are moved again and again cost no timer each', () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const all = Array.from({ length: 100 }, () => new Deadline(() => {}));
    for (let round = 0; round < 100; round++) {
      for (const one of all) deadlines.set(one, 300_000);
      clock.advance(1);
      for (const one of all) deadlines.clear(one);
    }
    expect(clock.timers).toBe(1);
    expect(deadlines.size).toBe(100);
    clock.advance(300_000);
    expect(deadlines.size).toBe(0);
  });

  test('that were removed leave nothing behind', () => {
    const clock = new CountingClock();
    const deadlines = new Deadlines(clock);
    const one = new Deadline(() => {
      throw new Error('never');
    });
    deadlines.set(one, 10);
    deadlines.remove(one);
    expect(deadlines.size).toBe(0);
    clock.advance(100);
  });

  test('may be set again by what happens when they pass', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    let times = 0;
    const one: Deadline = new Deadline(() => {
      if (++times < 3) deadlines.set(one, 5);
    });
    deadlines.set(one, 5);
    clock.advance(100);
    expect(times).toBe(3);
  });

  test('pass exactly when they should, whatever was done to them before', () => {
    const step = fc.record({
      who: fc.nat(9),
      what: fc.constantFrom('set', 'clear', 'remove'),
      milliseconds: fc.nat(50),
      wait: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const clock = new ManualClock();
        const deadlines = new Deadlines(clock);
        const passed: [number, number][] = [];
        const expected: [number, number][] = [];
        const due = new Map<number, number>();
        const all = Array.from(
          { length: 10 },
          (_, index) => new Deadline(() => passed.push([index, clock.nowMs()])),
        );
        const advance = (milliseconds: number) => {
          const end = clock.nowMs() + milliseconds;
          for (const [who, at] of [...due].sort((a, b) => a[1] - b[1]))
            if (at <= end) {
              expected.push([who, at]);
              due.delete(who);
            }
          clock.advance(milliseconds);
        };
        for (const { who, what, milliseconds, wait } of steps) {
          const one = all[who]!;
          if (what === 'set') {
            deadlines.set(one, milliseconds);
            due.set(who, clock.nowMs() + milliseconds);
          } else {
            deadlines[what](one);
            due.delete(who);
          }
          advance(wait);
        }
        advance(1000);
        const inOrder = (events: [number, number][]) => events.sort((a, b) => a[1] - b[1] || a[0] - b[0]);
        expect(inOrder(passed)).toEqual(inOrder(expected));
        expect(deadlines.size).toBe(0);
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
