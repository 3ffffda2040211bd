// What a hook decided, as data. The scripting layer turns an action's arguments into one of these; the SMTP engine and the
// queue carry them out without knowing that a script was involved.

import type { Value } from '#lang';
import type { Address, DsnParameters, ParsedCertificate, QueueRequest, TlsMode } from '#stdlib';
import type { DsnOptions } from './dsn-options.js';

/** An enhanced status code (RFC 3463): class, subject, detail. */
export type EnhancedStatus = readonly [number, number, number];

/** The reply a script asked for. What is absent keeps the phase's default. */
export interface ReplyWish {
  /** Text lines, without CR or LF. */
  readonly reason?: readonly string[];
  readonly code?: number;
  readonly enhanced?: EnhancedStatus;
  /** Close the connection after the reply. */
  readonly disconnect?: boolean;
}

export interface RejectOutcome extends ReplyWish {
  readonly kind: 'Reject';
}
export interface DeferOutcome extends ReplyWish {
  readonly kind: 'Defer';
  /** Set when no script said so: the script failed, or ended where ending means Defer. */
  readonly because?: 'script-error' | 'end-of-script';
}

export interface ConnectAccept extends ReplyWish {
  readonly kind: 'Accept';
  readonly remoteIp?: string;
  readonly remotePtr?: string;
  readonly priority?: 0 | 1;
}
export interface HeloAccept extends ReplyWish {
  readonly kind: 'Accept';
  readonly host?: string;
  /** The complete list to announce. */
  readonly extensions?: readonly string[];
}
export interface MailFromAccept extends ReplyWish {
  readonly kind: 'Accept';
  readonly sender?: Address;
}
export interface RcptToAccept extends ReplyWish {
  readonly kind: 'Accept';
  readonly recipient?: Address;
  readonly transportId?: string;
}
export interface EodAccept extends ReplyWish {
  readonly kind: 'Accept';
  /** For the submitter of an HTTP submission; it can be written as JSON. */
  readonly metadata?: Value;
  /** What `$mail->queue()` collected; nothing is queued with any other outcome. */
  readonly queued: readonly QueueRequest[];
  /** LMTP: what single recipients are told instead, in their order; undefined is what the others are told. */
  readonly recipients?: readonly (ReplyWish | undefined)[];
}

/** What becomes of a command line that a proxy script saw; `next`: the script sees the next line too, whatever it is. */
export type ProxyOutcome =
  | { readonly kind: 'Pass'; readonly command?: string; readonly next: boolean }
  | (ReplyWish & { readonly kind: 'Reply'; readonly next: boolean });

export interface AuthAccept extends ReplyWish {
  readonly kind: 'Accept';
  readonly username?: string;
}
/** A challenge, before base64. */
export interface AuthReply extends ReplyWish {
  readonly kind: 'Reply';
  readonly challenge: string;
}
export type AuthOutcome = AuthAccept | AuthReply | RejectOutcome | DeferOutcome;

export type ConnectOutcome = ConnectAccept | RejectOutcome | DeferOutcome;
export type HeloOutcome = HeloAccept | RejectOutcome | DeferOutcome;
export type MailFromOutcome = MailFromAccept | RejectOutcome | DeferOutcome;
export type RcptToOutcome = RcptToAccept | RejectOutcome | DeferOutcome;
export type EodOutcome = EodAccept | RejectOutcome | DeferOutcome;

// --- The queue's hooks -------------------------------------------------------------------------------------------

/** A proxy to connect through; what is absent is the transport's. */
export interface TryProxy {
  readonly ip?: string;
  readonly port?: number;
  /** Of the PROXY protocol. */
  readonly version?: 1 | 2;
}

/** Whom to log in as. Bytes; never shown. */
export interface TryLogIn {
  /** Absent: as the transport says. */
  readonly userName?: string;
  readonly password?: string;
  /** Although the session does not show with whom it is. */
  readonly allowsUnverified?: boolean;
}

/** The options of `Try` about the session; what is absent is the transport's. */
export interface SessionOptions {
  readonly tls?: {
    readonly mode?: TlsMode;
    /** TLS from the first byte. */
    readonly isImplicit?: boolean;
    /** True for the name of the host we connect to. */
    readonly sni?: string | boolean;
    readonly protocols?: string;
    readonly ciphers?: string;
    readonly verifiesHost?: boolean;
    readonly verifyNames?: readonly string[];
    readonly usesSystemCa?: boolean;
    /** Id of a configured key; empty for none. */
    readonly clientCertificate?: string;
    /** The recipient's domain may demand more by MTA-STS. */
    readonly usesMtaSts?: boolean;
  };
  readonly logIn?: TryLogIn | 'none';
  readonly xclient?: Readonly<Record<string, string>>;
  readonly proxy?: TryProxy | 'none';
}

/** An address of ours to come from. */
export interface SourceAddress {
  readonly ip: string;
  /** As it is configured under. */
  readonly id?: string | undefined;
  /** The name for EHLO from there; one that Try gives wins. */
  readonly helo?: string | undefined;
}

/** The options of `Try` about where we come from. */
export interface SourceOptions {
  /** In place of the transport's; one that stands twice gets twice the share. */
  readonly sources?: readonly SourceAddress[];
  /** The first one that is usable, not in turns. */
  readonly takesFirstSource?: boolean;
  /** The addresses need not be of this machine. */
  readonly isSourceNonlocal?: boolean;
}

