// The certificates of a peer as it sent them. Node links each to what came behind it, whoever issued it.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** OpenSSL takes 100 kB of certificates; nobody sends a hundred. */
const MOST_CERTIFICATES = 100;

/**
 * The peer's certificate and all that came with it. Asked for once per session: Node takes them out of OpenSSL's list
 * when it hands them out.
 */
export function peerChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < MOST_CERTIFICATES) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
