// Text as a time by C's conversion letters. The whole text must match; fields that say the same twice (%a beside %d)
// are read and not compared.

import { calendarTime, daysInMonth, utcSeconds } from './calendar.js';
import { MONTHS, shortName, WEEKDAYS } from './names.js';
import { fromLocal, zoneOffset } from './zone.js';

/** What has been read so far. */
interface Fields {
  year?: number;
  century?: number;
  /** Of %y: joined with a century when there is one. */
  yearInCentury?: number;
  month?: number;
  day?: number;
  yearDay?: number;
  hour?: number;
  hour12?: number;
  isAfternoon?: boolean;
  minute?: number;
  second?: number;
  offsetSeconds?: number;
  unixSeconds?: number;
}

/** Letters that stand for other conversions. */
const COMPOUNDS: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

/** Formats nest once: no compound holds a compound. */
function expandCompounds(format: string): string {
  return format.replace(/%[EO]?([cDFrRTxX%])/g, (whole, letter: string) => COMPOUNDS[letter] ?? whole);
}

/**
 * Unix time of `text`, or undefined when it does not match. What the format does not name is 0, respectively the first;
 * without any date it is the day of `nowSeconds`, without a year its year.
 */
export function parseTime(
  text: string,
  format: string,
  zone: string,
  nowSeconds: number,
): number | undefined {
  const fields: Fields = {};
  if (!matchFormat(text, expandCompounds(format), fields)) return undefined;
  return resolve(fields, zone, nowSeconds);
}

function matchFormat(text: string, format: string, fields: Fields): boolean {
  let at = 0;
  for (let i = 0; i < format.length; i++) {
    const mark = format[i]!;
    if (/\s/.test(mark)) {
      at = skipBlanks(text, at);
    } else if (mark !== '%') {
      if (text[at] !== mark) return false;
      at++;
    } else {
      i++;
      if (format[i] === 'E' || format[i] === 'O') i++;
      const end = matchConversion(text, at, format[i] ?? '', fields);
      if (end === undefined) return false;
      at = end;
    }
  }
  return at === text.length;
}

function skipBlanks(text: string, at: number): number {
  let end = at;
  while (end < text.length && /\s/.test(text[end]!)) end++;
  return end;
}

/** Reads one conversion at `at`. @returns where it ends, or undefined when it does not match */
function matchConversion(text: string, at: number, letter: string, fields: Fields): number | undefined {
  const number = (
    digits: number,
    low: number,
    high: number,
    store: (n: number) => void,
  ): number | undefined => {
    // As in C, blanks before a number are skipped.
    const start = skipBlanks(text, at);
    const pattern = new RegExp(`[0-9]{1,${digits}}`, 'y');
    pattern.lastIndex = start;
    const found = pattern.exec(text)?.[0];
    if (found === undefined || Number(found) < low || Number(found) > high) return undefined;
    store(Number(found));
    return start + found.length;
  };
  const ignore = (): void => {};
  switch (letter) {
    case 'a':
    case 'A':
      return matchName(text, at, WEEKDAYS, ignore);
    case 'b':
    case 'B':
    case 'h':
      return matchName(text, at, MONTHS, (index) => {
        fields.month = index + 1;
      });
    case 'C':
      return number(2, 0, 99, (n) => {
        fields.century = n;
      });
    case 'd':
    case 'e':
      return number(2, 1, 31, (n) => {
        fields.day = n;
      });
    case 'H':
    case 'k':
      return number(2, 0, 23, (n) => {
        fields.hour = n;
      });
    case 'I':
    case 'l':
      return number(2, 1, 12, (n) => {
        fields.hour12 = n % 12;
      });
    case 'j':
      return number(3, 1, 366, (n) => {
        fields.yearDay = n;
      });
    case 'm':
      return number(2, 1, 12, (n) => {
        fields.month = n;
      });
    case 'M':
      return number(2, 0, 59, (n) => {
        fields.minute = n;
      });
    case 'S':
      // 60 is a leap second, which carries over.
      return number(2, 0, 60, (n) => {
        fields.second = n;
      });
    case 'y':
      return number(2, 0, 99, (n) => {
        fields.yearInCentury = n;
      });
    case 'Y':
      return number(4, 0, 9999, (n) => {
        fields.year = n;
      });
    case 'u':
      return number(1, 1, 7, ignore);
    case 'w':
      return number(1, 0, 6, ignore);
    case 'U':
    case 'W':
      return number(2, 0, 53, ignore);
    case 'V':
      return number(2, 1, 53, ignore);
    case 'g':
      return number(2, 0, 99, ignore);
    case 'G':
      return number(4, 0, 9999, ignore);
    case 'n':
    case 't':
      return skipBlanks(text, at);
    case 'p':
      if (!/^[AP]M$/i.test(text.slice(at, at + 2))) return undefined;
      fields.isAfternoon = text[at]!.toUpperCase() === 'P';
      return at + 2;
    case 's':
      return matchUnixTime(text, at, fields);
    case 'z':
      return matchOffset(text, at, fields);
    case 'Z':
      return matchZoneName(text, at, fields);
    case '%':
      return text[at] === '%' ? at + 1 : undefined;
    default:
      return undefined;
  }
}