/** Options of `Try` (hooks.md 12.1) that this build carries out; each overrides the transport for this attempt only. */
export interface TryOptions extends SessionOptions, SourceOptions {
  /** An address, a host, or `lookup-mx`. */
  readonly host?: string;
  readonly port?: number;
  /** Whose mail hosts are looked up; bytes. */
  readonly domain?: string;
  readonly mxInclude?: readonly string[];
  readonly mxExclude?: readonly string[];
  readonly helo?: string;
  readonly sender?: Address;
  readonly recipient?: Address;
  readonly protocol?: 'smtp' | 'lmtp';
  readonly jobId?: string;
  /** Seconds by SMTP state. */
  readonly timeouts?: Readonly<Record<string, number>>;
  readonly connectTimeoutSeconds?: number;
  readonly dsn?: DsnParameters & { readonly success?: 'relayed' | 'delivered' };
  /** How the notification of the attempt's end is to look (SetDSN); no option of `Try`. */
  readonly notice?: DsnOptions;
}

export interface QueueOptions {
  readonly hold: boolean;
  /** Absent: by the transport's retry table. */
  readonly delaySeconds?: number;
  readonly reason?: string;
  readonly incrementRetry: boolean;
  readonly resetRetry: boolean;
  readonly transportId?: string;
  readonly quotas?: readonly string[];
  readonly jobId?: string;
  readonly tenantId?: string;
  /** Of the notification that is made now, if one is. */
  readonly dsn?: DsnOptions;
  /** Tell the sender that it takes longer, or do not; absent: by the transport's retry table. */
  readonly dsnDelayed?: boolean;
}

/** What a script says of its message beside the action. */
export interface MetaDataChange {
  /** Set when the script replaced it (SetMetaData). */
  readonly metadata?: Readonly<Record<string, string>>;
  /** How a notification that comes of this run, or of its attempt, is to look (SetDSN). */
  readonly notice?: DsnOptions;
}

export type PredeliveryOutcome = MetaDataChange &
  (
    | { readonly kind: 'Try'; readonly options: TryOptions; readonly context: unknown }
    | { readonly kind: 'Queue'; readonly options: QueueOptions }
    | {
        readonly kind: 'Bounce';
        readonly reason?: string;
        readonly dsn?: DsnOptions;
        readonly context?: unknown;
      }
    | { readonly kind: 'Delete'; readonly reason?: string; readonly context?: unknown }
  );

export type PostdeliveryOutcome = MetaDataChange &
  (
    | { readonly kind: 'Queue'; readonly options: QueueOptions }
    | { readonly kind: 'Bounce'; readonly dsn?: DsnOptions }
    | { readonly kind: 'Delete' }
    | { readonly kind: 'Default' }
  );

/** A record of TLSA (RFC 6698 2.1) that a host was held to. */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  /** Lower-case hexadecimal digits. */
  readonly data: string;
}

/** The TLS session of an attempt, or why there was none. */
export interface AttemptTls {
  readonly isStarted: boolean;
  readonly protocol?: string;
  readonly cipher?: string;
  /** Bits. */
  readonly keySize?: number;
  readonly peer?: {
    readonly certificate?: ParsedCertificate;
    /** What it was sent with, the next issuer first. */
    readonly chain: readonly ParsedCertificate[];
    /** Why it is not trusted, in a word of node:tls. */
    readonly error?: string;
  };
  /** The kind of failure in the words of RFC 8460 4.3. */
  readonly tlsrpt?: string;
  /** What DNS said of the host's certificates, where it was asked. */
  readonly tlsa?:
    | { readonly kind: 'records'; readonly records: readonly TlsaRecord[] }
    | { readonly kind: 'error'; readonly errors: readonly string[] };
}

/** The result of one delivery attempt as postdelivery sees it (hooks.md 13). */
export interface AttemptReport {
  readonly result?: {
    readonly code: number;
    readonly enhanced?: EnhancedStatus;
    readonly reason: readonly string[];
    readonly state: string;
  };
  readonly error?: {
    readonly temporary: boolean;
    readonly message: string;
    readonly type: 'config' | 'dns' | 'network' | 'dane' | 'protocol' | 'smtp' | 'tls' | 'plugin';
    readonly dns?: 'other' | 'nxdomain' | 'nullmx' | 'ipfamily' | 'nodata' | 'excluded';
    /** The SMTP state in which it happened. */
    readonly state?: string;
  };
  readonly connection?: {
    readonly id: string;
    /** How many transactions this connection has carried; 1 = fresh. */
    readonly transactions: number;
    readonly localIp: string;
    readonly helo: string;
    readonly remoteIp: string;
    readonly remoteMx: string;
    readonly remoteGreet?: readonly string[];
    /** The peer knows DSNs (RFC 3461): it was told what the sender wants to hear, and tells it. */
    readonly takesDsn?: boolean;
    /** Id of the configured address it came from. */
    readonly localIpId?: string;
    /** Absent only where nobody looked. */
    readonly tls?: AttemptTls;
  };
  readonly durationSeconds: number;
}
