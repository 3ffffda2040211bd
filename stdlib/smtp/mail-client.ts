// The SMTP client as scripts use it in line: send(), smtp_lookup_rcpt, smtp_lookup_auth (stdlib 10, 15). The daemon's
// own client (src/delivery) does the work; the library knows only what goes in and what comes out.

import type { Address } from '../mail/envelope.js';
import type { MessageSource, Pieces } from '../mail/message-source.js';

/** How a session is to be protected (hooks 12.1); what each accepts is told in src/delivery/security. */
export const tlsModes = [
  'disabled',
  'optional',
  'optional_verify',
  'dane',
  'dane_require',
  'dane_fallback_require',
  'dane_fallback_require_verify',
  'require',
  'require_verify',
] as const;
export type TlsMode = (typeof tlsModes)[number];

/** The `server` argument as an array, options checked; what is absent has the client's default. */
export interface MailServer {
  /** Host name or address; absent: the MX hosts of the recipient's domain. */
  readonly host?: string;
  readonly port?: number;
  readonly helo?: string;
  /** An address, already looked up when the script gave an id. */
  readonly sourceIp?: string;
  readonly isNonlocalSource?: boolean;
  readonly saslUserName?: string;
  readonly saslPassword?: string;
  /** Log in although TLS does not show with whom the session is. */
  readonly saslAllowsUnverified?: boolean;
  readonly tls?: TlsMode;
  /** TLS from the first byte. */
  readonly tlsImplicit?: boolean;
  /** True: the name of the host that is connected to. */
  readonly tlsSni?: string | boolean;
  readonly tlsProtocols?: string;
  readonly tlsCiphers?: string;
  readonly tlsVerifyHost?: boolean;
  readonly tlsVerifyNames?: readonly string[];
  readonly tlsDefaultCa?: boolean;
  /** Id of a configured key. */
  readonly tlsClientCertificate?: string;
  readonly tlsUsesMtaSts?: boolean;
  readonly tlsCapturesPeerCertificate?: boolean;
  readonly xclient?: Readonly<Record<string, string>>;
  readonly protocol?: 'smtp' | 'lmtp';
  readonly mxInclude?: readonly string[];
  readonly mxExclude?: readonly string[];
  /** Seconds by SMTP state. */
  readonly timeouts?: Readonly<Record<string, number>>;
  readonly connectTimeoutSeconds?: number;
  /** The domain whose MX hosts are meant, when it is not the recipient's. */
  readonly domain?: string;
}

/** A next hop: a configured transport, or a server described by the script. */
export type MailTarget = { readonly transportId: string } | MailServer;

export interface MailReply {
  /** The SMTP state it answers (`BANNER`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `EOD`, …). */
  readonly state: string;
  readonly code: number;
  /** [2, 1, 5], or empty. */
  readonly enhanced: readonly number[];
  readonly reason: readonly string[];
  readonly recipientIndex?: number;
}

export interface MailConnection {
  readonly localIp: string;
  readonly remoteIp: string;
  readonly remoteMx: string;
}

export interface MailTls {
  readonly isStarted: boolean;
  readonly protocol?: string;
  readonly cipher?: string;
  readonly keySize?: number;
  readonly isPeerVerified?: boolean;
  /** In a session: why its certificate is not trusted, in a word of node:tls. Without one: why there is none. */
  readonly error?: string;
  /** DER, when it was asked for. */
  readonly peerCertificate?: Buffer;
}

/** What came of one dialogue: the reply that decided it, or why there is none. */
export type MailOutcome = (
  | { readonly reply: MailReply }
  | { readonly error: { readonly isTemporary: boolean; readonly message: string } }
) & {
  /** By LMTP: what was said of each of several recipients, in their order, as far as it was heard. */
  readonly recipients?: readonly MailReply[];
  readonly connection?: MailConnection;
  readonly tls?: MailTls;
};

export interface OutgoingMail {
  readonly sender: Address;
  readonly recipients: readonly Address[];
  readonly source: MessageSource;
  readonly pieces: Pieces;
}

/** Never rejects; `signal` gives up (a temporary error). */
export interface MailClient {
  send(mail: OutgoingMail, target: MailTarget, signal: AbortSignal): Promise<MailOutcome>;
  /** MAIL and RCPT, then RSET and QUIT: no DATA. */
  lookupRecipient(
    sender: Address,
    recipient: Address,
    target: MailTarget,
    signal: AbortSignal,
  ): Promise<MailOutcome>;
  /** Tries AUTH; `state` of the reply is AUTH when the peer decided. */
  lookupAuth(
    target: MailTarget,
    userName: string,
    password: string,
    signal: AbortSignal,
  ): Promise<MailOutcome>;
}
