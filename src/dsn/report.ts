// The whole notification: multipart/report (RFC 6522) with a part for people, one for machines, and what is returned of the
// message. Every part is in the encoding that keeps it whole on any path: 7bit where that is enough, quoted-printable for text; 8bit
// is said where a part cannot be encoded.
//
// International mail (RFC 6533): a sender who was reached by SMTPUTF8, or has such an address, is told in UTF-8 where ASCII is not
// enough. Everybody else gets escapes.

import {
  addressWithName,
  encodeBody,
  encodeField,
  fits,
  isAscii,
  mailboxToText,
  parseHeaderSection,
  rawField,
  traitsOf,
  unfold,
} from '#stdlib';
import type { Notice } from '../queue/notices.js';
import { dateText } from './date-text.js';
import { isUtf8Text } from './field-text.js';
import type { Original } from './original.js';
import { type Returned, readablePart, subjects } from './readable-part.js';
import { headerAddress } from './report-addresses.js';
import { hasInternationalStatus, type ReportSurroundings, statusPart } from './status-part.js';

/** A finished notification. */
export interface Report {
  readonly bytes: Buffer;
  /** It cannot be sent without SMTPUTF8: its own header needs it. */
  readonly needsSmtpUtf8: boolean;
}

/** A part: whole header fields, and its body. */
interface Part {
  readonly type: string;
  readonly encoding: '7bit' | '8bit' | 'quoted-printable';
  readonly body: Buffer;
}

/** Whether the whole message is to be returned: RET counts for failures only (RFC 3461 §4.3). */
export function wantsWholeMessage({ plan, message }: Pick<Notice, 'plan' | 'message'>): boolean {
  const { originalMessage, originalHeaders } = plan.options;
  if (originalMessage !== undefined) return originalMessage;
  return originalHeaders !== false && plan.kind === 'failed' && message.dsn.ret === 'FULL';
}

/** Puts the notification together. `boundary` must be one that nobody could guess. */
export function composeReport(
  notice: Notice,
  original: Original,
  surroundings: ReportSurroundings,
  boundary: string,
): Report {
  const { plan } = notice;
  const allowsUtf8 = takesUtf8(notice);
  const isGlobal = allowsUtf8 && hasInternationalStatus(notice);
  const returned = returnedOf(notice, original);
  const readable =
    plan.options.readablePart === undefined
      ? written(textPart('text/plain; charset=utf-8', readablePart(notice, surroundings, returned)))
      : ownPart(plan.options.readablePart);
  const statusType = isGlobal ? 'global-delivery-status' : 'delivery-status';
  const status = written({
    type: `message/${statusType}`,
    encoding: isGlobal ? '8bit' : '7bit',
    body: Buffer.from(statusPart(notice, surroundings, isGlobal), 'latin1'),
  });
  const parts = [readable, status, ...originalPart(original, returned, allowsUtf8)];
  const delimiter = Buffer.from(`\r\n--${boundary}\r\n`, 'latin1');
  const body = Buffer.concat([
    ...parts.flatMap((part) => [delimiter, part]),
    Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'),
  ]);
  const header = headerOf(
    notice,
    original,
    surroundings,
    statusType,
    boundary,
    !isAscii(body.toString('latin1')),
  );
  // The first delimiter's line end is the empty line behind the header.
  return { bytes: Buffer.concat([header, body]), needsSmtpUtf8: !isAscii(header.toString('latin1')) };
}

/** Whoever sent by SMTPUTF8 can be told so; whoever has an address in UTF-8 can be reached in no other way. */
function takesUtf8({ message, plan }: Notice): boolean {
  if (plan.isForPostmaster === true) return isUtf8Text(mailboxToText(plan.recipient));
  return (
    message.sender.params?.['SMTPUTF8'] !== undefined ||
    isUtf8Text(mailboxToText(message.sender)) ||
    isUtf8Text(mailboxToText(plan.recipient))
  );
}

function returnedOf(notice: Notice, original: Original): Returned {
  const wantsWhole = wantsWholeMessage(notice);
  if (wantsWhole && original.whole !== undefined) return 'message';
  if (original.header.length === 0) return 'nothing';
  if (wantsWhole) return 'header-instead';
  return notice.plan.options.originalHeaders === false ? 'nothing' : 'header';
}

