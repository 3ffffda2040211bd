// The numbers of log messages (RFC 5424 §6.2.1): facility times 8 plus severity.

const SEVERITIES: Readonly<Record<string, number>> = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

/** The names scripts may use. */
export const severityNames = Object.keys(SEVERITIES);

/** 23 facilities of 8 severities. */
const HIGHEST_PRIORITY = 23 * 8 + 7;

/** A severity's name, or a priority as number; undefined for anything else. */
export function parsePriority(priority: string | number): number | undefined {
  if (typeof priority === 'string')
    return Object.hasOwn(SEVERITIES, priority) ? SEVERITIES[priority] : undefined;
  const number = Math.trunc(priority);
  return number >= 0 && number <= HIGHEST_PRIORITY ? number : undefined;
}
