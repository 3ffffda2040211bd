// The MTA-STS policies of the domains we send to: found by DNS, fetched by HTTPS, kept as long as they say (RFC 8461 3.3, 5.1).
//
//   kept, and DNS has its id            it holds; past half its life, or a day, it is fetched again behind the message's back
//   kept, and DNS has another id        fetched before mail goes on; when that fails the kept one holds
//   kept, and DNS has none, or fails    it holds until its time is over: who can forge an answer must not be able to end it
//   not kept, and DNS has an id         fetched before mail goes on; when that fails there is no policy, and no new try for
//                                       the same id for five minutes
//   not kept, and DNS has none          no policy

import type { Resolver } from '#stdlib';
import type { TlsFailureType } from '../tlsrpt.js';
import type { FetchedPolicy, PolicyFetch } from './fetch.js';
import { KeptPolicies } from './kept-policies.js';
import type { StsPolicy } from './policy.js';
import { policyId } from './record.js';
import type { KeptPolicy, PolicyStore } from './store.js';

/** A domain's policy. `failure`: what went wrong in looking for it, or for a newer one. */
export type PolicyFinding =
  | {
      readonly kind: 'policy';
      readonly policy: StsPolicy;
      readonly id: string;
      readonly failure?: TlsFailureType;
    }
  | { readonly kind: 'none'; readonly failure?: undefined }
  | { readonly kind: 'none'; readonly failure: TlsFailureType; readonly message: string };

/** Knows the policies of domains. */
export interface PolicySource {
  /** The policy of a domain (A-labels, lower case). Never rejects; `signal` gives up the wait for it. */
  policyOf(domain: string, signal?: AbortSignal): Promise<PolicyFinding>;
}

/** The part of a logger that is used. */
interface PolicyLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the cache needs of the world. */
export interface StsPoliciesOptions {
  readonly resolver: () => Resolver | undefined;
  readonly fetch: PolicyFetch;
  readonly store?: PolicyStore | undefined;
  /** Unix time in milliseconds. */
  readonly nowMs?: () => number;
  readonly log?: PolicyLog;
  /** Policies kept; 10000. */
  readonly capacity?: number;
  /** A fetch that takes longer makes room for others; 3000. */
  readonly slowFetchMs?: number;
}

const RETRY_MS = 300_000;
const FRESH_MS = 86_400_000;
/** Fetches at the same time: what comes on top waits for its turn. */
const MOST_FETCHES = 32;
/** Fetches that no longer count among those: hosts that take a minute to say nothing must not hold up the policies of others. */
const MOST_SLOW = 512;
const REFRESHES = 8;
const silent: PolicyLog = { info: () => {}, error: () => {} };

interface Failure {
  readonly id: string;
  readonly untilMs: number;
  readonly failure: TlsFailureType;
  readonly message: string;
}

/** The policies in memory, and in the store if there is one. */
export class StsPolicies implements PolicySource {
  readonly #resolver: () => Resolver | undefined;
  readonly #fetch: PolicyFetch;
  readonly #store: PolicyStore | undefined;
  readonly #nowMs: () => number;
  readonly #log: PolicyLog;
  readonly #capacity: number;
  readonly #kept: KeptPolicies;
  readonly #failures = new Map<string, Failure>();
  readonly #fetches = new Map<string, Promise<FetchedPolicy>>();
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  readonly #slowFetchMs: number;
  #running = 0;
  #slow = 0;
  #loaded: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  #isChanged = false;

  constructor({ resolver, fetch, store, nowMs, log, capacity, slowFetchMs }: StsPoliciesOptions) {
    this.#resolver = resolver;
    this.#fetch = fetch;
    this.#store = store;
    this.#nowMs = nowMs ?? Date.now;
    this.#log = log ?? silent;
    this.#capacity = capacity ?? 10_000;
    this.#kept = new KeptPolicies(this.#capacity);
    this.#slowFetchMs = slowFetchMs ?? 3000;
  }

