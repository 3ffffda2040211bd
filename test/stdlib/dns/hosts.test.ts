import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HostType, KnownHosts, parseHostRecord } from '../../../stdlib/dns/hosts.js';
import { recordText } from '../../../stdlib/dns/record-values.js';
import type { DnsAnswer } from '../../../stdlib/dns/resolver.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const shown = (answer: DnsAnswer | undefined) =>
  answer?.kind === 'records' ? answer.records.map(recordText) : answer?.error;

describe('names of the settings', () => {
  const hosts = new KnownHosts(
    {
      'Example.test': {
        a: ['192.0.2.1', '192.0.2.2'],
        aaaa: ['2001:DB8:0::1'],
        mx: ['20 mx2.example.test', '10 mx1.example.test.'],
        txt: ['v=spf1 -all'],
        tlsa: ['3 1 1 ABCD'],
        secure: true,
      },
      'null.test': { mx: ['0 .'] },
      '1.2.0.192.in-addr.arpa': { ptr: ['example.test'] },
    },
    undefined,
  );
  test.each([
    ['example.test', 'a', ['192.0.2.1', '192.0.2.2']],
    ['EXAMPLE.test', 'aaaa', ['2001:db8::1']],
    ['example.test', 'mx', ['mx1.example.test', 'mx2.example.test']],
    ['example.test', 'txt', ['v=spf1 -all']],
    ['example.test', 'tlsa', ['3 1 1 abcd']],
    ['example.test', 'ns', 'NODATA'],
    ['null.test', 'mx', ['']],
    ['1.2.0.192.in-addr.arpa', 'ptr', ['example.test']],
    ['other.test', 'a', undefined],
  ] as const)('%s %s', (name, type, expected) => {
    expect(shown(hosts.find(name, type))).toEqual(expected);
  });

  test('are as secure as the settings say, in what they lack too', () => {
    expect(hosts.find('example.test', 'a')).toMatchObject({ isSecure: true });
    expect(hosts.find('example.test', 'srv')).toMatchObject({ error: 'NODATA', isSecure: true });
    expect(hosts.find('null.test', 'a')).toMatchObject({ error: 'NODATA', isSecure: false });
  });
});

test.each([
  ['a', '2001:db8::1'],
  ['a', 'host'],
  ['aaaa', '192.0.2.1'],
  ['mx', 'mx.test'],
  ['mx', '99999 mx.test'],
  ['mx', '10 two words'],
  ['ptr', 'a..b'],
  ['tlsa', '3 1 1'],
  ['tlsa', '3 1 1 abc'],
  ['tlsa', '3 1 256 ab'],
] as [HostType, string][])('a record of type %s cannot be %j', (type, text) => {
  expect(parseHostRecord(type, text)).toBeUndefined();
  expect(() => new KnownHosts({ 'x.test': { [type]: [text] } }, undefined)).toThrow(/"x\.test"/);
});

test('a name that is none is told', () => {
  expect(() => new KnownHosts({ 'a..b': {} }, undefined)).toThrow('"a..b" is no domain name');
});

describe('names of the machine', () => {
  const text = '127.0.0.1 localhost\n192.0.2.7\tMail mail.example.test # ours\n::7 mail\nnonsense mail\n';
  test.each([
    ['localhost', 'a', ['127.0.0.1']],
    ['localhost', 'aaaa', 'NODATA'],
    ['mail', 'a', ['192.0.2.7']],
    ['mail', 'aaaa', ['::7']],
    ['mail.example.test', 'a', ['192.0.2.7']],
    ['mail', 'mx', undefined],
    ['www', 'a', undefined],
  ] as const)('%s %s', (name, type, expected) => {
    const hosts = new KnownHosts({}, path.join(scratchFolder({ hosts: text }), 'hosts'));
    expect(shown(hosts.find(name, type))).toEqual(expected);
  });

  test('localhost is this machine without any file (RFC 6761 6.3)', () => {
    for (const none of [new KnownHosts({}, undefined), new KnownHosts({}, '/not/there')]) {
      expect(shown(none.find('localhost', 'a'))).toEqual(['127.0.0.1']);
      expect(shown(none.find('x.LocalHost', 'aaaa'))).toEqual(['::1']);
    }
  });
});

test('an address is its own answer', () => {
  const hosts = new KnownHosts({}, undefined);
  expect(shown(hosts.find('192.0.2.1', 'a'))).toEqual(['192.0.2.1']);
  expect(shown(hosts.find('192.0.2.1', 'aaaa'))).toBe('NODATA');
  expect(shown(hosts.find('192.0.2.1', 'mx'))).toBeUndefined();
});
