// BDAT in transcripts and byte streams.

/** Lines of a transcript: the command, and the chunk's bytes (one per character) behind it. */
export function chunk(text: string, last: 'LAST' | '' = ''): string {
  const bytes = Buffer.from(text, 'latin1').toString('hex');
  return `C: BDAT ${text.length}${last === '' ? '' : ' LAST'}\n      C~ ${bytes}`;
}

/** The same as bytes, one per character. */
export function chunkBytes(text: string, last: 'LAST' | '' = ''): string {
  return `BDAT ${text.length}${last === '' ? '' : ' LAST'}\r\n${text}`;
}
