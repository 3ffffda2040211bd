// A judge of notifications: takes a report apart by the letter of RFC 6522 and RFC 3464, strictly, and shares no code with what
// writes them. Whatever is against the grammar is an error of the test.

/** A part: its fields by lower-case name, and its bytes. */
export interface ReadPart {
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A report. */
export interface ReadReport {
  readonly fields: ReadonlyMap<string, string>;
  readonly parts: readonly ReadPart[];
  /** Groups of the part for machines: about the message, then about each recipient. */
  readonly status: readonly ReadonlyMap<string, string>[];
}

const perMessage = [
  'original-envelope-id',
  'reporting-mta',
  'dsn-gateway',
  'received-from-mta',
  'arrival-date',
];
const perRecipient = [
  'original-recipient',
  'final-recipient',
  'action',
  'status',
  'remote-mta',
  'diagnostic-code',
  'last-attempt-date',
  'final-log-id',
  'will-retry-until',
];
const date = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}$/;
const typed = /^[A-Za-z0-9-]+; ?\S.*$/;

/** What each field may be. */
const grammar: Readonly<Record<string, RegExp>> = {
  'original-envelope-id': /^\S.*$/,
  'reporting-mta': /^dns; \S+$/,
  'arrival-date': date,
  'original-recipient': typed,
  'final-recipient': typed,
  action: /^(?:failed|delayed|delivered|relayed|expanded)$/,
  status: /^[245]\.\d{1,3}\.\d{1,3}$/,
  'remote-mta': /^dns; \S+$/,
  'diagnostic-code': typed,
  'last-attempt-date': date,
  'will-retry-until': date,
};

/** Reads a report of one recipient. @throws Error for anything that is against the rules */
export function readReport(bytes: Buffer): ReadReport {
  const text = bytes.toString('latin1');
  checkLines(text);
  const { fields, body } = readFields(text);
  for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'auto-submitted'])
    if (!fields.has(name)) throw new Error(`there is no ${name}`);
  const type = fields.get('content-type') ?? '';
  const [, reportType, boundary] =
    /^multipart\/report; report-type=((?:global-)?delivery-status); ?boundary="([^"]+)"$/.exec(type) ?? [];
  if (boundary === undefined) throw new Error(`the type is ${type}`);
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (pieces.at(-1) !== '--\r\n') throw new Error('the last delimiter is not the end');
  const parts = pieces.slice(1, -1).map((piece) => {
    if (!piece.startsWith('\r\n')) throw new Error('a delimiter has something behind it');
    return readFields(piece.slice(2));
  });
  if (parts.length < 2 || parts.length > 3) throw new Error(`there are ${parts.length} parts`);
  if (parts[1]!.fields.get('content-type') !== `message/${reportType}`)
    throw new Error('the second part is not what report-type says');
  const isEightBit = fields.get('content-transfer-encoding') === '8bit';
  if (!isEightBit && /[\x80-\xff]/.test(body)) throw new Error('there are 8-bit bytes in a 7bit report');
  for (const part of parts) checkEncoding(part);
  return { fields, parts, status: readStatus(parts[1]!.body, reportType === 'global-delivery-status') };
}

/** The content of a part. */
export function contentOf({ fields, body }: ReadPart): string {
  if (fields.get('content-transfer-encoding') !== 'quoted-printable') return body;
  return body
    .replace(/[ \t]+(?=\r\n|$)/g, '')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function checkLines(text: string): void {
  if (/\r(?!\n)|(?<!\r)\n|\x00/.test(text)) throw new Error('there is a lone CR or LF, or a NUL');
  for (const line of text.split('\r\n'))
    if (line.length > 998)
      throw new Error(`there is a line of ${line.length} bytes: ${JSON.stringify(line.slice(0, 60))}`);
}

function checkEncoding({ fields, body }: ReadPart): void {
  const encoding = fields.get('content-transfer-encoding') ?? '7bit';
  if (!['7bit', '8bit', 'quoted-printable', 'base64'].includes(encoding))
    throw new Error(`encoding ${encoding}`);
  if (encoding !== '8bit' && /[\x80-\xff]/.test(body))
    throw new Error(`8-bit bytes in a part that is ${encoding}`);
  if (fields.get('content-type')?.startsWith('message/rfc822') === true && !/^[78]bit$/.test(encoding))
    throw new Error('a message is encoded');
}

/** Fields up to the empty line; twice the same name is an error. */
function readFields(text: string): ReadPart {
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2;
  if (end === 1) throw new Error('a header has no end');
  const fields = new Map<string, string>();
  for (const line of text
    .slice(0, end)
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n')
    .slice(0, -1)) {
    const [, name, value] = /^([\x21-\x39\x3b-\x7e]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no field: ${JSON.stringify(line)}`);
    if (fields.has(name.toLowerCase())) throw new Error(`the field ${name} is there twice`);
    fields.set(name.toLowerCase(), value);
  }
  return { fields, body: text.slice(end + 2) };
}

function readStatus(body: string, isGlobal: boolean): ReadonlyMap<string, string>[] {
  if (!isGlobal && /[^\x20-\x7e\r\n]/.test(body)) throw new Error('the status has more than ASCII in it');
  const groups = body
    .split('\r\n\r\n')
    .map((group) => readFields(`${group.replace(/\r\n$/, '')}\r\n\r\n`).fields);
  if (groups.length !== 2) throw new Error(`the status has ${groups.length} groups`);
  const [message, recipient] = groups as [ReadonlyMap<string, string>, ReadonlyMap<string, string>];
  checkGroup(message, perMessage, ['reporting-mta']);
  checkGroup(recipient, perRecipient, ['final-recipient', 'action', 'status']);
  return groups;
}

function checkGroup(
  group: ReadonlyMap<string, string>,
  order: readonly string[],
  required: readonly string[],
): void {
  for (const name of required) if (!group.has(name)) throw new Error(`the status has no ${name}`);
  const places = [...group.keys()].map((name) => order.indexOf(name));
  if (places.some((place, i) => place < 0 || place < (places[i - 1] ?? 0)))
    throw new Error(`the status has its fields out of order: ${[...group.keys()].join(', ')}`);
  for (const [name, value] of group)
    if (!grammar[name]!.test(value)) throw new Error(`${name} is ${JSON.stringify(value)}`);
}
