import { describe, expect, test } from 'vitest';
import { compile, execute, HslArray } from '#lang';
import { createLocalMemory } from '../../../stdlib/memory/local-memory.js';
import { memoryInc, memoryStore } from '../../../stdlib/memory/memory.builtins.js';
import { valueBytes } from '../../../stdlib/memory/value-size.js';
import { FakeContext, toValue } from '../../support/fake-context.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';

const small = (bytes: number) => createLocalMemory(() => 0, { bytes });

describe('the store is bounded', () => {
  test('what does not fit is refused, and the key keeps what it had', () => {
    const memory = small(1000);
    memory.set('k', 'x'.repeat(500));
    expect(() => memory.set('k', 'x'.repeat(1000))).toThrow(
      'the shared memory is full: 621 of 1000 bytes are taken, and the key "k" needs 500 more',
    );
    expect(() => memory.set('other', 'x'.repeat(400))).toThrow('the shared memory is full');
    expect(memory.get('k')).toBe('x'.repeat(500));
    expect(memory.get('other')).toBeUndefined();
  });

  test('a full store still takes less, and room that was given back', () => {
    const memory = small(1000);
    memory.set('k', 'x'.repeat(870));
    memory.set('k', 1);
    memory.set('other', 'x'.repeat(600));
    expect(memory.delete('other')).toBe(true);
    memory.delete('k');
    expect(memory.sizeBytes).toBe(0);
  });

  test('a lock is given back when the value is refused', () => {
    const ctx = new FakeContext();
    const memory = small(150);
    Object.assign(ctx.host, { memory });
    expect(() => ctx.call(memoryStore, 'k', 'x'.repeat(100))).toThrow('the shared memory is full');
    expect(memory.isLocked('k')).toBe(false);
    expect(ctx.call(memoryInc, 'k')).toBe(1);
    expect(() => ctx.call(memoryInc, 'second')).toThrow('the shared memory is full');
  });
});

test('a barrier whose value is refused is left, by its end and by a return', async () => {
  const script = `
    function way($out) {
      barrier "b" => $v {
        $v = str_repeat("x", 1000);
        if ($out == "return") return;
      }
    }
    foreach (["end", "return"] as $out) {
      try { way($out); } catch ($e) { echo $e->message(); }
      barrier "b" => $v { echo isset($v); }
    }`;
  const { program } = await compile(
    { name: 'main.hsl', text: script },
    catalogEnvironment(),
    createCompileHost(),
  );
  const echoes: string[] = [];
  const host = createRunHost((text) => echoes.push(text));
  await execute(program!, { host: { ...host, memory: small(500) } }).run();
  expect(echoes.map((text) => text.slice(0, 25))).toEqual([
    'the shared memory is full',
    'false',
    'the shared memory is full',
    'false',
  ]);
});

test('a value counts its texts and elements, what it holds twice once', () => {
  expect(valueBytes('abc')).toBe(3);
  expect(valueBytes(5)).toBe(0);
  expect(valueBytes(null)).toBe(0);
  expect(valueBytes(toValue(['ab', 'cd']))).toBe(36);
  expect(valueBytes(toValue({ key: 'value' }))).toBe(24);
  const inner = toValue(['ab']) as HslArray;
  expect(valueBytes(HslArray.fromList([inner, inner]))).toBe(32 + 18);
});

test('entries are listed by prefix with their locks, and cleared', () => {
  const memory = createLocalMemory();
  memory.set('a/1', 1);
  memory.set('a/2', 2);
  memory.set('b', 3);
  memory.tryLock('a/2');
  expect([...memory.list('a/')]).toEqual([
    { key: 'a/1', value: 1, isLocked: false },
    { key: 'a/2', value: 2, isLocked: true },
  ]);
  memory.clear();
  expect([...memory.list()]).toEqual([]);
  expect(memory.sizeBytes).toBe(0);
  expect(memory.isLocked('a/2')).toBe(true);
});
