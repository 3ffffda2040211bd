import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../../src/smtp/edge/crc32c.js';
import { longestHeader, parseProxyHeader } from '../../../../src/smtp/edge/proxy-protocol.js';
import { proxyV2, tlv } from '../../../support/proxy-header.js';

const line = (text: string) => parseProxyHeader(Buffer.from(text, 'latin1'));

const quads = { remoteIp: '192.0.2.1', remotePort: 4000, localIp: '198.51.100.2', localPort: 25 };

describe('a header of version 1 (section 2.1)', () => {
  test('has both ends, and ends where the client begins', () => {
    const text = 'PROXY TCP4 192.0.2.1 198.51.100.2 4000 25\r\n';
    expect(line(`${text}EHLO c\r\n`)).toEqual({
      kind: 'header',
      length: text.length,
      addresses: quads,
      tlv: undefined,
    });
  });

  test('of IPv6 gives addresses in their usual form', () => {
    expect(line('PROXY TCP6 2001:DB8:0:0::1 ::ffff:192.0.2.9 0 65535\r\n')).toMatchObject({
      addresses: { remoteIp: '2001:db8::1', remotePort: 0, localIp: '192.0.2.9', localPort: 65535 },
    });
  });

  test('that does not know the client has no addresses, whatever follows', () => {
    for (const text of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 x y z\r\n'])
      expect(line(text)).toEqual({
        kind: 'header',
        length: text.length,
        addresses: undefined,
        tlv: undefined,
      });
  });

  test.each([
    'PROXY TCP4 192.0.2.1 198.51.100.2 4000\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 4000 25 26\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 4000 25\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.2 4000 25\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 04000 25\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 4000 65536\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 4000 25\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.2 4000 25\r\n',
    'PROXY TCP6 fe80::1%eth0 fe80::2 4000 25\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 4000 25\r\n',
    'PROXY  UNKNOWN\r\n',
    'proxy TCP4 192.0.2.1 198.51.100.2 4000 25\r\n',
    `PROXY UNKNOWN ${'x'.repeat(107)}\r\n`,
    'PROXY TCP4 192.0.2.1 198.51.100.2 4000 25\nEHLO c\r\n',
    'EHLO c\r\n',
  ])('is not %j', (text) => {
    expect(line(text).kind).toBe('malformed');
  });
});

describe('a header of version 2 (section 2.2)', () => {
  test('has both ends', () => {
    const bytes = proxyV2({ addresses: quads });
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('EHLO')]))).toEqual({
      kind: 'header',
      length: bytes.length,
      addresses: quads,
      tlv: undefined,
    });
    const six = { remoteIp: '2001:db8::1', remotePort: 1, localIp: '::1', localPort: 25 };
    expect(parseProxyHeader(proxyV2({ addresses: six }))).toMatchObject({ addresses: six });
    const mapped = { ...six, remoteIp: '::ffff:192.0.2.7' };
    expect(parseProxyHeader(proxyV2({ addresses: mapped }))).toMatchObject({
      addresses: { ...six, remoteIp: '192.0.2.7' },
    });
  });

  test('gives what follows the addresses in hex', () => {
    const values = [tlv(0x02, Buffer.from('mx.test')), tlv(0x04, Buffer.alloc(3))];
    expect(parseProxyHeader(proxyV2({ addresses: quads, values }))).toMatchObject({
      tlv: '0200076d782e74657374040003000000',
    });
  });

  test('of a proxy that speaks for itself has no addresses, whatever it holds', () => {
    for (const bytes of [
      proxyV2({ command: 0 }),
      proxyV2({ command: 0, addresses: quads }),
      proxyV2({ command: 0, family: 0x11, payload: Buffer.from([1, 2, 3]) }),
    ])
      expect(parseProxyHeader(bytes)).toEqual({
        kind: 'header',
        length: bytes.length,
        addresses: undefined,
        tlv: undefined,
      });
  });

  test('of a family that is no TCP is skipped', () => {
    for (const [family, size] of [
      [0x00, 0],
      [0x12, 12],
      [0x22, 36],
      [0x31, 216],
      [0x32, 216],
    ] as const) {
      const bytes = proxyV2({ family, payload: Buffer.alloc(size, 0x41) });
      expect(parseProxyHeader(bytes)).toMatchObject({ kind: 'header', addresses: undefined });
    }
  });

  test('is held against its checksum, if it has one (section 2.2.3)', () => {
    const good = proxyV2({ addresses: quads, values: [tlv(0x04, Buffer.alloc(2))], hasChecksum: true });
    expect(parseProxyHeader(good)).toMatchObject({ kind: 'header', addresses: quads });
    const bad = Buffer.from(good);
    bad[20] = bad[20]! ^ 1;
    expect(parseProxyHeader(bad)).toEqual({ kind: 'malformed', problem: 'the checksum is wrong' });
    const short = proxyV2({ addresses: quads, values: [tlv(0x03, Buffer.alloc(3))] });
    expect(parseProxyHeader(short).kind).toBe('malformed');
  });

  test.each([
    ['another version', proxyV2({ version: 1, addresses: quads })],
    ['another command', proxyV2({ command: 2, addresses: quads })],
    ['a family that does not exist', proxyV2({ family: 0x41 })],
    ['a transport that does not exist', proxyV2({ family: 0x13, payload: Buffer.alloc(12) })],
    ['too few bytes for its addresses', proxyV2({ family: 0x21, payload: Buffer.alloc(12) })],
    [
      'a value that is longer than the header',
      proxyV2({ addresses: quads, values: [Buffer.from([4, 0, 9, 1])] }),
    ],
    ['a value that is cut off', proxyV2({ addresses: quads, values: [Buffer.from([4, 0])] })],
    ['more bytes than anybody needs', proxyV2({ addresses: quads, values: [Buffer.alloc(longestHeader)] })],
  ])('with %s is refused', (_, bytes) => {
    expect(parseProxyHeader(bytes).kind).toBe('malformed');
  });
});

test('CRC-32C is that of RFC 3309', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const port = fc.integer({ min: 0, max: 65535 });
const ends = (address: fc.Arbitrary<string>) =>
  fc.record({ remoteIp: address, remotePort: port, localIp: address, localPort: port });

test('whatever its packets, a header is incomplete until its last byte and the same afterwards', () => {
  const header = fc.oneof(
    ends(ipv4).map((addresses) =>
      Buffer.from(
        `PROXY TCP4 ${addresses.remoteIp} ${addresses.localIp} ${addresses.remotePort} ${addresses.localPort}\r\n`,
      ),
    ),
    ends(ipv6).map((addresses) =>
      Buffer.from(
        `PROXY TCP6 ${addresses.remoteIp} ${addresses.localIp} ${addresses.remotePort} ${addresses.localPort}\r\n`,
      ),
    ),
    fc
      .tuple(fc.oneof(ends(ipv4)), fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }), fc.boolean())
      .map(([addresses, values, hasChecksum]) =>
        proxyV2({ addresses, values: values.map((value) => tlv(0xe0, Buffer.from(value))), hasChecksum }),
      ),
  );
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 20 }), (bytes, behind) => {
      const whole = parseProxyHeader(Buffer.concat([bytes, behind]));
      expect(whole).toMatchObject({ kind: 'header', length: bytes.length });
      for (let length = 0; length < bytes.length; length++)
        expect(parseProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'incomplete' });
      expect(parseProxyHeader(bytes)).toEqual(whole);
    }),
    { seed: 4711, numRuns: 200 },
  );
});
