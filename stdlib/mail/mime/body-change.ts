// A new body for a part: in the part's own transfer encoding where it suits, else in another one, said in the header.

import { hasDelimiterLine } from './delimiter-lines.js';
import type { MimePart } from './document.js';
import { encodeField } from './header-text.js';
import {
  type BodyTraits,
  chooseEncoding,
  encodeBody,
  fits,
  type TransferEncoding,
  traitsOf,
} from './transfer-encoding.js';

const FIELD = 'Content-Transfer-Encoding';

/**
 * Gives a part a new body; the multiparts around it stay whole, whatever it holds.
 * @returns false when the part is a multipart, or the body cannot be written in the encoding that is wanted
 */
export function changeBody(part: MimePart, data: Buffer, wanted: TransferEncoding | undefined): boolean {
  const { type } = part;
  if (type?.startsWith('multipart/')) return false;
  // Of a header that is not wholly in memory nobody knows where the body begins.
  if (!part.header.isClosed && !part.document.source.isComplete) return false;
  const isText = type?.startsWith('text/') === true;
  const traits = traitsOf(data);
  for (const encoding of candidates(part, traits, isText, wanted)) {
    if (!fits(traits, encoding, isText)) continue;
    const body = encodeBody(data, encoding, isText);
    const isPlain = encoding === '7bit' || encoding === '8bit' || encoding === 'binary';
    if (isPlain && hasDelimiterLine(body, part.boundariesAround)) continue;
    nameEncoding(part, encoding);
    part.change({ body });
    return true;
  }
  return false;
}

/** The encodings to try, best first. */
function candidates(
  part: MimePart,
  traits: BodyTraits,
  isText: boolean,
  wanted: TransferEncoding | undefined,
): readonly TransferEncoding[] {
  // RFC 2046 §5.2.1: what holds a message is not encoded.
  if (part.type?.startsWith('message/')) {
    const plain = ['7bit', '8bit'] as const;
    return wanted === undefined ? plain : plain.filter((encoding) => encoding === wanted);
  }
  if (wanted !== undefined) return [wanted];
  const own = part.encoding;
  const others = [chooseEncoding(traits, isText), isText ? 'quoted-printable' : 'base64', 'base64'] as const;
  return own === undefined || own === 'binary' ? others : [own, ...others];
}

function nameEncoding(part: MimePart, encoding: TransferEncoding): void {
  const { header, edits } = part;
  const name = FIELD.toLowerCase();
  const isNamed = header.fields.some((field) => field.name === name);
  if (!edits.touches(header, name) && part.encoding === encoding && (isNamed || encoding === '7bit')) return;
  if (encoding === '7bit' && !edits.has(header, name)) return;
  edits.set(header, FIELD, encodeField(FIELD, encoding), 0);
}
