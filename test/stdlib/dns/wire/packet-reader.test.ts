import { expect, test } from 'vitest';
import { PacketProblem, PacketReader } from '../../../../stdlib/dns/wire/packet-reader.js';

/** A header, then the bytes. */
function reader(...bytes: number[]): PacketReader {
  return new PacketReader(Buffer.from([...new Array(12).fill(0), ...bytes]), 12);
}

const label = (text: string) => [text.length, ...Buffer.from(text, 'latin1')];

test('a name is its labels, without the final dot', () => {
  expect(reader(...label('mail'), ...label('Example'), ...label('com'), 0).name()).toBe('mail.Example.com');
  expect(reader(0).name()).toBe('');
});

test('a name may end in an earlier one (RFC 1035 4.1.4)', () => {
  const packet = reader(...label('example'), ...label('com'), 0, ...label('mx'), 0xc0, 12, 77);
  expect(packet.name()).toBe('example.com');
  expect(packet.name()).toBe('mx.example.com');
  expect(packet.uint8()).toBe(77);
});

test('a dot, a blank or a foreign byte inside a label cannot pass for something else', () => {
  expect(reader(...label('mail.example'), ...label('evil'), 0).name()).toBe('mail\\.example.evil');
  expect(reader(...label('a b\0\xff\\'), 0).name()).toBe('a\\032b\\000\\255\\\\');
});

test.each([
  ['to itself', [0xc0, 12]],
  ['forward', [0xc0, 20, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['into the header', [0xc0, 4]],
  ['in a circle', [...label('a'), 0xc0, 12]],
])('a pointer %s is refused', (_, bytes) => {
  expect(() => reader(...bytes).name()).toThrow(PacketProblem);
});

test('a chain of pointers is followed a few steps only', () => {
  const chain = (length: number) => {
    const bytes: number[] = [0];
    for (let at = 0; at < length; at++) bytes.push(0xc0, at === 0 ? 12 : 12 + 1 + 2 * (at - 1));
    const packet = reader(...bytes);
    packet.skip(bytes.length - 2);
    return packet;
  };
  expect(chain(10).name()).toBe('');
  expect(() => chain(60).name()).toThrow(PacketProblem);
});

test.each([
  ['a name without end', label('example')],
  ['a label beyond the end', [5, 97]],
  ['half a pointer', [0xc0]],
  ['a label of an unknown kind', [0x80, 0]],
  ['a name of more than 255 bytes', [...new Array(5).fill(label('a'.repeat(60))).flat(), 0]],
])('%s is refused', (_, bytes) => {
  expect(() => reader(...bytes).name()).toThrow(PacketProblem);
});

test('nothing is read beyond a part', () => {
  const part = reader(1, 2, 3, 4).part(3);
  expect(part.uint16()).toBe(0x0102);
  expect(() => part.uint16()).toThrow(PacketProblem);
  expect(() => reader(9, 97).text()).toThrow(PacketProblem);
});
