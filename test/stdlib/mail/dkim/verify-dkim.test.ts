import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HslArray } from '#lang';
import type { DnsAnswer, DnsError } from '../../../../stdlib/dns/resolver.js';
import type { MessageSource } from '../../../../stdlib/mail/message-source.js';
import { MailDocument } from '../../../../stdlib/mail/mime/document.js';
import { toValue } from '../../../support/fake-context.js';
import { rfc6376Message, rfc6376Record, rfc8463Message, rfc8463Records } from './published-messages.js';
import {
  contextWith,
  documentOf,
  ed25519Pem,
  fieldsOf,
  message,
  pem,
  recordOf,
  rsaPem,
  signedBytes,
  verdicts,
  verifyDkim,
  zone,
} from './signing-world.js';

const failing = (error: DnsError): DnsAnswer => ({ kind: 'failure', error, isSecure: false });

describe('published messages', () => {
  test('the example of RFC 6376 passes', async () => {
    expect(await verdicts(rfc6376Message, { 'brisbane._domainkey.example.com': rfc6376Record })).toEqual([
      'pass',
    ]);
  });
  test('both signatures of RFC 8463 pass', async () => {
    expect(await verdicts(rfc8463Message, rfc8463Records)).toEqual(['pass', 'pass']);
  });
  test('none passes with another word', async () => {
    const other = Buffer.from(rfc8463Message.toString('latin1').replace('hungry', 'thirsty'), 'latin1');
    expect(await verdicts(other, rfc8463Records)).toEqual([
      'permerror: the body hash does not match',
      'permerror: the body hash does not match',
    ]);
    const to = Buffer.from(rfc8463Message.toString('latin1').replace('Suzie Q', 'Suzie R'), 'latin1');
    expect(await verdicts(to, rfc8463Records)).toEqual([
      'permerror: the signature does not match',
      'permerror: the signature does not match',
    ]);
  });
});

describe('what came', () => {
  test('passes with white space changed as relaxed allows', async () => {
    const signed = await signedBytes(message, 'ed', ed25519Pem, { algorithm: 'ed25519-sha256' });
    const changed = signed
      .toString('latin1')
      .replace('Subject: Hello', 'SUBJECT:  \r\n\tHello ')
      .replace('Bye  bye.', 'Bye\tbye. ')
      .concat('\r\n\r\n');
    expect(await verdicts(Buffer.from(changed, 'latin1'))).toEqual(['pass']);
  });
  test('does not pass with a second From, which was oversigned', async () => {
    const signed = await signedBytes(message, 'rsa', rsaPem);
    expect(await verdicts(Buffer.concat([Buffer.from('From: evil@example.net\r\n'), signed]))).toEqual([
      'permerror: the signature does not match',
    ]);
  });
  test('is what counts, whatever the script changed', async () => {
    const document = documentOf(await signedBytes(message, 'rsa', rsaPem));
    document.root.edits.add('Subject', Buffer.from('Subject: other\r\n'));
    const [field] = document.root.fields('dkim-signature', { wholeField: true, decode: false });
    expect((await verifyDkim(document, field!)).result).toBe('pass');
  });
  test('is read from disk in chunks when it is large', async () => {
    const large = Buffer.concat([
      message,
      Buffer.from('a line of text \t that is long enough\r\n'.repeat(60_000)),
    ]);
    const signed = await signedBytes(large, 'rsa', rsaPem);
    const reads: number[] = [];
    const source: MessageSource = {
      sizeBytes: signed.length,
      head: signed.subarray(0, 2000),
      isComplete: false,
      read: async (start, end) => {
        reads.push(end - start);
        return signed.subarray(start, end);
      },
    };
    const [field] = fieldsOf(signed);
    const document = new MailDocument(source);
    expect((await verifyDkim(document, field!)).result).toBe('pass');
    expect(Math.max(...reads)).toBeLessThanOrEqual(256 * 1024);
    const count = reads.length;
    expect((await verifyDkim(document, field!)).result).toBe('pass');
    // A second look at the same body needs no second reading.
    expect(reads.length).toBe(count);
  });
  test('may hold the signature anywhere, listed in its own h= too', async () => {
    const signed = await signedBytes(message, 'rsa', rsaPem, {
      additional_headers: ['DKIM-Signature'],
      oversign_headers: ['from', 'dkim-signature'],
    });
    expect(await verdicts(signed)).toEqual(['pass']);
    const more = Buffer.concat([Buffer.from('DKIM-Signature: v=1; x=y\r\n'), signed]);
    expect((await verdicts(more))[1]).toBe('permerror: the signature does not match');
  });
});

