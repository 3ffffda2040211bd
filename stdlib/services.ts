// What builtins need of the daemon beyond the language's host: shared counters, the machine's name, the log, timers, the
// time zone. The daemon hands in its own; `hsh`, tests and tools use the in-process ones made here. Everything that may
// live in another process one day answers with a promise or a value, so callers cannot tell the difference.

import { hostname } from 'node:os';
import type { CallContext } from '#lang';
import { type ConfiguredThings, nothingConfigured } from './configured.js';
import { systemZone } from './dates/zone.js';
import type { Resolver } from './dns/resolver.js';
import type { BackgroundRequests } from './http/background-requests.js';
import type { Submission } from './mail/submission.js';
import { createLocalRates } from './memory/local-rates.js';
import { type MetricStore, noMetrics } from './metrics/metric-store.js';
import type { MailClient } from './smtp/mail-client.js';

/** One look at, or entry in, a rate counter. */
export interface RateRequest {
  readonly namespace: string;
  readonly entry: string;
  /** At most this many events per interval. */
  readonly count: number;
  readonly intervalSeconds: number;
  /** The caller's monotonic clock; a store shared between machines uses its own. */
  readonly nowSeconds: number;
  /** Whether other nodes of a cluster share the counter. */
  readonly isShared: boolean;
}

/** Counters of events in a sliding window, shared by all executions. */
export interface RateStore {
  /** Records an event unless `count` of them lie in the interval already. @returns whether it was recorded */
  hit(request: RateRequest): boolean | Promise<boolean>;
  /** Number of events in the interval that ends now. */
  count(request: RateRequest): number | Promise<number>;
}

/** The ways out of the process. What is absent is not offered there: the builtin says so in an exception. */
export interface NetworkServices {
  readonly resolver: Resolver | undefined;
  readonly mailClient: MailClient | undefined;
  readonly backgroundRequests: BackgroundRequests | undefined;
  /** Takes messages that a script made; only a running daemon has a queue. */
  readonly submission: Submission | undefined;
}

/** Slow or native work that the process does outside the event loop. */
export interface NativeServices {
  /** crypt(3) of the system, on another thread; undefined for a salt that it does not know. */
  cryptPassword(password: string, salt: string): Promise<string | undefined>;
}

/** The servers of the process. */
export interface ServerCounts {
  /** Connections of a server, from an address or a network if one is given; undefined when there is no such server. */
  connections(serverId: string, addressOrNetwork?: string): number | undefined;
}

/** The queue of the process. */
export interface QueueCounts {
  /** Messages that belong to a quota, and their bytes; zeros for an unknown name. */
  quota(name: string): { readonly count: number; readonly bytes: number };
}

export interface LibraryServices {
  readonly rates: RateStore;
  readonly network: NetworkServices;
  readonly configured: ConfiguredThings;
  readonly metrics: MetricStore;
  /** Absent where the addon could not be built. */
  readonly native: NativeServices | undefined;
  /** Only a running daemon has servers. */
  readonly servers: ServerCounts | undefined;
  /** Only a running daemon has a queue. */
  readonly queue: QueueCounts | undefined;
  /** The name of this machine as peers should see it. */
  hostname(): string;
  /** IANA name of the local time zone. */
  timeZone(): string;
  /** Version of new ids: 1 by time, 4 random (`environment.uuid.version`). */
  uuidVersion(): 1 | 4;
  /** One line for the system's log; `priority` is facility times 8 plus severity (RFC 5424 §6.2.1). Bytes. */
  syslog(priority: number, message: string): void;
  /** Resolves after the time, or at once when the signal aborts. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

const noNetwork: NetworkServices = {
  resolver: undefined,
  mailClient: undefined,
  backgroundRequests: undefined,
  submission: undefined,
};

/** Services that live in this process. What is given replaces one. */
export function createLocalServices(given: Partial<LibraryServices> = {}): LibraryServices {
  return {
    rates: createLocalRates(),
    network: noNetwork,
    configured: nothingConfigured,
    metrics: noMetrics,
    native: undefined,
    servers: undefined,
    queue: undefined,
    hostname,
    timeZone: systemZone,
    uuidVersion: () => 1,
    syslog: (priority, message) => {
      process.stderr.write(
        Buffer.from(`<${priority}>${message.replace(/[\x00-\x1f\x7f]/g, '?')}\n`, 'latin1'),
      );
    },
    sleep: sleepByTimer,
    ...given,
  };
}

let fallback: LibraryServices | undefined;

/**
 * The services of the program's owner, who may hand in more than these (a hook adds its message); without any, the
 * in-process ones, so that a library call works in a bare test or tool.
 */
export function servicesOf(ctx: CallContext): LibraryServices {
  const given = ctx.services;
  if (typeof given === 'object' && given !== null && 'rates' in given) return given as LibraryServices;
  fallback ??= createLocalServices();
  return fallback;
}

/** Node's timers end at 2^31 - 1 ms, about 24 days. */
const LONGEST_TIMER_SECONDS = 2_000_000;

async function sleepByTimer(seconds: number, signal: AbortSignal): Promise<void> {
  for (let left = seconds; left > 0 && !signal.aborted; left -= LONGEST_TIMER_SECONDS) {
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, Math.min(left, LONGEST_TIMER_SECONDS) * 1000);
      signal.addEventListener('abort', finish);
    });
  }
}
