// Answers kept for Idempotency-Key: a request that is repeated, because its answer was lost on the way, gets the first answer
// and queues nothing.
//
//   (nothing) ──first──► under way ──final answer──► kept ──time, or too many──► (nothing)
//        ▲                    └──no final answer───► (nothing): the next one tries
//
// They are in memory only: after a restart a repeated request is a new one.

import type { Answer } from './answer.js';

/** How many answers are kept, and for how long. */
export interface IdempotencyLimits {
  readonly seconds: number;
  readonly keys: number;
}

/** What a request is told that has a key. */
export type Claim =
  /** It is the first: carry it out and say what came of it, undefined if that was nothing final. */
  | { readonly kind: 'first'; readonly settle: (answer: Answer | undefined) => void }
  /** It has been done, or is under way. Undefined: nothing final came of that, claim again. */
  | { readonly kind: 'repeated'; readonly answer: Promise<Answer | undefined> }
  /** The key was used for something else. */
  | { readonly kind: 'mismatch' };

interface Entry {
  readonly fingerprint: string;
  readonly answer: Promise<Answer | undefined>;
  /** Monotonic seconds; infinite while it is under way. */
  readonly endsAt: number;
}

export class IdempotentAnswers {
  /** What is under way. */
  readonly #running = new Map<string, Entry>();
  /** What is kept, oldest first. */
  readonly #kept = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many answers are kept at the moment. */
  get size(): number {
    return this.#kept.size;
  }

  /** `key` is the submitter's key together with who submits; `fingerprint` stands for what is submitted. */
  claim(key: string, fingerprint: string, limits: IdempotencyLimits): Claim {
    this.#forgetOld(limits);
    const found = this.#running.get(key) ?? this.#kept.get(key);
    if (found !== undefined)
      return found.fingerprint === fingerprint
        ? { kind: 'repeated', answer: found.answer }
        : { kind: 'mismatch' };
    let tell: (answer: Answer | undefined) => void = () => {};
    const answer = new Promise<Answer | undefined>((resolve) => {
      tell = resolve;
    });
    this.#running.set(key, { fingerprint, answer, endsAt: Number.POSITIVE_INFINITY });
    return {
      kind: 'first',
      settle: (final) => {
        this.#running.delete(key);
        if (final !== undefined && limits.keys > 0)
          this.#kept.set(key, { fingerprint, answer, endsAt: this.#now() + limits.seconds });
        this.#forgetOld(limits);
        tell(final);
      },
    };
  }

  #forgetOld({ keys }: IdempotencyLimits): void {
    const now = this.#now();
    for (const [key, { endsAt }] of this.#kept) {
      if (endsAt > now && this.#kept.size <= keys) return;
      this.#kept.delete(key);
    }
  }
}
