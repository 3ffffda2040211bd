// Holding the lock of a memory key while a script's callback runs. The same locks serve `barrier`.

import { type BuiltinSteps, type CallContext, ScriptFault, wait } from '#lang';

/** @throws ScriptFault when this execution holds the key already: it would wait for itself */
export function refuseOwnLock(ctx: CallContext, name: string, key: string): void {
  if (ctx.heldLocks?.has(key)) {
    throw new ScriptFault(
      `${name}: the key ${JSON.stringify(key)} is locked by this script itself (a barrier or memory callback of that name is running)`,
    );
  }
}

/** Runs `body` with the key locked, waiting for the lock if somebody else has it. */
export function* withLock<R>(
  ctx: CallContext,
  name: string,
  key: string,
  body: () => BuiltinSteps<R>,
): BuiltinSteps<R> {
  refuseOwnLock(ctx, name, key);
  const { memory } = ctx.host;
  if (!memory.tryLock(key)) {
    const pending = memory.lock(key);
    const giveUp = (): void => pending.cancel();
    ctx.signal.addEventListener('abort', giveUp, { once: true });
    try {
      yield wait(pending.granted);
    } finally {
      ctx.signal.removeEventListener('abort', giveUp);
    }
  }
  // Should the execution be cancelled inside the callback, its end releases the lock.
  const held = { release: () => memory.unlock(key) };
  ctx.own(held);
  ctx.heldLocks?.add(key);
  try {
    return yield* body();
  } finally {
    ctx.heldLocks?.delete(key);
    ctx.disown(held);
    memory.unlock(key);
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
  const giveUp = (): void => pending.cancel();
  ctx.signal.addEventListener('abort', giveUp, { once: true });
  return pending.granted.then(() => {
    ctx.signal.removeEventListener('abort', giveUp);
    try {
      return operation();
    } finally {
      memory.unlock(key);
    }
  });
}
