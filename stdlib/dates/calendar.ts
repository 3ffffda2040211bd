// A moment as calendar fields, in the proleptic Gregorian calendar. `offsetSeconds` is what the zone adds to UTC.

export interface CalendarTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 is the first of January. */
  readonly yearDay: number;
}

/** JavaScript dates reach 100 million days from 1970 both ways; zones are at most a day off. */
export const FARTHEST_SECONDS = 8.64e12 - 86_400;

const DAY_MS = 86_400_000;

export function calendarTime(unixSeconds: number, offsetSeconds: number): CalendarTime {
  const date = new Date(Math.floor(unixSeconds + offsetSeconds) * 1000);
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - utcSeconds(year, 1, 1, 0, 0, 0) * 1000) / DAY_MS) + 1,
  };
}

/** Unix time of a moment in UTC; fields beyond their range carry over. */
export function utcSeconds(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  // Date.UTC reads years below 100 as 19xx.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return date.getTime() / 1000;
}

export function daysInMonth(year: number, month: number): number {
  return new Date(utcSeconds(year, month + 1, 0, 0, 0, 0) * 1000).getUTCDate();
}

/** Week of the year and the year it belongs to (ISO 8601: weeks begin on Monday, the first one holds 4 January). */
export function isoWeek(time: CalendarTime): { readonly year: number; readonly week: number } {
  const weekday = time.weekday || 7;
  const week = Math.floor((time.yearDay - weekday + 10) / 7);
  if (week < 1) return { year: time.year - 1, week: weeksIn(time.year - 1) };
  return week > weeksIn(time.year) ? { year: time.year + 1, week: 1 } : { year: time.year, week };
}

function weeksIn(year: number): number {
  const lastWeekday = new Date(utcSeconds(year, 12, 31, 0, 0, 0) * 1000).getUTCDay();
  // A year has 53 weeks when it ends on a Thursday, or on a Friday and is a leap year.
  return lastWeekday === 4 || (lastWeekday === 5 && daysInMonth(year, 2) === 29) ? 53 : 52;
}
