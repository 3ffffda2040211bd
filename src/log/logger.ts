// The daemon's log: pino's JSON lines on stdout, or short lines for a person when stdout is a terminal. What gets in
// is decided by severity bits (environment.syslog.mask), as operators know them from syslog.

import { pino } from 'pino';
import { printable } from './printable.js';

/** What rooms may ask of the log. `fields` come first, as pino has it. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
  /** Whether a debug line would be written: to save making one. */
  isDebugEnabled(): boolean;
}

/** pino's level numbers and the syslog severity each stands for. */
const severityOf: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };
const levelWord: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};

export interface LoggerOptions {
  /** Bit n lets severity n through, 0 emergency to 7 debug. */
  readonly mask: number;
  /** Short lines instead of JSON. */
  readonly forPeople: boolean;
  /** Where lines go; stdout unless a test says otherwise. */
  readonly write?: (line: string) => void;
}

/** The open log: lines are buffered a little, so `flush` before the process ends. */
export interface OpenLog {
  readonly logger: Logger;
  flush(): void;
}

export function openLog({ mask, forPeople, write }: LoggerOptions): OpenLog {
  const stdout = write === undefined ? openStdout() : undefined;
  const put = write ?? ((line: string) => stdout!.write(line));
  const base = pino(
    {
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (_, number) => ({ level: levelWord[number] ?? 'info' }) },
      hooks: {
        logMethod(args, method, level) {
          if ((mask & (1 << (severityOf[level] ?? 6))) !== 0) method.apply(this, args);
        },
      },
    },
    { write: (line: string) => put(forPeople ? lineForPeople(line) : line) },
  );
  const debugEnabled = (mask & (1 << 7)) !== 0;
  const wrap = (inner: pino.Logger): Logger => ({
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    child: (fields) => wrap(inner.child(fields)),
    isDebugEnabled: () => debugEnabled,
  });
  return {
    logger: wrap(base),
    flush() {
      try {
        stdout?.flushSync();
      } catch {
        // stdout is closed or was never opened: there is nobody left to read the log.
      }
    },
  };
}

/** A busy server logs several lines a millisecond: one write for many of them, but none later than this. */
const LATEST_MS = 20;

/** stdout in batches. `flushSync` writes what is left. */
function openStdout(): { write(line: string): void; flushSync(): void } {
  const stream = pino.destination({ dest: 1, sync: false, minLength: 4096 });
  let planned: NodeJS.Timeout | undefined;
  return {
    write(line) {
      stream.write(line);
      planned ??= setTimeout(() => {
        planned = undefined;
        stream.flush();
      }, LATEST_MS);
    },
    flushSync() {
      clearTimeout(planned);
      stream.flushSync();
    },
  };
}

/** `12:34:56 info  message  key=value key=value` */
function lineForPeople(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const rest = Object.entries(fields)
    .map(([key, value]) => `${key}=${printable(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join(' ');
  return `${String(time).slice(11, 19)} ${String(level).padEnd(7)} ${printable(String(msg), 2000)}${rest === '' ? '' : `  ${rest}`}\n`;
}
