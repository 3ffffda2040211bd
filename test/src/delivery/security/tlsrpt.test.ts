import { expect, test } from 'vitest';
import { type ReportedPolicy, TlsLedger } from '../../../../src/delivery/security/tlsrpt.js';
import { tlsReport } from '../../../../src/delivery/security/tlsrpt-report.js';

const policy: ReportedPolicy = {
  type: 'sts',
  domain: 'company-y.example',
  lines: ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example', 'max_age: 86400'],
  mxHosts: ['*.mail.company-y.example'],
};
const mx = { mxHost: 'mx1.mail.company-y.example', receivingIp: '2001:db8:abcd:13::1' };
const reporter = { organization: 'Company-X', contact: 'sts-reporting@company-x.example', reportId: 'r-1' };

test('a report is what RFC 8460 4.4 shows', () => {
  let nowMs = Date.UTC(2016, 3, 1);
  const ledger = new TlsLedger(() => nowMs);
  const expired = { failure: 'certificate-expired', ...mx, sendingIp: '2001:db8:abcd:12::1' } as const;
  for (let count = 0; count < 100; count++) ledger.record(policy, expired);
  for (let count = 0; count < 200; count++)
    ledger.record(policy, {
      failure: 'starttls-not-supported',
      mxHost: 'mx2.mail.company-y.example',
      reason: 'X-TEXT',
    });
  for (let count = 0; count < 5326; count++) ledger.record(policy, mx);
  ledger.record({ ...policy, domain: 'other.example' }, mx);
  nowMs += 86_399_000;
  expect(tlsReport(ledger.read(), 'company-y.example', reporter)).toEqual({
    'organization-name': 'Company-X',
    'date-range': { 'start-datetime': '2016-04-01T00:00:00Z', 'end-datetime': '2016-04-01T23:59:59Z' },
    'contact-info': 'sts-reporting@company-x.example',
    'report-id': 'r-1',
    policies: [
      {
        policy: {
          'policy-type': 'sts',
          'policy-string': policy.lines,
          'policy-domain': 'company-y.example',
          'mx-host': ['*.mail.company-y.example'],
        },
        summary: { 'total-successful-session-count': 5326, 'total-failure-session-count': 300 },
        'failure-details': [
          {
            'result-type': 'certificate-expired',
            'sending-mta-ip': '2001:db8:abcd:12::1',
            'receiving-mx-hostname': 'mx1.mail.company-y.example',
            'receiving-ip': '2001:db8:abcd:13::1',
            'failed-session-count': 100,
          },
          {
            'result-type': 'starttls-not-supported',
            'receiving-mx-hostname': 'mx2.mail.company-y.example',
            'failed-session-count': 200,
            'failure-reason-code': 'X-TEXT',
          },
        ],
      },
    ],
  });
});

test('nothing is told of a domain that nothing is known of', () => {
  expect(tlsReport(new TlsLedger().read(), 'a.test', reporter)).toBeUndefined();
});

test('a page that is taken is followed by an empty one', () => {
  let nowMs = 1000;
  const ledger = new TlsLedger(() => nowMs);
  ledger.record(policy, mx);
  nowMs = 2000;
  expect(ledger.take()).toMatchObject({ from: 1000, to: 2000, policies: [{ successes: 1, failures: 0 }] });
  expect(ledger.take()).toMatchObject({ from: 2000, policies: [] });
});

test('a policy that changed is counted apart', () => {
  const ledger = new TlsLedger();
  ledger.record(policy, mx);
  ledger.record({ ...policy, lines: [] }, mx);
  expect(ledger.read().policies.length).toBe(2);
});

test('ways to fail without end cost detail, not memory, and are counted', () => {
  const ledger = new TlsLedger();
  for (let count = 0; count < 1000; count++)
    ledger.record(policy, {
      failure: 'validation-failure',
      mxHost: `mx${count}.test`,
      reason: 'x'.repeat(10_000),
    });
  const [counted] = ledger.read().policies;
  const { failures, details } = counted!;
  expect([failures, details.length, details.at(-1)?.sessions, details[0]?.reason?.length]).toEqual([
    1000, 51, 950, 200,
  ]);
});

test('policies without end are told apart up to a number, and the rest is counted', () => {
  const ledger = new TlsLedger();
  for (let count = 0; count < 10_005; count++) ledger.record({ ...policy, domain: `${count}.test` }, mx);
  const { policies, uncounted } = ledger.read();
  expect([policies.length, uncounted]).toEqual([10_000, 5]);
});

test('details of all policies together are bounded, and a new page has room again', () => {
  const ledger = new TlsLedger();
  const flood = (domains: number) => {
    for (let count = 0; count < domains * 40; count++)
      ledger.record(
        { ...policy, domain: `${count % domains}.test` },
        { failure: 'validation-failure', mxHost: `mx${count}.test` },
      );
  };
  const detailsOf = ({ policies }: ReturnType<TlsLedger['read']>) =>
    policies.flatMap(({ details }) => details).filter(({ mxHost }) => mxHost !== '').length;
  flood(2000);
  const page = ledger.take();
  expect([detailsOf(page), page.policies.length]).toEqual([50_000, 2000]);
  expect(
    page.policies.every(({ failures, details }) => {
      return failures === 40 && details.reduce((sum, { sessions }) => sum + sessions, 0) === 40;
    }),
  ).toBe(true);
  flood(1);
  expect(detailsOf(ledger.take())).toBe(40);
});
