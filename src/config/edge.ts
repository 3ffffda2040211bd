// The edge of connections, from both files: listeners and whom they trust, TLS, how many clients may come.

import type { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { ScriptFault, textToBytes } from '#lang';
import { type ConfiguredKey, domainToAscii, isDomain, parseTlsProtocols, type TlsProtocols } from '#stdlib';
import type { AdmissionLimits, ConnectionRate, NetworkLimit } from '../smtp/edge/admission.js';
import {
  type ServerCertificate,
  ServerContexts,
  type ServerTlsSettings,
} from '../smtp/tls/server-contexts.js';
import { cipherProblem } from './ciphers.js';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { SmtpdFile } from './schema/smtpd.js';
import type { AppFile } from './schema/smtpd-app.js';
import type { ConfiguredServer } from './submission.js';
import { parseDuration } from './units.js';

/** Where a server listens, and whom it trusts there. Plain data: what changes in it needs a restart. */
export interface ListenerSettings {
  readonly address: string | undefined;
  /** Undefined for a UNIX socket. */
  readonly port: number | undefined;
  readonly backlog: number | undefined;
  readonly id: string | undefined;
  readonly path: string | undefined;
  readonly mode: number | undefined;
  /** Networks whose PROXY headers are believed. */
  readonly proxies: readonly string[];
  /** Networks whose XCLIENT is. */
  readonly xclients: readonly string[];
}

/** What a reload may change of it. */
export interface EdgeSettings {
  readonly tls: ServerTlsSettings | undefined;
  /** Ids of listeners that begin with TLS. */
  readonly implicitTls: ReadonlySet<string>;
  readonly bannerDelaySeconds: number;
  readonly admission: AdmissionLimits;
}

/** What names in it stand for. */
export interface EdgeNames {
  readonly keys: ReadonlyMap<string, ConfiguredKey>;
  readonly authorities: ReadonlyMap<string, readonly X509Certificate[]>;
  /** Relative paths begin here. */
  readonly folder: string;
}

type Place = readonly (string | number)[];
type TlsSection = NonNullable<ConfiguredServer['app']['tls']>;
type CertificateSection = Exclude<NonNullable<TlsSection['certs']>, readonly unknown[]>;

/** The listeners of a server. */
export function listenerSettings(
  smtpd: ConfigDocument<SmtpdFile>,
  { start, startIndex }: ConfiguredServer,
  { folder }: EdgeNames,
  problems: ConfigProblem[],
): ListenerSettings[] {
  const ids = new Set<string>();
  return (start.listeners ?? []).map((listener, index) => {
    const at: Place = ['servers', startIndex, 'listeners', index];
    const { address, port, backlog, id, path: socket, chmod } = listener;
    const tell = (where: Place, message: string, severity?: 'warning') =>
      problems.push(smtpd.problemAt([...at, ...where], message, severity));
    if ((port === undefined) === (socket === undefined))
      tell(
        [],
        `found ${port === undefined ? 'neither "port" nor "path"' : 'both "port" and "path"'}; expected one of them`,
      );
    if (socket !== undefined && address !== undefined)
      tell(['address'], 'a UNIX socket has no address; remove "address" or "path"');
    if (socket === undefined && chmod !== undefined)
      tell(['chmod'], 'only UNIX sockets ("path") have permissions');
    if (id !== undefined && ids.has(id)) tell(['id'], `there are two listeners with the id "${id}"`);
    if (id !== undefined) ids.add(id);
    const proxies = listener.proxyprotocol ?? start.proxyprotocol ?? [];
    const xclients = listener.xclient ?? start.xclient ?? [];
    for (const [what, list] of [
      ['proxyprotocol', proxies],
      ['xclient', xclients],
    ] as const)
      if (list.some((network) => /\/0$/.test(network)))
        tell([], `"${what}" trusts everybody: any client may say that it is another one`, 'warning');
    return {
      address,
      port,
      backlog,
      id,
      path: socket === undefined ? undefined : path.resolve(folder, socket),
      mode: chmod === undefined ? undefined : Number.parseInt(chmod, 8),
      proxies,
      xclients,
    };
  });
}

/** What may change while the server runs. */
export function edgeSettings(
  app: ConfigDocument<AppFile>,
  server: ConfiguredServer,
  names: EdgeNames,
  problems: ConfigProblem[],
): EdgeSettings {
  const { concurrency = {}, banner = {} } = server.app;
  const { networks } = concurrency;
  return {
    tls: tlsSettings(app, server, names, problems),
    implicitTls: new Set(server.app.tls?.enabled === false ? [] : server.app.tls?.implicit),
    bannerDelaySeconds: parseDuration(banner.delay) ?? 0,
    admission: {
      connections: concurrency.total ?? 0,
      connectionsPerIp: concurrency.ip ?? 0,
      connectionsPerNetwork: typeof networks === 'number' ? networks : 0,
      networks: typeof networks === 'object' ? networks.map(networkLimit) : [],
      ratePerIp: connectionRate(concurrency.rate),
    },
  };
}

function networkLimit({
  network,
  total = 0,
  ip = 0,
}: {
  network: string;
  total?: number;
  ip?: number;
}): NetworkLimit {
  return { network, connections: total, connectionsPerIp: ip };
}

/** The schema has checked its form. */
function connectionRate(text: string | undefined): ConnectionRate | undefined {
  if (text === undefined) return undefined;
  const [count, seconds] = text.split('/').map(Number);
  return { count: count!, seconds: seconds! };
}

function tlsSettings(
  app: ConfigDocument<AppFile>,
  { start, app: server, appIndex }: ConfiguredServer,
  { keys, authorities }: EdgeNames,
  problems: ConfigProblem[],
): ServerTlsSettings | undefined {
  const { tls } = server;
  const at: Place = ['servers', appIndex, 'tls'];
  const tell = (where: Place, message: string) => problems.push(app.problemAt([...at, ...where], message));
  const isHttps = start.type === 'https';
  if (tls === undefined || (tls.enabled === false && !isHttps)) return undefined;
  const listeners = new Set((start.listeners ?? []).flatMap(({ id }) => id ?? []));
  tls.implicit?.forEach((id, index) => {
    if (!listeners.has(id))
      tell(['implicit', index], `server "${server.id}" has no listener with the id "${id}" in smtpd.yaml`);
  });
  const before = problems.length;
  const isList = Array.isArray(tls.certs);
  const certificates = sectionsOf(tls.certs).map((section, index) =>
    serverCertificate(section, keys, (where, message) =>
      tell(['certs', ...(isList ? [index] : []), ...where], message),
    ),
  );
  if (certificates.length === 0) tell([], 'there is no certificate to show; name one in "certs"');
  checkKinds(
    certificates.flatMap((one) => one ?? []),
    (message) => tell(['certs'], message),
  );
  const settings: ServerTlsSettings = {
    certificates: certificates.flatMap((one) => one ?? []),
    protocols: protocolsOf(tls.protocols, (message) => tell(['protocols'], message)),
    ciphers: tls.ciphers,
    clientCertificate: (tls.clientcert as ServerTlsSettings['clientCertificate'] | undefined) ?? 'none',
    authorities: clientAuthorities(tls.clientca, authorities, (index, message) =>
      tell(['clientca', index], message),
    ),
  };
  const strange = tls.ciphers === undefined ? undefined : cipherProblem(tls.ciphers);
  if (strange !== undefined) tell(['ciphers'], strange);
  if (problems.length === before && !canBeSetUp(settings))
    tell([], 'TLS cannot be set up with these certificates, protocols and ciphers together');
  return settings;
}

function sectionsOf(certs: TlsSection['certs']): readonly CertificateSection[] {
  if (certs === undefined) return [];
  return Array.isArray(certs) ? certs : [certs];
}

function serverCertificate(
  { cert, sni = [] }: CertificateSection,
  keys: ReadonlyMap<string, ConfiguredKey>,
  tell: (where: Place, message: string) => void,
): ServerCertificate | undefined {
  const names = (typeof sni === 'string' ? [sni] : sni).map((name) => {
    const isWild = name.startsWith('*.');
    const ascii = domainToAscii(textToBytes(isWild ? name.slice(2) : name))?.toLowerCase();
    if (ascii === undefined || !isDomain(ascii) || ascii.startsWith('['))
      tell(['sni'], `found "${name}"; expected a server name, or "*." and a domain`);
    return `${isWild ? '*.' : ''}${ascii ?? name}`;
  });
  const key = keys.get(cert.replace(/^pki:/, ''));
  if (key !== undefined && key.certificates.length > 0) return { key, names };
  const what = key === undefined ? 'there is no key' : 'there is no certificate with the key';
  tell(['cert'], `${what} "${cert}" in pki.private`);
  return undefined;
}

/** OpenSSL keeps one certificate of each kind, and would take the last one without a word. */
function checkKinds(certificates: readonly ServerCertificate[], tell: (message: string) => void): void {
  const seen = new Set<string>();
  for (const { key, names } of certificates) {
    const kind = key.key.asymmetricKeyType ?? 'unknown';
    for (const name of names.length === 0 ? [''] : names) {
      const where = name === '' ? 'without "sni"' : `for "${name}"`;
      if (seen.has(`${kind} ${name}`))
        tell(`there are two certificates ${where} with keys of the same kind (${kind})`);
      seen.add(`${kind} ${name}`);
    }
  }
}

function protocolsOf(text: string | undefined, tell: (message: string) => void): TlsProtocols | undefined {
  if (text === undefined) return undefined;
  try {
    return parseTlsProtocols(text, 'protocols');
  } catch (error) {
    if (!(error instanceof ScriptFault)) throw error;
    tell(error.message);
    return undefined;
  }
}

function clientAuthorities(
  ids: readonly string[] | undefined,
  authorities: ReadonlyMap<string, readonly X509Certificate[]>,
  tell: (index: number, message: string) => void,
): readonly X509Certificate[] {
  if (ids === undefined) return [...authorities.values()].flat();
  return ids.flatMap((id, index) => {
    const found = authorities.get(id.replace(/^pki:/, ''));
    if (found === undefined) tell(index, `there are no authorities with the id "${id}" in pki.ca`);
    return found ?? [];
  });
}

function canBeSetUp(settings: ServerTlsSettings): boolean {
  try {
    new ServerContexts(settings);
    return true;
  } catch {
    return false;
  }
}