/** A full or abbreviated name in either case. */
function matchName(
  text: string,
  at: number,
  names: readonly string[],
  store: (index: number) => void,
): number | undefined {
  const rest = text.slice(at, at + 9).toLowerCase();
  for (const forms of [names, names.map(shortName)]) {
    const index = forms.findIndex((name) => rest.startsWith(name.toLowerCase()));
    if (index === -1) continue;
    store(index);
    return at + forms[index]!.length;
  }
  return undefined;
}

function matchUnixTime(text: string, at: number, fields: Fields): number | undefined {
  const found = /^-?[0-9]{1,15}/.exec(text.slice(at, at + 16))?.[0];
  if (found === undefined) return undefined;
  fields.unixSeconds = Number(found);
  return at + found.length;
}

/** `+0130`, `+01:30`, `+01`, `Z`. */
function matchOffset(text: string, at: number, fields: Fields): number | undefined {
  if (text[at] === 'Z') {
    fields.offsetSeconds = 0;
    return at + 1;
  }
  const match = /^([+-])([0-9]{2}):?([0-5][0-9])?/.exec(text.slice(at, at + 6));
  if (match === null) return undefined;
  const seconds = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60;
  fields.offsetSeconds = match[1] === '-' ? -seconds : seconds;
  return at + match[0].length;
}

/** Only the names of UTC mean anything: other abbreviations belong to several zones. */
function matchZoneName(text: string, at: number, fields: Fields): number | undefined {
  const name = /^[A-Za-z]{1,6}/.exec(text.slice(at, at + 6))?.[0];
  if (name === undefined) return undefined;
  if (/^(?:UTC|GMT|UT|Z)$/i.test(name)) fields.offsetSeconds = 0;
  return at + name.length;
}

function resolve(fields: Fields, zone: string, nowSeconds: number): number | undefined {
  if (fields.unixSeconds !== undefined) return fields.unixSeconds;
  const today = calendarTime(nowSeconds, zoneOffset(zone, nowSeconds));
  const named = namedYear(fields);
  const hasDate =
    named !== undefined ||
    fields.month !== undefined ||
    fields.day !== undefined ||
    fields.yearDay !== undefined;
  const year = named ?? today.year;
  let month = hasDate ? (fields.month ?? 1) : today.month;
  let day = hasDate ? (fields.day ?? 1) : today.day;
  if (fields.yearDay !== undefined && fields.month === undefined && fields.day === undefined) {
    if (fields.yearDay === 366 && daysInMonth(year, 2) === 28) return undefined;
    month = 1;
    day = fields.yearDay;
  } else if (day > daysInMonth(year, month)) return undefined;

  const hour =
    fields.hour ?? (fields.hour12 === undefined ? 0 : fields.hour12 + (fields.isAfternoon ? 12 : 0));
  const local = utcSeconds(year, month, day, hour, fields.minute ?? 0, fields.second ?? 0);
  return fields.offsetSeconds === undefined ? fromLocal(zone, local) : local - fields.offsetSeconds;
}

/** POSIX: without a century, 69 to 99 are of the 20th and 0 to 68 of the 21st. */
function namedYear(fields: Fields): number | undefined {
  if (fields.year !== undefined) return fields.year;
  if (fields.century !== undefined) return fields.century * 100 + (fields.yearInCentury ?? 0);
  if (fields.yearInCentury === undefined) return undefined;
  return fields.yearInCentury + (fields.yearInCentury < 69 ? 2000 : 1900);
}
