// What the language cannot know and its host supplies. `lang` never reads a clock, a file or a socket itself: a test
// hands in a clock it pushes forward, the daemon hands in the real ones.

import type { Value } from './values/value.js';

/** Time, as scripts see it. */
export interface Clock {
  /** Unix time in seconds, with decimals. */
  now(): number;
  /** Seconds since some fixed moment; never goes back. */
  monotonic(): number;
}

export interface Random {
  /** A decimal, 0 included, 1 excluded. */
  number(): number;
  /** `count` bytes of cryptographic quality, as a byte string. */
  bytes(count: number): string;
}

// --- Patterns ---------------------------------------------------------------------------------------------------

/** A bad pattern: `message` is a sentence, `offset` the byte in the pattern where it went wrong. */
export class PatternError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/** A match stopped at one of its limits; the script gets an exception. */
export class PatternLimitError extends Error {}

/** A compiled pattern; immutable and shared by every execution. */
export interface CompiledPattern {
  readonly source: string;
  readonly flags: string;
  /** Number of capture groups, group 0 not counted. */
  readonly groupCount: number;
  /** Named groups in order of appearance. */
  readonly names: readonly { readonly name: string; readonly group: number }[];
  /** Which engine runs it; for `hsh --dump` and tests. */
  readonly engine: 'v8' | 'pcre2';
  /**
   * The first match at or after byte `start`, as pairs of byte offsets: [start0, end0, start1, end1, …], -1 -1 for a
   * group that took no part; undefined when there is none. With `notEmpty`, an empty match at `start` itself does not
   * count (the loop of pcre_match_all needs that). The result may be reused by the next call: copy what must last.
   * @throws PatternLimitError
   */
  exec(subject: string, start: number, notEmpty?: boolean): ArrayLike<number> | undefined;
  /**
   * What the first match and its groups matched, undefined for a group that took no part: a cheaper form of `exec` where
   * an engine has one. @throws PatternLimitError
   */
  texts?(subject: string): readonly (string | undefined)[] | undefined;
  /** Whether it matches anywhere: the cheap form for `=~`. @throws PatternLimitError */
  test(subject: string): boolean;
}

export interface PatternEngine {
  /** Compiles `source` (without slashes) with flags out of `imsxuUX`; equal arguments give the same object. @throws PatternError */
  compile(source: string, flags: string): CompiledPattern;
}

// --- Compile time -----------------------------------------------------------------------------------------------

/** Text of a script or data file, and the name that makes it the same file wherever it is included from. */
export interface FoundFile {
  /** Canonical name: what messages show and what `include_once` compares. */
  readonly name: string;
  readonly text: string;
}

export interface ModuleSource {
  /**
   * Finds what `include` or `import` names. `path` is as written (`a.hsl`, `./a.hsl`, `file://a`, `extras://x`);
   * `from` is the canonical name of the file that asks.
   * @returns the file, or a sentence that says why not
   */
  find(path: string, from: string): FoundFile | { readonly problem: string };
}

/** Turns a data file into a value at compile time (`import $x from "f.json"`). */
export interface DataLoader {
  /** File endings it serves without a prefix, with the dot: `.json`. */
  readonly extensions: readonly string[];
  /** Option keys it knows in `with [...]`. */
  readonly options: readonly string[];
  /**
   * @returns the value, or a sentence that says what is wrong and, if known, the line in the data file. All executions read
   * the same value; a FreshValue is made anew for each
   */
  load(
    file: FoundFile,
    options: ReadonlyMap<string, Value>,
  ): { readonly value: Value } | { readonly problem: string; readonly line?: number };
}

/** A compiled program's resting place, so that a start with unchanged scripts loads neither parser nor grammar. */
export interface ProgramCache {
  read(key: string): Uint8Array | undefined;
  write(key: string, bytes: Uint8Array): void;
}

export interface CompileHost {
  readonly modules: ModuleSource;
  /** By the name that forces them: `json`, `csv`, `yaml`, `txt`, `eml`, `crt`, `key`. */
  readonly loaders: Readonly<Record<string, DataLoader>>;
  readonly patterns: PatternEngine;
  readonly cache?: ProgramCache;
  /** A hash for cache keys (hex); the host's, so that `lang` needs no crypto. */
  hash(bytes: string): string;
}

// --- Run time ---------------------------------------------------------------------------------------------------

/**
 * The process-wide key/value store behind `memory_*` and `barrier`. One lock per key. Values are stored as they are:
 * arrays must be marked shared by the caller; objects stay references.
 */
export interface SharedMemory {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): boolean;
  /** True when nobody held the lock and the caller has it now. */
  tryLock(key: string): boolean;
  /** Resolves when the caller has the lock; random order among waiters. `cancel` gives the place up. */
  lock(key: string): { readonly granted: Promise<void>; cancel(): void };
  unlock(key: string): void;
  isLocked(key: string): boolean;
}

/** One `cache` bucket holder: namespace and function name make a bucket, the key is made of the arguments. */
export interface CacheEntry {
  readonly value: Value;
  /** On the host's monotonic clock. */
  readonly expires: number;
}

export interface FunctionCache {
  get(bucket: string, key: string): CacheEntry | undefined;
  /** `size` narrows the bucket for good; with `lru` false a full bucket keeps what it has. */
  set(bucket: string, key: string, entry: CacheEntry, size: number, lru: boolean): void;
}

/** What running needs of the world. */
export interface RunHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly patterns: PatternEngine;
  readonly memory: SharedMemory;
  readonly cache: FunctionCache;
  /** One `echo`: the value's text, without a line end. */
  echo(text: string): void;
  /** Lets the event loop turn before a long execution goes on. */
  nextTurn(resume: () => void): void;
  /**
   * Runs `action` once after that time; the result takes it back. Without it an execution that waits notices its time
   * limit only when it goes on.
   */
  after?(seconds: number, action: () => void): () => void;
}
