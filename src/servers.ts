// The servers of a daemon, of whatever kind: one for each in smtpd.yaml, and what their connections run on, which is the normal
// configuration or a staged one.

import type { AddressInfo } from 'node:net';
import type { RunningSettings, ServerSettings } from './config/configuration.js';
import { smtpServerOptions } from './smtp/configured.js';
import type { SmtpServerParts } from './smtp/options.js';
import { SmtpServer } from './smtp/server.js';
import type { StageTicket } from './staging/stage.js';
import type { StagedConfiguration } from './staging/staged-configuration.js';
import type { ConnectionOrigin } from './staging/traffic.js';
import { submissionServerOptions } from './submission/configured.js';
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

type Server = SmtpServer | SubmissionServer;

/** All servers together. */
export class Servers {
  readonly #options: ServersOptions;
  readonly #servers: readonly Server[];

  constructor(options: ServersOptions) {
    this.#options = options;
    this.#servers = options.running.servers.map((settings) => this.#make(settings));
  }

  /** Ids, in order. */
  get ids(): readonly string[] {
    return this.#servers.map(({ options }) => options.id);
  }

  /** Opens all listeners. @throws ListenError */
  async start(): Promise<readonly OpenListener[]> {
    const listeners: OpenListener[] = [];
    for (const server of this.#servers) {
      for (const { address, port } of await server.start())
        listeners.push({ server: server.options.id, address, port });
    }
    return listeners;
  }

  /** Why a configuration cannot take the place of the running one: servers that run and that it does not have. */
  problemsOf({ servers }: RunningSettings): string[] {
    return this.#servers.flatMap(({ options: { id } }) => {
      const was = this.#options.running.servers.find((settings) => settings.id === id)!.type;
      const is = servers.find((settings) => settings.id === id)?.type;
      if (is === was) return [];
      return is === undefined
        ? [`server "${id}" is running and is not in the configuration any more; restart to take it away`]
        : [`server "${id}" is running with type ${was}, not ${is}; restart to change it`];
    });
  }

  /** Applies a configuration that has all of them; listeners stay as they are. */
  reconfigure({ servers }: RunningSettings): void {
    const { hostname } = this.#options;
    for (const server of this.#servers) {
      const settings = servers.find(({ id }) => id === server.options.id)!;
      if (server instanceof SmtpServer) server.reconfigure(smtpServerOptions(settings, hostname));
      else server.reconfigure(submissionServerOptions(settings, hostname));
    }
  }

  /** Takes no more mail; resolves when no connection is left, after `graceSeconds` at the latest. */
  async stop(graceSeconds: number): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop(graceSeconds)));
  }

  #make(settings: ServerSettings): Server {
    const { hostname, parts } = this.#options;
    if (settings.type === 'smtp')
      return new SmtpServer(smtpServerOptions(settings, hostname), {
        ...parts,
        stage: (connection) => this.#stage(connection, smtpServerOptions),
      });
    return new SubmissionServer(submissionServerOptions(settings, hostname), {
      ...parts,
      stage: (connection) => this.#stage(connection, submissionServerOptions),
    });
  }

  /** The decision about a connection, with what it runs on if it is for a staged configuration. */
  #stage<Options>(
    connection: ConnectionOrigin,
    optionsOf: (settings: ServerSettings, hostname: string) => Options,
  ): { readonly options: Options; readonly parts: ServerParts; readonly close: () => void } | undefined {
    const ticket = this.#options.choose(connection);
    if (ticket === undefined) return undefined;
    const { hostname, parts } = this.#options;
    const made = ticket.work.forServer(connection.serverId, parts, (settings, staged) => ({
      options: optionsOf(settings, hostname),
      parts: staged,
    }));
    return { ...made, close: ticket.close };
  }
}