function headerOf(
  { id, plan, transport }: Notice,
  { messageId, references }: Original,
  { hostname, now }: ReportSurroundings,
  statusType: string,
  boundary: string,
  isEightBit: boolean,
): Buffer {
  const { options } = plan;
  const from = options.from ??
    transport?.dsnFrom?.address ?? { localPart: 'MAILER-DAEMON', domain: hostname };
  const fromName = options.fromName ?? transport?.dsnFrom?.name ?? 'Mail Delivery System';
  const subject = options.subject ?? transport?.dsnSubject ?? subjects[plan.kind];
  const own = new Map<string, Buffer>();
  const put = (name: string, field: Buffer) => own.set(name.toLowerCase(), field);
  put('From', encodeField('From', addressWithName(fromName, headerAddress(from))));
  put('To', encodeField('To', addressWithName('', headerAddress(plan.recipient))));
  put('Subject', encodeField('Subject', `${options.subjectPrepend ?? ''}${subject}`));
  put('Date', rawField('Date', dateText(now)));
  put('Message-ID', rawField('Message-ID', `<${id.transaction}.${id.number}@${hostname}>`));
  if (messageId !== undefined) {
    put('In-Reply-To', rawField('In-Reply-To', messageId));
    put('References', encodeField('References', [...references, messageId].join(' ')));
  }
  put('Auto-Submitted', rawField('Auto-Submitted', 'auto-replied'));
  const extra: Buffer[] = [];
  const replaced = new Set<string>();
  for (const { name, value } of options.headers ?? []) {
    const key = name.toLowerCase();
    const field = encodeField(name, value);
    // The first one takes the place of ours, any more of that name come after.
    if (own.has(key) && !replaced.has(key)) {
      own.set(key, field);
      replaced.add(key);
    } else extra.push(field);
  }
  return Buffer.concat([
    ...own.values(),
    ...extra,
    Buffer.from(
      'MIME-Version: 1.0\r\n' +
        `Content-Type: multipart/report; report-type=${statusType};\r\n\tboundary="${boundary}"\r\n` +
        (isEightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : ''),
      'latin1',
    ),
  ]);
}

function written({ type, encoding, body }: Part): Buffer {
  const header = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  return Buffer.concat([Buffer.from(header, 'latin1'), body]);
}

/** A part of text. */
function textPart(type: string, text: string): Part {
  const body = Buffer.from(text, 'latin1');
  const traits = traitsOf(body);
  if (fits(traits, '7bit', true)) return { type, encoding: '7bit', body };
  return { type, encoding: 'quoted-printable', body: encodeBody(body, 'quoted-printable', true) };
}

/** A script's part, already checked (hooks/dsn-options.ts). One that has 8-bit bytes and does not say so is made right. */
function ownPart(part: string): Buffer {
  const bytes = encodeBody(Buffer.from(part, 'latin1'), '8bit', true);
  const { fields, end: emptyLine } = parseHeaderSection(bytes);
  const body = bytes.subarray(emptyLine + '\r\n'.length);
  const firstOf = (name: string) =>
    fields
      .filter((field) => field.name === name)
      .map((field) => unfold(bytes.toString('latin1', field.valueStart, field.end)))[0] ?? '';
  const said = firstOf('content-transfer-encoding');
  if (traitsOf(body).eightBit === 0 || !/^(?:7bit)?$/i.test(said)) return bytes;
  // What has parts of its own is not encoded (RFC 2045 §6.4).
  const isWhole = /^(?:multipart|message)\//i.test(firstOf('content-type'));
  const encoding = isWhole ? '8bit' : 'quoted-printable';
  return Buffer.concat([
    ...fields
      .filter(({ name }) => name !== 'content-transfer-encoding')
      .map(({ start, end }) => bytes.subarray(start, end)),
    Buffer.from(`Content-Transfer-Encoding: ${encoding}\r\n\r\n`, 'latin1'),
    isWhole ? body : encodeBody(body, 'quoted-printable', true),
  ]);
}

function originalPart({ header, whole }: Original, returned: Returned, allowsUtf8: boolean): Buffer[] {
  if (returned === 'nothing') return [];
  const isInternational = allowsUtf8 && isUtf8Text(header.toString('latin1'));
  if (returned === 'message' && whole !== undefined) {
    return [
      written({
        type: isInternational ? 'message/global' : 'message/rfc822',
        encoding: traitsOf(whole).eightBit > 0 ? '8bit' : '7bit',
        body: whole,
      }),
    ];
  }
  const part = textPart(
    isInternational ? 'message/global-headers' : 'text/rfc822-headers',
    header.toString('latin1'),
  );
  // RFC 6533 §4.3: as 8-bit where that can be.
  if (isInternational && fits(traitsOf(header), '8bit', true))
    return [written({ ...part, encoding: '8bit', body: header })];
  return [written(part)];
}
