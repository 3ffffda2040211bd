import { describe, expect, test } from 'vitest';
import { noTls, type TlsWish } from '../../../../src/delivery/client/tls.js';
import type { MailDomain } from '../../../../src/delivery/deliverer.js';
import {
  type HostDecision,
  type HostQuestion,
  type MessageSecurity,
  ordinaryMessage,
  type Verification,
} from '../../../../src/delivery/security/demand.js';
import type { PolicyFinding, PolicySource } from '../../../../src/delivery/security/mta-sts/policies.js';
import { TransportSecurity } from '../../../../src/delivery/security/transport-security.js';
import { type SignedName, signedResolver } from '../../../support/signed-zone.js';

const DIGEST = 'ab'.repeat(32);
const EE = `3 1 1 ${DIGEST}`;
const TA = `2 1 1 ${DIGEST}`;
const UNUSABLE = `1 1 1 ${DIGEST}`;
const host: SignedName = { a: ['192.0.2.1'], secure: true };
const secureDomain: MailDomain = { name: 'b.test', isSecure: true };
const insecureDomain: MailDomain = { name: 'b.test', isSecure: false };

interface Case {
  readonly wish: Partial<TlsWish>;
  readonly tlsa?: SignedName | undefined;
  readonly mailDomain?: MailDomain | undefined;
  readonly message?: MessageSecurity;
  readonly policy?: PolicyFinding;
  readonly zone?: Readonly<Record<string, SignedName>>;
}

async function decide({ wish, tlsa, mailDomain, message, policy, zone }: Case) {
  const resolver = signedResolver(
    zone ?? { 'mx.test': host, ...(tlsa === undefined ? {} : { '_25._tcp.mx.test': tlsa }) },
  );
  const asked: string[] = [];
  const policies: PolicySource = {
    policyOf: async (domain) => {
      asked.push(domain);
      return policy ?? { kind: 'none' };
    },
  };
  const security = new TransportSecurity({ resolver: () => resolver, policies });
  const question: HostQuestion = {
    host: 'mx.test',
    port: 25,
    mailDomain,
    wish: { ...noTls, mode: 'optional', ...wish },
    message: message ?? ordinaryMessage,
  };
  return { decision: await security.decide(question), tlsaAsked: resolver.asked, domainsAsked: asked };
}

function shown(verification: Verification): string {
  if (verification.kind === 'dane') return `dane for ${verification.names.join(' ')}`;
  const { isTrusted, names } = verification;
  return `${isTrusted ? 'trusted' : 'any'}${names === undefined ? '' : ` for ${names.join(' ')}`}`;
}

/** A decision in one line. */
function inWords(decision: HostDecision): string {
  if (decision.kind === 'refused') {
    const { type, temporary, status, failure } = decision;
    return `refused: ${type} ${temporary ? 'temporary' : 'permanent'} ${status?.join('.') ?? ''} ${failure ?? ''}`.trim();
  }
  const { minimum, verify, fallsBack, unmet, needsRequireTls, trial } = decision.demand;
  return [
    minimum,
    ...verify.map(shown),
    ...(fallsBack ? ['falls back'] : []),
    ...(unmet.type === 'dane' ? ['dane'] : []),
    ...(unmet.temporary ? [] : [`permanent ${unmet.status?.join('.')}`]),
    ...(needsRequireTls === true ? ['REQUIRETLS'] : []),
    ...(trial === undefined
      ? []
      : [`trial: ${trial.verify.map(shown).join(', ')} ${trial.failure ?? ''}`.trim()]),
  ].join(', ');
}

describe('a mode by itself', () => {
  test.each<readonly [Partial<TlsWish>, string]>([
    [{ mode: 'disabled' }, 'none'],
    [{ mode: 'optional' }, 'opportunistic, falls back'],
    [{ mode: 'optional', verifiesHost: true }, 'opportunistic, falls back'],
    [{ mode: 'optional_verify' }, 'opportunistic, trusted'],
    [{ mode: 'optional_verify', verifyNames: ['*.a.test'] }, 'opportunistic, trusted for *.a.test'],
    [{ mode: 'require' }, 'required'],
    [{ mode: 'require', verifiesHost: true }, 'required, any for mx.test'],
    [{ mode: 'require_verify' }, 'required, trusted'],
    [{ mode: 'require_verify', verifiesHost: true }, 'required, trusted for mx.test'],
  ])('%o', async (wish, expected) => {
    const { decision, tlsaAsked, domainsAsked } = await decide({ wish, tlsa: { tlsa: [EE] } });
    expect([inWords(decision), tlsaAsked, domainsAsked]).toEqual([expected, [], []]);
  });

  test('is decided without waiting', () => {
    const security = new TransportSecurity({ resolver: () => undefined });
    const question = { host: 'mx.test', port: 25, wish: noTls, message: ordinaryMessage };
    expect(security.decide(question)).not.toBeInstanceOf(Promise);
  });
});

