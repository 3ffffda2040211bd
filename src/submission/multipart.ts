// multipart/form-data (RFC 7578, RFC 2046 §5.1.1) as its bytes arrive: parts are told of, and their bytes handed on at once.
// Nothing is collected but what could be the beginning of a delimiter, and the header of a part, which has a limit.
//
//   preamble ──► delimiter ──► header ──► content ──► delimiter ... ──► epilogue
//
// A delimiter begins a line: CR LF, two hyphens, the boundary. What it costs is one Buffer.indexOf for each piece.

/** What the header of a part says. */
export interface PartHead {
  /** One character for each byte. */
  readonly name: string;
  /** Without parameters, in lower case; text/plain when absent (RFC 7578 §4.4). */
  readonly type: string;
  /** Of the transfer, in lower case; 7bit when absent. */
  readonly encoding: string;
}

/** Hears of the parts, in order. What it throws ends the reading. */
export interface PartListener {
  begin(head: PartHead): void;
  content(piece: Buffer): void;
  end(): void;
}

/** The form cannot be read; the message says what was found. */
export class MalformedForm extends Error {}

/** Header fields of one part; the real ones have some hundred bytes. */
const mostHeaderBytes = 8 * 1024;
const mostHeaderFields = 32;
/** Blanks between a delimiter and its line end. */
const mostPadding = 256;

const CRLF = '\r\n';
const CR = 13;
const HYPHEN = 45;
const headerEnd = Buffer.from('\r\n\r\n');

type Where = 'preamble' | 'delimiter' | 'header' | 'content' | 'epilogue';

export class MultipartReader {
  readonly #listener: PartListener;
  readonly #delimiter: Buffer;
  #where: Where = 'preamble';
  /** Bytes that cannot be judged yet. The first delimiter may begin the body: a line end is thought before it. */
  #kept: Buffer | undefined = Buffer.from(CRLF);

