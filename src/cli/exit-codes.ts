/** How every command ends (design: command line). */
export const exitCodes = {
  done: 0,
  /** The thing asked about failed: script error, lint errors, invalid configuration, the daemon answered with an error. */
  failed: 1,
  /** `hsh` only: the script does not compile. */
  doesNotCompile: 2,
  usage: 64,
  unreachable: 69,
  internal: 70,
} as const;
