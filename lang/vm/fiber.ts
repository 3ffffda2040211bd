// A fiber: one execution's stack of frames and registers, what it waits for, what it owns, what it has used up. It runs in
// interpreter.ts; here is what must survive between two stretches of running.
//
//   running ──suspend──► suspended ──resumed──► running ──finish──► done
//      └──────────────────── finish ────────────────────────────────►
//   suspended ──cancel, time limit──► done
//
// It is also the context that builtins are called with.

import type { Program } from '../bytecode/function-code.js';
import type { CallContext, NativeClass } from '../declare.js';
import type { RunHost } from '../host.js';
import { HslArray } from '../values/array.js';
import { toText } from '../values/convert.js';
import { BYTES_PER_ELEMENT, type Meter } from '../values/meter.js';
import { HslObject, HslResource } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import type { Value } from '../values/value.js';
import { Frame, FrameMode, TO_BUILTIN } from './frame.js';
import { interpret } from './interpreter.js';
import { LimitReached, type Limits, MAX_LOOKS, SLICE_SECONDS, SLICE_UNITS } from './limits.js';
import { measureMemory } from './memory.js';
import { type PreparedProgram, ProgramInstance, prepare } from './prepared.js';
import type { ScriptError } from './script-error.js';
import { captureStack, failure } from './throw.js';

/** How an execution ended. */
export type ExecutionResult =
  | { readonly kind: 'finished' }
  /** A builtin declared `ends` was called: its name and what it returned. */
  | { readonly kind: 'ended'; readonly action: string; readonly outcome: unknown }
  | { readonly kind: 'failed'; readonly error: ScriptError }
  | { readonly kind: 'cancelled'; readonly reason: string };

/** What a call gives instead of a value when the value comes later: frames changed, or the fiber was suspended. */
export const AWAY: Value = new HslResource('away', undefined);

/** What `working` is while no builtin works. */
export const NOT_WORKING = -1;

/** Shorter results of builtins are not worth counting. */
const LARGE_TEXT = 256;

export const enum FiberStatus {
  Running,
  Suspended,
  Done,
}

/** Thrown inside the VM when the execution is cancelled while it runs. */
export class Cancelled {
  constructor(readonly reason: string) {}
}

interface Stack {
  readonly registers: (Value | undefined)[];
  readonly first: Frame;
}

// A stack costs more to make than a short script to run, so they are used again.
const spareStacks: Stack[] = [];
const MAX_SPARE_STACKS = 64;
const MAX_SPARE_REGISTERS = 1024;
const FIRST_REGISTERS = 64;

function takeStack(): Stack {
  const spare = spareStacks.pop();
  if (spare !== undefined) return spare;
  const registers: (Value | undefined)[] = [];
  for (let i = 0; i < FIRST_REGISTERS; i++) registers.push(undefined);
  return { registers, first: new Frame(undefined, 0) };
}

function giveBack(stack: Stack): void {
  if (spareStacks.length >= MAX_SPARE_STACKS || stack.registers.length > MAX_SPARE_REGISTERS) return;
  stack.registers.fill(undefined);
  for (let frame: Frame | undefined = stack.first; frame !== undefined; frame = frame.next) {
    frame.reset();
    frame.instance = undefined;
  }
  spareStacks.push(stack);
}

// Which turn of the event loop this is, counted while fibers wait.
let turn = 0;
let isTurnCounted = false;

function currentTurn(host: RunHost): number {
  if (!isTurnCounted) {
    isTurnCounted = true;
    host.nextTurn(() => {
      isTurnCounted = false;
      turn++;
    });
  }
  return turn;
}

const FINISHED: ExecutionResult = { kind: 'finished' };

export class Fiber implements CallContext, Meter {
  status: FiberStatus = FiberStatus.Running;
  readonly registers: (Value | undefined)[];
  /** The topmost frame; undefined before the first and after the last. */
  frame: Frame | undefined = undefined;
  readonly instance: ProgramInstance;
  readonly startedAt: number;
  /** The native object whose method was called last; for methods that return it. */
  receiver: HslObject | undefined = undefined;
  result: ExecutionResult | undefined = undefined;
  /** A fault of ours or of the host: run() throws it. */
  internalError: unknown = undefined;
  hasInternalError = false;

  /** What the fiber waited for is here: the interpreter hands it over before it goes on. */
  delivery: { readonly value: unknown; readonly failed: boolean } | undefined = undefined;
  /** Register that gets the delivery, or TO_BUILTIN. */
  awaitRegister = TO_BUILTIN;

