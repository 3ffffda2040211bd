// What the owner of a program learns about a script that failed.

import type { Value } from '../values/value.js';

/** One call in progress, innermost first. */
export interface StackEntry {
  /** `greet`, `Counter::inc`; empty for a file's top level. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An exception that nobody caught, or a limit that was reached. */
export class ScriptError {
  constructor(
    readonly message: string,
    /** Where it happened; undefined for an exception that a script made and nothing placed. */
    readonly file: string | undefined,
    readonly line: number | undefined,
    readonly column: number | undefined,
    readonly stack: readonly StackEntry[],
    /** What was thrown; none for a limit. */
    readonly value: Value,
  ) {}

  /** The message, its place, and below it the calls that led there. */
  toText(): string {
    const place = this.file === undefined ? '' : ` (${this.file}:${this.line}:${this.column})`;
    return [`${this.message}${place}`, ...this.stack.map(stackLine)].join('\n');
  }
}

/** `    at name (file:line:column)`. */
export function stackLine(entry: StackEntry): string {
  const place = `${entry.file}:${entry.line}:${entry.column}`;
  return entry.name === '' ? `    at ${place}` : `    at ${entry.name} (${place})`;
}
