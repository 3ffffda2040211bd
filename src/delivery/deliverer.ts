// The seam between the queue, which decides when, and delivery, which knows how.

import type { Address, AttemptReport, DsnParameters, SourceAddress, TryOptions } from '#hooks';
import type { MessageId, MessageReader } from '../spool/spool.js';
import type { OutboundProxy } from './client/proxy-header.js';
import type { Credentials } from './client/sasl.js';
import type { TlsWish } from './client/tls.js';
import type { ConnectionFacts } from './connections.js';
import type { HostFilter } from './next-hops/mail-hosts.js';

export type { SourceAddress } from '#hooks';

/** Where a transport sends, from smtpd-app.yaml's transportgroups, inheritance done. */
export interface Transport {
  readonly id: string;
  /** Absent: the mail hosts of the recipient's domain. */
  readonly host: string | undefined;
  readonly port: number;
  /** `mx`: the mail hosts of `host` are meant, as if it were the recipient's domain. */
  readonly lookup?: 'mx' | 'address' | undefined;
  /** Which mail hosts may be used; absent: all. */
  readonly mx?: HostFilter | undefined;
  readonly helo: string | undefined;
  readonly protocol: 'smtp' | 'lmtp';
  readonly tls: TlsWish;
  readonly credentials: Credentials | undefined;
  /** Who connects for us. */
  readonly proxy?: OutboundProxy | undefined;
  /** Where we come from; anywhere when absent. */
  readonly sources?: TransportSources | undefined;
  /** The transport as configured, when this one has the settings of a destination in it. */
  readonly base?: Transport | undefined;
  readonly connectTimeoutSeconds: number;
  /** Seconds by SMTP state; what is absent has the default of hooks.md 14. */
  readonly timeouts: Readonly<Record<string, number>>;
  readonly retryCount: number;
  readonly retryIntervals: readonly { readonly seconds: number; readonly notify: boolean }[];
  /** Maximum age in seconds. */
  readonly retryDuringSeconds: number | undefined;
  readonly dsnTransportId: string | undefined;
  /** From of notifications about this transport's mail. */
  readonly dsnFrom?: { readonly address: Address; readonly name?: string };
  /** Their subject; bytes. */
  readonly dsnSubject?: string;
  readonly pooling: {
    readonly enabled: boolean;
    readonly transactions: number | undefined;
    readonly idleSeconds: number;
    /** May be closed to make room for others; absent: it may. */
    readonly isEvictable?: boolean | undefined;
  };
}

/** From where a transport sends, by family: the system's choice (true), not at all (false), or addresses in turns. */
export interface TransportSources {
  readonly ipv4: boolean | readonly SourceAddress[];
  readonly ipv6: boolean | readonly SourceAddress[];
}

/** One address of a next hop, with the host it belongs to. */
export interface HopAddress {
  readonly ip: string;
  readonly port: number;
  /** The host as the MX record, the configuration or the script names it: what a certificate must be for. Without final dot. */
  readonly remoteMx: string;
  /** Of its MX record; absent where none was asked for or there was none. */
  readonly preference?: number;
  /** The name its address records belong to, when the host's name is an alias (RFC 7672 2.2.2). */
  readonly canonicalName?: string;
  /** The answers that led here were validated: that of the MX look-up, where there was one, and those for the addresses. */
  readonly isSecure?: boolean;
}

/** A next hop, known before the message enters ACTIVE. */
export interface Destination {
  /** The name of the first host: what policies count by. */
  readonly remoteMx: string;
  /** In the order to try them. */
  readonly addresses: readonly HopAddress[];
  /** Whose mail hosts these are; absent when a host was named. */
  readonly mailDomain?: MailDomain;
  /** By the deliverer's clock, to the minute: a message may wait in ACTIVE until its addresses are others'. Absent: they do not grow old. */
  readonly foundAtMs?: number;
}

/** The domain whose mail hosts were looked up. */
export interface MailDomain {
  /** In A-labels, lower case, without final dot. */
  readonly name: string;
  /** The name its MX records belong to, when the domain is an alias. */
  readonly canonicalName?: string;
  /** The answer for its MX records, or that there are none, was validated. */
  readonly isSecure: boolean;
}

/** Where an attempt comes from, by the family of the address it goes to. What is absent is the system's choice. */
export interface SourceChoice {
  readonly ipv4?: SourceAddress | undefined;
  readonly ipv6?: SourceAddress | undefined;
  /** The addresses need not be of this machine. */
  readonly isNonlocal?: boolean | undefined;
}

export interface Attempt {
  readonly id: MessageId;
  /** The system's choice when absent. The destination has no addresses of a family that we do not send from. */
  readonly source?: SourceChoice | undefined;
  /** As queued, with what Try says over it; what Try says is all there is when absent. */
  readonly dsn?: DsnParameters | undefined;
  /** Seconds since the message was received, for the extensions whose parameters count down; 0 when absent. */
  readonly ageSeconds?: number | undefined;
  /** As queued; `options.sender` is said in its place, and its parameters still ask what they ask. */
  readonly sender: Address;
  /** As whom the client had logged in that the message came from. */
  readonly saslUsername?: string | undefined;
  readonly recipient: Address;
  readonly transport: Transport;
  readonly options: TryOptions;
  readonly destination: Destination;
  readonly message: MessageReader;
  /** Told of each connection that it is made by, for lists. */
  readonly onConnection?: ((connection: ConnectionFacts) => void) | undefined;
}

/** Makes the choice among equal hosts repeatable (control-api 7). */
export interface Turn {
  /** The transaction's id. */
  readonly seed: string;
  /** Each retry begins with another one of the equal hosts. */
  readonly retry: number;
}

export interface Deliverer {
  /** Finds the next hop, or says why there is none (a report with an error, no connection). By chance without a turn. */
  resolve(
    transport: Transport,
    recipient: Address,
    options: TryOptions,
    turn?: Turn,
  ): Promise<Destination | AttemptReport>;
  /** One try at one destination. Never rejects: whatever happens is in the report. `signal` gives it up (temporary). */
  attempt(attempt: Attempt, signal: AbortSignal): Promise<AttemptReport>;
  /** Closes idle connections politely. */
  close(): Promise<void>;
}

/** What a report means (decided in failure.ts, nowhere else). */
export type Verdict = 'delivered' | 'deferred' | 'failed';
