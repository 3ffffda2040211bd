// Where the fields of a header section lie. Nothing is decoded or copied here and nothing is refused: a line that is no
// field is kept as a field without a name, so that every byte between start and end belongs to exactly one field and an
// untouched message goes out as it came in.

/** One header field with its folded lines and final line end: bytes `start` to `end` of the message. */
export interface HeaderField {
  /** Lower case; empty when the line is no header field. */
  readonly name: string;
  readonly start: number;
  /** The first byte after the colon. */
  readonly valueStart: number;
  readonly end: number;
}

/** The fields in order, top first. */
export interface HeaderSection {
  readonly fields: readonly HeaderField[];
  readonly start: number;
  /** The first byte after the last field: the empty line, or the end of what there is. */
  readonly end: number;
  /** Whether an empty line ends it. */
  readonly isClosed: boolean;
}

const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const COLON = 58;

/** Reads the header section that begins at `start`. Lines end with LF, with or without CR before it. */
export function parseHeaderSection(bytes: Buffer, start = 0, limit = bytes.length): HeaderSection {
  const fields: HeaderField[] = [];
  let at = start;
  let fieldStart = -1;
  let name = '';
  let valueStart = start;
  let isClosed = false;
  // The next colon at or after `at`: found once, not once for each line, or lines without one would cost a scan of all.
  let colon = -1;
  const finishField = () => {
    if (fieldStart !== -1) fields.push({ name, start: fieldStart, valueStart, end: at });
    fieldStart = -1;
  };
  while (at < limit) {
    const first = bytes[at]!;
    if (first === LF || (first === CR && bytes[at + 1] === LF)) {
      isClosed = true;
      break;
    }
    const lineFeed = bytes.indexOf(LF, at);
    const lineEnd = lineFeed === -1 || lineFeed >= limit ? limit : lineFeed + 1;
    const continues = (first === SPACE || first === TAB) && fieldStart !== -1;
    if (!continues) {
      finishField();
      fieldStart = at;
      if (colon < at) {
        colon = bytes.indexOf(COLON, at);
        if (colon === -1) colon = Number.MAX_SAFE_INTEGER;
      }
      name = colon < lineEnd ? fieldName(bytes.toString('latin1', at, colon)) : '';
      valueStart = name === '' ? at : colon + 1;
    }
    at = lineEnd;
  }
  finishField();
  return { fields, start, end: at, isClosed };
}

/** A field name in lower case, or empty when it is none (RFC 5322 §2.2; blanks before the colon are obsolete, but read). */
function fieldName(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  const name = text.slice(0, end);
  return /^[\x21-\x7e]+$/.test(name) ? name.toLowerCase() : '';
}
