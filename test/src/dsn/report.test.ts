import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import {
  composed,
  composedAndRead,
  type NoticeChanges,
  originalText,
  queuedMessage,
} from '../../support/notice-samples.js';
import { contentOf } from '../../support/report-reader.js';

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

function replied(changes: Partial<NonNullable<AttemptReport['result']>>): AttemptReport {
  return { result: { code: 550, reason: ['no'], state: 'RCPT', ...changes }, durationSeconds: 0 };
}

describe('a notification of a failure', () => {
  test('looks like this', async () => {
    const { bytes, needsSmtpUtf8 } = await composed({
      message: { dsn: { envid: 'E 1', orcpt: 'rfc822;R1@to.test' } },
    });
    expect(needsSmtpUtf8).toBe(false);
    expect(bytes.toString('latin1').split('\r\n')).toEqual([
      'From: Mail Delivery System <MAILER-DAEMON@mta.test>',
      'To: sender@from.test',
      'Subject: Mail could not be delivered',
      'Date: Fri, 15 Jan 2027 08:01:40 +0000',
      'Message-ID: <00000000-0000-4000-8000-0000000001f4.1@mta.test>',
      'In-Reply-To: <first@from.test>',
      'References: <first@from.test>',
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status;',
      '\tboundary="=_boundary"',
      '',
      '--=_boundary',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 7bit',
      '',
      'This is the mail system of mta.test.',
      '',
      'Your message could not be delivered to',
      '',
      '    r1@to.test',
      '',
      'The server mx.to.test (192.0.2.25) answered, in reply to the RCPT TO',
      'command:',
      '',
      '    550 5.1.1 no such user',
      '',
      'It will not be tried again.',
      '',
      'The header of the message follows.',
      '',
      '--=_boundary',
      'Content-Type: message/delivery-status',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Original-Envelope-Id: E 1',
      'Reporting-MTA: dns; mta.test',
      'Arrival-Date: Fri, 15 Jan 2027 08:00:00 +0000',
      '',
      'Original-Recipient: rfc822; R1@to.test',
      'Final-Recipient: rfc822; r1@to.test',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.to.test',
      'Diagnostic-Code: smtp; 550 5.1.1 no such user',
      'Last-Attempt-Date: Fri, 15 Jan 2027 08:01:40 +0000',
      '',
      '--=_boundary',
      'Content-Type: text/rfc822-headers',
      'Content-Transfer-Encoding: 7bit',
      '',
      'From: a@from.test',
      'Message-ID: <first@from.test>',
      'Subject: Hello',
      '',
      '--=_boundary--',
      '',
    ]);
  });

  test('is read by others as it is meant', async () => {
    const { bytes } = await composed({ message: { dsn: { ret: 'FULL' } } });
    const parsed = await simpleParser(bytes, { skipHtmlToText: true });
    expect(parsed.headers.get('auto-submitted')).toBe('auto-replied');
    expect(parsed.inReplyTo).toBe('<first@from.test>');
    expect(parsed.text).toContain('550 5.1.1 no such user');
    const postal = await PostalMime.parse(bytes, { forceRfc822Attachments: true });
    expect(postal.from).toEqual({ name: 'Mail Delivery System', address: 'MAILER-DAEMON@mta.test' });
    expect(postal.text).toContain('could not be delivered');
    expect(postal.attachments.map(({ mimeType }) => mimeType)).toEqual([
      'message/delivery-status',
      'message/rfc822',
    ]);
    expect(Buffer.from(postal.attachments[1]!.content as ArrayBuffer).toString('latin1')).toContain(
      'Its body',
    );
  });

  test('says when the time was over', async () => {
    const { parts } = await composedAndRead({ isExpired: true, report: replied({ code: 451 }) });
    expect(contentOf(parts[0]!)).toMatch(
      /until its time was over; the last time the other server\s+answered/,
    );
  });
});

