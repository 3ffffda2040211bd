// Builtins that call script functions or wait in the middle: they are JavaScript generators, driven by a frame of their own,
// so that a suspend inside a callback crosses them (vm-design 12). Here their requests are served and results handed to them.

import type { BuiltinRequest, BuiltinSteps, CallRequest } from '../declare.js';
import { share } from '../values/object.js';
import type { Value } from '../values/value.js';
import { invoke } from './call.js';
import { AWAY, Cancelled, type Fiber, NOT_WORKING } from './fiber.js';
import { type Frame, FrameMode, NO_FUNCTION, TO_BUILTIN } from './frame.js';
import { LimitReached } from './limits.js';
import { Ended } from './throw.js';

/** Starts a builtin's steps in a frame above the caller's. @returns its value, or AWAY */
export function beginSteps(fiber: Fiber, steps: BuiltinSteps<Value>, result: number): Value {
  const caller = fiber.frame!;
  const frame = fiber.above(caller);
  frame.fn = NO_FUNCTION;
  frame.instance = caller.instance;
  frame.base = caller.top;
  frame.mode = FrameMode.Special;
  frame.result = result;
  frame.steps = steps;
  fiber.frame = frame;
  return continueSteps(fiber, frame, undefined, false);
}

/** Hands a value or an error to a builtin and serves its requests until it must wait. @returns its value, or AWAY */
export function continueSteps(fiber: Fiber, frame: Frame, input: unknown, failed: boolean): Value {
  const steps = frame.steps!;
  frame.atomic = false;
  fiber.frame = frame;
  if (fiber.working < 0) fiber.working = 0;
  let step = failed ? steps.throw(input) : steps.next(input as never);
  for (;;) {
    if (step.done === true) {
      fiber.frame = frame.previous;
      const value = step.value ?? null;
      fiber.handOver(value);
      return value;
    }
    const request = step.value;
    let value: Value;
    try {
      value = serve(fiber, frame, request);
    } catch (error) {
      fiber.frame = frame;
      if (error instanceof LimitReached || error instanceof Ended || error instanceof Cancelled) throw error;
      frame.atomic = false;
      step = steps.throw(error);
      continue;
    }
    if (value === AWAY) return AWAY;
    frame.atomic = false;
    if (fiber.working < 0) fiber.working = 0;
    step = steps.next(value as never);
  }
}

function serve(fiber: Fiber, frame: Frame, request: BuiltinRequest): Value {
  switch (request.kind) {
    case 'call':
      return callFromBuiltin(fiber, frame, request);
    case 'wait':
      return fiber.suspend(request.promise, TO_BUILTIN);
    case 'pause':
      return fiber.pause();
  }
}

function callFromBuiltin(fiber: Fiber, frame: Frame, request: CallRequest): Value {
  frame.atomic = request.atomic === true;
  fiber.working = NOT_WORKING;
  // The builtin may have taken the arguments from an array it was lent.
  for (const value of request.args) share(value);
  return invoke(fiber, request.fn, request.args, TO_BUILTIN);
}

/** Hands a result to a register, or to the builtin on top and, if that ends, to whoever called it. */
export function deliver(fiber: Fiber, register: number, value: Value): void {
  let target = register;
  let result = value;
  while (target === TO_BUILTIN) {
    const frame = fiber.frame!;
    result = continueSteps(fiber, frame, result, false);
    if (result === AWAY) return;
    target = frame.result;
  }
  fiber.registers[target] = result;
}

/** Hands over what a suspended fiber waited for. */
export function deliverAwaited(
  fiber: Fiber,
  awaited: { readonly value: unknown; readonly failed: boolean },
): void {
  const frame = fiber.frame!;
  if (frame.steps === undefined) {
    if (awaited.failed) throw awaited.value;
    const value = (awaited.value ?? null) as Value;
    fiber.handOver(value);
    deliver(fiber, fiber.awaitRegister, value);
    return;
  }
  const result = continueSteps(fiber, frame, awaited.value, awaited.failed);
  if (result !== AWAY) deliver(fiber, frame.result, result);
}
