// One message as three parsers see it: ours, mailparser, postal-mime. Each view is what all can say: the header fields of
// the message, and its attachments (here: the leaves that say so) with type, file name and decoded content.

import { simpleParser } from 'mailparser';
import PostalMime from 'postal-mime';
import { MailDocument, type MimePart } from '#stdlib';
import { parseContentField } from '../../stdlib/mail/mime/content-field.js';
import { bytesToSource } from '../../stdlib/mail/mime/document.js';

export interface LeafView {
  readonly type: string;
  readonly fileName: string;
  /** Bytes, one character each. */
  readonly content: string;
}

export interface MessageView {
  /** `name: value`, unfolded, name in lower case, 8-bit bytes as they are. */
  readonly fields: readonly string[];
  readonly leaves: readonly LeafView[];
}

export async function ourView(bytes: Buffer): Promise<MessageView> {
  const document = new MailDocument(bytesToSource(bytes));
  await document.loadParts();
  const { root } = document;
  const fields = root.header.fields
    .filter(({ name }) => name !== '')
    .map(({ name, valueStart, end }) => field(name, root.headerRange(valueStart, end).toString('latin1')));
  const leaves = [root, ...root.descendants()].filter(isAttachment).map(
    (part): LeafView => ({
      type: part.type ?? '',
      fileName: part.fileName ?? '',
      content: (part.body(true) as Buffer).toString('latin1'),
    }),
  );
  return { fields, leaves };
}

/** As the others have it: what says so, and what is neither plain text nor HTML. */
function isAttachment(part: MimePart): boolean {
  const type = part.field('Content-Type', 0, { wholeField: false, decode: false });
  if (part.isMultipart || (type !== undefined && parseContentField(type).value.startsWith('multipart/')))
    return false;
  const disposition = part.field('Content-Disposition', 0, { wholeField: false, decode: false });
  // RFC 2183 §2.8: an unknown one is like an attachment.
  const value = disposition === undefined ? '' : parseContentField(disposition).value;
  if (value !== '' && value !== 'inline') return true;
  return part.type !== 'text/plain' && part.type !== 'text/html';
}

export async function mailparserView(bytes: Buffer): Promise<MessageView> {
  const parsed = await simpleParser(bytes, {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    skipTextLinks: true,
  });
  const fields = parsed.headerLines.map(({ key, line }) => field(key, line.slice(line.indexOf(':') + 1)));
  const leaves = parsed.attachments.map(
    ({ contentType, filename, content }): LeafView => ({
      type: contentType,
      fileName: utf8(filename ?? ''),
      content: content.toString('latin1'),
    }),
  );
  return { fields, leaves };
}

export async function postalView(bytes: Buffer): Promise<MessageView> {
  const parsed = await new PostalMime({ maxNestingDepth: 1000 }).parse(bytes);
  const fields = parsed.headers.map(({ key, value }) => field(key, utf8(value)));
  const leaves = parsed.attachments.map(
    ({ mimeType, filename, content }): LeafView => ({
      type: mimeType,
      fileName: utf8(filename ?? ''),
      content: Buffer.from(content as ArrayBuffer).toString('latin1'),
    }),
  );
  return { fields, leaves };
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function field(name: string, value: string): string {
  return `${name.toLowerCase()}: ${value
    .replace(/[\r\n]/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()}`;
}
