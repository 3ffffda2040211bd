// Quoted strings and comments of header fields (RFC 5322 §3.2.2, §3.2.4): where they end, and what they say.

/** A quoted string or comment. */
export interface QuotedText {
  /** Without the marks around it and without backslashes, folding as one blank. */
  readonly shown: string;
  /** With its marks, as written but unfolded. */
  readonly source: string;
  /** Behind its last mark. */
  readonly end: number;
}

/** The quoted string that begins at `at`; undefined when it does not end. */
export function readQuoted(text: string, at: number): QuotedText | undefined {
  let end = at + 1;
  // Not by one pattern: V8 matches such a loop on its stack, and a name of a megabyte would overflow it.
  for (;;) {
    const code = text.charCodeAt(end);
    if (Number.isNaN(code)) return undefined;
    if (code === QUOTE) break;
    end += code === BACKSLASH ? 2 : 1;
  }
  const inside = unfold(text.slice(at + 1, end));
  return { shown: withoutBackslashes(inside), source: `"${inside}"`, end: end + 1 };
}

/** The comment that begins at `at`, with those nested in it; undefined when it does not end. */
export function readComment(text: string, at: number): QuotedText | undefined {
  let depth = 0;
  let end = at;
  for (;;) {
    const code = text.charCodeAt(end);
    if (Number.isNaN(code)) return undefined;
    end += code === BACKSLASH ? 2 : 1;
    if (code === OPEN) depth++;
    else if (code === CLOSE && --depth === 0) break;
  }
  const inside = unfold(text.slice(at + 1, end - 1));
  return { shown: withoutBackslashes(inside).trim(), source: `(${inside})`, end };
}

/** A text as a quoted string. */
export function quoteText(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const BACKSLASH = 0x5c;

function unfold(text: string): string {
  return text.replace(/[\r\n]+[ \t]*/g, ' ');
}

function withoutBackslashes(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}
