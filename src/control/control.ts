// The daemon's two windows for those who run it: the control socket and the monitor endpoint, opened and closed with it.

import type { ControlSocketSettings, MonitorSettings } from '../config/control.js';
import type { ApiKey } from '../config/submission.js';
import type { Logger } from '../log/logger.js';
import { Health } from '../monitor/health.js';
import { MonitorServer } from '../monitor/monitor-server.js';
import { ListenError } from '../smtp/edge/listeners.js';
import { type ControlParts, operationsOf } from './operations.js';
import { ControlServer } from './socket/control-server.js';
import { openMetricsText } from './statistics/openmetrics.js';
import { collectStatistics, type StatisticsSources } from './statistics/process-stats.js';

/** How long connections may take to end when the daemon stops. */
const GRACE_SECONDS = 1;

/** What they work with. */
export interface ControlOptions extends Omit<ControlParts, 'statistics'> {
  readonly settings: ControlSocketSettings;
  readonly monitor: MonitorSettings | undefined;
  readonly statistics: Omit<StatisticsSources, 'isReady' | 'isHealthy'>;
  /** What scripts have counted, in the text format of Prometheus. */
  readonly scriptMetrics: () => Promise<string>;
  readonly monitorKeys: () => readonly ApiKey[];
  /** Whether the spool has the room it is to keep. */
  readonly hasRoom: () => boolean;
  readonly every: (seconds: number, call: () => void) => () => void;
  /** Seconds that only go forward. */
  readonly monotonic: () => number;
  readonly log: Logger;
}

/** Control socket and monitor endpoint of a daemon. */
export class Control {
  readonly #options: ControlOptions;
  readonly #health: Health;
  readonly #socket: ControlServer;
  readonly #monitor: MonitorServer | undefined;
  #isSocketOpen = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { settings, monitor, queue, hasRoom, log, every, monotonic } = options;
    const health = new Health({
      messages: () => queue.size,
      hasRoom,
      upperMessages: monitor?.upperMessages ?? 0,
      lowerMessages: monitor?.lowerMessages ?? 0,
    });
    this.#health = health;
    const statistics: StatisticsSources = {
      ...options.statistics,
      isReady: () => health.isReady,
      isHealthy: () => health.isHealthy,
    };
    this.#socket = new ControlServer({
      settings,
      operations: operationsOf({ ...options, statistics }),
      log,
      every,
      now: monotonic,
    });
    this.#monitor =
      monitor &&
      new MonitorServer({
        address: monitor.address,
        port: monitor.port,
        health,
        metrics: async () => openMetricsText(collectStatistics(statistics), await options.scriptMetrics()),
        apiKeys: options.monitorKeys,
        log,
      });
  }

  /** Opens the monitor endpoint: before the daemon is ready. @returns its port. @throws ListenError */
  async startMonitor(): Promise<number | undefined> {
    return (await this.#monitor?.start())?.port;
  }

  /** Opens the control socket: the queue is loaded, and nothing is under way yet. @returns where it is. @throws ListenError */
  async open(): Promise<string | undefined> {
    try {
      const place = await this.#socket.start();
      this.#isSocketOpen = true;
      return place;
    } catch (error) {
      if (!this.#options.settings.isDefault || !(error instanceof ListenError)) throw error;
      // Nobody asked for it there: mail matters more.
      this.#options.log.info({ reason: error.message }, 'there is no control socket');
      return undefined;
    }
  }

  /** The daemon takes mail. */
  ready(): void {
    this.#health.started();
  }

  /** The daemon begins to stop. */
  stopping(): void {
    this.#health.stopping();
  }

  /** Closes both. */
  async stop(): Promise<void> {
    this.stopping();
    await Promise.all([
      this.#isSocketOpen ? this.#socket.stop(GRACE_SECONDS) : undefined,
      this.#monitor?.stop(),
    ]);
  }
}
