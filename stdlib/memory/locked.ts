// Holding the lock of a memory key while a script's callback runs. The same locks serve `barrier`.

import { type BuiltinSteps, type CallContext, ScriptFault, type SharedMemory, wait } from '#lang';

/** @throws ScriptFault when this execution holds the key already: it would wait for itself */
export function refuseOwnLock(ctx: CallContext, name: string, key: string): void {
  if (ctx.heldLocks?.has(key)) {
    throw new ScriptFault(
      `${name}: the key ${JSON.stringify(key)} is locked by this script itself (a barrier or memory callback of that name is running)`,
    );
  }
}

/**
 * Takes the lock of a key if it is free. Otherwise `yield* waitToEnter` takes it; `leave` gives it back, in a `finally`: the
 * VM ends the steps of a builtin when its execution is cancelled. Three functions instead of one that is handed a body,
 * since generators within generators made memory_store six times slower than memory_inc (test/perf/state.ts).
 */
export function tryEnter(ctx: CallContext, name: string, key: string): boolean {
  refuseOwnLock(ctx, name, key);
  if (!ctx.host.memory.tryLock(key)) return false;
  ctx.heldLocks?.add(key);
  return true;
}

/** Waits for the lock of a key. */
export function* waitToEnter(ctx: CallContext, key: string): BuiltinSteps<void> {
  yield* waitForLock(ctx.host.memory, key);
  ctx.heldLocks?.add(key);
}

/** Gives the lock back. */
export function leave(ctx: CallContext, key: string): void {
  ctx.heldLocks?.delete(key);
  ctx.host.memory.unlock(key);
}

function* waitForLock(memory: SharedMemory, key: string): BuiltinSteps<void> {
  const pending = memory.lock(key);
  let isGranted = false;
  let isEntered = false;
  // An execution that ends between the grant and its turn must give the lock back.
  const granted = pending.granted.then(() => {
    isGranted = true;
  });
  try {
    yield wait(granted);
    isEntered = true;
  } finally {
    if (!isEntered) {
      if (isGranted) memory.unlock(key);
      else pending.cancel();
    }
  }
}

/** Runs `operation`, which is over at once, when nobody holds the key: now, or after waiting. */
export function whenUnlocked<R>(
  ctx: CallContext,
  name: string,
  key: string,
  operation: () => R,
): R | Promise<R> {
  refuseOwnLock(ctx, name, key);
  const { memory } = ctx.host;
  if (!memory.isLocked(key)) return operation();
  const pending = memory.lock(key);
  let isGivenUp = false;
  const giveUp = (): void => {
    isGivenUp = true;
    pending.cancel();
  };
  ctx.signal.addEventListener('abort', giveUp, { once: true });
  return pending.granted.then(() => {
    // Granted, and given up before this turn came: the lock is somebody else's by now.
    if (isGivenUp) return undefined as R;
    ctx.signal.removeEventListener('abort', giveUp);
    try {
      return operation();
    } finally {
      memory.unlock(key);
    }
  });
}
