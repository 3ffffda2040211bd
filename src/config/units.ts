// Sizes and durations as people write them (queue-and-config 8.1).

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** Bytes: a number, or digits with TiB, GiB, MiB, KiB or B. @returns undefined when it is neither */
export function parseSize(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?) ?(TiB|GiB|MiB|KiB|B)?$/.exec(value);
  if (match === null) return undefined;
  const bytes = Math.floor(Number(match[1]) * sizeUnits[match[2] ?? 'B']!);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Seconds: a number, or text such as `1d2h30m5s`. @returns undefined when it is neither */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string' || value === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(value);
  if (match === null) return undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(days) * 86_400 + Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}
