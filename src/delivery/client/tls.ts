// TLS as a client wants it, and what came of it. Here the handshake never fails because of a certificate, so that opportunistic
// sessions can be had and what is wrong with the certificate can be told. Whether a session will do is decided in greeting.ts,
// by the demand on the host (../security).
//
// Why `optional` falls back when a handshake fails: it protects against listeners only (RFC 7435). Whoever could break the
// handshake could as well have taken STARTTLS out of the peer's announcement, and mail to a peer with a broken TLS library is
// still mail. `optional_verify` says that a TLS session, once begun, must be with the right peer: there nothing is sent after
// a failure.

import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, rootCertificates, type SecureContext, type TLSSocket } from 'node:tls';
import { ScriptFault } from '#lang';
import { type ConfiguredKey, parseTlsProtocols, systemTrust, type TlsMode } from '#stdlib';
import type { TlsDemand } from '../security/demand.js';
import { peerChain } from '../security/peer-chain.js';
import { isCertificateFor, isCertificateForOneOf } from './certificate-names.js';

/** How a session is to be protected. */
export interface TlsWish {
  readonly mode: TlsMode;
  /** TLS from the first byte (RFC 8314 §3.3): STARTTLS is not said, and there is no going on without. */
  readonly isImplicit?: boolean | undefined;
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
  /** The recipient's domain may demand more by MTA-STS (RFC 8461). */
  readonly usesMtaSts?: boolean | undefined;
}

/** No TLS at all. */
export const noTls: TlsWish = { mode: 'disabled', verifiesHost: false, usesSystemCa: false };

/** A wish as it is meant: TLS from the first byte is TLS, so that `disabled` can only mean that nobody chose a mode. */
export function meantWish(wish: TlsWish): TlsWish {
  return wish.isImplicit === true && wish.mode === 'disabled' ? { ...wish, mode: 'require' } : wish;
}

/** What is known of a TLS session. */
export interface SessionTls {
  readonly protocol: string;
  readonly cipher: string;
  readonly keySize: number | undefined;
  /** Why the certificate is not trusted; undefined when it is. */
  readonly chainProblem: string | undefined;
  /** Whether the certificate is for the host we connected to, or for one of the names asked for. */
  readonly isForPeer: boolean;
  /** Whether it is proven with whom the session is: by a trusted certificate for the peer, or by its TLSA records. */
  readonly isAuthenticated: boolean;
  /** The peer's certificate and what came with it. */
  readonly chain: readonly X509Certificate[];
}

/** Keys and authorities of the configuration. */
export interface TlsTrust {
  key(id: string): ConfiguredKey | undefined;
  /** Certificates of authorities to trust; the system's are used when there are none. */
  authorities(): readonly X509Certificate[];
}

/** Nothing is configured. */
const none: readonly X509Certificate[] = [];
const noTrust: TlsTrust = { key: () => undefined, authorities: () => none };

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
  /** Unix time, for certificates that have a time. */
  readonly now: () => number;
  readonly #contexts = new WeakMap<object, MadeContexts>();

  constructor(trust: TlsTrust = noTrust, now = () => Date.now() / 1000) {
    this.#trust = trust;
    this.now = now;
  }

  /** What a session with the host of that name needs. */
  plan(wish: TlsWish, demand: TlsDemand, peerName: string): TlsPlan {
    const id = wish.clientCertificate === '' ? undefined : wish.clientCertificate;
    const key = id === undefined ? undefined : this.#trust.key(id);
    if (id !== undefined && (key === undefined || key.certificates.length === 0)) {
      const what = key === undefined ? 'there is no key' : 'there is no certificate with the key';
      return { problem: `${what} "${id}" in the configuration (pki.private)` };
    }
    const secureContext = this.#context(wish, demand.usesSystemCa ?? wish.usesSystemCa, key);
    if ('problem' in secureContext) return secureContext;
    const asked = demand.serverName ?? (wish.sni === true ? peerName : wish.sni);
    // RFC 6066 §3: a server name is never an address.
    const isName = typeof asked === 'string' && asked !== '' && isIP(asked) === 0 && !asked.startsWith('[');
    const servername = isName ? asked : undefined;
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

  #context(
    wish: TlsWish,
    usesSystemCa: boolean,
    key: ConfiguredKey | undefined,
  ): SecureContext | { readonly problem: string } {
    const authorities = this.#trust.authorities();
    let made = this.#contexts.get(key ?? authorities);
    if (made === undefined || made.authorities !== authorities) {
      made = { authorities, byWish: new Map() };
      this.#contexts.set(key ?? authorities, made);
    }
    const name = JSON.stringify([wish.protocols, wish.ciphers, usesSystemCa, systemTrust()?.version]);
    const kept = made.byWish.get(name);
    if (kept !== undefined) return kept;
    try {
      const protocols = parseTlsProtocols(wish.protocols ?? defaultProtocols, 'tls_protocols');
      const context = createSecureContext({
        ...protocols,
        ...(wish.ciphers === undefined || wish.ciphers === '' ? {} : { ciphers: wish.ciphers }),
        ca: authoritiesOf(authorities, usesSystemCa),
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
export function describeTls(
  socket: TLSSocket,
  wish: TlsWish,
  peerName: string,
): Omit<SessionTls, 'isAuthenticated'> {
  const chain = peerChain(socket);
  const [certificate] = chain;
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
    chain,
  };
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
