// The host of a session that runs under another configuration than its server: options, hooks and transports are those of a
// staged configuration, held for the connection's life; the rest is the server's.

import type { SmtpServerOptions, SmtpServerParts, StagedConnection } from './options.js';
import type { Session, SessionHost } from './session.js';

/** One for each staged connection. */
export class StagedHost implements SessionHost {
  readonly options: SmtpServerOptions;
  readonly parts: SmtpServerParts;
  readonly #server: SessionHost;
  readonly #connection: StagedConnection;

  constructor(server: SessionHost, connection: StagedConnection) {
    this.options = connection.options;
    this.parts = connection.parts;
    this.#server = server;
    this.#connection = connection;
  }

  get isStopping(): boolean {
    return this.#server.isStopping;
  }

  get roughNow(): number {
    return this.#server.roughNow;
  }

  ended(session: Session): void {
    this.#server.ended(session);
    this.#connection.close();
  }
}