  async policyOf(domain: string, signal?: AbortSignal): Promise<PolicyFinding> {
    await this.#load();
    const said = await this.#idOf(domain, signal);
    const kept = this.#use(domain);
    if (said.kind === 'unknown' && kept === undefined)
      return { kind: 'none', failure: 'sts-policy-fetch-error', message: said.message };
    if (said.kind !== 'id') return kept === undefined ? { kind: 'none' } : found(kept);
    if (kept !== undefined && kept.id === said.id) {
      if (this.#isOld(kept)) void this.#fetchOnce(domain, said.id);
      return found(kept);
    }
    const fetched = await givenUpAt(this.#fetchOnce(domain, said.id), signal);
    if (fetched.kind === 'policy') return { kind: 'policy', policy: fetched.policy, id: said.id };
    const { failure, message } = fetched;
    return kept === undefined ? { kind: 'none', failure, message } : { ...found(kept), failure };
  }

  /** Fetches anew the policies that are old enough; for a timer, which may be faster than that. Resolves when it is done. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshOld().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshOld(): Promise<void> {
    await this.#load();
    const old = this.#kept.all().filter((kept) => !this.#isOver(kept) && this.#isOld(kept));
    const work = async () => {
      for (let next = old.pop(); next !== undefined; next = old.pop()) {
        if (this.#closing.signal.aborted) return;
        const said = await this.#idOf(next.domain, this.#closing.signal);
        if (said.kind === 'id') await this.#fetchOnce(next.domain, said.id);
      }
    };
    // Fewer than there are places for: messages that wait for a policy come first.
    await Promise.all(Array.from({ length: REFRESHES }, work));
  }

  /** Gives up what is on its way; resolves when the file is as the memory is. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#fetches.values());
    await this.#saving;
  }

  async #idOf(
    domain: string,
    signal: AbortSignal | undefined,
  ): Promise<
    | { readonly kind: 'id'; readonly id: string }
    | { readonly kind: 'none' }
    | { readonly kind: 'unknown'; readonly message: string }
  > {
    const resolver = this.#resolver();
    if (resolver === undefined) return { kind: 'none' };
    const name = `_mta-sts.${domain}`;
    const answer = await resolver.query({ name, type: 'txt' }, signal);
    if (answer.kind === 'failure') {
      if (['NXDOMAIN', 'NODATA', 'BADNAME'].includes(answer.error)) return { kind: 'none' };
      return {
        kind: 'unknown',
        message: `the TXT record of "${name}" could not be looked up (${answer.error})`,
      };
    }
    const id = policyId(answer.records.flatMap((record) => (record.type === 'txt' ? [record.text] : [])));
    return id === undefined ? { kind: 'none' } : { kind: 'id', id };
  }

  /** The policy that is kept and still holds. */
  #use(domain: string): KeptPolicy | undefined {
    const kept = this.#kept.use(domain);
    if (kept === undefined || !this.#isOver(kept)) return kept;
    this.#kept.drop(domain);
    this.#save();
    return undefined;
  }

  #isOver({ fetchedAtMs, policy }: KeptPolicy): boolean {
    return this.#nowMs() >= fetchedAtMs + policy.maxAgeSeconds * 1000;
  }

  #isOld({ fetchedAtMs, policy }: KeptPolicy): boolean {
    return this.#nowMs() - fetchedAtMs >= Math.min(FRESH_MS, policy.maxAgeSeconds * 500);
  }

  /** One fetch per domain at a time, and none again for an id that failed a moment ago. */
  #fetchOnce(domain: string, id: string): Promise<FetchedPolicy> {
    const failed = this.#failures.get(domain);
    if (failed !== undefined && failed.id === id && this.#nowMs() < failed.untilMs)
      return Promise.resolve({ kind: 'failure', failure: failed.failure, message: failed.message });
    const running = this.#fetches.get(domain);
    if (running !== undefined) return running;
    const fetching = this.#fetchNow(domain, id).finally(() => this.#fetches.delete(domain));
    this.#fetches.set(domain, fetching);
    return fetching;
  }

