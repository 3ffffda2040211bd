// Replacement texts with references to groups: $0 to $99, or ${1} where a digit follows.

/** A literal piece, or the number of a group. */
export type ReplacementPart = string | number;

/** Two digits are a group if the pattern has so many, else one digit and a character. Other dollars stand for themselves. */
export function parseReplacement(text: string, groupCount: number): ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$(?:\{([0-9]{1,2})\}|([0-9]{1,2}))/g)) {
    const digits = match[1] ?? match[2]!;
    const isShort = match[1] === undefined && digits.length === 2 && Number(digits) > groupCount;
    parts.push(text.slice(end, match.index), Number(isShort ? digits[0] : digits));
    end = match.index + match[0].length - (isShort ? 1 : 0);
  }
  parts.push(text.slice(end));
  return parts;
}
