// PCRE2 as native/patterns.cc offers it, typed. Numbers as in pcre2api(3). What a flag letter means for scripts is the
// pattern engine's business (src/scripting/host/patterns).

/** Options of PCRE2 for compiling, as bits. */
export const compileOption = {
  caseless: 0x00000008,
  dotAll: 0x00000020,
  extended: 0x00000080,
  multiline: 0x00000400,
  ungreedy: 0x00040000,
  utf: 0x00080000,
} as const;

/** PCRE2_EXTRA_BAD_ESCAPE_IS_LITERAL: an escape that means nothing is the letter itself. */
export const badEscapeIsLiteral = 0x00000002;

/** Bounds of one match. */
export interface MatchLimits {
  /** Steps from one place where the match may begin (10 for each byte of the subject come on top). */
  readonly steps: number;
  /** Memory of PCRE2's interpreter, which runs what its JIT cannot. */
  readonly heapKibibytes: number;
  /** Processor time. */
  readonly milliseconds: number;
}

/** A pattern that PCRE2 compiled. */
export interface NativePattern {
  readonly groupCount: number;
  /** In order of appearance. */
  readonly names: readonly { readonly name: string; readonly group: number }[];
  /** Where `exec` leaves the offsets of the last match: pairs, -1 -1 for a group that took no part. */
  readonly offsets: Int32Array;
  /** @returns 'match', 'none', or the limit that stopped it */
  exec(subject: string, start: number, notEmpty: boolean): MatchResult;
}

/** How a match ended: the words after the first two name the limit that was reached. */
export type MatchResult = 'match' | 'none' | 'steps' | 'memory' | 'time';

export interface PatternLibrary {
  /** PCRE2's version and date. */
  readonly version: string;
  /** @returns the pattern, or what is wrong with it and at which byte */
  compile(
    source: string,
    options: number,
    extraOptions: number,
    limits: MatchLimits,
  ): NativePattern | { readonly message: string; readonly offset: number };
}

/** Marks the external value that owns a compiled pattern; only the addon can look inside. */
type Handle = object & { readonly __brand: 'PatternHandle' };

interface Functions {
  readonly version: string;
  compile(
    source: string,
    options: number,
    extraOptions: number,
    steps: number,
    heapKibibytes: number,
    milliseconds: number,
  ):
    | {
        readonly handle: Handle;
        readonly groupCount: number;
        readonly names: { name: string; group: number }[];
        readonly offsets: Int32Array;
      }
    | { readonly message: string; readonly offset: number };
  exec(handle: Handle, subject: string, start: number, options: number, sameSubject: boolean): number;
}

const NOTEMPTY_ATSTART = 0x00000008;
/** From this length on, the next match on the same subject does not copy it again. */
const LONG_SUBJECT_BYTES = 256;

/** Types the addon's object; undefined when it is something else (an older build). */
export function patternLibrary(from: unknown): PatternLibrary | undefined {
  if (!isFunctions(from)) return undefined;
  const functions = from;
  // What the addon's buffer holds, when it is long: `pcre_match_all` asks again and again about one text, and a copy
  // for each match would make it quadratic. Comparing a string with itself costs nothing.
  let lastSubject = '';

  const exec = (handle: Handle, subject: string, start: number, notEmpty: boolean): MatchResult => {
    const options = notEmpty ? NOTEMPTY_ATSTART : 0;
    if (subject.length < LONG_SUBJECT_BYTES) {
      lastSubject = '';
      return resultOf(functions.exec(handle, subject, start, options, false));
    }
    const same = subject === lastSubject;
    lastSubject = '';
    const code = functions.exec(handle, subject, start, options, same);
    lastSubject = subject;
    return resultOf(code);
  };

  return {
    version: functions.version,
    compile(source, options, extraOptions, limits) {
      const made = functions.compile(
        source,
        options,
        extraOptions,
        limits.steps,
        limits.heapKibibytes,
        limits.milliseconds,
      );
      if ('message' in made) return made;
      const handle = made.handle;
      return {
        groupCount: made.groupCount,
        names: made.names.sort((a, b) => a.group - b.group),
        offsets: made.offsets,
        exec: (subject, start, notEmpty) => exec(handle, subject, start, notEmpty),
      };
    },
  };
}

/** What PCRE2's numbers mean to us. */
function resultOf(code: number): MatchResult {
  switch (code) {
    case 1:
      return 'match';
    case 0:
      return 'none';
    case -37: // PCRE2_ERROR_CALLOUT: our clock
      return 'time';
    case -47: // PCRE2_ERROR_MATCHLIMIT
    case -52: // PCRE2_ERROR_RECURSELOOP: would go on for ever
    case -53: // PCRE2_ERROR_DEPTHLIMIT
      return 'steps';
    case -48: // PCRE2_ERROR_NOMEMORY
    case -63: // PCRE2_ERROR_HEAPLIMIT
      return 'memory';
    default:
      throw new Error(`PCRE2 answered ${code} to a match, which we do not expect`);
  }
}

function isFunctions(value: unknown): value is Functions {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as Partial<Functions>;
  return (
    typeof given.compile === 'function' &&
    typeof given.exec === 'function' &&
    typeof given.version === 'string'
  );
}
