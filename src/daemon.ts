// The running daemon: its parts wired together, and what may be asked of the whole: start, reload, stop.

import path from 'node:path';
import { bytesToText, renderDiagnostics } from '#lang';
import { createLocalMemory, uuidV1, uuidV4 } from '#stdlib';
import type {
  Configuration,
  MetricSettings,
  RunningSettings,
  StartupSettings,
} from './config/configuration.js';
import { openFilesLimit } from './config/open-files.js';
import type { PrivdropSettings } from './config/privdrop.js';
import { problemToText } from './config/problem.js';
import { Control } from './control/control.js';
import type { ReloadResult } from './control/operations/reloading.js';
import type { ScriptData } from './control/operations/script-data.js';
import { judge } from './delivery/failure.js';
import { type OwnHosts, ownHosts } from './delivery/next-hops/own-hosts.js';
import { queryNextHop } from './delivery/next-hops/query.js';
import { SmtpDeliverer } from './delivery/smtp-deliverer.js';
import { DsnNotifier } from './dsn/notifier.js';
import { adviceOnAccess } from './host/prepare.js';
import { noServiceManager, type ServiceManager } from './host/service-manager.js';
import { isRefusal, type Loaded, load, problemsToText } from './loaded.js';
import { LogLines } from './log/log-lines.js';
import type { Logger } from './log/logger.js';
import { logSyslog } from './log/syslog.js';
import { native, packageVersion } from './native/index.js';
import { PickupPolicy } from './policy/pickup-policy.js';
import { noPolicies, type PolicyConfig } from './policy/policy-config.js';
import { systemQueueClock } from './queue/clock.js';
import { MessageQueue } from './queue/message-queue.js';
import { limitsOf } from './scripting/configured-hooks.js';
import { HookRunner } from './scripting/hook-runner.js';
import {
  createFileStamp,
  createFunctionCache,
  createRunHost,
  realClock,
  secureRandom,
} from './scripting/host/index.js';
import { ProcessServices, type ScriptSettings, scriptSettings } from './scripting/process-services.js';
import { queuedFiles } from './scripting/queued-files.js';
import type { HookBase } from './scripting/run-surroundings.js';
import { SpoolSubmission } from './scripting/spool-submission.js';
import { type OpenListener, Servers } from './servers.js';
import type { QueuedMessage, Spool } from './spool/spool.js';
import { Deliverers } from './staging/deliverers.js';
import { StagedConfiguration } from './staging/staged-configuration.js';
import { type Deployment, type Preparation, Staging, type StagingParts } from './staging/staging.js';

/** How often MTA-STS policies are looked over for old ones. */
const POLICY_REFRESH_SECONDS = 3600;

/** Calls again and again until the result is called. */
function every(seconds: number, run: () => void): () => void {
  const timer = setInterval(run, seconds * 1000);
  return () => clearInterval(timer);
}

function policiesOf({ remoteMxConcurrency }: RunningSettings): PolicyConfig {
  if (remoteMxConcurrency === 0) return noPolicies;
  return { policies: [{ fields: ['remotemx'], default: { concurrency: remoteMxConcurrency } }] };
}

/** Scripts find their metrics whichever configuration they are of; where both declare one, the normal one counts. */
function metricsOf(running: RunningSettings, staged: RunningSettings | undefined): MetricSettings[] {
  const names = new Set(running.metrics.map(({ name }) => name));
  return [...running.metrics, ...(staged?.metrics ?? []).filter(({ name }) => !names.has(name))];
}

/** What `cache` statements that depend on a script file look at. */
function fileStampOf({ startup, running }: Configuration): (name: string) => string | undefined {
  return createFileStamp({
    files: new Map(running.files.map(({ id, text }) => [id, text])),
    folders: [startup.scriptRoot],
  });
}

/** What is applied of what the files say. */
export type ReloadScope = 'all' | 'policies' | 'delivery';

const notReloaded = 'configuration not reloaded; the old one stays';

/** Time and luck of a daemon's staging. */
export type DaemonChance = Pick<StagingParts<StagedConfiguration>, 'now' | 'after' | 'random'>;