test.each([
  ['BANNER', 'the connection'],
  ['EHLO', 'the EHLO command'],
  ['LHLO', 'the LHLO command'],
  ['STARTTLS', 'the STARTTLS command'],
  ['AUTH-LOGIN-USER', 'the AUTH command'],
  ['MAIL', 'the MAIL FROM command'],
  ['RCPT', 'the RCPT TO command'],
  ['DATA', 'the DATA command'],
  ['EOD', 'the end of the message'],
])('a reply in the state %s was in reply to %s', async (state, command) => {
  const { parts } = await composedAndRead({ report: replied({ state }) });
  expect(contentOf(parts[0]!).replaceAll('\r\n', ' ')).toContain(`answered, in reply to ${command}: `);
});

describe('its kinds', () => {
  test.each([
    ['delayed', '4.1.1', 'has not been delivered yet'],
    ['relayed', '2.0.0', 'was handed on'],
    ['delivered', '2.0.0', 'was delivered to'],
  ] as const)('%s has its words and a status of its class', async (kind, status, words) => {
    const report =
      kind === 'delayed' ? replied({}) : replied({ code: 250, enhanced: [2, 0, 0], state: 'EOD' });
    const read = await composedAndRead({
      plan: { kind, ...(kind === 'delayed' && { retriesUntil: 1_800_086_400 }) },
      report,
    });
    expect(read.status[1]!.get('action')).toBe(kind);
    expect(read.status[1]!.get('status')).toBe(status);
    expect(read.status[1]!.get('will-retry-until')).toBe(
      kind === 'delayed' ? 'Sat, 16 Jan 2027 08:00:00 +0000' : undefined,
    );
    expect(contentOf(read.parts[0]!).replaceAll('\r\n', ' ')).toContain(words);
  });

  test('a message that ended without an attempt has no date of one', async () => {
    const diagnostic = {
      diagnosticType: 'x-error',
      diagnosticCode: 'not wanted',
      status: [5, 0, 0],
    } as const;
    const { status, parts } = await composedAndRead({ report: undefined as never, diagnostic });
    expect(Object.fromEntries(status[1]!)).toEqual({
      'final-recipient': 'rfc822; r1@to.test',
      action: 'failed',
      status: '5.0.0',
      'diagnostic-code': 'x-error; not wanted',
    });
    expect(contentOf(parts[0]!)).toContain('The reason is:\r\n\r\n    not wanted\r\n');
  });

  test('a double bounce says whose it is not', async () => {
    const { fields, parts } = await composedAndRead({
      message: { sender: { localPart: '', domain: '' } },
      plan: { recipient: { localPart: 'postmaster', domain: 'mta.test' }, isForPostmaster: true },
    });
    expect(fields.get('to')).toBe('postmaster@mta.test');
    expect(contentOf(parts[0]!)).toContain('that has no sender to be told');
  });
});

