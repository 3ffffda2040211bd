// The running daemon: its parts wired together, and what may be asked of the whole: start, reload, stop.

import { bytesToText } from '#lang';
import { uuidV1, uuidV4 } from '#stdlib';
import type {
  Configuration,
  RunningSettings,
  ServerSettings,
  StartupSettings,
} from './config/configuration.js';
import { openFilesLimit } from './config/open-files.js';
import { problemToText } from './config/problem.js';
import { judge } from './delivery/failure.js';
import { SmtpDeliverer } from './delivery/smtp-deliverer.js';
import { isRefusal, type Loaded, load, problemsToText } from './loaded.js';
import type { Logger } from './log/logger.js';
import { ScriptMetrics } from './metrics/script-metrics.js';
import { PickupPolicy } from './policy/pickup-policy.js';
import { noPolicies, type PolicyConfig } from './policy/policy-config.js';
import { systemQueueClock } from './queue/clock.js';
import { MessageQueue } from './queue/message-queue.js';
import { limitsOf } from './scripting/configured-hooks.js';
import { HookRunner } from './scripting/hook-runner.js';
import { createFileStamp, createFunctionCache, createRunHost, realClock } from './scripting/host/index.js';
import { ProcessServices, scriptSettings } from './scripting/process-services.js';
import { SpoolSubmission } from './scripting/spool-submission.js';
import { type SmtpServerOptions, smtpDefaults } from './smtp/options.js';
import { proxiedCommands } from './smtp/proxy-commands.js';
import { SmtpServer } from './smtp/server.js';
import type { DiskSpool } from './spool/disk-spool.js';
import type { QueuedMessage } from './spool/spool.js';
import { submissionServerOptions } from './submission/configured.js';
import { SubmissionServer } from './submission/server.js';

function smtpOptions(settings: ServerSettings, hostname: string): SmtpServerOptions {
  return {
    id: settings.id,
    hostname,
    listeners: settings.listeners,
    transportId: settings.transportId,
    hooks: { ...settings.hooks, rcptto: settings.rcpttoHook, rcpttoByDomain: settings.rcpttoHookByDomain },
    heloRequired: settings.heloRequired,
    pipelining: settings.pipelining,
    eightBitMime: settings.eightBitMime,
    smtpUtf8: settings.smtpUtf8,
    chunking: settings.chunking,
    protocol: settings.protocol,
    proxyCommands: settings.proxyCommands && proxiedCommands(settings.proxyCommands),
    auth: settings.auth,
    verbose: settings.verbose,
    limits: {
      ...smtpDefaults.limits,
      messageBytes: settings.maxSizeBytes,
      hops: settings.maxHops,
      recipients: settings.maxRecipients,
      messagesPerConnection: settings.maxMessages,
      connections: settings.maxConnections,
      connectionsPerIp: settings.maxConnectionsPerIp,
    },
    timeouts: {
      commandSeconds: settings.timeouts.idle,
      greetingSeconds: settings.timeouts.greeting,
      transactionSeconds: settings.timeouts.transaction,
      dataSeconds: settings.timeouts.data,
      messageSeconds: settings.timeouts.message,
      lingerSeconds: settings.timeouts.linger,
    },
  };
}

/** Calls again and again until the result is called. */
function every(seconds: number, run: () => void): () => void {
  const timer = setInterval(run, seconds * 1000);
  return () => clearInterval(timer);
}

function policiesOf({ remoteMxConcurrency }: RunningSettings): PolicyConfig {
  if (remoteMxConcurrency === 0) return noPolicies;
  return { policies: [{ fields: ['remotemx'], default: { concurrency: remoteMxConcurrency } }] };
}

/** A running daemon: its parts, and what may be asked of it while it runs. */
export class Daemon {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #startup: StartupSettings;
  readonly #atStart: RunningSettings;
  #running: RunningSettings;
  readonly #services: ProcessServices;
  readonly #submission: SpoolSubmission;
  readonly #runner: HookRunner;
  readonly #spool: DiskSpool;
  readonly #deliverer: SmtpDeliverer;
  readonly #queue: MessageQueue;
  readonly #servers: SmtpServer[] = [];
  readonly #submissionServers: SubmissionServer[] = [];
  readonly #metrics: ScriptMetrics;
  #isReloading = false;
  #reloadAgain = false;

