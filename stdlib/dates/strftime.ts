// Times as text by C's conversion letters (POSIX strftime, C locale).

import { type CalendarTime, calendarTime, isoWeek } from './calendar.js';
import { MONTHS, shortName, WEEKDAYS } from './names.js';
import { offsetText, zoneName, zoneOffset } from './zone.js';

/** The original formats into a buffer of this size. */
const LONGEST_BYTES = 100;

/** `format` with its conversions replaced; letters that are none stay as they are. */
export function formatTime(format: string, unixSeconds: number, zone: string): string {
  const time = calendarTime(unixSeconds, zoneOffset(zone, unixSeconds));
  return expand(format, { time, unixSeconds, zone }).slice(0, LONGEST_BYTES);
}

interface Moment {
  readonly time: CalendarTime;
  readonly unixSeconds: number;
  readonly zone: string;
}

/** `E` and `O` ask for other numerals, which the C locale does not have. */
function expand(format: string, moment: Moment): string {
  return format.replace(/%[EO]?([A-Za-z%])/g, (whole, letter: string) => convert(letter, moment) ?? whole);
}

function pad(number: number, width: number, fill = '0'): string {
  const digits = String(Math.abs(number)).padStart(width, fill);
  return number < 0 ? `-${digits}` : digits;
}

function convert(letter: string, moment: Moment): string | undefined {
  const { time } = moment;
  const hour12 = time.hour % 12 || 12;
  switch (letter) {
    case 'a':
      return shortName(WEEKDAYS[time.weekday]!);
    case 'A':
      return WEEKDAYS[time.weekday]!;
    case 'b':
    case 'h':
      return shortName(MONTHS[time.month - 1]!);
    case 'B':
      return MONTHS[time.month - 1]!;
    case 'c':
      return expand('%a %b %e %H:%M:%S %Y', moment);
    case 'C':
      return pad(Math.floor(time.year / 100), 2);
    case 'd':
      return pad(time.day, 2);
    case 'D':
    case 'x':
      return expand('%m/%d/%y', moment);
    case 'e':
      return pad(time.day, 2, ' ');
    case 'F':
      return expand('%Y-%m-%d', moment);
    case 'g':
      return pad(isoWeek(time).year % 100, 2);
    case 'G':
      return pad(isoWeek(time).year, 4);
    case 'H':
      return pad(time.hour, 2);
    case 'I':
      return pad(hour12, 2);
    case 'j':
      return pad(time.yearDay, 3);
    case 'k':
      return pad(time.hour, 2, ' ');
    case 'l':
      return pad(hour12, 2, ' ');
    case 'm':
      return pad(time.month, 2);
    case 'M':
      return pad(time.minute, 2);
    case 'n':
      return '\n';
    case 'p':
      return time.hour < 12 ? 'AM' : 'PM';
    case 'r':
      return expand('%I:%M:%S %p', moment);
    case 'R':
      return expand('%H:%M', moment);
    case 's':
      return String(Math.floor(moment.unixSeconds));
    case 'S':
      return pad(time.second, 2);
    case 't':
      return '\t';
    case 'T':
    case 'X':
      return expand('%H:%M:%S', moment);
    case 'u':
      return String(time.weekday || 7);
    case 'U':
      return pad(Math.floor((time.yearDay + 6 - time.weekday) / 7), 2);
    case 'V':
      return pad(isoWeek(time).week, 2);
    case 'w':
      return String(time.weekday);
    case 'W':
      return pad(Math.floor((time.yearDay + 6 - ((time.weekday + 6) % 7)) / 7), 2);
    case 'y':
      return pad(((time.year % 100) + 100) % 100, 2);
    case 'Y':
      return pad(time.year, 4);
    case 'z':
      return offsetText(zoneOffset(moment.zone, moment.unixSeconds));
    case 'Z':
      return zoneName(moment.zone, moment.unixSeconds);
    case '%':
      return '%';
    default:
      return undefined;
  }
}