describe('what is returned', () => {
  const returned = async (changes: NoticeChanges, bytes: Buffer | string = originalText) => {
    const { parts } = await composedAndRead(changes, bytes);
    const part = parts[2];
    return part === undefined ? undefined : [part.fields.get('content-type'), contentOf(part)];
  };
  const header = originalText.slice(0, originalText.indexOf('\r\n\r\n') + 2);

  test.each<[string, NoticeChanges, readonly string[] | undefined]>([
    ['nothing is asked for', {}, ['text/rfc822-headers', header]],
    ['RET is HDRS', { message: { dsn: { ret: 'HDRS' } } }, ['text/rfc822-headers', header]],
    ['RET is FULL', { message: { dsn: { ret: 'FULL' } } }, ['message/rfc822', originalText]],
    [
      'RET is FULL of a delay',
      { message: { dsn: { ret: 'FULL' } }, plan: { kind: 'delayed' } },
      ['text/rfc822-headers', header],
    ],
    [
      'the script wants all',
      { plan: { options: { originalMessage: true } } },
      ['message/rfc822', originalText],
    ],
    [
      'the script does not want all',
      { message: { dsn: { ret: 'FULL' } }, plan: { options: { originalMessage: false } } },
      ['text/rfc822-headers', header],
    ],
    ['the script wants no header', { plan: { options: { originalHeaders: false } } }, undefined],
    [
      'the script wants no header, whatever RET says',
      { message: { dsn: { ret: 'FULL' } }, plan: { options: { originalHeaders: false } } },
      undefined,
    ],
    [
      'the script wants no header but all',
      { plan: { options: { originalHeaders: false, originalMessage: true } } },
      ['message/rfc822', originalText],
    ],
  ])('when %s', async (_, changes, expected) => {
    expect(await returned(changes)).toEqual(expected);
  });

  test.each([
    ['is longer than a megabyte', `${originalText}${'x'.repeat(70)}\r\n`.repeat(9000)],
    ['has lines that no mail may have', `${originalText}${'x'.repeat(2000)}\r\n`],
    ['has a NUL in it', `${originalText}\x00`],
    ['has a lone CR in it', `${originalText}a\rb`],
  ])('is the header alone of a message that %s', async (_, bytes) => {
    const { parts } = await composedAndRead({ message: { dsn: { ret: 'FULL' } } }, bytes);
    expect(parts[2]!.fields.get('content-type')).toBe('text/rfc822-headers');
    expect(contentOf(parts[2]!)).toBe(header);
    expect(contentOf(parts[0]!)).toContain('too long to be returned, or cannot be sent as it is');
  });

  test('is bounded: of an endless header only the first fields', async () => {
    const line = `X-Long: ${'y'.repeat(600)}\r\n`;
    const [, content] = (await returned({}, line.repeat(3000)))!;
    expect(content!.length).toBeLessThan(140_000);
    expect(content!.replaceAll(line, '')).toBe('');
  });

  test('has line ends of mail, whatever the message has', async () => {
    expect(await returned({}, 'Subject: x\nTo: y\n\nbody')).toEqual([
      'text/rfc822-headers',
      'Subject: x\r\nTo: y\r\n',
    ]);
    expect(await returned({}, 'Subject: only a header')).toEqual([
      'text/rfc822-headers',
      'Subject: only a header\r\n',
    ]);
    expect(await returned({}, '\r\nonly a body')).toBeUndefined();
  });

  test('raw 8-bit bytes of a header survive', async () => {
    expect(await returned({}, 'Subject: gr\xfcn\r\n\r\n')).toEqual([
      'text/rfc822-headers',
      'Subject: gr\xfcn\r\n',
    ]);
    const full = 'Subject: gr\xfcn\r\n\r\n\xe4\r\n';
    expect(await returned({ message: { dsn: { ret: 'FULL' } } }, full)).toEqual(['message/rfc822', full]);
  });
});

describe('the thread', () => {
  test.each([
    ['<a@b.test>', '<a@b.test>'],
    ['<<a@b.test>>', '<a@b.test>'],
    ['a@b.test', '<a@b.test>'],
    ['  <a@b.test> (comment)', '<a@b.test>'],
    ['<>', undefined],
    ['', undefined],
    ['<a b@c.test>', undefined],
    ['<\xe4@b.test>', undefined],
  ])('Message-ID %j is answered as %j', async (messageId, answer) => {
    const { fields } = await composedAndRead({}, `Message-ID: ${messageId}\r\n\r\n`);
    expect(fields.get('in-reply-to')).toBe(answer);
    expect(fields.get('references')).toBe(answer);
  });

  test('references go on, and do not grow for ever', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `<r${i}@x.test>`);
    const original = `Message-ID: <last@x.test>\r\nReferences: ${ids.join('\r\n ')}\r\n\r\n`;
    const references = (await composedAndRead({}, original)).fields.get('references')!.split(' ');
    expect(references[0]).toBe('<r0@x.test>');
    expect(references.slice(-2)).toEqual(['<r49@x.test>', '<last@x.test>']);
    expect(references).toHaveLength(21);
  });
});

