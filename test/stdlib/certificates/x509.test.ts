import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HslArray, HslObject, HslResource, type NativeClass, type Value } from '#lang';
import { checkedMethod } from '../../../lang/vm/checked-builtin.js';
import { x509Class } from '../../../stdlib/certificates/x509.builtins.js';
import { x509CrlClass } from '../../../stdlib/certificates/x509-crl.builtins.js';
import { nothingConfigured } from '../../../stdlib/configured.js';
import { PRIVATE_KEY_RESOURCE, X509_RESOURCE } from '../../../stdlib/loaders/certificates.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';
import { skipReason } from '../../support/peers.js';
import {
  authorityExtensions,
  keyKinds,
  mailExtensions,
  TestAuthority,
  type TestCertificate,
} from '../../support/test-authority.js';

const folder = mkdtempSync(path.join(tmpdir(), 'argonite-x509-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const maker = new TestAuthority(folder);
const now = Math.floor(Date.now() / 1000) + 60;
let context = new FakeContext({ now });

const open = ({ certificate }: TestCertificate): HslObject =>
  context.make(x509Class, new HslResource(X509_RESOURCE, certificate));
const list = (...items: (TestCertificate | Value)[]): HslArray =>
  HslArray.fromList(
    items.map((item) =>
      typeof item === 'object' && item !== null && 'certificate' in item
        ? new HslResource(X509_RESOURCE, item.certificate)
        : item,
    ),
  );
const crl = (pem: string): HslObject =>
  staticOf(x509CrlClass as NativeClass, 'String', pem, toValue({ pem: true })) as HslObject;

function staticOf(of: NativeClass, name: string, ...args: Value[]): Value {
  const checked = checkedMethod(of, of.statics[name]!);
  return checked.run(...checked.check(args, context.host), context) as Value;
}

async function verify(
  leaf: TestCertificate,
  anchors: Value,
  intermediates?: HslArray,
  lists?: HslArray,
): Promise<string> {
  const args = [anchors, ...(intermediates ? [intermediates] : []), ...(lists ? [lists] : [])];
  const result = (await context.method(open(leaf), 'verify', ...args)) as HslArray;
  expect(result.get('result')).toBe(result.get('error') === null);
  return (result.get('error') as string | null) ?? 'good';
}

describe.skipIf(skipReason('openssl'))('with certificates of openssl', () => {
  let root: TestCertificate;
  let middle: TestCertificate;
  let leaf: TestCertificate;
  let stranger: TestCertificate;
  beforeAll(() => {
    root = maker.certificate('root', { extensions: authorityExtensions });
    middle = maker.certificate('middle', {
      issuer: root,
      key: keyKinds.rsa,
      extensions: ['basicConstraints=critical,CA:true,pathlen:0', ...authorityExtensions.slice(1)],
    });
    leaf = maker.certificate('leaf', {
      issuer: middle,
      subject: '/C=SE/O=L\xc3\xa4n/O=two/CN=a leaf/emailAddress=me@example.test',
      serial: 0xa0b1c2,
      extensions: [
        ...mailExtensions,
        'subjectAltName=DNS:mx.example.test,email:me@example.test,DNS:*.example.test,IP:192.0.2.1,IP:2001:db8::1,' +
          'URI:https://example.test/,RID:1.2.3.4,dirName:dir,otherName:1.3.6.1.5.5.7.8.9;UTF8:you@example.test\n[dir]\nCN=in a directory',
      ],
    });
    stranger = maker.certificate('stranger', { extensions: authorityExtensions });
  });

  test('its fields are read', () => {
    const object = open(leaf);
    const get = (name: string, ...args: Value[]) => fromValue(context.method(object, name, ...args));
    expect(get('version')).toBe(3);
    expect(get('serial_number')).toBe('A0B1C2');
    expect(get('issuer')).toEqual([
      ['O', 'Tests'],
      ['CN', 'middle'],
    ]);
    expect((get('subject') as string[][]).map(([name]) => name)).toEqual([
      'C',
      'O',
      'O',
      'CN',
      'emailAddress',
    ]);
    expect(get('not_valid_before')).toBe(Date.parse(leaf.certificate.validFrom) / 1000);
    expect(get('not_valid_after')).toBe(Date.parse(leaf.certificate.validTo) / 1000);
    expect(get('export', true)).toBe(leaf.pem);
    expect(Buffer.from(get('export') as string, 'latin1').equals(leaf.certificate.raw)).toBe(true);
    const text = maker.openssl(['x509', '-in', leaf.certificateFile, '-noout', '-pubkey']).toString();
    expect(get('public_key', true)).toBe(text);
  });

  test('alternative names are there by kind', () => {
    expect(fromValue(context.method(open(leaf), 'subject_alt_name'))).toEqual(
      keyed(
        ['DNS', ['mx.example.test', '*.example.test']],
        ['email', ['me@example.test']],
        ['IP', ['192.0.2.1', '2001:db8::1']],
        ['URI', ['https://example.test/']],
        ['RID', ['1.2.3.4']],
        ['DirName', [[['CN', 'in a directory']]]],
        ['otherName', [keyed(['oid', '1.3.6.1.5.5.7.8.9'], ['value', '\x0c\x10you@example.test'])]],
      ),
    );
    expect(fromValue(context.method(open(root), 'subject_alt_name'))).toEqual([]);
  });

  test('extensions are there with name, identifier and bytes', () => {
    const extensions = fromValue(context.method(open(root), 'extensions')) as { entries: unknown[][] }[];
    expect(extensions.map(({ entries }) => entries.slice(0, 2).concat(entries.slice(3)))).toEqual([
      [
        ['name', 'basicConstraints'],
        ['oid', '2.5.29.19'],
        ['critical', true],
      ],
      [
        ['name', 'keyUsage'],
        ['oid', '2.5.29.15'],
        ['critical', true],
      ],
      [
        ['name', 'subjectKeyIdentifier'],
        ['oid', '2.5.29.14'],
        ['critical', false],
      ],
    ]);
    const only = context.method(open(root), 'extensions', toValue({ oid: '2.5.29.19' })) as HslArray;
    expect((only.get(0) as HslArray).get('value')).toBe('\x30\x03\x01\x01\xff');
    expect(only.length).toBe(1);
  });

  test('what toResource gives opens again', () => {
    const resource = context.method(open(leaf), 'toResource') as HslResource;
    expect(resource.type).toBe(X509_RESOURCE);
    expect(context.method(context.make(x509Class, resource), 'serial_number')).toBe('A0B1C2');
    expect(() => context.make(x509Class, new HslResource(PRIVATE_KEY_RESOURCE, root.key))).toThrow(
      'X509: argument 1 (resource) must be a certificate (X509Resource), found PrivateKeyResource',
    );
  });

  test('String reads DER and PEM, one or several', () => {
    const string = (data: string, options?: object) =>
      staticOf(x509Class as NativeClass, 'String', data, ...(options ? [toValue(options)] : []));
    const der = leaf.certificate.raw.toString('latin1');
    expect(string(der)).toBeInstanceOf(HslObject);
    expect(string(leaf.pem, { pem: true })).toBeInstanceOf(HslObject);
    expect((string(leaf.pem + root.pem, { pem: true, multiple: true }) as HslArray).length).toBe(2);
    expect((string(der + der, { multiple: true }) as HslArray).length).toBe(2);
    for (const [data, options] of [
      ['', {}],
      ['', { multiple: true }],
      ['text', { pem: true }],
      [leaf.pem, {}],
      [der, { pem: true }],
      [der + der, {}],
      [`${der}x`, { multiple: true }],
      [leaf.pem + leaf.pem.replace(/\n.{20}/, '\nAAAA'), { pem: true, multiple: true }],
    ] as const)
      expect(string(data, options)).toBe(null);
  });

  describe('verify', () => {
    test('finds the way over certificates between, whatever their order', async () => {
      expect(await verify(leaf, list(root), list(stranger, middle))).toBe('good');
      expect(await verify(middle, list(root))).toBe('good');
      expect(await verify(root, list(root))).toBe('good');
      expect(await verify(leaf, list(middle))).toBe('good');
    });

    test('takes PEM texts, objects, and authorities of the configuration', async () => {
      context = new FakeContext({
        now,
        services: {
          configured: {
            ...nothingConfigured,
            authorities: (id) => (id === 'pki:tests' ? [root.certificate] : undefined),
          },
        },
      });
      expect(await verify(leaf, list(open(stranger), root.pem + stranger.pem), list(open(middle)))).toBe(
        'good',
      );
      expect(await verify(middle, 'pki:tests')).toBe('good');
      await expect(verify(middle, 'pki:other')).rejects.toThrow('nothing is configured under "pki:other"');
      await expect(verify(middle, list(7))).rejects.toThrow(
        'X509->verify: argument 1 (calist): expected X509 resources or objects, or texts in PEM, found number',
      );
      await expect(verify(middle, list(root), list(), list(root))).rejects.toThrow(
        'X509->verify: argument 3 (revokelist): expected X509CRL resources or objects, found X509Resource',
      );
    });

    test('says why not, in the words of openssl', async () => {
      const judged = (
        certificate: TestCertificate,
        anchors: TestCertificate[],
        between: TestCertificate[],
        ...more: string[]
      ) => {
        const store = maker.file('store', anchors.map(({ pem }) => pem).join(''));
        const untrusted = maker.file('untrusted', between.map(({ pem }) => pem).join(''));
        try {
          maker.openssl([
            'verify',
            '-CAfile',
            store,
            ...(between.length ? ['-untrusted', untrusted] : []),
            ...more,
            certificate.certificateFile,
          ]);
          return 'good';
        } catch (error) {
          return /depth lookup: (.*)/.exec((error as { stderr: Buffer }).stderr.toString())?.[1];
        }
      };
      const notAuthority = maker.certificate('not-authority', { issuer: root, extensions: mailExtensions });
      const below = maker.certificate('below', { issuer: notAuthority, extensions: mailExtensions });
      const secondMiddle = maker.certificate('second', { issuer: middle, extensions: authorityExtensions });
      const deep = maker.certificate('deep', { issuer: secondMiddle, extensions: mailExtensions });
      const insisting = maker.certificate('insisting', {
        issuer: root,
        extensions: [...mailExtensions, '1.2.3.4.5=critical,DER:0500'],
      });
      const cases: readonly (readonly [TestCertificate, TestCertificate[], TestCertificate[]])[] = [
        [leaf, [root], [middle]],
        [leaf, [root], []],
        [leaf, [stranger], [middle]],
        [leaf, [stranger], [middle, root]],
        [stranger, [root], []],
        [below, [root], [notAuthority]],
        [deep, [root], [middle, secondMiddle]],
        [insisting, [root], []],
      ];
      for (const [certificate, anchors, between] of cases) {
        const ours = await verify(certificate, list(...anchors), list(...between));
        expect([certificate.name, ours]).toEqual([certificate.name, judged(certificate, anchors, between)]);
      }
      const late = now + 20 * 365 * 86400;
      context = new FakeContext({ now: late });
      expect(await verify(leaf, list(root), list(middle))).toBe('certificate has expired');
      expect(judged(leaf, [root], [middle], '-attime', String(late))).toBe('certificate has expired');
      context = new FakeContext({ now: 1_000_000 });
      expect(await verify(leaf, list(root), list(middle))).toBe('certificate is not yet valid');
      context = new FakeContext({ now });
    });

    test('refuses MD5, whoever signed', async () => {
      const old = maker.certificate('old', { issuer: middle, extensions: mailExtensions, sign: ['-md5'] });
      expect(await verify(old, list(root), list(middle))).toBe('CA signature digest algorithm too weak');
    });

    test('is not fooled by the name alone', async () => {
      const double = maker.certificate('double', {
        subject: '/O=Tests/CN=middle',
        extensions: authorityExtensions,
      });
      expect(await verify(leaf, list(double))).toBe('unable to get local issuer certificate');
      expect(await verify(leaf, list(double, root), list(double, middle))).toBe('good');
    });

    test('ends with certificates that vouch for each other', async () => {
      const a = maker.certificate('ring-a', { extensions: authorityExtensions });
      const b = maker.certificate('ring-b', { issuer: a, extensions: authorityExtensions });
      maker.openssl([
        'req',
        '-new',
        '-key',
        a.keyFile,
        '-subj',
        '/O=Tests/CN=ring-a',
        '-out',
        maker.file('ring.csr'),
      ]);
      const ring = ['-req', '-in', maker.file('ring.csr'), '-CA', b.certificateFile, '-CAkey', b.keyFile];
      maker.openssl([
        'x509',
        ...ring,
        '-set_serial',
        '9',
        '-days',
        '10',
        '-extfile',
        maker.file('ring-a.ext'),
        '-out',
        maker.file('cross.crt'),
      ]);
      const end = maker.certificate('ring-end', { issuer: a, extensions: mailExtensions });
      const cross = maker.openssl(['x509', '-in', maker.file('cross.crt')]).toString('latin1');
      expect(await verify(end, list(root), list(b, cross, a))).toContain('certificate');
    });

    test.each(['rsa', 'pss', 'p384', 'p521', 'ed25519'] as const)(
      'follows signatures by %s',
      async (kind) => {
        const authority = maker.certificate(`ca-${kind}`, {
          key: keyKinds[kind],
          extensions: authorityExtensions,
        });
        const end = maker.certificate(`end-${kind}`, { issuer: authority, extensions: mailExtensions });
        expect(await verify(end, list(authority))).toBe('good');
      },
    );
  });

  describe('revocation lists', () => {
    test('are read', () => {
      const { pem } = maker.revocationList('read', middle, [
        ['A0B1C2', 'keyCompromise'],
        ['05'],
        ['0102', 'superseded'],
      ]);
      const object = crl(pem);
      const get = (name: string, ...args: Value[]) => fromValue(context.method(object, name, ...args));
      expect(get('issuer')).toEqual([
        ['O', 'Tests'],
        ['CN', 'middle'],
      ]);
      expect(get('version')).toBe(2);
      expect(get('revoked')).toEqual([
        keyed(['serial_number', '05'], ['reason', null]),
        keyed(['serial_number', '0102'], ['reason', 'superseded']),
        keyed(['serial_number', 'A0B1C2'], ['reason', 'keyCompromise']),
      ]);
      expect((get('next_update') as number) - (get('last_update') as number)).toBe(30 * 86400);
      expect(get('export', true)).toBe(pem);
      expect(get('extensions')).toHaveLength(2);
      const resource = context.method(object, 'toResource') as HslResource;
      expect(context.method(context.make(x509CrlClass as NativeClass, resource), 'version')).toBe(2);
      const again = staticOf(x509CrlClass as NativeClass, 'String', get('export') as string);
      expect(context.method(again as HslObject, 'version')).toBe(2);
    });

    test('decide about a chain as openssl does', async () => {
      const good = maker.revocationList('good', middle, [['05']]);
      const bad = maker.revocationList('bad', middle, [['05'], ['A0B1C2', 'keyCompromise']]);
      const foreign = maker.revocationList('foreign', stranger, []);
      const above = maker.revocationList('above', root, [[middle.certificate.serialNumber]]);
      const check = (...lists: { pem: string }[]) =>
        verify(leaf, list(root), list(middle), list(...lists.map(({ pem }) => crl(pem))));
      expect(await check(good)).toBe('good');
      expect(await check(bad)).toBe('certificate revoked');
      expect(await check(good, bad)).toBe('certificate revoked');
      expect(await check(foreign)).toBe('unable to get certificate CRL');
      expect(await check(good, above)).toBe('certificate revoked');
      expect(await verify(leaf, list(root), list(middle), list())).toBe('good');
      for (const [file, expected] of [
        [good.file, 'OK'],
        [bad.file, 'certificate revoked'],
      ] as const) {
        const args = [
          'verify',
          '-CAfile',
          root.certificateFile,
          '-untrusted',
          middle.certificateFile,
          '-crl_check',
          '-CRLfile',
          file,
        ];
        let said: string;
        try {
          said = maker.openssl([...args, leaf.certificateFile]).toString();
        } catch (error) {
          said = (error as { stderr: Buffer }).stderr.toString();
        }
        expect(said).toContain(expected);
      }
    });

    test('that are old, forged, or for others prove nothing', async () => {
      const { pem } = maker.revocationList('forged', middle, []);
      const der = Buffer.from(pem.replace(/-----.*-----|\n/g, ''), 'base64');
      der[der.length - 3]! ^= 1;
      const forged = staticOf(x509CrlClass as NativeClass, 'String', der.toString('latin1'));
      expect(await verify(leaf, list(root), list(middle), list(forged))).toBe('CRL signature failure');
      context = new FakeContext({ now: now + 40 * 86400 });
      expect(await verify(leaf, list(root), list(middle), list(crl(pem)))).toBe('CRL has expired');
      context = new FakeContext({ now });
    });

    test('what is none is none', () => {
      for (const data of ['', 'text', '\x30\x00', leaf.certificate.raw.toString('latin1')])
        expect(staticOf(x509CrlClass as NativeClass, 'String', data)).toBe(null);
      expect(staticOf(x509CrlClass as NativeClass, 'String', leaf.pem, toValue({ pem: true }))).toBe(null);
      expect(() =>
        context.make(x509CrlClass as NativeClass, new HslResource(X509_RESOURCE, leaf.certificate)),
      ).toThrow(
        'X509CRL: argument 1 (resource) must be a revocation list (X509CRLResource), found X509Resource',
      );
    });
  });
});
