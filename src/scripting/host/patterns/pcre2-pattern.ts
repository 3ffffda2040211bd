// A pattern that PCRE2 runs, with its limits on every match.

import { type CompiledPattern, PatternError, PatternLimitError } from '#lang';
import {
  badEscapeIsLiteral,
  compileOption,
  type MatchLimits,
  type MatchResult,
  type NativePattern,
  type PatternLibrary,
} from '../../../native/index.js';

/** What each flag letter is to PCRE2 (hsl-language 7.3). `u` is UTF-8 alone: `\w` and `\d` stay ASCII. */
const optionOfFlag: Readonly<Record<string, number>> = {
  i: compileOption.caseless,
  m: compileOption.multiline,
  s: compileOption.dotAll,
  x: compileOption.extended,
  u: compileOption.utf,
  U: compileOption.ungreedy,
};

/** Compiles by PCRE2. @throws PatternError */
export function pcre2Pattern(
  library: PatternLibrary,
  limits: MatchLimits,
  source: string,
  flags: string,
): CompiledPattern {
  let options = 0;
  for (const flag of flags) options |= optionOfFlag[flag] ?? 0;
  // X asks for an error where an escape means nothing; without it `\j` is a j.
  const made = library.compile(source, options, flags.includes('X') ? 0 : badEscapeIsLiteral, limits);
  if ('message' in made)
    throw new PatternError(
      `${made.message} at byte ${made.offset} of the pattern ${shown(source)}`,
      made.offset,
    );
  return new Pcre2Pattern(source, flags, made, limits);
}

class Pcre2Pattern implements CompiledPattern {
  readonly engine = 'pcre2';
  readonly groupCount: number;
  readonly names: CompiledPattern['names'];
  readonly #native: NativePattern;
  readonly #limits: MatchLimits;

  constructor(
    readonly source: string,
    readonly flags: string,
    native: NativePattern,
    limits: MatchLimits,
  ) {
    this.#native = native;
    this.#limits = limits;
    this.groupCount = native.groupCount;
    this.names = native.names;
  }

  exec(subject: string, start: number, notEmpty = false): ArrayLike<number> | undefined {
    const result = this.#native.exec(subject, start, notEmpty);
    if (result === 'match') return this.#native.offsets;
    if (result === 'none') return undefined;
    throw this.#stopped(result, subject);
  }

  test(subject: string): boolean {
    const result = this.#native.exec(subject, 0, false);
    if (result === 'match') return true;
    if (result === 'none') return false;
    throw this.#stopped(result, subject);
  }

  #stopped(limit: Exclude<MatchResult, 'match' | 'none'>, subject: string): PatternLimitError {
    const what = {
      steps: `there are too many ways to try (the limit is ${this.#limits.steps} steps)`,
      memory: `it needs too much memory (the limit is ${this.#limits.heapKibibytes} KiB)`,
      time: `it takes too long (the limit is ${this.#limits.milliseconds} ms)`,
    };
    return new PatternLimitError(
      `matching ${shown(this.source)} against a text of ${subject.length} bytes was stopped: ${what[limit]}. ` +
        'Make repeated parts that can match the same text possessive (a++), or anchor the pattern.',
    );
  }
}

/** A pattern as messages show it, cut when it is long. */
export function shown(source: string): string {
  return source.length > 80 ? `/${source.slice(0, 77)}.../` : `/${source}/`;
}