  /** Bytes allocated since the last measurement, which it started from. */
  allocated = 0;
  memoryThreshold: number;
  /**
   * Bytes that the builtin in progress has counted: what it makes is in no register yet, so a measurement does not see it.
   * NOT_WORKING while the script runs.
   */
  working = NOT_WORKING;
  outputBytes = 0;

  readonly #stack: Stack;
  readonly #prepared: PreparedProgram;
  #module = 0;
  #waitToken = 0;
  #cancelWait: (() => void) | undefined = undefined;
  #cancelTimer: (() => void) | undefined = undefined;
  #cancelRequest: Cancelled | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #owned: Set<{ release(): void }> | undefined = undefined;
  #heldLocks: Set<string> | undefined = undefined;
  #barriers: Set<string> | undefined = undefined;
  #instructions = 0;
  #looks = 0;
  #sliceStart: number;
  /** The turn of the event loop in which it was suspended. */
  #turn = 0;
  #onDone: ((fiber: Fiber) => void) | undefined = undefined;
  /** The registers of the entry file's variables, as they were at the end. */
  #lastVariables: readonly (Value | undefined)[] = [];

  constructor(
    program: Program,
    readonly host: RunHost,
    readonly limits: Limits,
    readonly services: unknown,
  ) {
    this.#prepared = prepare(program);
    this.instance = new ProgramInstance(this.#prepared);
    this.memoryThreshold = limits.memory;
    this.#stack = takeStack();
    this.registers = this.#stack.registers;
    this.startedAt = host.clock.monotonic();
    this.#sliceStart = this.startedAt;
  }

  // --- Running ----------------------------------------------------------------------------------------------------

  /** Runs until it is done or suspended. */
  start(): void {
    if (this.#cancelRequest !== undefined) {
      this.finish({ kind: 'cancelled', reason: this.#cancelRequest.reason });
      return;
    }
    this.#pushModule();
    interpret(this);
  }

  /** Calls `action` when it is done. */
  onDone(action: (fiber: Fiber) => void): void {
    this.#onDone = action;
  }

  #pushModule(): void {
    const program = this.#prepared.program;
    const fn = this.#prepared.functions[program.modules[this.#module]!.main]!;
    const frame = this.#stack.first;
    frame.reset();
    frame.fn = fn;
    frame.instance = this.instance;
    frame.base = 0;
    frame.pc = 0;
    frame.mode = FrameMode.Special;
    frame.result = TO_BUILTIN;
    this.reserve(fn.registerCount);
    this.registers.fill(undefined, fn.clearFrom, fn.clearTo);
    this.frame = frame;
  }

  /** A file's top level has ended: the next file's, or the end. */
  moduleEnded(): void {
    this.#module++;
    if (this.#module < this.#prepared.program.modules.length) this.#pushModule();
    else this.finish(FINISHED);
  }

  /** Makes room for registers below `size`. */
  reserve(size: number): void {
    const registers = this.registers;
    while (registers.length < size) registers.push(undefined);
  }

  /** The frame above `frame`, ready for a plain call. @throws ScriptFault when calls are too deep */
  above(frame: Frame): Frame {
    if (frame.depth >= this.limits.depth)
      throw new ScriptFault(`calls are nested more than ${this.limits.depth} deep`);
    let next = frame.next;
    if (next === undefined) {
      next = new Frame(frame, frame.depth + 1);
      frame.next = next;
    } else if (next.mode !== FrameMode.Plain) next.reset();
    return next;
  }

  // --- Waiting ----------------------------------------------------------------------------------------------------

  /** Waits for a promise; its value goes to `register`. */
  suspend(promise: Promise<unknown>, register: number, cancelWait?: () => void): Value {
    if (this.isAtomic()) {
      promise.catch(() => {});
      cancelWait?.();
      throw new ScriptFault('a function called while a key of the shared memory is locked must not wait');
    }
    if (this.#cancelRequest !== undefined) {
      promise.catch(() => {});
      throw this.#cancelRequest;
    }
    this.status = FiberStatus.Suspended;
    this.#turn = currentTurn(this.host);
    this.awaitRegister = register;
    this.#cancelWait = cancelWait;
    this.#startTimer();
    const token = ++this.#waitToken;
    promise.then(
      (value) => this.#resume(token, { value, failed: false }),
      (error: unknown) => this.#resume(token, { value: error, failed: true }),
    );
    return AWAY;
  }

  /** Lets the event loop turn in the middle of a builtin when it is time. @returns AWAY then, else none */
  pause(): Value {
    if (this.#cancelRequest !== undefined) throw this.#cancelRequest;
    const now = this.host.clock.monotonic();
    if (now - this.startedAt > this.limits.time) throw new LimitReached(this.#timeMessage());
    if (now - this.#sliceStart < SLICE_SECONDS || this.isAtomic()) return null;
    this.delivery = { value: null, failed: false };
    this.awaitRegister = TO_BUILTIN;
    this.#waitForTurn();
    return AWAY;
  }

  /** True while some builtin below holds a lock over the call it makes. */
  isAtomic(): boolean {
    for (let frame = this.frame; frame !== undefined; frame = frame.previous) if (frame.atomic) return true;
    return false;
  }

  #resume(token: number, delivery: NonNullable<Fiber['delivery']>): void {
    if (token !== this.#waitToken || this.status !== FiberStatus.Suspended) return;
    this.#cancelWait = undefined;
    this.delivery = delivery;
    if (this.#turn !== currentTurn(this.host)) this.#goOn();
    // What was known at once took no turn of the loop: a script that asks for such things for ever must not keep it.
    else if (this.host.clock.monotonic() - this.#sliceStart >= SLICE_SECONDS) this.#waitForTurn();
    else {
      this.status = FiberStatus.Running;
      interpret(this);
    }
  }

  /** Runs on, in a slice of its own. */
  #goOn(): void {
    this.status = FiberStatus.Running;
    this.#looks = 0;
    this.#sliceStart = this.host.clock.monotonic();
    if (this.#sliceStart - this.startedAt > this.limits.time) this.#timeIsUp();
    else interpret(this);
  }

  /** Goes on when the event loop has turned. */
  #waitForTurn(): void {
    this.status = FiberStatus.Suspended;
    const token = ++this.#waitToken;
    this.#startTimer();
    this.host.nextTurn(() => {
      if (token === this.#waitToken && this.status === FiberStatus.Suspended) this.#goOn();
    });
  }

  // The clock of the wall runs while the fiber waits; the timer is made on the first wait and lasts.
  #startTimer(): void {
    if (this.#cancelTimer !== undefined || this.limits.time === Number.POSITIVE_INFINITY) return;
    const left = this.startedAt + this.limits.time - this.host.clock.monotonic();
    this.#cancelTimer = this.host.after?.(Math.max(0, left), () => {
      if (this.status === FiberStatus.Suspended) this.#timeIsUp();
    });
  }

  #timeIsUp(): void {
    this.finish(failure(this, this.#timeMessage()));
  }

  #timeMessage(): string {
    return `the script ran longer than ${this.limits.time} seconds`;
  }

  /** Every SLICE_UNITS instructions: counts, looks at the clock, lets the event loop turn when it is time. The frame's pc is stored. */
  look(): void {
    if (this.#cancelRequest !== undefined) throw this.#cancelRequest;
    this.#instructions += SLICE_UNITS;
    if (this.#instructions > this.limits.instructions)
      throw new LimitReached(`the script ran more than ${this.limits.instructions} instructions`);
    const now = this.host.clock.monotonic();
    if (now - this.startedAt > this.limits.time) throw new LimitReached(this.#timeMessage());
    this.#looks++;
    if ((now - this.#sliceStart < SLICE_SECONDS && this.#looks < MAX_LOOKS) || this.isAtomic()) return;
    this.#waitForTurn();
  }

  // --- Ending -----------------------------------------------------------------------------------------------------

  /** Stops it: at once if it waits, else at the next turn of a loop or wait. */
  cancel(reason: string): void {
    if (this.status === FiberStatus.Done) return;
    if (this.status === FiberStatus.Running) {
      this.#cancelRequest ??= new Cancelled(reason);
      this.#abort?.abort(reason);
      return;
    }
    this.finish({ kind: 'cancelled', reason });
  }

  /** Ends it: gives up what it waits for, releases what it holds, tells whoever waits for it. */
  finish(result: ExecutionResult): void {
    if (this.status === FiberStatus.Done) return;
    const wasWaiting = this.status === FiberStatus.Suspended;
    this.result = result;
    this.status = FiberStatus.Done;
    this.#waitToken++;
    this.#cancelTimer?.();
    if (wasWaiting) {
      this.#abort ??= new AbortController();
      this.#abort.abort(result.kind === 'cancelled' ? result.reason : 'the execution ended');
      this.#cancelWait?.();
    }
    this.#leaveBuiltins();
    this.#release();
    this.#keepVariables();
    this.frame = undefined;
    giveBack(this.#stack);
    this.#onDone?.(this);
  }

  /** Ends it with a fault that is not the script's. */
  crash(error: unknown): void {
    this.hasInternalError = true;
    this.internalError = error;
    this.finish(FINISHED);
  }

  // Builtins that wait for a script function get the chance to run their `finally`.
  #leaveBuiltins(): void {
    for (let frame = this.frame; frame !== undefined; frame = frame.previous)
      if (frame.steps !== undefined) this.#guard(() => frame.steps!.return(null));
  }

  #release(): void {
    if (this.#barriers !== undefined)
      for (const name of this.#barriers) this.#guard(() => this.host.memory.unlock(name));
    this.#barriers = undefined;
    const owned = this.#owned;
    this.#owned = undefined;
    if (owned !== undefined) for (const resource of owned) this.#guard(() => resource.release());
  }

  // One release that fails must not keep the others from being released; the first failure is reported.
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!this.hasInternalError) {
        this.hasInternalError = true;
        this.internalError = error;
      }
    }
  }

  // --- Variables --------------------------------------------------------------------------------------------------

  // The stack goes to the next execution.
  #keepVariables(): void {
    const { modules } = this.#prepared.program;
    const entry = modules.length - 1;
    if (this.#module < entry) return;
    const { locals } = this.#prepared.functions[modules[entry]!.main]!.source;
    if (locals.length > 0) this.#lastVariables = this.registers.slice(0, locals.length);
  }

  /** One of the entry file's variables; complete once it is done. */
  variable(name: string): Value | undefined {
    const { modules, globals } = this.#prepared.program;
    const entry = modules.length - 1;
    const register = this.#prepared.functions[modules[entry]!.main]!.source.locals.indexOf(name);
    if (register !== -1) return this.#lastVariables[register];
    const slot = globals.findIndex((global) => global.name === name && global.module === entry);
    return slot === -1 ? undefined : this.instance.globals[slot];
  }

  /** The entry file's variables; complete once it is done. */
  globals(): ReadonlyMap<string, Value> {
    const found = new Map<string, Value>();
    const { modules, globals } = this.#prepared.program;
    const entry = modules.length - 1;
    globals.forEach((global, slot) => {
      const value = this.instance.globals[slot];
      if (global.module === entry && value !== undefined && !global.name.includes('::'))
        found.set(global.name, value);
    });
    const { locals } = this.#prepared.functions[modules[entry]!.main]!.source;
    this.#lastVariables.forEach((value, register) => {
      const name = locals[register];
      if (name !== undefined && name !== '' && value !== undefined) found.set(name, value);
    });
    return found;
  }

  // --- What builtins see ------------------------------------------------------------------------------------------

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  own(resource: { release(): void }): void {
    this.#owned ??= new Set();
    this.#owned.add(resource);
  }

  disown(resource: { release(): void }): void {
    this.#owned?.delete(resource);
  }

  get heldLocks(): Set<string> {
    this.#heldLocks ??= new Set();
    return this.#heldLocks;
  }

  /** Barriers that this execution is inside of. */
  get barriers(): Set<string> {
    this.#barriers ??= new Set();
    return this.#barriers;
  }

  charge(bytes: number): void {
    this.allocated += bytes;
    if (this.working >= 0) this.working += bytes;
    if (this.allocated > this.memoryThreshold) this.overThreshold();
  }

  /** So much has been allocated that it is worth looking how much of it is still alive. */
  overThreshold(): void {
    const limit = this.limits.memory;
    const requested = Math.max(0, this.allocated - this.memoryThreshold);
    const alive = requested > limit ? requested : measureMemory(this) + Math.max(0, this.working);
    if (alive > limit)
      throw new LimitReached(`the script uses more than ${limit} bytes of memory for strings and arrays`);
    this.allocated = alive;
    this.memoryThreshold = Math.max(limit, alive + limit / 8);
  }

  /** A builtin is done: what it gives is the script's, and counts whether or not the builtin counted it. */
  handOver(value: Value): void {
    this.working = NOT_WORKING;
    if (typeof value === 'string') {
      if (value.length >= LARGE_TEXT) this.charge(value.length);
    } else if (value instanceof HslArray) this.charge(value.length * BYTES_PER_ELEMENT);
  }

  toText(value: Value): string {
    return toText(value);
  }

  instantiate<Self>(of: NativeClass<Self>, self: Self): HslObject {
    return new HslObject(of, undefined, self);
  }

  /** Prints one line of output. */
  echo(text: string): void {
    this.outputBytes += text.length + 1;
    if (this.outputBytes > this.limits.output)
      throw new LimitReached(`the script printed more than ${this.limits.output} bytes`);
    this.host.echo(text);
  }

  /** The calls in progress, innermost first. */
  get stack(): ReturnType<typeof captureStack> {
    return captureStack(this);
  }
}
