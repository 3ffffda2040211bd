import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LARGEST_FILE_BYTES,
  matchesPolicy,
  parsePolicy,
  policyLines,
} from '../../../../../src/delivery/security/mta-sts/policy.js';
import { policyId } from '../../../../../src/delivery/security/mta-sts/record.js';
import { policyCases, recordCases } from '../../../../support/mta-sts-policies.js';

describe('a policy file', () => {
  test.each(policyCases)('$name', ({ text, means }) => {
    const policy = parsePolicy(text);
    if (!('problem' in means)) expect(policy).toEqual(means);
    else expect('problem' in policy && policy.problem).toMatch(means.problem);
  });

  test('is refused when it is too large, or names too many hosts', () => {
    expect(parsePolicy(`${'\n'.repeat(LARGEST_FILE_BYTES)}x`)).toEqual({
      problem: 'it is larger than 64 KiB',
    });
    const many = `version: STSv1\nmode: enforce\nmax_age: 1\n${'mx: a.test\n'.repeat(1001)}`;
    expect(parsePolicy(many)).toEqual({ problem: 'it names more than 1000 mx' });
  });

  test('names in U-labels are meant as their A-labels', () => {
    const text = Buffer.from(
      'version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.BÜCHER.test\nmx: *.straße.test\n',
    );
    expect(parsePolicy(text.toString('latin1'))).toMatchObject({
      mx: ['mx.xn--bcher-kva.test', '*.xn--strae-oqa.test'],
    });
  });

  test('says in its lines what it means', () => {
    fc.assert(
      fc.property(
        fc.record({
          mode: fc.constantFrom('enforce', 'testing'),
          mx: fc.array(fc.constantFrom('a.test', '*.a.test', 'mx-1.b.c.test'), {
            minLength: 1,
            maxLength: 5,
          }),
          maxAgeSeconds: fc.integer({ min: 0, max: 31_557_600 }),
        }),
        fc.constantFrom('\n', '\r\n'),
        (policy, end) => {
          expect(parsePolicy(policyLines({ ...policy, mode: policy.mode as 'enforce' }).join(end))).toEqual(
            policy,
          );
        },
      ),
    );
  });
});

describe("a host is one of the policy's (RFC 8461 4.1)", () => {
  test.each([
    ['mx.a.test', ['mx.a.test'], true],
    ['MX.a.test.', ['mx.a.test'], true],
    ['mx.a.test', ['*.a.test'], true],
    ['a.b.a.test', ['*.a.test'], false],
    ['a.test', ['*.a.test'], false],
    ['xa.test', ['*.a.test'], false],
    ['mx.b.test', ['mx.a.test', 'mx.b.test'], true],
    ['mx.c.test', ['mx.a.test', 'mx.b.test'], false],
  ])('%s, %j: %s', (host, mx, expected) => {
    expect(matchesPolicy(host, { mode: 'enforce', mx, maxAgeSeconds: 1 })).toBe(expected);
  });
});

describe('a TXT record', () => {
  test.each(recordCases)('%j: %s', (texts, id) => {
    expect(policyId(texts)).toBe(id);
  });
});
