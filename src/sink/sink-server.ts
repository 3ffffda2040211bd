// The sink's SMTP server: the smtp-server package with our rules in front of its command handlers. This file is the only
// one that imports the package, and is itself imported only when a sink is started.
//
// Two methods of the package's connection are replaced that it does not document: `init`, because it waits a fixed 100 ms
// before the greeting, and `connect` of the server, because it builds the connection. The package is pinned.

import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import type { ReplyRule, SinkMove, SinkPlan, SinkState } from './rules.js';

type CommandCallback = () => void;
type ServerSocket = SMTPConnection['_socket'];
type ConnectionOptions = ConstructorParameters<typeof SMTPConnection>[2];

/** Told what the rules and the clients do. */
export interface SinkEvents {
  connected(): void;
  /** MAIL was said, whatever came of it. */
  transaction(): void;
  recipient(): void;
  refused(state: SinkState): void;
  dropped(state: SinkState): void;
}

const nothing: SinkMove = { delayMs: 0, drops: false, reply: undefined };

/** An SMTP server whose every answer passes a plan. */
export class SinkServer extends SMTPServer {
  readonly plan: SinkPlan;
  readonly events: SinkEvents;
  readonly #byId = new Map<string, SinkConnection>();

  constructor(options: SMTPServerOptions, plan: SinkPlan, events: SinkEvents) {
    super(options);
    this.plan = plan;
    this.events = events;
  }

  override connect(socket: ServerSocket, options?: ConnectionOptions): void {
    const connection = new SinkConnection(this, socket, options);
    this.connections.add(connection);
    this.#byId.set(connection.id, connection);
    socket.once('close', () => this.#byId.delete(connection.id));
    // A client that goes away is the client's affair; the listener keeps it from ending the process.
    connection.on('error', () => {});
    connection.init();
  }

  /** The answer to a message, for the transaction of a connection. Calls `accept`, `refuse` or neither. */
  answerMessage(connectionId: string, accept: () => void, refuse: (rule: ReplyRule) => void): void {
    this.#byId.get(connectionId)?.answer('EOD', accept, refuse);
  }
}

class SinkConnection extends SMTPConnection {
  readonly #server: SinkServer;
  readonly #isHit: boolean;
  #isTransactionHit = false;

  constructor(server: SinkServer, socket: ServerSocket, options?: ConnectionOptions) {
    super(server, socket, options);
    this.#server = server;
    this.#isHit = server.plan.draw();
  }

  override init(): void {
    this.#server.events.connected();
    this._setListeners(() =>
      this.answer(
        'CONNECT',
        () => this.connectionReady(),
        (rule) => {
          this.send(rule.code, rule.text, false);
          this.close();
        },
      ),
    );
  }

  override handler_EHLO(command: Buffer, callback: CommandCallback): void {
    this.#command('EHLO', callback, () => super.handler_EHLO(command, callback));
  }

  override handler_HELO(command: Buffer, callback: CommandCallback): void {
    this.#command('HELO', callback, () => super.handler_HELO(command, callback));
  }

  override handler_MAIL(command: Buffer, callback: CommandCallback): void {
    this.#server.events.transaction();
    this.#isTransactionHit = this.#server.plan.draw();
    this.#command('MAIL', callback, () => super.handler_MAIL(command, callback));
  }

  override handler_RCPT(command: Buffer, callback: CommandCallback): void {
    this.#server.events.recipient();
    this.#command('RCPT', callback, () => super.handler_RCPT(command, callback));
  }

  override handler_DATA(command: Buffer, callback: CommandCallback): void {
    this.#command('DATA', callback, () => super.handler_DATA(command, callback));
  }

  /** Delays, drops, refuses or goes on, as the plan says. */
  answer(state: SinkState, goOn: () => void, refuse: (rule: ReplyRule) => void): void {
    const isEarly = state === 'CONNECT' || state === 'EHLO' || state === 'HELO';
    const isHit = isEarly ? this.#isHit : this.#isTransactionHit;
    const move = isHit ? this.#server.plan.move(state) : nothing;
    const act = () => {
      if (this._socket.destroyed) return;
      if (move.drops) {
        this.#server.events.dropped(state);
        this._socket.destroy();
      } else if (move.reply !== undefined) {
        this.#server.events.refused(state);
        refuse(move.reply);
      } else goOn();
    };
    if (move.delayMs === 0) act();
    else setTimeout(act, move.delayMs).unref();
  }

  #command(state: SinkState, callback: CommandCallback, proceed: () => void): void {
    this.answer(state, proceed, (rule) => {
      this.send(rule.code, rule.text, false);
      callback();
    });
  }
}