describe('a signature', () => {
  const good =
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=rsa; h=from; bh=aGk=; b=aGk=';
  const withTag = (name: string, value?: string) =>
    value === undefined
      ? good.replace(new RegExp(` ${name}=[^;]*(;|$)`), '')
      : good.includes(` ${name}=`)
        ? good.replace(new RegExp(`( ${name}=)[^;]*`), `$1${value}`)
        : `${good}; ${name}=${value}`;

  test.each([
    [withTag('v', '2'), 'v= is not 1'],
    [withTag('v'), 'v= is missing'],
    [withTag('a'), 'a= is missing'],
    [withTag('h'), 'h= is missing'],
    [withTag('s'), 's= is missing'],
    [withTag('d'), 'd= is missing'],
    [withTag('b'), 'b= is missing'],
    [withTag('bh'), 'bh= is missing'],
    [withTag('a', 'rsa-md5'), 'a= is not a known algorithm'],
    [withTag('a', 'toString'), 'a= is not a known algorithm'],
    [withTag('a', 'rsa-sha1'), 'a=rsa-sha1 is historic and proves nothing (RFC 8301)'],
    [withTag('b', '!'), 'b= is not base64'],
    [withTag('bh', ''), 'bh= is not base64'],
    [withTag('c', 'nofws'), 'c= is not a known canonicalization'],
    [withTag('c', 'relaxed/'), 'c= is not a known canonicalization'],
    [withTag('d', 'a b'), 'd= is not a domain'],
    [withTag('s', '..'), 's= is not a selector'],
    [withTag('i', 'x'), 'i= has no domain'],
    [withTag('i', '@badexample.com'), 'i= is not within d='],
    [withTag('h', 'to:subject'), 'h= does not name the From field'],
    [withTag('h', 'from::to'), 'h= is malformed'],
    [withTag('q', 'http'), 'q= has no known query method'],
    [withTag('l', '-1'), 'l= is not a number'],
    [withTag('t', 'now'), 't= is not a time'],
    [withTag('x', '1e9'), 'x= is not a time'],
    [withTag('x', '1599999999'), 'the signature has expired'],
    [`${withTag('x', '1700000000')}; t=1700000000`, 'x= is not after t='],
    [`${good}; a=rsa-sha256`, 'the tag list is malformed'],
    ['DKIM-Signature: v=1', 'a= is missing'],
    ['Subject: v=1', 'neither a DKIM-Signature nor an ARC-Message-Signature field'],
    ['v=1', 'not a header field'],
    [`${good}\r\nX: y`, 'not a header field'],
    [`${good}\r\n\r\nbody`, 'not a header field'],
    ['', 'not a header field'],
    [good.replace('DKIM-Signature: v=1;', 'ARC-Message-Signature:'), 'i= is missing'],
    [
      good.replace('DKIM-Signature: v=1;', 'ARC-Message-Signature: i=51;'),
      'i= is not an instance from 1 to 50',
    ],
    [good.replace('DKIM-Signature:', 'ARC-Message-Signature: i=1;'), 'an ARC-Message-Signature has no v='],
    [
      good
        .replace('DKIM-Signature: v=1;', 'ARC-Message-Signature: i=1;')
        .replace('h=from', 'h=from:arc-seal'),
      'h= names ARC-Seal (RFC 8617)',
    ],
    // Nothing is wrong with it by itself.
    [good, 'the body hash does not match'],
    [withTag('q', 'x/y : dns/txt'), 'the body hash does not match'],
    [withTag('x', '1600000001'), 'the body hash does not match'],
    [withTag('l', '9999'), 'l= is more than the body has'],
  ])('%j is refused: %s', async (field, error) => {
    const verdict = await verifyDkim(documentOf(message), field);
    expect([verdict.result, verdict.error]).toEqual(['permerror', error]);
  });

  test('gives its tags as text, sorted', async () => {
    const { tags } = await verifyDkim(documentOf(message), `${good}; x-y`);
    expect(tags).toBeUndefined();
    const read = await verifyDkim(documentOf(message), `${withTag('h', 'from :\r\n\tto')}; unknown=a  b`);
    expect([...read.tags!.entries()].map(([name, text]) => `${name}=${text}`)).toEqual([
      'a=rsa-sha256',
      'b=aGk=',
      'bh=aGk=',
      'c=relaxed/relaxed',
      'd=example.com',
      'h=from:to',
      's=rsa',
      'unknown=a  b',
      'v=1',
    ]);
  });
});

