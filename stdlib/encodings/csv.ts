// CSV records (RFC 4180 with any delimiter): fields in quotes may hold delimiters, line ends and doubled quotes.

const LF = 10;

/** One record, and the line it begins in. */
export interface CsvRow {
  readonly fields: readonly string[];
  readonly line: number;
}

export interface CsvProblem {
  readonly problem: string;
  readonly line: number;
}

/** One record without its line end. */
export function encodeCsvRecord(fields: readonly string[], delimiter: string): string {
  return fields
    .map((field) =>
      /["\r\n ]/.test(field) || field.includes(delimiter) ? `"${field.replaceAll('"', '""')}"` : field,
    )
    .join(delimiter);
}

/**
 * The records one by one, in the end what is wrong if something is. Lines end in LF or CRLF; empty lines are no records. A
 * quote only opens a field at its beginning; text behind the closing quote belongs to the field.
 */
export function* readCsvRows(text: string, delimiter: string): Generator<CsvRow, CsvProblem | undefined> {
  const delimiterCode = delimiter.charCodeAt(0);
  let row: string[] = [];
  let line = 1;
  let rowLine = 1;
  let at = text.startsWith('\xef\xbb\xbf') ? 3 : 0;

  while (at < text.length) {
    let field = '';
    const isQuoted = text[at] === '"';
    if (isQuoted) {
      const startLine = line;
      at++;
      for (;;) {
        const quote = text.indexOf('"', at);
        if (quote === -1) return { problem: 'a field in quotes has no closing quote', line: startLine };
        field += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
      line += countLineEnds(field);
    }
    const end = fieldEnd(text, at, delimiterCode);
    let rest = text.slice(at, end);
    const isDelimited = text[end] === delimiter;
    if (!isDelimited && rest.endsWith('\r')) rest = rest.slice(0, -1);
    row.push(field + rest);
    at = end + 1;
    if (isDelimited) {
      // A delimiter at the very end of the text opens one more, empty field.
      if (at < text.length) continue;
      row.push('');
    }
    if (row.length > 1 || row[0] !== '' || isQuoted) yield { fields: row, line: rowLine };
    row = [];
    line++;
    rowLine = line;
  }
  return undefined;
}

function fieldEnd(text: string, from: number, delimiter: number): number {
  for (let end = from; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === delimiter || code === LF) return end;
  }
  return text.length;
}

function countLineEnds(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
