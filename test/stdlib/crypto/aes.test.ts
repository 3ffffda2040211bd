import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScriptFault } from '#lang';
import { aesDecryptBuiltin, aesEncryptBuiltin } from '../../../stdlib/crypto/ciphers.builtins.js';
import { FakeContext, toValue } from '../../support/fake-context.js';
import { skipReason } from '../../support/peers.js';

const ctx = new FakeContext();
const hex = (text: string): string => Buffer.from(text.replace(/\s/g, ''), 'hex').toString('latin1');
const toHex = (value: unknown): string => Buffer.from(value as string, 'latin1').toString('hex');
const encrypt = (message: string, key: string, mode: string, options: object = {}) =>
  ctx.call(aesEncryptBuiltin, message, key, mode, toValue(options));
const decrypt = (message: string, key: string, mode: string, options: object = {}) =>
  ctx.call(aesDecryptBuiltin, message, key, mode, toValue(options));

// NIST SP 800-38A, appendix F: the first two blocks.
const plain = hex('6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51');
const key128 = hex('2b7e151628aed2a6abf7158809cf4f3c');
const key192 = hex('8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b');
const key256 = hex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
const iv = hex('000102030405060708090a0b0c0d0e0f');
const counter = hex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');

test.each([
  ['ecb', key128, '3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf'],
  ['ecb', key192, 'bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef'],
  ['ecb', key256, 'f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870'],
  ['cbc', key128, '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2'],
  ['cbc', key256, 'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d'],
  ['ctr', key128, '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff'],
  ['ctr', key256, '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5'],
] as const)('%s gives what NIST SP 800-38A gives', (mode, key, expected) => {
  const options = { iv: mode === 'ctr' ? counter : iv, padding: false };
  expect(toHex(encrypt(plain, key, mode, options))).toBe(expected);
  expect(decrypt(hex(expected), key, mode, options)).toBe(plain);
});

describe('gcm', () => {
  // The fourth test case of the GCM specification of McGrew and Viega.
  const key = hex('feffe9928665731c6d6a8f9467308308');
  const nonce = hex('cafebabefacedbaddecaf888');
  const text = hex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const cipher =
    '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091';
  const tag = '5bc94fbc3221a5db94fae95ae7121a47';

  test('puts the tag behind the text', () => {
    expect(toHex(encrypt(text, key, 'gcm', { iv: nonce, aad }))).toBe(cipher + tag);
  });
  test('takes the tag from there, or as an option', () => {
    expect(decrypt(hex(cipher + tag), key, 'gcm', { iv: nonce, aad })).toBe(text);
    expect(decrypt(hex(cipher), key, 'gcm', { iv: nonce, aad, tag: hex(tag) })).toBe(text);
  });
  test('gives nothing when anything was changed', () => {
    expect(decrypt(hex(cipher + tag), key, 'gcm', { iv: nonce })).toBe(null);
    expect(decrypt(hex(`${cipher}${tag.replace(/^5/, '4')}`), key, 'gcm', { iv: nonce, aad })).toBe(null);
    expect(decrypt(hex(cipher.replace(/^4/, '5') + tag), key, 'gcm', { iv: nonce, aad })).toBe(null);
    expect(decrypt(hex(cipher), key, 'gcm', { iv: nonce, aad, tag: hex(tag.slice(0, 8)) })).toBe(null);
    expect(decrypt('short', key, 'gcm', { iv: nonce })).toBe(null);
    expect(decrypt('', key, 'gcm', { iv: nonce, tag: '' })).toBe(null);
  });
  test('authenticates a text of nothing', () => {
    const sealed = encrypt('', key, 'gcm', { iv: nonce, aad }) as string;
    expect(sealed.length).toBe(16);
    expect(decrypt(sealed, key, 'gcm', { iv: nonce, aad })).toBe('');
  });
});

test.each(['ecb', 'cbc', 'ctr', 'gcm'])('%s decrypts what it encrypted', (mode) => {
  const byteText = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const keys = fc.constantFrom(key128, key192, key256);
  fc.assert(
    fc.property(byteText, keys, (message, key) => {
      const sealed = encrypt(message, key, mode, { iv });
      expect(decrypt(sealed as string, key, mode, { iv })).toBe(message);
    }),
    { numRuns: 100, seed: 3 },
  );
});

test.skipIf(skipReason('openssl'))('openssl decrypts what we encrypt, and the other way round', () => {
  for (const mode of ['ecb', 'cbc', 'ctr'])
    for (const key of [key128, key192, key256]) {
      const message = `text of ${mode}\0\xff`;
      const args = [
        'enc',
        `-aes-${key.length * 8}-${mode}`,
        '-K',
        toHex(key),
        ...(mode === 'ecb' ? [] : ['-iv', toHex(iv)]),
      ];
      const run = (more: string[], input: string) =>
        execFileSync('openssl', [...args, ...more], { input: Buffer.from(input, 'latin1') }).toString(
          'latin1',
        );
      expect(run(['-d'], encrypt(message, key, mode, { iv }) as string)).toBe(message);
      expect(decrypt(run(['-e'], message), key, mode, { iv })).toBe(message);
    }
});

describe('what does not fit', () => {
  test('is none: a key or an iv of another length', () => {
    for (const bad of ['', 'short', 'x'.repeat(15), 'x'.repeat(17), 'x'.repeat(33)])
      for (const run of [encrypt, decrypt]) {
        expect(run(plain, bad, 'ecb')).toBe(null);
        expect(run(plain, key128, 'cbc', { iv: bad })).toBe(null);
        expect(run(plain, key128, 'ctr', { iv: bad })).toBe(null);
      }
    for (const mode of ['cbc', 'ctr', 'gcm']) expect(encrypt('x', key128, mode)).toBe(null);
    expect(encrypt('x', key128, 'gcm', { iv: '' })).toBe(null);
    expect(encrypt('x', key128, 'gcm', { iv: 'x'.repeat(129) })).toBe(null);
  });
  test('is none: blocks that are not full, padding that is none', () => {
    expect(encrypt('15 bytes only..', key128, 'ecb', { padding: false })).toBe(null);
    expect(decrypt('15 bytes only..', key128, 'ecb', { padding: false })).toBe(null);
    expect(decrypt('0123456789abcdef', key128, 'ecb')).toBe(null);
    expect(decrypt('', key128, 'ecb')).toBe(null);
    expect(decrypt('', key128, 'ecb', { padding: false })).toBe('');
  });
  test('is an exception for a mode that there is not, without the text or the key in it', () => {
    const attempt = () => encrypt('my secret text', 'my secret key 16', 'cfb');
    expect(attempt).toThrow(ScriptFault);
    expect(attempt).toThrow('aes_encrypt: the mode must be one of "ecb", "cbc", "ctr", "gcm", found "cfb"');
    expect(attempt).not.toThrow('my secret');
  });
});
