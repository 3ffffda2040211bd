// Exceptions: what is thrown inside the VM, how it becomes an HSL exception with its place, and how frames are unwound to
// the handler that takes it.

import { HANDLER_WORDS, HandlerKind, LINE_WORDS } from '../bytecode/function-code.js';
import { WORDS } from '../bytecode/opcodes.js';
import { PatternError, PatternLimitError } from '../host.js';
import { toText } from '../values/convert.js';
import { ScriptFault } from '../values/script-fault.js';
import { textToBytes } from '../values/text.js';
import type { Value } from '../values/value.js';
import { exceptionState, newException } from './exception.js';
import { AWAY, Cancelled, type ExecutionResult, type Fiber, NOT_WORKING } from './fiber.js';
import type { Frame } from './frame.js';
import { LimitReached } from './limits.js';
import { ScriptError, type StackEntry } from './script-error.js';
import { continueSteps, deliver } from './steps.js';

/** A script's exception on its way to a handler. */
export class Thrown {
  /** Where it was thrown, once somebody may need it. */
  stack: readonly StackEntry[] | undefined = undefined;
  constructor(readonly value: Value) {}
}

/** An action that ends the script, on its way through the handlers that clean up. */
export class Ended {
  constructor(
    readonly action: string,
    readonly outcome: unknown,
  ) {}
}

// --- Places -----------------------------------------------------------------------------------------------------

function entryAt(frame: Frame, pc: number): StackEntry {
  const { lines, name } = frame.fn.source;
  let low = 0;
  let high = lines.length / LINE_WORDS - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle * LINE_WORDS]! <= pc) low = middle;
    else high = middle - 1;
  }
  const row = low * LINE_WORDS;
  const { files } = frame.instance!.prepared.program;
  const file = files[lines[row + 1] ?? frame.fn.source.file] ?? '';
  return { name, file, line: lines[row + 2] ?? 0, column: lines[row + 3] ?? 0 };
}

function isScript(frame: Frame): boolean {
  return frame.steps === undefined;
}

/** The script's calls in progress, innermost first. Frames have their pc behind the instruction they are in. */
export function captureStack(fiber: Fiber): readonly StackEntry[] {
  const stack: StackEntry[] = [];
  for (let frame = fiber.frame; frame !== undefined; frame = frame.previous)
    if (isScript(frame)) stack.push(entryAt(frame, frame.pc - WORDS));
  return stack;
}

function currentPlace(fiber: Fiber): StackEntry | undefined {
  for (let frame = fiber.frame; frame !== undefined; frame = frame.previous)
    if (isScript(frame)) return entryAt(frame, frame.pc - WORDS);
  return undefined;
}

/** A runtime error here and now, as the Exception object that a script can catch. */
function placedException(fiber: Fiber, message: string): Thrown {
  const place = currentPlace(fiber);
  return new Thrown(newException(message, place?.file, place?.line, place?.column));
}

/** The end by a limit, placed where the script is. */
export function failure(fiber: Fiber, message: string): ExecutionResult {
  const stack = captureStack(fiber);
  const place = stack[0];
  return {
    kind: 'failed',
    error: new ScriptError(message, place?.file, place?.line, place?.column, stack, null),
  };
}

function uncaught(thrown: Thrown): ExecutionResult {
  const { value } = thrown;
  const stack = thrown.stack ?? [];
  const state = exceptionState(value);
  const place = state?.file === undefined ? stack[0] : state;
  const message = state === undefined ? toText(value) : state.message;
  return {
    kind: 'failed',
    error: new ScriptError(message, place?.file, place?.line, place?.column, stack, value),
  };
}

// --- Unwinding --------------------------------------------------------------------------------------------------

/**
 * Finds the handler for what was thrown and makes its frame the topmost, or ends the execution.
 * @returns whether the interpreter goes on
 */
