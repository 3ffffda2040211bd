// Spans of time as people write them in configuration: 1h30m.

const SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** Seconds of a sum of `<n>d`, `<n>h`, `<n>m` and `<n>s`, or of a bare number of seconds; else undefined. */
export function parseDuration(text: string): number | undefined {
  if (/^[0-9]+$/.test(text)) return Number(text);
  if (!/^(?:[0-9]+[dhms])+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([0-9]+)([dhms])/g)) sum += Number(number) * SECONDS[unit!]!;
  return sum;
}
