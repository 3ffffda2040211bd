// The loop: reads an instruction, does it, goes on. Everything it needs on every turn lives in locals; what survives is the
// frame's `pc`, written back before anything that may leave the loop. Calls of script functions push a frame and stay in the
// loop, so the JavaScript stack never grows with the script's.
//
// Numbers and strings are done here, everything else is asked of the files beside this one (and of lang/values), which keeps
// the function small enough for V8 to optimise. `continue` does the next instruction with the same locals; `continue frames`
// reads them again from the fiber's topmost frame.
//
// KEEP IN STEP: an operation's meaning is in lang/values or in the function named here, never only in this loop, because
// the compiler folds constants and the translating tier emits calls with the same functions.

import { Op, WORDS } from '../bytecode/opcodes.js';
import { HslArray, Nesting } from '../values/array.js';
import { isEqual, isLess, isLessOrEqual, isSame, takesCase } from '../values/compare.js';
import { toBoolean, toText } from '../values/convert.js';
import { HslFunction } from '../values/function.js';
import { BYTES_PER_ELEMENT } from '../values/meter.js';
import {
  add,
  bits,
  concat,
  countable,
  divide,
  invertBits,
  modulo,
  multiply,
  negate,
  plus,
  power,
  subtract,
} from '../values/operators.js';
import { ScriptFault } from '../values/script-fault.js';
import { LIST } from '../values/shape.js';
import { slice, splice, withoutSlice } from '../values/slices.js';
import type { Value } from '../values/value.js';
import { enterBarrier, leaveBarrier, leaveBarrierStore } from './barrier.js';
import { cachedCall } from './cache.js';
import {
  ARRANGED,
  callBuiltin,
  callBuiltin1,
  callBuiltin2,
  callMethod,
  callValue,
  construct,
  invoke,
} from './call.js';
import {
  appendElement,
  destructured,
  findElement,
  getElement,
  getElementQuiet,
  getField,
  issetElement,
  ownAppended,
  ownElement,
  removableContainer,
  restOf,
  setElement,
  setField,
  spreadArguments,
  spreadInto,
  unsetElement,
  writableContainer,
} from './elements.js';
import { AWAY, type Fiber, FiberStatus } from './fiber.js';
import { type Frame, FrameMode } from './frame.js';
import {
  Consumer,
  GeneratorState,
  generatorReturned,
  newGenerator,
  resumeGenerator,
  yieldValue,
} from './generators.js';
import { type Iteration, iterate } from './iteration.js';
import { CALL_UNITS, SLICE_UNITS } from './limits.js';
import { matches } from './matching.js';
import { Cell, ScriptTarget } from './prepared.js';
import { beginSteps, deliver, deliverAwaited } from './steps.js';
import { joinMany, template } from './text.js';
import { Ended, recover, Thrown } from './throw.js';

