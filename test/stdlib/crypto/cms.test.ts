import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HslArray, HslResource, type Value } from '#lang';
import { nothingConfigured } from '../../../stdlib/configured.js';
import {
  cmsDecrypt,
  cmsEncrypt,
  cmsSign,
  cmsType,
  cmsVerify,
  pkcs7Sign,
} from '../../../stdlib/crypto/cms/cms.builtins.js';
import { cipherNames } from '../../../stdlib/crypto/cms/content-ciphers.js';
import { PRIVATE_KEY_RESOURCE, X509_RESOURCE } from '../../../stdlib/loaders/certificates.js';
import { FakeContext, toValue } from '../../support/fake-context.js';
import { skipReason } from '../../support/peers.js';
import {
  authorityExtensions,
  keyKinds,
  mailExtensions,
  TestAuthority,
  type TestCertificate,
} from '../../support/test-authority.js';

const folder = mkdtempSync(path.join(tmpdir(), 'argonite-cms-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const maker = new TestAuthority(folder);
const kinds = ['rsa', 'pss', 'ec', 'p384', 'ed25519'] as const;

describe.skipIf(skipReason('openssl'))('CMS', () => {
  let root: TestCertificate;
  const people = new Map<string, TestCertificate>();
  const person = (name: string): TestCertificate => people.get(name)!;
  const text = 'Content-Type: text/plain\r\n\r\nh\xe5llo\0\r\n';
  const context = new FakeContext({
    now: Math.floor(Date.now() / 1000) + 60,
    services: {
      configured: {
        ...nothingConfigured,
        key: (id) => {
          const found = person(id.replace(/^pki:/, ''));
          return found === undefined
            ? undefined
            : { key: found.key, certificates: [found.certificate, root.certificate] };
        },
        authorities: (id) => (id === 'pki:root' ? [root.certificate] : undefined),
      },
    },
  });
  beforeAll(() => {
    root = maker.certificate('root', { extensions: authorityExtensions });
    for (const kind of kinds)
      people.set(
        kind,
        maker.certificate(kind, { issuer: root, key: keyKinds[kind], extensions: mailExtensions }),
      );
    people.set(
      'other',
      maker.certificate('other', { issuer: root, key: keyKinds.rsa, extensions: mailExtensions }),
    );
    const server = ['basicConstraints=CA:false', 'extendedKeyUsage=serverAuth'];
    people.set('server', maker.certificate('server', { issuer: root, extensions: server }));
  });

  const value = (from: unknown): Value => {
    if (from instanceof HslResource) return from;
    if (Array.isArray(from)) return HslArray.fromList(from.map(value));
    if (typeof from === 'object' && from !== null)
      return HslArray.fromEntries(Object.entries(from).map(([key, item]) => [key, value(item)]));
    return toValue(from);
  };
  const run = (builtin: typeof cmsSign, ...args: unknown[]) => context.callAsync(builtin, ...args.map(value));
  const record = async (builtin: typeof cmsSign, ...args: unknown[]) =>
    Object.fromEntries(((await run(builtin, ...args)) as HslArray).entries()) as Record<string, Value>;
  const resource = (of: TestCertificate) => new HslResource(X509_RESOURCE, of.certificate);
  const keyOf = (of: TestCertificate) => ({
    x509: resource(of),
    privatekey: new HslResource(PRIVATE_KEY_RESOURCE, of.key),
  });
  const sign = async (who: string, options: object = {}): Promise<string> => {
    const { result, data } = await record(cmsSign, text, `pki:${who}`, options);
    expect(result).toBe(true);
    return data as string;
  };
  const verified = async (signature: string, message: string | null, options: object = {}) => {
    const { result, error } = await record(cmsVerify, signature, message, { store: ['pki:root'] }, options);
    expect(result).toBe(error === null);
    return error ?? 'good';
  };
  const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

  describe('signatures', () => {
    test.each(kinds)('by %s are taken by us, and by openssl', async (kind) => {
      const store = ['-CAfile', root.certificateFile, '-inform', 'DER', '-binary'];
      const inside = await sign(kind, { detached: false });
      expect(await verified(inside, null)).toBe('good');
      const outside = await sign(kind);
      expect(await verified(outside, text)).toBe('good');
      expect(await verified(outside, `${text}.`)).toBe('digest mismatch');
      // OpenSSL 3.0 has no Ed25519 in CMS.
      if (kind === 'ed25519') return;
      const opaque = maker.file('opaque.der', Buffer.from(inside, 'latin1'));
      expect(latin1(maker.openssl(['cms', '-verify', ...store, '-in', opaque]))).toBe(text);
      const detached = maker.file('detached.der', Buffer.from(outside, 'latin1'));
      const content = maker.file('content', text);
      const args = ['-in', detached, '-content', content];
      expect(latin1(maker.openssl(['cms', '-verify', ...store, ...args]))).toBe(text);
      if (kind === 'rsa' || kind === 'ec')
        expect(latin1(maker.openssl(['smime', '-verify', ...store, ...args]))).toBe(text);
    });

    test.each([
      ['rsa', []],
      ['rsa', ['-md', 'sha1']],
      ['rsa', ['-md', 'sha512', '-keyid']],
      ['rsa', ['-noattr']],
      ['rsa', ['-keyopt', 'rsa_padding_mode:pss']],
      ['pss', ['-keyopt', 'rsa_padding_mode:pss']],
      ['ec', ['-md', 'sha384']],
      ['p384', []],
      // Streamed: lengths unknown, the text in pieces.
      ['rsa', ['-stream', '-indef']],
    ] as const)('of openssl by %s %j are taken', async (kind, options) => {
      const { certificateFile, keyFile } = person(kind);
      const signer = ['-signer', certificateFile, '-inkey', keyFile, '-outform', 'DER', '-binary'];
      const content = maker.file('content', text);
      const opaque = maker.openssl(['cms', '-sign', '-nodetach', ...signer, ...options, '-in', content]);
      expect(await verified(latin1(opaque), null)).toBe('good');
      const detached = maker.openssl(['cms', '-sign', ...signer, ...options, '-in', content]);
      expect(await verified(latin1(detached), text)).toBe('good');
      expect(await verified(latin1(detached), 'another text')).not.toBe('good');
      // OpenSSL puts the text inside of what it streams, whatever it is told.
      const isStreamed = (options as readonly string[]).includes('-stream');
      expect(await verified(latin1(detached), null)).toBe(isStreamed ? 'good' : 'no content');
    });

    test('of openssl smime are taken', async () => {
      const { certificateFile, keyFile } = person('rsa');
      const signer = ['-signer', certificateFile, '-inkey', keyFile, '-outform', 'DER', '-binary'];
      const signed = maker.openssl(['smime', '-sign', ...signer, '-in', maker.file('content', text)]);
      expect(await verified(latin1(signed), text)).toBe('good');
    });

    test('take the key in every form', async () => {
      const { pem, keyPem } = person('rsa');
      const forms: readonly (readonly [unknown, object])[] = [
        ['pki:rsa', {}],
        ['rsa', { id: true }],
        [keyPem + pem + root.pem, {}],
        [pem + keyPem, {}],
        [keyOf(person('rsa')), {}],
        [{ x509: pem, privatekey: keyPem, chain: [root.pem] }, {}],
      ];
      for (const [cert, options] of forms) {
        const { result, data } = await record(cmsSign, text, cert, options);
        expect(result).toBe(true);
        expect(await verified(data as string, text)).toBe('good');
        expect(await verified((await run(pkcs7Sign, text, cert, options)) as string, text)).toBe('good');
      }
    });

    test('give nothing for keys that cannot be read or are of another certificate', async () => {
      const { pem, keyPem } = person('rsa');
      for (const cert of [
        'pki:unknown',
        'text',
        pem,
        keyPem,
        pem + keyPem + keyPem,
        root.pem + keyPem,
        { x509: root.pem, privatekey: keyPem },
        { x509: pem, privatekey: 'no key' },
        { privatekey: keyPem },
      ]) {
        expect(await record(cmsSign, text, cert)).toEqual({ result: false, data: null });
        expect(await run(pkcs7Sign, text, cert)).toBe(null);
      }
      for (const cert of [
        {},
        { x509: 5, privatekey: keyPem },
        { x509: 'no certificate', privatekey: keyPem },
      ]) {
        const failed = run(cmsSign, text, cert);
        await expect(failed).rejects.toThrow(/^cms_sign: argument 2 \(cert\), key "(x509|privatekey)": /);
        await expect(failed).rejects.not.toThrow('PRIVATE');
      }
    });

    test('of several people must all be good', async () => {
      const signers = ['rsa', 'ec'].flatMap((name) => [
        '-signer',
        person(name).certificateFile,
        '-inkey',
        person(name).keyFile,
      ]);
      const content = maker.file('content', text);
      const both = maker.openssl(['cms', '-sign', '-binary', '-outform', 'DER', ...signers, '-in', content]);
      const { result, signers: found } = await record(cmsVerify, latin1(both), text, { store: ['pki:root'] });
      expect(result).toBe(true);
      expect((found as HslArray).length).toBe(2);
      const one = { certs: [resource(person('rsa'))] };
      expect((await record(cmsVerify, latin1(both), text, one))['error']).toBe(
        'the signer is not among the given certificates',
      );
    });

    test('are trusted by their issuer, or as they are, and otherwise not', async () => {
      const signature = await sign('rsa');
      const check = async (certs: object) => (await record(cmsVerify, signature, text, certs))['error'];
      expect(await check({ store: [root.pem] })).toBe(null);
      expect(await check({ certs: [resource(person('rsa'))] })).toBe(null);
      expect(await check({ certs: [resource(person('other'))] })).toContain('not among the given');
      expect(await check({})).toContain('not among the given');
      expect(await check({ store: [resource(person('other'))] })).toContain('self-signed');
      expect(await check({ store: [] })).toContain('self-signed');
      expect(await verified(await sign('server'), text)).toBe('unsuitable certificate purpose');
    });

    test('without certificates inside are checked with those given', async () => {
      const { certificateFile, keyFile } = person('rsa');
      const signer = [
        '-signer',
        certificateFile,
        '-inkey',
        keyFile,
        '-outform',
        'DER',
        '-binary',
        '-nocerts',
      ];
      const signed = latin1(maker.openssl(['cms', '-sign', ...signer, '-in', maker.file('content', text)]));
      expect(await verified(signed, text)).toBe('signer certificate not found');
      const certs = { store: ['pki:root'], certs: [resource(person('rsa'))] };
      expect((await record(cmsVerify, signed, text, certs))['error']).toBe(null);
    });

    test('over attributes that are passed off as the text are refused', async () => {
      const { certificateFile, keyFile } = person('rsa');
      const signed = await sign('rsa', { detached: false });
      // What was signed: the attributes as a SET; with a signer of openssl's that has no attributes.
      const bytes = Buffer.from(signed, 'latin1');
      const at = bytes.lastIndexOf(Buffer.from('06092a864886f70d010903', 'hex')) - 4;
      expect(bytes[at]).toBe(0xa0);
      const attributes = Buffer.from(bytes.subarray(at, at + 2 + bytes[at + 1]!));
      attributes[0] = 0x31;
      const content = maker.file('attributes', attributes);
      const signer = ['-signer', certificateFile, '-inkey', keyFile, '-outform', 'DER', '-binary', '-noattr'];
      const forged = maker.openssl(['cms', '-sign', '-nodetach', ...signer, '-in', content]);
      expect(await verified(latin1(forged), null)).toBe('signed attributes are missing');
    });

    test('give the text and the signers, on demand and only when they are good', async () => {
      const signature = await sign('rsa', { detached: false });
      const store = { store: ['pki:root'] };
      const good = await record(cmsVerify, signature, null, store, { data: true });
      expect(good['data']).toBe(text);
      const [signer] = (good['signers'] as HslArray).toList() as HslResource[];
      expect(signer!.type).toBe(X509_RESOURCE);
      expect((await record(cmsVerify, signature, null, store))['data']).toBe(null);
      const bad = await record(cmsVerify, signature, 'other', store, { data: true });
      expect([bad['result'], bad['data'], (bad['signers'] as HslArray).length]).toEqual([false, null, 1]);
      expect(await verified(signature, null, { detached: true })).toBe('no content');
      expect(await verified(signature, 'ignored', { detached: false })).toBe('good');
    });
  });

  describe('encryption', () => {
    test.each(cipherNames)('with %s is opened by us, and by openssl', async (cipher) => {
      for (const kind of ['rsa', 'ec', 'p384'])
        for (const oaep of [false, true]) {
          const { data } = await record(
            cmsEncrypt,
            text,
            { certs: [resource(person(kind))] },
            { cipher, oaep },
          );
          expect(await record(cmsDecrypt, data, `pki:${kind}`)).toEqual({ result: true, data: text });
          expect(await run(cmsType, data)).toBe(
            cipher.endsWith('gcm') ? 'id-smime-ct-authEnvelopedData' : 'pkcs7-envelopedData',
          );
          const { certificateFile, keyFile } = person(kind);
          const file = maker.file('encrypted.der', Buffer.from(data as string, 'latin1'));
          const key = ['-recip', certificateFile, '-inkey', keyFile, '-inform', 'DER', '-binary'];
          expect(latin1(maker.openssl(['cms', '-decrypt', ...key, '-in', file]))).toBe(text);
        }
    });

    test.each([
      ['rsa', ['-aes128']],
      ['rsa', ['-aes-256-gcm']],
      ['rsa', ['-des3']],
      ['rsa', ['-aes256', '-keyid']],
      ['rsa', ['-aes256', '-stream', '-indef']],
      ['rsa', ['-aes256'], ['-keyopt', 'rsa_padding_mode:oaep']],
      [
        'rsa',
        ['-aes256'],
        [
          '-keyopt',
          'rsa_padding_mode:oaep',
          '-keyopt',
          'rsa_oaep_md:sha256',
          '-keyopt',
          'rsa_mgf1_md:sha256',
        ],
      ],
      ['ec', ['-aes128']],
      ['ec', ['-aes256', '-keyid']],
      ['ec', ['-aes256'], ['-keyopt', 'ecdh_kdf_md:sha256']],
      ['ec', ['-des3']],
      ['p384', ['-aes-256-gcm'], ['-keyopt', 'ecdh_kdf_md:sha384', '-keyopt', 'ecdh_cofactor_mode:1']],
    ] as const)(
      'of openssl for %s %j is opened',
      async (kind, options, recipient: readonly string[] = []) => {
        const content = maker.file('content', text);
        const to = ['-recip', person(kind).certificateFile, ...recipient];
        const encrypted = maker.openssl([
          'cms',
          '-encrypt',
          '-binary',
          '-outform',
          'DER',
          ...options,
          '-in',
          content,
          ...to,
        ]);
        expect(await record(cmsDecrypt, latin1(encrypted), keyOf(person(kind)))).toEqual({
          result: true,
          data: text,
        });
      },
    );

    test('of openssl smime is opened', async () => {
      const content = maker.file('content', text);
      const args = ['smime', '-encrypt', '-binary', '-outform', 'DER', '-aes256', '-in', content];
      const encrypted = maker.openssl([...args, person('rsa').certificateFile]);
      expect(await record(cmsDecrypt, latin1(encrypted), 'rsa', { id: true })).toEqual({
        result: true,
        data: text,
      });
    });

    test('for several people is opened by each of them, and nobody else', async () => {
      const certs = [resource(person('rsa')), person('ec').pem, 'pki:other'];
      const { data } = await record(cmsEncrypt, text, { certs: certs.slice(0, 2) });
      for (const name of ['rsa', 'ec'])
        expect(await record(cmsDecrypt, data, keyOf(person(name)))).toEqual({ result: true, data: text });
      const nothing = { result: false, data: null };
      for (const cert of ['pki:other', 'pki:unknown', 'pki:p384', keyOf(person('ed25519')), 'text', null])
        expect(await record(cmsDecrypt, data, cert)).toEqual(nothing);
      const wrongPair = { x509: resource(person('rsa')), privatekey: person('other').keyPem };
      expect(await record(cmsDecrypt, data, wrongPair)).toEqual(nothing);
      // A key alone finds its place when there is but one.
      expect(await record(cmsDecrypt, data, { privatekey: person('rsa').keyPem })).toEqual({
        result: true,
        data: text,
      });
      const two = await record(cmsEncrypt, text, certs);
      expect(await record(cmsDecrypt, two['data'], { privatekey: person('rsa').keyPem })).toEqual(nothing);
    });

    test('needs recipients that it can encrypt for', async () => {
      const nothing = { result: false, data: null };
      expect(await record(cmsEncrypt, text, { certs: [] })).toEqual(nothing);
      expect(await record(cmsEncrypt, text, {})).toEqual(nothing);
      expect(await record(cmsEncrypt, text, [person('rsa').pem, person('ed25519').pem])).toEqual(nothing);
      await expect(run(cmsEncrypt, text, { certs: ['text'] })).rejects.toThrow(
        'cms_encrypt: argument 2 (certs), key "certs": the text holds no certificate',
      );
      await expect(run(cmsEncrypt, text, {}, { cipher: 'rc4' })).rejects.toThrow(/cipher/);
    });

    test('brings every text back', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 300 }),
          fc.constantFrom(...cipherNames),
          fc.constantFrom('rsa', 'ec'),
          async (bytes, cipher, kind) => {
            const message = latin1(Buffer.from(bytes));
            const { data } = await record(cmsEncrypt, message, [person(kind).pem], { cipher });
            expect((await record(cmsDecrypt, data, `pki:${kind}`))['data']).toBe(message);
          },
        ),
        { numRuns: 60, seed: 7 },
      );
    });

    test('with a key that was not encrypted properly fails as any other failure', async () => {
      const { data } = await record(cmsEncrypt, text, [person('rsa').pem], { cipher: 'aes-256-gcm' });
      const bytes = Buffer.from(data as string, 'latin1');
      const at = bytes.indexOf(Buffer.from('04820100', 'hex')) + 4;
      for (let i = 0; i < 20; i++) {
        const broken = Buffer.from(bytes);
        randomBytes(256).copy(broken, at);
        broken[at] = 0;
        expect(await record(cmsDecrypt, latin1(broken), 'pki:rsa')).toEqual({ result: false, data: null });
      }
    });
  });

  test('cms_type names the outermost kind', async () => {
    expect(await run(cmsType, await sign('rsa'))).toBe('pkcs7-signedData');
    const compressed = maker.file('content', text);
    const data = maker.openssl(['cms', '-data_create', '-outform', 'DER', '-binary', '-in', compressed]);
    expect(await run(cmsType, latin1(data))).toBe('pkcs7-data');
    for (const other of ['', 'text', latin1(root.certificate.raw), '\x30\x03\x06\x01\x2a'])
      expect(await run(cmsType, other)).toBe(null);
  });
});
