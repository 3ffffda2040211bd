import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { HslResource, type Value } from '#lang';
import { nothingConfigured } from '../../../stdlib/configured.js';
import { privateKeys } from '../../../stdlib/crypto/private-keys.builtins.js';
import {
  ed25519Sign,
  ed25519Verify,
  rsaSign,
  rsaVerify,
} from '../../../stdlib/crypto/signatures.builtins.js';
import { PRIVATE_KEY_RESOURCE, X509_RESOURCE } from '../../../stdlib/loaders/certificates.js';
import { FakeContext, toValue } from '../../support/fake-context.js';
import { skipReason } from '../../support/peers.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const context = new FakeContext({
  services: {
    configured: {
      ...nothingConfigured,
      key: (id) => (/^(pki:)?mine$/.test(id) ? { key: rsa.privateKey, certificates: [] } : undefined),
    },
  },
});
const run = (builtin: typeof rsaSign, ...args: unknown[]): Promise<Value> =>
  context.callAsync(builtin, ...args.map((arg) => (arg instanceof HslResource ? arg : toValue(arg))));
const named = (name: string) => privateKeys.find((builtin) => builtin.name === name)!;
const resource = (key: KeyObject) => new HslResource(PRIVATE_KEY_RESOURCE, key);

const der = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'spki' | 'sec1'): string =>
  (key.export({ format: 'der', type } as never) as unknown as Buffer).toString('latin1');
const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'spki' | 'sec1'): string =>
  key.export({ format: 'pem', type } as never) as unknown as string;

describe('rsa_sign and rsa_verify', () => {
  const message = 'text\0\xff';

  test('take every form of a key, and only the one that was said', async () => {
    const expected = await run(rsaSign, message, resource(rsa.privateKey));
    expect(expected).toHaveLength(128);
    const forms: readonly (readonly [string, object])[] = [
      [der(rsa.privateKey, 'pkcs1'), {}],
      [der(rsa.privateKey, 'pkcs8'), { format: 'PrivateKeyInfo' }],
      [pem(rsa.privateKey, 'pkcs1'), { pem: true }],
      [pem(rsa.privateKey, 'pkcs8'), { pem: true, format: 'PrivateKeyInfo' }],
      ['pki:mine', {}],
      ['mine', { id: true }],
    ];
    for (const [key, options] of forms) expect(await run(rsaSign, message, key, options)).toBe(expected);
    expect(await run(rsaSign, message, der(rsa.privateKey, 'pkcs1'), { format: 'PrivateKeyInfo' })).toBe(
      null,
    );
    expect(await run(rsaSign, message, pem(rsa.privateKey, 'pkcs8'))).toBe(null);
    expect(await run(rsaSign, message, 'mine')).toBe(null);
    expect(await run(rsaSign, message, 'pki:unknown')).toBe(null);
  });

  test('check with every form of a public key', async () => {
    const signature = await run(rsaSign, message, resource(rsa.privateKey));
    for (const [key, options] of [
      [der(rsa.publicKey, 'pkcs1'), {}],
      [der(rsa.publicKey, 'spki'), { format: 'SubjectPublicKeyInfo' }],
      [pem(rsa.publicKey, 'pkcs1'), { pem: true }],
      [pem(rsa.publicKey, 'spki'), { pem: true }],
      ['mine', { id: true }],
    ] as const) {
      expect(await run(rsaVerify, message, signature, key, options)).toBe(true);
      expect(await run(rsaVerify, `${message}.`, signature, key, options)).toBe(false);
      expect(await run(rsaVerify, message, '', key, options)).toBe(false);
    }
    expect(await run(rsaVerify, message, signature, der(rsa.publicKey, 'spki'))).toBe(null);
    expect(await run(rsaVerify, message, signature, 'no key')).toBe(null);
    expect(await run(rsaVerify, message, signature, 'unknown', { id: true })).toBe(null);
  });

  test('use the hash that is asked for, and refuse others', async () => {
    for (const hash of ['md5', 'sha1', 'sha256', 'sha512']) {
      const signature = await run(rsaSign, message, resource(rsa.privateKey), { hash });
      const key = der(rsa.publicKey, 'pkcs1');
      expect(await run(rsaVerify, message, signature, key, { hash })).toBe(true);
      const other = hash === 'sha256' ? 'sha1' : 'sha256';
      expect(await run(rsaVerify, message, signature, key, { hash: other })).toBe(false);
    }
    await expect(run(rsaSign, message, 'x', { hash: 'sha3' })).rejects.toThrow(/option "hash".*sha512/);
    await expect(run(rsaSign, message, 'x', { format: 'pkcs8' })).rejects.toThrow(
      /option "format".*PrivateKeyInfo/,
    );
  });

  test('give none for keys of another kind, and keys too short for the hash', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 512 });
    expect(await run(rsaSign, message, resource(short.privateKey), { hash: 'sha512' })).toBe(null);
    expect(await run(rsaSign, message, resource(ec.privateKey))).toBe(null);
    expect(await run(rsaSign, message, pem(ed.privateKey, 'pkcs8'), { pem: true })).toBe(null);
    expect(await run(rsaSign, message, new HslResource(X509_RESOURCE, {}))).toBe(null);
    expect(await run(rsaVerify, message, 'x', pem(ec.publicKey, 'spki'), { pem: true })).toBe(null);
  });

  test.skipIf(skipReason('openssl'))('agree with openssl, both ways', async () => {
    const folder = scratchFolder();
    const file = (name: string, content: string) => {
      const at = path.join(folder, name);
      writeFileSync(at, content, 'latin1');
      return at;
    };
    const text = file('text', message);
    const privateFile = file('key', pem(rsa.privateKey, 'pkcs8'));
    const publicFile = file('pub', pem(rsa.publicKey, 'spki'));
    for (const hash of ['sha1', 'sha256', 'sha512']) {
      const theirs = execFileSync('openssl', ['dgst', `-${hash}`, '-sign', privateFile, text]).toString(
        'latin1',
      );
      expect(await run(rsaSign, message, resource(rsa.privateKey), { hash })).toBe(theirs);
      const signature = file('sig', theirs);
      const verdict = execFileSync('openssl', [
        'dgst',
        `-${hash}`,
        '-verify',
        publicFile,
        '-signature',
        signature,
        text,
      ]);
      expect(verdict.toString()).toContain('OK');
    }
  });
});