describe('international mail', () => {
  const smtpUtf8 = { ...queuedMessage.sender, params: { SMTPUTF8: '' } };
  const recipient = { localPart: utf8('grün'), domain: utf8('bücher.test') };
  const international = `Subject: ${utf8('größer')}\r\n\r\n${utf8('ä')}\r\n`;

  test('is told of in UTF-8 to whom sent it by SMTPUTF8', async () => {
    const changes: NoticeChanges = {
      message: { sender: smtpUtf8, recipient, dsn: { orcpt: 'utf-8;gr\\x{FC}n@b\\x{FC}cher.test' } },
      report: replied({ reason: [utf8('unbekannt: grün')] }),
    };
    const { needsSmtpUtf8 } = await composed(changes, international);
    expect(needsSmtpUtf8).toBe(false);
    const { status, parts, fields } = await composedAndRead(changes, international);
    expect(fields.get('content-type')).toContain('report-type=global-delivery-status');
    expect(status[1]!.get('final-recipient')).toBe(utf8('utf-8; grün@bücher.test'));
    expect(status[1]!.get('original-recipient')).toBe(utf8('utf-8; grün@bücher.test'));
    expect(status[1]!.get('diagnostic-code')).toBe(utf8('smtp; 550 unbekannt: grün'));
    expect(parts[2]!.fields.get('content-type')).toBe('message/global-headers');
    expect(parts[2]!.fields.get('content-transfer-encoding')).toBe('8bit');
    const full = await composedAndRead(
      { ...changes, plan: { options: { originalMessage: true } } },
      international,
    );
    expect(full.parts[2]!.fields.get('content-type')).toBe('message/global');
  });

  test('is told of in ASCII to everybody else', async () => {
    const { status, parts, fields } = await composedAndRead(
      { message: { recipient }, report: replied({ reason: [utf8('grün')] }) },
      international,
    );
    expect(fields.get('content-type')).toContain('report-type=delivery-status');
    expect(status[1]!.get('final-recipient')).toBe('utf-8; gr\\x{FC}n@b\\x{FC}cher.test');
    expect(status[1]!.get('diagnostic-code')).toBe('smtp; 550 gr\\xC3\\xBCn');
    expect(parts[2]!.fields.get('content-type')).toBe('text/rfc822-headers');
    expect(contentOf(parts[0]!)).toContain(utf8('grün@bücher.test'));
  });

  test('an ASCII address stays one, also for whom sent by SMTPUTF8', async () => {
    const { status, fields } = await composedAndRead({ message: { sender: smtpUtf8 } });
    expect(fields.get('content-type')).toContain('report-type=delivery-status');
    expect(status[1]!.get('final-recipient')).toBe('rfc822; r1@to.test');
  });

  test('needs SMTPUTF8 itself only for an address in its own header', async () => {
    const { needsSmtpUtf8, bytes } = await composed({ message: { sender: { ...recipient } } });
    expect(needsSmtpUtf8).toBe(true);
    expect(bytes.toString('utf8')).toContain('\r\nTo: grün@bücher.test\r\n');
  });
});

test('a domain beyond ASCII does not make a notification need SMTPUTF8: its header has the A-labels', async () => {
  const sender = { localPart: 'me', domain: utf8('bücher.test') };
  const from = { localPart: 'post', domain: utf8('例え.テスト') };
  const { needsSmtpUtf8 } = await composed({ message: { sender }, plan: { options: { from } } });
  expect(needsSmtpUtf8).toBe(false);
  const { fields } = await composedAndRead({ message: { sender }, plan: { options: { from } } });
  expect(fields.get('to')).toBe('me@xn--bcher-kva.test');
  expect(fields.get('from')).toBe('Mail Delivery System <post@xn--r8jz45g.xn--zckzah>');
});

