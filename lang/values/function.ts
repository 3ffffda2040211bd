// Function values: script functions and closures, bound methods, builtins and classes used as values. One class, told
// apart by `target`, so that a call site sees one shape.

import type { Value } from './value.js';

/** Anything a script can call. Made by the VM only; everybody else passes it on or asks the VM to call it. */
export class HslFunction {
  constructor(
    /** What runs: the VM's business (function code, builtin declaration, class). */
    readonly target: unknown,
    /** The name it was declared with; empty for anonymous functions. */
    readonly name: string,
    /** Captured variables of a closure, or undefined. */
    readonly captures: readonly unknown[] | undefined,
    /** `$this` of a bound method, or undefined. */
    readonly self: Value | undefined,
  ) {}
}
