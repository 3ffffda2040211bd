import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HslObject, HslResource } from '#lang';
import { PRIVATE_KEY_RESOURCE } from '../../../../stdlib/loaders/certificates.js';
import { readTagList } from '../../../../stdlib/mail/dkim/signature-tags.js';
import { FakeContext } from '../../../support/fake-context.js';
import {
  documentOf,
  ed25519Pem,
  fieldsOf,
  message,
  pem,
  rsaPem,
  signDkim,
  signedBytes,
  verdicts,
  verifyDkim,
} from './signing-world.js';

async function tagsWith(options: Readonly<Record<string, unknown>>, bytes = message) {
  const [field] = fieldsOf(await signedBytes(bytes, 'rsa', rsaPem, options));
  return readTagList(field!.slice(field!.indexOf(':') + 1))!;
}

describe('signDKIM', () => {
  test('adds the signature on top and returns the message', async () => {
    const document = documentOf(message);
    const result = await signDkim(document, 'rsa', 'example.com', rsaPem);
    expect(result).toBeInstanceOf(HslObject);
    const out = await document.toBytes();
    expect(out.toString('latin1').startsWith('DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;')).toBe(
      true,
    );
    expect(out.subarray(out.length - message.length).equals(message)).toBe(true);
    expect(await verdicts(out)).toEqual(['pass']);
  });

  test('folds the field so that no line is longer than 78', async () => {
    const [field] = fieldsOf(
      await signedBytes(message, 'rsa', rsaPem, {
        additional_headers: Array(40).fill('Received'),
        timestamp: true,
      }),
    );
    for (const line of field!.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    for (const line of field!.split('\r\n').slice(1)) expect(line).toMatch(/^\t\S/);
  });

  test('signs the message as changed so far, or as received with discard_changes', async () => {
    const document = documentOf(message);
    document.root.edits.set(document.root.header, 'Subject', Buffer.from('Subject: New\r\n'), 0);
    const original = await signDkim(document, 'rsa', 'example.com', rsaPem, {
      discard_changes: true,
      return_header: true,
    });
    expect(await verdicts(Buffer.concat([Buffer.from(`${original}\r\n`), message]))).toEqual(['pass']);
    await signDkim(document, 'rsa', 'example.com', rsaPem);
    expect(await verdicts(await document.toBytes())).toEqual(['pass']);
  });

  test('signs what delivery sends for broken line ends', async () => {
    const broken = Buffer.from('From: a@example.com\nTo: b\rc\r\n\r\nbody\rx\n.\n\n\nend');
    const sent = 'From: a@example.com\r\nTo: b c\r\n\r\nbody x\r\n.\r\n\r\n\r\nend\r\n';
    for (const form of ['simple', 'relaxed']) {
      const field = await signDkim(documentOf(broken), 'rsa', 'example.com', rsaPem, {
        canonicalization_header: form,
        canonicalization_body: form,
        return_header: true,
      });
      expect(await verdicts(Buffer.from(`${field}\r\n${sent}`))).toEqual(['pass']);
    }
  });

  test('signs a message of headers only, and an empty one', async () => {
    for (const bytes of [Buffer.from('From: a@example.com\r\n'), Buffer.from(''), Buffer.from('\r\n\r\n')])
      expect(await verdicts(await signedBytes(bytes, 'rsa', rsaPem))).toEqual(['pass']);
  });

  test('takes a configured key by its id, a resource, and raw Ed25519 bytes', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const asked: string[] = [];
    const ctx = new FakeContext({
      services: {
        configured: {
          key: (id) => {
            asked.push(id);
            return id.endsWith('mine') ? { key: privateKey, certificates: [] } : undefined;
          },
          authorities: () => undefined,
          address: () => undefined,
          knowsTransport: () => false,
          file: async () => undefined,
        },
      },
    });
    const options = { algorithm: 'ed25519-sha256', return_header: true };
    const seed = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32).toString('latin1');
    const fields = new Set<unknown>();
    for (const [key, id] of [
      ['pki:mine', undefined],
      ['mine', undefined],
      ['mine', true],
      [pem(privateKey), undefined],
      [pem(privateKey), false],
      [seed, undefined],
      [new HslResource(PRIVATE_KEY_RESOURCE, privateKey), undefined],
    ] as const)
      fields.add(await signDkim(documentOf(message), 's', 'example.com', key, { ...options, id }, ctx));
    // Ed25519 signatures are the same each time.
    expect(fields.size).toBe(1);
    expect([...fields][0]).toMatch(/^DKIM-Signature: /);
    expect(
      await signDkim(documentOf(message), 's', 'example.com', 'mine', { ...options, id: false }, ctx),
    ).toBeNull();
    expect(
      await signDkim(documentOf(message), 's', 'example.com', pem(privateKey), { ...options, id: true }, ctx),
    ).toBeNull();
  });

  test.each([
    ['a key that is none', ['rsa', 'example.com', 'no key'], {}],
    ['an RSA key for Ed25519', ['rsa', 'example.com', rsaPem], { algorithm: 'ed25519-sha256' }],
    ['an Ed25519 key for RSA', ['rsa', 'example.com', ed25519Pem], {}],
    ['a selector that would end its tag', ['rsa; x=1', 'example.com', rsaPem], {}],
    ['a domain with a line end', ['rsa', 'example.com\r\nX: y', rsaPem], {}],
    ['an empty domain', ['rsa', '', rsaPem], {}],
    ['an identity elsewhere', ['rsa', 'example.com', rsaPem], { identity: 'a@example.org' }],
    ['an identity without domain', ['rsa', 'example.com', rsaPem], { identity: 'example.com' }],
    [
      'one bad key of two',
      ['rsa', 'example.com', rsaPem],
      { additional_signatures: [{ selector: 'x', domain: 'example.com', key: 'bad' }] },
    ],
  ] as const)('gives none and adds nothing for %s', async (_, [selector, domain, key], options) => {
    const document = documentOf(message);
    expect(await signDkim(document, selector, domain, key, options)).toBeNull();
    expect(document.root.edits.count).toBe(0);
  });

  test('does not sign with RSA below 1024 bits (RFC 8301)', async () => {
    const short = pem(generateKeyPairSync('rsa', { modulusLength: 1016 }).privateKey);
    expect(await signDkim(documentOf(message), 'rsa', 'example.com', short)).toBeNull();
  });

  test.each([
    [{ algorithm: 'rsa-sha512' }, 'option "algorithm"'],
    [{ canonicalization_body: 'nofws' }, 'option "canonicalization_body"'],
    [{ headers: ['a b'] }, 'option "headers" of signDKIM has "a b" in it'],
    [{ headers: ['a;b'] }, 'option "headers" of signDKIM: "a;b" cannot be signed'],
    [{ oversign_headers: [1] }, 'option "oversign_headers" of signDKIM has a number in it'],
    [{ timestamp: -1 }, 'option "timestamp" of signDKIM is -1'],
    [{ expiration: 1e12 }, 'option "expiration" of signDKIM is 1000000000000'],
    [{ timestamp: 2000, expiration: 1000 }, 'option "expiration" of signDKIM is 1000; expected a time after'],
    [{ expiration_relative: 0 }, 'option "expiration_relative" of signDKIM is 0'],
    [{ body_length: -1 }, 'option "body_length" of signDKIM is -1'],
    [{ arc: 0 }, 'option "arc" of signDKIM is 0'],
    [{ arc: 51 }, 'option "arc" of signDKIM is 51'],
    [{ arc: true, identity: 'a@example.com' }, 'option "identity" of signDKIM: an ARC-Message-Signature'],
    [
      { additional_signatures: ['x'] },
      'entry 0 of option "additional_signatures" of signDKIM must be an array',
    ],
    [{ additional_signatures: [{ selector: 's' }] }, '"domain" in entry 0 of option "additional_signatures"'],
    [
      { additional_signatures: [{ selector: 's', domain: 'd', key: 'k', algorithm: 'x' }] },
      '"algorithm" in entry 0 of option "additional_signatures" of signDKIM must be one of "rsa-sha256"',
    ],
    [
      { additional_signatures: [{ selector: 's', domain: 'd', key: 'k', headers: 'from' }] },
      '"headers" in entry 0 of option "additional_signatures" of signDKIM is a string; expected array',
    ],
    [{ additional_signatures: Array(17).fill({}) }, 'has 17 entries; at most 16'],
  ])('refuses %j', async (options, error) => {
    await expect(signDkim(documentOf(message), 's', 'example.com', rsaPem, options)).rejects.toThrow(error);
  });
});

