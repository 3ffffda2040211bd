// Calls builtins without a VM: a context whose clock and random numbers the test sets, and a driver for builtins that call
// functions, which are JavaScript functions here. Arguments are checked by the VM's own check.

import {
  type Builtin,
  type BuiltinSteps,
  type CallContext,
  HslArray,
  HslFunction,
  HslObject,
  type NativeClass,
  type RunHost,
  toText,
  type Value,
} from '#lang';
import { type CheckedBuiltin, checkedBuiltin, checkedMethod } from '../../lang/vm/checked-builtin.js';
import { createLocalMemory } from '../../stdlib/memory/local-memory.js';
import { createLocalServices, type LibraryServices } from '../../stdlib/services.js';
import { fakePatterns } from './fake-patterns.js';

export interface FakeContextOptions {
  readonly services?: Partial<LibraryServices>;
  /** Unix time; the monotonic clock follows it. */
  readonly now?: number;
  /** What random.number() gives, in turns. */
  readonly randoms?: readonly number[];
}

export class FakeContext implements CallContext {
  now: number;
  charged = 0;
  readonly host: RunHost;
  readonly services: unknown;
  readonly startedAt: number;
  readonly aborter = new AbortController();
  readonly signal = this.aborter.signal;
  readonly heldLocks = new Set<string>();
  receiver: HslObject | undefined;
  readonly owned = new Set<{ release(): void }>();

  constructor(options: FakeContextOptions = {}) {
    this.now = options.now ?? 1_600_000_000;
    this.startedAt = this.now;
    this.services = createLocalServices({ timeZone: () => 'UTC', ...options.services });
    let turn = 0;
    const randoms = options.randoms ?? [0.5];
    this.host = {
      clock: { now: () => this.now, monotonic: () => this.now },
      random: {
        number: () => randoms[turn++ % randoms.length]!,
        bytes: (count) =>
          Array.from({ length: count }, (_, i) => String.fromCharCode((i * 37 + turn++) & 255)).join(''),
      },
      patterns: fakePatterns,
      memory: createLocalMemory(() => 0),
      cache: { get: () => undefined, set: () => {} },
      echo: () => {},
      nextTurn: (resume) => resume(),
    };
  }

  own(resource: { release(): void }): void {
    this.owned.add(resource);
  }

  disown(resource: { release(): void }): void {
    this.owned.delete(resource);
  }

  charge(bytes: number): void {
    this.charged += bytes;
  }

  toText(value: Value): string {
    return toText(value);
  }

  instantiate<Self>(of: NativeClass<Self>, self: Self): HslObject {
    return new HslObject(of, undefined, self);
  }

  /** Calls a builtin that does not wait. */
  call(builtin: Builtin, ...args: Value[]): Value {
    return this.#finish(this.#start(checkedBuiltin(builtin.name, builtin, undefined), args, []));
  }

  /** Calls a builtin that may wait. */
  async callAsync(builtin: Builtin, ...args: Value[]): Promise<Value> {
    const result = this.#start(checkedBuiltin(builtin.name, builtin, undefined), args, []);
    if (!isSteps(result)) return (await result) as Value;
    let step = result.next(undefined as never);
    while (!step.done) {
      const request = step.value;
      const answer =
        request.kind === 'pause'
          ? null
          : request.kind === 'wait'
            ? await request.promise
            : invoke(request.fn, request.args);
      step = result.next(answer as never);
    }
    return step.value;
  }

  /** Makes an object of a native class. */
  make(of: NativeClass<never> | NativeClass, ...args: Value[]): HslObject {
    const state = this.#start(checkedBuiltin(of.name, of as NativeClass, undefined), args, []);
    return new HslObject(of, undefined, state);
  }

  /** Calls a method of a native object. */
  method(object: HslObject, name: string, ...args: Value[]): Value {
    const of = object.classOf as NativeClass;
    this.receiver = object;
    return this.#finish(this.#start(checkedMethod(of, of.methods[name]!), args, [object.state]));
  }

  #start(checked: CheckedBuiltin, args: readonly Value[], self: readonly unknown[]): unknown {
    return checked.run(...self, ...checked.check(args, this.host), this);
  }

  #finish(result: unknown): Value {
    if (!isSteps(result)) return result as Value;
    let step = result.next(undefined as never);
    while (!step.done) {
      if (step.value.kind === 'wait') throw new Error('the builtin waits; use callAsync');
      if (step.value.kind === 'pause') {
        step = result.next(null as never);
        continue;
      }
      let answer: Value;
      try {
        answer = invoke(step.value.fn, step.value.args);
      } catch (error) {
        step = result.throw(error);
        continue;
      }
      step = result.next(answer as never);
    }
    return step.value;
  }
}

function isSteps(result: unknown): result is BuiltinSteps<Value> {
  return typeof result === 'object' && result !== null && 'next' in result && 'throw' in result;
}

function invoke(fn: HslFunction, args: readonly Value[]): Value {
  return (fn.target as (...args: readonly Value[]) => Value)(...args);
}

/** A JavaScript function as a script function. */
export function scriptFunction(run: (...args: Value[]) => Value): HslFunction {
  return new HslFunction(run, run.name, undefined, undefined);
}

/** Anything JavaScript as a value: lists, plain objects, functions. */
export function toValue(from: unknown): Value {
  if (Array.isArray(from)) return HslArray.fromList(from.map(toValue));
  if (typeof from === 'function') return scriptFunction(from as (...args: Value[]) => Value);
  if (typeof from === 'object' && from !== null && Object.getPrototypeOf(from) === Object.prototype) {
    return HslArray.fromEntries(Object.entries(from).map(([key, value]) => [key, toValue(value)]));
  }
  if (from === undefined) return null;
  return from as Value;
}

/** A value for comparing: lists as arrays, other arrays as entries, the rest as it is. */
export function fromValue(value: Value): unknown {
  if (!(value instanceof HslArray)) return value;
  if (value.isList) return value.toList().map(fromValue);
  return { entries: [...value.entries()].map(([key, item]) => [fromValue(key), fromValue(item)]) };
}

/** Entries as `fromValue` gives them for an array that is no list. */
export function keyed(...entries: readonly (readonly [unknown, unknown])[]): { entries: unknown[] } {
  return { entries: entries.map(([key, value]) => [key, value]) };
}
