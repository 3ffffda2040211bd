// The servers of a daemon, of whatever kind: one for each in smtpd.yaml, and what their connections run on, which is the normal
// configuration or a staged one.

import type { AddressInfo } from 'node:net';
import type { RunningSettings, ServerSettings } from './config/configuration.js';
import type { InboundConnection } from './control/operations/connection-list.js';
import type { ScriptStatistics, ServerStatistics } from './control/statistics/process-stats.js';
import { smtpServerOptions } from './smtp/configured.js';
import type { SmtpServerOptions, SmtpServerParts } from './smtp/options.js';
import { SmtpServer } from './smtp/server.js';
import type { StageTicket } from './staging/stage.js';
import type { StagedConfiguration } from './staging/staged-configuration.js';
import type { ConnectionOrigin } from './staging/traffic.js';
import { submissionServerOptions } from './submission/configured.js';
import type { SubmissionServerOptions } from './submission/options.js';
import { SubmissionServer } from './submission/server.js';

/** What every kind of server works with, under one configuration. */
type ServerParts = Omit<SmtpServerParts, 'stage'>;

/** What the servers are made of. */
export interface ServersOptions {
  readonly running: RunningSettings;
  readonly hostname: string;
  /** What they work with under the normal configuration. */
  readonly parts: ServerParts;
  /** Decides whether a new connection is for a staged configuration. */
  readonly choose: (connection: ConnectionOrigin) => StageTicket<StagedConfiguration> | undefined;
}

/** An open listener, for the log. */
export interface OpenListener extends Pick<AddressInfo, 'address' | 'port'> {
  readonly server: string;
}

/** What all kinds of servers have; `Options` is the kind's own. */
interface ServerFace<Options> {
  start(): Promise<readonly AddressInfo[]>;
  reconfigure(options: Options): void;
  stop(graceSeconds: number): Promise<void>;
  connectionsFrom(addressOrNetwork?: string): number | undefined;
  clients(): Iterable<InboundConnection>;
}

/** A kind of server. */
interface ServerKind<Options> {
  optionsOf(settings: ServerSettings, hostname: string): Options;
  make(options: Options, parts: StagingParts<Options>): ServerFace<Options>;
}

/** What a server works with, and how it asks for whom it works. */
interface StagingParts<Options> extends ServerParts {
  readonly stage: (connection: ConnectionOrigin) => StagedBasis<Options> | undefined;
}

/** What a staged connection runs on. */
interface StagedBasis<Options> {
  readonly options: Options;
  readonly parts: ServerParts;
  readonly close: () => void;
}

const smtp: ServerKind<SmtpServerOptions> = {
  optionsOf: smtpServerOptions,
  make: (options, parts) => new SmtpServer(options, parts),
};

const submission: ServerKind<SubmissionServerOptions> = {
  optionsOf: submissionServerOptions,
  make: (options, parts) => new SubmissionServer(options, parts),
};

/** One server under several configurations. */
class ConfiguredServer<Options> {
  readonly id: string;
  readonly type: ServerSettings['type'];
  readonly #given: ServersOptions;
  readonly #kind: ServerKind<Options>;
  readonly #server: ServerFace<Options>;
  readonly #staged = new WeakMap<StagedConfiguration, Omit<StagedBasis<Options>, 'close'>>();
  readonly #parts: ServerParts;
  readonly #messages = { accepted: 0, rejected: 0, deferred: 0 };
  /** So far. */
  #connections = 0;
  #limit: number;

