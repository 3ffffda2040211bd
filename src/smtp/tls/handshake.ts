// The server's side of a TLS handshake on a connected socket. What the certificate of a client is worth is told, not
// judged: the session answers a client whose certificate will not do (RFC 3207 §4.1).

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsFacts } from '#hooks';
import { certificateValue } from '#stdlib';
import { cipherKeyBits } from '../../delivery/client/tls.js';
import type { ServerContexts } from './server-contexts.js';
import { verifyCodeOf } from './verify-codes.js';

/** What is told of a handshake: one of the two, once. */
export interface HandshakeListener {
  secured(socket: TLSSocket, facts: TlsFacts): void;
  /** The socket is closed. */
  failed(error: Error): void;
}

/**
 * Begins a handshake on a socket whose listeners are gone. What the client said in the clear and nobody has read is
 * thrown away (RFC 3207 §4.2), unless it is the handshake itself (`isFresh`). `applicationProtocols` are what follows, for
 * clients that ask (RFC 7301). @returns the encrypted socket to be
 */
export function beginHandshake(
  plain: Socket,
  contexts: ServerContexts,
  isFresh: boolean,
  listener: HandshakeListener,
  applicationProtocols?: readonly string[],
): TLSSocket {
  if (!isFresh) {
    plain.pause();
    while (plain.read() !== null);
  }
  const asksClient = contexts.clientCertificate !== 'none';
  const socket = new TLSSocket(plain, {
    isServer: true,
    secureContext: contexts.fallback,
    SNICallback: contexts.sniCallback,
    requestCert: asksClient,
    rejectUnauthorized: false,
    ...(applicationProtocols === undefined ? undefined : { ALPNProtocols: [...applicationProtocols] }),
  });
  let isOver = false;
  const over = (error?: Error): void => {
    if (isOver) return;
    isOver = true;
    socket.removeListener('close', onClose);
    socket.removeListener('end', onEnd);
    if (error === undefined) listener.secured(socket, tlsFacts(socket, asksClient));
    else listener.failed(error);
  };
  const onClose = (): void => over(new Error('the connection was closed during the TLS handshake'));
  const onEnd = (): void => void socket.destroy();
  socket.once('secure', () => over());
  socket.once('close', onClose);
  socket.once('end', onEnd);
  // Before the handshake is over node:tls destroys the socket itself. Afterwards it only tells (its own server would act).
  socket.on('_tlsError', (error: Error) => {
    if (isOver) socket.destroy(error);
  });
  socket.on('error', over);
  return socket;
}

/** What scripts are told of a handshake that is over. Ask once: the chain of the client is there only the first time. */
export function tlsFacts(socket: TLSSocket, asksClient: boolean): TlsFacts {
  const { name } = socket.getCipher();
  const serverName: unknown = Reflect.get(socket, 'servername');
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: name,
    keySize: cipherKeyBits(name),
    sni: typeof serverName === 'string' && serverName !== '' ? serverName : undefined,
    peerCertificate: asksClient ? peerCertificateOf(socket) : undefined,
  };
}

function peerCertificateOf(socket: TLSSocket): PeerCertificate | undefined {
  // Once only: the second call has no chain any more.
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const chain: PeerCertificate['chain'][number][] = [];
  for (let issuer = certificate.issuerCertificate; issuer !== undefined; issuer = issuer.issuerCertificate)
    chain.push(certificateValue(issuer));
  return { x509: certificateValue(certificate), chain, error: verifyCodeOf(socket) };
}
