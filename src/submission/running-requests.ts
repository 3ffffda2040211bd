// How many submissions are under way, in all and by key: each holds up to a message in memory.

import type { ApiKey } from '../config/submission.js';
import type { SubmissionLimits } from './options.js';

export class RunningRequests {
  #all = 0;
  readonly #byKey = new Map<string, number>();

  /** Counts one more, unless a limit is reached. `leave` it with the same key. */
  enter({ sha256 }: ApiKey, { requests, requestsPerKey }: SubmissionLimits): boolean {
    const key = sha256.toString('latin1');
    const ofKey = this.#byKey.get(key) ?? 0;
    if (requests > 0 && this.#all >= requests) return false;
    if (requestsPerKey > 0 && ofKey >= requestsPerKey) return false;
    this.#all++;
    this.#byKey.set(key, ofKey + 1);
    return true;
  }

  leave({ sha256 }: ApiKey): void {
    const key = sha256.toString('latin1');
    const ofKey = this.#byKey.get(key)! - 1;
    this.#all--;
    if (ofKey === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, ofKey);
  }
}
