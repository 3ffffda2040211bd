// What connections and messages of a staged configuration run on: its own programs, limits, options, files, keys, resolver,
// transports and delivery connections. Spool, queue, policies, clock, log, counters, metrics and shared memory are the daemon's.
//
// Nothing in the daemon refers to one once it has ended except its open connections and what runs on it.

import type { Resolver } from '#stdlib';
import type { RunningSettings, StartupSettings } from '../config/configuration.js';
import type { OwnHosts } from '../delivery/next-hops/own-hosts.js';
import { SmtpDeliverer } from '../delivery/smtp-deliverer.js';
import type { Loaded } from '../loaded.js';
import type { Logger } from '../log/logger.js';
import { limitsOf } from '../scripting/configured-hooks.js';
import type { HookRunner } from '../scripting/hook-runner.js';
import { createFileStamp, createFunctionCache } from '../scripting/host/index.js';
import { type ProcessServices, scriptSettings } from '../scripting/process-services.js';
import type { HookBase } from '../scripting/run-surroundings.js';
import type { SmtpHooks } from '../scripting/smtp-hooks.js';
import type { SpoolSubmission } from '../scripting/spool-submission.js';
import { StagedServices } from '../scripting/staged-services.js';
import type { StagedWork } from './staging.js';

/** What it is made of: what was deployed, and the daemon's own parts. */
export interface StagedConfigurationParts {
  readonly id: string;
  readonly key: string;
  readonly loaded: Loaded;
  /** Of the running daemon; what smtpd.yaml says by now is for the next start. */
  readonly startup: StartupSettings;
  readonly host: HookBase;
  readonly services: ProcessServices;
  readonly submission: SpoolSubmission;
  readonly runner: HookRunner;
  readonly log: Logger;
  readonly own: OwnHosts;
}

/** The parts of a server that differ by configuration. */
interface ConfiguredParts {
  readonly hooks: SmtpHooks;
  readonly log: Logger;
  readonly knowsTransport: (id: string) => boolean;
  readonly resolver?: Resolver | undefined;
  readonly stageKey?: string;
}

/** Bytes that calls of `cache` may keep: a fraction of what the normal configuration may. */
const CACHE_BYTES = 32 * 1024 * 1024;

/** A configuration at work beside the normal one. */
export class StagedConfiguration implements StagedWork {
  readonly key: string;
  readonly running: RunningSettings;
  readonly hooks: HookRunner;
  readonly deliverer: SmtpDeliverer;
  readonly #log: Logger;
  readonly #services: StagedServices;

  constructor({
    id,
    key,
    loaded,
    startup,
    host,
    services,
    submission,
    runner,
    log,
    own,
  }: StagedConfigurationParts) {
    const { running } = loaded.configuration;
    this.key = key;
    this.running = running;
    this.#log = log.child({ stage: id });
    this.#services = new StagedServices({
      process: services,
      settings: scriptSettings(startup, running),
      submission: submission.forStage(key, this.#knowsTransport),
      log: this.#log,
    });
    // Of its own: `cache` keeps what code has computed, and this is other code under the same names.
    const cache = createFunctionCache({
      clock: host.clock,
      fileStamp: createFileStamp({
        files: new Map(running.files.map(({ id: name, text }) => [name, text])),
        folders: [startup.scriptRoot],
      }),
      mostBytes: CACHE_BYTES,
    });
    this.hooks = runner.beside({
      host: { ...host, cache },
      services: this.#services,
      log: this.#log,
      programs: loaded.hooks.programs,
      limits: limitsOf(running.limits),
    });
    this.deliverer = new SmtpDeliverer({
      hostname: startup.hostname,
      log: this.#log,
      poolSize: () => running.poolSize,
      pooledBy: () => running.pooledBy,
      names: () => this.#services.names,
      own,
      trust: this.#services.trust,
      security: this.#services.security,
    });
  }

  /** A server's parts as they are under this configuration. */
  partsFrom<Parts extends ConfiguredParts>(parts: Parts): Parts {
    return {
      ...parts,
      hooks: this.hooks,
      log: this.#log,
      knowsTransport: this.#knowsTransport,
      resolver: this.#services.network.resolver,
      stageKey: this.key,
    };
  }

  /** It has ended: idle delivery connections are dismissed, and new ones are not kept. */
  async close(): Promise<void> {
    await Promise.all([this.deliverer.close(), this.#services.close()]);
  }

  readonly #knowsTransport = (id: string): boolean => this.running.transports.has(id);
}
