// M, ResolverList: the questions that the resolver waits for, and those that wait for their turn.

import { bytesToText } from '#lang';
import type { LookUp } from '#stdlib';
import type { Operation } from '../operation.js';

/** Of each kind; there may be a hundred thousand. */
const MOST = 10_000;

/** Lists what is being looked up; `resolving` counts the messages that wait for their next hop. */
export function resolverList(
  resolver: { lookUps(): Iterable<LookUp> },
  resolving: () => number,
): Operation<undefined> {
  return {
    run() {
      const running: object[] = [];
      const pending: object[] = [];
      let [runningcount, pendingcount] = [0, 0];
      for (const { name, type, isRunning, seconds, askers } of resolver.lookUps()) {
        const list = isRunning ? running : pending;
        if (isRunning) runningcount++;
        else pendingcount++;
        if (list.length < MOST)
          list.push({ name: bytesToText(name), type: type.toUpperCase(), duration: seconds, askers });
      }
      return { running, pending, runningcount, pendingcount, messages: resolving() };
    },
  };
}
