// The worked examples of RFC 7489 (appendix B) and RFC 9989 (4.10, appendix B), and the rules beside them that no example
// shows, as data: which names have records, who sent and signed, what has to come out.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createLocalServices } from '#stdlib';
import { type FixedZone, fixedResolver } from '../../support/fixed-zone.js';
import { run } from '../../support/run-script.js';

interface Case {
  readonly name: string;
  /** DMARC records by domain. */
  readonly records: Readonly<Record<string, string | readonly string[] | 'SERVFAIL'>>;
  /** Names that exist besides. */
  readonly hosts?: readonly string[];
  /** The domain in From. */
  readonly from: string;
  /** The domain of the envelope sender, for which SPF passes. */
  readonly sender?: string;
  /** The domain of a valid signature. */
  readonly signer?: string;
  /** What `dmarc()` gives under these keys; none for a key that must be absent. */
  readonly gives: Readonly<Record<string, string | null>>;
  /** The DMARC names asked for, in order, each once. */
  readonly asks?: readonly string[];
}

const relaxed = 'v=DMARC1; p=reject';
const strict = 'v=DMARC1; p=reject; adkim=s; aspf=s';

/** The same three pairs of domains for SPF (B.1.1) and for DKIM (B.1.2); both RFCs have them. */
const alignment: readonly Case[] = (['sender', 'signer'] as const).flatMap((what) => {
  const key = what === 'sender' ? 'spf_align' : 'dkim_align';
  const [kind, section] = what === 'sender' ? (['SPF', 'B.1.1'] as const) : (['DKIM', 'B.1.2'] as const);
  // In SPF's second example the sender is below the author, in DKIM's the author is below the signer.
  const [from, other] =
    what === 'sender'
      ? (['example.com', 'child.example.com'] as const)
      : (['child.example.com', 'example.com'] as const);
  const of = (name: string, record: string, author: string, domain: string, found: string): Case => ({
    name: `${section} ${kind}: ${name}`,
    records: { 'example.com': record },
    from: author,
    [what]: domain,
    gives: { [key]: found, result: found === 'pass' ? 'pass' : 'reject' },
  });
  return [
    of('identical domains, relaxed', relaxed, 'example.com', 'example.com', 'pass'),
    of('identical domains, strict', strict, 'example.com', 'example.com', 'pass'),
    of('parent and child, relaxed', relaxed, from, other, 'pass'),
    of('parent and child, strict', strict, from, other, 'unaligned'),
    of('unrelated domains, relaxed', relaxed, 'child.example.com', 'example.net', 'unaligned'),
    of('unrelated domains, strict', strict, 'child.example.com', 'example.net', 'unaligned'),
  ];
});

const byList: readonly Case[] = [
  ...alignment,
  {
    name: 'B.2.1 an owner who only monitors asks for nothing',
    records: { 'example.com': 'v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com' },
    from: 'example.com',
    gives: { result: 'none', policy: 'none', pdomain: 'example.com' },
  },
  {
    name: 'B.2.2 per-message reports change nothing',
    records: {
      'example.com':
        'v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; ruf=mailto:auth-reports@example.com',
    },
    from: 'example.com',
    signer: 'example.com',
    gives: { result: 'pass', dkim_align: 'pass' },
  },
  {
    name: 'B.2.4 the record of a test subdomain counts for it, not that of its organisation',
    records: {
      'example.com': 'v=DMARC1; p=reject',
      'test.example.com':
        'v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com, mailto:tld-test@thirdparty.example.net!10m; pct=100',
    },
    from: 'test.example.com',
    gives: { result: 'quarantine', pdomain: 'test.example.com' },
  },
  {
    name: '6.6.3 a subdomain without a record has the policy for subdomains',
    records: { 'example.com': 'v=DMARC1; p=reject; sp=quarantine' },
    from: 'a.b.example.com',
    gives: { result: 'quarantine', pdomain: 'example.com' },
  },
  {
    name: '6.6.3 several records of the author’s domain end the search',
    records: { 'a.example.com': ['v=DMARC1; p=none', 'v=DMARC1; p=none'], 'example.com': relaxed },
    from: 'a.example.com',
    gives: { result: 'policy_absent' },
  },
  {
    name: '6.6.3 a record that cannot be used ends the search as well',
    records: { 'a.example.com': 'v=DMARC1; p=nothing', 'example.com': relaxed },
    from: 'a.example.com',
    gives: { result: 'policy_absent' },
  },
  {
    name: '6.6.3 a wrong policy for subdomains spoils the record',
    records: { 'example.com': 'v=DMARC1; p=reject; sp=bounce' },
    from: 'example.com',
    gives: { result: 'policy_absent' },
  },
  {
    name: '6.6.3 with an address for reports it is taken for p=none',
    records: { 'example.com': 'v=DMARC1; p=reject; sp=bounce; rua=mailto:d@example.com' },
    from: 'a.example.com',
    gives: { result: 'none', policy: 'none' },
  },
  {
    name: '6.6.3 what is no address does not save a record',
    records: { 'example.com': 'v=DMARC1; rua=d@example.com' },
    from: 'example.com',
    gives: { result: 'policy_absent' },
  },
  {
    name: '6.6.3 other text records at the name do not count',
    records: { 'example.com': ['v=spf1 -all', 'dmarc', relaxed] },
    from: 'example.com',
    gives: { result: 'reject' },
  },
];

