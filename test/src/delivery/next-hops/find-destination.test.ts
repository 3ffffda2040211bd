// Where mail goes, each rule as rows of a table: what DNS says, and what comes of it.

import { describe, expect, test } from 'vitest';
import type { Destination } from '../../../../src/delivery/deliverer.js';
import type { Ending } from '../../../../src/delivery/failure.js';
import { chosenBySeed } from '../../../../src/delivery/next-hops/choice.js';
import { findDestination, type Route } from '../../../../src/delivery/next-hops/find-destination.js';
import { bothFamilies } from '../../../../src/delivery/next-hops/host-addresses.js';
import { systemLookup } from '../../../../src/delivery/next-hops/names.js';
import { ownHosts } from '../../../../src/delivery/next-hops/own-hosts.js';
import { type FixedHost, fixedNames } from '../../../support/fixed-names.js';

type Zone = Readonly<Record<string, FixedHost>>;

const own = ownHosts('me.test', () => [{ address: '127.0.0.9', port: 25 }]);

async function find(zone: Zone, route: Partial<Route>) {
  const names = fixedNames(zone);
  const found = await findDestination(
    { port: 25, filter: {}, families: bothFamilies, ...route },
    { names, own, choice: chosenBySeed('seed', 0) },
  );
  return { found, asked: names.asked };
}

/** `host ip` of each address, or `error kind: message`. */
function shown(found: Destination | Ending): string[] | string {
  if ('addresses' in found) return found.addresses.map(({ remoteMx, ip }) => `${remoteMx} ${ip}`);
  const { type, dns = '', temporary, message } = found.error!;
  return `${temporary ? 'temporary' : 'final'} ${type} ${dns}: ${message}`;
}

const of = async (zone: Zone, route: Partial<Route>) => shown((await find(zone, route)).found);

describe('a host that is named', () => {
  test.each([
    ['127.0.1.1', '127.0.1.1'],
    ['[::1]', '::1'],
  ])('by its address %s needs no look-up, and remotemx is the text as given', async (host, ip) => {
    const { found, asked } = await find({}, { host, port: 2526 });
    expect(found).toEqual({ remoteMx: host, addresses: [{ ip, port: 2526, remoteMx: host }] });
    expect(asked).toEqual([]);
  });

  test('has its addresses in the order they come, and says whether they were validated', async () => {
    const zone = {
      'relay.test': { ips: ['192.0.2.2', '2001:db8::1'], secure: true, canonicalName: 'r1.test' },
    };
    const common = { port: 24, remoteMx: 'relay.test', canonicalName: 'r1.test', isSecure: true };
    expect((await find(zone, { host: 'relay.test', port: 24 })).found).toEqual({
      remoteMx: 'relay.test',
      addresses: [
        { ip: '192.0.2.2', ...common },
        { ip: '2001:db8::1', ...common },
      ],
    });
  });

  test.each([
    [{}, 'temporary dns nxdomain: host "relay.test" has no address: no such name (NXDOMAIN)'],
    [
      { 'relay.test': {} },
      'temporary dns nodata: host "relay.test" has no address: it has nothing of the kind',
    ],
    [
      { 'relay.test': { fails: 'ips' } },
      'temporary dns other: host "relay.test" has no address: the look-up failed (SERVFAIL)',
    ],
  ] as const)('without an address (%j) is a slip of ours and keeps the mail', async (zone, expected) => {
    expect(await of(zone, { host: 'relay.test' })).toBe(expected);
  });

  test('is known by its A-labels', async () => {
    const zone = { 'xn--bcher-kva.test': { ips: ['192.0.2.1'] } };
    expect(await of(zone, { host: 'b\xc3\xbccher.test' })).toEqual(['xn--bcher-kva.test 192.0.2.1']);
  });

  test('may be ourselves: somebody wanted it so', async () => {
    expect(await of({ 'me.test': { ips: ['127.0.0.9'] } }, { host: 'me.test' })).toEqual([
      'me.test 127.0.0.9',
    ]);
  });
});

