// Generator functions (hsl-language 11): a call makes an iterator object that holds the function's registers; each step puts
// them on the stack as a frame, runs to the next `yield`, and takes them off again.

import { method, nativeClass } from '../declare.js';
import { HslArray } from '../values/array.js';
import { HslObject } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import { shapeOf } from '../values/shape.js';
import type { Value } from '../values/value.js';
import { AWAY, type Fiber } from './fiber.js';
import { type Frame, FrameMode } from './frame.js';
import type { ProgramInstance, ScriptFunction } from './prepared.js';
import { deliver } from './steps.js';

/** Who asked for the next value, and so what it gets. */
export const enum Consumer {
  /** `next()`: an array of value and done. */
  Next,
  /** `foreach ($it as $v)`. */
  Value,
  /** `foreach ($it as $k => $v)`. */
  Pair,
}

const enum Stage {
  /** Not running; may be resumed. */
  Waiting,
  Running,
  Done,
}

/** What an iterator object holds. */
export class GeneratorState {
  pc = 0;
  consumer: Consumer = Consumer.Next;
  /** Where the loop that asks ends; for Value and Pair. */
  loopEnd = 0;
  /** Key of the next value that is yielded without one. */
  nextKey = 0;
  stage: Stage = Stage.Waiting;

  constructor(
    readonly fn: ScriptFunction,
    readonly instance: ProgramInstance,
    /** The function's registers while it does not run. */
    readonly registers: (Value | undefined)[],
  ) {}

  /** It has returned or thrown: there are no more values. */
  finish(): void {
    this.stage = Stage.Done;
    this.registers.length = 0;
  }
}

const on = method<GeneratorState>();

const generatorClass = nativeClass<GeneratorState>({
  name: 'Generator',
  group: 'types',
  summary: 'What a call of a function with yield gives: its values one by one.',
  methods: [
    on({
      name: 'next',
      summary: 'Runs on to the next yield; gives value and done.',
      params: [],
      returns: 'array',
      run: () => {
        throw new Error('a generator is resumed by the VM, not by its declaration');
      },
    }),
  ],
});

/** The iterator object for a call whose arguments and captures are in place from `base` on. */
export function newGenerator(
  fiber: Fiber,
  fn: ScriptFunction,
  instance: ProgramInstance,
  base: number,
): Value {
  const registers = fiber.registers.slice(base, base + fn.registerCount);
  fiber.charge(64 + registers.length * 8);
  return new HslObject(generatorClass, undefined, new GeneratorState(fn, instance, registers));
}

const stepShape = shapeOf(['value', 'done'])!;

function step(value: Value, done: boolean): HslArray {
  return HslArray.fromShape(stepShape, [value, done]);
}

/**
 * Asks for the next value; `result` is the register that gets it (the first of two for Consumer.Pair).
 * @returns AWAY, or at once what `next()` gives when there are no more; undefined for a loop that is at its end
 */
export function resumeGenerator(
  fiber: Fiber,
  state: GeneratorState,
  consumer: Consumer.Next,
  result: number,
): Value;
export function resumeGenerator(
  fiber: Fiber,
  state: GeneratorState,
  consumer: Consumer,
  result: number,
): Value | undefined;
export function resumeGenerator(
  fiber: Fiber,
  state: GeneratorState,
  consumer: Consumer,
  result: number,
): Value | undefined {
  if (state.stage === Stage.Running)
    throw new ScriptFault('a generator cannot ask itself for its next value');
  if (state.stage === Stage.Done) return consumer === Consumer.Next ? step(null, true) : undefined;
  const { fn } = state;
  const caller = fiber.frame!;
  const frame = fiber.above(caller);
  const base = caller.top;
  fiber.reserve(base + fn.registerCount);
  for (let i = 0; i < state.registers.length; i++) fiber.registers[base + i] = state.registers[i];
  frame.fn = fn;
  frame.instance = state.instance;
  frame.base = base;
  frame.pc = state.pc;
  frame.result = result;
  frame.mode = FrameMode.Special;
  frame.generator = state;
  state.stage = Stage.Running;
  state.consumer = consumer;
  fiber.frame = frame;
  return AWAY;
}

/** `yield`: takes the frame off the stack and hands the value to who asked. The frame's pc is stored. */
export function yieldValue(fiber: Fiber, frame: Frame, key: Value | undefined, value: Value): void {
  const state = frame.generator!;
  const { base, result } = frame;
  for (let i = 0; i < state.registers.length; i++) state.registers[i] = fiber.registers[base + i];
  state.pc = frame.pc;
  state.stage = Stage.Waiting;
  fiber.frame = frame.previous;
  const ownKey = key === undefined ? state.nextKey++ : key;
  if (state.consumer === Consumer.Next) deliver(fiber, result, step(value, false));
  else if (state.consumer === Consumer.Value) fiber.registers[result] = value;
  else {
    fiber.registers[result] = ownKey;
    fiber.registers[result + 1] = value;
  }
}

/** The end of a generator function: tells who asked that there are no more. Its frame is already off the stack. */
export function generatorReturned(fiber: Fiber, state: GeneratorState, result: number): void {
  state.finish();
  if (state.consumer === Consumer.Next) deliver(fiber, result, step(null, true));
  else fiber.frame!.pc = state.loopEnd;
}
