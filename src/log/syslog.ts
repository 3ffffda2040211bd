import { bytesToText } from '#lang';
import type { Logger } from './logger.js';

/** Writes what a script says with `syslog()`: severities of syslog as levels of the log. `text` is bytes. */
export function logSyslog(log: Logger, priority: number, text: string): void {
  const severity = priority & 7;
  const line = bytesToText(text);
  if (severity <= 3) log.error({}, line);
  else if (severity === 4) log.warn({}, line);
  else if (severity === 7) log.debug({}, line);
  else log.info({}, line);
}
