import { describe, expect, test } from 'vitest';
import { Admission, type AdmissionLimits } from '../../../../src/smtp/edge/admission.js';

const none: AdmissionLimits = { connections: 0, connectionsPerIp: 0, connectionsPerNetwork: 0, networks: [] };

/** What becomes of clients that come one after the other. */
function come(limits: Partial<AdmissionLimits>, ips: readonly string[], admission = new Admission()) {
  return ips.map((ip) => admission.admit(ip, { ...none, ...limits }, 0) ?? 'in');
}

test('without limits everybody comes in, and is counted', () => {
  const admission = new Admission();
  expect(come({}, ['192.0.2.1', '192.0.2.1', '192.0.2.9', '2001:db8::1'], admission)).toEqual([
    'in',
    'in',
    'in',
    'in',
  ]);
  expect(admission.count).toBe(4);
  expect(admission.countOf('192.0.2.1')).toBe(2);
  expect(admission.countOf('192.0.2.0/24')).toBe(3);
  expect(admission.countOf('192.0.2.2-192.0.2.200')).toBe(1);
  expect(admission.countOf('2001:DB8:0::1')).toBe(1);
  expect(admission.countOf('2001:db8::/32')).toBe(1);
  expect(admission.countOf('192.0.2.7')).toBe(0);
  expect(admission.countOf('nobody')).toBeUndefined();
  admission.release('192.0.2.1');
  expect(admission.countOf('192.0.2.1')).toBe(1);
  expect(admission.count).toBe(3);
});

test('the total holds for all', () => {
  expect(come({ connections: 2 }, ['192.0.2.1', '198.51.100.1', '2001:db8::1'])).toEqual([
    'in',
    'in',
    'total',
  ]);
});

describe('the limit for one address', () => {
  test('does not touch the neighbours', () => {
    expect(come({ connectionsPerIp: 1 }, ['192.0.2.1', '192.0.2.1', '192.0.2.2'])).toEqual([
      'in',
      'ip',
      'in',
    ]);
  });

  test('holds for a /64 of IPv6, which one client has to itself', () => {
    const ips = ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:db8:0:2::1'];
    expect(come({ connectionsPerIp: 1 }, ips)).toEqual(['in', 'ip', 'in']);
  });

  test('is free again when the client has gone', () => {
    const admission = new Admission();
    expect(come({ connectionsPerIp: 1 }, ['192.0.2.1', '192.0.2.1'], admission)).toEqual(['in', 'ip']);
    admission.release('192.0.2.1');
    expect(come({ connectionsPerIp: 1 }, ['192.0.2.1'], admission)).toEqual(['in']);
  });
});

test('the limit for a network holds for each /24 and /64', () => {
  const ips = ['192.0.2.1', '192.0.2.2', '192.0.3.1', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'];
  expect(come({ connectionsPerNetwork: 1 }, ips)).toEqual(['in', 'network', 'in', 'in', 'network', 'in']);
});

describe('a listed network', () => {
  const networks = [
    { network: '192.0.2.7', connections: 0, connectionsPerIp: 0 },
    { network: '192.0.2.0/24', connections: 3, connectionsPerIp: 2 },
  ];

  test('has its own limits, and the first that fits holds', () => {
    const limits = { connectionsPerIp: 1, connectionsPerNetwork: 1, networks };
    const ips = ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.7', '192.0.2.7'];
    expect(come(limits, ips)).toEqual(['in', 'in', 'ip', 'in', 'network', 'in', 'in']);
    expect(come(limits, ['198.51.100.1', '198.51.100.1', '198.51.100.2'])).toEqual(['in', 'ip', 'network']);
  });

  test('knows of those who were there before it was listed, also after a reload', () => {
    const admission = new Admission();
    come({}, ['192.0.2.1', '192.0.2.2', '192.0.2.3'], admission);
    expect(come({ networks }, ['192.0.2.4'], admission)).toEqual(['network']);
    admission.release('192.0.2.1');
    admission.reconfigured();
    expect(come({ networks }, ['192.0.2.4', '192.0.2.5'], admission)).toEqual(['in', 'network']);
  });
});

describe('the rate of new connections', () => {
  const ratePerIp = { count: 3, seconds: 60 };
  const at = (admission: Admission, ip: string, now: number) =>
    admission.admit(ip, { ...none, ratePerIp }, now) ?? 'in';

  test('lets so many in at once, then one at a time', () => {
    const admission = new Admission();
    expect([0, 0, 0, 0, 19, 20, 20, 41].map((now) => at(admission, '192.0.2.1', 100 + now))).toEqual([
      'in',
      'in',
      'in',
      'rate',
      'rate',
      'in',
      'rate',
      'in',
    ]);
    expect(at(admission, '192.0.2.2', 100)).toBe('in');
  });

  test('counts a /64 as one client', () => {
    const admission = new Admission();
    const ips = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4', '2001:db8:0:1::1'];
    expect(ips.map((ip) => at(admission, ip, 0))).toEqual(['in', 'in', 'in', 'rate', 'in']);
  });

  test('is remembered of so many at most: a flood makes the oldest ones forgotten', () => {
    const admission = new Admission();
    expect([1, 2, 3, 4].map(() => at(admission, '192.0.2.1', 0))).toEqual(['in', 'in', 'in', 'rate']);
    for (let i = 0; i < 100_000; i++) at(admission, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 0);
    expect(at(admission, '192.0.2.1', 0)).toBe('in');
  });

  test('is forgotten when it no longer matters', () => {
    const admission = new Admission();
    expect([1, 2, 3, 4].map(() => at(admission, '192.0.2.1', 0))).toEqual(['in', 'in', 'in', 'rate']);
    admission.sweep(59);
    expect(at(admission, '192.0.2.1', 1)).toBe('rate');
    admission.sweep(61);
    expect(at(admission, '192.0.2.1', 1)).toBe('in');
  });
});
