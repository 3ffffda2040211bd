// What scripts of a staged configuration may ask of the process: the process's own counters, metrics, log, timers and background
// requests, and beside them resolver, mail client, keys, files and addresses as the staged configuration has them.
//
// Nothing here needs to be given up: resolver and client hold sockets only while a script waits for them.

import type { X509Certificate } from 'node:crypto';
import {
  type ConfiguredThings,
  createResolver,
  type LibraryServices,
  type NetworkServices,
  type Resolver,
  type Submission,
} from '#stdlib';
import type { TlsTrust } from '../delivery/client/tls.js';
import { InLineClient } from '../delivery/in-line-client.js';
import type { Names } from '../delivery/next-hops/names.js';
import { resolverNames } from '../delivery/next-hops/resolver-names.js';
import { TransportSecurity } from '../delivery/security/transport-security.js';
import type { Logger } from '../log/logger.js';
import { configuredThings, type ProcessServices, type ScriptSettings } from './process-services.js';

/** What they are made of. */
export interface StagedServicesOptions {
  /** Those of the process. */
  readonly process: LibraryServices & Pick<ProcessServices, 'policies' | 'security'>;
  readonly settings: ScriptSettings;
  readonly submission: Submission;
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
}

/** The services of one staged configuration. */
export class StagedServices implements LibraryServices {
  readonly rates: LibraryServices['rates'];
  readonly metrics: LibraryServices['metrics'];
  readonly native: LibraryServices['native'];
  readonly servers: LibraryServices['servers'];
  readonly queue: LibraryServices['queue'];
  readonly network: NetworkServices;
  readonly configured: ConfiguredThings;
  /** What TLS sessions of the staged configuration show and trust. */
  readonly trust: TlsTrust;
  /** Delivery's questions to its resolver. */
  readonly names: Names;
  /** What TLS hosts must offer, by its resolver; policies and counts are the process's. */
  readonly security: TransportSecurity;
  readonly hostname: LibraryServices['hostname'];
  readonly timeZone: LibraryServices['timeZone'];
  readonly uuidVersion: LibraryServices['uuidVersion'];
  readonly syslog: LibraryServices['syslog'];
  readonly sleep: LibraryServices['sleep'];
  readonly #mailClient: InLineClient;

  constructor({ process, settings, submission, log }: StagedServicesOptions) {
    this.rates = process.rates;
    this.metrics = process.metrics;
    this.native = process.native;
    this.servers = process.servers;
    this.queue = process.queue;
    this.hostname = process.hostname;
    this.timeZone = process.timeZone;
    this.uuidVersion = process.uuidVersion;
    this.syslog = process.syslog;
    this.sleep = process.sleep;
    this.configured = configuredThings(settings, log);
    const authorities: readonly X509Certificate[] = [...settings.authorities.values()].flat();
    this.trust = { key: (id) => this.configured.key(id), authorities: () => authorities };
    const resolver = lazyResolver(settings);
    this.names = resolverNames(resolver);
    this.security = new TransportSecurity({
      resolver: () => resolver,
      policies: process.policies,
      ledger: process.security.ledger,
    });
    this.#mailClient = new InLineClient({
      hostname: process.hostname,
      transport: (id) => settings.transports.get(id),
      names: () => this.names,
      trust: this.trust,
      security: this.security,
      log,
    });
    this.network = {
      resolver,
      mailClient: this.#mailClient,
      backgroundRequests: withResolver(process.network.backgroundRequests, resolver),
      submission,
    };
  }

  /** Waits for goodbyes. */
  close(): Promise<void> {
    return this.#mailClient.close();
  }
}

/** The process's queues; names are those that this configuration knows, even when it has ended before a request is made. */
function withResolver(
  queues: NetworkServices['backgroundRequests'],
  resolver: Resolver,
): NetworkServices['backgroundRequests'] {
  return queues && { add: (request, plan) => queues.add(request, { ...plan, resolver }) };
}

/** A resolver of its own, made when it is first asked: another configuration may know other hosts by the same names. */
function lazyResolver({ resolver: settings }: ScriptSettings): Resolver {
  let made: Resolver | undefined;
  return {
    query: (question, signal) => {
      made ??= createResolver(settings);
      return made.query(question, signal);
    },
    close: () => made?.close(),
  };
}
