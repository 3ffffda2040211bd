// The daemon's log: pino's JSON lines on stdout, or short lines for a person when stdout is a terminal. What gets in
// is decided by severity bits (environment.syslog.mask), as operators know them from syslog.

import { pino } from 'pino';
import { LineWriter } from './line-writer.js';
import type { LogLines } from './log-lines.js';
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

/** Our levels: the word in the line, and the syslog severity each stands for. */
const levels = {
  debug: { word: 'debug', severity: 7 },
  info: { word: 'info', severity: 6 },
  warn: { word: 'warning', severity: 4 },
  error: { word: 'error', severity: 3 },
} as const;
type Level = keyof typeof levels;

export interface LoggerOptions {
  /** Bit n lets severity n through, 0 emergency to 7 debug. */
  readonly mask: number;
  /** Short lines instead of JSON. */
  readonly forPeople: boolean;
  /** Where lines go; stdout unless a test says otherwise. */
  readonly write?: (line: string) => void;
  /** Takes every line too, in JSON, for those who follow the log. */
  readonly lines?: LogLines;
}

/** The open log: lines are buffered a little, so `flush` before the process ends. A process that dies of an error does. */
export interface OpenLog {
  readonly logger: Logger;
  flush(): Promise<void>;
}

export function openLog({ mask, forPeople, write, lines }: LoggerOptions): OpenLog {
  const stdout = write === undefined ? new LineWriter(1) : undefined;
  if (stdout !== undefined) process.once('exit', () => stdout.flushSync());
  const put = write ?? ((line: string) => stdout!.write(line));
  const show = forPeople ? (line: string) => put(lineForPeople(line)) : put;
  const toPut =
    lines === undefined
      ? show
      : (line: string) => {
          show(line);
          lines.put(line);
        };
  const base = pino(
    {
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: levels[label as Level]?.word ?? label }) },
    },
    { write: toPut },
  );
  const lets = (level: Level): boolean => (mask & (1 << levels[level].severity)) !== 0;
  const wrap = (inner: pino.Logger, bound: object): Logger => {
    const say = (level: Level, fields: object, message: string): void => {
      if (!lets(level)) return;
      const line = plainLine(level, bound, fields, message);
      if (line === undefined) inner[level](fields, message);
      else toPut(line);
    };
    return {
      debug: (fields, message) => say('debug', fields, message),
      info: (fields, message) => say('info', fields, message),
      warn: (fields, message) => say('warn', fields, message),
      error: (fields, message) => say('error', fields, message),
      child: (fields) => wrap(inner.child(fields), { ...bound, ...fields }),
      isDebugEnabled: () => lets('debug'),
    };
  };
  return {
    logger: wrap(base, {}),
    flush: () => stdout?.flush() ?? Promise.resolve(),
  };
}

/**
 * The line that pino would write, made by JSON.stringify: 2 µs instead of 10, one twentieth of what taking in a message of
 * 4 KiB costs (test/perf/accept.ts). Undefined for what needs more: errors, and values that JSON cannot say.
 */
function plainLine(level: Level, bound: object, fields: object, message: string): string | undefined {
  if ('err' in fields || 'err' in bound) return undefined;
  try {
    return `${JSON.stringify({ level: levels[level].word, time: isoTime(), ...bound, ...fields, msg: message })}\n`;
  } catch {
    return undefined;
  }
}

let lastMillisecond = -1;
let lastTime = '';

function isoTime(): string {
  const now = Date.now();
  if (now !== lastMillisecond) {
    lastMillisecond = now;
    lastTime = new Date(now).toISOString();
  }
  return lastTime;
}

/** `12:34:56 info  message  key=value key=value` */
function lineForPeople(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const rest = Object.entries(fields)
    .map(([key, value]) => `${key}=${printable(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join(' ');
  return `${String(time).slice(11, 19)} ${String(level).padEnd(7)} ${printable(String(msg), 2000)}${rest === '' ? '' : `  ${rest}`}\n`;
}
