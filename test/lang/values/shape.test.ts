import { expect, test, vi } from 'vitest';

/** Modules of their own: what data uses up here is not missing elsewhere. */
async function fresh() {
  vi.resetModules();
  const { HslArray } = await import('../../../lang/values/array.js');
  return { HslArray, ...(await import('../../../lang/values/shape.js')) };
}

test('keys from data make a limited number of shapes in the life of a process, then dictionaries', async () => {
  const { HslArray, DICTIONARY, MAX_DATA_SHAPES } = await fresh();
  const shapes = new Set<unknown>();
  // Each level may be left in few directions, but the levels multiply.
  for (let i = 0; i < 50; i++)
    for (let j = 0; j < 50; j++)
      for (let k = 0; k < 5; k++)
        shapes.add(HslArray.fromEntries([`a${i}`, `b${j}`, `c${k}`].map((key) => [key, 1])).shape);
  expect(shapes.size).toBeGreaterThan(1000);
  expect(shapes.size).toBeLessThanOrEqual(MAX_DATA_SHAPES + 1);
  expect(HslArray.fromEntries([['late', 1]]).shape).toBe(DICTIONARY);
  expect(HslArray.fromEntries([['late', 1]]).get('late')).toBe(1);
});

test("a program's records have shapes, whatever data has used up", async () => {
  const { HslArray, EMPTY_RECORD, shapeOf } = await fresh();
  for (let i = 0; i < 1000; i++) HslArray.fromEntries([[`key${i}`, 1]]);
  expect(EMPTY_RECORD.with('another')).toBe(undefined);
  const declared = shapeOf(['status', 'code']);
  expect(declared?.keys).toEqual(['status', 'code']);
  expect(HslArray.fromRecord({ status: 1, code: 2 }).shape).toBe(declared);
});
