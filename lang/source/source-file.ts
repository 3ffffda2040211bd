// A script's text and the places in it. Text is HSL text: one character per byte (latin1), like every string in
// the language, so offsets and columns count bytes.

/** One script text, as the module loader found it. */
export interface SourceFile {
  /** How messages and stack traces name it: a path below the script root, `extras://name`, or `<stdin>`. */
  readonly name: string;
  /** The bytes, one character each. */
  readonly text: string;
}

/** A half-open range of byte offsets in one file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place as people count it: both from 1, the column in bytes. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const lineStarts = new WeakMap<SourceFile, readonly number[]>();

function startsOfLines(file: SourceFile): readonly number[] {
  let starts = lineStarts.get(file);
  if (starts === undefined) {
    const found = [0];
    for (let at = file.text.indexOf('\n'); at !== -1; at = file.text.indexOf('\n', at + 1))
      found.push(at + 1);
    starts = found;
    lineStarts.set(file, starts);
  }
  return starts;
}

/** Where `offset` stands, counted from 1. An offset past the end is the end. */
export function positionAt(file: SourceFile, offset: number): Position {
  const starts = startsOfLines(file);
  const at = Math.max(0, Math.min(offset, file.text.length));
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - starts[low]! + 1 };
}

/** The text of a line (from 1), without its line end; empty past the last one. */
export function lineText(file: SourceFile, line: number): string {
  const starts = startsOfLines(file);
  const start = starts[line - 1];
  if (start === undefined) return '';
  const end = starts[line] ?? file.text.length + 1;
  return file.text.slice(start, end - 1).replace(/\r$/, '');
}