describe('a key', () => {
  const signed = signedBytes(message, 'rsa', rsaPem, { identity: 'x@sub.example.com' });
  const rsaRecord = zone['rsa._domainkey.example.com']!;
  const verdictWith = async (record: string | DnsAnswer) =>
    (await verdicts(await signed, { 'rsa._domainkey.example.com': record }))[0];

  test.each([
    [rsaRecord, 'pass'],
    [rsaRecord.replace('v=DKIM1; k=rsa; ', ''), 'pass'],
    [`${rsaRecord}; h=sha1:sha256; s=email; t=y; n=note; x=y`, 'pass'],
    [`${rsaRecord}; s=*`, 'pass'],
    [rsaRecord.replace('DKIM1', 'DKIM2'), 'permerror: the key record is not of version DKIM1'],
    [
      rsaRecord.replace('v=DKIM1; k=rsa;', 'k=rsa; v=DKIM1;'),
      'permerror: the key record is not of version DKIM1',
    ],
    ['v=DKIM1; k=rsa', 'permerror: the key record has no p='],
    ['v=DKIM1; p=', 'permerror: the key is revoked'],
    ['v=DKIM1; p=!', 'permerror: p= of the key record is not base64'],
    ['v=DKIM1; p=aGk=', 'permerror: p= of the key record is no rsa key'],
    ['v=spf1 -all', 'permerror: the key record is not of version DKIM1'],
    ['hello', 'permerror: the key record is malformed'],
    [rsaRecord.replace('k=rsa', 'k=ed25519'), 'permerror: the key is of another type than a='],
    [`${rsaRecord}; h=sha1`, 'permerror: the key may not be used with sha256'],
    [`${rsaRecord}; s=tlsrpt`, 'permerror: the key is not for mail'],
    [`${rsaRecord}; t=y:s`, 'permerror: the key does not allow a subdomain in i='],
    [failing('NXDOMAIN'), 'permerror: there is no key record'],
    [failing('NODATA'), 'permerror: there is no key record'],
    [failing('BADNAME'), 'permerror: the name of the key record is no domain name'],
    [failing('SERVFAIL'), 'temperror: the key record could not be looked up (SERVFAIL)'],
    [failing('TRY_AGAIN'), 'temperror: the key record could not be looked up (TRY_AGAIN)'],
  ])('published as %j gives %s', async (record, expected) => {
    expect(await verdictWith(record)).toBe(expected);
  });

  test('may be in the second of two records', async () => {
    const records = ['v=spf1 -all', rsaRecord].map((text) => ({ type: 'txt', text, ttlSeconds: 1 }) as const);
    expect(await verdictWith({ kind: 'records', records, canonicalName: '', isSecure: false })).toBe('pass');
  });

  test('may be published in the form of PKCS#1', async () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const der = createPublicKey(key).export({ type: 'pkcs1', format: 'der' }).toString('base64');
    const bytes = await signedBytes(message, 'rsa', pem(key));
    expect(await verdicts(bytes, { 'rsa._domainkey.example.com': `p=${der}` })).toEqual(['pass']);
  });

  test('of less than 1024 bits does not pass (RFC 8301)', async () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 1016 }).privateKey;
    const [field] = fieldsOf(await signed);
    const { error } = await verifyDkim(
      documentOf(await signed),
      field!,
      {},
      contextWith({ 'rsa._domainkey.example.com': recordOf(key) }),
    );
    expect(error).toBe('the RSA key is shorter than 1024 bits (RFC 8301)');
  });

  test('of another pair does not match', async () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(await verdictWith(recordOf(key))).toBe('permerror: the signature does not match');
  });
});

describe('options', () => {
  const signed = signedBytes(message, 'rsa', rsaPem, { algorithm: 'rsa-sha1' });

  test('allow_sha1 lets rsa-sha1 pass', async () => {
    const document = documentOf(await signed);
    const [field] = fieldsOf(await signed);
    expect((await verifyDkim(document, field!)).result).toBe('permerror');
    expect((await verifyDkim(document, field!, { allow_sha1: true })).result).toBe('pass');
  });

  test.each([
    [{ result: zone['rsa._domainkey.example.com'] }, 'pass'],
    [{ error: 'temperror' }, 'temperror'],
    [{ error: 'permerror' }, 'permerror'],
  ])('dns_function answers %j', async (answer, expected) => {
    const asked: unknown[] = [];
    const { result } = await verifyDkim(documentOf(await signed), fieldsOf(await signed)[0]!, {
      allow_sha1: true,
      dns_function: (name: string) => {
        asked.push(name);
        return toValue(answer);
      },
    });
    expect(result).toBe(expected);
    expect(asked).toEqual(['rsa._domainkey.example.com']);
  });

  test.each([null, 'v=DKIM1', HslArray.empty(), toValue({ error: 'NXDOMAIN' })])(
    'dns_function must not answer %j',
    async (answer) => {
      await expect(
        verifyDkim(documentOf(await signed), fieldsOf(await signed)[0]!, {
          allow_sha1: true,
          dns_function: () => answer,
        }),
      ).rejects.toThrow('dns_function of verifyDKIM returned');
    },
  );

  test('a timeout must be above 0', async () => {
    await expect(verifyDkim(documentOf(message), 'x', { timeout: 0 })).rejects.toThrow(
      'option "timeout" of verifyDKIM is 0',
    );
  });
});
