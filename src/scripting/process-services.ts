// What scripts may ask of the process (stdlib/services.ts), made of the machine's own parts and of what a configuration
// names: resolver, SMTP client, background requests, keys, files, addresses, metrics. The daemon, `hsh` and the shell use
// the same; only the daemon has a queue that takes messages.
//
// Invariant: what a configuration names is replaced as a whole. A run takes the fields when it starts (run-surroundings.ts), so it
// sees one configuration to its end.

import type { X509Certificate } from 'node:crypto';
import {
  type BackgroundQueues,
  backgroundSender,
  type ConfiguredAddress,
  type ConfiguredKey,
  type ConfiguredThings,
  type CountingResolver,
  createBackgroundRequests,
  createLocalRates,
  createLocalServices,
  createResolver,
  type LibraryServices,
  type LookUp,
  type NetworkServices,
  nothingConfigured,
  type QueueCounts,
  type Resolver,
  type ResolverSettings,
  type ServerCounts,
  type Submission,
  type SuffixList,
} from '#stdlib';
import type { MetricSettings, RunningSettings, StartupSettings } from '../config/configuration.js';
import type { TlsTrust } from '../delivery/client/tls.js';
import type { Transport } from '../delivery/deliverer.js';
import { InLineClient } from '../delivery/in-line-client.js';
import type { Names } from '../delivery/next-hops/names.js';
import { resolverNames } from '../delivery/next-hops/resolver-names.js';
import { httpsPolicyFetch } from '../delivery/security/mta-sts/fetch.js';
import { StsPolicies } from '../delivery/security/mta-sts/policies.js';
import { filePolicyStore } from '../delivery/security/mta-sts/store.js';
import { TransportSecurity } from '../delivery/security/transport-security.js';
import type { Logger } from '../log/logger.js';
import { ScriptMetrics } from '../metrics/script-metrics.js';
import { native } from '../native/index.js';
import { createScriptFiles } from './host/index.js';

/** The part of a configuration that scripts ask for by name, or that shapes what they reach. */
export interface ScriptSettings {
  readonly resolver: ResolverSettings;
  readonly transports: ReadonlyMap<string, Transport>;
  readonly addresses: ReadonlyMap<string, ConfiguredAddress>;
  /** By id, without `pki:`. */
  readonly keys: ReadonlyMap<string, ConfiguredKey>;
  readonly authorities: ReadonlyMap<string, readonly X509Certificate[]>;
  /** Bytes by id. */
  readonly files: ReadonlyMap<string, string>;
  readonly scriptRoot: string | undefined;
  readonly metrics: readonly MetricSettings[];
  readonly publicSuffixes: SuffixList | undefined;
}

/** Nothing is configured; files lie below the root. */
export function bareSettings(scriptRoot: string | undefined): ScriptSettings {
  return {
    resolver: {},
    transports: new Map(),
    addresses: new Map(),
    keys: new Map(),
    authorities: new Map(),
    files: new Map(),
    scriptRoot,
    metrics: [],
    publicSuffixes: undefined,
  };
}

/** What a configuration has of it. */
export function scriptSettings(startup: StartupSettings, running: RunningSettings): ScriptSettings {
  const { resolver, transports, addresses, keys, authorities, files, metrics } = running;
  return {
    resolver,
    transports,
    addresses,
    keys,
    authorities,
    files: new Map(files.map(({ id, text }) => [id, text])),
    scriptRoot: startup.scriptRoot,
    metrics,
    publicSuffixes: startup.publicSuffixes,
  };
}

export interface ProcessServicesOptions {
  readonly settings: ScriptSettings;
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  /** The name of this machine as peers should see it; its own when absent. */
  readonly hostname?: () => string;
  readonly uuidVersion?: () => 1 | 4;
  readonly syslog?: LibraryServices['syslog'];
  readonly submission?: Submission;
  readonly servers?: ServerCounts;
  readonly queue?: QueueCounts;
  /** Where MTA-STS policies outlive the process; they do not when absent. */
  readonly policyFile?: string;
}

const noCounters = { size: 0, hits: 0, misses: 0, expires: 0, evicts: 0, running: 0, pending: 0 };

