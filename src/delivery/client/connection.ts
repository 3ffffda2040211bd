// One connection to a peer: bytes out, replies in, one deadline at a time. It knows sockets and replies but no mail; the
// dialogue is in greeting.ts and transaction.ts.
//
// Life: connecting -> open (-> handshake -> open) -> broken. Broken is final, has one reason, and takes the socket with it;
// replies that came before the break are still handed out. A caller waits for one thing at a time (a reply, or room to write).

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../clock.js';
import { type Capabilities, noCapabilities } from './capabilities.js';
import { type Reply, ReplyParser } from './reply-parser.js';
import type { SessionTls } from './tls.js';
import type { Breakage, SmtpState, Trouble } from './trouble.js';

/** An IP address and port to connect to, and the address to come from when it is not the system's choice. */
export interface NetTarget {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
}

/** Opens a socket: node:net's `connect`, or a test's own. */
export type NetConnect = (target: NetTarget) => Socket;

/** A TCP connection that speaks SMTP or LMTP. */
export class Connection {
  readonly id: string;
  readonly remoteIp: string;
  readonly remotePort: number;
  /** Known once connected. */
  localIp = '';
  /** The text of a 220, once the peer has greeted us. */
  greeting: readonly string[] | undefined;
  capabilities: Capabilities = noCapabilities;
  /** What is known of the TLS session, once there is one. */
  tls: SessionTls | undefined;
  /** Why an optional TLS session was not begun. */
  tlsRefusal: string | undefined;
  /** The good reply to a log-in. */
  logInReply: Reply | undefined;
  /** Transactions begun, the running one included. */
  transactions = 0;

  #socket: Socket;
  readonly #clock: Clock;
  readonly #parser = new ReplyParser();
  #replies: Reply[] = [];
  // Replies that commands already sent still have to bring; the greeting is the first.
  #expected = 1;
  #isConnected = false;
  #isHandshaking = false;
  // From 354 until the message has been sent whole.
  #isInData = false;
  #isLeaving = false;
  #breakage: Breakage | undefined;
  #wake: (() => void) | undefined;
  #deadline: Timer | undefined;
  #onBroken: (() => void) | undefined;
  #onClosed: (() => void) | undefined;

  constructor(id: string, target: NetTarget, connect: NetConnect, clock: Clock) {
    this.id = id;
    this.remoteIp = target.host;
    this.remotePort = target.port;
    this.#clock = clock;
    this.#socket = connect(target);
    this.#socket.on('connect', () => this.#connected());
    this.#listen(this.#socket);
  }

  /** Whether it is of no more use. */
  get isBroken(): boolean {
    return this.#breakage !== undefined;
  }

  /** Whether QUIT was said or is about to be. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Whether nothing is on its way in either direction, so that a new transaction may begin. */
  get isQuiet(): boolean {
    return !this.isBroken && this.#expected === 0 && this.#replies.length === 0 && !this.#parser.isMidReply;
  }

