// Spans of time as people write them in configuration: 1h30m.

const SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** Seconds of a sum of `<n>d`, `<n>h`, `<n>m` and `<n>s`, or of a bare number of seconds; else undefined. */
export function parseDuration(text: string): number | undefined {
  if (/^[0-9]+$/.test(text)) return Number(text);
  const term = /([0-9]+)([dhms])/y;
  let sum = 0;
  do {
    const match = term.exec(text);
    if (match === null) return undefined;
    sum += Number(match[1]) * SECONDS[match[2]!]!;
  } while (term.lastIndex < text.length);
  return sum;
}