describe('options of signDKIM', () => {
  test('by default the recommended fields that are there are signed, and From once more', async () => {
    const tags = await tagsWith({});
    expect(tags.get('h')).toBe('from:from:subject:to');
    expect([...tags.keys()].join()).toBe('a,b,bh,c,d,h,s,v');
  });

  test('headers, additional_headers and oversign_headers', async () => {
    expect((await tagsWith({ headers: ['To', 'Cc'], oversign_headers: [] })).get('h')).toBe('from:to');
    expect((await tagsWith({ additional_headers: ['Received', 'X-None'] })).get('h')).toBe(
      'from:from:subject:to:received',
    );
    expect((await tagsWith({ oversign_headers: ['Subject', 'Cc'] })).get('h')).toBe(
      'from:subject:subject:to:cc',
    );
  });

  test('a field that occurs twice is signed twice', async () => {
    const twice = Buffer.concat([Buffer.from('To: c@example.org\r\n'), message]);
    expect((await tagsWith({}, twice)).get('h')).toBe('from:from:subject:to:to');
  });

  test('timestamp and expiration', async () => {
    expect((await tagsWith({ timestamp: true })).get('t')).toBe('1600000000');
    const tags = await tagsWith({ timestamp: 1234.5, expiration_relative: 10 });
    expect([tags.get('t'), tags.get('x')]).toEqual(['1234', '1244']);
    expect((await tagsWith({ expiration_relative: 60 })).get('x')).toBe('1600000060');
    expect((await tagsWith({ expiration: 1700000000, expiration_relative: 60 })).get('x')).toBe('1700000000');
    expect((await tagsWith({ timestamp: false })).has('t')).toBe(false);
  });

  test('identity is quoted', async () => {
    const [field] = fieldsOf(await signedBytes(message, 'rsa', rsaPem, { identity: 'a;=b@x.example.com' }));
    expect(field).toContain('i=a=3B=3Db@x.example.com;');
    expect(await verdicts(await signedBytes(message, 'rsa', rsaPem, { identity: '@example.com' }))).toEqual([
      'pass',
    ]);
  });

  test('body_length covers the beginning of the body', async () => {
    for (const [length, written] of [
      [true, '17'],
      [5, '5'],
      [100, '17'],
      [0, '0'],
    ] as const) {
      const signed = await signedBytes(message, 'rsa', rsaPem, { body_length: length });
      expect(signed.toString('latin1')).toContain(`l=${written};`);
      expect(await verdicts(signed)).toEqual(['pass']);
      expect(await verdicts(Buffer.concat([signed, Buffer.from('more\r\n')]))).toEqual(['pass']);
    }
    const signed = await signedBytes(message, 'rsa', rsaPem, { body_length: true });
    const changed = Buffer.from(signed.toString('latin1').replace('Hi.', 'No.'), 'latin1');
    expect(await verdicts(changed)).toEqual(['permerror: the body hash does not match']);
  });

  test('an international domain is written in ASCII', async () => {
    const field = await signDkim(documentOf(message), 's', 'bl\xc3\xa5.se', rsaPem, { return_header: true });
    expect(field).toContain('d=xn--bl-zia.se;');
  });

  test('additional signatures take over what they do not say', async () => {
    const signed = await signedBytes(message, 'rsa', rsaPem, {
      canonicalization_body: 'simple',
      timestamp: 5,
      expiration: 1700000000,
      additional_signatures: [
        { selector: 'ed', domain: 'example.com', key: ed25519Pem, algorithm: 'ed25519-sha256' },
        {
          selector: 'rsa',
          domain: 'example.com',
          key: rsaPem,
          canonicalization_header: 'simple',
          timestamp: false,
          expiration_relative: 7,
        },
      ],
    });
    expect(await verdicts(signed)).toEqual(['pass', 'pass', 'pass']);
    const lists = fieldsOf(signed).map((field) => readTagList(field.slice(field.indexOf(':') + 1))!);
    expect(
      lists.map((tags) => `${tags.get('a')} ${tags.get('c')} ${tags.get('t')} ${tags.get('x')}`),
    ).toEqual([
      'rsa-sha256 relaxed/simple 5 1700000000',
      'ed25519-sha256 relaxed/simple 5 1700000000',
      'rsa-sha256 simple/simple undefined 1600000007',
    ]);
  });

  test('return_header gives all fields joined by CRLF', async () => {
    const document = documentOf(message);
    const text = await signDkim(document, 'rsa', 'example.com', rsaPem, {
      return_header: true,
      additional_signatures: [
        { selector: 'ed', domain: 'example.com', key: ed25519Pem, algorithm: 'ed25519-sha256' },
      ],
    });
    expect(document.root.edits.count).toBe(0);
    expect(await verdicts(Buffer.concat([Buffer.from(`${text}\r\n`), message]))).toEqual(['pass', 'pass']);
  });
});

