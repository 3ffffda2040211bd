// What a time zone adds to UTC at a moment, by Node's Intl and its zone data, daylight saving time included.

/** The zone of this process: its TZ, else the machine's. */
export function systemZone(): string {
  const tz = process.env['TZ'];
  if (known === undefined || known.tz !== tz) {
    known = { tz, zone: new Intl.DateTimeFormat().resolvedOptions().timeZone };
  }
  return known.zone;
}

/** Asking Intl costs more than formatting a time. */
let known: { readonly tz: string | undefined; readonly zone: string } | undefined;

/** There are fewer zones, but a name may be spelt in any case, and come from a mail. */
const MOST_FORMATTERS = 1000;

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formatters.size >= MOST_FORMATTERS) formatters.clear();
    formatters.set(zone, formatter);
  }
  return formatter;
}

/** The last answer: most calls ask about now. */
let recent = { zone: 'UTC', quarter: 0, offset: 0 };

/** Zones change on quarters of an hour since 1972. */
const QUARTER_SECONDS = 900;
const REGULAR_SINCE = 63_072_000;

/** Seconds east of UTC in `zone` at a moment. */
export function zoneOffset(zone: string, unixSeconds: number): number {
  if (zone === 'UTC') return 0;
  const quarter = Math.floor(unixSeconds / QUARTER_SECONDS);
  if (unixSeconds >= REGULAR_SINCE && recent.zone === zone && recent.quarter === quarter)
    return recent.offset;
  const second = Math.floor(unixSeconds);
  const field: Record<string, string> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(second * 1000)) field[type] = value;
  const year = Number(field['year']);
  const local = new Date(0);
  local.setUTCFullYear(
    field['era'] === 'BC' ? 1 - year : year,
    Number(field['month']) - 1,
    Number(field['day']),
  );
  local.setUTCHours(Number(field['hour']), Number(field['minute']), Number(field['second']));
  const offset = local.getTime() / 1000 - second;
  recent = { zone, quarter, offset };
  return offset;
}

/**
 * Unix time of a wall-clock time in `zone`, given as if it were UTC. A time that occurs twice is the first; one that is
 * skipped is taken with the offset from before the change.
 */
export function fromLocal(zone: string, localSeconds: number): number {
  if (zone === 'UTC') return localSeconds;
  // No change of a zone is farther away than a day, so these are the offsets before and after the nearest one.
  const before = zoneOffset(zone, localSeconds - 86_400);
  const after = zoneOffset(zone, localSeconds + 86_400);
  if (zoneOffset(zone, localSeconds - before) === before) return localSeconds - before;
  if (zoneOffset(zone, localSeconds - after) === after) return localSeconds - after;
  return localSeconds - before;
}

/** Every locale names its own zones only: the first that has more than an offset wins. */
const NAMING_LOCALES = ['en-US', 'en-GB', 'en-CA', 'en-AU', 'en-NZ', 'en-IN', 'en-ZA'];

/** The zone's short name at a moment (CET, CEST), or its offset (+03). */
export function zoneName(zone: string, unixSeconds: number): string {
  if (zone === 'UTC') return 'UTC';
  for (const locale of NAMING_LOCALES) {
    const name = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' })
      .formatToParts(Math.floor(unixSeconds) * 1000)
      .find((part) => part.type === 'timeZoneName')?.value;
    if (
      name !== undefined &&
      /^[A-Z]{3,5}$/.test(name) &&
      (name !== 'GMT' || zoneOffset(zone, unixSeconds) === 0)
    ) {
      return name;
    }
  }
  const offset = offsetText(zoneOffset(zone, unixSeconds));
  return offset.endsWith('00') ? offset.slice(0, 3) : offset;
}

/** `+0130`. */
export function offsetText(offsetSeconds: number): string {
  const minutes = Math.trunc(Math.abs(offsetSeconds) / 60);
  const digits = (n: number): string => String(n).padStart(2, '0');
  return (offsetSeconds < 0 ? '-' : '+') + digits(Math.floor(minutes / 60)) + digits(minutes % 60);
}
