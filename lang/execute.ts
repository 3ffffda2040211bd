// Running a compiled program: one execution per call of `execute`, as many at a time as anybody likes. An execution that
// never waits is over when `run` returns; one that waits gives a promise.

import type { Program } from './bytecode/function-code.js';
import type { RunHost } from './host.js';
import { share } from './values/object.js';
import type { Value } from './values/value.js';
import { type ExecutionResult, Fiber, FiberStatus } from './vm/fiber.js';
import { DEFAULT_LIMITS, type Limits } from './vm/limits.js';

export type { ExecutionResult } from './vm/fiber.js';
export { DEFAULT_LIMITS, DEPTH_ONLY, type Limits } from './vm/limits.js';
export { ScriptError, type StackEntry, stackLine } from './vm/script-error.js';

export interface ExecuteOptions {
  readonly host: RunHost;
  /** Those left out are the defaults. */
  readonly limits?: Partial<Limits>;
  /** Values of the environment's variables, in its order; undefined leaves one undeclared. Arrays are shared, never written to. */
  readonly variables?: readonly (Value | undefined)[];
  /** What builtins find as `services` in their context. */
  readonly services?: unknown;
}

/** One run of a program. */
export class Execution {
  readonly #fiber: Fiber;
  readonly #program: Program;

  constructor(program: Program, options: ExecuteOptions) {
    const limits = options.limits === undefined ? DEFAULT_LIMITS : completed(options.limits);
    this.#program = program;
    this.#fiber = new Fiber(program, options.host, limits, options.services);
    const { variables } = options;
    if (variables === undefined) return;
    const { globals } = this.#fiber.instance;
    for (let slot = 0; slot < variables.length; slot++) {
      const value = variables[slot];
      globals[slot] = value === undefined ? undefined : share(value);
    }
  }

  /**
   * Runs it; to be called once.
   * @returns how it ended, at once if the script never waited
   * @throws what a builtin or the host threw that was no fault of the script
   */
  run(): ExecutionResult | Promise<ExecutionResult> {
    const fiber = this.#fiber;
    fiber.start();
    if (fiber.status === FiberStatus.Done) return resultOf(fiber);
    return new Promise((resolve, reject) => {
      fiber.onDone(() => {
        if (fiber.hasInternalError) reject(fiber.internalError);
        else resolve(fiber.result!);
      });
    });
  }

  /** Stops it: what it waits for is given up, what it holds is released. Scripts cannot catch it. */
  cancel(reason: string): void {
    this.#fiber.cancel(reason);
  }

  /** The value of a predefined variable, else of the entry file's, after the run. */
  variable(name: string): Value | undefined {
    const slot = this.#program.environment.variables.findIndex((variable) => variable.name === name);
    return slot === -1 ? this.#fiber.variable(name) : this.#fiber.instance.globals[slot];
  }

  /** The entry file's variables after the run. */
  globals(): ReadonlyMap<string, Value> {
    return this.#fiber.globals();
  }
}

function resultOf(fiber: Fiber): ExecutionResult {
  if (fiber.hasInternalError) throw fiber.internalError;
  return fiber.result!;
}

/** Those that were given to the execution before, and what they make with the defaults: mostly they are the same. */
let lastGiven: Partial<Limits> = DEFAULT_LIMITS;
let lastCompleted: Limits = DEFAULT_LIMITS;

function completed(limits: Partial<Limits>): Limits {
  if (limits !== lastGiven) {
    lastGiven = limits;
    lastCompleted = { ...DEFAULT_LIMITS, ...limits };
  }
  return lastCompleted;
}

/** Prepares one run of a program. */
export function execute(program: Program, options: ExecuteOptions): Execution {
  return new Execution(program, options);
}