  /** Waits for the TCP connection. */
  async connected(seconds: number): Promise<Trouble | undefined> {
    while (!this.#isConnected && this.#breakage === undefined) {
      await this.#event(seconds, () =>
        this.#break({ kind: 'unreachable', message: `no connection to ${this.#peer()} in ${seconds} s` }),
      );
    }
    return this.trouble('BANNER');
  }

  /**
   * Goes over to TLS, right after the peer's go-ahead. Whatever the peer said behind it, in plain text, was perhaps put
   * there by somebody else, to be read as if it had come through TLS (RFC 3207 §6): the connection is given up.
   */
  async startTls(secure: (plain: Socket) => TLSSocket, seconds: number): Promise<TLSSocket | Trouble> {
    if (!this.isQuiet) {
      this.#break({
        kind: 'protocol',
        message: 'the peer sent plain text behind its go-ahead for TLS, where nothing may stand',
      });
    }
    if (this.#breakage !== undefined) return { ...this.#breakage, state: 'STARTTLS' };
    const plain = this.#socket;
    for (const event of ['data', 'drain', 'end', 'close']) plain.removeAllListeners(event);
    const secured = secure(plain);
    this.#socket = secured;
    this.#isHandshaking = true;
    this.#listen(secured);
    secured.once('secureConnect', () => {
      this.#isHandshaking = false;
      this.#notify();
    });
    while (this.#isHandshaking && this.#breakage === undefined) await this.#event(seconds);
    return this.trouble('STARTTLS') ?? secured;
  }

  /** Why it is broken, seen from a state of the dialogue. */
  trouble(state: SmtpState): Trouble | undefined {
    return this.#breakage === undefined ? undefined : { ...this.#breakage, state };
  }

  /** Writes command lines (one character per byte, CRLF included) that will bring `replies` replies. */
  send(commands: string, replies: number): void {
    if (this.#breakage !== undefined) return;
    this.#expected += replies;
    this.#socket.write(commands, 'latin1');
  }

  /** Writes a part of the message. A reply that comes before `endMessage` refuses the message. */
  sendMessage(bytes: Buffer): void {
    if (this.#breakage === undefined && bytes.length > 0) this.#socket.write(bytes);
  }

  /** Writes the last part of the message and what ends it, in one packet if they fit. */
  endMessage(bytes: Buffer, end: Buffer, replies: number): void {
    if (this.#breakage !== undefined) return;
    this.#isInData = false;
    this.#expected += replies;
    this.#socket.cork();
    if (bytes.length > 0) this.#socket.write(bytes);
    this.#socket.write(end);
    this.#socket.uncork();
  }

  /** Waits until the socket takes more, or says why it will not. */
  async writable(state: SmtpState, seconds: number): Promise<Trouble | undefined> {
    while (this.#breakage === undefined && this.#socket.writableNeedDrain) await this.#event(seconds);
    return this.trouble(state);
  }

  /** The next reply, or why there will be none. */
  async reply(state: SmtpState, seconds: number): Promise<Reply | Trouble> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.#breakage !== undefined) return { ...this.#breakage, state };
      await this.#event(seconds);
    }
  }

  /** Called once when the connection breaks, whoever broke it; replaces the callback set before. */
  onBroken(run: (() => void) | undefined): void {
    this.#onBroken = run;
  }

  /** Called once when the socket is gone. */
  onClosed(run: () => void): void {
    this.#onClosed = run;
  }

  /** Gives up what is going on. */
  cancel(): void {
    this.#break({ kind: 'cancelled' });
  }

  /** Closes without a word, which is the only way out in the middle of a message: nothing may look like its end. */
  drop(): void {
    this.#break({ kind: 'closed', message: 'we closed the connection' });
  }

  /** Says QUIT and waits for the answer, but not for long (RFC 5321 §4.1.1.10). */
  async quit(seconds: number): Promise<void> {
    this.#isLeaving = true;
    if (this.isQuiet) {
      this.send('QUIT\r\n', 1);
      await this.reply('QUIT', seconds);
    }
    this.drop();
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#notify());
    socket.on('end', () => this.#lose('the peer closed the connection'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    socket.on('close', () => {
      this.#lose('the connection was closed');
      this.#onClosed?.();
      this.#onClosed = undefined;
    });
  }

  #peer(): string {
    return `${this.remoteIp} port ${this.remotePort}`;
  }

  #connected(): void {
    this.#isConnected = true;
    this.localIp = this.#socket.localAddress ?? '';
    this.#notify();
  }

  #receive(chunk: Buffer): void {
    if (this.#breakage !== undefined) return;
    const replies: Reply[] = [];
    const fault = this.#parser.push(chunk, replies);
    for (const reply of replies) this.#take(reply);
    if (fault !== undefined) this.#break({ kind: 'protocol', message: `the peer sent ${fault}` });
    // Half a reply does not wake anybody: the deadline is for the whole of it, however slowly it drips in.
    else if (replies.length > 0) this.#notify();
  }

  #take(reply: Reply): void {
    if (this.#breakage !== undefined) return;
    if (this.#expected > 0) {
      this.#expected--;
      this.#replies.push(reply);
      if (reply.code === 354) this.#isInData = true;
    } else if (reply.code === 421 || (this.#isInData && reply.code >= 400)) {
      // RFC 5321 §3.8: a server may leave with 421 at any time; others refuse a message while it is still coming.
      this.#break({ kind: 'refused', reply });
    } else {
      this.#break({ kind: 'protocol', message: `the peer sent a reply nobody asked for: ${reply.code}` });
    }
  }

  #fail(error: NodeJS.ErrnoException): void {
    const what = error.code ?? error.message;
    if (this.#isHandshaking) this.#lose(`the peer and we could not agree (${what})`);
    this.#break(
      this.#isConnected
        ? { kind: 'closed', message: `the connection was lost (${what})` }
        : { kind: 'unreachable', message: `no connection to ${this.#peer()} (${what})` },
    );
  }

  #lose(message: string): void {
    this.#break(
      this.#isHandshaking
        ? { kind: 'tls', cause: 'handshake', message: `the TLS handshake failed: ${message}` }
        : { kind: 'closed', message },
    );
  }

  #break(breakage: Breakage): void {
    if (this.#breakage !== undefined) return;
    this.#breakage =
      breakage.kind === 'closed' && this.#parser.isMidReply
        ? { kind: 'closed', message: `${breakage.message} in the middle of a reply` }
        : breakage;
    this.#socket.destroy();
    this.#notify();
    this.#onBroken?.();
    this.#onBroken = undefined;
  }

  #event(seconds: number, late = () => this.#break({ kind: 'timeout', seconds })): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#deadline = this.#clock.setTimer(seconds * 1000, late);
    });
  }

  #notify(): void {
    const wake = this.#wake;
    if (wake === undefined) return;
    this.#wake = undefined;
    this.#deadline?.cancel();
    this.#deadline = undefined;
    wake();
  }
}
