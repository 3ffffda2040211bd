// The resolver of the process: known hosts, then the cache, then the servers, each question only once at a time.

import { addressBytes } from './addresses.js';
import { type ChainSoFar, noChain, readAnswer } from './answer.js';
import { AnswerCache, type CacheCounters } from './answer-cache.js';
import { type HostRecords, KnownHosts } from './hosts.js';
import { questionName } from './names.js';
import type { DnsAnswer, Question, RecordType, Resolver } from './resolver.js';
import { ServerAsker } from './servers/ask-servers.js';
import { DNS_PORT, isLocalServer, parseServerAddress, type ServerAddress } from './servers/server-address.js';
import { systemServers } from './servers/system-servers.js';

/** What `resolver` in smtpd-app.yaml says, and what tests replace. */
export interface ResolverSettings {
  /** `ip`, `ip:port` or `[ip6]:port`, asked in this order; those of /etc/resolv.conf when absent or empty. */
  readonly servers?: readonly string[];
  /** IP addresses of servers that validate and are reached over a safe path; loopback when absent. */
  readonly trusted?: readonly string[];
  /** How long one server is waited for; 2. */
  readonly timeoutSeconds?: number;
  /** Rounds over all servers after the first; 2. */
  readonly retries?: number;
  /** Answers remembered; 10000. */
  readonly cacheSize?: number;
  readonly hosts?: Readonly<Record<string, HostRecords>>;
  /** Letters of random case in questions, which answers must repeat; false, as some servers do not. */
  readonly mixesCase?: boolean;
  /** Questions that wait for servers at the same time, hence sockets; 500. What comes on top waits its turn. */
  readonly mostInFlight?: number;
  /** Questions that no longer count among those, since their answer does not come: so many sockets more; 2000. */
  readonly mostSlow?: number;
  /** In the form of hosts(5); undefined reads none. Absent: /etc/hosts. */
  readonly hostsFile?: string | undefined;
  /** A clock that only goes forward. */
  readonly nowMs?: () => number;
}

/** A resolver that can be looked into. */
export interface CountingResolver extends Resolver {
  readonly counters: CacheCounters & {
    /** Questions that went to the servers, or joined one on its way. */
    readonly misses: number;
    /** Questions at the servers now. */
    readonly running: number;
    /** Questions waiting for their turn now. */
    readonly pending: number;
  };
  /** The questions that wait for an answer, as they are at this moment; the oldest first. */
  underWay(): Iterable<LookUp>;
  /** Forgets what was learnt. */
  clear(): void;
}

/** A question that waits for its answer. */
export interface LookUp {
  /** Bytes. */
  readonly name: string;
  readonly type: RecordType;
  /** At the servers; else it waits for its turn. */
  readonly isRunning: boolean;
  /** Since it was first asked. */
  readonly seconds: number;
  /** Who wait for it. */
  readonly askers: number;
}

/** Makes a resolver. @throws TypeError when a setting cannot be read (the configuration checks them before) */
export function createResolver(settings: ResolverSettings = {}): CountingResolver {
  return new CachingResolver(settings);
}

const tryAgain: DnsAnswer = { kind: 'failure', error: 'TRY_AGAIN', isSecure: false };
const badName: DnsAnswer = { kind: 'failure', error: 'BADNAME', isSecure: false };

/** When nobody says how long a question may take; and as long for its turn. */
const LONGEST_WAIT_SECONDS = 30;
/** Servers that have the answer, or soon get it, have given it by then. Names whose servers are silent do not hold up others. */
const SLOW_MS = 700;
/** Questions waiting for their turn; more are told to try again. Some for each of ten thousand messages that look up their next hop. */
const MOST_PENDING = 100_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A question that servers are being asked, and who waits for it. */
interface Flight {
  readonly name: string;
  readonly type: RecordType;
  readonly servers: readonly ServerAddress[];
  /** For all of it; undefined: as long as the servers are tried, from when they are asked. */
  readonly timeoutSeconds: number | undefined;
  deadlineMs: number;
  deadline: NodeJS.Timeout | undefined;
  readonly abort: AbortController;
  readonly answer: Promise<DnsAnswer>;
  readonly settle: (answer: DnsAnswer) => void;
  /** The key in the cache; undefined for answers of other servers than ours. */
  readonly cacheKey: string | undefined;
  readonly askedMs: number;
  askers: number;
}

class CachingResolver implements CountingResolver {
  readonly #cache: AnswerCache;
  readonly #hosts: KnownHosts;
  readonly #asker: ServerAsker;
  readonly #servers: () => readonly ServerAddress[];
  readonly #nowMs: () => number;
  readonly #tryMs: number;
  readonly #retries: number;
  readonly #mostInFlight: number;
  readonly #mostSlow: number;
  readonly #isTrusted: (server: ServerAddress) => boolean;
  readonly #flights = new Map<string, Flight>();
  readonly #pending = new Set<Flight>();
  /** At the servers, and answered soon, we hope. */
  #running = 0;
  /** At the servers for longer. */
  #slow = 0;
  #misses = 0;

