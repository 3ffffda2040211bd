// Patterns as values: what a pattern literal and `pcre_compile` give is a resource of type Regex around a compiled pattern.

import type { CompiledPattern } from '../host.js';
import { HslResource } from './object.js';
import type { Value } from './value.js';

const REGEX = 'Regex';

/** A compiled pattern as a value. */
export function regexOf(pattern: CompiledPattern): HslResource {
  return new HslResource(REGEX, pattern);
}

/** The compiled pattern inside a Regex value; undefined for any other value. */
export function patternOf(value: Value): CompiledPattern | undefined {
  return value instanceof HslResource && value.type === REGEX
    ? (value.payload as CompiledPattern)
    : undefined;
}

/** A pattern string taken apart: `/body/flags`, or bare (hsl-language 7.3). */
export function splitPattern(text: string): { readonly source: string; readonly flags: string } {
  const delimited = /^\/(.*)\/([imusxUX]*)$/s.exec(text);
  if (delimited === null) return { source: text, flags: '' };
  return { source: delimited[1]!, flags: delimited[2]! };
}
