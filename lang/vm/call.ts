// Calls whose callee is only known when they happen: function values, methods, constructors, builtins. Known script
// functions are called by the interpreter itself. Every function here returns the call's value, or AWAY when a frame was
// pushed or the fiber suspended; `result` is the register that gets the value then, or TO_BUILTIN.

import type { BuiltinSteps, NativeClass } from '../declare.js';
import { HslArray } from '../values/array.js';
import { HslFunction } from '../values/function.js';
import { HslObject } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import { typeBit, typeWord } from '../values/type-word.js';
import type { Value } from '../values/value.js';
import { type CheckedBuiltin, checkedMethod, ResultKind } from './checked-builtin.js';
import { AWAY, type Fiber } from './fiber.js';
import { FrameMode } from './frame.js';
import { Consumer, GeneratorState, newGenerator, resumeGenerator } from './generators.js';
import { isInsideClass, readMember } from './objects.js';
import {
  type Cell,
  type ProgramInstance,
  ScriptClass,
  type ScriptFunction,
  ScriptTarget,
} from './prepared.js';
import { beginSteps } from './steps.js';
import { Ended } from './throw.js';

// --- Script functions ---------------------------------------------------------------------------------------------

/** For `given`: the compiler has put one value per parameter in place, defaults and rest array included. */
export const ARRANGED = -1;

/**
 * Calls a script function whose arguments are in the `given` registers from `base` on: checks their number, fills in
 * defaults, gathers the rest.
 */
export function enterScript(
  fiber: Fiber,
  fn: ScriptFunction,
  instance: ProgramInstance,
  value: HslFunction | undefined,
  self: Value | undefined,
  base: number,
  given: number,
  result: number,
  object: HslObject | undefined,
): Value {
  const registers = fiber.registers;
  fiber.reserve(base + Math.max(fn.registerCount, given));
  if (given !== ARRANGED) arrange(fiber, fn, instance, base, given);
  registers.fill(undefined, base + fn.clearFrom, base + fn.clearTo);
  if (fn.thisRegister !== -1) registers[base + fn.thisRegister] = self;
  if (value?.captures !== undefined)
    placeCaptures(registers, base + fn.captureBase, value.captures as readonly Cell[]);
  if (fn.isGenerator) return newGenerator(fiber, fn, instance, base);

  const frame = fiber.above(fiber.frame!);
  frame.fn = fn;
  frame.instance = instance;
  frame.base = base;
  frame.pc = 0;
  frame.result = result;
  frame.object = object;
  // Only then is a plain return enough: the value goes to a register and nothing else is to be done.
  frame.mode = object === undefined && result >= 0 ? FrameMode.Plain : FrameMode.Special;
  fiber.frame = frame;
  return AWAY;
}

function arrange(
  fiber: Fiber,
  fn: ScriptFunction,
  instance: ProgramInstance,
  base: number,
  given: number,
): void {
  if (given < fn.requiredCount || (given > fn.parameterCount && !fn.hasRest))
    throw new ScriptFault(countMessage(fn, given));
  if (given === fn.parameterCount && !fn.hasRest) return;
  const registers = fiber.registers;
  const named = fn.hasRest ? fn.parameterCount - 1 : fn.parameterCount;
  const rest: Value[] = [];
  for (let i = named; i < given; i++) rest.push(registers[base + i]!);
  for (let i = given; i < named; i++)
    registers[base + i] = instance.prepared.constants[fn.source.parameters[i]!.initial];
  if (fn.hasRest) registers[base + named] = HslArray.fromList(rest);
}

function placeCaptures(registers: unknown[], at: number, cells: readonly Cell[]): void {
  for (let i = 0; i < cells.length; i++) registers[at + i] = cells[i];
}

function countMessage(fn: ScriptFunction, given: number): string {
  const { requiredCount: least, parameterCount: most } = fn;
  const plural = (count: number) => `${count} argument${count === 1 ? '' : 's'}`;
  const name = fn.name === '' ? 'the function' : fn.name;
  if (fn.hasRest) return `${name} takes at least ${plural(least)}, not ${given}`;
  return least === most
    ? `${name} takes ${plural(most)}, not ${given}`
    : `${name} takes ${least} to ${plural(most)}, not ${given}`;
}