describe('a domain', () => {
  const pool = {
    'mx1.a.test': { ips: ['192.0.2.1', '2001:db8::1'] },
    'mx2.a.test': { ips: ['192.0.2.2'] },
    'mx3.a.test': { ips: ['192.0.2.3'] },
  };

  test.each<[what: string, zone: Zone, expected: string[] | string]>([
    [
      'has its hosts tried by preference',
      { 'a.test': { mx: ['20 mx2.a.test', '10 MX1.a.test.', '30 mx3.a.test'] }, ...pool },
      ['mx1.a.test 192.0.2.1', 'mx1.a.test 2001:db8::1', 'mx2.a.test 192.0.2.2', 'mx3.a.test 192.0.2.3'],
    ],
    ['without MX records is its own host', { 'a.test': { ips: ['192.0.2.9'] } }, ['a.test 192.0.2.9']],
    [
      'with MX records is not its own host',
      { 'a.test': { mx: ['10 gone.a.test'], ips: ['192.0.2.9'] } },
      'final dns nxdomain: the mail domain "a.test" has no address: host "gone.a.test": no such name (NXDOMAIN)',
    ],
    [
      'that takes no mail says so',
      { 'a.test': { mx: ['0 .'], ips: ['192.0.2.9'] } },
      'final dns nullmx: the domain "a.test" takes no mail (null MX)',
    ],
    [
      'with a null MX beside others takes mail',
      { 'a.test': { mx: ['0 .', '10 mx2.a.test'] }, ...pool },
      ['mx2.a.test 192.0.2.2'],
    ],
    [
      'that does not exist is final',
      {},
      'final dns nxdomain: the domain "a.test" does not exist: no such name (NXDOMAIN)',
    ],
    [
      'that nobody knows about may exist',
      { 'a.test': { fails: 'mx', ips: ['192.0.2.9'] } },
      'temporary dns other: the mail hosts of "a.test" are not known: the look-up failed (SERVFAIL)',
    ],
    [
      'with neither MX nor addresses takes no mail',
      { 'a.test': {} },
      'final dns nodata: the mail domain "a.test" has no address: it has nothing of the kind',
    ],
    [
      'without MX whose address is not known may have one',
      { 'a.test': { fails: 'ips' } },
      'temporary dns other: the mail domain "a.test" has no address: the look-up failed (SERVFAIL)',
    ],
    [
      'passes over hosts without an address',
      {
        'a.test': { mx: ['10 gone.a.test', '20 empty.a.test', '30 mx2.a.test'] },
        'empty.a.test': {},
        ...pool,
      },
      ['mx2.a.test 192.0.2.2'],
    ],
    [
      'passes over a host nobody knows about while there are others',
      { 'a.test': { mx: ['10 dead.a.test', '20 mx2.a.test'] }, 'dead.a.test': { fails: 'ips' }, ...pool },
      ['mx2.a.test 192.0.2.2'],
    ],
    [
      'waits for a host nobody knows about if it is the only hope',
      { 'a.test': { mx: ['10 gone.a.test', '20 dead.a.test'] }, 'dead.a.test': { fails: 'ips' } },
      'temporary dns other: the mail domain "a.test" has no address: host "dead.a.test": the look-up failed (SERVFAIL)',
    ],
    [
      'is told of a host that exists rather than of one that does not',
      { 'a.test': { mx: ['10 gone.a.test', '20 empty.a.test'] }, 'empty.a.test': {} },
      'final dns nodata: the mail domain "a.test" has no address: host "empty.a.test": it has nothing of the kind',
    ],
    [
      'is not delivered to an address in the place of a name',
      { 'a.test': { mx: ['10 192.0.2.66', '20 mx2.a.test'] }, ...pool },
      ['mx2.a.test 192.0.2.2'],
    ],
    [
      'that names only addresses names no host',
      { 'a.test': { mx: ['10 192.0.2.66', '20 2001:db8::66'] } },
      'final dns nodata: no MX record of "a.test" names a host (found "192.0.2.66")',
    ],
    [
      'that names what is no host is told so, without a byte of it unescaped',
      { 'a.test': { mx: ['10 b\\000d\u0007.test\n', '10 \u00e9.test', `10 ${'x'.repeat(64)}.test`] } },
      'final dns nodata: no MX record of "a.test" names a host (found "b\\x5c000d\\x07.test\\x0a")',
    ],
    [
      'is not delivered to an address that is nobody',
      {
        'a.test': { mx: ['10 zero.a.test', '20 mx2.a.test'] },
        'zero.a.test': { ips: ['0.0.0.0', '::'] },
        ...pool,
      },
      ['mx2.a.test 192.0.2.2'],
    ],
    [
      'that lists a host twice has it tried once, in its better place',
      { 'a.test': { mx: ['30 mx2.a.test', '20 mx3.a.test', '10 MX2.a.test'] }, ...pool },
      ['mx2.a.test 192.0.2.2', 'mx3.a.test 192.0.2.3'],
    ],
  ])('%s', async (_what, zone, expected) => {
    expect(await of(zone, { domain: 'a.test' })).toEqual(expected);
  });

  test('is asked about before its hosts, and they as complete names', async () => {
    const { asked } = await find({ 'a.test': { mx: ['10 mx1.a.test'] }, ...pool }, { domain: 'A.test' });
    expect(asked).toEqual(['mx a.test', 'ips mx1.a.test.']);
  });

  test.each([
    ['b\xc3\xbccher.test', 'mx xn--bcher-kva.test'],
    ['\xef\xbc\xa1.test', 'mx a.test'],
    ['A.TEST.', 'mx a.test'],
  ])('%j is asked for in A-labels', async (domain, expected) => {
    expect((await find({}, { domain })).asked).toEqual([expected]);
  });

  test.each(['a..test', '.', 'a\0.test', 'a\r\n.test', '\xff\xfe', '192.0.2.1', 'x'.repeat(300)])(
    '%j is no domain, which is final and told without its bytes',
    async (domain) => {
      const { found, asked } = await find({}, { domain });
      expect(shown(found)).toMatch(/^final dns nxdomain: "[\x20-\x7e]{0,110}" is no domain name$/);
      expect(asked).toEqual([]);
    },
  );

  test('must be there', async () => {
    expect(await of({}, { domain: '' })).toMatch(/^temporary config : there is neither a host nor a domain/);
  });
});

