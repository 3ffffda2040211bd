// Responses are made by dns-packet, so that reader and writer are not two sides of the same mistake.

import { type Answer, encode, type Packet } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import type { RecordType } from '../../../../stdlib/dns/resolver.js';
import { encodeQuery, type Query } from '../../../../stdlib/dns/wire/query-packet.js';
import { readResponse } from '../../../../stdlib/dns/wire/response.js';
import { optRecord, parseRecord, rcode } from '../../../support/dns-server.js';

const query = (type: RecordType, name = 'example.test'): Query => ({
  id: 4711,
  name,
  type,
  hasEdns: true,
  wantsDnssec: true,
});

function respond(type: RecordType, answers: readonly Answer[], changes: Partial<Packet> = {}): Buffer {
  return encode({
    type: 'response',
    id: 4711,
    questions: [{ name: 'example.test', type: type.toUpperCase() as 'A' }],
    answers: [...answers],
    ...changes,
  });
}

const records: readonly [RecordType, string, object][] = [
  ['a', 'A 192.0.2.1', { address: '192.0.2.1' }],
  ['aaaa', 'AAAA 2001:db8::1', { address: '2001:db8::1' }],
  ['mx', 'MX 10 mx.example.test', { preference: 10, hostname: 'mx.example.test' }],
  ['mx', 'MX 0 .', { preference: 0, hostname: '' }],
  ['txt', 'TXT "v=spf1" " -all"', { text: 'v=spf1 -all' }],
  ['txt', 'TXT "\xff\x00"', { text: '\xff\x00' }],
  ['cname', 'CNAME other.test', { hostname: 'other.test' }],
  ['ns', 'NS ns.test', { hostname: 'ns.test' }],
  ['ptr', 'PTR host.test', { hostname: 'host.test' }],
  ['srv', 'SRV 1 2 443 www.test', { priority: 1, weight: 2, port: 443, hostname: 'www.test' }],
  [
    'soa',
    'SOA ns.test root.test 7 6 5 4 3',
    { mname: 'ns.test', rname: 'root.test', serial: 7, refresh: 6, retry: 5, expire: 4, minimum: 3 },
  ],
  ['tlsa', 'TLSA 3 1 1 ABCD', { usage: 3, selector: 1, matchingType: 1, data: 'abcd' }],
  ['caa', 'CAA 0 issue ca.test', { flags: 0, tag: 'issue', value: 'ca.test' }],
  [
    'naptr',
    'NAPTR 1 2 U E2U+sip !^.*$!sip:x@y! .',
    { order: 1, preference: 2, flags: 'U', services: 'E2U+sip', regexp: '!^.*$!sip:x@y!', replacement: '' },
  ],
];

describe('records', () => {
  test.each(records)('%s: %s', (type, text, fields) => {
    const response = readResponse(respond(type, [parseRecord('example.test', text, 60)]), query(type));
    expect(response).toMatchObject({
      answers: [{ owner: 'example.test', record: { type, ttlSeconds: 60, ...fields } }],
    });
  });

  test('of other types and classes are left aside', () => {
    const bytes = respond('a', [
      parseRecord('example.test', 'TXT hello', 60),
      { ...parseRecord('example.test', 'A 192.0.2.9', 60), class: 'CH' } as Answer,
      parseRecord('example.test', 'A 192.0.2.1', 60),
    ]);
    expect(readResponse(bytes, query('a'))).toMatchObject({
      answers: [{ record: { address: '192.0.2.1' } }],
    });
  });

  test('with a TTL above 2^31 - 1 are not kept (RFC 2181 8)', () => {
    const bytes = respond('a', [parseRecord('example.test', 'A 192.0.2.1', 0x80000000)]);
    expect(readResponse(bytes, query('a'))).toMatchObject({ answers: [{ record: { ttlSeconds: 0 } }] });
  });

  test.each(['a', 'aaaa', 'mx', 'srv', 'soa', 'naptr'] as const)(
    'of type %s that are too short or too long break the response',
    (type) => {
      const text = records.find(([one]) => one === type)![1];
      const good = respond(type, [parseRecord('example.test', text, 60)]);
      const at = 12 + 'example.test'.length + 2 + 4 + 'example.test'.length + 2 + 8;
      const length = good.readUInt16BE(at);
      for (const wrong of [length - 1, length + 1]) {
        const bytes = Buffer.concat([good, Buffer.alloc(4)]);
        bytes.writeUInt16BE(wrong, at);
        expect(readResponse(bytes, query(type))).toBe('broken');
      }
    },
  );
});

