import { expect, test } from 'vitest';
import { run } from '../../support/run-script.js';

// RFC 5965 appendix B.2, shortened.
const report = [
  'From: Abuse Desk <abusedesk@example.com>',
  'Date: Thu, 8 Mar 2005 17:40:36 EDT',
  'Subject: FW: Earn money',
  'To: <abuse@example.net>, other@example.net',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=feedback-report;',
  '     boundary="part1_13d.2e68ed54_boundary"',
  '',
  '--part1_13d.2e68ed54_boundary',
  'Content-Type: text/plain; charset="US-ASCII"',
  '',
  'This is an email abuse report.',
  '',
  '--part1_13d.2e68ed54_boundary',
  'Content-Type: message/feedback-report',
  '',
  'Feedback-Type: abuse',
  'User-Agent: SomeGenerator/1.0',
  'Version: 1',
  'Authentication-Results: mail.example.com',
  '               smtp.mail=somespammer@example.com;',
  '               spf=fail',
  'Reported-URI: http://example.net/earn_money.html',
  'Reported-URI: mailto:user@example.com',
  '',
  '--part1_13d.2e68ed54_boundary',
  'Content-Type: message/rfc822',
  'Content-Disposition: inline',
  '',
  'From: <somespammer@example.net>',
  'Subject: Earn money',
  '',
  'Spam Spam Spam',
  '',
  '--part1_13d.2e68ed54_boundary--',
  '',
].join('\r\n');

const parse = (mail: string, script: string) =>
  run(
    `import { arf_parse } from "extras://arf"; import $raw from "mail.txt"; $mail = MailMessage::String($raw); ${script}`,
    { 'mail.txt': mail },
  );

test('a report is read field by field', async () => {
  const [echoed] = await parse(report, 'echo json_encode(arf_parse($mail));');
  expect(JSON.parse(echoed!)).toEqual({
    date: 'Thu, 8 Mar 2005 17:40:36 EDT',
    from: 'abusedesk@example.com',
    to: ['abuse@example.net', 'other@example.net'],
    subject: 'FW: Earn money',
    feedback_report: {
      'feedback-type': ['abuse'],
      'user-agent': ['SomeGenerator/1.0'],
      version: ['1'],
      'authentication-results': [
        'mail.example.com               smtp.mail=somespammer@example.com;               spf=fail',
      ],
      'reported-uri': ['http://example.net/earn_money.html', 'mailto:user@example.com'],
    },
  });
});

test('the reported message comes along when it is asked for', async () => {
  expect(
    await parse(
      report,
      `$report = arf_parse($mail, ["original_message" => true, "original_headers" => true]);
       echo $report["original_message"]; echo $report["original_headers"];`,
    ),
  ).toEqual([
    'From: <somespammer@example.net>\r\nSubject: Earn money\r\n\r\nSpam Spam Spam\r\n',
    'From: <somespammer@example.net>\r\nSubject: Earn money',
  ]);
});

test.each([
  'Subject: x\r\n\r\nhello\r\n',
  report.replace('multipart/report', 'multipart/mixed'),
  report.replace('message/feedback-report', 'text/plain'),
  report.replace('Feedback-Type: abuse', 'X: y'),
])('what is no report gives none', async (mail) => {
  expect(await parse(mail, 'echo arf_parse($mail);')).toEqual(['none']);
});