describe('an address in the place of a domain', () => {
  test.each([
    ['[127.0.0.1]', '127.0.0.1'],
    ['[IPv6:2001:db8::1]', '2001:db8::1'],
    ['[ipv6:::ffff:192.0.2.1]', '::ffff:192.0.2.1'],
  ])('%s is where the mail goes', async (domain, ip) => {
    const { found, asked } = await find({}, { domain });
    expect(found).toEqual({ remoteMx: ip, addresses: [{ ip, port: 25, remoteMx: ip }] });
    expect(asked).toEqual([]);
  });

  test.each([
    '[127.0.0.256]',
    '[IPv6:127.0.0.1]',
    '[tag:x]',
    '[]',
    '[',
    '[0.0.0.0]',
    '[127.0.0.1',
    '[a.test]',
  ])('%s is none', async (domain) => {
    expect(await of({}, { domain })).toMatch(/^final dns nxdomain: ".*" is no address in brackets$/);
  });

  test('that is ours leads nowhere', async () => {
    expect(await of({}, { domain: '[127.0.0.9]' })).toMatch(/^final config : .* loops back to me/);
  });
});

describe('mail does not go in circles (RFC 5321 5.1)', () => {
  const hosts = {
    'mx1.a.test': { ips: ['192.0.2.1'] },
    'mx2.a.test': { ips: ['192.0.2.2'] },
    'us.a.test': { ips: ['127.0.0.9'] },
  };

  test.each<[what: string, mx: string[], expected: string[] | RegExp]>([
    ['by name', ['10 mx1.a.test', '20 ME.test', '20 mx2.a.test', '30 mx2.a.test'], ['mx1.a.test 192.0.2.1']],
    ['by address', ['10 mx1.a.test', '20 us.a.test', '30 mx2.a.test'], ['mx1.a.test 192.0.2.1']],
    ['as the best by name', ['10 me.test', '20 mx1.a.test'], /best mail host "me\.test" is this server/],
    [
      'as the best by address',
      ['10 us.a.test', '20 mx1.a.test'],
      /best mail host "us\.a\.test" is this server/,
    ],
    ['beside an equal one', ['10 us.a.test', '10 mx1.a.test'], /loops back to me/],
  ])('where we are one of the hosts, %s, only better ones are left', async (_what, mx, expected) => {
    const result = await of({ 'a.test': { mx }, ...hosts }, { domain: 'a.test' });
    if (Array.isArray(expected)) expect(result).toEqual(expected);
    else {
      expect(result).toMatch(expected);
      expect(result).toMatch(/^final config : mail for "a\.test" loops back to me/);
    }
  });

  test('a domain without MX that is our own name or address leads nowhere', async () => {
    expect(await of({ 'me.test': { ips: ['192.0.2.1'] } }, { domain: 'me.test' })).toMatch(
      /loops back to me/,
    );
    expect(await of({ 'a.test': { ips: ['127.0.0.9'] } }, { domain: 'a.test' })).toMatch(/loops back to me/);
  });

  test('another server at our address, with another port, is not us', async () => {
    const zone = { 'a.test': { mx: ['10 us.a.test'] }, ...hosts };
    expect(await of(zone, { domain: 'a.test', port: 2525 })).toEqual(['us.a.test 127.0.0.9']);
  });
});

