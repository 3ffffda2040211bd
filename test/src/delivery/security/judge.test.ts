import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificatesInPem } from '#stdlib';
import { noTls } from '../../../../src/delivery/client/tls.js';
import type { TlsDemand, Trial, Verification } from '../../../../src/delivery/security/demand.js';
import { judgeSession } from '../../../../src/delivery/security/judge.js';
import { demandOfMode } from '../../../../src/delivery/security/modes.js';
import { createAuthority, type TestCertificate } from '../../../support/test-certificates.js';

let folder: string;
let named: TestCertificate;
let common: TestCertificate;
let wild: TestCertificate;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-judge-'));
  const authority = createAuthority(folder);
  named = authority.issue('named', ['DNS:mx.a.test', 'IP:192.0.2.1']);
  common = authority.issue('mx.a.test', []);
  wild = authority.issue('wild', ['DNS:*.a.test']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function judged(
  verify: readonly Verification[],
  certificate: TestCertificate | undefined,
  chainProblem?: string,
  trial?: Trial,
) {
  const demand: TlsDemand = {
    ...demandOfMode('require', { ...noTls, mode: 'require' }, 'mx.a.test'),
    verify,
    trial,
  };
  const chain = certificate === undefined ? [] : certificatesInPem(certificate.cert)!;
  const judgement = await judgeSession(demand, { chain, chainProblem }, 'mx.a.test', Date.now() / 1000);
  return judgement.kind === 'met' ? `met ${judgement.trial ?? ''}`.trim() : judgement.failure;
}

const trusted = (names?: readonly string[]): Verification => ({
  kind: 'certificate',
  isTrusted: true,
  names,
});

describe('a certificate', () => {
  test('that nobody asks about is good enough', async () => {
    expect(await judged([], undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT')).toBe('met');
  });

  test.each<readonly [string | undefined, string]>([
    [undefined, 'met'],
    ['CERT_HAS_EXPIRED', 'certificate-expired'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate-not-trusted'],
  ])('that must be trusted: OpenSSL says %s', async (problem, expected) => {
    expect(await judged([trusted()], named, problem)).toBe(expected);
  });

  test.each<readonly [readonly string[], string]>([
    [['mx.a.test'], 'met'],
    [['other.test', 'mx.a.test'], 'met'],
    [['*.a.test'], 'met'],
    [['192.0.2.1'], 'met'],
    [['[192.0.2.1]'], 'met'],
    [['192.0.2.2'], 'certificate-host-mismatch'],
    [['mx.b.test'], 'certificate-host-mismatch'],
    [[], 'certificate-host-mismatch'],
  ])('for one of %j', async (names, expected) => {
    expect(await judged([trusted(names)], named)).toBe(expected);
  });

  test('that was not shown is for nobody', async () => {
    expect(await judged([trusted(['mx.a.test'])], undefined)).toBe('certificate-host-mismatch');
  });

  test('has a name in its common name only where that counts (RFC 8461 4.1)', async () => {
    const strict: Verification = {
      kind: 'certificate',
      isTrusted: true,
      names: ['mx.a.test'],
      ignoresCommonName: true,
    };
    expect([
      await judged([trusted(['mx.a.test'])], common),
      await judged([strict], common),
      await judged([strict], named),
      await judged([strict], wild),
    ]).toEqual(['met', 'certificate-host-mismatch', 'met', 'met']);
  });

  test('must meet every condition', async () => {
    expect(await judged([trusted(), trusted(['mx.b.test'])], named)).toBe('certificate-host-mismatch');
  });
});

describe('a policy on trial', () => {
  test.each<readonly [string, Trial, string | undefined, string]>([
    ['that holds is not mentioned', { verify: [trusted(['mx.a.test'])] }, undefined, 'met'],
    [
      'that fails changes nothing',
      { verify: [trusted(['mx.b.test'])] },
      undefined,
      'met certificate-host-mismatch',
    ],
    [
      'that the host is not in changes nothing',
      { verify: [trusted(['mx.a.test'])], failure: 'validation-failure' },
      undefined,
      'met validation-failure',
    ],
    [
      'without a trusted certificate changes nothing',
      { verify: [trusted(['mx.a.test'])] },
      'CERT_HAS_EXPIRED',
      'met certificate-expired',
    ],
  ])('%s', async (_, trial, problem, expected) => {
    expect(await judged([], named, problem, trial)).toBe(expected);
  });
});