/** Runs the fiber until it is done or suspended. */
export function interpret(fiber: Fiber): void {
  const registers = fiber.registers;
  let frame: Frame = fiber.frame!;
  let pc = 0;
  // Instructions left until the next look at the clock.
  let budget = SLICE_UNITS;

  frames: for (;;) {
    // Whether `frame` and `pc` say where an exception was thrown.
    let isInside = false;
    try {
      if (fiber.delivery !== undefined) {
        const { delivery } = fiber;
        fiber.delivery = undefined;
        deliverAwaited(fiber, delivery);
      }
      if (fiber.status !== FiberStatus.Running) return;
      frame = fiber.frame!;
      pc = frame.pc;
      isInside = true;
      let base = frame.base;
      let code = frame.fn.code;
      const instance = frame.instance!;
      const { constants, functions, fields, builtins } = instance.prepared;
      const { globals } = instance;

      for (;;) {
        switch (code[pc] as Op) {
          // --- constants and copies
          case Op.LoadNone:
            registers[base + code[pc + 1]!] = null;
            pc += WORDS;
            continue;
          case Op.LoadTrue:
            registers[base + code[pc + 1]!] = true;
            pc += WORDS;
            continue;
          case Op.LoadFalse:
            registers[base + code[pc + 1]!] = false;
            pc += WORDS;
            continue;
          case Op.LoadInt:
            registers[base + code[pc + 1]!] = code[pc + 2]!;
            pc += WORDS;
            continue;
          case Op.LoadConst:
            registers[base + code[pc + 1]!] = constants[code[pc + 2]!]!;
            pc += WORDS;
            continue;
          case Op.Move:
            registers[base + code[pc + 1]!] = registers[base + code[pc + 2]!];
            pc += WORDS;
            continue;
          case Op.Share: {
            const value = registers[base + code[pc + 2]!];
            if (value instanceof HslArray) value.shared = true;
            registers[base + code[pc + 1]!] = value;
            pc += WORDS;
            continue;
          }
          case Op.LoadFunction:
            registers[base + code[pc + 1]!] = instance.functionValue(code[pc + 2]!);
            pc += WORDS;
            continue;
          case Op.LoadBuiltin:
            registers[base + code[pc + 1]!] = builtins[code[pc + 2]!]!.value;
            pc += WORDS;
            continue;
          case Op.LoadClass:
            registers[base + code[pc + 1]!] = instance.classValue(code[pc + 2]!);
            pc += WORDS;
            continue;
          case Op.Closure: {
            const fn = functions[code[pc + 2]!]!;
            const captures = fn.captures.map((register) => registers[base + register]);
            const self = fn.thisRegister === -1 ? undefined : registers[base + frame.fn.thisRegister];
            registers[base + code[pc + 1]!] = new HslFunction(
              new ScriptTarget(instance, fn),
              fn.name,
              captures,
              self,
            );
            pc += WORDS;
            continue;
          }

          // --- variables
          case Op.CheckLocal:
            if (registers[base + code[pc + 1]!] === undefined)
              throw undeclared(frame.fn.source.locals[code[pc + 1]!]!);
            pc += WORDS;
            continue;
          case Op.LoadGlobal: {
            const value = globals[code[pc + 2]!];
            if (value === undefined) throw undeclared(instance.prepared.program.globals[code[pc + 2]!]!.name);
            registers[base + code[pc + 1]!] = value;
            pc += WORDS;
            continue;
          }
          case Op.LoadGlobalQuiet:
            registers[base + code[pc + 1]!] = globals[code[pc + 2]!];
            pc += WORDS;
            continue;
          case Op.StoreGlobal:
            globals[code[pc + 1]!] = registers[base + code[pc + 2]!];
            pc += WORDS;
            continue;
          case Op.NewCell:
            registers[base + code[pc + 1]!] = new Cell(undefined) as unknown as Value;
            pc += WORDS;
            continue;
          case Op.BoxCell:
            registers[base + code[pc + 1]!] = new Cell(registers[base + code[pc + 1]!]) as unknown as Value;
            pc += WORDS;
            continue;
          case Op.LoadCell: {
            const { value } = registers[base + code[pc + 2]!] as unknown as Cell;
            if (value === undefined) throw undeclared(frame.fn.source.locals[code[pc + 2]!]!);
            registers[base + code[pc + 1]!] = value;
            pc += WORDS;
            continue;
          }
          case Op.LoadCellQuiet:
            registers[base + code[pc + 1]!] = (registers[base + code[pc + 2]!] as unknown as Cell).value;
            pc += WORDS;
            continue;
          case Op.StoreCell:
            (registers[base + code[pc + 1]!] as unknown as Cell).value = registers[base + code[pc + 2]!];
            pc += WORDS;
            continue;
          case Op.UnsetLocal: {
            const was = registers[base + code[pc + 2]!] !== undefined;
            registers[base + code[pc + 2]!] = undefined;
            registers[base + code[pc + 1]!] = was;
            pc += WORDS;
            continue;
          }
          case Op.UnsetGlobal:
            registers[base + code[pc + 1]!] = globals[code[pc + 2]!] !== undefined;
            globals[code[pc + 2]!] = undefined;
            pc += WORDS;
            continue;
          case Op.UnsetCell: {
            const cell = registers[base + code[pc + 2]!] as unknown as Cell;
            registers[base + code[pc + 1]!] = cell.value !== undefined;
            cell.value = undefined;
            pc += WORDS;
            continue;
          }
          case Op.IsSet:
            registers[base + code[pc + 1]!] = registers[base + code[pc + 2]!] !== undefined;
            pc += WORDS;
            continue;

          // --- arithmetic
          case Op.Add: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x + y : add(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.Sub: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x - y : subtract(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.Mul: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x * y : multiply(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.Div: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' && y !== 0 ? x / y : divide(x, y);
            pc += WORDS;
            continue;
          }
          case Op.Mod: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' && y !== 0 ? x % y : modulo(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.Pow:
            registers[base + code[pc + 1]!] = power(
              registers[base + code[pc + 2]!]!,
              registers[base + code[pc + 3]!]!,
            );
            pc += WORDS;
            continue;
          case Op.AddInt: {
            const x = registers[base + code[pc + 2]!]!;
            const y = code[pc + 3]!;
            registers[base + code[pc + 1]!] = typeof x === 'number' ? x + y : add(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.SubInt: {
            const x = registers[base + code[pc + 2]!]!;
            const y = code[pc + 3]!;
            registers[base + code[pc + 1]!] = typeof x === 'number' ? x - y : subtract(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.MulInt: {
            const x = registers[base + code[pc + 2]!]!;
            const y = code[pc + 3]!;
            registers[base + code[pc + 1]!] = typeof x === 'number' ? x * y : multiply(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.DivInt: {
            const x = registers[base + code[pc + 2]!]!;
            const y = code[pc + 3]!;
            registers[base + code[pc + 1]!] = typeof x === 'number' && y !== 0 ? x / y : divide(x, y);
            pc += WORDS;
            continue;
          }
          case Op.ModInt: {
            const x = registers[base + code[pc + 2]!]!;
            const y = code[pc + 3]!;
            registers[base + code[pc + 1]!] = typeof x === 'number' && y !== 0 ? x % y : modulo(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.Increment: {
            const x = registers[base + code[pc + 2]!]!;
            const y = code[pc + 3]!;
            registers[base + code[pc + 1]!] = typeof x === 'number' ? x + y : countable(x) + y;
            pc += WORDS;
            continue;
          }
          case Op.ToNumber:
            registers[base + code[pc + 1]!] = countable(registers[base + code[pc + 2]!]!);
            pc += WORDS;
            continue;
          case Op.Negate:
            registers[base + code[pc + 1]!] = negate(registers[base + code[pc + 2]!]!);
            pc += WORDS;
            continue;
          case Op.Plus:
            registers[base + code[pc + 1]!] = plus(registers[base + code[pc + 2]!]!);
            pc += WORDS;
            continue;
          case Op.BitAnd: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x & y : bits('&', x, y);
            pc += WORDS;
            continue;
          }
          case Op.BitOr: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x | y : bits('|', x, y);
            pc += WORDS;
            continue;
          }
          case Op.BitXor: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x ^ y : bits('^', x, y);
            pc += WORDS;
            continue;
          }
          case Op.ShiftLeft: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x << y : bits('<<', x, y);
            pc += WORDS;
            continue;
          }
          case Op.ShiftRight: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x >> y : bits('>>', x, y);
            pc += WORDS;
            continue;
          }
          case Op.ShiftRightZero: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x >>> y : bits('>>>', x, y);
            pc += WORDS;
            continue;
          }
          case Op.BitNot:
            registers[base + code[pc + 1]!] = invertBits(registers[base + code[pc + 2]!]!);
            pc += WORDS;
            continue;
          case Op.Not:
            registers[base + code[pc + 1]!] = !toBoolean(registers[base + code[pc + 2]!]!);
            pc += WORDS;
            continue;
          case Op.ToBoolean:
            registers[base + code[pc + 1]!] = toBoolean(registers[base + code[pc + 2]!]!);
            pc += WORDS;
            continue;

          // --- text
          case Op.Concat: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            if (typeof x === 'string' && typeof y === 'string' && x.length + y.length < LONG_STRING) {
              fiber.allocated += y.length + 32;
              registers[base + code[pc + 1]!] = x + y;
              if (fiber.allocated > fiber.memoryThreshold) fiber.overThreshold();
            } else registers[base + code[pc + 1]!] = concat(x, y, fiber);
            pc += WORDS;
            continue;
          }
          case Op.ConcatMany:
            registers[base + code[pc + 1]!] = joinMany(fiber, base + code[pc + 2]!, code[pc + 3]!);
            pc += WORDS;
            continue;
          case Op.Template:
            registers[base + code[pc + 1]!] = template(fiber, base + code[pc + 2]!, code[pc + 3]!);
            pc += WORDS;
            continue;

          // --- comparison
          case Op.Equal: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] = isEqual(x, y);
            pc += WORDS;
            continue;
          }
          case Op.NotEqual: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] = !isEqual(x, y);
            pc += WORDS;
            continue;
          }
          case Op.Same: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] = isSame(x, y);
            pc += WORDS;
            continue;
          }
          case Op.NotSame: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] = !isSame(x, y);
            pc += WORDS;
            continue;
          }
          case Op.Less: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x < y : isLess(x, y);
            pc += WORDS;
            continue;
          }
          case Op.LessEqual: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              typeof x === 'number' && typeof y === 'number' ? x <= y : isLessOrEqual(x, y);
            pc += WORDS;
            continue;
          }
          case Op.Matches: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] = matches(fiber, x, y);
            pc += WORDS;
            continue;
          }
          case Op.NotMatches: {
            const x = registers[base + code[pc + 2]!]!;
            const y = registers[base + code[pc + 3]!]!;
            registers[base + code[pc + 1]!] = !matches(fiber, x, y);
            pc += WORDS;
            continue;
          }

          // --- jumps, forward
          case Op.Jump:
            pc = code[pc + 3]!;
            continue;
          case Op.JumpIfTrue: {
            const x = registers[base + code[pc + 1]!]!;
            pc = x === true || (x !== false && toBoolean(x)) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfFalse: {
            const x = registers[base + code[pc + 1]!]!;
            pc = x === true || (x !== false && toBoolean(x)) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfNone:
            pc = (registers[base + code[pc + 1]!] ?? null) === null ? code[pc + 3]! : pc + WORDS;
            continue;
          case Op.JumpIfNotNone:
            pc = (registers[base + code[pc + 1]!] ?? null) === null ? pc + WORDS : code[pc + 3]!;
            continue;
          case Op.JumpIfSet:
            pc = registers[base + code[pc + 1]!] === undefined ? pc + WORDS : code[pc + 3]!;
            continue;
          case Op.JumpIfEqual: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = x === y || isEqual(x, y) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotEqual: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = x === y || isEqual(x, y) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfSame: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = x === y || isSame(x, y) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotSame: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = x === y || isSame(x, y) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfEqualConst: {
            const x = registers[base + code[pc + 1]!]!;
            const y = constants[code[pc + 2]!]!;
            pc = x === y || isEqual(x, y) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotEqualConst: {
            const x = registers[base + code[pc + 1]!]!;
            const y = constants[code[pc + 2]!]!;
            pc = x === y || isEqual(x, y) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfSameConst: {
            const x = registers[base + code[pc + 1]!]!;
            const y = constants[code[pc + 2]!]!;
            pc = x === y || isSame(x, y) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotSameConst: {
            const x = registers[base + code[pc + 1]!]!;
            const y = constants[code[pc + 2]!]!;
            pc = x === y || isSame(x, y) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfLess: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = (typeof x === 'number' && typeof y === 'number' ? x < y : isLess(x, y))
              ? code[pc + 3]!
              : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotLess: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = (typeof x === 'number' && typeof y === 'number' ? x < y : isLess(x, y))
              ? pc + WORDS
              : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfLessEqual: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = (typeof x === 'number' && typeof y === 'number' ? x <= y : isLessOrEqual(x, y))
              ? code[pc + 3]!
              : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotLessEqual: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = (typeof x === 'number' && typeof y === 'number' ? x <= y : isLessOrEqual(x, y))
              ? pc + WORDS
              : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfLessInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x < y : isLess(x, y)) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotLessInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x < y : isLess(x, y)) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfLessEqualInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x <= y : isLessOrEqual(x, y)) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotLessEqualInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x <= y : isLessOrEqual(x, y)) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfGreaterInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x > y : isLess(y, x)) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotGreaterInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x > y : isLess(y, x)) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfGreaterEqualInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x >= y : isLessOrEqual(y, x)) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfNotGreaterEqualInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            pc = (typeof x === 'number' ? x >= y : isLessOrEqual(y, x)) ? pc + WORDS : code[pc + 3]!;
            continue;
          }
          case Op.JumpIfCase: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            pc = takesCase(x, y) ? code[pc + 3]! : pc + WORDS;
            continue;
          }
          case Op.JumpIfCaseConst: {
            const x = registers[base + code[pc + 1]!]!;
            const y = constants[code[pc + 2]!]!;
            pc = takesCase(x, y) ? code[pc + 3]! : pc + WORDS;
            continue;
          }

          // --- jumps, backward: each counts the instructions of one turn of its loop
          case Op.Loop: {
            const target = code[pc + 3]!;
            budget -= ((pc - target) >> 2) + 1;
            pc = target;
            if (budget > 0) continue;
            break;
          }
          case Op.LoopIfTrue: {
            const x = registers[base + code[pc + 1]!]!;
            if (!toBoolean(x)) {
              pc += WORDS;
              continue;
            }
            const target = code[pc + 3]!;
            budget -= ((pc - target) >> 2) + 1;
            pc = target;
            if (budget > 0) continue;
            break;
          }
          case Op.LoopIfFalse: {
            const x = registers[base + code[pc + 1]!]!;
            if (toBoolean(x)) {
              pc += WORDS;
              continue;
            }
            const target = code[pc + 3]!;
            budget -= ((pc - target) >> 2) + 1;
            pc = target;
            if (budget > 0) continue;
            break;
          }
          case Op.LoopIfLess: {
            const x = registers[base + code[pc + 1]!]!;
            const y = registers[base + code[pc + 2]!]!;
            if (!(typeof x === 'number' && typeof y === 'number' ? x < y : isLess(x, y))) {
              pc += WORDS;
              continue;
            }
            const target = code[pc + 3]!;
            budget -= ((pc - target) >> 2) + 1;
            pc = target;
            if (budget > 0) continue;
            break;
          }
          case Op.LoopIfLessInt: {
            const x = registers[base + code[pc + 1]!]!;
            const y = code[pc + 2]!;
            if (!(typeof x === 'number' ? x < y : isLess(x, y))) {
              pc += WORDS;
              continue;
            }
            const target = code[pc + 3]!;
            budget -= ((pc - target) >> 2) + 1;
            pc = target;
            if (budget > 0) continue;
            break;
          }

          // --- reading elements
          case Op.GetIndex: {
            const container = registers[base + code[pc + 2]!];
            const key = registers[base + code[pc + 3]!]!;
            if (
              container instanceof HslArray &&
              container.shape === LIST &&
              typeof key === 'number' &&
              key >= 0
            ) {
              const value = container.vec[key];
              registers[base + code[pc + 1]!] =
                value === undefined ? getElement(fiber, container, key) : value;
            } else registers[base + code[pc + 1]!] = getElement(fiber, container, key);
            pc += WORDS;
            continue;
          }
          case Op.GetIndexInt:
            registers[base + code[pc + 1]!] = getElement(
              fiber,
              registers[base + code[pc + 2]!],
              code[pc + 3]!,
            );
            pc += WORDS;
            continue;
          case Op.GetField: {
            const container = registers[base + code[pc + 2]!];
            const cache = fields[code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              container instanceof HslArray && container.shape === cache.shape
                ? container.vec[cache.index]!
                : getField(fiber, container, cache);
            pc += WORDS;
            continue;
          }
          case Op.GetIndexQuiet:
            registers[base + code[pc + 1]!] = getElementQuiet(
              fiber,
              registers[base + code[pc + 2]!],
              registers[base + code[pc + 3]!]!,
            );
            pc += WORDS;
            continue;
          case Op.GetFieldQuiet: {
            const container = registers[base + code[pc + 2]!];
            const cache = fields[code[pc + 3]!]!;
            registers[base + code[pc + 1]!] =
              container instanceof HslArray
                ? container.shape === cache.shape
                  ? container.vec[cache.index]!
                  : getField(fiber, container, cache)
                : getElementQuiet(fiber, container, cache.key);
            pc += WORDS;
            continue;
          }
          case Op.IssetIndex:
            registers[base + code[pc + 1]!] = issetElement(
              fiber,
              registers[base + code[pc + 2]!],
              registers[base + code[pc + 3]!]!,
            );
            pc += WORDS;
            continue;
          case Op.IssetField:
            registers[base + code[pc + 1]!] = issetElement(
              fiber,
              registers[base + code[pc + 2]!],
              fields[code[pc + 3]!]!.key,
            );
            pc += WORDS;
            continue;
          case Op.Slice: {
            const at = base + code[pc + 3]!;
            registers[base + code[pc + 1]!] = slice(
              registers[base + code[pc + 2]!]!,
              registers[at]!,
              registers[at + 1]!,
              registers[at + 2]!,
              fiber,
            );
            pc += WORDS;
            continue;
          }
          case Op.Element:
            registers[base + code[pc + 1]!] = destructured(
              registers[base + code[pc + 2]!]!,
              registers[base + code[pc + 3]!]!,
            );
            pc += WORDS;
            continue;
          case Op.Rest:
            registers[base + code[pc + 1]!] = restOf(fiber, registers[base + code[pc + 2]!]!, code[pc + 3]!);
            pc += WORDS;
            continue;

          // --- writing elements
          case Op.SetIndex: {
            const at = base + code[pc + 1]!;
            const container = registers[at];
            const key = registers[base + code[pc + 2]!]!;
            const value = registers[base + code[pc + 3]!]!;
            if (
              container instanceof HslArray &&
              !container.shared &&
              container.shape === LIST &&
              typeof key === 'number' &&
              key >>> 0 === key &&
              key < container.vec.length
            ) {
              container.vec[key] = value;
              if (typeof value === 'object' && value instanceof HslArray) container.nesting = Nesting.Nested;
            } else {
              const own = writableContainer(fiber, container);
              registers[at] = own;
              setElement(fiber, own, key, value);
            }
            pc += WORDS;
            continue;
          }
          case Op.SetField: {
            const at = base + code[pc + 1]!;
            const container = registers[at];
            const cache = fields[code[pc + 2]!]!;
            const value = registers[base + code[pc + 3]!]!;
            if (container instanceof HslArray && !container.shared && container.shape === cache.shape) {
              container.vec[cache.index] = value;
              if (typeof value === 'object' && value instanceof HslArray) container.nesting = Nesting.Nested;
            } else if (container instanceof HslArray && !container.shared && container.shape === cache.from) {
              container.shape = cache.to;
              container.vec.push(value);
              if (typeof value === 'object' && value instanceof HslArray) container.nesting = Nesting.Nested;
              fiber.allocated += BYTES_PER_ELEMENT;
            } else {
              const own = writableContainer(fiber, container);
              registers[at] = own;
              setField(fiber, own, cache, value);
            }
            pc += WORDS;
            continue;
          }
          case Op.Append: {
            const at = base + code[pc + 1]!;
            const container = registers[at];
            const value = registers[base + code[pc + 2]!]!;
            if (container instanceof HslArray && !container.shared && container.shape === LIST) {
              container.vec.push(value);
              if (typeof value === 'object' && value instanceof HslArray) container.nesting = Nesting.Nested;
              fiber.allocated += BYTES_PER_ELEMENT;
              if (fiber.allocated > fiber.memoryThreshold) fiber.overThreshold();
            } else {
              const own = writableContainer(fiber, container);
              registers[at] = own;
              appendElement(fiber, own, value);
            }
            pc += WORDS;
            continue;
          }
          case Op.Spread:
            spreadInto(fiber, registers[base + code[pc + 1]!] as HslArray, registers[base + code[pc + 2]!]!);
            pc += WORDS;
            continue;
          case Op.SpreadArguments:
            spreadArguments(
              fiber,
              registers[base + code[pc + 1]!] as HslArray,
              registers[base + code[pc + 2]!]!,
            );
            pc += WORDS;
            continue;
          case Op.OwnGlobal: {
            const own = writableContainer(fiber, globals[code[pc + 2]!]);
            globals[code[pc + 2]!] = own;
            registers[base + code[pc + 1]!] = own;
            pc += WORDS;
            continue;
          }
          case Op.OwnCell: {
            const cell = registers[base + code[pc + 2]!] as unknown as Cell;
            const own = writableContainer(fiber, cell.value);
            cell.value = own;
            registers[base + code[pc + 1]!] = own;
            pc += WORDS;
            continue;
          }
          case Op.OwnIndex: {
            const own = writableContainer(fiber, registers[base + code[pc + 2]!]);
            registers[base + code[pc + 2]!] = own;
            registers[base + code[pc + 1]!] = ownElement(fiber, own, registers[base + code[pc + 3]!]!);
            pc += WORDS;
            continue;
          }
          case Op.OwnField: {
            const own = writableContainer(fiber, registers[base + code[pc + 2]!]);
            registers[base + code[pc + 2]!] = own;
            registers[base + code[pc + 1]!] = ownElement(fiber, own, fields[code[pc + 3]!]!.key);
            pc += WORDS;
            continue;
          }
          case Op.OwnAppend: {
            const own = writableContainer(fiber, registers[base + code[pc + 2]!]);
            registers[base + code[pc + 2]!] = own;
            registers[base + code[pc + 1]!] = ownAppended(fiber, own);
            pc += WORDS;
            continue;
          }
          case Op.FindGlobal: {
            const found = removableContainer(fiber, globals[code[pc + 2]!]);
            globals[code[pc + 2]!] = found;
            registers[base + code[pc + 1]!] = found ?? null;
            pc += WORDS;
            continue;
          }
          case Op.FindCell: {
            const cell = registers[base + code[pc + 2]!] as unknown as Cell;
            cell.value = removableContainer(fiber, cell.value);
            registers[base + code[pc + 1]!] = cell.value ?? null;
            pc += WORDS;
            continue;
          }
          case Op.FindIndex: {
            const container = removableContainer(fiber, registers[base + code[pc + 2]!]);
            registers[base + code[pc + 2]!] = container;
            registers[base + code[pc + 1]!] = findElement(fiber, container, registers[base + code[pc + 3]!]!);
            pc += WORDS;
            continue;
          }
          case Op.FindField: {
            const container = removableContainer(fiber, registers[base + code[pc + 2]!]);
            registers[base + code[pc + 2]!] = container;
            registers[base + code[pc + 1]!] = findElement(fiber, container, fields[code[pc + 3]!]!.key);
            pc += WORDS;
            continue;
          }
          case Op.UnsetIndex: {
            const container = removableContainer(fiber, registers[base + code[pc + 2]!]);
            registers[base + code[pc + 2]!] = container;
            registers[base + code[pc + 1]!] = unsetElement(
              fiber,
              container,
              registers[base + code[pc + 3]!]!,
            );
            pc += WORDS;
            continue;
          }
          case Op.UnsetField: {
            const container = removableContainer(fiber, registers[base + code[pc + 2]!]);
            registers[base + code[pc + 2]!] = container;
            registers[base + code[pc + 1]!] = unsetElement(fiber, container, fields[code[pc + 3]!]!.key);
            pc += WORDS;
            continue;
          }
          case Op.Splice: {
            const at = base + code[pc + 3]!;
            registers[base + code[pc + 1]!] = splice(
              registers[base + code[pc + 2]!],
              registers[at]!,
              registers[at + 1]!,
              registers[at + 2]!,
              registers[at + 3]!,
              fiber,
            );
            pc += WORDS;
            continue;
          }
          case Op.UnsetSlice: {
            const at = base + code[pc + 3]!;
            const { rest, removed } = withoutSlice(
              registers[base + code[pc + 2]!],
              registers[at]!,
              registers[at + 1]!,
              registers[at + 2]!,
              fiber,
            );
            registers[at] = removed;
            registers[base + code[pc + 1]!] = rest;
            pc += WORDS;
            continue;
          }

          // --- making values
          case Op.NewArray: {
            const from = base + code[pc + 2]!;
            const count = code[pc + 3]!;
            fiber.charge(count * BYTES_PER_ELEMENT + 64);
            registers[base + code[pc + 1]!] = HslArray.fromList(
              registers.slice(from, from + count) as Value[],
            );
            pc += WORDS;
            continue;
          }
          case Op.NewRecord: {
            const { keys, shape } = instance.prepared.records[code[pc + 2]!]!;
            const from = base + code[pc + 3]!;
            fiber.charge(keys.length * BYTES_PER_ELEMENT + 64);
            const values = registers.slice(from, from + keys.length) as Value[];
            registers[base + code[pc + 1]!] =
              shape === undefined ? recordWithoutShape(keys, values) : HslArray.fromShape(shape, values);
            pc += WORDS;
            continue;
          }

          // --- calls
          case Op.Call: {
            const callee = functions[code[pc + 2]!]!;
            const calleeBase = base + code[pc + 3]!;
            if (calleeBase + callee.registerCount > registers.length)
              fiber.reserve(calleeBase + callee.registerCount);
            for (let r = calleeBase + callee.clearFrom, end = calleeBase + callee.clearTo; r < end; r++)
              registers[r] = undefined;
            if (callee.isGenerator) {
              registers[base + code[pc + 1]!] = newGenerator(fiber, callee, instance, calleeBase);
              pc += WORDS;
              continue;
            }
            const next = fiber.above(frame);
            frame.pc = pc + WORDS;
            next.fn = callee;
            next.instance = instance;
            next.base = calleeBase;
            next.result = base + code[pc + 1]!;
            fiber.frame = next;
            frame = next;
            base = calleeBase;
            code = callee.code;
            pc = 0;
            budget -= CALL_UNITS;
            if (budget > 0) continue;
            break;
          }
          case Op.Return: {
            const value = registers[base + code[pc + 1]!]!;
            if (frame.mode === FrameMode.Plain) {
              const caller = frame.previous!;
              registers[frame.result] = value;
              fiber.frame = caller;
              if (caller.instance !== instance) continue frames;
              frame = caller;
              base = caller.base;
              code = caller.fn.code;
              pc = caller.pc;
              continue;
            }
            frame.pc = pc + WORDS;
            isInside = false;
            finishFrame(fiber, frame, value);
            budget -= CALL_UNITS;
            if (budget <= 0) budget = lookAround(fiber);
            continue frames;
          }
          case Op.ReturnNone: {
            if (frame.mode === FrameMode.Plain) {
              const caller = frame.previous!;
              registers[frame.result] = null;
              fiber.frame = caller;
              if (caller.instance !== instance) continue frames;
              frame = caller;
              base = caller.base;
              code = caller.fn.code;
              pc = caller.pc;
              continue;
            }
            frame.pc = pc + WORDS;
            isInside = false;
            finishFrame(fiber, frame, null);
            budget -= CALL_UNITS;
            if (budget <= 0) budget = lookAround(fiber);
            continue frames;
          }
          case Op.CallBuiltin1: {
            const result = base + code[pc + 1]!;
            const value = callBuiltin1(
              fiber,
              builtins[code[pc + 2]!]!,
              registers[base + code[pc + 3]!]!,
              result,
            );
            if (value === AWAY) {
              frame.pc = pc + WORDS;
              continue frames;
            }
            registers[result] = value;
            pc += WORDS;
            continue;
          }
          case Op.CallBuiltin2: {
            const result = base + code[pc + 1]!;
            const at = base + code[pc + 3]!;
            const value = callBuiltin2(
              fiber,
              builtins[code[pc + 2]!]!,
              registers[at]!,
              registers[at + 1]!,
              result,
            );
            if (value === AWAY) {
              frame.pc = pc + WORDS;
              continue frames;
            }
            registers[result] = value;
            pc += WORDS;
            continue;
          }
          case Op.CallBuiltin: {
            const at = base + code[pc + 1]!;
            const args = registers.slice(at, at + code[pc + 3]!) as Value[];
            const value = callBuiltin(fiber, builtins[code[pc + 2]!]!, args, at);
            if (value === AWAY) {
              frame.pc = pc + WORDS;
              continue frames;
            }
            registers[at] = value;
            pc += WORDS;
            continue;
          }
          case Op.New:
          case Op.CallValue:
          case Op.CallSpread:
          case Op.CallMethod:
          case Op.CacheCall:
          case Op.EnterBarrier: {
            frame.pc = pc + WORDS;
            const result = base + code[pc + 1]!;
            const value = callSlowly(fiber, code, pc, base);
            if (value === AWAY) {
              isInside = false;
              budget -= CALL_UNITS;
              if (budget <= 0) budget = lookAround(fiber);
              continue frames;
            }
            registers[result] = value;
            pc += WORDS;
            continue;
          }

          // --- exceptions
          case Op.Throw:
            throw new Thrown(registers[base + code[pc + 1]!]!);
          case Op.Rethrow: {
            const pending = registers[base + code[pc + 1]!] as unknown;
            throw pending instanceof Thrown || pending instanceof Ended
              ? pending
              : new Thrown(pending as Value);
          }
          case Op.ThrowUnmatched:
            throw new ScriptFault(`no arm of match takes ${toText(registers[base + code[pc + 1]!]!)}`);

          // --- iteration
          case Op.Iterate:
            registers[base + code[pc + 1]!] = iterate(registers[base + code[pc + 2]!]!) as unknown as Value;
            pc += WORDS;
            continue;
          case Op.Next: {
            const iteration = registers[base + code[pc + 1]!] as unknown as Iteration;
            if (iteration instanceof GeneratorState) {
              frame.pc = pc + WORDS;
              iteration.loopEnd = code[pc + 3]!;
              if (resumeGenerator(fiber, iteration, Consumer.Value, base + code[pc + 2]!) === AWAY)
                continue frames;
              pc = code[pc + 3]!;
              continue;
            }
            const value = iteration.next();
            if (value === undefined) pc = code[pc + 3]!;
            else {
              registers[base + code[pc + 2]!] = value;
              pc += WORDS;
            }
            continue;
          }
          case Op.NextPair: {
            const iteration = registers[base + code[pc + 1]!] as unknown as Iteration;
            if (iteration instanceof GeneratorState) {
              frame.pc = pc + WORDS;
              iteration.loopEnd = code[pc + 3]!;
              if (resumeGenerator(fiber, iteration, Consumer.Pair, base + code[pc + 2]!) === AWAY)
                continue frames;
              pc = code[pc + 3]!;
              continue;
            }
            const value = iteration.next();
            if (value === undefined) pc = code[pc + 3]!;
            else {
              registers[base + code[pc + 2]!] = iteration.key;
              registers[base + code[pc + 2]! + 1] = value;
              pc += WORDS;
            }
            continue;
          }
          case Op.Yield:
            frame.pc = pc + WORDS;
            yieldValue(fiber, frame, undefined, registers[base + code[pc + 1]!]!);
            continue frames;
          case Op.YieldPair:
            frame.pc = pc + WORDS;
            yieldValue(fiber, frame, registers[base + code[pc + 1]!]!, registers[base + code[pc + 2]!]!);
            continue frames;

          // --- barrier
          case Op.LeaveBarrier:
            leaveBarrier(fiber, registers[base + code[pc + 1]!]!);
            pc += WORDS;
            continue;
          case Op.LeaveBarrierStore:
            leaveBarrierStore(fiber, registers[base + code[pc + 1]!]!, registers[base + code[pc + 2]!]);
            pc += WORDS;
            continue;

          // --- output
          case Op.Echo:
            fiber.echo(toText(registers[base + code[pc + 1]!]!));
            pc += WORDS;
            continue;

          default:
            throw new Error(`there is no opcode ${code[pc]} (at ${pc} of ${frame.fn.name})`);
        }

        // Reached by `break` only: the budget is used up.
        budget = SLICE_UNITS;
        frame.pc = pc;
        isInside = false;
        fiber.look();
        if (fiber.status !== FiberStatus.Running) return;
        isInside = true;
      }
    } catch (error) {
      if (isInside) frame.pc = pc + WORDS;
      if (!recover(fiber, error)) return;
    }
  }
}