const bank = {
  'bank.example': 'v=DMARC1; p=reject; psd=y',
  'giant.bank.example': 'v=DMARC1; p=quarantine',
};

const byWalk: readonly Case[] = [
  ...alignment,
  {
    name: 'B.4.1 a simple walk',
    records: { 'example.com': relaxed, 'signing.example.com': 'v=DMARC1; p=none' },
    from: 'example.com',
    sender: 'example.com',
    signer: 'signing.example.com',
    gives: { result: 'pass', spf_align: 'pass', dkim_align: 'pass', pdomain: 'example.com' },
  },
  {
    name: 'B.4.2 a deep walk leaves out the middle',
    records: { 'example.com': relaxed, 'signing.example.com': 'v=DMARC1; p=none' },
    from: 'a.b.c.d.e.f.g.h.i.j.k.example.com',
    sender: 'example.com',
    signer: 'signing.example.com',
    gives: { result: 'pass', spf_align: 'pass', dkim_align: 'pass', pdomain: 'example.com' },
  },
  {
    name: 'B.4.2 the names it asks for',
    records: { 'example.com': relaxed },
    from: 'a.b.c.d.e.f.g.h.i.j.k.example.com',
    gives: { result: 'reject', pdomain: 'example.com' },
    asks: [
      'a.b.c.d.e.f.g.h.i.j.k.example.com',
      'g.h.i.j.k.example.com',
      'h.i.j.k.example.com',
      'i.j.k.example.com',
      'j.k.example.com',
      'k.example.com',
      'example.com',
      'com',
    ],
  },
  {
    name: '4.10 never more than eight names',
    records: {},
    from: 'a.b.c.d.e.f.g.h.i.j.mail.example.com',
    gives: { result: 'policy_absent' },
    asks: [
      'a.b.c.d.e.f.g.h.i.j.mail.example.com',
      'g.h.i.j.mail.example.com',
      'h.i.j.mail.example.com',
      'i.j.mail.example.com',
      'j.mail.example.com',
      'mail.example.com',
      'example.com',
      'com',
    ],
  },
  {
    name: 'B.4.3 the organisation is the domain below the public suffix',
    records: bank,
    from: 'giant.bank.example',
    sender: 'mail.giant.bank.example',
    signer: 'mail.mega.bank.example',
    gives: { result: 'pass', spf_align: 'pass', dkim_align: 'unaligned', pdomain: 'giant.bank.example' },
  },
  {
    name: '4.10 the walk ends at a domain that says what it is',
    records: { 'bank.example': 'v=DMARC1; p=reject; psd=y', example: 'v=DMARC1; p=none' },
    from: 'mail.giant.bank.example',
    gives: { result: 'reject', pdomain: 'bank.example' },
    asks: ['mail.giant.bank.example', 'giant.bank.example', 'bank.example'],
  },
  {
    name: '4.10.1 the organisation’s own policy comes before that of the public suffix',
    records: bank,
    from: 'mail.giant.bank.example',
    gives: { result: 'quarantine', pdomain: 'giant.bank.example' },
  },
  {
    name: '4.10.1 without one the public suffix’s counts, as for a subdomain',
    records: { 'bank.example': 'v=DMARC1; p=reject; sp=quarantine; psd=y' },
    hosts: ['mail.giant.bank.example'],
    from: 'mail.giant.bank.example',
    signer: 'giant.bank.example',
    gives: { result: 'pass', dkim_align: 'pass', pdomain: 'bank.example' },
  },
  {
    name: '4.10.1 two organisations of one public suffix are not aligned',
    records: { 'bank.example': 'v=DMARC1; p=reject; psd=y' },
    from: 'giant.bank.example',
    sender: 'bank.example',
    signer: 'mega.bank.example',
    gives: { result: 'reject', spf_align: 'unaligned', dkim_align: 'unaligned', pdomain: 'bank.example' },
  },
  {
    name: '4.10.2 a public suffix that writes itself is its own organisation',
    records: { 'bank.example': 'v=DMARC1; p=reject; sp=none; psd=y', example: relaxed },
    from: 'bank.example',
    sender: 'mail.bank.example',
    gives: { result: 'reject', spf_align: 'unaligned', pdomain: 'bank.example' },
    asks: ['bank.example', 'mail.bank.example'],
  },
  {
    name: '4.10.2 a domain that says psd=n is the organisation, whatever is above it',
    records: { 'news.example.com': 'v=DMARC1; p=quarantine; psd=n', 'example.com': relaxed },
    from: 'a.news.example.com',
    signer: 'example.com',
    gives: { result: 'quarantine', dkim_align: 'unaligned', pdomain: 'news.example.com' },
    asks: ['a.news.example.com', 'news.example.com', 'example.com', 'com'],
  },
  {
    name: '4.10 several records at a name are none, and the walk goes on',
    records: { 'a.example.com': ['v=DMARC1; p=none', 'v=DMARC1; p=none'], 'example.com': relaxed },
    from: 'a.example.com',
    gives: { result: 'reject', pdomain: 'example.com' },
  },
  {
    name: '4.10.1 sp for subdomains that exist',
    records: { 'example.com': 'v=DMARC1; p=reject; sp=none; np=quarantine' },
    hosts: ['sub.example.com'],
    from: 'sub.example.com',
    gives: { result: 'none', policy: 'none' },
  },
  {
    name: '4.10.1 np for those that do not',
    records: { 'example.com': 'v=DMARC1; p=reject; sp=none; np=quarantine' },
    from: 'sub.example.com',
    gives: { result: 'quarantine', policy: 'quarantine' },
  },
  {
    name: '4.10.1 p for subdomains where there is neither',
    records: { 'example.com': relaxed },
    from: 'child.example.com',
    sender: 'example.net',
    gives: { result: 'reject', spf_align: 'unaligned' },
  },
  {
    name: '4.10.1 a wrong np spoils the record',
    records: { 'example.com': 'v=DMARC1; p=reject; np=maybe' },
    from: 'example.com',
    gives: { result: 'policy_absent' },
  },
  {
    name: '4.10.1 without a policy but with an address for reports it is p=none',
    records: { 'example.com': 'v=DMARC1; rua=mailto:dmarc@example.com' },
    from: 'example.com',
    sender: 'example.net',
    gives: { result: 'none', policy: 'none' },
  },
  {
    name: '4.7 t=y is one step milder',
    records: { 'example.com': 'v=DMARC1; p=quarantine; t=Y' },
    from: 'example.com',
    gives: { result: 'none', policy: 'quarantine' },
  },
  {
    name: '4.7 pct is history',
    records: { 'example.com': 'v=DMARC1; p=reject; pct=0' },
    from: 'example.com',
    gives: { result: 'reject' },
  },
  {
    name: 'a record that cannot be looked up is a temporary error',
    records: { 'example.com': 'SERVFAIL' },
    from: 'a.example.com',
    gives: { result: 'temperror' },
  },
  {
    name: 'an error above the author’s own record does not matter to its policy',
    records: { 'a.example.com': 'v=DMARC1; p=quarantine', 'example.com': 'SERVFAIL' },
    from: 'a.example.com',
    gives: { result: 'quarantine' },
  },
];

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const keyRecord = `v=DKIM1; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;

function zoneOf({ records, hosts = [], sender, signer }: Case): FixedZone {
  const zone: Record<string, FixedZone[string]> = {};
  for (const host of hosts) zone[host] = { a: ['192.0.2.9'] };
  if (sender !== undefined) zone[sender] = { a: ['192.0.2.9'], txt: ['v=spf1 ip4:192.0.2.1 -all'] };
  if (signer !== undefined) zone[`s1._domainkey.${signer}`] = { txt: [keyRecord] };
  for (const [domain, record] of Object.entries(records))
    zone[`_dmarc.${domain}`] =
      record === 'SERVFAIL' ? record : { txt: typeof record === 'string' ? [record] : record };
  return zone;
}

async function judge(
  one: Case,
  isWalk: boolean,
): Promise<{ gives: Record<string, unknown>; asks: string[] }> {
  const resolver = fixedResolver(zoneOf(one));
  const asks: string[] = [];
  const script = `
    import { dmarc } from "extras://dmarc"; import $raw from "m.txt"; import $key from "k.txt";
    $mail = MailMessage::String($raw);
    ${one.signer === undefined ? '' : `$mail->signDKIM("s1", "${one.signer}", $key); $mail = MailMessage::String($mail->toString());`}
    echo json_encode(dmarc($mail, "${one.sender === undefined ? '' : '192.0.2.1'}", "h.test", "${one.sender ?? ''}", ["rfc9989" => ${isWalk}]));`;
  const echoes = await run(
    script,
    { 'm.txt': `From: Ann <ann@${one.from}>\r\nSubject: x\r\n\r\nHello\r\n`, 'k.txt': pem },
    undefined,
    createLocalServices({
      network: {
        resolver: {
          ...resolver,
          query: (question, signal) => {
            const asked = /^_dmarc\.(.*)$/.exec(question.name)?.[1];
            if (asked !== undefined && !asks.includes(asked)) asks.push(asked);
            return resolver.query(question, signal);
          },
        },
        mailClient: undefined,
        backgroundRequests: undefined,
        submission: undefined,
      },
    }),
  );
  const result = JSON.parse(echoes.join('')) as Record<string, unknown>;
  return { gives: Object.fromEntries(Object.keys(one.gives).map((key) => [key, result[key] ?? null])), asks };
}

describe.each([
  ['RFC 7489', byList, false],
  ['RFC 9989', byWalk, true],
] as const)('%s', (_, cases, isWalk) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (__, one) => {
    const { gives, asks } = await judge(one, isWalk);
    expect(gives).toEqual(one.gives);
    if (one.asks !== undefined) expect(asks).toEqual(one.asks);
  });
});
