// The TLS options that scripts write, wherever they write them (TLSSocket, http, LDAP, the SMTP client): parsed and checked
// here, made into a secure context once per combination.

import { constants, type X509Certificate } from 'node:crypto';
import { checkServerIdentity, createSecureContext, type SecureContext } from 'node:tls';
import { ScriptFault } from '#lang';
import type { ConfiguredKey } from '../configured.js';
import { systemTrust } from './trust.js';

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type TlsVersion = (typeof VERSIONS)[number];

/** Which versions a handshake may end with. */
export interface TlsProtocols {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** SSL_OP_NO_* bits for versions between the two that are not wanted. */
  readonly secureOptions: number;
}

const NO_VERSION: Readonly<Record<TlsVersion, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/** A version as people write it; `SSLv2` and `SSLv3` are known, and never there. */
function versionOf(word: string): TlsVersion | 'gone' | undefined {
  const lower = word.toLowerCase();
  if (lower === 'sslv2' || lower === 'sslv3') return 'gone';
  const found = VERSIONS.find((version) => version.toLowerCase() === lower);
  return found ?? (lower === 'tlsv1.0' ? 'TLSv1' : undefined);
}

/**
 * Parses `tls_protocols`: names joined by commas, spaces or colons. `!NAME` (or `-NAME`) leaves one out of all; names alone
 * are those that may be used. OpenSSL no longer has SSLv2 and SSLv3: they may be named, and are never used.
 * @throws ScriptFault naming `where` for a word it does not know, or when nothing is left
 */
export function parseTlsProtocols(text: string, where: string): TlsProtocols | undefined {
  const words = text.split(/[\s,:]+/).filter((word) => word !== '');
  if (words.length === 0) return undefined;
  const named = new Set<TlsVersion>();
  const refused = new Set<TlsVersion>();
  let namesSome = false;
  for (const word of words) {
    const isRefused = /^[!-]/.test(word);
    const version = versionOf(word.replace(/^[!+-]/, ''));
    if (version === undefined)
      throw new ScriptFault(
        `${where}: "${word.slice(0, 40)}" is no protocol; expected SSLv2, SSLv3, ${VERSIONS.join(', ')}, each with ! to refuse it`,
      );
    if (!isRefused) namesSome = true;
    if (version !== 'gone') (isRefused ? refused : named).add(version);
  }
  const allowed = VERSIONS.filter((version) => !refused.has(version) && (!namesSome || named.has(version)));
  const minVersion = allowed[0];
  const maxVersion = allowed.at(-1);
  if (minVersion === undefined || maxVersion === undefined)
    throw new ScriptFault(
      `${where}: "${text.slice(0, 80)}" leaves no protocol; expected at least one of ${VERSIONS.join(', ')}`,
    );
  const between = VERSIONS.slice(VERSIONS.indexOf(minVersion), VERSIONS.indexOf(maxVersion));
  const secureOptions = between
    .filter((version) => !allowed.includes(version))
    .reduce((bits, version) => bits | NO_VERSION[version], 0);
  return { minVersion, maxVersion, secureOptions };
}

/** What a secure context is made of. */
export interface TlsChoice {
  readonly protocols?: TlsProtocols | undefined;
  /** In OpenSSL's syntax. */
  readonly ciphers?: string | undefined;
  /** Trust the system's certificates instead of Node's. */
  readonly usesSystemCa: boolean;
  /** What we show when asked who we are. */
  readonly clientKey?: ConfiguredKey | undefined;
}

const MOST_CONTEXTS = 64;
const contexts = new Map<string, SecureContext>();
const keyNumbers = new WeakMap<object, number>();
let nextKeyNumber = 1;

/** Tells two keys apart without showing anything of them. */
function keyNumber({ key }: ConfiguredKey): number {
  let number = keyNumbers.get(key);
  if (number === undefined) {
    number = nextKeyNumber++;
    keyNumbers.set(key, number);
  }
  return number;
}

/** The same text for the same choice: what may share connections. */
export function tlsChoiceId({ protocols, ciphers, usesSystemCa, clientKey }: TlsChoice): string {
  return JSON.stringify([
    protocols?.minVersion,
    protocols?.maxVersion,
    protocols?.secureOptions,
    ciphers,
    usesSystemCa ? (systemTrust()?.version ?? 'none') : 'node',
    clientKey === undefined ? 0 : keyNumber(clientKey),
  ]);
}

/**
 * A secure context for a choice, made once: reading a bundle of authorities takes milliseconds.
 * @throws ScriptFault naming `where` when OpenSSL refuses the ciphers or the key
 */
export function secureContextOf(choice: TlsChoice, where: string): SecureContext {
  const id = tlsChoiceId(choice);
  const known = contexts.get(id);
  if (known !== undefined) return known;
  const { protocols, ciphers, usesSystemCa, clientKey } = choice;
  const trust = usesSystemCa ? systemTrust() : undefined;
  let made: SecureContext;
  try {
    made = createSecureContext({
      ...protocols,
      ...(ciphers !== undefined && { ciphers }),
      ...(trust !== undefined && { ca: trust.pem }),
      ...(clientKey !== undefined && {
        key: clientKey.key.export({ type: 'pkcs8', format: 'pem' }),
        cert: clientKey.certificates.map((certificate) => certificate.toString()).join(''),
      }),
    });
  } catch {
    // OpenSSL's text could name parts of the key.
    if (ciphers !== undefined && isRefused({ ciphers }))
      throw new ScriptFault(
        `${where}: "${ciphers.slice(0, 80)}" names no cipher that OpenSSL knows; expected its cipher list format`,
      );
    throw new ScriptFault(
      `${where}: the certificate and the key of tls_client_cert do not belong together or cannot be used`,
    );
  }
  if (contexts.size >= MOST_CONTEXTS) contexts.delete(contexts.keys().next().value!);
  contexts.set(id, made);
  return made;
}

function isRefused(options: { ciphers: string }): boolean {
  try {
    createSecureContext(options);
    return false;
  } catch {
    return true;
  }
}

/** Whether a certificate is for one of the names (RFC 6125, as Node checks it for HTTPS). */
export function isCertificateFor(names: readonly string[], certificate: X509Certificate): boolean {
  const described = certificate.toLegacyObject();
  return names.some((name) => checkServerIdentity(name, described) === undefined);
}
