// Whether bytes that go into a multipart would be taken for one of its delimiters: then the message would fall apart
// somewhere else than its author meant. Asked by the RFC's rule, which is laxer than ours (structure.ts).

const DASHES = Buffer.from('\n--');

/** Whether a line of `bytes` begins with two dashes and one of the boundaries (RFC 2046 §5.1.1). */
export function hasDelimiterLine(bytes: Buffer, boundaries: readonly string[]): boolean {
  if (boundaries.length === 0) return false;
  const needles = boundaries.map((boundary) => Buffer.from(`--${boundary}`, 'latin1'));
  const isDelimiter = (line: number) =>
    needles.some((needle) => bytes.subarray(line, line + needle.length).equals(needle));
  if (isDelimiter(0)) return true;
  for (let at = bytes.indexOf(DASHES); at !== -1; at = bytes.indexOf(DASHES, at + 1))
    if (isDelimiter(at + 1)) return true;
  return false;
}