  constructor(settings: ResolverSettings) {
    this.#nowMs = settings.nowMs ?? (() => performance.now());
    this.#cache = new AnswerCache(settings.cacheSize ?? 10_000);
    const hostsFile = 'hostsFile' in settings ? settings.hostsFile : '/etc/hosts';
    this.#hosts = new KnownHosts(settings.hosts ?? {}, hostsFile);
    this.#servers = serversOf(settings.servers ?? [], this.#nowMs);
    this.#tryMs = (settings.timeoutSeconds ?? 2) * 1000;
    this.#retries = settings.retries ?? 2;
    this.#mostInFlight = settings.mostInFlight ?? 500;
    this.#mostSlow = settings.mostSlow ?? 2000;
    this.#isTrusted = trustOf(settings.trusted);
    this.#asker = new ServerAsker({
      tryMs: this.#tryMs,
      retries: this.#retries,
      mixesCase: settings.mixesCase ?? false,
      nowMs: this.#nowMs,
      isTrusted: this.#isTrusted,
    });
  }

  get counters(): CountingResolver['counters'] {
    const running = this.#running + this.#slow;
    return { ...this.#cache.counters, misses: this.#misses, running, pending: this.#pending.size };
  }

  query(question: Question, signal?: AbortSignal): DnsAnswer | Promise<DnsAnswer> {
    const { type, servers } = question;
    if (servers === undefined) {
      // Most names come as they are remembered; what is known without asking is never remembered.
      const cached = this.#cache.get(`${type} ${question.name}`, this.#nowMs());
      if (cached !== undefined) return cached;
    }
    const name = questionName(question.name, type);
    if (name === undefined) return badName;
    const known = this.#hosts.find(name, type);
    if (known !== undefined) return known;
    if (signal?.aborted) return tryAgain;
    const cacheKey = servers === undefined ? `${type} ${name.toLowerCase()}` : undefined;
    if (cacheKey !== undefined && cacheKey !== `${type} ${question.name}`) {
      const cached = this.#cache.get(cacheKey, this.#nowMs());
      if (cached !== undefined) return cached;
    }
    this.#misses++;
    const flight = this.#board(question, name, cacheKey);
    return flight === undefined ? tryAgain : this.#await(flight, signal);
  }

  *underWay(): Generator<LookUp> {
    const nowMs = this.#nowMs();
    for (const flight of this.#flights.values()) {
      const { name, type, askers, askedMs } = flight;
      const isRunning = !this.#pending.has(flight);
      yield { name, type, isRunning, seconds: (nowMs - askedMs) / 1000, askers };
    }
  }

  clear(): void {
    this.#cache.clear();
  }

  close(): void {
    this.clear();
    for (const flight of this.#flights.values()) flight.abort.abort();
  }

  /** The question that is on its way already, or a new one; undefined when too many wait. */
  #board(
    { type, servers, port, timeoutSeconds }: Question,
    name: string,
    cacheKey: string | undefined,
  ): Flight | undefined {
    const from = servers?.join(',') ?? '';
    const key = `${type} ${name.toLowerCase()} ${from} ${port ?? ''} ${timeoutSeconds ?? ''}`;
    const current = this.#flights.get(key);
    if (current !== undefined) return current;
    if (this.#pending.size >= MOST_PENDING) return undefined;
    const asked = servers === undefined ? this.#servers() : addressesOf(servers, port ?? DNS_PORT);
    if (asked.length === 0) return undefined;
    const flight = this.#newFlight(name, type, asked, timeoutSeconds, cacheKey);
    this.#flights.set(key, flight);
    const end = (): void => {
      clearTimeout(flight.deadline);
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      if (this.#pending.delete(flight)) flight.settle(tryAgain);
    };
    flight.abort.signal.addEventListener('abort', end);
    void flight.answer.then(end);
    if (this.#running < this.#mostInFlight) void this.#run(flight);
    else {
      this.#limit(flight, timeoutSeconds ?? LONGEST_WAIT_SECONDS);
      this.#pending.add(flight);
    }
    return flight;
  }

  #newFlight(
    name: string,
    type: RecordType,
    servers: readonly ServerAddress[],
    timeoutSeconds: number | undefined,
    cacheKey: string | undefined,
  ): Flight {
    let settle: (answer: DnsAnswer) => void = () => {};
    const answer = new Promise<DnsAnswer>((resolve) => {
      settle = resolve;
    });
    return {
      name,
      type,
      servers,
      timeoutSeconds,
      deadlineMs: Number.POSITIVE_INFINITY,
      deadline: undefined,
      abort: new AbortController(),
      answer,
      settle,
      cacheKey,
      askedMs: this.#nowMs(),
      askers: 0,
    };
  }

  /** Ends it in so many seconds. */
  #limit(flight: Flight, seconds: number): void {
    clearTimeout(flight.deadline);
    flight.deadlineMs = this.#nowMs() + seconds * 1000;
    flight.deadline = setTimeout(() => flight.abort.abort(), Math.min(seconds * 1000, LONGEST_TIMER_MS));
  }

  /** One asker's wait: it may give up alone; when all have, the question is dropped. */
  #await(flight: Flight, signal: AbortSignal | undefined): Promise<DnsAnswer> {
    flight.askers++;
    if (signal === undefined) return flight.answer;
    return new Promise((resolve) => {
      const giveUp = (): void => {
        if (--flight.askers === 0) flight.abort.abort();
        resolve(tryAgain);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      void flight.answer.then((answer) => {
        signal.removeEventListener('abort', giveUp);
        resolve(answer);
      });
    });
  }

  async #run(flight: Flight): Promise<void> {
    this.#running++;
    // Who has waited for his turn has all the time that servers are given; who said how long he waits has said it of the whole.
    if (flight.timeoutSeconds === undefined || flight.deadline === undefined)
      this.#limit(flight, flight.timeoutSeconds ?? this.#patienceWith(flight.servers));
    let isSlow = false;
    const slowness = setTimeout(() => {
      if (this.#slow >= this.#mostSlow) return;
      isSlow = true;
      this.#slow++;
      this.#running--;
      this.#runNext();
    }, SLOW_MS);
    let answer = tryAgain;
    try {
      answer = await this.#resolve(flight);
    } catch {
      // A mistake of ours: nobody may wait for ever, or lose more than this answer, because of it.
    } finally {
      clearTimeout(slowness);
      if (isSlow) this.#slow--;
      else this.#running--;
      flight.settle(answer);
      this.#runNext();
    }
  }

  /** Whose turn it is now, if there is room. */
  #runNext(): void {
    if (this.#running >= this.#mostInFlight) return;
    const [next] = this.#pending;
    if (next === undefined) return;
    this.#pending.delete(next);
    void this.#run(next);
  }

  /** The seconds until all servers were tried as often as they are. */
  #patienceWith(servers: readonly ServerAddress[]): number {
    return Math.min((this.#tryMs / 1000) * servers.length * (this.#retries + 1), LONGEST_WAIT_SECONDS);
  }

  /** Asks, and follows aliases that a server left unfollowed. */
  async #resolve(flight: Flight): Promise<DnsAnswer> {
    const { type, servers, abort, cacheKey } = flight;
    let { name } = flight;
    let chain: ChainSoFar = noChain;
    let sizeBytes = 0;
    for (;;) {
      const said = await this.#asker.ask({
        name,
        type,
        servers,
        deadlineMs: flight.deadlineMs,
        signal: abort.signal,
      });
      if (said === undefined) return tryAgain;
      sizeBytes += said.response.sizeBytes;
      const isSecure = chain.isSecure && said.response.isAuthentic && this.#isTrusted(said.server);
      const reading = readAnswer(said.response, name, type, isSecure, chain);
      if (reading.kind === 'answer') {
        if (cacheKey !== undefined && !abort.signal.aborted)
          this.#cache.set(cacheKey, reading.answer, reading.lifetimeSeconds, sizeBytes, this.#nowMs());
        return reading.answer;
      }
      const target = questionName(reading.name, 'cname');
      if (target === undefined) return { kind: 'failure', error: 'SERVFAIL', isSecure };
      name = target;
      chain = { isSecure, lifetimeSeconds: reading.lifetimeSeconds, hops: reading.hops };
      const known = this.#hosts.find(name, type);
      // No better than the alias that leads there.
      if (known !== undefined) return { ...known, isSecure: known.isSecure && isSecure };
    }
  }
}

function serversOf(texts: readonly string[], nowMs: () => number): () => readonly ServerAddress[] {
  if (texts.length === 0) return systemServers(nowMs);
  const servers = texts.map((text) => {
    const server = parseServerAddress(text);
    if (server === undefined)
      throw new TypeError(
        `resolver.servers: "${text}" is no server; expected "ip", "ip:port" or "[ip6]:port"`,
      );
    return server;
  });
  return () => servers;
}

function addressesOf(ips: readonly string[], port: number): ServerAddress[] {
  return ips.filter((ip) => addressBytes(ip) !== undefined).map((ip) => ({ ip, port }));
}

function trustOf(trusted: readonly string[] | undefined): (server: ServerAddress) => boolean {
  if (trusted === undefined) return isLocalServer;
  const all = new Set(
    trusted.map((ip) => {
      const bytes = addressBytes(ip);
      if (bytes === undefined) throw new TypeError(`resolver.trusted: "${ip}" is no IP address`);
      return bytes;
    }),
  );
  return ({ ip }) => all.has(addressBytes(ip)!);
}
