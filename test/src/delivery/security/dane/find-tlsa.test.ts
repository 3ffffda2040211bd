import { describe, expect, test } from 'vitest';
import { findTlsa } from '../../../../../src/delivery/security/dane/find-tlsa.js';
import { type SignedName, signedResolver } from '../../../../support/signed-zone.js';

const RECORD = `3 1 1 ${'ab'.repeat(32)}`;
const tlsa: SignedName = { tlsa: [RECORD], secure: true };
const host: SignedName = { a: ['192.0.2.1'], secure: true };

/** What is found for mx.test, and the TLSA questions on the way to it. */
async function find(zone: Readonly<Record<string, SignedName>>, name = 'mx.test', port = 25) {
  const resolver = signedResolver(zone);
  const finding = await findTlsa(name, port, resolver);
  const asked = resolver.asked.filter((question) => question.startsWith('tlsa ')).map((q) => q.slice(5));
  const found = finding.kind === 'records' ? `records of ${finding.baseDomain}` : finding.kind;
  return [found, ...asked];
}

describe('TLSA records are looked for as RFC 7672 2.2 says', () => {
  const here = '_25._tcp.mx.test';
  const there = '_25._tcp.real.test';
  const alias: SignedName = { cname: 'real.test', secure: true };
  test.each<readonly [string, Readonly<Record<string, SignedName>>, readonly string[]]>([
    ['secure addresses, secure records', { 'mx.test': host, [here]: tlsa }, ['records of mx.test', here]],
    ['secure addresses, secure "no such name"', { 'mx.test': host }, ['none', here]],
    [
      'secure addresses, secure "no such records"',
      { 'mx.test': host, [here]: { secure: true } },
      ['none', here],
    ],
    [
      'secure addresses, records without signature',
      { 'mx.test': host, [here]: { ...tlsa, secure: false } },
      ['none', here],
    ],
    [
      'secure addresses, forged records (SERVFAIL)',
      { 'mx.test': host, [here]: { tlsa: 'SERVFAIL' } },
      ['unknown', here],
    ],
    [
      'secure addresses, silence about records',
      { 'mx.test': host, [here]: { tlsa: 'TRY_AGAIN' } },
      ['unknown', here],
    ],
    [
      'secure addresses, records refused',
      { 'mx.test': host, [here]: { tlsa: 'REFUSED' } },
      ['unknown', here],
    ],
    ['insecure addresses: not asked', { 'mx.test': { ...host, secure: false }, [here]: tlsa }, ['none']],
    [
      'IPv6 alone, secure',
      { 'mx.test': { aaaa: ['2001:db8::1'] }, [here]: tlsa },
      ['records of mx.test', here],
    ],
    [
      'one family fails, the other is secure',
      { 'mx.test': { a: ['192.0.2.1'], aaaa: 'SERVFAIL' }, [here]: tlsa },
      ['records of mx.test', here],
    ],
    [
      'one family fails, the other is not secure',
      { 'mx.test': { a: ['192.0.2.1'], aaaa: 'SERVFAIL', secure: false } },
      ['none'],
    ],
    ['both families fail', { 'mx.test': { a: 'SERVFAIL', aaaa: 'TRY_AGAIN' }, [here]: tlsa }, ['unknown']],
    ['no addresses', { 'mx.test': { secure: true }, [here]: tlsa }, ['none']],
    [
      'an alias, secure all the way: its target first',
      { 'mx.test': alias, 'real.test': host, [there]: tlsa, [here]: tlsa },
      ['records of real.test', there],
    ],
    [
      'an alias, secure all the way: then its own name',
      { 'mx.test': alias, 'real.test': host, [here]: tlsa },
      ['records of mx.test', there, here],
    ],
    [
      'an alias, secure all the way, without records',
      { 'mx.test': alias, 'real.test': host },
      ['none', there, here],
    ],
    [
      "an alias whose target's records cannot be had: not its own name instead",
      { 'mx.test': alias, 'real.test': host, [there]: { tlsa: 'SERVFAIL' }, [here]: tlsa },
      ['unknown', there],
    ],
    [
      'a secure alias of an unsigned zone: its own name alone',
      { 'mx.test': alias, 'real.test': { ...host, secure: false }, [there]: tlsa, [here]: tlsa },
      ['records of mx.test', here],
    ],
    [
      'an alias without signature',
      { 'mx.test': { ...alias, secure: false }, 'real.test': host, [there]: tlsa, [here]: tlsa },
      ['none'],
    ],
    [
      'records that are an alias, secure all the way',
      { 'mx.test': host, [here]: { cname: 'keys.test' }, 'keys.test': tlsa },
      ['records of mx.test', here],
    ],
    [
      'records that are an alias without signature',
      { 'mx.test': host, [here]: { cname: 'keys.test', secure: false }, 'keys.test': tlsa },
      ['none', here],
    ],
  ])('%s', async (_, zone, expected) => {
    expect(await find(zone)).toEqual(expected);
  });

  test('an alias that cannot be looked up alone leaves it open', async () => {
    const target: SignedName = { a: ['192.0.2.1'], secure: false };
    const resolver = signedResolver({ 'mx.test': { cname: 'real.test' }, 'real.test': target });
    const failing = {
      ...resolver,
      query: (question: Parameters<typeof resolver.query>[0]) =>
        question.type === 'cname'
          ? ({ kind: 'failure', error: 'SERVFAIL', isSecure: false } as const)
          : resolver.query(question),
    };
    expect((await findTlsa('mx.test', 25, failing)).kind).toBe('unknown');
  });

  test('the port is part of the place', async () => {
    expect(await find({ 'mx.test': host, '_2525._tcp.mx.test': tlsa }, 'MX.test.', 2525)).toEqual([
      'records of mx.test',
      '_2525._tcp.mx.test',
    ]);
  });

  test.each(['192.0.2.1', '[192.0.2.1]', '2001:db8::1', '[IPv6:2001:db8::1]'])('%s has none', async (ip) => {
    expect(await find({}, ip)).toEqual(['none']);
  });
});