export function recover(fiber: Fiber, error: unknown): boolean {
  let signal: unknown = error;
  fiber.working = NOT_WORKING;
  for (;;) {
    const thrown = asSignal(fiber, signal);
    if (thrown instanceof LimitReached) {
      fiber.finish(failure(fiber, thrown.message));
      return false;
    }
    if (thrown instanceof Cancelled) {
      fiber.finish({ kind: 'cancelled', reason: thrown.reason });
      return false;
    }
    if (!(thrown instanceof Thrown || thrown instanceof Ended)) {
      fiber.crash(signal);
      return false;
    }
    try {
      return unwind(fiber, thrown);
    } catch (next) {
      // A builtin that was unwound threw in its turn: that is what goes on.
      signal = next;
    }
  }
}

/** Errors of builtins, values and the JavaScript engine as exceptions of the script; everything else as it is. */
function asSignal(fiber: Fiber, error: unknown): unknown {
  if (error instanceof ScriptFault || error instanceof PatternLimitError || error instanceof PatternError)
    return placedException(fiber, asBytes(error.message));
  if (error instanceof RangeError) {
    if (/call stack/.test(error.message)) return placedException(fiber, 'the value is nested too deeply');
    if (/Invalid (string|array) length/.test(error.message))
      return placedException(fiber, 'the value is too large');
    if (/Map maximum size|Set maximum size/.test(error.message))
      return placedException(fiber, 'the array has too many elements');
  }
  return error;
}

/** Messages are texts with bytes of the script in them: what is no byte becomes UTF-8, bytes stay. */
function asBytes(message: string): string {
  return message.replace(/[^\x00-\xff]+/g, (text) => textToBytes(text));
}

function unwind(fiber: Fiber, signal: Thrown | Ended): boolean {
  if (signal instanceof Thrown && signal.stack === undefined && !endsInCatch(fiber))
    signal.stack = captureStack(fiber);
  for (let frame = fiber.frame; frame !== undefined; frame = frame.previous) {
    fiber.frame = frame;
    if (frame.steps !== undefined) {
      if (throughBuiltin(fiber, frame, signal)) return true;
      continue;
    }
    const row = findHandler(frame, signal instanceof Thrown);
    if (row !== -1) {
      const { handlers } = frame.fn;
      frame.pc = handlers[row + 2]!;
      const isCatch = handlers[row + 4] === HandlerKind.Catch;
      const held = isCatch ? (signal as Thrown).value : (signal as unknown as Value);
      fiber.registers[frame.base + handlers[row + 3]!] = held;
      return true;
    }
    frame.generator?.finish();
  }
  fiber.finish(
    signal instanceof Ended
      ? { kind: 'ended', action: signal.action, outcome: signal.outcome }
      : uncaught(signal),
  );
  return false;
}

/** Lets a builtin that waits for the frame above see the exception. @returns whether it took it and the fiber goes on */
function throughBuiltin(fiber: Fiber, frame: Frame, signal: Thrown | Ended): boolean {
  const steps = frame.steps!;
  let result: Value;
  try {
    if (signal instanceof Ended) {
      steps.return(null);
      fiber.frame = frame.previous;
      return false;
    }
    result = continueSteps(fiber, frame, signal, true);
  } catch (error) {
    fiber.frame = frame.previous;
    if (error === signal) return false;
    throw error;
  }
  if (result !== AWAY) deliver(fiber, frame.result, result);
  return true;
}

function findHandler(frame: Frame, isException: boolean): number {
  const { handlers } = frame.fn;
  const pc = frame.pc - WORDS;
  for (let row = 0; row < handlers.length; row += HANDLER_WORDS) {
    const covers = pc >= handlers[row]! && pc < handlers[row + 1]!;
    if (covers && (isException || handlers[row + 4] === HandlerKind.Cleanup)) return row;
  }
  return -1;
}

/** True when the first thing on the way that would see an exception is a script's `catch`: then nobody asks for the stack. */
function endsInCatch(fiber: Fiber): boolean {
  for (let frame = fiber.frame; frame !== undefined; frame = frame.previous) {
    if (frame.steps !== undefined) return false;
    const row = findHandler(frame, true);
    if (row !== -1) return frame.fn.handlers[row + 4] === HandlerKind.Catch;
  }
  return false;
}
