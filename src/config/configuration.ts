// What the daemon runs on: every setting with its default filled in, units converted, references checked. Nothing
// behind this file reads YAML.

import type { X509Certificate } from 'node:crypto';
import type { Address, ConfiguredAddress, ConfiguredKey, ResolverSettings, SuffixList } from '#stdlib';
import type { Transport } from '../delivery/deliverer.js';
import type { ControlSocketSettings, MonitorSettings } from './control.js';
import type { DeliverySettings } from './delivery-settings.js';
import type { EdgeSettings, ListenerSettings } from './edge.js';
import type { PrivdropSettings } from './privdrop.js';
import type { ConfigProblem } from './problem.js';
import type { ApiKey, SubmissionSettings } from './submission.js';

/** The phases that a server's scripts are configured for. */
export type ServerPhase =
  | 'connect'
  | 'proxy'
  | 'helo'
  | 'auth'
  | 'mailfrom'
  | 'rcptto'
  | 'eod'
  | 'disconnect';

export const serverPhases: readonly ServerPhase[] = [
  'connect',
  'proxy',
  'helo',
  'auth',
  'mailfrom',
  'rcptto',
  'eod',
  'disconnect',
];

/** A script as configured, with the file a person edits. */
export interface ConfiguredScript {
  /** What messages and stack traces call it. */
  readonly name: string;
  /** One byte per character. */
  readonly text: string;
}

/** A file that scripts can include or import. */
export interface ConfiguredFile {
  readonly id: string;
  readonly text: string;
}

/** Seconds that a client of a server may take. */
export interface ServerTimeouts {
  /** For the next command. */
  readonly idle: number;
  /** The same until it has greeted. */
  readonly greeting: number;
  /** The same between MAIL and DATA. */
  readonly transaction: number;
  /** For the next piece of a message. */
  readonly data: number;
  /** For a whole message. */
  readonly message: number;
  /** To take a reply, or to hang up after the last one. */
  readonly linger: number;
  /** For the handshake of TLS. */
  readonly handshake: number;
  /** For the header of a proxy. */
  readonly proxyHeader: number;
}

/** One virtual server: smtpd.yaml's listeners and smtpd-app.yaml's behaviour. */
export interface ServerSettings {
  readonly id: string;
  readonly type: 'smtp' | 'http' | 'https';
  readonly listeners: readonly ListenerSettings[];
  readonly transportId: string | undefined;
  /** Who gets mail for `postmaster` without a domain (RFC 5321 §4.5.1); absent: as it is addressed. */
  readonly postmaster?: Address | undefined;
  /** Script ids by phase; what is absent has the built-in behaviour. */
  readonly hooks: Readonly<Partial<Record<Exclude<ServerPhase, 'rcptto'>, string>>>;
  readonly rcpttoHook: string | undefined;
  /** Script ids by recipient domain (lower case); they win over `rcpttoHook`. */
  readonly rcpttoHookByDomain: ReadonlyMap<string, string>;
  /** The commands that the proxy script sees; all when undefined. */
  readonly proxyCommands: readonly string[] | undefined;
  readonly auth: { readonly enabled: boolean; readonly requireTls: boolean; readonly maxFailures: number };
  /** Clients are looked up by reverse DNS before they are greeted. */
  readonly reverseNames: boolean;
  /** Every line said on either side goes into the log. */
  readonly verbose: boolean;
  readonly heloRequired: boolean;
  readonly maxMessages: number;
  readonly maxRecipients: number;
  readonly maxSizeBytes: number;
  readonly maxHops: number;
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly chunking: boolean;
  readonly smtpUtf8: boolean;
  readonly protocol: 'smtp' | 'lmtp';
  readonly timeouts: ServerTimeouts;
  /** TLS, how many clients may come, the greeting. */
  readonly edge: EdgeSettings;
  /** Of servers of type http and https. */
  readonly submission: SubmissionSettings;
}

export interface ScriptLimits {
  readonly depth: number;
  readonly memoryBytes: number;
  readonly timeSeconds: number;
  readonly outputBytes: number;
  /** 0 = no limit. */
  readonly instructions: number;
}

/** A metric that scripts may keep. */
export interface MetricSettings {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram: upper bounds, ascending. */
  readonly buckets: readonly number[] | undefined;
}

/** What is read at start only (smtpd.yaml). */
export interface StartupSettings {
  readonly hostname: string;
  readonly umask: number | undefined;
  readonly openFiles: number | undefined;
  readonly uuidVersion: 1 | 4;
  readonly syslogMask: number;
  readonly shutdownGraceSeconds: number;
  /** At least one. */
  readonly spoolPaths: readonly string[];
  readonly spoolFsync: boolean;
  readonly spoolMinFreeBytes: number;
  readonly spoolMinFreeInodes: number;
  readonly spoolCorrupt: 'fail' | 'rename' | 'delete' | 'ignore';
  readonly queueConcurrency: number;
  readonly scriptRoot: string;
  /** Undefined: the list that came with us. */
  readonly publicSuffixes: SuffixList | undefined;
  readonly control: ControlSocketSettings;
  /** Undefined: there is no monitor endpoint. */
  readonly monitor: MonitorSettings | undefined;
  /** Undefined: the daemon stays who it was started as. */
  readonly privdrop: PrivdropSettings | undefined;
}

/** What a reload may replace (smtpd-app.yaml, smtpd-policy.yaml, smtpd-delivery.yaml and the scripts). */
export interface RunningSettings {
  readonly servers: readonly ServerSettings[];
  /** Keyed `phase/id`. */
  readonly scripts: ReadonlyMap<string, ConfiguredScript>;
  readonly predelivery: ConfiguredScript | undefined;
  readonly postdelivery: ConfiguredScript | undefined;
  readonly files: readonly ConfiguredFile[];
  readonly limits: ScriptLimits;
  readonly metrics: readonly MetricSettings[];
  /** Whom the monitor endpoint shows its metrics; everybody when empty. */
  readonly monitorKeys: readonly ApiKey[];
  readonly transports: ReadonlyMap<string, Transport>;
  /** Who hears of failures that have no sender to be told. */
  readonly postmaster: Address | undefined;
  /** What holds for single destinations, over their transports. */
  readonly delivery: DeliverySettings;
  readonly addresses: ReadonlyMap<string, ConfiguredAddress>;
  /** `pki.private` and `pki.ca`, by id without `pki:`. */
  readonly keys: ReadonlyMap<string, ConfiguredKey>;
  readonly authorities: ReadonlyMap<string, readonly X509Certificate[]>;
  /** What createResolver makes a resolver of. */
  readonly resolver: ResolverSettings;
  readonly poolSize: number;
  /** What of the peer idle connections are known by. */
  readonly pooledBy: 'remoteip' | 'remotemx';
  /** Deliveries in flight per remotemx; 0 = no limit. */
  readonly remoteMxConcurrency: number;
}

export interface Configuration {
  readonly startup: StartupSettings;
  readonly running: RunningSettings;
  readonly warnings: readonly ConfigProblem[];
}
