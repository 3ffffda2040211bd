// TLS as a client wants it, and what came of it. Whether a session that came about differently will do is decided by the
// mode in greeting.ts; here the handshake never fails because of a certificate, so that opportunistic sessions can be
// had and what is wrong with the certificate can be told.
//
//   mode              not offered, refused   handshake fails        certificate is no good
//   disabled          (STARTTLS is never said)
//   optional          plain                  plain, reconnected     used all the same
//   optional_verify   plain                  fails, temporary       fails, temporary
//   require           fails, temporary       fails, temporary       used all the same
//   require_verify    fails, temporary       fails, temporary       fails, temporary
//
// Why `optional` falls back: it protects against listeners only (RFC 7435). Whoever could break the handshake could as
// well have taken STARTTLS out of the peer's announcement, and mail to a peer with a broken TLS library is still mail.
// `optional_verify` says that a TLS session, once begun, must be with the right peer: there nothing is sent after a failure.
// Names that are asked for (`verifiesHost`, `verifyNames`) are checked in every mode that does not look away, `require` too.

import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, rootCertificates, type SecureContext, type TLSSocket } from 'node:tls';
import { ScriptFault } from '#lang';
import { type ConfiguredKey, parseTlsProtocols, systemTrust, type TlsMode } from '#stdlib';
import { isCertificateFor, isCertificateForOneOf } from './certificate-names.js';

/** How a session is to be protected. */
export interface TlsWish {
  readonly mode: TlsMode;
  /** The server name to ask for; true for the name of the host we connect to. */
  readonly sni?: string | boolean | undefined;
  /** As in hooks 12.1; `!SSLv2,!SSLv3` when absent. */
  readonly protocols?: string | undefined;
  /** OpenSSL's list. */
  readonly ciphers?: string | undefined;
  /** The certificate must be for the host we connect to. */
  readonly verifiesHost: boolean;
  /** The certificate must be for one of these. */
  readonly verifyNames?: readonly string[] | undefined;
  /** Trust the system's authorities beside the configured ones. */
  readonly usesSystemCa: boolean;
  /** Id of the configured key to show when asked. */
  readonly clientCertificate?: string | undefined;
  /** STARTTLS is not said any more: the handshake with this peer failed a moment ago. */
  readonly isGivenUp?: boolean;
}

/** No TLS at all. */
export const noTls: TlsWish = { mode: 'disabled', verifiesHost: false, usesSystemCa: false };

/** What is known of a TLS session. */
export interface SessionTls {
  readonly protocol: string;
  readonly cipher: string;
  readonly keySize: number | undefined;
  /** Why the certificate is not trusted; undefined when it is. */
  readonly chainProblem: string | undefined;
  /** Whether the certificate is for the host we connected to, or for one of the names asked for. */
  readonly isForPeer: boolean;
  readonly certificate: X509Certificate | undefined;
}

/** Keys and authorities of the configuration. */
export interface TlsTrust {
  key(id: string): ConfiguredKey | undefined;
  /** Certificates of authorities to trust; the system's are used when there are none. */
  authorities(): readonly X509Certificate[];
}

/** Nothing is configured. */
const none: readonly X509Certificate[] = [];
export const noTrust: TlsTrust = { key: () => undefined, authorities: () => none };

/** A context and a server name, or what is wrong with what was asked for. */
export type TlsPlan = { readonly secure: (plain: Socket) => TLSSocket } | { readonly problem: string };

/** Everything that OpenSSL still has. */
const defaultProtocols = '!SSLv2,!SSLv3';
const KEPT_CONTEXTS = 64;

/** Contexts made from the same configured things; a reload replaces these, and what was made of them is forgotten. */
interface MadeContexts {
  readonly authorities: readonly X509Certificate[];
  readonly byWish: Map<string, SecureContext>;
}

/** Makes the client's side of TLS sessions. Contexts are kept: reading authorities costs milliseconds. */
export class TlsClient {
  readonly #trust: TlsTrust;
  readonly #contexts = new WeakMap<object, MadeContexts>();

  constructor(trust: TlsTrust = noTrust) {
    this.#trust = trust;
  }