/** What a daemon may be given beside its configuration. */
export interface DaemonExtras {
  /** What staging takes for time and luck; the real ones when absent. */
  readonly chance?: DaemonChance;
  /** The log's lines, for those who follow them. */
  readonly lines?: LogLines;
  /** Who is told of start, reloads and stop; nobody when absent. */
  readonly manager?: ServiceManager;
  /** Whom the process has become when it gave up root. */
  readonly became?: PrivdropSettings | undefined;
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
  readonly #spool: Spool;
  readonly #deliverer: SmtpDeliverer;
  readonly #deliverers: Deliverers;
  readonly #queue: MessageQueue;
  readonly #host: HookBase;
  readonly #newId: () => string;
  readonly #lines: LogLines;
  readonly #manager: ServiceManager;
  readonly #became: PrivdropSettings | undefined;
  readonly #servers: Servers;
  readonly #control: Control;
  /** Ourselves, for who looks for the next hop of mail. */
  readonly #own: OwnHosts;
  #listeners: readonly OpenListener[] = [];
  #endRefreshing: () => void = () => {};
  #fileStamp: (name: string) => string | undefined;
  /** Settles when the reloads so far are through. */
  #lastReload: Promise<unknown> = Promise.resolve();
  /** One that has not begun to read yet. */
  #waitingReload: Promise<ReloadResult> | undefined;
  /** Resolves with the reason when somebody asks it to stop. */
  readonly shutdownAsked: Promise<string>;
  /** A second configuration for a part of the connections. */
  readonly staging: Staging<StagedConfiguration>;

