import { describe, expect, test } from 'vitest';
import { messageSecurity, waivesTlsIn } from '../../../../src/delivery/security/tls-required.js';
import { memoryReader } from '../../../support/delivery-attempt.js';

const message = (...fields: readonly string[]) =>
  Buffer.from(`Received: by us\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\nbody\r\n`);

describe("a header section waives the recipient's TLS policy (RFC 8689 5)", () => {
  test.each<readonly [boolean, readonly string[]]>([
    [true, ['TLS-Required: No']],
    [true, ['tls-required:no']],
    [true, ['TLS-Required:\r\n No ']],
    [false, []],
    [false, ['TLS-Required: Yes']],
    [false, ['TLS-Required:']],
    [false, ['TLS-Required: No, really']],
    [false, ['TLS-Required: No', 'TLS-Required: No']],
    [false, ['X-TLS-Required: No']],
    [false, ['Subject: x', '', 'TLS-Required: No']],
  ])('%s: %j', (expected, fields) => {
    expect(waivesTlsIn(message(...fields))).toBe(expected);
  });
});

describe('a message', () => {
  const waiving = message('Subject: hello', 'TLS-Required: No');

  test('says so in one piece or in many', async () => {
    for (const chunk of [undefined, 1, 7])
      expect(await messageSecurity({}, memoryReader(waiving, chunk)).waivesTls()).toBe(true);
    expect(await messageSecurity(undefined, memoryReader(message('Subject: x'), 5)).waivesTls()).toBe(false);
  });

  test('that came with REQUIRETLS waives nothing', async () => {
    const security = messageSecurity({ REQUIRETLS: true }, memoryReader(waiving));
    expect([security.requiresTls, await security.waivesTls()]).toEqual([true, false]);
  });

  test('that cannot be read waives nothing', async () => {
    const unreadable = {
      sizeBytes: 1,
      whole: () => Promise.reject(new Error('EIO')),
      chunks: () => [] as never,
    };
    expect(await messageSecurity({}, unreadable).waivesTls()).toBe(false);
  });

  test('is read only when somebody asks, once, and no further than its header', async () => {
    let chunks = 0;
    const reader = {
      sizeBytes: 1e9,
      whole: () => undefined,
      async *chunks() {
        for (;;) {
          chunks++;
          yield waiving;
        }
      },
    };
    const security = messageSecurity({}, reader);
    expect(chunks).toBe(0);
    expect([await security.waivesTls(), await security.waivesTls(), chunks]).toEqual([true, true, 1]);
  });
});