/** The look at the clock between two frames. @returns the new budget */
function lookAround(fiber: Fiber): number {
  if (fiber.status === FiberStatus.Running) fiber.look();
  return SLICE_UNITS;
}

/** Longer results of a concatenation are looked at before they are made. */
const LONG_STRING = 1 << 28;

function undeclared(name: string): ScriptFault {
  return new ScriptFault(`variable $${name} is not declared`);
}

function recordWithoutShape(keys: readonly string[], values: readonly Value[]): HslArray {
  const array = HslArray.empty();
  for (let i = 0; i < keys.length; i++) array.setNormal(keys[i]!, values[i]!);
  return array;
}

/** The calls that are not worth a place of their own in the loop. */
function callSlowly(fiber: Fiber, code: Int32Array, pc: number, base: number): Value {
  const registers = fiber.registers;
  const a = base + code[pc + 1]!;
  const b = code[pc + 2]!;
  const c = code[pc + 3]!;
  const instance = fiber.frame!.instance!;
  switch (code[pc] as Op) {
    case Op.New: {
      const target = instance.classAt(b);
      return construct(fiber, target, base + c, ARRANGED, a);
    }
    case Op.CallValue:
      return callValue(fiber, base + b, c, a);
    case Op.CallSpread: {
      const callee = registers[base + b];
      const args = registers[base + c] as HslArray;
      if (!(callee instanceof HslFunction)) return callValue(fiber, base + b, 0, a);
      return invoke(fiber, callee, args.toList(), a);
    }
    case Op.CallMethod:
      return callMethod(fiber, a, instance.prepared.constants[b] as string, c);
    case Op.CacheCall: {
      const options = registers[base + b] as HslArray;
      const callee = registers[base + b + 1] as HslFunction;
      return beginSteps(fiber, cachedCall(fiber, options, callee, registers[base + b + 2] as HslArray), a);
    }
    default:
      return enterBarrier(fiber, registers[base + b]!, base + c, a);
  }
}

/** Returns from a frame that is not a plain call. */
function finishFrame(fiber: Fiber, frame: Frame, value: Value): void {
  const { generator, object, previous, result } = frame;
  if (previous === undefined) {
    fiber.moduleEnded();
    return;
  }
  fiber.frame = previous;
  if (generator !== undefined) generatorReturned(fiber, generator, result);
  else deliver(fiber, result, object ?? value);
}