describe('RFC 7672 2.2: what TLSA records demand', () => {
  const lookups: readonly (readonly [string, SignedName | undefined])[] = [
    ['usable records', { tlsa: [EE], secure: true }],
    ['unusable records', { tlsa: [UNUSABLE], secure: true }],
    ['none, secure', undefined],
    ['none, insecure', { tlsa: [EE], secure: false }],
    ['look-up forged (SERVFAIL)', { tlsa: 'SERVFAIL' }],
    ['look-up unanswered', { tlsa: 'TRY_AGAIN' }],
  ];
  const dane = 'required, dane for mx.test, dane';
  const forged = 'refused: dane temporary  dnssec-invalid';
  const silent = 'refused: dane temporary';
  const required = 'refused: dane temporary  dane-required';
  const plain = 'opportunistic, falls back';
  const unusable = 'refused: dane temporary  tlsa-invalid';
  test.each<readonly [TlsWish['mode'], MailDomain | undefined, readonly string[]]>([
    ['dane', secureDomain, [dane, 'required, dane', plain, plain, forged, silent]],
    ['dane', undefined, [dane, 'required, dane', plain, plain, forged, silent]],
    ['dane', insecureDomain, [dane, 'required, dane', plain, plain, forged, silent]],
    ['dane_require', secureDomain, [dane, unusable, required, required, forged, silent]],
    ['dane_require', undefined, [dane, unusable, required, required, forged, silent]],
    ['dane_require', insecureDomain, [required, required, required, required, forged, silent]],
    ['dane_fallback_require', secureDomain, [dane, 'required, dane', 'required', 'required', forged, silent]],
    [
      'dane_fallback_require_verify',
      secureDomain,
      [dane, 'required, trusted, dane', 'required, trusted', 'required, trusted', forged, silent],
    ],
  ])('%s, MX answer %o', async (mode, mailDomain, expected) => {
    for (const [index, [name, tlsa]] of lookups.entries()) {
      const { decision } = await decide({ wish: { mode }, tlsa, mailDomain });
      expect(`${name}: ${inWords(decision)}`).toBe(`${name}: ${expected[index]}`);
    }
  });

  test('the host is asked for under its base domain (RFC 7672 8.1)', async () => {
    const zone = {
      'mx.test': { cname: 'real.test', secure: true },
      'real.test': host,
      '_25._tcp.real.test': { tlsa: [EE], secure: true },
    };
    const { decision } = await decide({ wish: { mode: 'dane' }, zone });
    expect(decision).toMatchObject({ demand: { serverName: 'real.test' } });
  });

  test('one usable record among others is enough, and all are told', async () => {
    const { decision } = await decide({
      wish: { mode: 'dane' },
      tlsa: { tlsa: [UNUSABLE, EE], secure: true },
    });
    expect(decision).toMatchObject({
      demand: {
        verify: [{ records: [{ usage: 3 }] }],
        tlsa: { kind: 'records', records: [{ usage: 1 }, { usage: 3 }] },
      },
    });
  });

  test.each<readonly [MailDomain | undefined, string]>([
    [undefined, 'dane for real.test mx.test'],
    [secureDomain, 'dane for real.test mx.test b.test'],
    [
      { name: 'b.test', canonicalName: 'hosted.test', isSecure: true },
      'dane for real.test mx.test b.test hosted.test',
    ],
    [{ name: 'b.test', canonicalName: 'forged.test', isSecure: false }, 'dane for real.test mx.test b.test'],
  ])(
    'a certificate under a trust anchor is for the host or the domain (RFC 7672 3.2.3): %o',
    async (mailDomain, expected) => {
      const zone = {
        'mx.test': { cname: 'real.test', secure: true },
        'real.test': host,
        '_25._tcp.real.test': { tlsa: [TA], secure: true },
      };
      const { decision } = await decide({ wish: { mode: 'dane' }, zone, mailDomain });
      expect(inWords(decision)).toBe(`required, ${expected}, dane`);
    },
  );
});

