import { describe, expect, test } from 'vitest';
import { readTraffic, type StageConditions } from '../../../src/staging/traffic.js';
import { from } from '../../support/staging.js';

function fits(conditions: StageConditions, remoteIp: string, serverId = 'in'): boolean {
  const read = readTraffic(conditions, ['in', 'out']);
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read.traffic(from(remoteIp, serverId));
}

function problems(conditions: StageConditions): readonly string[] {
  const read = readTraffic(conditions, ['in', 'out']);
  return 'problems' in read ? read.problems : [];
}

describe('conditions', () => {
  test('that are absent or empty restrict nothing', () => {
    expect(fits({}, '192.0.2.1')).toBe(true);
    expect(fits({ remoteips: [], serverids: [] }, '192.0.2.1')).toBe(true);
  });

  test('of one kind are alternatives: addresses and networks of both families', () => {
    const remoteips = ['127.0.0.2', '10.0.0.0/8', '2001:db8::/32', '::1', '192.0.2.5-192.0.2.9'];
    for (const ip of [
      '127.0.0.2',
      '10.255.255.255',
      '2001:db8:ffff::1',
      '::1',
      '0:0:0:0:0:0:0:1',
      '192.0.2.7',
    ])
      expect(fits({ remoteips }, ip), ip).toBe(true);
    for (const ip of ['127.0.0.1', '11.0.0.0', '192.0.2.4', '2001:db9::1', '::2', '', 'unix'])
      expect(fits({ remoteips }, ip), ip).toBe(false);
  });

  test('of several kinds must all fit', () => {
    const conditions = { remoteips: ['127.0.0.2', '127.0.0.3'], serverids: ['in'] };
    expect(fits(conditions, '127.0.0.3', 'in')).toBe(true);
    expect(fits(conditions, '127.0.0.3', 'out')).toBe(false);
    expect(fits(conditions, '127.0.0.1', 'in')).toBe(false);
  });

  test('may name the whole of a family', () => {
    expect(fits({ remoteips: ['0.0.0.0/0'] }, '203.0.113.9')).toBe(true);
    expect(fits({ remoteips: ['0.0.0.0/0'] }, '::1')).toBe(false);
  });
});

describe('conditions that make no sense are refused with what was found and expected', () => {
  test.each<[StageConditions, string]>([
    [{ remoteips: ['10.0.0.0/33'] }, 'remoteips: found "10.0.0.0/33"; expected an address or a network'],
    [{ remoteips: ['10.0.0'] }, 'remoteips: found "10.0.0"'],
    [{ remoteips: ['::1/129'] }, 'remoteips: found "::1/129"'],
    [{ remoteips: ['fe80::1%eth0'] }, 'remoteips: found "fe80::1%eth0"'],
    [{ remoteips: ['example.test'] }, 'remoteips: found "example.test"'],
    [{ remoteips: [''] }, 'remoteips: found ""'],
    [{ serverids: ['inn'] }, 'serverids: there is no server "inn"; expected "in", "out"'],
    [{ probability: 1.1 }, 'probability: found 1.1; expected a number from 0 to 1'],
    [{ probability: Number.NaN }, 'probability: found NaN'],
    [{ time: 0 }, 'time: found 0; expected seconds'],
    [{ time: Number.POSITIVE_INFINITY }, 'time: found Infinity'],
    [{ count: 0 }, 'count: found 0; expected a whole number'],
    [{ count: 1.5 }, 'count: found 1.5'],
  ])('%j', (conditions, problem) => {
    expect(problems(conditions)).toEqual([expect.stringContaining(problem)]);
  });

  test('all at once', () => {
    expect(problems({ remoteips: ['x'], serverids: ['y'], probability: 2 })).toHaveLength(3);
  });
});
