// The names that examples look up, as a resolver: answers come from this table and from nowhere else.

import type { DnsAnswer, DnsRecord, Question, RecordType, Resolver } from '../../../stdlib/dns/resolver.js';

const ttlSeconds = 3600;

const DKIM_RSA =
  'v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2pGLq9FFnw/JBGQsp59Y0hzz7iyMErH31Y9AHKVbAGiDZjg7B+e2eavkfJLjHAwqjgI14I6kE1jwgkGBbIFo+70T4oCBob+bgnfzlFR/zv8GQSSDkf5ajGBnsnNEFe5JMr0L9nRC8BzZ7Jv3BljmhSgc0HqOviQmLWhKKy0TRJjsNWlBvNqWyLgjK5B8C5/bF0iJfZWMb0QLPgZ8vxwQXP1aZsZqs4pwJDRNiiTsFiDiG94fw1J3TYZLzlgdWrvvOrh75bgp6xG4tijgXZMxSHSn3NsJz6ACzRyu4vvDm3Hjr6ievnVMe6C0uoxyI7UVhc8pGKdhWDgkmfP4b77iwwIDAQAB';
const DKIM_ED25519 = 'v=DKIM1; k=ed25519; p=4pSOdQpZl9//BUha1RbbbQaN8M3sdN3TtTL84isxyYA=';

const a = (address: string): DnsRecord => ({ type: 'a', address, ttlSeconds });
const aaaa = (address: string): DnsRecord => ({ type: 'aaaa', address, ttlSeconds });
const txt = (text: string): DnsRecord => ({ type: 'txt', text, ttlSeconds });
const mx = (preference: number, hostname: string): DnsRecord => ({
  type: 'mx',
  preference,
  hostname,
  ttlSeconds,
});
const named = (type: 'cname' | 'ns' | 'ptr', hostname: string): DnsRecord => ({ type, hostname, ttlSeconds });

const zone: Readonly<Record<string, readonly DnsRecord[]>> = {
  'example.com': [
    a('192.0.2.1'),
    aaaa('2001:db8::1'),
    mx(10, 'mx.example.com'),
    mx(20, 'mx2.example.com'),
    named('ns', 'ns1.example.com'),
    txt('v=spf1 ip4:192.0.2.0/24 -all'),
  ],
  'mx.example.com': [a('192.0.2.25')],
  'mx2.example.com': [a('192.0.2.26')],
  'www.example.com': [named('cname', 'example.com')],
  'localhost.example.com': [a('127.0.0.1')],
  '25.2.0.192.in-addr.arpa': [named('ptr', 'mx.example.com')],
  's1._domainkey.example.com': [txt(DKIM_RSA)],
  'ed._domainkey.example.com': [txt(DKIM_ED25519)],
  '_dmarc.example.com': [txt('v=DMARC1; p=reject; rua=mailto:dmarc@example.com')],
  // The listed address of RFC 5782 §5.
  '2.0.0.127.bl.example.net': [a('127.0.0.2'), txt('Listed for tests')],
};

/** Asked as the daemon's resolver is; unknown names do not exist. */
export const zoneResolver: Resolver = {
  query: (question) => answer(question),
  close: () => {},
};

function answer({ name, type }: Question): DnsAnswer {
  let canonicalName = name.replace(/\.$/, '').toLowerCase();
  let records = zone[canonicalName];
  const alias = records?.[0];
  if (alias?.type === 'cname' && type !== 'cname') {
    canonicalName = alias.hostname;
    records = zone[canonicalName];
  }
  if (records === undefined) return { kind: 'failure', error: 'NXDOMAIN', isSecure: false };
  const found = ofType(records, type);
  if (found.length === 0) return { kind: 'failure', error: 'NODATA', isSecure: false };
  return { kind: 'records', records: found, canonicalName, isSecure: false };
}

function ofType(records: readonly DnsRecord[], type: RecordType): readonly DnsRecord[] {
  return records.filter((record) => record.type === type);
}
