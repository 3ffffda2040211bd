// One question to several servers: who is asked when, how often, and over what. Servers are asked in the order given;
// one that did not answer lately comes last, so that a dead first server does not cost every question its time.

import { randomInt } from 'node:crypto';
import type { RecordType } from '../resolver.js';
import { encodeQuery } from '../wire/query-packet.js';
import type { Response } from '../wire/response.js';
import { type Exchange, type ExchangeRequest, isResponse } from './exchange.js';
import type { ServerAddress } from './server-address.js';
import { exchangeByTcp } from './tcp.js';
import { exchangeByUdp } from './udp.js';

export interface AskOptions {
  /** How long one server is waited for. */
  readonly tryMs: number;
  /** Rounds over all servers after the first. */
  readonly retries: number;
  /** Letters of random case in the name, which must come back (0x20): for servers that are far away. */
  readonly mixesCase: boolean;
  readonly nowMs: () => number;
  /** Whether the AD bit of this server is believed. */
  readonly isTrusted: (server: ServerAddress) => boolean;
}

export interface Asked {
  readonly name: string;
  readonly type: RecordType;
  readonly servers: readonly ServerAddress[];
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** A usable answer; `undefined` when no server gave one in time. */
export interface ServerAnswer {
  readonly response: Response;
  readonly server: ServerAddress;
}

const NOERROR = 0;
const FORMERR = 1;
const NXDOMAIN = 3;
const NOTIMP = 4;
/** The server knows EDNS, but not our version of it (RFC 6891 §9). */
const BADVERS = 16;
const SHUN_MS = 30_000;
/** Shorter waits than this are no chance for anybody. */
const SHORTEST_TRY_MS = 50;

/** Asks servers; remembers which of them are silent. */
export class ServerAsker {
  readonly #options: AskOptions;
  /** Servers that did not answer, and until when they are asked last. */
  readonly #shunned = new Map<string, number>();

  constructor(options: AskOptions) {
    this.#options = options;
  }

  /**
   * The first answer that settles the question (there is such a record, or there is none); else, after all retries, the
   * last refusal; undefined when nobody said anything. Never rejects.
   */
  async ask(asked: Asked): Promise<ServerAnswer | undefined> {
    const { nowMs, retries } = this.#options;
    const servers = this.#inOrder(asked.servers);
    let refusal: ServerAnswer | undefined;
    for (let round = 0; round <= retries; round++) {
      for (const [index, server] of servers.entries()) {
        const leftMs = asked.deadlineMs - nowMs();
        if (leftMs <= 0 || asked.signal.aborted) return refusal;
        // In the first round every server gets its turn, however little time there is.
        const turns = round === 0 ? servers.length - index : 1;
        const tryMs = Math.min(this.#options.tryMs, leftMs, Math.max(leftMs / turns, SHORTEST_TRY_MS));
        const response = await this.#askOne(asked, server, tryMs);
        if (response === undefined) {
          if (!asked.signal.aborted) this.#shun(server);
          continue;
        }
        this.#shunned.delete(keyOf(server));
        const answer = { response, server };
        if (response.rcode === NOERROR || response.rcode === NXDOMAIN) return answer;
        refusal = answer;
      }
      // A refusal of all is their answer; only silence is worth another round.
      if (refusal !== undefined) return refusal;
    }
    return refusal;
  }

  async #askOne(asked: Asked, server: ServerAddress, tryMs: number): Promise<Response | undefined> {
    const deadlineMs = this.#options.nowMs() + tryMs;
    let exchange = await this.#send(exchangeByUdp, asked, server, tryMs, true);
    const leftMs = (): number => deadlineMs - this.#options.nowMs();
    if (isResponse(exchange) && refusesEdns(exchange)) {
      const plain = await this.#send(exchangeByUdp, asked, server, leftMs(), false);
      if (isResponse(plain)) exchange = plain;
    }
    if (exchange === 'flooded' || (isResponse(exchange) && exchange.isTruncated)) {
      exchange = await this.#send(exchangeByTcp, asked, server, leftMs(), true);
    }
    return isResponse(exchange) && !exchange.isTruncated ? exchange : undefined;
  }

  #send(
    transport: (request: ExchangeRequest) => Promise<Exchange>,
    asked: Asked,
    server: ServerAddress,
    timeoutMs: number,
    hasEdns: boolean,
  ): Promise<Exchange> {
    const { mixesCase, isTrusted } = this.#options;
    const query = {
      id: randomInt(0x10000),
      name: mixesCase ? mixCase(asked.name) : asked.name,
      type: asked.type,
      hasEdns,
      wantsDnssec: isTrusted(server),
    };
    const bytes = encodeQuery(query);
    const { signal } = asked;
    return transport({
      server,
      query,
      bytes,
      sameCase: mixesCase,
      timeoutMs: Math.max(timeoutMs, 1),
      signal,
    });
  }

  #inOrder(servers: readonly ServerAddress[]): readonly ServerAddress[] {
    if (this.#shunned.size === 0) return servers;
    const now = this.#options.nowMs();
    const isShunned = (server: ServerAddress) => (this.#shunned.get(keyOf(server)) ?? 0) > now;
    return [...servers.filter((server) => !isShunned(server)), ...servers.filter(isShunned)];
  }

  #shun(server: ServerAddress): void {
    // Scripts may name any server: those that are over are forgotten before there are many.
    if (this.#shunned.size > 100) {
      const now = this.#options.nowMs();
      for (const [key, untilMs] of this.#shunned) if (untilMs <= now) this.#shunned.delete(key);
      if (this.#shunned.size > 100) this.#shunned.clear();
    }
    this.#shunned.set(keyOf(server), this.#options.nowMs() + SHUN_MS);
  }
}

/** Perhaps it was EDNS0 that it does not know (RFC 6891 §7). */
function refusesEdns({ rcode }: Response): boolean {
  return rcode === FORMERR || rcode === NOTIMP || rcode === BADVERS;
}

function keyOf({ ip, port }: ServerAddress): string {
  return `${ip} ${port}`;
}

function mixCase(name: string): string {
  return name.replace(/[a-z]/gi, (letter) =>
    randomInt(2) === 0 ? letter.toLowerCase() : letter.toUpperCase(),
  );
}