describe('arc', () => {
  test('makes an ARC-Message-Signature of the instance', async () => {
    const signed = await signedBytes(message, 'rsa', rsaPem, { arc: 3 });
    const [field] = fieldsOf(signed, 'arc-message-signature');
    expect(field).toMatch(/^ARC-Message-Signature: i=3; a=rsa-sha256; c=relaxed\/relaxed;/);
    expect(field).not.toContain('v=1');
    expect((await verifyDkim(documentOf(signed), field!)).result).toBe('pass');
  });

  test('finds the next instance', async () => {
    const sealed = (fields: string) => Buffer.concat([Buffer.from(fields), message]);
    for (const [fields, instance] of [
      ['', 1],
      ['ARC-Seal: i=1; a=rsa-sha256; cv=none\r\n', 2],
      ['ARC-Seal: a=rsa-sha256;\r\n\ti = 7 ;\r\nARC-Message-Signature: i=2; a=x\r\n', 8],
      ['ARC-Authentication-Results: i=4; mx.example.com; dkim=pass header.i=@x\r\n', 5],
    ] as const) {
      const [field] = fieldsOf(
        await signedBytes(sealed(fields), 'rsa', rsaPem, { arc: true }),
        'arc-message-signature',
      );
      expect(field).toContain(`i=${instance}; `);
    }
    const full = documentOf(sealed('ARC-Seal: i=50; cv=pass\r\n'));
    expect(await signDkim(full, 'rsa', 'example.com', rsaPem, { arc: true })).toBeNull();
  });

  test('covers signatures that are there, and never ARC-Seal', async () => {
    const signed = await signedBytes(await signedBytes(message, 'rsa', rsaPem), 'rsa', rsaPem, {
      arc: true,
      additional_headers: ['arc-seal'],
    });
    const [field] = fieldsOf(signed, 'arc-message-signature');
    expect(field).toContain('dkim-signature');
    expect(field).not.toContain('arc-seal');
    expect((await verifyDkim(documentOf(signed), field!)).result).toBe('pass');
  });
});
