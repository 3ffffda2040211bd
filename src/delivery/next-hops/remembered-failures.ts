// Questions that nobody could answer are not asked again for a moment (RFC 9520): a thousand messages for a domain whose servers
// are silent would each hold a place among those that are prepared, and wait for the same silence. Answers are kept by the
// resolver, for as long as they hold; equal questions at the same time are asked once, by the resolver too.

import type { Clock } from '../clock.js';
import type { Names, NoAnswer } from './names.js';

/** RFC 9520 3.2: at least 1 second, at most 5 minutes. */
const REMEMBERED_MS = 5000;
const MOST_REMEMBERED = 10_000;

interface Memory {
  readonly answer: NoAnswer;
  readonly untilMs: number;
}

/** The same names, with a memory for failures; that of other names is another one. */
export function rememberingFailures(names: () => Names, clock: Pick<Clock, 'nowMs'>): Names {
  const memories = new WeakMap<Names, Map<string, Memory>>();
  async function ask<Answer extends { readonly kind: string }>(
    question: 'addresses' | 'mailHosts',
    name: string,
    put: (names: Names) => Promise<Answer | NoAnswer>,
    signal: AbortSignal | undefined,
  ): Promise<Answer | NoAnswer> {
    const current = names();
    const memory = memories.get(current) ?? new Map<string, Memory>();
    memories.set(current, memory);
    const key = `${question} ${name}`;
    const known = memory.get(key);
    if (known !== undefined && known.untilMs > clock.nowMs()) return known.answer;
    const answer = await put(current);
    memory.delete(key);
    if (isFailure(answer) && signal?.aborted !== true) {
      memory.set(key, { answer, untilMs: clock.nowMs() + REMEMBERED_MS });
      const [oldest] = memory.keys();
      if (memory.size > MOST_REMEMBERED && oldest !== undefined) memory.delete(oldest);
    }
    return answer;
  }
  return {
    addresses: (host, signal) => ask('addresses', host, (asked) => asked.addresses(host, signal), signal),
    mailHosts: (domain, signal) =>
      ask('mailHosts', domain, (asked) => asked.mailHosts(domain, signal), signal),
  };
}

function isFailure(answer: { readonly kind: string }): answer is NoAnswer {
  return answer.kind === 'none' && 'reason' in answer && answer.reason === 'other';
}
