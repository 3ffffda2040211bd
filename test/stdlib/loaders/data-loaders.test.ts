import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FreshValue, HslArray, HslObject, HslResource, Value } from '#lang';
import { dataLoaders } from '../../../stdlib/loaders/data-loaders.js';
import { fromValue, keyed, toValue } from '../../support/fake-context.js';

function load(name: string, text: string, options: Record<string, unknown> = {}) {
  const given = new Map(Object.entries(options).map(([key, value]) => [key, toValue(value)]));
  return dataLoaders[name]!.load({ name: `file.${name}`, text }, given);
}
function value(name: string, text: string, options: Record<string, unknown> = {}): Value {
  const loaded = load(name, text, options);
  if ('problem' in loaded) throw new Error(loaded.problem);
  return loaded.value;
}

describe('text', () => {
  test('json allows comments and names the line of a mistake', () => {
    expect(fromValue(value('json', '{ // c\n"a": 1}'))).toEqual(keyed(['a', 1]));
    expect(load('json', '{\n"a": }')).toEqual({ problem: expect.any(String), line: 2 });
  });
  test('yaml', () => {
    expect(fromValue(value('yaml', 'a: [1]'))).toEqual(keyed(['a', [1]]));
    expect(load('yaml', 'a: 1\nb: [')).toEqual({ problem: expect.any(String), line: expect.any(Number) });
  });
  test('csv takes the options of csv_decode', () => {
    const options = { delimiter: ';', schema: { id: { type: 'number' } } };
    expect(fromValue(value('csv', 'id;n\n1;x\n', options))).toEqual([keyed(['id', 1], ['n', 'x'])]);
    expect(fromValue(value('csv', 'a,b\n', { header: false }))).toEqual([['a', 'b']]);
    expect(load('csv', 'id\n1\nx\n', options)).toEqual({
      problem: expect.stringContaining('no number'),
      line: 3,
    });
    expect(load('csv', 'id\n', { header: 'yes' })).toEqual({ problem: expect.stringContaining('header') });
  });
  test('txt is the text, or its lines', () => {
    expect(value('txt', 'a\r\nb\n')).toBe('a\r\nb\n');
    expect(fromValue(value('txt', 'a\r\n\nb\n', { array: true }))).toEqual(['a', '', 'b']);
    expect(fromValue(value('txt', 'a\nb', { array: true }))).toEqual(['a', 'b']);
    expect(fromValue(value('txt', '', { array: true }))).toEqual([]);
    expect(load('txt', '', { array: 1 })).toEqual({ problem: expect.stringContaining('array') });
  });
  test('eml makes a message for whoever asks', () => {
    const loaded = value('eml', 'Subject: x\r\n\r\nbody') as FreshValue;
    const [one, other] = [loaded.make() as HslObject, loaded.make() as HslObject];
    expect(one.classOf.name).toBe('MailMessage');
    expect(one.state).not.toBe(other.state);
  });
});

describe('keys and certificates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'argonite-loaders-'));
  let certificate = '';
  let key = '';
  beforeAll(() => {
    const keyFile = join(folder, 'k.pem');
    const certificateFile = join(folder, 'c.pem');
    const subject = ['-subj', '/CN=loader.test', '-days', '1', '-keyout', keyFile, '-out', certificateFile];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', ...subject], {
      stdio: 'ignore',
    });
    certificate = readFileSync(certificateFile, 'latin1');
    key = readFileSync(keyFile, 'latin1');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('crt is always a list, of PEM text or of resources', () => {
    expect(fromValue(value('crt', certificate))).toEqual([certificate]);
    expect((value('crt', `${certificate}text between\n${certificate}`) as HslArray).length).toBe(2);
    const [resource] = (value('crt', certificate, { resource: true }) as HslArray).toList() as HslResource[];
    expect(resource!.type).toBe('X509Resource');
    expect((resource!.payload as X509Certificate).subject).toBe('CN=loader.test');
  });
  test('crt reads DER as well', () => {
    const der = new X509Certificate(certificate).raw.toString('latin1');
    expect(fromValue(value('crt', der))).toEqual([certificate]);
  });
  test('crt refuses what it cannot read, and says where', () => {
    expect(load('crt', 'nothing')).toEqual({ problem: expect.stringContaining('no certificate') });
    const broken = `one\n${certificate.replace(/\n[A-Za-z]/, '\n!')}`;
    expect(load('crt', broken)).toEqual({ problem: expect.any(String), line: 2 });
  });
  test('key is one private key', () => {
    expect(value('key', `comment\n${key}`)).toBe(key);
    const resource = value('key', key, { resource: true }) as HslResource;
    expect(resource.type).toBe('PrivateKeyResource');
    expect((resource.payload as KeyObject).type).toBe('private');
    expect(load('key', key + key)).toEqual({ problem: expect.stringContaining('2 private keys') });
    expect(load('key', certificate)).toEqual({ problem: expect.stringContaining('no private key') });
  });
  test('a key with a passphrase is refused without showing it', () => {
    const { privateKey } = generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
    });
    const loaded = load('key', privateKey);
    expect(loaded).toEqual({ problem: expect.stringContaining('passphrase') });
    expect(JSON.stringify(loaded)).not.toContain(privateKey.split('\n')[1]);
  });
});