describe('families', () => {
  const zone = {
    'a.test': { mx: ['10 mx1.a.test', '20 mx2.a.test'] },
    'mx1.a.test': { ips: ['2001:db8::1'] },
    'mx2.a.test': { ips: ['192.0.2.2'] },
    'six.test': { ips: ['2001:db8::6'] },
  };
  const onlyFour = { ipv4: true, ipv6: false };
  const onlySix = { ipv4: false, ipv6: true };

  test.each([
    [onlyFour, { domain: 'a.test' }, ['mx2.a.test 192.0.2.2']],
    [onlySix, { domain: 'a.test' }, ['mx1.a.test 2001:db8::1']],
    [onlySix, { host: 'six.test' }, ['six.test 2001:db8::6']],
    [
      onlyFour,
      { domain: 'six.test' },
      /^temporary dns ipfamily: the mail domain "six\.test" has no address of a family/,
    ],
    [onlyFour, { host: 'six.test' }, /^temporary dns ipfamily: host "six\.test" .*IPv6 is switched off/],
    [onlyFour, { host: '::1' }, /^temporary dns ipfamily: /],
    [onlySix, { domain: '[127.0.0.1]' }, /^temporary dns ipfamily: /],
  ] as const)('with %j, %j', async (families, route, expected) => {
    const result = await of(zone, { ...route, families });
    if (expected instanceof RegExp) expect(result).toMatch(expected);
    else expect(result).toEqual(expected);
  });

  test('an address that nobody could ask for may be of the right one', async () => {
    const hosts = {
      'a.test': { mx: ['10 six.test', '20 dead.test'] },
      'six.test': { ips: ['::1'] },
      'dead.test': { fails: 'ips' as const },
    };
    expect(await of(hosts, { domain: 'a.test', families: onlyFour })).toMatch(
      /^temporary dns other: .*"dead\.test"/,
    );
  });
});