describe('ed25519_sign and ed25519_verify', () => {
  const fromHex = (text: string) => Buffer.from(text, 'hex').toString('latin1');
  // RFC 8032 §7.1: secret key, public key, message, signature.
  const vectors = [
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ].map((vector) => vector.map(fromHex) as [string, string, string, string]);

  test('give what RFC 8032 gives', async () => {
    for (const [seed, publicKey, message, signature] of vectors) {
      expect(await run(ed25519Sign, message, seed)).toBe(signature);
      expect(await run(ed25519Sign, message, seed + publicKey)).toBe(signature);
      expect(await run(ed25519Verify, message, signature, publicKey)).toBe(true);
      expect(await run(ed25519Verify, `${message}x`, signature, publicKey)).toBe(false);
    }
  });
  test('take a resource', async () => {
    const signature = await run(ed25519Sign, 'text', resource(ed.privateKey));
    const raw = der(ed.publicKey, 'spki').slice(-32);
    expect(await run(ed25519Verify, 'text', signature, raw)).toBe(true);
  });
  test('give none for wrong lengths, other keys, and halves that do not belong together', async () => {
    const [seed, publicKey, message, signature] = vectors[0]!;
    const other = vectors[1]![1];
    expect(await run(ed25519Sign, message, seed + other)).toBe(null);
    expect(await run(ed25519Sign, message, resource(rsa.privateKey))).toBe(null);
    expect(await run(ed25519Sign, message, 'pki:mine')).toBe(null);
    for (const bad of ['', 'x'.repeat(31), 'x'.repeat(33), 'x'.repeat(63)]) {
      expect(await run(ed25519Sign, message, bad)).toBe(null);
      expect(await run(ed25519Verify, message, signature, bad)).toBe(null);
      expect(await run(ed25519Verify, message, bad, publicKey)).toBe(null);
    }
  });
});

describe('private keys as resources', () => {
  const texts = {
    rsa: [pem(rsa.privateKey, 'pkcs8'), pem(rsa.privateKey, 'pkcs1')],
    ec: [pem(ec.privateKey, 'pkcs8'), pem(ec.privateKey, 'sec1')],
    ed25519: [pem(ed.privateKey, 'pkcs8')],
  };

  test.each(['rsa', 'ec', 'ed25519'] as const)(
    '%s: PKCS#8 and the traditional form, of its own kind only',
    (kind) => {
      for (const [other, forms] of Object.entries(texts))
        for (const text of forms) {
          const made = context.call(named(`${kind}_privatekey`), text);
          expect(made === null).toBe(other !== kind);
          expect(context.call(named(`is_${kind}_privatekey`), made)).toBe(other === kind);
        }
    },
  );
  test('what is no key is none', () => {
    const encrypted = rsa.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-128-cbc',
      passphrase: 'secret',
    }) as string;
    for (const text of ['', 'no key', pem(rsa.publicKey, 'spki'), encrypted, 'x'.repeat(100_000)])
      for (const kind of ['rsa', 'ec', 'ed25519'])
        expect(context.call(named(`${kind}_privatekey`), text)).toBe(null);
    for (const value of [none(), 1, 'text', toValue([]), new HslResource('Regex', {})])
      for (const kind of ['rsa', 'ec', 'ed25519'])
        expect(context.call(named(`is_${kind}_privatekey`), value)).toBe(false);
  });
});

const none = (): Value => null;

test('a key that was read once is not parsed again', async () => {
  const { privateKeyOf } = await import('../../../stdlib/crypto/keys.js');
  const text = pem(rsa.privateKey, 'pkcs8');
  const first = privateKeyOf(text, context);
  expect(first).toBeDefined();
  expect(privateKeyOf(Buffer.from(text).toString('latin1'), context)).toBe(first);
  expect(first!.equals(createPrivateKey(text))).toBe(true);
  // Many others push it out; it is made anew then.
  for (let i = 0; i < 300; i++) privateKeyOf(`${text}${' '.repeat(i + 1)}`, context);
  const again = privateKeyOf(text, context);
  expect(again).not.toBe(first);
  expect(createPublicKey(again!).equals(rsa.publicKey)).toBe(true);
});