  constructor(
    folder: string,
    { configuration, hooks }: Loaded,
    spool: Spool,
    log: Logger,
    { chance, lines = new LogLines(), manager = noServiceManager, became }: DaemonExtras = {},
  ) {
    this.#lines = lines;
    this.#manager = manager;
    this.#became = became;
    const { startup, running } = configuration;
    this.#folder = folder;
    this.#log = log;
    this.#startup = startup;
    this.#atStart = running;
    this.#running = running;
    this.#spool = spool;
    this.#fileStamp = fileStampOf(configuration);
    const cache = createFunctionCache({ clock: realClock, fileStamp: (name) => this.#fileStamp(name) });
    const memory = createLocalMemory(secureRandom.number);
    const host = { ...createRunHost({ echo: () => {}, memory }), cache };
    this.#host = host;
    const { random } = host;
    this.#newId =
      startup.uuidVersion === 4
        ? () => uuidV4(random.bytes(16))
        : () => uuidV1(host.clock.now(), random.bytes(8));
    const newId = this.#newId;
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
      servers: { connections: (id, from) => this.#servers.connections(id, from) },
      policyFile: path.join(startup.spoolPaths[0]!, 'mta-sts.json'),
      queue: { quota: (name) => this.#queue.quotas.of(name) },
    });
    this.#runner = new HookRunner({
      host,
      services: this.#services,
      log,
      programs: hooks.programs,
      limits: limitsOf(running.limits),
      files: (id) => queuedFiles(spool, id),
    });
    this.#own = ownHosts(startup.hostname, () => this.#listeners);
    this.#deliverer = new SmtpDeliverer({
      hostname: startup.hostname,
      log,
      poolSize: () => this.#running.poolSize,
      pooledBy: () => this.#running.pooledBy,
      names: () => this.#services.names,
      own: this.#own,
      trust: this.#services.trust,
      security: this.#services.security,
    });
    this.#deliverers = new Deliverers(this.#deliverer);
    this.#queue = new MessageQueue({
      spool,
      deliverer: this.#deliverers,
      hooks: {
        predelivery: (message) => this.#hooksOf(message).predelivery(message),
        postdelivery: (message, facts, context) =>
          this.#hooksOf(message).postdelivery(message, facts, context),
      },
      judge,
      notifier: new DsnNotifier({ spool, hostname: startup.hostname, now: () => host.clock.now(), log }),
      postmaster: () => this.#running.postmaster,
      transport: (id, stageKey) => this.#runningOf(stageKey).transports.get(id),
      settings: (transport, facts, stageKey) =>
        this.#runningOf(stageKey).delivery.settingsFor(transport, facts),
      policy: new PickupPolicy(policiesOf(running)),
      clock: systemQueueClock,
      log,
      concurrency: startup.queueConcurrency,
    });
    const openFiles = openFilesLimit();
    const { sockets } = native();
    this.#servers = new Servers({
      running,
      hostname: startup.hostname,
      parts: {
        spool,
        hooks: this.#runner,
        log,
        clock: host.clock,
        newId,
        knowsTransport: (id) => this.#running.transports.has(id),
        onQueued: (messages) => this.#queue.accept(messages),
        every,
        resolver: this.#services.network.resolver,
        peerUser: sockets.kind === 'available' ? sockets.part.peerUser : undefined,
        ...(openFiles === undefined ? {} : { openFiles }),
      },
      choose: (connection) => this.staging.choose(connection),
    });
    this.staging = new Staging({
      now: () => host.clock.monotonic(),
      after: host.after,
      random: () => random.number(),
      ...chance,
      newKey: newId,
      serverIds: this.#servers.ids,
      prepare: (deployment, key) => this.#prepareStage(deployment, key),
      onLiving: (staged) => this.#services.metrics.configure(metricsOf(this.#running, staged?.running)),
      onEnded: (key) => this.#queue.reconsider(key),
      log,
    });
    let askShutdown: (reason: string) => void = () => {};
    this.shutdownAsked = new Promise((resolve) => {
      askShutdown = resolve;
    });
    this.#control = this.#makeControl({ memory, cache }, askShutdown);
  }

  #makeControl(kept: Pick<ScriptData, 'memory' | 'cache'>, shutdown: (reason: string) => void): Control {
    const monotonic = (): number => this.#host.clock.monotonic();
    const startedAt = monotonic();
    return new Control({
      settings: this.#startup.control,
      monitor: this.#startup.monitor,
      monitorKeys: () => this.#running.monitorKeys,
      queue: this.#queue,
      spool: this.#spool,
      spoolFolders: this.#startup.spoolPaths,
      newId: this.#newId,
      knowsTransport: (id, stageKey) => this.#runningOf(stageKey).transports.has(id),
      staging: this.staging,
      statistics: {
        version: packageVersion(),
        elapsedSeconds: () => monotonic() - startedAt,
        servers: () => this.#servers.statistics(this.#runner.countsOfServer),
        queueScripts: () => this.#runner.countsOfQueue,
        queue: () => this.#queue.statistics(),
        pool: () => this.#deliverer.counters.pool,
        resolver: () => this.#services.resolverCounters,
      },
      scriptMetrics: () => this.scriptMetrics(),
      hasRoom: () => this.#spool.hasRoomFor(0),
      resolver: {
        clear: () => this.#services.clearResolver(),
        renew: () => this.#services.renewResolver(),
        lookUps: () => this.#services.lookUps,
        nextHop: (query, signal) => {
          const { names, network } = this.#services;
          return queryNextHop(query, { names, resolver: network.resolver, own: this.#own, signal });
        },
      },
      connections: (serverIds) => this.#servers.clients(serverIds),
      scriptData: { ...kept, rates: this.#services.rates, monotonic, after: this.#host.after },
      reload: (what) => this.reload(what),
      shutdown,
      now: () => this.#host.clock.now(),
      monotonic,
      every,
      log: this.#log,
      logLines: this.#lines,
    });
  }

  /** Loads what the spool holds, opens the listeners, begins to deliver. @throws ListenError, SpoolError */
  async start(): Promise<void> {
    const monitor = await this.#control.startMonitor();
    await this.#spool.recover((messages) => this.#queue.accept(messages));
    const control = await this.#control.open();
    this.#listeners = await this.#servers.start();
    const { ACTIVE, DEFER, HOLD } = this.#queue.counts();
    this.#queue.start();
    this.#endRefreshing = every(POLICY_REFRESH_SECONDS, () => void this.#services.policies.refresh());
    this.#control.ready();
    this.#log.info(
      {
        pid: process.pid,
        listeners: this.#listeners,
        control,
        monitor,
        queue: { active: ACTIVE, defer: DEFER, hold: HOLD },
      },
      'ready',
    );
    this.#manager.ready('taking mail');
  }

  /** How many messages are in each state. */
  queueCounts(): ReturnType<MessageQueue['counts']> {
    return this.#queue.counts();
  }

  /** What scripts have counted, in the text format of Prometheus. */
  scriptMetrics(): Promise<string> {
    return this.#services.metrics.expose();
  }

  /**
   * Applies the configuration as it is on disk now, wholly or not at all; or of it only the policies, or only the settings of
   * deliveries.
   */
  reload(what: ReloadScope = 'all'): Promise<ReloadResult> {
    if (what !== 'all') return this.#reloadNext(what);
    // Whoever asks before the files are read means those files.
    this.#waitingReload ??= this.#reloadNext(what, () => {
      this.#waitingReload = undefined;
    });
    return this.#waitingReload;
  }

  #reloadNext(what: ReloadScope, begins = () => {}): Promise<ReloadResult> {
    const reload = this.#lastReload.then(() => {
      begins();
      this.#manager.reloading();
      return this.#reloadOnce(what);
    });
    void reload.then(({ problems }) =>
      this.#manager.ready(
        problems === undefined ? 'taking mail' : 'taking mail; the last reload was refused, see the log',
      ),
    );
    this.#lastReload = reload;
    return reload;
  }

  /** Never rejects. */
  async #reloadOnce(what: ReloadScope): Promise<ReloadResult> {
    try {
      const { configuration, hooks } = await load(this.#folder);
      const { running } = configuration;
      const problems = this.#servers.problemsOf(running);
      if (problems.length > 0) {
        this.#log.error({ problems: problems.join('\n') }, notReloaded);
        return { problems: problems.join('\n') };
      }
      for (const warning of configuration.warnings) this.#log.warn({}, problemToText(warning));
      if (what === 'policies') this.#queue.reconfigure(policiesOf(running));
      else if (what === 'delivery') this.#running = { ...this.#running, delivery: running.delivery };
      else {
        const applyToServers = this.#servers.plan(running);
        this.#warnOfRestart(configuration);
        this.#running = running;
        this.#fileStamp = fileStampOf(configuration);
        this.#services.configure(this.#scriptSettings(running));
        this.#runner.replace(hooks.programs, limitsOf(running.limits));
        applyToServers();
        this.#queue.reconfigure(policiesOf(running));
      }
      this.#log.info({ what }, 'configuration reloaded');
      return {};
    } catch (error) {
      // A mistake of ours must not end a daemon that runs well on what it has.
      const why = isRefusal(error) ? { problems: this.#problemsToText(error) } : { err: error };
      this.#log.error(why, notReloaded);
      return { problems: 'problems' in why ? why.problems : `internal error: ${String(error)}` };
    }
  }

  /** With what to do where files are out of reach since root was given up. */
  #problemsToText(error: unknown): string {
    const problems = problemsToText(error);
    return `${problems}${adviceOnAccess(problems, this.#became, 'reload')}`;
  }

  /** Reads a configuration to be staged as a reload reads one. */
  async #prepareStage({ id, config }: Deployment, key: string): Promise<Preparation<StagedConfiguration>> {
    let loaded: Loaded;
    try {
      loaded = await load(this.#folder, { name: 'staged/smtpd-app.yaml', text: config });
    } catch (error) {
      return { kind: 'refused', problems: this.#problemsToText(error) };
    }
    const { configuration, hooks } = loaded;
    const problems = this.#servers.problemsOf(configuration.running);
    if (problems.length > 0) return { kind: 'refused', problems: problems.join('\n') };
    const work = new StagedConfiguration({
      id,
      key,
      loaded,
      startup: this.#startup,
      host: this.#host,
      services: this.#services,
      submission: this.#submission,
      runner: this.#runner,
      log: this.#log,
      own: this.#own,
    });
    this.#servers.planStage(work);
    this.#deliverers.assign(configuration.running.transports.values(), work.deliverer);
    const warnings = configuration.warnings.map(problemToText);
    if (hooks.warnings.length > 0) warnings.push(bytesToText(renderDiagnostics(hooks.warnings)));
    return { kind: 'ready', work, warnings: warnings.join('\n') };
  }

  /** A message is decided about by the configuration that it came by, while that lives. */
  #hooksOf({ stageKey }: QueuedMessage): HookRunner {
    return this.staging.workOf(stageKey)?.hooks ?? this.#runner;
  }

  /** The configuration that a message came by, while that lives. */
  #runningOf(stageKey: string | undefined): RunningSettings {
    return this.staging.workOf(stageKey)?.running ?? this.#running;
  }

  #scriptSettings(running: RunningSettings): ScriptSettings {
    const staged = this.staging.living?.running;
    return { ...scriptSettings(this.#startup, running), metrics: metricsOf(running, staged) };
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
    this.#manager.stopping('finishing what is in flight');
    this.#control.stopping();
    this.#endRefreshing();
    // Side by side: one after the other they would take the grace twice. What is still accepted meanwhile is in the spool
    // and goes out after the next start.
    await Promise.all([this.#servers.stop(grace), this.#queue.stop(grace)]);
    await this.#control.stop();
    await Promise.all([
      this.#submission.stop(),
      this.staging.close(),
      this.#deliverer.close(),
      this.#services.close(),
    ]);
    await this.#spool.close();
    this.#log.info({}, 'stopped');
  }
}