describe('mx_include and mx_exclude', () => {
  const zone = {
    'a.test': { mx: ['10 mx1.a.test', '20 mx2.a.test', '30 mx.x.a.test'] },
    'mx1.a.test': { ips: ['192.0.2.1'] },
    'mx2.a.test': { ips: ['192.0.2.2'] },
    'mx.x.a.test': { ips: ['192.0.2.3'] },
  };

  test.each<[Route['filter'], string[]]>([
    [{ include: ['mx2.a.test'] }, ['mx2.a.test']],
    [{ exclude: ['*.\xef\xbd\x81.test', 'mx1.\xef\xbd\x81.test'] }, ['mx.x.a.test']],
    [{ include: ['*.A.test'] }, ['mx1.a.test', 'mx2.a.test']],
    [{ exclude: ['*.a.test.'] }, ['mx.x.a.test']],
    [{ include: ['*.a.test', 'mx.x.a.test'], exclude: ['MX1.a.test'] }, ['mx2.a.test', 'mx.x.a.test']],
  ])('%j leaves %j', async (filter, hosts) => {
    const { found } = await find(zone, { domain: 'a.test', filter });
    expect('addresses' in found && found.addresses.map(({ remoteMx }) => remoteMx)).toEqual(hosts);
  });

  test.each([[{ include: [] }], [{ include: ['*.test'] }], [{ exclude: ['*.a.test', '*.x.a.test'] }]])(
    '%j leaves none, and nothing is asked about them',
    async (filter) => {
      const { found, asked } = await find(zone, { domain: 'a.test', filter });
      expect(shown(found)).toBe(
        'temporary dns excluded: none of the mail hosts of "a.test" may be used (mx_include, mx_exclude)',
      );
      expect(asked).toEqual(['mx a.test']);
    },
  );

  test('do not bring mail back to us', async () => {
    const circle = { ...zone, 'a.test': { mx: ['10 me.test', '20 mx1.a.test'] } };
    expect(await of(circle, { domain: 'a.test', filter: { exclude: ['me.test'] } })).toMatch(
      /loops back to me/,
    );
  });
});

describe('what is secure (RFC 7672 2.2)', () => {
  test.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])(
    'MX validated: %s, addresses validated: %s; secure: %s',
    async (isDomainSecure, isHostSecure, isSecure) => {
      const { found } = await find(
        {
          'a.test': { mx: ['10 mx.b.test'], secure: isDomainSecure, canonicalName: 'c.test' },
          'mx.b.test': { ips: ['192.0.2.1'], secure: isHostSecure, canonicalName: 'host.b.test' },
        },
        { domain: 'a.test' },
      );
      expect(found).toEqual({
        remoteMx: 'mx.b.test',
        addresses: [
          {
            ip: '192.0.2.1',
            port: 25,
            remoteMx: 'mx.b.test',
            preference: 10,
            canonicalName: 'host.b.test',
            isSecure,
          },
        ],
        mailDomain: { name: 'a.test', canonicalName: 'c.test', isSecure: isDomainSecure },
      });
    },
  );

  test('a domain without MX is secure if that was validated too', async () => {
    const found = async (secure: boolean) =>
      (await find({ 'a.test': { ips: ['192.0.2.1'], secure } }, { domain: 'a.test' })).found;
    expect(await found(true)).toMatchObject({
      addresses: [{ isSecure: true }],
      mailDomain: { isSecure: true },
    });
    expect(await found(false)).toMatchObject({
      addresses: [{ isSecure: false }],
      mailDomain: { isSecure: false },
    });
  });

  test('an address that was written down is not', async () => {
    const { found } = await find({}, { domain: '[192.0.2.1]' });
    expect('addresses' in found && found.addresses[0]?.isSecure).toBeFalsy();
  });
});

test('the system knows localhost', async () => {
  const answer = await systemLookup('localhost');
  expect(answer.kind === 'addresses' && answer.ips.some((ip) => ip === '127.0.0.1' || ip === '::1')).toBe(
    true,
  );
});