  async #fetchNow(domain: string, id: string): Promise<FetchedPolicy> {
    const fetched = await this.#fetchInTurn(domain);
    const nowMs = this.#nowMs();
    if (fetched.kind === 'policy') {
      this.#failures.delete(domain);
      this.#keep({ domain, id, policy: fetched.policy, fetchedAtMs: nowMs });
      return fetched;
    }
    const { failure, message } = fetched;
    this.#log.info({ domain, failure }, message);
    this.#failures.delete(domain);
    this.#failures.set(domain, { id, untilMs: nowMs + RETRY_MS, failure, message });
    dropFirst(this.#failures, this.#capacity);
    return fetched;
  }

  async #fetchInTurn(domain: string): Promise<FetchedPolicy> {
    // Whoever makes room gives it to the next who waits, so that nobody comes in between.
    if (this.#running < MOST_FETCHES) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isSlow = false;
    const slowness = setTimeout(() => {
      if (this.#slow >= MOST_SLOW) return;
      isSlow = true;
      this.#slow++;
      this.#makeRoom();
    }, this.#slowFetchMs);
    try {
      return await this.#fetch(domain, this.#closing.signal);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { kind: 'failure', failure: 'sts-policy-fetch-error', message: `internal error: ${why}` };
    } finally {
      clearTimeout(slowness);
      if (isSlow) this.#slow--;
      else this.#makeRoom();
    }
  }

  #makeRoom(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  #keep(kept: KeptPolicy): void {
    this.#kept.keep(kept);
    this.#save();
  }

  #load(): Promise<void> {
    this.#loaded ??= this.#readStore();
    return this.#loaded;
  }

  async #readStore(): Promise<void> {
    if (this.#store === undefined) return;
    try {
      const nowMs = this.#nowMs();
      for (const kept of await this.#store.load()) {
        // A clock that was set back must not make a policy live longer than it says.
        const entry = { ...kept, fetchedAtMs: Math.min(kept.fetchedAtMs, nowMs) };
        if (!this.#isOver(entry)) this.#kept.keep(entry);
      }
    } catch (error) {
      this.#log.error(
        { err: error },
        'the MTA-STS policies of the last run cannot be read; they are fetched anew',
      );
    }
  }

  /** One writing at a time; what changes meanwhile is written once more behind it. */
  #save(): void {
    this.#isChanged = true;
    if (this.#store === undefined || this.#saving !== undefined) return;
    this.#saving = this.#write(this.#store).finally(() => {
      this.#saving = undefined;
    });
  }

  async #write(store: PolicyStore): Promise<void> {
    while (this.#isChanged) {
      this.#isChanged = false;
      try {
        await store.save(this.#kept.all());
      } catch (error) {
        this.#log.error(
          { err: error },
          'the MTA-STS policies could not be written; a restart will fetch them anew',
        );
        return;
      }
    }
  }
}

function found({ policy, id }: KeptPolicy): PolicyFinding & { readonly kind: 'policy' } {
  return { kind: 'policy', policy, id };
}

/** Keeps a map at its size: the first entry goes. */
function dropFirst(map: Map<string, unknown>, capacity: number): void {
  while (map.size > capacity) map.delete(map.keys().next().value!);
}

/** A wait that one of many gives up. */
async function givenUpAt(fetching: Promise<FetchedPolicy>, signal?: AbortSignal): Promise<FetchedPolicy> {
  if (signal === undefined) return fetching;
  const givenUp: FetchedPolicy = {
    kind: 'failure',
    failure: 'sts-policy-fetch-error',
    message: 'the wait for the MTA-STS policy was given up',
  };
  if (signal.aborted) return givenUp;
  return new Promise((resolve) => {
    const giveUp = () => resolve(givenUp);
    signal.addEventListener('abort', giveUp, { once: true });
    void fetching.then((fetched) => {
      signal.removeEventListener('abort', giveUp);
      resolve(fetched);
    });
  });
}