describe('what is no answer to the query', () => {
  const good = () => respond('a', [parseRecord('example.test', 'A 192.0.2.1', 60)]);
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = good();
    change(bytes);
    return bytes;
  };
  test.each([
    ['another id', changed((bytes) => bytes.writeUInt16BE(4712, 0))],
    ['a query', changed((bytes) => bytes.writeUInt8(0, 2))],
    ['another operation', changed((bytes) => bytes.writeUInt8(0x80 | 0x28, 2))],
    ['another question', respond('a', [], { questions: [{ name: 'other.test', type: 'A' }] })],
    ['another type', respond('a', [], { questions: [{ name: 'example.test', type: 'AAAA' }] })],
    ['another class', respond('a', [], { questions: [{ name: 'example.test', type: 'A', class: 'CH' }] })],
    ['no question', respond('a', [], { questions: [] })],
    [
      'two questions',
      respond('a', [], { questions: new Array(2).fill({ name: 'example.test', type: 'A' }) }),
    ],
    ['half a header', good().subarray(0, 11)],
    ['nothing', Buffer.alloc(0)],
  ])('%s', (_, bytes) => {
    expect(readResponse(bytes, query('a'))).toBe('stranger');
  });

  test('other letters, where the letters were drawn', () => {
    const bytes = respond('a', [], { questions: [{ name: 'eXample.test', type: 'A' }] });
    expect(readResponse(bytes, query('a', 'EXAMPLE.test'), true)).toBe('stranger');
    expect(readResponse(bytes, query('a', 'eXample.test'), true)).toMatchObject({ rcode: 0 });
    expect(readResponse(bytes, query('a', 'EXAMPLE.test'), false)).toMatchObject({ rcode: 0 });
  });
});

test('a refusal may come without its question', () => {
  const bytes = respond('a', [], { questions: [], flags: rcode('FORMERR') });
  expect(readResponse(bytes, query('a'))).toMatchObject({ rcode: 1, answers: [] });
});

describe('the upper bits of the response code', () => {
  const address = parseRecord('example.test', 'A 192.0.2.1', 60);
  const zone = parseRecord('test', 'SOA ns.test root.test 7 6 5 4 3', 60);

  test('are in the OPT record behind all others', () => {
    const bytes = respond('a', [address], {
      flags: 7,
      authorities: [zone, zone],
      additionals: [parseRecord('ns.test', 'A 192.0.2.2', 60), optRecord(1)],
    });
    expect(readResponse(bytes, query('a'))).toMatchObject({ rcode: 23, negative: { zone: 'test' } });
  });

  test('are 0 without one, or where the additional section cannot be read', () => {
    expect(readResponse(respond('a', [address]), query('a'))).toMatchObject({ rcode: 0 });
    const cut = respond('a', [address], { additionals: [optRecord(1)] }).subarray(0, -3);
    expect(readResponse(cut, query('a'))).toMatchObject({
      rcode: 0,
      answers: [{ record: { address: '192.0.2.1' } }],
    });
  });
});

test('of a response that was cut nothing is read', () => {
  const bytes = respond('a', [parseRecord('example.test', 'A 192.0.2.1', 60)], { flags: 0x0200 });
  expect(readResponse(bytes.subarray(0, bytes.length - 3), query('a'))).toMatchObject({
    isTruncated: true,
    answers: [],
  });
});

test('a response that promises more records than it has is broken', () => {
  const bytes = respond('a', [parseRecord('example.test', 'A 192.0.2.1', 60)]);
  bytes.writeUInt16BE(2, 6);
  expect(readResponse(bytes, query('a'))).toBe('broken');
  bytes.writeUInt16BE(65535, 6);
  expect(readResponse(bytes, query('a'))).toBe('broken');
});

test('a negative answer holds as long as SOA and its minimum say (RFC 2308 5)', () => {
  const soa = parseRecord('test', '900 SOA ns.test root.test 1 2 3 4 60', 0);
  const bytes = respond('a', [], { flags: rcode('NXDOMAIN'), authorities: [soa] });
  expect(readResponse(bytes, query('a'))).toMatchObject({
    rcode: 3,
    negative: { zone: 'test', ttlSeconds: 60 },
  });
});

test('a query asks for signatures only where they would be believed', () => {
  const plain = encodeQuery({ ...query('a'), wantsDnssec: false });
  const signed = encodeQuery(query('a'));
  expect(signed.length).toBe(plain.length);
  expect(signed.readUInt16BE(signed.length - 4) & 0x8000).toBe(0x8000);
  expect(plain.readUInt16BE(plain.length - 4) & 0x8000).toBe(0);
  expect(encodeQuery({ ...query('a'), hasEdns: false }).length).toBe(plain.length - 11);
});
