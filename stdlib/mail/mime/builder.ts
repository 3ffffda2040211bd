// A message made by a script, part by part. Nothing a script hands in can end a field or a part early: field values are
// encoded or kept in their lines, bodies are encoded or searched for delimiters before they are put together.

import { type CallContext, ScriptFault } from '#lang';
import { type ContentField, parameterOf, parseContentField } from './content-field.js';
import { hasDelimiterLine } from './delimiter-lines.js';
import type { MailDocument } from './document.js';
import { encodeField } from './header-text.js';
import { DEEPEST_LEVEL, MOST_PARTS } from './structure.js';
import {
  chooseEncoding,
  encodeBody,
  namedEncoding,
  type TransferEncoding,
  traitsOf,
} from './transfer-encoding.js';

const CRLF = Buffer.from('\r\n');
const TOKEN = "[!#$%&'*+\\-.^_`{|}~0-9A-Za-z]+";
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}$`);
/** RFC 2046 §5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** What signs a finished message: it adds fields to the document. Run by toString() and queue(), in order. */
export type MessageSigner = (document: MailDocument, ctx: CallContext) => void | Promise<void>;

/** What building needs of the host. */
export interface BuildSources {
  /** A boundary that nobody can guess. */
  newBoundary(): string;
}

/** A part as bytes: whole fields, and what follows the empty line. */
export interface BuiltPart {
  readonly header: Buffer;
  readonly body: readonly Buffer[];
}

interface OwnField {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A message, or a part of one, in the making. */
export class MessageBuilder {
  body: Buffer = Buffer.alloc(0);
  readonly signers: MessageSigner[] = [];
  readonly #fields: OwnField[] = [];
  readonly #parts: MessageBuilder[] = [];
  #type = 'text/plain';
  #boundary: string | undefined;
  /** Drawn once, so that the same message has the same bytes each time. */
  #ownBoundary: string | undefined;
  #fileName: string | undefined;
  #disposition: string | undefined;
  #date: Buffer | undefined;

  /** Adds a complete field below those added before. */
  addField(name: string, bytes: Buffer): void {
    this.#fields.push({ name: name.toLowerCase(), bytes });
  }

  /** @throws ScriptFault */
  setType(type: string): void {
    if (!MEDIA_TYPE.test(checkedValue('setType', type).value))
      throw new ScriptFault(`setType: "${type}" is no media type; expected one like "text/html"`);
    this.#type = type;
  }

  /** @throws ScriptFault */
  setBoundary(boundary: string): void {
    if (!BOUNDARY.test(boundary))
      throw new ScriptFault(
        `setBoundary: "${boundary}" is no boundary; expected 1 to 70 letters, digits or '()+_,-./:=? not ending in a blank`,
      );
    this.#boundary = boundary;
  }

  /** @throws ScriptFault */
  setDisposition(disposition: string): void {
    if (!new RegExp(`^${TOKEN}$`).test(checkedValue('setDisposition', disposition).value))
      throw new ScriptFault(
        `setDisposition: "${disposition}" is no disposition; expected one like "attachment" or "inline"`,
      );
    this.#disposition = disposition;
  }

  setFileName(name: string): void {
    this.#fileName = name;
  }

  /** A complete Date field; used unless one was added. */
  setDate(field: Buffer): void {
    this.#date = field;
  }

  /** @throws ScriptFault when the part is this one, or holds it */
  appendPart(part: MessageBuilder): void {
    if (part.#holds(this, new Set()))
      throw new ScriptFault('appendPart: the part holds the message that it would become a part of');
    this.#parts.push(part);
  }

  /** The finished part; a whole message says its MIME version. @throws ScriptFault */
  build(sources: BuildSources, isMessage: boolean): BuiltPart {
    return this.#build(sources, isMessage, 0, { parts: 0 });
  }

  #build(sources: BuildSources, isMessage: boolean, level: number, counter: { parts: number }): BuiltPart {
    if (level > DEEPEST_LEVEL) throw new ScriptFault(`the message nests deeper than ${DEEPEST_LEVEL} levels`);
    if (++counter.parts > MOST_PARTS) throw new ScriptFault(`the message has more than ${MOST_PARTS} parts`);
    const header = this.#fields.map(({ bytes }) => bytes);
    if (isMessage) {
      if (this.#date !== undefined && this.#own('date') === undefined) header.push(this.#date);
      if (this.#own('mime-version') === undefined) header.push(Buffer.from('MIME-Version: 1.0\r\n'));
    }
    const given = this.#own('content-type');
    const type = parseContentField(given === undefined ? this.#type : fieldValue(given));
    const isMultipart = type.value.startsWith('multipart/');
    if (this.#parts.length > 0 && !isMultipart)
      throw new ScriptFault(
        `the message has parts, but its type is "${type.value}"; call setType("multipart/mixed") or another multipart`,
      );
    // A multipart that the script wrote by itself is left as it is.
    if (isMultipart && (this.#parts.length > 0 || given === undefined)) {
      const boundary = this.#multipartBoundary(sources, type, given, header);
      this.#addDisposition(header);
      const parts = this.#parts.map((part) => part.#build(sources, false, level + 1, counter));
      return { header: Buffer.concat(header), body: this.#joined(boundary, parts, isMessage) };
    }
    if (given === undefined) header.push(encodeField('Content-Type', withCharset(this.#type, type)));
    const body = this.#leafBody(type.value, isMultipart, header);
    this.#addDisposition(header);
    return { header: Buffer.concat(header), body: [body] };
  }

  /** The boundary, said in the header. */
  #multipartBoundary(
    sources: BuildSources,
    type: ContentField,
    given: Buffer | undefined,
    header: Buffer[],
  ): string {
    const said = parameterOf(type, 'boundary');
    if (said !== undefined && said !== '') {
      if (given === undefined) header.push(encodeField('Content-Type', this.#type));
      return said;
    }
    this.#ownBoundary ??= sources.newBoundary();
    const boundary = this.#boundary ?? this.#ownBoundary;
    const parameter = Buffer.from(`;\r\n\tboundary="${boundary}"\r\n`, 'latin1');
    if (given === undefined) {
      const field = encodeField('Content-Type', this.#type);
      header.push(Buffer.concat([field.subarray(0, -2), parameter]));
    } else {
      header[header.indexOf(given)] = Buffer.concat([given.subarray(0, -2), parameter]);
    }
    return boundary;
  }

  #leafBody(type: string, isMultipart: boolean, header: Buffer[]): Buffer {
    const given = this.#own('content-transfer-encoding');
    const isText = type.startsWith('text/');
    if (given !== undefined) {
      const encoding = namedEncoding(parseContentField(fieldValue(given)).value);
      return encodeBody(this.body, encoding === 'binary' ? 'binary' : '8bit', isText);
    }
    const traits = traitsOf(this.body);
    let encoding: TransferEncoding;
    // What holds messages or parts is not encoded (RFC 2046 §5.2.1, RFC 2045 §6.4).
    if (isMultipart || type.startsWith('message/')) encoding = traits.eightBit > 0 ? '8bit' : '7bit';
    else if (!isText) encoding = 'base64';
    else encoding = chooseEncoding(traits, true) === 'base64' ? 'base64' : 'quoted-printable';
    header.push(encodeField('Content-Transfer-Encoding', encoding));
    return encodeBody(this.body, encoding, isText);
  }

  #addDisposition(header: Buffer[]): void {
    if (this.#own('content-disposition') !== undefined) return;
    if (this.#disposition === undefined && this.#fileName === undefined) return;
    const field = encodeField('Content-Disposition', this.#disposition ?? 'attachment');
    const name = this.#fileName === undefined ? '' : parameterText('filename', this.#fileName);
    header.push(Buffer.concat([field.subarray(0, -2), Buffer.from(name, 'latin1'), CRLF]));
  }

  #joined(boundary: string, parts: readonly BuiltPart[], isMessage: boolean): readonly Buffer[] {
    const delimiter = Buffer.from(`--${boundary}\r\n`, 'latin1');
    const preamble = encodeBody(this.body, '8bit', true);
    const out: Buffer[] = [];
    const put = (bytes: Buffer) => {
      if (hasDelimiterLine(bytes, [boundary]))
        throw new ScriptFault(
          `a part has a line that begins with "--${boundary}", the boundary of the message`,
        );
      out.push(bytes);
    };
    if (preamble.length > 0) {
      put(preamble);
      out.push(CRLF);
    }
    // One part is the least a multipart has (RFC 2046 §5.1.1).
    const present = parts.length > 0 ? parts : [{ header: Buffer.alloc(0), body: [] }];
    for (const { header, body } of present) {
      out.push(delimiter, header, CRLF);
      put(body.length === 1 ? body[0]! : Buffer.concat(body));
      out.push(CRLF);
    }
    out.push(Buffer.from(`--${boundary}--${isMessage ? '\r\n' : ''}`, 'latin1'));
    return out;
  }

  #own(name: string): Buffer | undefined {
    return this.#fields.find((field) => field.name === name)?.bytes;
  }

  #holds(wanted: MessageBuilder, seen: Set<MessageBuilder>): boolean {
    if (this === wanted) return true;
    if (seen.has(this)) return false;
    seen.add(this);
    return this.#parts.some((part) => part.#holds(wanted, seen));
  }
}

function fieldValue(field: Buffer): string {
  return field.toString('latin1', field.indexOf(0x3a) + 1);
}

function checkedValue(called: string, value: string): ContentField {
  if (/[\x00-\x1f\x7f]/.test(value))
    throw new ScriptFault(`${called}: the value has a control character; expected one line of text`);
  return parseContentField(value);
}

function withCharset(given: string, type: ContentField): string {
  const needsCharset = type.value.startsWith('text/') && !type.parameters.has('charset');
  return needsCharset ? `${given}; charset=utf-8` : given;
}

/** A parameter on lines of its own: quoted when it is plain ASCII, else as RFC 2231 has it, in sections when long. */
export function parameterText(name: string, value: string): string {
  const sectionLength = 60;
  if (/^[\x20-\x7e]*$/.test(value) && value.length <= sectionLength)
    return `;\r\n\t${name}="${value.replace(/["\\]/g, '\\$&')}"`;
  const encoded = value.replace(
    /[^!#$&+\-.^_`{}~0-9A-Za-z]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  if (encoded.length <= sectionLength) return `;\r\n\t${name}*=utf-8''${encoded}`;
  const sections = encoded.match(/(?:%..|[^%]){1,20}/g) ?? [];
  return sections
    .map((section, index) => `;\r\n\t${name}*${index}*=${index === 0 ? "utf-8''" : ''}${section}`)
    .join('');
}
