import { writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import PostalMime from 'postal-mime';
import { expect, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import { mailboxToText } from '#stdlib';
import type { QueuedMessage } from '../../../src/spool/spool.js';
import { composed, type NoticeChanges } from '../../support/notice-samples.js';
import { runProgram, skipReason } from '../../support/peers.js';
import { type ReadReport, readReport } from '../../support/report-reader.js';
import { scratchFolder } from '../../support/scratch-folder.js';

// Notifications of whatever comes, judged by four readers that share no code with their writer: the strict one of our tests,
// mailparser, postal-mime and Python's email package.

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const isAscii = (text: string) => !/[\x80-\xff]/.test(text);

/** What peers, senders and scripts may write. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r\n', '\n', '\r', '\r\n\r\n', '--=_', '--', ' ', '\t', ';', '<', '>', '"', ','),
      fc.constantFrom(
        '\x00',
        '\x1b[31m',
        'X-A: b',
        '=?utf-8?Q?=',
        '=',
        '\\',
        '(',
        ')',
        '550 5.1.1',
        ':',
        '@',
      ),
      fc.string({ maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 10 }).map(utf8),
      fc.uint8Array({ maxLength: 10 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom('y'.repeat(1200), 'word '.repeat(300), utf8('ü'.repeat(700))),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => pieces.join(''));
const asciiLocalPart = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/),
  fc.stringMatching(/^[\x20-\x7e]{1,64}$/),
);
const localPart = fc.oneof(
  { weight: 3, arbitrary: asciiLocalPart },
  { weight: 1, arbitrary: fc.constantFrom('grün', '用户', 'Ö"x y', 'ü'.repeat(30)).map(utf8) },
);
const domain = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('to.test', 'a-b.example', '[192.0.2.1]', '[IPv6:2001:db8::1]', ''),
  },
  { weight: 1, arbitrary: fc.constantFrom('bücher.test', '例え.テスト').map(utf8) },
);
const address = fc.record({ localPart, domain });
const asciiAddress = fc.record({
  localPart: asciiLocalPart,
  domain: fc.constantFrom('from.test', 'x.example'),
});
/** As readHeaders() of hooks/dsn-options.ts lets them through. */
const headerLine = fc.oneof(
  fc.record({
    name: fc.constantFrom('X-One', 'Foo', 'Comments', 'Subject', 'Auto-Submitted', 'x-two'),
    value: text.map((one) => one.replace(/[\r\n\x00]+/g, ' ').trim()),
  }),
  fc.record({
    name: fc.constantFrom('From', 'Reply-To'),
    value: fc.constantFrom('post@x.example', utf8('"Post, für alle" <post@x.example>'), 'a@b.test, c@d.test'),
  }),
);

const report = fc.oneof(
  fc.record({
    result: fc.record(
      {
        code: fc.constantFrom(250, 421, 450, 451, 550, 552, 554),
        reason: fc.array(text, { maxLength: 3 }),
        state: fc.constantFrom('BANNER', 'EHLO', 'AUTH-PLAIN', 'MAIL', 'RCPT', 'DATA', 'EOD'),
        enhanced: fc.constantFrom<readonly [number, number, number]>([5, 1, 1], [4, 999, 999], [2, 0, 0]),
      },
      { requiredKeys: ['code', 'reason', 'state'] },
    ),
    connection: fc.record({
      remoteMx: fc.oneof(
        fc.constantFrom('mx.to.test', '192.0.2.25', '2001:db8::25'),
        text.map((one) => `mx${one}`),
      ),
      remoteIp: fc.constantFrom('192.0.2.25', '2001:db8::25'),
    }),
  }),
  fc.record({ error: fc.record({ temporary: fc.boolean(), message: text, type: fc.constant('network') }) }),
  fc.constant(undefined),
);

const original = fc.oneof(
  text,
  fc
    .record({ subject: text, id: text, references: text, body: text })
    .map(({ subject, id, references, body }) =>
      [`Message-ID: ${id}`, `References: ${references}`, `Subject: ${subject}`, '', body].join('\r\n'),
    ),
);

const sample = fc.record({
  sender: fc.oneof(asciiAddress, address),
  isInternational: fc.boolean(),
  recipient: address,
  dsn: fc.record(
    { envid: text, orcpt: text, ret: fc.constantFrom('FULL', 'HDRS', '') },
    { requiredKeys: [] },
  ),
  kind: fc.constantFrom('failed', 'delayed', 'relayed', 'delivered'),
  options: fc.record(
    {
      recipient: asciiAddress,
      from: fc.oneof(asciiAddress, address),
      fromName: text,
      subject: text,
      subjectPrepend: text,
      reason: text,
      headers: fc.uniqueArray(headerLine, { maxLength: 4, selector: ({ name }) => name.toLowerCase() }),
      readablePart: fc.constantFrom(
        'Content-Type: text/html; charset=utf-8\r\n\r\n<b>late</b>\r\n',
        utf8('Content-Type: text/plain; charset=utf-8\n\nzu spät'),
        utf8('\r\nzu spät\r\n'),
      ),
      originalHeaders: fc.boolean(),
      originalMessage: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  isExpired: fc.boolean(),
  retriesUntil: fc.constantFrom(undefined, 1_800_090_000),
  report,
  original,
});
type Sample = typeof sample extends fc.Arbitrary<infer One> ? One : never;

function changesOf(one: Sample): NoticeChanges {
  const { options, kind, retriesUntil, isExpired } = one;
  return {
    message: {
      sender: { ...one.sender, ...(one.isInternational && { params: { SMTPUTF8: '' } }) },
      recipient: one.recipient,
      dsn: one.dsn as QueuedMessage['dsn'],
    },
    plan: {
      kind,
      options,
      recipient: options.recipient ?? one.sender,
      ...(kind === 'delayed' && retriesUntil !== undefined && { retriesUntil }),
    },
    report: (one.report && { ...one.report, durationSeconds: 0 }) as AttemptReport,
    isExpired,
  };
}

interface Judged {
  readonly one: Sample;
  readonly bytes: Buffer;
  readonly read: ReadReport;
}

/** Five hundred of them, the same each time. */
async function samples(): Promise<Judged[]> {
  const judged: Judged[] = [];
  await fc.assert(
    fc.asyncProperty(sample, async (one) => {
      const { bytes, needsSmtpUtf8 } = await composed(changesOf(one), one.original);
      const read = readReport(bytes);
      const header = bytes.subarray(0, bytes.indexOf('\r\n\r\n')).toString('latin1');
      expect(needsSmtpUtf8).toBe(!isAscii(header));
      const { recipient, kind } = one;
      const to = mailboxToText(recipient);
      const finalRecipient = read.status[1]!.get('final-recipient')!;
      const isGlobal = read.fields.get('content-type')!.includes('global');
      expect(read.status[1]!.get('action')).toBe(kind);
      expect(finalRecipient.startsWith(isAscii(to) ? 'rfc822; ' : 'utf-8; ')).toBe(true);
      expect(isGlobal || isAscii(read.parts[1]!.body)).toBe(true);
      expect(finalRecipient.slice(finalRecipient.indexOf(' ') + 1)).toBe(
        isAscii(to) || isGlobal ? to : escaped(to),
      );
      judged.push({ one, bytes, read });
    }),
    { numRuns: 500, seed: 3464, endOnFailure: true },
  );
  return judged;
}

/** The 7-bit form of RFC 6533 §3, written down once more. */
function escaped(bytes: string): string {
  return [...Buffer.from(bytes, 'latin1').toString('utf8')]
    .map((one) =>
      /[^\x21-\x7e]|[+=\\]/.test(one)
        ? `\\x{${one.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}}`
        : one,
    )
    .join('');
}

const own = [
  'from to subject date message-id in-reply-to references auto-submitted mime-version content-type',
  'content-transfer-encoding',
].flatMap((names) => names.split(' '));

test('whatever is told of, four readers find the same report in it', async () => {
  const all = await samples();
  const folder = scratchFolder();
  for (const [index, { one, bytes, read }] of all.entries()) {
    writeFileSync(path.join(folder, `${String(index).padStart(4, '0')}.eml`), bytes);
    const names = new Set([...own, ...(one.options.headers ?? []).map(({ name }) => name.toLowerCase())]);
    const parsed = await simpleParser(bytes, { skipHtmlToText: true, skipTextToHtml: true });
    expect([...parsed.headers.keys()].filter((name) => !names.has(name))).toEqual([]);
    expect(parsed.messageId).toBe('<00000000-0000-4000-8000-0000000001f4.1@mta.test>');
    const postal = await PostalMime.parse(bytes, { forceRfc822Attachments: true });
    expect(postal.headers.map(({ key }) => key).filter((name) => !names.has(name))).toEqual([]);
    const types = postal.attachments.map(({ mimeType }) => mimeType);
    expect(types).toEqual(read.parts.slice(1).map(({ fields }) => fields.get('content-type')));
    if (isAscii(mailboxToText(one.sender)) && one.options.recipient !== undefined)
      expect(parsed.to).toMatchObject({ value: [{ address: expect.stringContaining('@') }] });
  }

  if (skipReason('python3') !== undefined) return;
  const { code, stdout, stderr } = await runProgram('python3', ['-c', reader, folder]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(
    all.map(({ read }) => [
      read.fields.get('content-type')!.includes('global')
        ? 'message/global-delivery-status'
        : 'message/delivery-status',
      read.parts.length,
      read.fields.get('content-type')!.includes('global') ? 0 : 2,
      [],
    ]),
  );
}, 120_000);

/** What Python makes of each file: type of the part for machines, parts, groups in it, and everything it finds wrong. */
const reader = `
import email, email.policy, json, os, sys
found = []
for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), 'rb') as file:
        report = email.message_from_bytes(file.read(), policy=email.policy.compat32)
    parts = report.get_payload()
    status = parts[1]
    groups = status.get_payload() if status.get_content_type() == 'message/delivery-status' else []
    defects = [type(one).__name__ for part in report.walk() for one in part.defects if part is report or part in parts or part in groups]
    found.append([status.get_content_type(), len(parts), len([one for one in groups if len(one)]), defects])
print(json.dumps(found))
`;
