// The monitor endpoint (queue-and-config 11): /metrics, /ready and /healthy for whoever watches the daemon. It listens before the spool
// is loaded, so that a start that takes long is seen as one.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ApiKey } from '../config/submission.js';
import { openMetricsType } from '../control/statistics/openmetrics.js';
import type { Logger } from '../log/logger.js';
import { listen } from '../smtp/edge/listeners.js';
import { findApiKey } from '../submission/api-keys.js';
import type { Health } from './health.js';

/** What the endpoint works with. */
export interface MonitorServerOptions {
  readonly address: string;
  readonly port: number;
  readonly health: Health;
  /** The text of /metrics. */
  readonly metrics: () => Promise<string>;
  /** Of which one must come for /metrics; anybody may read it when there are none. */
  readonly apiKeys: () => readonly ApiKey[];
  readonly log: Logger;
}

const MOST_CONNECTIONS = 100;
const REQUEST_MS = 10_000;

/** Serves it. */
export class MonitorServer {
  readonly #options: MonitorServerOptions;
  readonly #server: Server;

  constructor(options: MonitorServerOptions) {
    this.#options = options;
    this.#server = createServer(
      { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** Opens it. @throws ListenError */
  async start(): Promise<AddressInfo> {
    const { address, port } = this.#options;
    await listen(
      this.#server,
      { subject: 'the monitor endpoint', setting: 'monitor.listener' },
      { address, port },
    );
    return this.#server.address() as AddressInfo;
  }

  /** Closes it, with the connections it has. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Nothing that is asked here has a body: what comes as one is not kept.
    request.resume();
    const [path = ''] = (request.url ?? '').split('?');
    const route = routes[path];
    if (route === undefined) say(response, 404, 'there are /metrics, /ready and /healthy');
    else if (request.method === 'GET') route(this.#options, request, response);
    else {
      response.setHeader('Allow', 'GET');
      say(response, 405, 'only GET');
    }
  }
}

type Route = (options: MonitorServerOptions, request: IncomingMessage, response: ServerResponse) => void;

const routes: Readonly<Partial<Record<string, Route>>> = {
  '/ready': ({ health }, _request, response) =>
    health.isReady ? say(response, 200, 'ready') : say(response, 503, 'not ready: the spool is being loaded'),
  '/healthy': ({ health }, _request, response) => {
    const problem = health.problem();
    if (problem === undefined) say(response, 200, 'healthy');
    else say(response, 503, problem);
  },
  '/metrics': ({ apiKeys, metrics, log }, request, response) => {
    const keys = apiKeys();
    const given = request.headers['x-api-key'];
    if (keys.length > 0 && findApiKey(keys, typeof given === 'string' ? given : undefined) === undefined) {
      say(response, 401, 'a key is needed in X-API-Key');
      return;
    }
    metrics().then(
      (text) => say(response, 200, text, openMetricsType),
      (error: unknown) => {
        log.error({ err: error }, 'the metrics could not be made');
        say(response, 500, 'the metrics could not be made; the log says why');
      },
    );
  },
};

function say(response: ServerResponse, code: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(code, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  response.end(text.endsWith('\n') ? text : `${text}\n`);
}
