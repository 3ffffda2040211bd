// CSV records (RFC 4180 with any delimiter): fields in quotes may hold delimiters, line ends and doubled quotes.

export type CsvRows =
  | { readonly rows: readonly (readonly string[])[]; readonly lines: readonly number[] }
  | { readonly problem: string; readonly line: number };

/** One record without its line end. */
export function encodeCsvRecord(fields: readonly string[], delimiter: string): string {
  return fields
    .map((field) =>
      /["\r\n ]/.test(field) || field.includes(delimiter) ? `"${field.replaceAll('"', '""')}"` : field,
    )
    .join(delimiter);
}

/**
 * All records, and the line each begins in. Lines end in LF or CRLF; empty lines are no records. A quote only opens a
 * field at its beginning; text behind the closing quote belongs to the field.
 */
export function decodeCsvRows(text: string, delimiter: string): CsvRows {
  const rows: string[][] = [];
  const lines: number[] = [];
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
    const end = fieldEnd(text, at, delimiter);
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
    if (row.length > 1 || row[0] !== '' || isQuoted) {
      rows.push(row);
      lines.push(rowLine);
    }
    row = [];
    line++;
    rowLine = line;
  }
  return { rows, lines };
}

function fieldEnd(text: string, from: number, delimiter: string): number {
  let end = from;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n') end++;
  return end;
}

function countLineEnds(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
