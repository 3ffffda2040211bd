// The pattern engine of every host: decides which of the two runs a pattern. The meaning is PCRE2's always; V8 runs
// what is proven to mean the same and to end in time (parse-pattern.ts, prove-safe.ts).

import { type CompiledPattern, type PatternEngine, PatternError } from '#lang';
import { type MatchLimits, native, type Part, type PatternLibrary } from '../../../native/index.js';
import { parsePattern } from './parse-pattern.js';
import { PatternCache } from './pattern-cache.js';
import { pcre2Pattern, shown } from './pcre2-pattern.js';
import { safeSubjectLength } from './prove-safe.js';
import { v8Pattern } from './v8-pattern.js';

export interface PatternEngineOptions {
  /** PCRE2; by default what the installation's addon has. */
  readonly library?: Part<PatternLibrary>;
  readonly limits?: Partial<MatchLimits>;
  /** Compiled patterns kept (longer ones count more). */
  readonly cachedPatterns?: number;
  /** Never V8; tests compare the two. */
  readonly only?: 'pcre2';
}

/** Steps stop exponential patterns in a few milliseconds, time stops what is slow on long texts. */
const defaultLimits: MatchLimits = { steps: 1_000_000, heapKibibytes: 65_536, milliseconds: 250 };

const knownFlags = 'imsxuUX';

/** The engine of this process, shared by all hosts: one cache of patterns. */
export function sharedPatternEngine(): PatternEngine {
  shared ??= createPatternEngine();
  return shared;
}

let shared: PatternEngine | undefined;

/** Makes an engine with a cache of its own. */
export function createPatternEngine(options: PatternEngineOptions = {}): PatternEngine {
  const library = options.library ?? native().patterns;
  const limits = { ...defaultLimits, ...options.limits };
  const cache = new PatternCache(options.cachedPatterns ?? 1000);

  const compile = (source: string, flags: string): CompiledPattern => {
    const byPcre2 =
      library.kind === 'available' ? () => pcre2Pattern(library.part, limits, source, flags) : undefined;
    // What is proven to end in time goes without the clock, which is looked at wherever a match may begin.
    const untimed =
      library.kind === 'available'
        ? () => pcre2Pattern(library.part, { ...limits, milliseconds: 0 }, source, flags)
        : undefined;
    if (options.only !== 'pcre2' || byPcre2 === undefined) {
      const tree = parsePattern(source, flags);
      const longest = tree === undefined ? undefined : safeSubjectLength(tree);
      if (tree !== undefined && longest !== undefined)
        return v8Pattern(source, flags, tree, longest, { timed: byPcre2, untimed });
    }
    if (byPcre2 !== undefined) return byPcre2();
    const why = library.kind === 'missing' ? library.problem : '';
    throw new PatternError(`the pattern ${shown(source)} needs PCRE2, but ${why}`, 0);
  };

  return {
    compile(source, flags) {
      const known = cache.get(source, flags);
      if (known !== undefined) return known;
      for (const flag of flags)
        if (!knownFlags.includes(flag))
          throw new PatternError(
            `unknown pattern flag "${flag}"; the flags are i m s x u U X`,
            source.length,
          );
      const pattern = compile(source, flags);
      cache.set(pattern);
      return pattern;
    },
  };
}