  constructor(folder: string, { configuration, hooks }: Loaded, spool: DiskSpool, log: Logger) {
    const { startup, running } = configuration;
    this.#folder = folder;
    this.#log = log;
    this.#startup = startup;
    this.#atStart = running;
    this.#running = running;
    this.#spool = spool;
    const cache = createFunctionCache({
      clock: realClock,
      fileStamp: createFileStamp({
        files: new Map(running.files.map(({ id, text }) => [id, text])),
        folders: [startup.scriptRoot],
      }),
    });
    const host = { ...createRunHost({ echo: () => {} }), cache };
    this.#metrics = new ScriptMetrics({
      onFull: (metric, mostSeries) =>
        log.warn(
          { metric, mostSeries },
          'a metric has all the label values it may have; more are not counted',
        ),
    });
    this.#metrics.configure(running.metrics);
    const { random } = host;
    const newId =
      startup.uuidVersion === 4
        ? () => uuidV4(random.bytes(16))
        : () => uuidV1(host.clock.now(), random.bytes(8));
    this.#submission = new SpoolSubmission({
      spool,
      accept: (messages) => this.#queue.accept(messages),
      knowsTransport: (id) => this.#running.transports.has(id),
      newId,
      now: () => host.clock.now(),
      log,
    });
    this.#services = new ProcessServices({
      settings: scriptSettings(startup, running),
      log,
      hostname: () => startup.hostname,
      uuidVersion: () => startup.uuidVersion,
      syslog: (priority, text) => logSyslog(log, priority, text),
      submission: this.#submission,
    });
    this.#runner = new HookRunner({
      host,
      services: this.#services,
      log,
      programs: hooks.programs,
      limits: limitsOf(running.limits),
    });
    this.#deliverer = new SmtpDeliverer({
      hostname: startup.hostname,
      log,
      poolSize: running.poolSize,
      lookup: (name, signal) => this.#services.names.addresses(name, signal),
      trust: this.#services.trust,
    });
    this.#queue = new MessageQueue({
      spool,
      deliverer: this.#deliverer,
      hooks: this.#runner,
      judge,
      transport: (id) => this.#running.transports.get(id),
      policy: new PickupPolicy(policiesOf(running)),
      clock: systemQueueClock,
      log,
      concurrency: startup.queueConcurrency,
    });
    const openFiles = openFilesLimit();
    for (const settings of running.servers) {
      const parts = {
        spool,
        hooks: this.#runner,
        log,
        clock: host.clock,
        newId,
        knowsTransport: (id: string) => this.#running.transports.has(id),
        onQueued: (messages: readonly QueuedMessage[]) => this.#queue.accept(messages),
        every,
        ...(openFiles === undefined ? {} : { openFiles }),
      };
      const { hostname } = startup;
      if (settings.type === 'smtp')
        this.#servers.push(new SmtpServer(smtpOptions(settings, hostname), parts));
      else
        this.#submissionServers.push(
          new SubmissionServer(submissionServerOptions(settings, hostname), parts),
        );
    }
  }

  /** Loads what the spool holds, opens the listeners, begins to deliver. @throws ListenError, SpoolError */
  async start(): Promise<void> {
    this.#queue.accept(await this.#spool.recover());
    const listeners: object[] = [];
    for (const server of [...this.#servers, ...this.#submissionServers]) {
      for (const { address, port } of await server.start())
        listeners.push({ server: server.options.id, address, port });
    }
    const { ACTIVE, DEFER, HOLD } = this.#queue.counts();
    this.#queue.start();
    this.#log.info(
      { pid: process.pid, listeners, queue: { active: ACTIVE, defer: DEFER, hold: HOLD } },
      'ready',
    );
  }

  /** Applies the configuration as it is on disk now, wholly or not at all. */
  async reload(): Promise<void> {
    if (this.#isReloading) {
      this.#reloadAgain = true;
      return;
    }
    this.#isReloading = true;
    try {
      do {
        this.#reloadAgain = false;
        await this.#reloadOnce();
      } while (this.#reloadAgain);
    } finally {
      this.#isReloading = false;
    }
  }

  async #reloadOnce(): Promise<void> {
    try {
      const { configuration, hooks } = await load(this.#folder);
      const { running } = configuration;
      this.#warnOfRestart(configuration);
      for (const warning of configuration.warnings) this.#log.warn({}, problemToText(warning));
      this.#running = running;
      this.#services.configure(scriptSettings(this.#startup, running));
      this.#runner.replace(hooks.programs, limitsOf(running.limits));
      for (const server of this.#servers) {
        const settings = running.servers.find(({ id }) => id === server.options.id);
        if (settings !== undefined) server.reconfigure(smtpOptions(settings, this.#startup.hostname));
      }
      for (const server of this.#submissionServers) {
        const settings = running.servers.find(({ id }) => id === server.options.id);
        if (settings !== undefined)
          server.reconfigure(submissionServerOptions(settings, this.#startup.hostname));
      }
      this.#queue.reconfigure(policiesOf(running));
      this.#metrics.configure(running.metrics);
      this.#log.info({}, 'configuration reloaded');
    } catch (error) {
      // A mistake of ours must not end a daemon that runs well on what it has.
      const why = isRefusal(error) ? { problems: problemsToText(error) } : { err: error };
      this.#log.error(why, 'configuration not reloaded; the old one stays');
    }
  }

  /** smtpd.yaml is read at start only: what changed in it must not be taken for applied. */
  #warnOfRestart({ startup, running }: Configuration): void {
    const listenersOf = ({ servers }: RunningSettings) =>
      servers.map(({ id, type, listeners }) => [id, type, listeners]);
    const before = JSON.stringify([this.#startup, listenersOf(this.#atStart)]);
    if (JSON.stringify([startup, listenersOf(running)]) === before) return;
    this.#log.warn(
      {},
      'smtpd.yaml has changed since the start: it is read at start only, restart to apply it',
    );
  }

  /** Stops accepting, finishes or defers what is in flight, flushes. */
  async stop(reason: string): Promise<void> {
    const grace = this.#startup.shutdownGraceSeconds;
    this.#log.info({ reason, grace }, 'stopping');
    // Side by side: one after the other they would take the grace twice. What is still accepted meanwhile is in the spool
    // and goes out after the next start.
    const servers = [...this.#servers, ...this.#submissionServers];
    await Promise.all([...servers.map((server) => server.stop(grace)), this.#queue.stop(grace)]);
    await Promise.all([this.#submission.stop(), this.#deliverer.close(), this.#services.close()]);
    await this.#spool.close();
    this.#log.info({}, 'stopped');
  }
}

/** Severities of syslog as levels of the log. */
function logSyslog(log: Logger, priority: number, text: string): void {
  const severity = priority & 7;
  const line = bytesToText(text);
  if (severity <= 3) log.error({}, line);
  else if (severity === 4) log.warn({}, line);
  else if (severity === 7) log.debug({}, line);
  else log.info({}, line);
}