  constructor(boundary: string, listener: PartListener) {
    this.#listener = listener;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Takes the next bytes. @throws MalformedForm, and what the listener throws */
  feed(chunk: Buffer): void {
    let bytes: Buffer | undefined = this.#kept === undefined ? chunk : Buffer.concat([this.#kept, chunk]);
    this.#kept = undefined;
    while (bytes !== undefined && bytes.length > 0) bytes = this.#take(bytes);
  }

  /** No more bytes. @throws MalformedForm when the form is not whole */
  end(): void {
    if (this.#where !== 'epilogue') throw new MalformedForm('it ends before its last boundary');
  }

  /** @returns what is left to be taken; undefined when more must come first */
  #take(bytes: Buffer): Buffer | undefined {
    switch (this.#where) {
      case 'preamble':
      case 'content':
        return this.#takeContent(bytes);
      case 'delimiter':
        return this.#takeDelimiter(bytes);
      case 'header':
        return this.#takeHeader(bytes);
      case 'epilogue':
        return undefined;
    }
  }

  #takeContent(bytes: Buffer): Buffer | undefined {
    const isPart = this.#where === 'content';
    const at = bytes.indexOf(this.#delimiter);
    if (at !== -1) {
      if (isPart && at > 0) this.#listener.content(bytes.subarray(0, at));
      if (isPart) this.#listener.end();
      this.#where = 'delimiter';
      return bytes.subarray(at + this.#delimiter.length);
    }
    const open = this.#beginningOfDelimiter(bytes);
    if (isPart && open > 0) this.#listener.content(bytes.subarray(0, open));
    if (open < bytes.length) this.#kept = bytes.subarray(open);
    return undefined;
  }

  /** Where the end of the bytes may be the beginning of a delimiter; their length if it is none. */
  #beginningOfDelimiter(bytes: Buffer): number {
    const from = Math.max(0, bytes.length - this.#delimiter.length + 1);
    for (let at = bytes.indexOf(CR, from); at !== -1; at = bytes.indexOf(CR, at + 1))
      if (bytes.compare(this.#delimiter, 0, bytes.length - at, at) === 0) return at;
    return bytes.length;
  }

  /** What follows the boundary: hyphens end the form; else the line ends, perhaps behind blanks. */
  #takeDelimiter(bytes: Buffer): Buffer | undefined {
    if (bytes.length < 2) return this.#keep(bytes);
    if (bytes[0] === HYPHEN && bytes[1] === HYPHEN) {
      this.#where = 'epilogue';
      return undefined;
    }
    const lineEnd = bytes.indexOf(CRLF);
    const padding = bytes.toString('latin1', 0, lineEnd === -1 ? bytes.length : lineEnd);
    if (padding.length > mostPadding || !/^[ \t]*\r?$/.test(padding))
      throw new MalformedForm('something else than a line end follows a boundary');
    if (lineEnd === -1) return this.#keep(bytes);
    this.#where = 'header';
    // The line end stays: a part without any header field begins with an empty line.
    return bytes.subarray(lineEnd);
  }

  #takeHeader(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(headerEnd);
    if (end > mostHeaderBytes || (end === -1 && bytes.length > mostHeaderBytes + headerEnd.length))
      throw new MalformedForm(`the header of a part is larger than ${mostHeaderBytes} bytes`);
    if (end === -1) return this.#keep(bytes);
    this.#listener.begin(readHead(bytes.toString('latin1', 0, end)));
    this.#where = 'content';
    // An empty part is followed by its delimiter at once, which begins with this very line end.
    return bytes.subarray(end + CRLF.length * 2);
  }

  #keep(bytes: Buffer): undefined {
    this.#kept = bytes;
  }
}

/** Reads a header that begins with a line end and has none behind. @throws MalformedForm */
function readHead(text: string): PartHead {
  let name: string | undefined;
  let type = 'text/plain';
  let encoding = '7bit';
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split(CRLF);
  if (lines.length > mostHeaderFields + 1)
    throw new MalformedForm(`a part has more than ${mostHeaderFields} header fields`);
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase()) {
      case '':
        throw new MalformedForm('a line in the header of a part has no name');
      case 'content-disposition':
        name = readDispositionName(value);
        break;
      case 'content-type':
        type = value.split(';', 1)[0]!.trim().toLowerCase();
        break;
      case 'content-transfer-encoding':
        encoding = value.toLowerCase();
        break;
    }
  }
  if (name === undefined) throw new MalformedForm('a part has no Content-Disposition: form-data with a name');
  return { name, type, encoding };
}

/** `form-data; name="..."` (RFC 7578 §4.2); undefined when it is something else. @throws MalformedForm */
function readDispositionName(value: string): string | undefined {
  if (!/^form-data[ \t]*(?:;|$)/i.test(value)) return undefined;
  return readParameters(value.slice('form-data'.length)).get('name');
}

/** The boundary in a Content-Type; undefined when there is none that could be one (RFC 2046 §5.1.1). */
export function boundaryOf(contentType: string): string | undefined {
  try {
    const semicolon = contentType.indexOf(';');
    const boundary =
      semicolon === -1 ? undefined : readParameters(contentType.slice(semicolon)).get('boundary');
    return boundary !== undefined && /^[\x20-\x7e]{0,199}[\x21-\x7e]$/.test(boundary) ? boundary : undefined;
  } catch {
    return undefined;
  }
}

/** `;name=value` and `;name="value"`, as often as there are. @throws MalformedForm */
function readParameters(text: string): ReadonlyMap<string, string> {
  const parameter = /[ \t]*;[ \t]*(?:([^=;\s"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*)))?[ \t]*/y;
  const found = new Map<string, string>();
  while (parameter.lastIndex < text.length) {
    const match = parameter.exec(text);
    if (match === null) throw new MalformedForm('the parameters of a header field cannot be read');
    const [, name, quoted, bare = ''] = match;
    if (name !== undefined) found.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare);
  }
  return found;
}
