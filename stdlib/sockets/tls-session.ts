// TLS over a script's socket: the handshake, what it verifies, and the stream inside.
//
//   new ── handshake (or the first send or recv) ──► open ── shutdown ──► closing ── peer's close_notify ──► closed
//    └── a handshake that fails, or a certificate that is not accepted ──► broken: the socket is closed with it

import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { ByteStream, type Received, type ReceiveFlags, type Sent } from './byte-stream.js';
import { type ErrorName, errorNameOf } from './errno.js';
import { lostPatience, type Patience } from './patience.js';
import type { ScriptSocket } from './socket.js';
import { isCertificateFor } from './tls-options.js';

export interface TlsWishes {
  readonly context: SecureContext;
  /** The name asked for in the handshake. */
  readonly serverName: string | undefined;
  /** The chain must lead to somebody we trust. */
  readonly verifiesChain: boolean;
  /** The certificate must be for one of these; empty: for anybody. */
  readonly names: readonly string[];
}

/** Why the peer is not accepted, if it is not. */
function refusalOf(
  tls: TLSSocket,
  certificate: X509Certificate | undefined,
  { verifiesChain, names }: TlsWishes,
): ErrorName | undefined {
  if (verifiesChain && !tls.authorized) return 'EACCES';
  if (names.length === 0) return undefined;
  return certificate !== undefined && isCertificateFor(names, certificate) ? undefined : 'EACCES';
}

export class TlsSession {
  readonly #stream: ByteStream;
  readonly #tls: TLSSocket;
  #handshake: Promise<ErrorName | undefined> | undefined;
  #isOpen = false;
  #isShut = false;
  #failure: ErrorName | undefined;
  #certificate: X509Certificate | undefined;

  constructor(
    readonly socket: ScriptSocket,
    plain: Socket,
    readonly wishes: TlsWishes,
  ) {
    // What to accept is decided after the handshake, so that a script can look at the certificate that was refused.
    this.#tls = connect({
      socket: plain,
      secureContext: wishes.context,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(wishes.serverName !== undefined && { servername: wishes.serverName }),
    });
    this.#stream = new ByteStream(this.#tls);
    socket.whenClosed(() => this.close());
  }

  get certificate(): X509Certificate | undefined {
    return this.#certificate;
  }

  /** Whether the handshake is done and was accepted. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Done once, however often it is asked for. @returns the name of what went wrong */
  handshake(until: Patience): Promise<ErrorName | undefined> {
    this.#handshake ??= this.#shakeHands(until);
    return this.#handshake;
  }

  async #shakeHands(until: Patience): Promise<ErrorName | undefined> {
    const error = await this.#untilSecure(until);
    this.#certificate = error === undefined ? this.#tls.getPeerX509Certificate() : undefined;
    this.#failure = error ?? refusalOf(this.#tls, this.#certificate, this.wishes);
    this.#isOpen = this.#failure === undefined;
    if (!this.#isOpen) this.socket.close();
    return this.#failure;
  }

  #untilSecure({ untilMs, signal }: Patience): Promise<ErrorName | undefined> {
    const tls = this.#tls;
    if (signal.aborted) return Promise.resolve('ECANCELED');
    return new Promise((resolve) => {
      const finish = (error: ErrorName | undefined): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        tls.off('secureConnect', onSecure);
        tls.off('error', onError);
        tls.off('close', onClose);
        resolve(error);
      };
      const onSecure = (): void => finish(undefined);
      const onError = (error: Error): void => finish(protocolError(error));
      const onClose = (): void => finish(this.#stream.error ?? 'ECONNRESET');
      const onAbort = (): void => finish(lostPatience('aborted'));
      const left = Math.max(0, Math.min(untilMs - performance.now(), 2_147_483_647));
      const timer = setTimeout(() => finish(lostPatience('timeout')), left);
      signal.addEventListener('abort', onAbort);
      tls.once('secureConnect', onSecure);
      tls.once('error', onError);
      tls.once('close', onClose);
      if (tls.destroyed) onClose();
    });
  }

  async receive(
    count: number,
    flags: ReceiveFlags,
    until: Patience,
    charge: (bytes: number) => void,
  ): Promise<Received> {
    const error = await this.handshake(until);
    if (error !== undefined) return { kind: 'failure', error };
    return this.#stream.receive(count, flags, until, charge);
  }

  async send(bytes: Buffer, until: Patience): Promise<Sent> {
    const error = await this.handshake(until);
    if (error !== undefined) return { kind: 'failure', error };
    return this.#stream.send(bytes, until);
  }

  /** What of SSL_shutdown(3) scripts see: 0 our side is closed, 1 both are. */
  async shutdown(until: Patience): Promise<0 | 1 | ErrorName> {
    if (!this.#isOpen) return this.#failure ?? 'ENOTCONN';
    if (!this.#isShut) {
      this.#isShut = true;
      this.#stream.shutWriting();
      return this.#stream.hasEnded ? 1 : 0;
    }
    return (await this.#stream.untilEnded(until)) ?? 1;
  }

  close(): void {
    this.#stream.close();
  }
}

/** A handshake that fails for TLS's own reasons has no number of the kernel's: EPROTO. */
function protocolError(error: Error): ErrorName {
  const name = errorNameOf(error);
  return name === 'EIO' ? 'EPROTO' : name;
}

/** A name that may be sent as SNI (RFC 6066 §3): no address. */
export function isServerName(name: string): boolean {
  return name !== '' && name.length <= 255 && isIP(name) === 0 && /^[\x21-\x7e]+$/.test(name);
}