describe('RFC 8461: what a policy demands', () => {
  const enforce: PolicyFinding = {
    kind: 'policy',
    id: '1',
    policy: { mode: 'enforce', mx: ['*.test'], maxAgeSeconds: 60 },
  };
  const elsewhere: PolicyFinding = {
    kind: 'policy',
    id: '1',
    policy: { mode: 'enforce', mx: ['mx.other.test'], maxAgeSeconds: 60 },
  };
  const testing: PolicyFinding = { ...enforce, policy: { ...enforce.policy, mode: 'testing' } };
  const testingElsewhere: PolicyFinding = { ...elsewhere, policy: { ...elsewhere.policy, mode: 'testing' } };
  const none: PolicyFinding = { ...elsewhere, policy: { ...elsewhere.policy, mode: 'none' } };
  const notFetched: PolicyFinding = { kind: 'none', failure: 'sts-policy-fetch-error', message: 'm' };
  test.each<readonly [string, TlsWish['mode'], PolicyFinding, string]>([
    ['enforce', 'optional', enforce, 'required, trusted for mx.test'],
    [
      'enforce, stricter modes keep what they ask',
      'require_verify',
      enforce,
      'required, trusted for mx.test, trusted',
    ],
    ['enforce, host not listed', 'optional', elsewhere, 'refused: tls temporary  validation-failure'],
    ['testing is not enforced', 'optional', testing, 'opportunistic, falls back, trial: trusted for mx.test'],
    [
      'testing is not enforced, host not listed',
      'optional',
      testingElsewhere,
      'opportunistic, falls back, trial: trusted for mx.test validation-failure',
    ],
    ['none', 'optional', none, 'opportunistic, falls back'],
    ['no policy', 'require', { kind: 'none' }, 'required'],
    ['not fetched', 'optional', notFetched, 'opportunistic, falls back'],
    ['disabled by configuration', 'disabled', enforce, 'none'],
  ])('%s (mode %s)', async (_, mode, policy, expected) => {
    const { decision } = await decide({
      wish: { mode, usesMtaSts: true },
      policy,
      mailDomain: insecureDomain,
    });
    expect(inWords(decision)).toBe(expected);
  });

  test('it is not looked for unless that is switched on', async () => {
    const { decision, domainsAsked } = await decide({ wish: {}, policy: enforce });
    expect([inWords(decision), domainsAsked]).toEqual(['opportunistic, falls back', []]);
  });

  test("it is that of the recipient's domain, or of a host that was named (RFC 8461 3.4)", async () => {
    const wish = { usesMtaSts: true };
    expect((await decide({ wish, mailDomain: insecureDomain })).domainsAsked).toEqual(['b.test']);
    expect((await decide({ wish })).domainsAsked).toEqual(['mx.test']);
  });

  describe('beside DANE (RFC 8461 2)', () => {
    const wish = { mode: 'dane', usesMtaSts: true } as const;
    test.each<readonly [string, SignedName | undefined, PolicyFinding, string]>([
      ['TLSA records win over a policy', { tlsa: [EE] }, elsewhere, 'required, dane for mx.test, dane'],
      [
        'a policy does not excuse a look-up that failed',
        { tlsa: 'SERVFAIL' },
        enforce,
        'refused: dane temporary  dnssec-invalid',
      ],
      [
        'unusable records leave it to the policy',
        { tlsa: [UNUSABLE] },
        enforce,
        'required, trusted for mx.test',
      ],
      [
        'unusable records demand encryption where the policy does not',
        { tlsa: [UNUSABLE] },
        testing,
        'required, dane, trial: trusted for mx.test',
      ],
      [
        'without records the policy counts',
        undefined,
        elsewhere,
        'refused: tls temporary  validation-failure',
      ],
    ])('%s', async (_, tlsa, policy, expected) => {
      const { decision } = await decide({ wish, tlsa, policy, mailDomain: secureDomain });
      expect(inWords(decision)).toBe(expected);
    });
  });

  test('a host that is held to its name is asked for by it, on trial too (RFC 8461 7.1)', async () => {
    const nameFor = async (policy: PolicyFinding) => {
      const wish = { usesMtaSts: true, sni: 'other.test' };
      const { decision } = await decide({ wish, policy, mailDomain: insecureDomain });
      return decision.kind === 'demand' ? decision.demand.serverName : decision.kind;
    };
    expect(await nameFor(enforce)).toBe('mx.test');
    expect(await nameFor(testing)).toBe('mx.test');
    expect(await nameFor(none)).toBeUndefined();
  });

  test('public authorities are trusted for it, but not where the mode trusts the configured ones', async () => {
    const trusts = async (mode: TlsWish['mode']) => {
      const { decision } = await decide({ wish: { mode, usesMtaSts: true }, policy: enforce });
      return decision.kind === 'demand' && decision.demand.usesSystemCa === true;
    };
    expect([await trusts('optional'), await trusts('require_verify')]).toEqual([true, false]);
  });
});

