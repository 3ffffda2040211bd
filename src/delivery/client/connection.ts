// One connection to a peer: bytes out, replies in, one deadline at a time. It knows sockets and replies but no mail; the
// dialogue is in greeting.ts and transaction.ts.
//
// Life: connecting -> open (-> handshake -> open) -> broken. Broken is final, has one reason, and takes the socket with it;
// replies that came before the break are still handed out. A caller waits for one thing at a time (a reply, or room to write).

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsFailureType } from '../security/tlsrpt.js';
import { type Capabilities, noCapabilities } from './capabilities.js';
import { Deadline, type Deadlines } from './deadlines.js';
import { type OutboundProxy, writeProxyHeader } from './proxy-header.js';
import { type Reply, ReplyParser } from './reply-parser.js';
import type { SessionTls } from './tls.js';
import type { Breakage, SmtpState, Trouble } from './trouble.js';

/** An IP address and port to connect to, and the address to come from when it is not the system's choice. */
export interface NetTarget {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
  /** That address need not be of this machine. */
  readonly isNonlocal?: boolean;
}

/** Opens a socket: node:net's `connect`, or a test's own. */
export type NetConnect = (target: NetTarget) => Socket;

/** The way to a peer. */
export interface Route {
  readonly ip: string;
  readonly port: number;
  /** The address to come from; the system's choice when absent. */
  readonly sourceIp?: string | undefined;
  /** It need not be of this machine. */
  readonly isNonlocal?: boolean | undefined;
  /** Who connects for us; then `sourceIp` is an address of the proxy's machine, not of ours. */
  readonly proxy?: OutboundProxy | undefined;
}

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
  /** What was wrong with the session's protection, in the words of RFC 8460 §4.3, also where it did not matter. */
  tlsFailure: TlsFailureType | undefined;
  /** The good reply to a log-in. */
  logInReply: Reply | undefined;
  /** Transactions begun, the running one included. */
  transactions = 0;

  #socket: Socket;
  readonly #route: Route;
  readonly #deadlines: Deadlines;
  // What happens when it passes depends on what is waited for.
  readonly #deadline = new Deadline(() => this.#late());
  #waitSeconds = 0;
  readonly #parser = new ReplyParser();
  #replies: Reply[] = [];
  #secrets: readonly string[] = [];
  // Replies that commands already sent still have to bring; the greeting is the first.
  #expected = 1;
  #isConnected = false;
  #isHandshaking = false;
  // From 354 until the message has been sent whole.
  #isInData = false;
  #isLeaving = false;
  #breakage: Breakage | undefined;
  #wake: (() => void) | undefined;
  #onBroken: (() => void) | undefined;
  #onClosed: (() => void) | undefined;

  constructor(id: string, route: Route, connect: NetConnect, deadlines: Deadlines) {
    const { ip, port, sourceIp, isNonlocal = false, proxy } = route;
    this.id = id;
    this.remoteIp = ip;
    this.remotePort = port;
    this.#route = route;
    this.#deadlines = deadlines;
    this.#socket = connect(
      proxy !== undefined
        ? { host: proxy.ip, port: proxy.port }
        : { host: ip, port, ...(sourceIp === undefined ? {} : { localAddress: sourceIp, isNonlocal }) },
    );
    this.#socket.once('connect', () => this.#connected());
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
    while (!this.#isConnected && this.#breakage === undefined) await this.#event(seconds);
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
    return this.#secure(secure, seconds);
  }

  /** Speaks TLS from the first byte; the greeting comes through it. */
  async beginWithTls(secure: (plain: Socket) => TLSSocket, seconds: number): Promise<TLSSocket | Trouble> {
    if (this.#replies.length > 0 || this.#parser.isMidReply)
      this.#break({
        kind: 'protocol',
        message: 'the peer greeted us in plain text, where TLS from the first byte was expected',
      });
    return this.#secure(secure, seconds);
  }

  async #secure(secure: (plain: Socket) => TLSSocket, seconds: number): Promise<TLSSocket | Trouble> {
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

  /** Writes a chunk of the message behind the command that announces it, which brings a reply (RFC 3030 §2). */
  sendChunk(command: string, bytes: Buffer, replies: number): void {
    if (this.#breakage !== undefined) return;
    this.#expected += replies;
    this.#socket.cork();
    this.#socket.write(command, 'latin1');
    if (bytes.length > 0) this.#socket.write(bytes);
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

  /** From now on nothing that the peer says shows these: a reply may repeat what we sent, and is for logs and scripts. */
  conceal(secrets: readonly string[]): void {
    this.#secrets = secrets;
    this.#parser.conceal();
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

  #unreachable(why: string): Breakage {
    const { ip, port, proxy } = this.#route;
    const peer = `${ip} port ${port}`;
    return proxy === undefined
      ? { kind: 'unreachable', message: `no connection to ${peer} ${why}` }
      : {
          kind: 'unreachable',
          isProxy: true,
          message: `no connection to the proxy ${proxy.ip} port ${proxy.port} on the way to ${peer} ${why}`,
        };
  }

  #connected(): void {
    const { sourceIp, proxy } = this.#route;
    const { localAddress = '', localPort = 0 } = this.#socket;
    this.#isConnected = true;
    this.localIp = sourceIp ?? localAddress;
    if (proxy !== undefined) {
      const header = writeProxyHeader(proxy.version ?? 2, {
        sourceIp: this.localIp,
        // Of an address that is not ours no port can be known to be free.
        sourcePort: sourceIp === undefined ? localPort : 0,
        destinationIp: this.remoteIp,
        destinationPort: this.remotePort,
      });
      if ('problem' in header) this.#break({ kind: 'misconfigured', message: header.problem });
      else this.#socket.write(header);
    }
    this.#notify();
  }

  #receive(chunk: Buffer): void {
    if (this.#breakage !== undefined) return;
    const replies: Reply[] = [];
    const fault = this.#parser.push(chunk, replies);
    for (const reply of replies) this.#take(this.#secrets.length === 0 ? reply : this.#withoutSecrets(reply));
    if (fault !== undefined) this.#break({ kind: 'protocol', message: `the peer sent ${fault}` });
    // Half a reply does not wake anybody: the deadline is for the whole of it, however slowly it drips in.
    else if (replies.length > 0) this.#notify();
  }

  #withoutSecrets(reply: Reply): Reply {
    // A challenge is answered as it is, and shown to nobody; what looks like a secret in it is chance.
    if (reply.code === 334 && this.logInReply === undefined) return reply;
    const lines = reply.lines.map((line) =>
      this.#secrets.reduce((text, secret) => text.replaceAll(secret, '***'), line),
    );
    return { ...reply, lines };
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
    else if (!this.#isConnected && error.syscall === 'bind') this.#break(this.#unusableSource(what, error));
    else if (!this.#isConnected) this.#break(this.#unreachable(`(${what})`));
    // With TLS 1.3 a peer says only after the handshake that it does not like our certificate, or the lack of one.
    else if (what.startsWith('ERR_SSL'))
      this.#break({ kind: 'tls', cause: 'handshake', message: `the TLS session failed (${what})` });
    else this.#break({ kind: 'closed', message: `the connection was lost (${what})` });
  }

  #unusableSource(what: string, { message }: Error): Breakage {
    const { sourceIp = '', isNonlocal } = this.#route;
    const why =
      isNonlocal === true
        ? `${what}: ${message}`
        : `${what}): expected an address of this machine; give it one, or take it out of the source addresses (nonlocal_source: one that is not of this machine`;
    return { kind: 'misconfigured', message: `cannot send from the address ${sourceIp} (${why})` };
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
    this.#deadlines.remove(this.#deadline);
    this.#onBroken?.();
    this.#onBroken = undefined;
  }

  #late(): void {
    const seconds = this.#waitSeconds;
    this.#break(this.#isConnected ? { kind: 'timeout', seconds } : this.#unreachable(`in ${seconds} s`));
  }

  #event(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#waitSeconds = seconds;
      this.#deadlines.set(this.#deadline, seconds * 1000);
    });
  }

  #notify(): void {
    const wake = this.#wake;
    if (wake === undefined) return;
    this.#wake = undefined;
    this.#deadlines.clear(this.#deadline);
    wake();
  }
}
