import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageTable, NONE, Stage } from '../../../../src/queue/table/message-table.js';
import { Waiting } from '../../../../src/queue/table/waiting.js';
import type { QueuedMessage } from '../../../../src/spool/spool.js';
import { uuid } from '../../../support/mail-samples.js';

function message(n: number, nextTry: number, priority: 0 | 1 = 0): QueuedMessage {
  return {
    id: { transaction: uuid(n), number: 1 },
    ts: 1,
    serverId: 'in',
    senderIp: '192.0.2.1',
    senderHelo: 'h',
    sender: { localPart: 's', domain: 'from.test' },
    recipient: { localPart: 'r', domain: 'to.test' },
    transportId: 'out',
    metadata: {},
    priority,
    quotas: [],
    dsn: {},
    sizeBytes: 1,
    hold: false,
    retry: 0,
    nextTry,
  };
}

test('deferred messages come out by their time, whatever is added and taken out between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(1000), fc.record({ takeOut: fc.nat() }), fc.record({ until: fc.nat(1000) }))),
      (steps) => {
        const table = new MessageTable();
        const waiting = new Waiting(table);
        const model = new Map<number, number>();
        let n = 0;
        let now = 0;
        for (const step of steps) {
          if (typeof step === 'number') {
            const slot = table.add(message(n++, now + step));
            waiting.put(slot, false, now);
            if (step > 0) model.set(slot, now + step);
            else expect(waiting.shiftDue()).toBe(slot);
          } else if ('takeOut' in step) {
            const slot = [...model.keys()][step.takeOut % Math.max(1, model.size)];
            if (slot === undefined) continue;
            expect(waiting.takeOut(slot)).toBe(true);
            model.delete(slot);
          } else {
            now += step.until;
            waiting.advance(now, Number.POSITIVE_INFINITY);
            const times: number[] = [];
            while (waiting.hasDue) {
              const slot = waiting.shiftDue();
              times.push(model.get(slot)!);
              model.delete(slot);
            }
            expect(times).toEqual([...times].sort((a, b) => a - b));
            for (const time of times) expect(time).toBeLessThanOrEqual(now);
          }
          expect(waiting.nextTime).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        }
      },
    ),
  );
});

test('due messages go by priority, then in order of entry, and can be taken from the middle', () => {
  const table = new MessageTable();
  const waiting = new Waiting(table);
  const slots = [0, 0, 1, 0, 1].map((priority, n) => table.add(message(n, 0, priority as 0 | 1)));
  for (const slot of slots) waiting.put(slot, false, 1);
  waiting.takeOut(slots[1]!);
  expect([2, 4, 0, 3].map((n) => slots[n])).toEqual(Array.from({ length: 4 }, () => waiting.shiftDue()));
  expect(waiting.hasDue).toBe(false);
});

test('only the messages that wait are taken out', () => {
  const table = new MessageTable();
  const waiting = new Waiting(table);
  const slot = table.add(message(1, 0));
  table.setStage(slot, Stage.Sending);
  expect(waiting.takeOut(slot)).toBe(false);
  expect(NONE).toBe(-1);
});