describe('RFC 8689: what the message demands', () => {
  const requiring: MessageSecurity = { requiresTls: true, waivesTls: () => false };
  const waiving: MessageSecurity = { requiresTls: false, waivesTls: () => true };
  const enforce: PolicyFinding = {
    kind: 'policy',
    id: '1',
    policy: { mode: 'enforce', mx: ['mx.test'], maxAgeSeconds: 60 },
  };
  const elsewhere: PolicyFinding = {
    kind: 'policy',
    id: '1',
    policy: { mode: 'enforce', mx: ['a.test'], maxAgeSeconds: 60 },
  };
  const verified = 'required, trusted for mx.test, permanent 5.7.10, REQUIRETLS';
  const refused = 'refused: tls permanent 5.7.10';

  test.each<readonly [string, Case, string]>([
    ['a named host, by its certificate', { wish: {} }, verified],
    [
      'a named host with TLSA records, by them',
      { wish: {}, tlsa: { tlsa: [EE] } },
      'required, dane for mx.test, permanent 5.7.10, REQUIRETLS',
    ],
    ['a host of a secure MX answer, by its certificate', { wish: {}, mailDomain: secureDomain }, verified],
    [
      'a host of an insecure MX answer without a policy: none',
      { wish: {}, mailDomain: insecureDomain },
      refused,
    ],
    [
      'a host of an insecure MX answer, its TLSA records prove nothing',
      { wish: { mode: 'dane' }, mailDomain: insecureDomain, tlsa: { tlsa: [EE] } },
      refused,
    ],
    [
      'a host of an insecure MX answer with a policy',
      { wish: {}, mailDomain: insecureDomain, policy: enforce },
      verified,
    ],
    [
      'a host that is not in the policy',
      { wish: {}, mailDomain: insecureDomain, policy: elsewhere },
      refused,
    ],
    [
      'a policy that could not be fetched: later',
      {
        wish: {},
        mailDomain: insecureDomain,
        policy: { kind: 'none', failure: 'sts-policy-fetch-error', message: 'm' },
      },
      'refused: tls temporary  sts-policy-fetch-error',
    ],
    [
      'TLSA records that could not be looked up: later',
      { wish: {}, tlsa: { tlsa: 'SERVFAIL' } },
      'refused: dane temporary  dnssec-invalid',
    ],
    ['TLS switched off', { wish: { mode: 'disabled' } }, refused],
    ['dane_require without records', { wish: { mode: 'dane_require' } }, refused],
    [
      'what the mode asks for besides',
      { wish: { mode: 'require_verify', verifyNames: ['a.test'] } },
      'required, trusted for mx.test, trusted for a.test, permanent 5.7.10, REQUIRETLS',
    ],
  ])('REQUIRETLS: %s', async (_, given, expected) => {
    expect(inWords((await decide({ ...given, message: requiring })).decision)).toBe(expected);
  });

  test.each<readonly [TlsWish['mode'], string]>([
    ['dane', 'opportunistic, falls back'],
    ['dane_fallback_require', 'required'],
    ['dane_require', 'required, dane for mx.test, dane'],
    ['optional', 'opportunistic, falls back'],
    ['require_verify', 'required, trusted'],
  ])(
    "TLS-Required: No waives what the recipient's side publishes, not the mode %s",
    async (mode, expected) => {
      const { decision } = await decide({
        wish: { mode, usesMtaSts: true },
        tlsa: { tlsa: [EE] },
        policy: elsewhere,
        message: waiving,
      });
      expect(inWords(decision)).toBe(expected);
    },
  );
});