  constructor(settings: ServerSettings, given: ServersOptions, kind: ServerKind<Options>) {
    this.id = settings.id;
    this.type = settings.type;
    this.#given = given;
    this.#kind = kind;
    this.#limit = settings.edge.admission.connections;
    this.#parts = { ...given.parts, onMessage: (code) => this.#count(code) };
    this.#server = kind.make(kind.optionsOf(settings, given.hostname), {
      ...this.#parts,
      stage: (connection) => {
        this.#connections++;
        const ticket = given.choose(connection);
        return ticket && { ...this.basisOn(ticket.work), close: ticket.close };
      },
    });
  }

  start(): Promise<readonly AddressInfo[]> {
    return this.#server.start();
  }

  stop(graceSeconds: number): Promise<void> {
    return this.#server.stop(graceSeconds);
  }

  connections(addressOrNetwork?: string): number | undefined {
    return this.#server.connectionsFrom(addressOrNetwork);
  }

  /** The result applies the settings. */
  plan(settings: ServerSettings): () => void {
    const options = this.#kind.optionsOf(settings, this.#given.hostname);
    return () => {
      this.#limit = settings.edge.admission.connections;
      this.#server.reconfigure(options);
    };
  }

  /** Who is connected. */
  clients(): Iterable<InboundConnection> {
    return this.#server.clients();
  }

  /** What it has counted. */
  statistics(): Omit<ServerStatistics, 'scripts'> {
    return {
      id: this.id,
      connections: {
        concurrency: this.#server.connectionsFrom() ?? 0,
        limit: this.#limit,
        total: this.#connections,
      },
      messages: { ...this.#messages },
    };
  }

  /** A message has been answered with that code of SMTP. */
  #count(code: number): void {
    if (code < 400) this.#messages.accepted++;
    else if (code < 500) this.#messages.deferred++;
    else this.#messages.rejected++;
  }

  /** What connections of a staged configuration run on, made once. */
  basisOn(staged: StagedConfiguration): Omit<StagedBasis<Options>, 'close'> {
    let basis = this.#staged.get(staged);
    if (basis === undefined) {
      const { hostname } = this.#given;
      basis = {
        options: this.#kind.optionsOf(settingsOf(staged.running, this.id), hostname),
        parts: staged.partsFrom(this.#parts),
      };
      this.#staged.set(staged, basis);
    }
    return basis;
  }
}

/** All servers together. */
export class Servers {
  readonly #servers: readonly (
    | ConfiguredServer<SmtpServerOptions>
    | ConfiguredServer<SubmissionServerOptions>
  )[];

  constructor(given: ServersOptions) {
    this.#servers = given.running.servers.map((settings) =>
      settings.type === 'smtp'
        ? new ConfiguredServer(settings, given, smtp)
        : new ConfiguredServer(settings, given, submission),
    );
  }

  /** Ids, in order. */
  get ids(): readonly string[] {
    return this.#servers.map(({ id }) => id);
  }

  /** Connections of a server, from an address or a network if one is given; undefined when there is no such server. */
  connections(serverId: string, addressOrNetwork?: string): number | undefined {
    return this.#servers.find(({ id }) => id === serverId)?.connections(addressOrNetwork);
  }

  /** Clients of all servers, or of some. */
  *clients(serverIds: readonly string[] = []): Generator<InboundConnection> {
    for (const server of this.#servers)
      if (serverIds.length === 0 || serverIds.includes(server.id)) yield* server.clients();
  }

  /** What each has counted; of the scripts the runner knows. */
  statistics(scriptsOf: (serverId: string) => ReadonlyMap<string, ScriptStatistics>): ServerStatistics[] {
    return this.#servers.map((server) => ({ ...server.statistics(), scripts: scriptsOf(server.id) }));
  }

  /** Opens all listeners. @throws ListenError */
  async start(): Promise<readonly OpenListener[]> {
    const listeners: OpenListener[] = [];
    for (const server of this.#servers) {
      for (const { address, port } of await server.start())
        listeners.push({ server: server.id, address, port });
    }
    return listeners;
  }

  /** Why a configuration cannot take the place of the running one: servers that run and that it does not have. */
  problemsOf({ servers }: RunningSettings): string[] {
    return this.#servers.flatMap(({ id, type }) => {
      const found = servers.find((settings) => settings.id === id);
      if (found?.type === type) return [];
      return found === undefined
        ? [`server "${id}" is running and is not in the configuration any more; restart to take it away`]
        : [`server "${id}" is running with type ${type}, not ${found.type}; restart to change it`];
    });
  }

  /** Makes ready what a configuration without problems says of the servers; the result applies it and cannot fail. */
  plan(running: RunningSettings): () => void {
    const plans = this.#servers.map((server) => server.plan(settingsOf(running, server.id)));
    return () => {
      for (const apply of plans) apply();
    };
  }

  /** Makes ready what connections of a staged configuration will run on, so that nothing can fail when one comes. */
  planStage(staged: StagedConfiguration): void {
    for (const server of this.#servers) server.basisOn(staged);
  }

  /** Takes no more mail; resolves when no connection is left, after `graceSeconds` at the latest. */
  async stop(graceSeconds: number): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop(graceSeconds)));
  }
}

function settingsOf({ servers }: RunningSettings, id: string): ServerSettings {
  const found = servers.find((settings) => settings.id === id);
  if (found === undefined) throw new Error(`the configuration has no server "${id}"`);
  return found;
}