describe('what a script asks for', () => {
  test('takes the place of what is said by default', async () => {
    const { fields, parts } = await composedAndRead({
      plan: {
        recipient: { localPart: 'other', domain: 'x.test' },
        options: {
          from: { localPart: 'post', domain: 'x.test' },
          fromName: utf8('Bücherpost'),
          subject: utf8('Schade'),
          subjectPrepend: 'Not in time: ',
          reason: 'We are sorry.',
          headers: [
            { name: 'Foo', value: 'Bar' },
            { name: 'date', value: 'Fri, 15 Jan 2027 09:00:00 +0100' },
            { name: 'X-Umlaut', value: utf8('ä') },
          ],
        },
      },
    });
    expect(fields.get('to')).toBe('other@x.test');
    expect(fields.get('from')).toMatch(/^=\?utf-8\?Q\?B=C3=BCcherpost\?= <post@x.test>$/i);
    expect(fields.get('subject')).toBe('Not in time: Schade');
    expect(fields.get('foo')).toBe('Bar');
    expect(fields.get('date')).toBe('Fri, 15 Jan 2027 09:00:00 +0100');
    expect(fields.get('x-umlaut')).toMatch(/^=\?utf-8/i);
    expect(contentOf(parts[0]!)).toContain('We are sorry.\r\n');
  });

  test('the transport says it when the script does not', async () => {
    const transport = {
      dsnFrom: { address: { localPart: 'post', domain: 'y.test' }, name: 'Post' },
      dsnSubject: 'Returned',
    };
    const { fields } = await composedAndRead({ transport });
    expect([fields.get('from'), fields.get('subject')]).toEqual(['Post <post@y.test>', 'Returned']);
    const { fields: own } = await composedAndRead({
      transport,
      plan: { options: { fromName: 'Me', subject: 'S' } },
    });
    expect([own.get('from'), own.get('subject')]).toEqual(['Me <post@y.test>', 'S']);
  });

  test('a part of its own comes first, as it is', async () => {
    const part = `Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<em>${utf8('zu spät')}</em>\n`;
    const { parts, fields } = await composedAndRead({ plan: { options: { readablePart: part } } });
    expect(parts[0]!.fields.get('content-type')).toBe('text/html; charset=utf-8');
    expect(parts[0]!.body).toBe(`<em>${utf8('zu spät')}</em>\r\n`);
    expect(fields.get('content-transfer-encoding')).toBe('8bit');
  });
});

test.each([
  ['Content-Type: text/plain; charset=utf-8\r\n\r\n', 'quoted-printable', 'zu sp=C3=A4t\r\n'],
  ['content-transfer-encoding: 7BIT\nX-A: b\n\n', 'quoted-printable', 'zu sp=C3=A4t\r\n'],
  ['\r\n', 'quoted-printable', 'zu sp=C3=A4t\r\n'],
  ['Content-Type: multipart/mixed; boundary=b\r\n\r\n', '8bit', utf8('zu spät\r\n')],
  ['Content-Transfer-Encoding: base64\r\n\r\n', 'base64', utf8('zu spät\r\n')],
])(
  'a part of a script with 8-bit bytes that says nothing of them is made right: %j',
  async (header, encoding, body) => {
    const readablePart = `${header}${encoding === 'base64' ? 'enUgc3DDpHQ=' : utf8('zu spät')}\r\n`;
    const { parts } = await composedAndRead({ plan: { options: { readablePart } } });
    expect(parts[0]!.fields.get('content-transfer-encoding')).toBe(encoding);
    if (encoding !== 'base64') expect(parts[0]!.body).toBe(body);
  },
);

test('blanks of a quoted local part are all there', async () => {
  const recipient = { localPart: 'a  b   c', domain: 'to.test' };
  const plain = await composed({ message: { recipient, dsn: { orcpt: 'rfc822;"x  y"@to.test' } } });
  expect(plain.bytes.toString('latin1')).toContain('\r\nFinal-Recipient: rfc822; "a  b   c"@to.test\r\n');
  expect(plain.bytes.toString('latin1')).toContain('\r\nOriginal-Recipient: rfc822; "x  y"@to.test\r\n');
  const { status } = await composedAndRead({
    message: { recipient: { localPart: utf8('ü  b'), domain: 'to.test' } },
  });
  expect(status[1]!.get('final-recipient')).toBe('utf-8; "\\x{FC}\\x{20}\\x{20}b"@to.test');
});