  /** What a session with the host of that name needs. */
  plan(wish: TlsWish, peerName: string): TlsPlan {
    const id = wish.clientCertificate;
    const key = id === undefined ? undefined : this.#trust.key(id);
    if (id !== undefined && (key === undefined || key.certificates.length === 0)) {
      const what = key === undefined ? 'there is no key' : 'there is no certificate with the key';
      return { problem: `${what} "${id}" in the configuration (pki.private)` };
    }
    const secureContext = this.#context(wish, key);
    if ('problem' in secureContext) return secureContext;
    const asked = wish.sni === true ? peerName : wish.sni;
    // RFC 6066 §3: a server name is never an address.
    const servername = typeof asked === 'string' && asked !== '' && isIP(asked) === 0 ? asked : undefined;
    return {
      secure: (socket) =>
        connect({
          socket,
          secureContext,
          ...(servername === undefined ? {} : { servername }),
          rejectUnauthorized: false,
          checkServerIdentity: () => undefined,
        }),
    };
  }

  #context(wish: TlsWish, key: ConfiguredKey | undefined): SecureContext | { readonly problem: string } {
    const authorities = this.#trust.authorities();
    let made = this.#contexts.get(key ?? authorities);
    if (made === undefined || made.authorities !== authorities) {
      made = { authorities, byWish: new Map() };
      this.#contexts.set(key ?? authorities, made);
    }
    const name = JSON.stringify([wish.protocols, wish.ciphers, wish.usesSystemCa, systemTrust()?.version]);
    const kept = made.byWish.get(name);
    if (kept !== undefined) return kept;
    try {
      const protocols = parseTlsProtocols(wish.protocols ?? defaultProtocols, 'tls_protocols');
      const context = createSecureContext({
        ...protocols,
        ...(wish.ciphers === undefined || wish.ciphers === '' ? {} : { ciphers: wish.ciphers }),
        ca: authoritiesOf(authorities, wish.usesSystemCa),
        ...(key === undefined ? {} : clientCertificate(key)),
      });
      if (made.byWish.size >= KEPT_CONTEXTS) made.byWish.clear();
      made.byWish.set(name, context);
      return context;
    } catch (error) {
      if (error instanceof ScriptFault) return { problem: error.message };
      // OpenSSL's text may show parts of what it was given.
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given';
      return { problem: `TLS cannot be set up with these ciphers, protocols or keys (${code})` };
    }
  }
}

/** The configured authorities, and those of the system where they are asked for or there are no others. */
function authoritiesOf(configured: readonly X509Certificate[], withSystem: boolean): string[] {
  const own = configured.map((certificate) => certificate.toString());
  if (own.length > 0 && !withSystem) return own;
  const bundle = systemTrust();
  return [...own, ...(bundle === undefined ? rootCertificates : [bundle.pem])];
}

/** Reads off a session that has just begun. */
export function describeTls(socket: TLSSocket, wish: TlsWish, peerName: string): SessionTls {
  const certificate = socket.getPeerX509Certificate();
  const names = wish.verifyNames ?? [];
  const { name, standardName } = socket.getCipher();
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: standardName ?? name,
    keySize: cipherKeyBits(name),
    chainProblem: socket.authorized ? undefined : String(socket.authorizationError ?? 'it is not trusted'),
    isForPeer:
      certificate !== undefined &&
      (names.length > 0
        ? isCertificateForOneOf(certificate, names)
        : isCertificateFor(certificate, peerName)),
    certificate,
  };
}

/** What is wrong with a session for this wish, if anything. */
export function verificationProblem(tls: SessionTls, wish: TlsWish, peerName: string): string | undefined {
  if (wish.mode.endsWith('_verify') && tls.chainProblem !== undefined)
    return `the certificate of "${peerName}" is not trusted (${tls.chainProblem})`;
  const names = wish.verifyNames ?? [];
  // `optional` uses whatever session it gets; a name that nobody vouches for would add nothing to it.
  if (wish.mode === 'optional' || (!wish.verifiesHost && names.length === 0) || tls.isForPeer)
    return undefined;
  return `the certificate is not for ${names.length > 0 ? names.join(' or ') : `"${peerName}"`}`;
}

function clientCertificate({ key, certificates }: ConfiguredKey): { key: string; cert: string } {
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: certificates.map((certificate) => certificate.toString()).join(''),
  };
}

/** Bits of the key of a cipher, by its OpenSSL name. */
export function cipherKeyBits(cipher: string): number | undefined {
  if (/CHACHA20|AES_?256|ARIA256|CAMELLIA256/.test(cipher)) return 256;
  if (/AES_?128|ARIA128|CAMELLIA128|RC4|SEED|IDEA/.test(cipher)) return 128;
  return /3DES|DES-CBC3/.test(cipher) ? 168 : undefined;
}
