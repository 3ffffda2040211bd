// What running needs of the world. Hosts that are to share memory and cached calls are given the same ones.

import type { Clock, FunctionCache, PatternEngine, Random, RunHost, SharedMemory } from '#lang';
import { createLocalMemory } from '#stdlib';
import { realClock, secureRandom } from './clock.js';
import { createFunctionCache } from './function-cache.js';
import { sharedPatternEngine } from './patterns/engine.js';

/** What setTimeout takes at most. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface RunHostOptions {
  /** One `echo`: bytes without a line end. */
  readonly echo: (text: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly patterns?: PatternEngine;
  readonly memory?: SharedMemory;
  readonly cache?: FunctionCache;
}

/** A host for `execute`; what is not given is real, or new and in this process. */
export function createRunHost(options: RunHostOptions): RunHost & Required<Pick<RunHost, 'after'>> {
  const clock = options.clock ?? realClock;
  const random = options.random ?? secureRandom;
  return {
    clock,
    random,
    patterns: options.patterns ?? sharedPatternEngine(),
    memory: options.memory ?? createLocalMemory(random.number),
    cache: options.cache ?? createFunctionCache({ clock }),
    echo: options.echo,
    nextTurn: (resume) => {
      setImmediate(resume);
    },
    after: (seconds, action) => {
      const timer = setTimeout(action, Math.min(seconds * 1000, LONGEST_TIMER_MS));
      return () => clearTimeout(timer);
    },
  };
}
