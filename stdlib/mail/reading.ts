// Methods of messages go on at once when the message is in memory, and wait when it must be read from disk.

import { ScriptFault } from '#lang';
import type { MimePart } from './mime/document.js';

/** `then` with what was read. A read that fails is an exception that names the method. */
export function whenRead<T, R>(
  called: string,
  read: T | Promise<T>,
  then: (value: T) => R,
): R | Promise<Awaited<R>> {
  if (!(read instanceof Promise)) return then(read);
  const failed = (error: unknown): never => {
    const why = error instanceof Error ? error.message : String(error);
    throw new ScriptFault(`${called}: the message could not be read: ${why}`);
  };
  return read.then(then, failed) as Promise<Awaited<R>>;
}

/** `then` once the parts of the part's message are known. */
export function whenParted<R>(called: string, part: MimePart, then: () => R): R | Promise<Awaited<R>> {
  return whenRead(called, part.document.loadParts(), then);
}