test('blanks without end in an address are one', async () => {
  const blanks = ' '.repeat(3000);
  const orcpt = `rfc822;${`${'x'.repeat(900)}${' '.repeat(63)}`.repeat(3)}"x${blanks}y"@to.test`;
  const { status } = await composedAndRead({
    message: { recipient: { localPart: `a${blanks}b`, domain: 'to.test' }, dsn: { orcpt } },
  });
  expect(status[1]!.get('final-recipient')).toBe('rfc822; "a b"@to.test');
});

describe('hostile texts', () => {
  test.each<[string, string, string]>([
    ['line ends', 'no\r\nAction: delivered\r\n\r\nFrom: x', '550 no Action: delivered From: x'],
    ['NULs and escapes', 'a\x00b\x1b[31mc\x7f', '550 a b [31mc'],
    ['bytes of no charset', '\xff\xfe', '550 \\xFF\\xFE'],
  ])('%s stay in their field', async (_, reason, shown) => {
    const { status } = await composedAndRead({ report: replied({ reason: [reason] }) });
    expect(status[1]!.get('diagnostic-code')).toBe(`smtp; ${shown}`);
  });

  test('a megabyte is cut, with and without blanks', async () => {
    for (const reason of ['x'.repeat(1 << 20), 'word '.repeat(1 << 18), utf8('ü').repeat(1 << 19)]) {
      const { status, parts } = await composedAndRead({ report: replied({ reason: [reason] }) });
      expect(status[1]!.get('diagnostic-code')!.length).toBeLessThan(9000);
      expect(parts[0]!.body.length).toBeLessThan(9000);
    }
  });

  test('an envelope id or ORCPT of blanks is left out', async () => {
    const { status } = await composedAndRead({ message: { dsn: { envid: '\r\n ', orcpt: '\x00' } } });
    expect(status[0]!.has('original-envelope-id')).toBe(false);
    expect(status[1]!.has('original-recipient')).toBe(false);
  });

  test('nothing that is put in makes a report that is against the rules', async () => {
    const text = fc
      .array(
        fc.oneof(
          fc.constantFrom('\r\n', '\n', '\r', '\r\n\r\n', '--', ' ', '\t', ';', '<', '\x00', 'X-A: b'),
          fc.string({ unit: 'binary', maxLength: 40 }).map(utf8),
          fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
          fc.constant('y'.repeat(1200)),
        ),
        { maxLength: 12 },
      )
      .map((pieces) => pieces.join(''));
    const localPart = text.map((one) => one.replace(/[\x00-\x1f\x7f]/g, '').slice(0, 200) || 'x');
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          reason: text,
          envid: text,
          orcpt: text,
          header: text,
          localPart,
          subject: text,
          isInternational: fc.boolean(),
          kind: fc.constantFrom('failed', 'delayed', 'relayed', 'delivered'),
        }),
        async ({ reason, envid, orcpt, header, localPart: local, subject, isInternational, kind }) => {
          const { status } = await composedAndRead(
            {
              message: {
                recipient: { localPart: local, domain: 'to.test' },
                dsn: { envid, orcpt, ret: 'FULL' },
                ...(isInternational && { sender: { ...queuedMessage.sender, params: { SMTPUTF8: '' } } }),
              },
              plan: { kind, options: { subject, reason } },
              report: replied({ reason: [reason] }),
            },
            `${header}\r\n\r\nbody`,
          );
          expect(status[1]!.get('action')).toBe(kind);
        },
      ),
      { numRuns: 300, seed: 4711 },
    );
  });
});
