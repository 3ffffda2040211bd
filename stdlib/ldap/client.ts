// A script's LDAP: its options, its one connection, its last error. It connects when something is first asked of it, and
// not again: a connection that broke stays broken.

import type { Resolver } from '../dns/resolver.js';
import { addressLookup } from '../sockets/address-lookup.js';
import { connectStream } from '../sockets/connect-stream.js';
import { type Patience, patience } from '../sockets/patience.js';
import { secureContextOf } from '../sockets/tls-options.js';
import { LdapConnection, type TlsWish } from './connection.js';
import {
  type Entry,
  type OperationResult,
  RequestWriter,
  type Response,
  type SearchWish,
} from './messages.js';
import { LdapCode } from './result-codes.js';
import { type LdapServer, parseLdapUri } from './uri.js';

/** Seconds; 0 is the default of this folder. */
export interface LdapOptions {
  protocol_version: number;
  referrals: boolean;
  network_timeout: number;
  timeout: number;
  timelimit: number;
  tls_verify_peer: boolean;
  tls_default_ca: boolean;
}

export const defaultOptions: Readonly<LdapOptions> = {
  protocol_version: 3,
  referrals: false,
  network_timeout: 0,
  timeout: 0,
  timelimit: 0,
  tls_verify_peer: true,
  tls_default_ca: false,
};

/** A connection stands by then when the script sets no `network_timeout`. */
const CONNECT_SECONDS = 30;
const MOST_ENTRIES = 1_000_000;
/** Servers asked for one search, and how far one leads to the next. */
const MOST_REFERRALS = 10;
const DEEPEST_REFERRAL = 3;

export interface SearchOutcome {
  readonly entries: readonly Entry[];
  readonly code: number;
}

/** What an operation has of its execution. */
export interface LdapCall {
  readonly signal: AbortSignal;
  readonly resolver: Resolver | undefined;
  /** Counts received bytes against the execution's memory; it may throw. */
  charge(bytes: number): void;
}

let writer: Promise<RequestWriter> | undefined;

function loadWriter(): Promise<RequestWriter> {
  writer ??= import('ldapts').then((ldapts) => new RequestWriter(ldapts));
  return writer;
}

export class LdapClient {
  readonly options: LdapOptions = { ...defaultOptions };
  errno: number = LdapCode.success;
  #connection: LdapConnection | undefined;
  #connecting: Promise<number> | undefined;
  #server: LdapServer | undefined;
  #isUnbound = false;

  constructor(readonly servers: readonly LdapServer[]) {}

  get isUnbound(): boolean {
    return this.#isUnbound;
  }

  get certificate(): LdapConnection['certificate'] {
    return this.#connection?.certificate;
  }

