// PEM (RFC 7468): blocks of base64 between two lines with a label. Found by searching for the lines, so that a text with
// a million beginnings and no end costs no more than reading it.

/** A block as it is written, and its label. */
export interface PemBlock {
  readonly label: string;
  readonly text: string;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';
const LONGEST_LABEL = 64;

/** The blocks of a text in order; what is between them is skipped. */
export function* pemBlocks(text: string): Generator<PemBlock, undefined> {
  for (let at = text.indexOf(BEGIN); at >= 0; ) {
    const labelStart = at + BEGIN.length;
    const label = labelAt(text, labelStart);
    if (label === undefined) {
      at = text.indexOf(BEGIN, labelStart);
      continue;
    }
    const end = `-----END ${label}-----`;
    const endAt = text.indexOf(end, labelStart);
    if (endAt < 0) return undefined;
    yield { label, text: `${text.slice(at, endAt + end.length)}\n` };
    at = text.indexOf(BEGIN, endAt + end.length);
  }
  return undefined;
}

function labelAt(text: string, start: number): string | undefined {
  const label = text.slice(start, start + LONGEST_LABEL + DASHES.length);
  const end = label.indexOf(DASHES);
  return end < 0 || /[^\x20-\x7e]/.test(label.slice(0, end)) ? undefined : label.slice(0, end);
}

/** The bytes of a block; undefined when it holds no base64. Old headers (`Proc-Type:`) are not for what we read here. */
export function pemBytes(block: PemBlock): Buffer | undefined {
  const lines = block.text.split('\n').slice(1, -2).join('');
  const base64 = lines.replace(/[ \t\r]/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined;
}

/** Writes a block, 64 characters a line. */
export function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `${BEGIN}${label}${DASHES}\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`;
}
