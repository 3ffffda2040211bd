// ipaddr.js judges: it was written by others.

import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { addressToBytes, bytesToAddress, reverseLabels } from '../../../stdlib/network-values/ip-address.js';

const hex = (bytes: string | undefined) =>
  bytes === undefined ? undefined : Buffer.from(bytes, 'latin1').toString('hex');

describe('text to bytes', () => {
  test.each([
    ['0.0.0.0', '00000000'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['1::', `0001${'00'.repeat(14)}`],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['::ffff:1.2.3.4', '00000000000000000000ffff01020304'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
    ['::1.2.3.4', '00000000000000000000000001020304'],
    ['2001:DB8::A', '20010db800000000000000000000000a'],
  ])('%s', (text, bytes) => {
    expect(hex(addressToBytes(text))).toBe(bytes);
  });

  test.each([
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4\0',
    '1.2.3.4/32',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '[::1]',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
    '\uff11.2.3.4',
  ])('%j is none', (text) => {
    expect(addressToBytes(text)).toBeUndefined();
  });
});

describe('bytes to text', () => {
  test.each([
    ['00000000', '0.0.0.0'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['00010000000000020000000000000003', '1:0:0:2::3'],
    ['00000000000000000000000001020304', '::102:304'],
    ['00000000000000000000ffff01020304', '::ffff:1.2.3.4'],
    ['00010002000300040005000600000000', '1:2:3:4:5:6::'],
    ['0ab00000000000000000000000000000', 'ab0::'],
  ])('%s is %s (RFC 5952)', (bytes, text) => {
    expect(bytesToAddress(Buffer.from(bytes, 'hex').toString('latin1'))).toBe(text);
  });

  test.each([0, 1, 3, 5, 15, 17, 1000])('%i bytes are no address', (count) => {
    expect(bytesToAddress('\x01'.repeat(count))).toBeUndefined();
  });
});

const bytes4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
// Zeros are what the short form is about.
const bytes16 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255])));
const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

test('every address survives the way to text and back, and ipaddr.js reads the same', () => {
  fc.assert(
    fc.property(fc.oneof(bytes4, bytes16), (bytes) => {
      const text = bytesToAddress(toText(bytes))!;
      expect(addressToBytes(text)).toBe(toText(bytes));
      expect(ipaddr.parse(text).toByteArray()).toEqual([...bytes]);
    }),
  );
});

test('IPv6 text is what ipaddr.js writes by RFC 5952', () => {
  fc.assert(
    fc.property(bytes16, (bytes) => {
      const other = new ipaddr.IPv6([...bytes]);
      fc.pre(!other.isIPv4MappedAddress());
      expect(bytesToAddress(toText(bytes))).toBe(other.toRFC5952String());
    }),
  );
});

test('the long forms of an address are read as the short one', () => {
  fc.assert(
    fc.property(bytes16, (bytes) => {
      const other = new ipaddr.IPv6([...bytes]);
      for (const text of [
        other.toNormalizedString(),
        ipaddr
          .parse(other.toString())
          .toNormalizedString()
          .replace(/\b[0-9a-f]+\b/g, (group) => group.padStart(4, '0'))
          .toUpperCase(),
      ])
        expect(addressToBytes(text)).toBe(toText(bytes));
    }),
  );
});

test('what is read as an address, ipaddr.js takes for one too', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.%/- '), maxLength: 24 }), (text) => {
      if (addressToBytes(text) !== undefined) expect(ipaddr.isValid(text)).toBe(true);
    }),
  );
});

test('reverse labels are octets or nibbles, the last first', () => {
  expect(reverseLabels('\xc0\x00\x02\x07')).toBe('7.2.0.192');
  const labels = reverseLabels(addressToBytes('2001:db8::567:89ab')!);
  expect(labels).toBe('b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2');
});
