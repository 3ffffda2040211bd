import { expect, test } from 'vitest';
import { hashes, sha1, sha2 } from '../../../stdlib/crypto/hashes.builtins.js';
import { FakeContext, toValue } from '../../support/fake-context.js';

const run = (name: string, ...args: unknown[]): unknown =>
  new FakeContext().call(hashes.find((builtin) => builtin.name === name)!, ...args.map(toValue));

test.each([
  ['md5', [''], 'd41d8cd98f00b204e9800998ecf8427e'],
  ['sha1', ['abc'], 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['sha2', ['abc', 256], 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['hmac_md5', ['Jefe', 'what do ya want for nothing?'], '750c783e6ab0b503eaa86e310a5db738'],
  ['hmac_sha1', ['key', 'The quick brown fox'], '22f9e077a3cebd09248154f85d9a56c79941fd96'],
  [
    'hmac_sha2',
    ['k'.repeat(131), 'data', 256],
    'f0b9c89b357ed50212ac94741e816fc213961c0d584ac2bfe87b55ce1f8d5592',
  ],
])('%s of %j', (name, args, expected) => {
  expect(run(name, ...args)).toBe(expected);
});

test('bytes go in and, on demand, come out', () => {
  const ctx = new FakeContext();
  expect(ctx.call(sha2, 'abc', 512, toValue({ binary: true }))).toHaveLength(64);
  expect(ctx.call(sha1, '\xff')).toBe('85e53271e14006f0265921d02d4d736cdc580b0b');
});

test('sizes other than 256 and 512 are refused', () => {
  expect(() => run('sha2', 'abc', 384)).toThrow('256 or 512');
});
