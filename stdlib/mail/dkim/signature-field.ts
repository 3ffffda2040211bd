// The text of a signature field, folded; b= stands last and on a line of its own, so the rest can be signed before it is
// known, and what goes in then changes no other line.

import type { Algorithm, Canonicalization } from './signature-tags.js';

/** Everything of a signature but its value. */
export interface SignatureTags {
  /** Present: an ARC-Message-Signature of that instance (RFC 8617 §4.1.2). */
  readonly arcInstance: number | undefined;
  readonly algorithm: Algorithm;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  readonly domain: string;
  readonly selector: string;
  readonly identity: string | undefined;
  readonly timestamp: number | undefined;
  readonly expiration: number | undefined;
  readonly bodyLength: number | undefined;
  readonly signedNames: readonly string[];
  readonly bodyHash: Buffer;
}

const LINE_LENGTH = 76;
const FOLD = '\r\n\t';

/** The field up to and including `b=`. */
export function unsignedField(tags: SignatureTags): string {
  const { arcInstance } = tags;
  const lines = new FoldedLines(
    `${arcInstance === undefined ? 'DKIM-Signature: v=1' : `ARC-Message-Signature: i=${arcInstance}`};`,
  );
  lines.add(` a=${tags.algorithm};`);
  lines.add(` c=${tags.headerCanonicalization}/${tags.bodyCanonicalization};`);
  lines.add(` d=${tags.domain};`);
  lines.add(` s=${tags.selector};`);
  if (tags.identity !== undefined) lines.add(` i=${quoteTagText(tags.identity)};`);
  if (tags.timestamp !== undefined) lines.add(` t=${tags.timestamp};`);
  if (tags.expiration !== undefined) lines.add(` x=${tags.expiration};`);
  if (tags.bodyLength !== undefined) lines.add(` l=${tags.bodyLength};`);
  const { signedNames } = tags;
  for (let i = 0; i < signedNames.length; i++)
    lines.add(`${i === 0 ? ' h=' : ''}${signedNames[i]}${i === signedNames.length - 1 ? ';' : ':'}`);
  lines.add(` bh=${tags.bodyHash.toString('base64')};`);
  return `${lines.text}${FOLD}b=`;
}

/** The finished field, without its final line end. */
export function signedField(unsigned: string, signature: Buffer): string {
  const base64 = signature.toString('base64');
  let field = unsigned;
  for (let from = 0; from < base64.length; from += LINE_LENGTH - 4)
    field += (from === 0 ? '' : FOLD) + base64.slice(from, from + LINE_LENGTH - 4);
  return field;
}

class FoldedLines {
  text: string;
  #lineLength: number;

  constructor(first: string) {
    this.text = first;
    this.#lineLength = first.length;
  }

  /** Appends what may stand on a new line; a blank it begins with becomes the fold. */
  add(token: string): void {
    if (this.#lineLength + token.length <= LINE_LENGTH) {
      this.text += token;
      this.#lineLength += token.length;
    } else {
      const word = token.trimStart();
      this.text += FOLD + word;
      this.#lineLength = 1 + word.length;
    }
  }
}

/** dkim-quoted-printable (RFC 6376 §2.11). */
function quoteTagText(text: string): string {
  return text.replace(
    /[^\x21-\x3a\x3c\x3e-\x7e]/g,
    (char) => `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
