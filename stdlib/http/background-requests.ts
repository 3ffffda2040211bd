// http(..., ["background" => true]): requests that are made later, in order within a queue, and retried. The daemon has
// one set of queues for the process; a command that ends waits until they are empty.

import { setMaxListeners } from 'node:events';
import type { Resolver } from '../dns/resolver.js';
import type { HttpRequest } from './request.js';
import { sendHttp } from './send.js';

export interface BackgroundPlan {
  /** Requests with the same hash, modulo the number of queues, are made one after the other. */
  readonly hash: number;
  /** How often a request that was not answered with 2xx is made again. */
  readonly retryCount: number;
  readonly retryDelaySeconds: number;
  /** Whom to ask for names; the resolver of the process when absent. */
  readonly resolver?: Resolver;
}

export interface BackgroundRequests {
  /** @returns false when the queues are full */
  add(request: HttpRequest, plan: BackgroundPlan): boolean;
}

export interface BackgroundSettings {
  /** Makes one request. @returns whether it was answered with 2xx; it must not reject */
  send(request: HttpRequest, signal: AbortSignal, resolver?: Resolver): Promise<boolean>;
  /** Resolves after the time, or at once when the signal aborts. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
  /** Told of a request that all attempts failed for. */
  onGivenUp?(request: HttpRequest, attempts: number): void;
  readonly queueCount?: number;
  readonly mostRequests?: number;
  /** Of bodies. */
  readonly mostBytes?: number;
}

export interface BackgroundQueues extends BackgroundRequests {
  /** Requests that wait or are being made. */
  readonly size: number;
  /** Resolves when there are none. */
  drained(): Promise<void>;
  /** Gives all of them up, and takes no more. */
  close(): void;
}

interface Entry {
  readonly request: HttpRequest;
  readonly plan: BackgroundPlan;
  readonly bytes: number;
}

/** What an entry counts for beside its body. */
const ENTRY_BYTES = 1024;

/** Queues in this process. Their whole content is bounded in number and in bytes. */
export function createBackgroundRequests(settings: BackgroundSettings): BackgroundQueues {
  const { queueCount = 16, mostRequests = 10_000, mostBytes = 64 * 1024 * 1024 } = settings;
  const queues = Array.from({ length: queueCount }, (): Entry[] => []);
  const aborter = new AbortController();
  const { signal } = aborter;
  // Each queue listens to it: that is no leak, and nothing to warn of.
  setMaxListeners(0, signal);
  const waiting: (() => void)[] = [];
  let size = 0;
  let bytes = 0;

  const attempt = async ({ request, plan }: Entry): Promise<void> => {
    for (let attempts = 1; !signal.aborted; attempts++) {
      if (await settings.send(request, signal, plan.resolver)) return;
      if (attempts > plan.retryCount || signal.aborted) {
        settings.onGivenUp?.(request, attempts);
        return;
      }
      await settings.sleep(plan.retryDelaySeconds, signal);
    }
  };

  const work = async (queue: Entry[]): Promise<void> => {
    for (let entry = queue[0]; entry !== undefined; entry = queue[0]) {
      await attempt(entry);
      if (signal.aborted) return;
      queue.shift();
      size--;
      bytes -= entry.bytes;
    }
    if (size === 0) for (const resolve of waiting.splice(0)) resolve();
  };

  return {
    get size() {
      return size;
    },
    add: (request, plan) => {
      const entry = { request, plan, bytes: ENTRY_BYTES + (request.body?.length ?? 0) };
      if (signal.aborted || size >= mostRequests || bytes + entry.bytes > mostBytes) return false;
      const index = Math.trunc(plan.hash) % queueCount;
      const queue = queues[index < 0 ? index + queueCount : index]!;
      size++;
      bytes += entry.bytes;
      if (queue.push(entry) === 1) void work(queue);
      return true;
    },
    drained: () => (size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    close: () => {
      aborter.abort();
      for (const queue of queues) queue.length = 0;
      size = 0;
      bytes = 0;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

/** The `send` of a process: over its connections, with its resolver unless the request has another. */
export function backgroundSender(own: Resolver | undefined): BackgroundSettings['send'] {
  return async (request, signal, resolver = own) => {
    try {
      const outcome = await sendHttp(request, { resolver, signal, charge: () => {}, env: process.env });
      return outcome.kind === 'response' && outcome.response.status >= 200 && outcome.response.status < 300;
    } catch {
      // A key or an environment that cannot be used is the same as no answer: nobody waits who could be told.
      return false;
    }
  };
}
