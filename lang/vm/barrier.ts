// barrier (hsl-language 16): mutual exclusion by name over all executions of the process, with a value kept under the name.

import { type BuiltinSteps, wait } from '../declare.js';
import { toText } from '../values/convert.js';
import { HslResource, share } from '../values/object.js';
import { ScriptFault } from '../values/script-fault.js';
import type { Value } from '../values/value.js';
import type { Fiber } from './fiber.js';
import { beginSteps } from './steps.js';

const HANDLE = 'barrier';

/** Enters; the handle is the result, the stored value goes to register `valueRegister`. */
export function enterBarrier(fiber: Fiber, name: Value, valueRegister: number, result: number): Value {
  const key = toText(name);
  if (fiber.heldLocks.has(key))
    throw new ScriptFault(`barrier "${key}" is entered again inside itself: that would wait for ever`);
  if (fiber.host.memory.tryLock(key)) return entered(fiber, key, valueRegister);
  return beginSteps(fiber, waitForLock(fiber, key, valueRegister), result);
}

function* waitForLock(fiber: Fiber, key: string, valueRegister: number): BuiltinSteps<Value> {
  const lock = fiber.host.memory.lock(key);
  let granted = false;
  // Noted in the promise's own callback: an execution that ends between the grant and its turn must give it back.
  const promise = lock.granted.then(() => {
    granted = true;
  });
  let isEntered = false;
  try {
    yield wait(promise);
    isEntered = true;
    return entered(fiber, key, valueRegister);
  } finally {
    if (!isEntered) {
      if (granted) fiber.host.memory.unlock(key);
      else lock.cancel();
    }
  }
}

function entered(fiber: Fiber, key: string, valueRegister: number): Value {
  fiber.heldLocks.add(key);
  fiber.barriers.add(key);
  const value = fiber.host.memory.get(key);
  fiber.registers[valueRegister] = value === undefined ? undefined : share(value);
  return new HslResource(HANDLE, key);
}

/** Stores the value (nothing: removes the entry) and leaves. */
export function leaveBarrierStore(fiber: Fiber, handle: Value, value: Value | undefined): void {
  const key = (handle as HslResource).payload as string;
  if (!fiber.barriers.has(key)) return;
  // A store that has no room for the value is left all the same.
  try {
    if (value === undefined) fiber.host.memory.delete(key);
    else fiber.host.memory.set(key, share(value));
  } finally {
    leaveBarrier(fiber, handle);
  }
}

/** Leaves. */
export function leaveBarrier(fiber: Fiber, handle: Value): void {
  const key = (handle as HslResource).payload as string;
  if (!fiber.barriers.delete(key)) return;
  fiber.heldLocks.delete(key);
  fiber.host.memory.unlock(key);
}
