// What one run of a hook has around it: the host and the services of the process, with its own id in front of whatever
// it logs. Made for each run, so these are small objects that only point at the shared parts.

import type { HookFrame, HookServices } from '#hooks';
import type { RunHost, SharedMemory } from '#lang';
import { bytesToText, type Clock, type FunctionCache, type PatternEngine, type Random } from '#lang';
import type { LibraryServices } from '#stdlib';
import type { Logger } from '../log/logger.js';
import type { ProcessCache } from './host/index.js';

/** Whose run it is, for the log. */
export interface RunIdentity {
  readonly transaction: string;
  /** `phase/id`. */
  readonly script: string;
}

/** What all hook runs of the process share. */
export interface HookBase extends Omit<RunHost, 'echo' | 'cache' | 'after'> {
  readonly after: NonNullable<RunHost['after']>;
  readonly cache: ProcessCache;
}

/** The process's host, with `echo` going to the log. */
export class HookHost implements RunHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly patterns: PatternEngine;
  readonly memory: SharedMemory;
  readonly nextTurn: (resume: () => void) => void;
  readonly after: NonNullable<RunHost['after']>;
  readonly #base: HookBase;
  readonly #log: Logger;
  readonly #identity: RunIdentity;
  #cache: FunctionCache | undefined;

  constructor(base: HookBase, log: Logger, identity: RunIdentity) {
    this.#base = base;
    this.clock = base.clock;
    this.random = base.random;
    this.patterns = base.patterns;
    this.memory = base.memory;
    this.nextTurn = base.nextTurn;
    this.after = base.after;
    this.#log = log;
    this.#identity = identity;
  }

  /** The process's function cache; what is cached per message belongs to this transaction (hsl-language 15). */
  get cache(): FunctionCache {
    this.#cache ??= this.#base.cache.forMessage(this.#identity.transaction);
    return this.#cache;
  }

  echo(text: string): void {
    if (this.#log.isDebugEnabled()) this.#log.debug(this.#identity, bytesToText(text));
  }
}

/** The library's services, with the hook's frame, and `syslog` telling the transaction. */
export class HookRunServices implements LibraryServices, HookServices {
  readonly rates: LibraryServices['rates'];
  readonly network: LibraryServices['network'];
  readonly configured: LibraryServices['configured'];
  readonly metrics: LibraryServices['metrics'];
  readonly native: LibraryServices['native'];
  readonly hostname: LibraryServices['hostname'];
  readonly timeZone: LibraryServices['timeZone'];
  readonly uuidVersion: LibraryServices['uuidVersion'];
  readonly sleep: LibraryServices['sleep'];
  readonly frame: HookFrame | undefined;
  readonly #base: LibraryServices;
  readonly #transaction: string;

  // Field by field: spreading the services cost a fifth of an empty hook.
  constructor(base: LibraryServices, frame: HookFrame | undefined, { transaction }: RunIdentity) {
    this.rates = base.rates;
    this.network = base.network;
    this.configured = base.configured;
    this.metrics = base.metrics;
    this.native = base.native;
    this.hostname = base.hostname;
    this.timeZone = base.timeZone;
    this.uuidVersion = base.uuidVersion;
    this.sleep = base.sleep;
    this.frame = frame;
    this.#base = base;
    this.#transaction = transaction;
  }

  get servers(): LibraryServices['servers'] {
    return this.#base.servers;
  }

  get queue(): LibraryServices['queue'] {
    return this.#base.queue;
  }

  syslog(priority: number, message: string): void {
    this.#base.syslog(priority, `[${this.#transaction}] ${message}`);
  }
}
