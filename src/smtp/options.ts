// What an SMTP server is told, and what it is given to work with. Every number has its unit in its name; 0 means no limit
// where that makes sense.

import type { Clock } from '#lang';
import type { Address, Resolver } from '#stdlib';
import type { Logger } from '../log/logger.js';
import type { SmtpHooks } from '../scripting/smtp-hooks.js';
import type { Spool } from '../spool/spool.js';
import type { AdmissionLimits } from './edge/admission.js';
import type { NetworkList } from './edge/networks.js';
import type { ServerContexts } from './tls/server-contexts.js';

export interface ListenerOptions {
  /** All addresses, IPv4 and IPv6, when absent. */
  readonly address?: string | undefined;
  /** 0 takes any free port. Absent for UNIX sockets only. */
  readonly port?: number | undefined;
  readonly backlog?: number | undefined;
  /** Named by the settings that make it begin with TLS. */
  readonly id?: string | undefined;
  /** Of a UNIX socket; then there is neither address nor port. */
  readonly path?: string | undefined;
  /** Permissions of that socket; what the umask leaves when absent. */
  readonly mode?: number | undefined;
  /** Whose PROXY headers are believed, and must come; nobody's when absent. */
  readonly proxies?: NetworkList | undefined;
  /** Who may speak for others by XCLIENT; nobody when absent. */
  readonly xclients?: NetworkList | undefined;
}

/** Which script answers which phase: ids as in the configuration; absent is the built-in behaviour. */
export interface SmtpPhaseHooks {
  readonly connect?: string | undefined;
  readonly proxy?: string | undefined;
  readonly auth?: string | undefined;
  readonly helo?: string | undefined;
  readonly mailfrom?: string | undefined;
  readonly rcptto?: string | undefined;
  /** By recipient domain in lower case; wins over `rcptto`. */
  readonly rcpttoByDomain?: ReadonlyMap<string, string> | undefined;
  readonly eod?: string | undefined;
  readonly disconnect?: string | undefined;
}

/** AUTH, which needs an auth script (RFC 4954). */
export interface AuthOptions {
  readonly enabled: boolean;
  /** Neither announced nor taken before TLS. */
  readonly requireTls: boolean;
  /** Wrong passwords before the connection is closed. */
  readonly maxFailures: number;
}

export interface SmtpLimits extends AdmissionLimits {
  /** One command line with its line end. RFC 5321 §4.5.3.1.4 asks for 512 and room for extensions. */
  readonly commandLineBytes: number;
  /** A line that never ends: closed beyond this. */
  readonly endlessLineBytes: number;
  readonly messageBytes: number;
  /** A refused BDAT is read up to this size, so that the client hears why; closed beyond. */
  readonly refusedChunkBytes: number;
  readonly headerBytes: number;
  readonly headerLines: number;
  /** Received fields of a message before it counts as a loop. */
  readonly hops: number;
  readonly recipients: number;
  readonly messagesPerConnection: number;
  /** Wrong commands before the connection is closed. */
  readonly errorsPerConnection: number;
  /** Commands since the connection began or a message was last accepted. */
  readonly commandsWithoutMail: number;
}

export interface SmtpTimeouts {
  /** From one reply to the end of the next command line, however slowly it trickles in. */
  readonly commandSeconds: number;
  /** The same until the client has greeted. */
  readonly greetingSeconds: number;
  /** The same while a transaction is open. */
  readonly transactionSeconds: number;
  /** Between two chunks of a message. */
  readonly dataSeconds: number;
  /** For a whole message. */
  readonly messageSeconds: number;
  /** For the client to take a reply, or to hang up after the last one. */
  readonly lingerSeconds: number;
  /** For the handshake of TLS. */
  readonly handshakeSeconds: number;
  /** For a PROXY header at the start of a connection. */
  readonly proxyHeaderSeconds: number;
}

