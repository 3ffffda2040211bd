import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdTable } from '../../../src/spool/id-table.js';
import { uuid } from '../../support/mail-samples.js';

test('an id comes back from its slot as it was put in', () => {
  const ids = new IdTable();
  const id = { transaction: '0123abcd-4567-89ef-8123-456789abcdef', number: 4294967295 };
  const slot = ids.add(id);
  expect(ids.idOf(slot)).toEqual(id);
  expect(ids.find(id)).toBe(slot);
  expect(ids.find({ ...id, number: 1 })).toBe(-1);
});

test('what is no UUID is refused', () => {
  const ids = new IdTable();
  expect(() => ids.add({ transaction: 'T', number: 1 })).toThrow('"T:1" is no message id');
  expect(() => ids.find({ transaction: uuid(1).toUpperCase().replace('0', 'A'), number: 1 })).toThrow(
    'no message id',
  );
  expect(() => ids.add({ transaction: uuid(1), number: 0 })).toThrow('no message id');
});

test('it agrees with a map over many additions and removals', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 3 }), fc.boolean())), (steps) => {
      const ids = new IdTable();
      const model = new Map<string, number>();
      for (const [n, number, adds] of steps) {
        const id = { transaction: uuid(n * 65536), number };
        const key = `${id.transaction}:${number}`;
        const known = model.get(key);
        expect(ids.find(id)).toBe(known ?? -1);
        if (adds && known === undefined) model.set(key, ids.add(id));
        else if (known !== undefined) {
          ids.remove(known);
          model.delete(key);
        }
      }
      expect(ids.size).toBe(model.size);
      expect(new Set(model.values()).size).toBe(model.size);
    }),
  );
});

test('it grows to a hundred thousand ids and finds each', () => {
  const ids = new IdTable();
  const slots = Array.from({ length: 100_000 }, (_, n) =>
    ids.add({ transaction: uuid(n), number: 1 + (n % 7) }),
  );
  for (const [n, slot] of slots.entries()) {
    if (ids.find({ transaction: uuid(n), number: 1 + (n % 7) }) !== slot) throw new Error(`lost ${n}`);
  }
  for (const [n, slot] of slots.entries()) if (n % 2 === 0) ids.remove(slot);
  expect(ids.size).toBe(50_000);
  expect(ids.find({ transaction: uuid(3), number: 4 })).toBe(slots[3]);
  expect(ids.find({ transaction: uuid(4), number: 5 })).toBe(-1);
});
