// Frames: one per call that has not returned. They are plain data on a list that grows downward from the first one, so a
// script's calls never use the JavaScript stack, and suspending is leaving the loop. A frame object is used again for every
// call at its depth.

import type { FunctionCode } from '../bytecode/function-code.js';
import type { BuiltinSteps } from '../declare.js';
import type { HslObject } from '../values/object.js';
import type { Value } from '../values/value.js';
import type { GeneratorState } from './generators.js';
import type { ProgramInstance } from './prepared.js';
import { ScriptFunction } from './prepared.js';

/** Whether returning from a frame is more than handing a value to the register of the frame below. */
export const enum FrameMode {
  Plain,
  /** A file's top level, a constructor, a generator, a function called by a builtin, or a builtin's own frame. */
  Special,
}

const NO_CODE: FunctionCode = {
  name: '',
  file: 0,
  module: 0,
  classIndex: -1,
  parameters: [],
  thisRegister: -1,
  captures: [],
  captureBase: 0,
  isGenerator: false,
  registerCount: 0,
  clearFrom: 0,
  clearTo: 0,
  locals: [],
  code: new Int32Array(0),
  handlers: new Int32Array(0),
  lines: new Int32Array(0),
};

/** Stands in for the function of a builtin's frame. */
export const NO_FUNCTION = new ScriptFunction(NO_CODE);

/** `result` of a frame whose value goes to the builtin below it. */
export const TO_BUILTIN = -1;

export class Frame {
  /** The frame above; kept for the next call at that depth. */
  next: Frame | undefined = undefined;
  fn: ScriptFunction = NO_FUNCTION;
  instance: ProgramInstance | undefined = undefined;
  /** Where its registers begin. */
  base = 0;
  /** Where it goes on: behind the instruction it waits for. Kept in a local while the frame runs. */
  pc = 0;
  /** Register (counted from the bottom of the stack) that gets what it returns, or TO_BUILTIN. */
  result = TO_BUILTIN;
  mode: FrameMode = FrameMode.Plain;
  /** A constructor's frame: the new object. */
  object: HslObject | undefined = undefined;
  /** A generator's frame. */
  generator: GeneratorState | undefined = undefined;
  /** A builtin's frame: the builtin's own steps, waiting for the frame above. */
  steps: BuiltinSteps<Value> | undefined = undefined;
  /** A builtin's frame: the builtin holds a lock while the frame above runs, which must not suspend. */
  atomic = false;

  constructor(
    readonly previous: Frame | undefined,
    readonly depth: number,
  ) {}

  /** Back to what a plain call expects, letting go of what it held. */
  reset(): void {
    this.mode = FrameMode.Plain;
    this.object = undefined;
    this.generator = undefined;
    this.steps = undefined;
    this.atomic = false;
  }

  /** The first register above it. */
  get top(): number {
    return this.base + this.fn.registerCount;
  }
}