export interface SmtpServerOptions {
  /** The server's id: `serverid` of scripts and logs. */
  readonly id: string;
  readonly hostname: string;
  readonly listeners: readonly ListenerOptions[];
  /** Transport of recipients for which no script names another. */
  readonly transportId?: string | undefined;
  /** Who gets mail for `postmaster` without a domain (RFC 5321 §4.5.1); absent: as it is addressed. */
  readonly postmaster?: Address | undefined;
  readonly hooks: SmtpPhaseHooks;
  /** LMTP: LHLO, and one reply for each recipient after a message (RFC 2033). */
  readonly protocol: 'smtp' | 'lmtp';
  readonly heloRequired: boolean;
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  readonly chunking: boolean;
  /** The commands that the proxy script sees, as `proxiedCommands` makes them; all when absent. */
  readonly proxyCommands?: ReadonlySet<string> | undefined;
  readonly auth: AuthOptions;
  /** Clients are looked up by reverse DNS before they are greeted. */
  readonly reverseNames: boolean;
  /** Every line said on either side goes into the log. */
  readonly verbose: boolean;
  /** What is shown in TLS handshakes; without it there is no TLS. */
  readonly tls?: ServerContexts | undefined;
  /** Ids of the listeners that begin with TLS. */
  readonly implicitTls: ReadonlySet<string>;
  /** How long the greeting is held back; 0 = not at all. */
  readonly bannerDelaySeconds: number;
  readonly limits: SmtpLimits;
  readonly timeouts: SmtpTimeouts;
}

/** Defaults of the reference (queue-and-config 8.4), and ours where it has none. */
export const smtpDefaults = {
  hooks: {},
  protocol: 'smtp',
  heloRequired: false,
  pipelining: true,
  eightBitMime: true,
  smtpUtf8: true,
  chunking: true,
  auth: { enabled: true, requireTls: true, maxFailures: 5 },
  reverseNames: false,
  verbose: false,
  implicitTls: new Set<string>(),
  bannerDelaySeconds: 0,
  limits: {
    commandLineBytes: 2048,
    endlessLineBytes: 1024 * 1024,
    messageBytes: 50 * 1024 * 1024,
    refusedChunkBytes: 256 * 1024 * 1024,
    headerBytes: 512 * 1024,
    headerLines: 10_000,
    hops: 100,
    recipients: 0,
    messagesPerConnection: 0,
    errorsPerConnection: 20,
    commandsWithoutMail: 1000,
    connections: 0,
    connectionsPerIp: 0,
    connectionsPerNetwork: 0,
    networks: [],
  },
  timeouts: {
    commandSeconds: 300,
    greetingSeconds: 300,
    transactionSeconds: 300,
    dataSeconds: 300,
    messageSeconds: 3600,
    lingerSeconds: 30,
    handshakeSeconds: 30,
    proxyHeaderSeconds: 10,
  },
} as const satisfies Omit<SmtpServerOptions, 'id' | 'hostname' | 'listeners'>;

/** A connection for which another configuration was chosen: what it runs on instead, to its end. */
export interface StagedConnection {
  readonly options: SmtpServerOptions;
  readonly parts: SmtpServerParts;
  /** The connection is over, or was turned away. */
  close(): void;
}

/** What a server works with. */
export interface SmtpServerParts {
  /** Asked once for each connection, before anything is said: the staged configuration that it belongs to, if any. */
  readonly stage?: (connection: {
    readonly serverId: string;
    readonly remoteIp: string;
  }) => StagedConnection | undefined;
  /** The staged configuration that these parts are of; its messages remember it. */
  readonly stageKey?: string;
  readonly spool: Pick<Spool, 'receive' | 'commit' | 'hasRoomFor'>;
  readonly hooks: SmtpHooks;
  /** For reverse DNS. */
  readonly resolver?: Resolver | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Whether the configuration has that transport. */
  readonly knowsTransport: (id: string) => boolean;
  /** Hands committed messages to the queue. */
  readonly onQueued: (messages: Awaited<ReturnType<Spool['commit']>>) => void;
  /** The user at the other end of a UNIX socket, by its descriptor; absent where the addon is missing. */
  readonly peerUser?: ((descriptor: number) => number | undefined) | undefined;
  /** How many files the process may have open (RLIMIT_NOFILE), if known. */
  readonly openFiles?: number | undefined;
  /** Told the code of SMTP that each message was answered with. */
  readonly onMessage?: ((code: number) => void) | undefined;
  /** Calls `run` again and again until the returned function is called. */
  readonly every: (seconds: number, run: () => void) => () => void;
}

/**
 * Whether any script decides what is accepted. Without one the server must not relay for strangers (hooks 1): neither
 * on loopback nor known by AUTH. A proxy script translates, and an auth script decides for those it accepts.
 */
export function hasDecidingScript({ hooks }: SmtpServerOptions): boolean {
  return (
    hooks.connect !== undefined ||
    hooks.helo !== undefined ||
    hooks.mailfrom !== undefined ||
    hooks.rcptto !== undefined ||
    (hooks.rcpttoByDomain?.size ?? 0) > 0 ||
    hooks.eod !== undefined
  );
}
