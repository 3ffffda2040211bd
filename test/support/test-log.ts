// A log that keeps its lines.

import type { Logger } from '../../src/log/logger.js';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export class TestLog implements Logger {
  readonly lines: LogLine[] = [];
  debug = this.#adder('debug');
  info = this.#adder('info');
  warn = this.#adder('warn');
  error = this.#adder('error');

  #adder(level: LogLine['level']) {
    return (fields: object, message: string) => {
      this.lines.push({ level, fields: fields as Readonly<Record<string, unknown>>, message });
    };
  }

  /** Its lines are kept here, with the fields in front. */
  child(fields: object): Logger {
    const child = new TestLog();
    for (const level of ['debug', 'info', 'warn', 'error'] as const)
      child[level] = (more, message) => this[level]({ ...fields, ...more }, message);
    return child;
  }

  isDebugEnabled(): boolean {
    return true;
  }
}