  #patience({ signal }: LdapCall): Patience {
    return patience(this.options.timeout, signal);
  }

  /** Connects unless that was done. @returns a code */
  #connect(call: LdapCall): Promise<number> {
    this.#connecting ??= this.#connectFirst(call);
    return this.#connecting;
  }

  async #connectFirst(call: LdapCall): Promise<number> {
    let code: number = LdapCode.serverDown;
    for (const server of this.servers) {
      const opened = await openConnection(server, this.options, call);
      if (typeof opened !== 'number') {
        if (this.#isUnbound) opened.close();
        this.#connection = opened;
        this.#server = server;
        return LdapCode.success;
      }
      code = opened;
    }
    return code;
  }

  async #with(
    call: LdapCall,
    operate: (connection: LdapConnection) => Promise<OperationResult>,
  ): Promise<OperationResult> {
    const code = await this.#connect(call);
    if (this.#connection === undefined) return { code, referrals: [] };
    return operate(this.#connection);
  }

  async startTls(call: LdapCall): Promise<number> {
    const result = await this.#with(call, (connection) =>
      connection.startTls(tlsWish(this.#server, this.options), this.#patience(call)),
    );
    return this.#ended(result.code);
  }

  async bind(name: string, password: string, call: LdapCall): Promise<number> {
    // A name without a password is no proof, yet servers answer with success (RFC 4513 §5.1.2).
    if (name !== '' && password === '') return this.#ended(LdapCode.invalidCredentials);
    const result = await this.#with(call, (connection) =>
      connection.bind(this.options.protocol_version, name, password, this.#patience(call)),
    );
    return this.#ended(result.code);
  }

  async search(wish: Omit<SearchWish, 'timeLimitSeconds'>, call: LdapCall): Promise<SearchOutcome> {
    const collected = new Collected(call);
    const whole = { ...wish, timeLimitSeconds: Math.ceil(this.options.timelimit) };
    let { code, referrals } = await this.#with(call, (connection) =>
      connection.search(whole, this.#patience(call), collected.take),
    );
    if (this.options.referrals) {
      const asked = { count: 0 };
      const uris = [...(code === LdapCode.referral ? referrals.slice(0, 1) : []), ...collected.references];
      const followed = await this.#follow(uris, whole, collected, call, 1, asked);
      if (code === LdapCode.success || code === LdapCode.referral) code = followed;
    }
    collected.throwFault();
    return { entries: collected.entries, code: this.#ended(code) };
  }

  /** Asks other servers, as nobody: our name and password are for the one we were told of. @returns a code */
  async #follow(
    uris: readonly string[],
    wish: SearchWish,
    collected: Collected,
    call: LdapCall,
    depth: number,
    asked: { count: number },
  ): Promise<number> {
    for (const uri of uris) {
      const parsed = parseLdapUri(uri);
      if (parsed === undefined || parsed.server.kind === 'path') return LdapCode.referral;
      if (depth > DEEPEST_REFERRAL || asked.count++ >= MOST_REFERRALS) return LdapCode.referralLimit;
      const connection = await openConnection(parsed.server, this.options, call);
      if (typeof connection === 'number') return connection;
      const target = { ...wish, base: parsed.base || wish.base };
      const found = new Collected(call, collected);
      const result = await connection.search(target, this.#patience(call), found.take);
      connection.unbind();
      const next = [
        ...(result.code === LdapCode.referral ? result.referrals.slice(0, 1) : []),
        ...found.references,
      ];
      if (result.code !== LdapCode.success && result.code !== LdapCode.referral) return result.code;
      const code = await this.#follow(next, target, collected, call, depth + 1, asked);
      if (code !== LdapCode.success) return code;
    }
    return LdapCode.success;
  }

  #ended(code: number): number {
    this.errno = code;
    return code;
  }

  unbind(): void {
    this.#isUnbound = true;
    this.#connection?.unbind();
    this.errno = LdapCode.success;
  }

  /** What the execution's end does with it. */
  release(): void {
    this.#isUnbound = true;
    this.#connection?.close();
  }
}

/** What a search has brought so far, bounded. */
class Collected {
  readonly entries: Entry[];
  readonly references: string[] = [];
  #fault: unknown;

  constructor(
    readonly call: LdapCall,
    /** Whose entries these are added to. */
    whole?: Collected,
  ) {
    this.entries = whole?.entries ?? [];
  }

  readonly take = (response: Response): boolean => {
    if (response.kind === 'reference') {
      if (this.references.length < MOST_REFERRALS && response.uris[0] !== undefined)
        this.references.push(response.uris[0]);
      return true;
    }
    if (response.kind !== 'entry') return true;
    try {
      this.call.charge(sizeOf(response.entry));
    } catch (error) {
      this.#fault = error;
      return false;
    }
    return this.entries.push(response.entry) <= MOST_ENTRIES;
  };

  /** Lets the execution's limit have its say. */
  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }
}

function sizeOf({ dn, attributes }: Entry): number {
  let bytes = 64 + dn.length;
  for (const { name, values } of attributes) {
    bytes += 32 + name.length;
    for (const value of values) bytes += 16 + value.length;
  }
  return bytes;
}

function tlsWish(server: LdapServer | undefined, options: LdapOptions): TlsWish {
  return {
    context: secureContextOf({ usesSystemCa: options.tls_default_ca }, 'LDAP'),
    verifies: options.tls_verify_peer,
    host: server?.kind === 'host' ? server.host : 'localhost',
  };
}

/** @returns a connection, inside TLS when the server wants it so, or a code */
async function openConnection(
  server: LdapServer,
  options: LdapOptions,
  { signal, resolver }: LdapCall,
): Promise<LdapConnection | number> {
  const requests = await loadWriter();
  const until = patience(options.network_timeout || CONNECT_SECONDS, signal);
  const connected = await connectStream(
    server.kind === 'path'
      ? server
      : { kind: 'host', host: server.host, port: server.port, lookup: addressLookup(resolver) },
    until,
  );
  if (connected.kind === 'failure') return LdapCode.serverDown;
  const connection = new LdapConnection(connected.socket, requests);
  if (server.kind === 'path' || !server.isSecure) return connection;
  const code = await connection.secure(tlsWish(server, options), until);
  return code === LdapCode.success ? connection : code;
}
