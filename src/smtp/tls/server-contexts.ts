// What a server shows and accepts in TLS handshakes, for SMTP and HTTPS servers alike. The contexts of one configuration
// are made once and never change: a reload makes new ones for new handshakes, and running sessions keep theirs.
//
// A server name selects the certificate: an exact name first, then a wildcard (`*.example.com`, one label), else the
// default. A name that nobody knows gets the default too, since a sender that checks nothing would rather have TLS with
// the wrong certificate than none (RFC 6066 §3 lets the server choose).

import { constants, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { type ConfiguredKey, lowerCaseAscii, type TlsProtocols } from '#stdlib';

/** A certificate and the server names it is shown for. */
export interface ServerCertificate {
  readonly key: ConfiguredKey;
  /** In lower case; `*.` stands for one label. Empty: shown when no name fits. */
  readonly names: readonly string[];
}

/**
 * What is asked of a client: nothing; a certificate, if it has one; some certificate; one that a known authority vouches
 * for.
 */
export type ClientCertificatePolicy = 'none' | 'request' | 'require' | 'verify';

/** What contexts are made of. */
export interface ServerTlsSettings {
  /** At least one. Several for the same name differ in the kind of their keys. */
  readonly certificates: readonly ServerCertificate[];
  /** TLS 1.2 and 1.3 when absent. */
  readonly protocols: TlsProtocols | undefined;
  /** In OpenSSL's syntax; the library's own when absent. */
  readonly ciphers: string | undefined;
  readonly clientCertificate: ClientCertificatePolicy;
  /** Who vouches for clients; Node's list of authorities when empty. */
  readonly authorities: readonly X509Certificate[];
}

/** What is left to the library's default unless a configuration says otherwise. */
const modernProtocols = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;

/** Binds resumed sessions to this kind of server; without it a resumption with client certificates fails. */
const sessionIdContext = 'argonite';

/** The contexts of one server under one configuration. */
export class ServerContexts {
  readonly clientCertificate: ClientCertificatePolicy;
  readonly #settings: ServerTlsSettings;
  readonly #byName = new Map<string, SecureContext>();
  readonly #fallback: SecureContext;

  /** @throws Error of OpenSSL when ciphers or keys cannot be used together */
  constructor(settings: ServerTlsSettings) {
    this.#settings = settings;
    this.clientCertificate = settings.clientCertificate;
    const keysByName = new Map<string, ConfiguredKey[]>();
    for (const { key, names } of settings.certificates)
      for (const name of names) keysByName.set(name, [...(keysByName.get(name) ?? []), key]);
    // Names that share their keys share the context: a hundred of them cost one.
    const contextByKeys = new Map<string, SecureContext>();
    const numbers = new Map<ConfiguredKey, number>();
    for (const [name, keys] of keysByName) {
      for (const key of keys) if (!numbers.has(key)) numbers.set(key, numbers.size);
      const id = keys.map((key) => numbers.get(key)).join();
      const context = contextByKeys.get(id) ?? createSecureContext(this.#options(keys));
      contextByKeys.set(id, context);
      this.#byName.set(name, context);
    }
    this.#fallback = createSecureContext(this.#options(this.#fallbackKeys));
  }

  /** For clients that name no server, or one that is not known. */
  get fallback(): SecureContext {
    return this.#fallback;
  }

  /** The context for a server name of a client; undefined when it is not known. */
  contextFor(serverName: string): SecureContext | undefined {
    if (this.#byName.size === 0) return undefined;
    const name = lowerCaseAscii(serverName);
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot === -1 ? undefined : this.#byName.get(`*${name.slice(dot)}`);
  }

  /** As node:tls wants it. */
  readonly sniCallback = (
    serverName: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): void => done(null, this.contextFor(serverName));

  /** For `https.createServer` and `setSecureContext`; together with `sniCallback` as `SNICallback`. */
  get fallbackOptions(): SecureContextOptions {
    return this.#options(this.#fallbackKeys);
  }

  get #fallbackKeys(): readonly ConfiguredKey[] {
    const { certificates } = this.#settings;
    const bare = certificates.filter(({ names }) => names.length === 0).map(({ key }) => key);
    return bare.length > 0 ? bare : certificates.slice(0, 1).map(({ key }) => key);
  }

  #options(keys: readonly ConfiguredKey[]): SecureContextOptions {
    const { protocols, ciphers, authorities, clientCertificate } = this.#settings;
    const { minVersion, maxVersion } = protocols ?? modernProtocols;
    const asksClient = clientCertificate !== 'none';
    return {
      minVersion,
      maxVersion,
      honorCipherOrder: true,
      secureOptions:
        (protocols?.secureOptions ?? 0) |
        // A client of TLS 1.2 could make us repeat the costly part of the handshake for ever.
        constants.SSL_OP_NO_RENEGOTIATION |
        // A resumed session does not hold the client's chain. Others have tickets, whose keys live as long as the context.
        (asksClient ? constants.SSL_OP_NO_TICKET : 0),
      ...(ciphers === undefined || ciphers === '' ? undefined : { ciphers }),
      // An empty list spares reading Node's authorities; nobody's certificate is looked at.
      ...(asksClient && authorities.length === 0
        ? undefined
        : { ca: authorities.map((certificate) => certificate.toString()) }),
      sessionIdContext,
      key: keys.map(({ key }) => ({ pem: key.export({ type: 'pkcs8', format: 'pem' }) })),
      cert: keys.map(({ certificates }) => certificates.map((one) => one.toString()).join('')),
    };
  }
}