/** The services of one process. */
export class ProcessServices implements LibraryServices {
  readonly rates = createLocalRates();
  readonly metrics = new ScriptMetrics({
    onFull: (name, mostSeries) =>
      this.#log.warn(
        { metric: name },
        `a metric has all the ${mostSeries} series it may have; no more are kept`,
      ),
  });
  readonly native: LibraryServices['native'];
  readonly servers: LibraryServices['servers'];
  readonly queue: LibraryServices['queue'];
  readonly hostname: LibraryServices['hostname'];
  readonly timeZone: LibraryServices['timeZone'];
  readonly uuidVersion: LibraryServices['uuidVersion'];
  readonly syslog: LibraryServices['syslog'];
  readonly sleep: LibraryServices['sleep'];
  network: NetworkServices;
  configured: ConfiguredThings = nothingConfigured;
  /** What TLS sessions of this process show and trust. */
  readonly trust: TlsTrust = {
    key: (id) => this.configured.key(id),
    authorities: () => this.#authorities,
  };

  /** What TLS hosts must offer to whom we send mail, and what became of it. */
  readonly security: TransportSecurity;
  /** The MTA-STS policies of the domains we send to. */
  readonly policies: StsPolicies;

  readonly #log: ProcessServicesOptions['log'];
  readonly #mailClient: InLineClient;
  readonly #background: BackgroundQueues;
  #settings: ScriptSettings;
  #authorities: readonly X509Certificate[] = [];
  #resolver: CountingResolver | undefined;
  #names: Names | undefined;

  constructor({
    settings,
    log,
    submission,
    servers,
    queue,
    hostname,
    uuidVersion,
    syslog,
    policyFile,
  }: ProcessServicesOptions) {
    const local = createLocalServices({
      rates: this.rates,
      ...(hostname === undefined ? {} : { hostname }),
      ...(uuidVersion === undefined ? {} : { uuidVersion }),
      ...(syslog === undefined ? {} : { syslog }),
    });
    this.hostname = local.hostname;
    this.timeZone = local.timeZone;
    this.uuidVersion = local.uuidVersion;
    this.syslog = local.syslog;
    this.sleep = local.sleep;
    this.servers = servers;
    this.queue = queue;
    const { passwords } = native();
    this.native = passwords.kind === 'available' ? passwords.part : undefined;
    this.#log = log;
    this.#settings = settings;
    this.policies = new StsPolicies({
      resolver: () => this.#currentResolver,
      fetch: httpsPolicyFetch({
        resolver: () => this.#currentResolver,
        authorities: () => this.#authorities.map((certificate) => certificate.toString()),
      }),
      store: policyFile === undefined ? undefined : filePolicyStore(policyFile),
      log,
    });
    this.security = new TransportSecurity({
      resolver: () => this.#currentResolver,
      policies: this.policies,
    });
    this.#mailClient = new InLineClient({
      hostname: local.hostname,
      transport: (id) => this.#settings.transports.get(id),
      names: () => this.names,
      trust: this.trust,
      security: this.security,
      log,
    });
    this.#background = createBackgroundRequests({
      send: backgroundSender(this.#currentResolver),
      sleep: local.sleep,
      onGivenUp: ({ url }, attempts) =>
        log.warn({ host: url.host, attempts }, 'a background request was given up'),
    });
    this.network = {
      resolver: this.#currentResolver,
      mailClient: this.#mailClient,
      backgroundRequests: this.#background,
      submission,
    };
    this.configure(settings);
  }

  /** Delivery's questions to the resolver of the moment. */
  get names(): Names {
    this.#names ??= resolverNames(this.#currentResolver);
    return this.#names;
  }

  /** Takes another configuration. */
  configure(settings: ScriptSettings): void {
    const { resolver, authorities, metrics } = settings;
    // What was learnt is kept unless it was learnt in another way. The old one is not closed: runs that began before may ask on.
    if (JSON.stringify(resolver) !== JSON.stringify(this.#settings.resolver)) this.#resolver = undefined;
    this.#settings = settings;
    this.#authorities = [...authorities.values()].flat();
    this.metrics.configure(metrics);
    this.configured = configuredThings(settings, this.#log);
  }

  /** Resolves when all that scripts left to be done is done. */
  async drained(): Promise<void> {
    await this.#background.drained();
    await this.#mailClient.close();
  }

  /** What the resolver of the moment has counted. */
  get resolverCounters(): CountingResolver['counters'] {
    return this.#resolver?.counters ?? noCounters;
  }

  /** The questions that the resolver of the moment is asked. */
  get lookUps(): Iterable<LookUp> {
    return this.#resolver?.underWay() ?? [];
  }

  /** Forgets what the resolver has learnt. */
  clearResolver(): void {
    this.#resolver?.clear();
  }

  /** The next question makes a resolver, which reads the system's settings anew. Runs that began before may ask the old one. */
  renewResolver(): void {
    this.#resolver = undefined;
  }

  /** Gives up what scripts left to be done. */
  async close(): Promise<void> {
    if (this.#background.size > 0)
      this.#log.warn({ requests: this.#background.size }, 'background requests are given up');
    this.#background.close();
    await this.#mailClient.close();
    await this.policies.close();
    this.#resolver?.close();
  }

  /** The resolver of the moment; made when it is first asked. */
  get #currentResolver(): Resolver {
    return {
      query: (question, signal) => {
        this.#resolver ??= createResolver(this.#settings.resolver);
        return this.#resolver.query(question, signal);
      },
      close: () => this.#resolver?.close(),
    };
  }
}

/** What scripts find by name in a configuration. */
export function configuredThings(settings: ScriptSettings, log: Pick<Logger, 'warn'>): ConfiguredThings {
  const { keys, authorities, addresses, transports, files, scriptRoot, publicSuffixes } = settings;
  return {
    key: (id) => keys.get(withoutScheme(id)),
    authorities: (id) => authorities.get(withoutScheme(id)),
    address: (id) => addresses.get(id),
    knowsTransport: (id) => transports.has(id),
    file: createScriptFiles({
      files,
      root: scriptRoot,
      onRefusal: (sentence) => log.warn({}, sentence),
    }),
    publicSuffixes,
  };
}

function withoutScheme(id: string): string {
  return id.startsWith('pki:') ? id.slice('pki:'.length) : id;
}
