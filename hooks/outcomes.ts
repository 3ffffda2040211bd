// What a hook decided, as data. The scripting layer turns an action's arguments into one of these; the SMTP engine and the
// queue carry them out without knowing that a script was involved.

import type { Value } from '#lang';
import type { Address, DsnParameters, QueueRequest } from '#stdlib';

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

/** Options of `Try` (hooks.md 12.1) that this build carries out; each overrides the transport for this attempt only. */
export interface TryOptions {
  readonly host?: string;
  readonly port?: number;
  readonly helo?: string;
  readonly sender?: Address;
  readonly recipient?: Address;
  readonly protocol?: 'smtp' | 'lmtp';
  readonly jobId?: string;
  /** Seconds by SMTP state. */
  readonly timeouts?: Readonly<Record<string, number>>;
  readonly connectTimeoutSeconds?: number;
  readonly dsn?: DsnParameters & { readonly success?: 'relayed' | 'delivered' };
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
}

/** `metadata` is set when the script replaced it (SetMetaData). */
export interface MetaDataChange {
  readonly metadata?: Readonly<Record<string, string>>;
}

export type PredeliveryOutcome = MetaDataChange &
  (
    | { readonly kind: 'Try'; readonly options: TryOptions; readonly context: unknown }
    | { readonly kind: 'Queue'; readonly options: QueueOptions }
    | { readonly kind: 'Bounce'; readonly reason?: string; readonly context?: unknown }
    | { readonly kind: 'Delete'; readonly reason?: string; readonly context?: unknown }
  );

export type PostdeliveryOutcome = MetaDataChange &
  (
    | { readonly kind: 'Queue'; readonly options: QueueOptions }
    | { readonly kind: 'Bounce' }
    | { readonly kind: 'Delete' }
    | { readonly kind: 'Default' }
  );

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
  };
  readonly durationSeconds: number;
}
