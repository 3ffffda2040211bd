import { expect, test } from 'vitest';
import { uuid } from '../../../stdlib/ids/ids.builtins.js';
import { uuidV1, uuidV4, uuidV5 } from '../../../stdlib/ids/uuid.js';
import { FakeContext } from '../../support/fake-context.js';

const random = '\xff\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f';

test('version 1 holds the time, and a second id of a moment is another', () => {
  const first = uuidV1(1_600_000_000, random);
  // 1,600,000,000 s after 1970 in 100 ns since 15 October 1582.
  expect(first).toMatch(/^5fe94000-f5bc-11ea-bf01-/);
  expect(first[14]).toBe('1');
  expect(first[19]).toMatch(/[89ab]/);
  expect(uuidV1(1_600_000_000, random)).not.toBe(first);
});

test('version 4 is random bytes with version and variant', () => {
  expect(uuidV4(random)).toBe('ff010203-0405-4607-8809-0a0b0c0d0e0f');
});

test('version 5 is the hash of namespace and name', () => {
  const namespace = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  expect(uuidV5(namespace, 'halon.example')).toBe('1d3ac9b7-1faf-5af2-a504-a84bf6d9be81');
  expect(uuidV5(namespace.toUpperCase(), 'halon.example')).toBe('1d3ac9b7-1faf-5af2-a504-a84bf6d9be81');
  expect(uuidV5('no uuid', 'x')).toBe(undefined);
});

test('uuid() has the version that the daemon is configured for', () => {
  expect((new FakeContext().call(uuid) as string)[14]).toBe('1');
  expect((new FakeContext({ services: { uuidVersion: () => 4 } }).call(uuid) as string)[14]).toBe('4');
});
