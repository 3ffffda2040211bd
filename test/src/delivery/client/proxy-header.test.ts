import { expect, test } from 'vitest';
import { writeProxyHeader } from '../../../../src/delivery/client/proxy-header.js';
import { parseProxyHeader } from '../../../../src/smtp/edge/proxy-protocol.js';

const four = { sourceIp: '192.0.2.1', sourcePort: 0, destinationIp: '198.51.100.2', destinationPort: 25 };
const six = {
  sourceIp: '2001:db8::1',
  sourcePort: 40_000,
  destinationIp: '2001:db8:2::25',
  destinationPort: 2525,
};

for (const version of [1, 2] as const) {
  test.each([four, six])(`version ${version} says what the server side reads: %o`, (ends) => {
    const header = writeProxyHeader(version, ends);
    if (!Buffer.isBuffer(header)) throw new Error(header.problem);
    expect(parseProxyHeader(header)).toMatchObject({
      kind: 'header',
      length: header.length,
      addresses: {
        remoteIp: ends.sourceIp,
        remotePort: ends.sourcePort,
        localIp: ends.destinationIp,
        localPort: ends.destinationPort,
      },
    });
  });

  test.each([
    { ...four, destinationIp: '2001:db8::1' },
    { ...six, sourceIp: 'fe80::1%eth0' },
    { ...four, sourceIp: '' },
  ])(`version ${version} cannot say %o`, (ends) => {
    expect(writeProxyHeader(version, ends)).toHaveProperty('problem');
  });
}

test('version 1 is a line, version 2 begins with its signature', () => {
  expect(String(writeProxyHeader(1, four))).toBe('PROXY TCP4 192.0.2.1 198.51.100.2 0 25\r\n');
  expect((writeProxyHeader(2, four) as Buffer).toString('latin1', 0, 16)).toBe(
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c',
  );
});
