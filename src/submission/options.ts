// What a submission server is told, and what it is given to work with. Every number has its unit in its name; 0 means no
// limit where that makes sense.

import type { Resolver } from '#stdlib';
import type { ApiKey } from '../config/submission.js';
import type { IntakeContext, MessageLimits } from '../intake/message-intake.js';
import type { AdmissionLimits } from '../smtp/edge/admission.js';
import type { ListenerOptions } from '../smtp/options.js';
import type { ServerContexts } from '../smtp/tls/server-contexts.js';

export interface SubmissionLimits extends MessageLimits, AdmissionLimits {
  readonly recipients: number;
  /** The `options` part, unpacked. */
  readonly optionsBytes: number;
  /** Submissions under way at once. */
  readonly requests: number;
  readonly requestsPerKey: number;
}

export interface SubmissionTimeouts {
  /** Silence: between two requests, and within one. */
  readonly idleSeconds: number;
  /** For a whole request to arrive, however slowly it trickles in. */
  readonly requestSeconds: number;
  /** For a client that has its answer to end what it is still sending. */
  readonly lingerSeconds: number;
  /** For the handshake of TLS. */
  readonly handshakeSeconds: number;
  /** For a PROXY header at the start of a connection. */
  readonly proxyHeaderSeconds: number;
}

export interface SubmissionServerOptions {
  /** The server's id: `serverid` of scripts and logs. */
  readonly id: string;
  readonly hostname: string;
  readonly listeners: readonly ListenerOptions[];
  /** Whether it speaks HTTPS; fixed when it starts. */
  readonly isSecure: boolean;
  /** What HTTPS shows in handshakes. */
  readonly tls?: ServerContexts | undefined;
  /** Transport of recipients for which the submitter names none. */
  readonly transportId?: string | undefined;
  readonly hooks: { readonly eod?: string | undefined };
  /** Clients are looked up by reverse DNS before their first message is taken. */
  readonly reverseNames: boolean;
  readonly apiKeys: readonly ApiKey[];
  /** Answers kept for Idempotency-Key; `keys` 0 = off. */
  readonly idempotency: { readonly seconds: number; readonly keys: number };
  readonly limits: SubmissionLimits;
  readonly timeouts: SubmissionTimeouts;
}

/** Defaults of the reference (queue-and-config 8.4), and ours where it has none. */
export const submissionDefaults = {
  isSecure: false,
  hooks: {},
  apiKeys: [],
  idempotency: { seconds: 3600, keys: 10_000 },
  limits: {
    messageBytes: 50 * 1024 * 1024,
    headerBytes: 512 * 1024,
    headerLines: 10_000,
    hops: 100,
    recipients: 0,
    optionsBytes: 1024 * 1024,
    connections: 0,
    connectionsPerIp: 0,
    connectionsPerNetwork: 0,
    networks: [],
    requests: 500,
    requestsPerKey: 0,
  },
  reverseNames: false,
  timeouts: {
    idleSeconds: 300,
    requestSeconds: 600,
    lingerSeconds: 5,
    handshakeSeconds: 30,
    proxyHeaderSeconds: 10,
  },
} as const satisfies Omit<SubmissionServerOptions, 'id' | 'hostname' | 'listeners'>;

/** What the requests of a connection run on. */
export interface RequestBasis {
  readonly options: SubmissionServerOptions;
  readonly parts: SubmissionServerParts;
}

/** The same for a connection for which another configuration was chosen, to its end. */
export interface StagedBasis extends RequestBasis {
  /** The connection is over, or was turned away. */
  close(): void;
}

/** What a server works with. */
export interface SubmissionServerParts extends Readonly<IntakeContextParts> {
  /** Asked once for each connection: the staged configuration that it belongs to, if any. */
  readonly stage?: (connection: {
    readonly serverId: string;
    readonly remoteIp: string;
  }) => StagedBasis | undefined;
  readonly newId: () => string;
  /** For reverse DNS. */
  readonly resolver?: Resolver | undefined;
  /** The user at the other end of a UNIX socket, by its descriptor; absent where the addon is missing. */
  readonly peerUser?: ((descriptor: number) => number | undefined) | undefined;
  /** How many files the process may have open (RLIMIT_NOFILE), if known. */
  readonly openFiles?: number | undefined;
  /** Told the code of SMTP that each message was answered with. */
  readonly onMessage?: ((code: number) => void) | undefined;
  /** Calls `run` again and again until the returned function is called. */
  readonly every: (seconds: number, run: () => void) => () => void;
}

type IntakeContextParts = IntakeContext['parts'];