// --- Function values ----------------------------------------------------------------------------------------------

/** Calls the value in register `callee` with the `given` registers behind it. */
export function callValue(fiber: Fiber, callee: number, given: number, result: number): Value {
  const value = fiber.registers[callee];
  if (!(value instanceof HslFunction)) throw new ScriptFault(`${describe(value)} cannot be called`);
  return callFunction(fiber, value, callee + 1, given, result);
}

function describe(value: Value | undefined): string {
  if (value === undefined || value === null) return 'none';
  const word = typeWord(value);
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

/** Calls a function value with the `given` registers from `base` on. */
export function callFunction(
  fiber: Fiber,
  value: HslFunction,
  base: number,
  given: number,
  result: number,
): Value {
  const target = value.target;
  if (target instanceof ScriptTarget)
    return enterScript(fiber, target.fn, target.instance, value, value.self, base, given, result, undefined);
  if (target instanceof ScriptClass) return construct(fiber, target, base, given, result);
  const args = fiber.registers.slice(base, base + given) as Value[];
  return callTarget(fiber, target as CheckedBuiltin, value.self, args, result);
}

/** Calls a function value from a builtin or with arguments from an array. */
export function invoke(fiber: Fiber, value: HslFunction, args: readonly Value[], result: number): Value {
  const target = value.target;
  if (!(target instanceof ScriptTarget || target instanceof ScriptClass))
    return callTarget(fiber, target as CheckedBuiltin, value.self, args, result);
  const base = fiber.frame!.top;
  fiber.reserve(base + args.length);
  for (let i = 0; i < args.length; i++) fiber.registers[base + i] = args[i];
  return callFunction(fiber, value, base, args.length, result);
}

function callTarget(
  fiber: Fiber,
  target: CheckedBuiltin,
  self: Value | undefined,
  args: readonly Value[],
  result: number,
): Value {
  if (self instanceof HslObject) return callNativeMethod(fiber, target, self, args, result);
  return callBuiltin(fiber, target, args, result);
}

// --- Objects ------------------------------------------------------------------------------------------------------

/** Makes an object; the arguments are in the `given` registers from `base` on. */
export function construct(
  fiber: Fiber,
  target: ScriptClass,
  base: number,
  given: number,
  result: number,
): Value {
  const object = newObject(fiber, target);
  const made = target.constructorFunction;
  if (made !== undefined)
    return enterScript(fiber, made, target.instance, undefined, object, base, given, result, object);
  if (given > 0)
    throw new ScriptFault(`${target.name} has no constructor and takes 0 arguments, not ${given}`);
  return object;
}

/** A new object with its declared variables, its constructor not yet called. */
export function newObject(fiber: Fiber, target: ScriptClass): HslObject {
  const fields = new Map<string, Value>();
  const { constants } = target.instance.prepared;
  for (const field of target.source.fields)
    fields.set(field.name, field.initial === -1 ? null : constants[field.initial]!);
  fiber.charge(64 + fields.size * 32);
  return new HslObject(target, fields, undefined);
}

/** `register->name(the given registers behind it)`. */
export function callMethod(fiber: Fiber, register: number, name: string, given: number): Value {
  const receiver = fiber.registers[register] ?? null;
  if (receiver instanceof HslObject) {
    const owner = receiver.classOf;
    if (owner instanceof ScriptClass) {
      const method = owner.methods.get(name);
      if (method !== undefined) {
        if (method.isPrivate && !isInsideClass(fiber, owner))
          throw new ScriptFault(`${owner.name}->${name} is private`);
        return enterScript(
          fiber,
          method.fn,
          owner.instance,
          undefined,
          receiver,
          register + 1,
          given,
          register,
          undefined,
        );
      }
    } else {
      const native = owner as NativeClass;
      const method = Object.hasOwn(native.methods, name) ? native.methods[name] : undefined;
      if (method === undefined) throw new ScriptFault(`${native.name} has no function ${name}`);
      const args = fiber.registers.slice(register + 1, register + 1 + given) as Value[];
      return callNativeMethod(fiber, checkedMethod(native, method), receiver, args, register);
    }
  }
  const value = readMember(fiber, receiver, name);
  if (!(value instanceof HslFunction)) throw new ScriptFault(noMethod(receiver, name, value));
  return callFunction(fiber, value, register + 1, given, register);
}

function noMethod(receiver: Value, name: string, found: Value): string {
  if (receiver instanceof HslObject && found === null)
    return `${receiver.classOf.name} has no function ${name}`;
  return `${describe(found)} cannot be called (as "${name}" of ${describe(receiver)})`;
}

/** A method of a native object. */
export function callNativeMethod(
  fiber: Fiber,
  method: CheckedBuiltin,
  self: HslObject,
  args: readonly Value[],
  result: number,
): Value {
  const taken = method.check(args, fiber.host);
  // The one method that is not a function of its arguments: it runs a frame of the script.
  if (self.state instanceof GeneratorState) return resumeGenerator(fiber, self.state, Consumer.Next, result);
  fiber.receiver = self;
  return settle(fiber, method, run(method, [self.state, ...taken], fiber), result);
}

// --- Builtins -----------------------------------------------------------------------------------------------------

/** A builtin with one argument; most calls of a script are these. */
export function callBuiltin1(fiber: Fiber, builtin: CheckedBuiltin, value: Value, result: number): Value {
  if (builtin.quickCount === 1 && (typeBit(value) & builtin.firstMask) !== 0) {
    fiber.working = 0;
    return settle(fiber, builtin, builtin.run(value, fiber), result);
  }
  return callBuiltin(fiber, builtin, [value], result);
}

/** A builtin with two arguments. */
export function callBuiltin2(
  fiber: Fiber,
  builtin: CheckedBuiltin,
  a: Value,
  b: Value,
  result: number,
): Value {
  if (
    builtin.quickCount === 2 &&
    (typeBit(a) & builtin.firstMask) !== 0 &&
    (typeBit(b) & builtin.secondMask) !== 0
  ) {
    fiber.working = 0;
    return settle(fiber, builtin, builtin.run(a, b, fiber), result);
  }
  return callBuiltin(fiber, builtin, [a, b], result);
}

/** A builtin, or the constructor of a native class. */
export function callBuiltin(
  fiber: Fiber,
  builtin: CheckedBuiltin,
  args: readonly Value[],
  result: number,
): Value {
  return settle(fiber, builtin, run(builtin, builtin.check(args, fiber.host), fiber), result);
}

function run(builtin: CheckedBuiltin, taken: readonly unknown[], fiber: Fiber): unknown {
  fiber.working = 0;
  switch (taken.length) {
    case 0:
      return builtin.run(fiber);
    case 1:
      return builtin.run(taken[0], fiber);
    case 2:
      return builtin.run(taken[0], taken[1], fiber);
    case 3:
      return builtin.run(taken[0], taken[1], taken[2], fiber);
    default:
      return builtin.run(...taken, fiber);
  }
}

function settle(fiber: Fiber, builtin: CheckedBuiltin, returned: unknown, result: number): Value {
  switch (builtin.result) {
    case ResultKind.Plain:
      break;
    case ResultKind.Promise:
      if (returned instanceof Promise) {
        const { constructs } = builtin;
        const promise =
          constructs === undefined ? returned : returned.then((state) => objectOf(constructs, state));
        return fiber.suspend(promise, result);
      }
      break;
    case ResultKind.Steps: {
      if (!isSteps(returned)) break;
      const { constructs } = builtin;
      return beginSteps(
        fiber,
        constructs === undefined ? returned : constructedBy(constructs, returned),
        result,
      );
    }
    case ResultKind.Ends:
      throw new Ended(builtin.name, returned);
  }
  const value =
    builtin.constructs === undefined ? ((returned ?? null) as Value) : objectOf(builtin.constructs, returned);
  fiber.handOver(value);
  return value;
}

/** No value has a function `next` of its own, generators of scripts included: those are behind an object. */
function isSteps(returned: unknown): returned is BuiltinSteps<Value> {
  return typeof (returned as { next?: unknown } | null | undefined)?.next === 'function';
}

function* constructedBy(of: NativeClass, steps: BuiltinSteps<Value>): BuiltinSteps<Value> {
  return objectOf(of, yield* steps);
}

/** What a native constructor's call gives: an object around the state; none for none. */
function objectOf(of: NativeClass, state: unknown): Value {
  return state === null || state === undefined ? null : new HslObject(of, undefined, state);
}
