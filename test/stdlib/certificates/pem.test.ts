import { expect, test } from 'vitest';
import { pemBlocks, pemBytes, toPem } from '../../../stdlib/certificates/pem.js';
import { cpuSeconds } from '../../support/cpu-time.js';

test('blocks are found between other text, with their labels', () => {
  const one = toPem('CERTIFICATE', Buffer.alloc(100, 1));
  const two = toPem('X509 CRL', Buffer.from('x'));
  const found = [...pemBlocks(`subject=a\n${one}---\n-----BEGIN \xff-----\n${two}`)];
  expect(found).toEqual([
    { label: 'CERTIFICATE', text: one },
    { label: 'X509 CRL', text: two },
  ]);
  expect(pemBytes(found[0]!)).toEqual(Buffer.alloc(100, 1));
});

test('lines end as they like', () => {
  const block = toPem('X', Buffer.from('abc')).replaceAll('\n', '\r\n');
  expect(pemBytes([...pemBlocks(block)][0]!)).toEqual(Buffer.from('abc'));
});

test('a block without its end, or with other bytes, is none', () => {
  expect([...pemBlocks('-----BEGIN A-----\nAAAA\n-----END B-----')]).toEqual([]);
  expect([...pemBlocks('-----BEGIN A')]).toEqual([]);
  const [block] = pemBlocks('-----BEGIN A-----\nA*AA\n-----END A-----');
  expect(pemBytes(block!)).toBeUndefined();
});

test('a million beginnings cost no more than reading them', async () => {
  const seconds = await cpuSeconds(() => {
    expect([...pemBlocks('-----BEGIN A-----\n'.repeat(300_000))]).toEqual([]);
    expect([...pemBlocks('-----BEGIN '.repeat(300_000))]).toEqual([]);
  });
  expect(seconds).toBeLessThan(2);
});
