// What one execution may use at most (design, "Limits of an execution"). Call depth is an exception that a script can
// catch; the others end the execution, because a script that catches them could go on for ever.

/** Every limit can be switched off with Infinity, but for the depth. */
export interface Limits {
  /** Calls inside calls. */
  readonly depth: number;
  /** Bytes of strings and arrays that are alive at a time, roughly. */
  readonly memory: number;
  /** Seconds from start to end, waiting included. */
  readonly time: number;
  /** Bytes of echo. */
  readonly output: number;
  /** Instructions, roughly: counted per turn of a loop and per call. */
  readonly instructions: number;
}

export const DEFAULT_LIMITS: Limits = {
  depth: 512,
  memory: 256 * 1024 * 1024,
  time: 300,
  output: 1024 * 1024,
  instructions: Number.POSITIVE_INFINITY,
};

/** No limits but the call depth: for a command line, where the user is at the keyboard. */
export const DEPTH_ONLY: Limits = {
  depth: DEFAULT_LIMITS.depth,
  memory: Number.POSITIVE_INFINITY,
  time: Number.POSITIVE_INFINITY,
  output: Number.POSITIVE_INFINITY,
  instructions: Number.POSITIVE_INFINITY,
};

/** Thrown inside the VM when a limit is reached; scripts cannot catch it. */
export class LimitReached {
  constructor(readonly message: string) {}
}

/** How long an execution may keep the event loop to itself, in seconds. */
export const SLICE_SECONDS = 0.005;

/** Instructions between two looks at the clock. */
export const SLICE_UNITS = 4096;

/** So many looks at the clock make a turn of the event loop even if the clock stands still. */
export const MAX_LOOKS = 128;

/** What a call counts for. */
export const CALL_UNITS = 8;
