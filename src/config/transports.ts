// The transports: a group's settings, what a transport overrides, and smtpd-delivery.yaml over both.

import { isIP } from 'node:net';
import { ScriptFault, textToBytes } from '#lang';
import { type ConfiguredAddress, type ConfiguredKey, parseTlsProtocols } from '#stdlib';
import type { OutboundProxy } from '../delivery/client/proxy-header.js';
import { noTls, type TlsWish } from '../delivery/client/tls.js';
import type { SourceAddress, Transport, TransportSources } from '../delivery/deliverer.js';
import type { HostFilter } from '../delivery/next-hops/mail-hosts.js';
import { cipherProblem } from './ciphers.js';
import { defaults } from './defaults.js';
import { destinationSettings, retryIntervals } from './delivery-file.js';
import { withSettings } from './delivery-settings.js';
import type { ConfigDocument } from './document.js';
import { notificationProblem, notificationSettings } from './notifications.js';
import type { ConfigProblem } from './problem.js';
import type { DeliveryFile } from './schema/delivery.js';
import type { AppFile } from './schema/smtpd-app.js';
import { parseDuration } from './units.js';

type Group = NonNullable<AppFile['transportgroups']>[number];
type TlsSettings = NonNullable<NonNullable<Group['session']>['tls']>;
type SourceSettings = NonNullable<NonNullable<Group['connection']>['sourceip']>;
type ProxySettings = NonNullable<NonNullable<Group['connection']>['proxy']>;
type Settings = Pick<Group, 'connection' | 'session' | 'retry' | 'dsn'>;

function makeTransport(
  id: string,
  group: Settings,
  own: Settings,
  delivery: DeliveryFile | undefined,
  sources: TransportSources,
): Transport {
  const connection = { ...group.connection, ...own.connection };
  const session = { ...group.session, ...own.session };
  const retry = { ...group.retry, ...own.retry };
  const transport: Transport = {
    id,
    host: connection.server === undefined ? undefined : textToBytes(connection.server),
    port: connection.port ?? 25,
    lookup: connection.lookup,
    mx: mailHostFilter({ ...group.connection?.mx, ...own.connection?.mx }),
    sources,
    proxy: proxyOf({ ...group.connection?.proxy, ...own.connection?.proxy }),
    helo: session.helo,
    tls: tlsWish({ ...group.session?.tls, ...own.session?.tls }),
    credentials:
      session.saslusername === undefined
        ? undefined
        : {
            userName: textToBytes(session.saslusername),
            password: textToBytes(session.saslpassword ?? ''),
            allowsUnverified: session.saslunverified ?? false,
          },
    protocol: (session.protocol as 'smtp' | 'lmtp' | undefined) ?? 'smtp',
    connectTimeoutSeconds: defaults.connectTimeoutSeconds,
    timeouts: {},
    retryCount: retry.count ?? defaults.retryCount,
    retryIntervals: retry.intervals === undefined ? defaults.retryIntervals : retryIntervals(retry.intervals),
    retryDuringSeconds: parseDuration(retry.during),
    ...notificationSettings({ ...group.dsn, ...own.dsn }),
    pooling: { enabled: false, transactions: undefined, idleSeconds: defaults.poolIdleSeconds },
  };
  return withSettings(transport, destinationSettings(delivery?.delivery?.default ?? {}));
}

/** Half a proxy is told by `connectionProblem`. */
function proxyOf({ address, port, version }: ProxySettings): OutboundProxy | undefined {
  if (address === undefined && port === undefined && version === undefined) return undefined;
  return { ip: address ?? '', port: port ?? 0, version };
}

function tlsWish(tls: TlsSettings): TlsWish {
  return {
    mode: tls.mode ?? noTls.mode,
    isImplicit: tls.implicit,
    sni: tls.sni,
    protocols: tls.protocols,
    ciphers: tls.ciphers,
    verifiesHost: tls.verifyhost ?? false,
    verifyNames: tls.verifyname,
    usesSystemCa: tls.defaultca ?? false,
    clientCertificate: tls.clientcert,
    usesMtaSts: tls.mtasts,
  };
}

/** Takes what is wrong, with the setting that it is about. */
type Tell = (setting: readonly string[], message: string) => void;

/** What a schema cannot say about a session. */
function checkSession(session: NonNullable<Settings['session']>, tls: TlsSettings, tell: Tell): void {
  if (session.saslpassword !== undefined && session.saslusername === undefined)
    tell(['session', 'saslpassword'], 'there is a saslpassword without a saslusername');
  const strange = tls.ciphers === undefined || tls.ciphers === '' ? undefined : cipherProblem(tls.ciphers);
  if (strange !== undefined) tell(['session', 'tls', 'ciphers'], `tls.ciphers: ${strange}`);
  if (tls.protocols === undefined) return;
  try {
    parseTlsProtocols(tls.protocols, 'tls.protocols');
  } catch (error) {
    if (!(error instanceof ScriptFault)) throw error;
    tell(['session', 'tls', 'protocols'], error.message);
  }
}

/** Names are bytes. */
function mailHostFilter({ include, exclude }: HostFilter): HostFilter {
  return {
    ...(include === undefined ? {} : { include: include.map(textToBytes) }),
    ...(exclude === undefined ? {} : { exclude: exclude.map(textToBytes) }),
  };
}

/** What a schema cannot say about the way to a next hop. */
function checkConnection({ host, lookup, sources, proxy }: Transport, tell: Tell): void {
  if (lookup === 'address' && host === undefined)
    tell(
      ['connection', 'lookup'],
      'connection.lookup is "address" without a connection.server; name one, or leave lookup out for the mail hosts (MX) of the recipient\'s domain',
    );
  if (proxy !== undefined && (isIP(proxy.ip) === 0 || proxy.port === 0))
    tell(
      ['connection', 'proxy'],
      `connection.proxy needs an "address", which is an IP address, and a "port"; found ${proxy.ip === '' ? 'no address' : `"${proxy.ip}"`} and ${proxy.port === 0 ? 'no port' : `port ${proxy.port}`}`,
    );
  if (sources?.ipv4 === false && sources.ipv6 === false)
    tell(
      ['connection', 'sourceip'],
      'connection.sourceip switches off ipv4 and ipv6, so that nothing can be reached',
    );
}

/** Where a setting stands: with the transport, or with its group; the transport when both say nothing. */
function placeOfSetting(
  group: Settings,
  own: Settings,
  at: readonly (string | number)[],
  index: number,
  setting: readonly string[],
): readonly (string | number)[] {
  const stands = (settings: Settings): boolean => {
    let value: unknown = settings;
    for (const key of setting) {
      if (typeof value !== 'object' || value === null) return false;
      value = (value as Readonly<Record<string, unknown>>)[key];
    }
    return value !== undefined;
  };
  if (stands(own)) return [...at, 'transports', index, ...setting];
  return stands(group) ? [...at, ...setting] : [...at, 'transports', index, 'id'];
}

/** From where a transport sends, with what is wrong in it put on the list. */
function sourcesOf(
  { ipv4 = true, ipv6 = true }: SourceSettings,
  addresses: ReadonlyMap<string, ConfiguredAddress>,
  tellOf: Tell,
): TransportSources {
  const read = (family: 'ipv4' | 'ipv6', written: boolean | readonly string[]) => {
    const tell = (message: string): void => tellOf(['connection', 'sourceip', family], message);
    if (typeof written === 'boolean') return written;
    if (written.length === 0)
      tell(`the list connection.sourceip.${family} is empty; expected ids of addresses, or false`);
    return written.flatMap((id): SourceAddress[] => {
      const known = addresses.get(id);
      if (known === undefined)
        tell(`connection.sourceip.${family}: there is no address "${id}" in addresses`);
      else if ((isIP(known.address) === 6 ? 'ipv6' : 'ipv4') !== family)
        tell(`connection.sourceip.${family}: the address "${id}" (${known.address}) is of the other family`);
      else return [{ ip: known.address, id, helo: known.hostname }];
      return [];
    });
  };
  return { ipv4: read('ipv4', ipv4), ipv6: read('ipv6', ipv6) };
}

/** The transports by id. @returns those that are good; what is wrong is put on the list */
export function collectTransports(
  app: ConfigDocument<AppFile>,
  delivery: DeliveryFile | undefined,
  addresses: ReadonlyMap<string, ConfiguredAddress>,
  problems: ConfigProblem[],
): Map<string, Transport> {
  const transports = new Map<string, Transport>();
  const groups = app.value.transportgroups ?? [];
  groups.forEach((group, groupIndex) => {
    group.transports.forEach((own, index) => {
      const at = ['transportgroups', groupIndex, 'transports', index, 'id'];
      if (transports.has(own.id)) {
        problems.push(
          app.problemAt(
            at,
            `there are two transports with the id "${own.id}"; ids are unique over all groups`,
          ),
        );
        return;
      }
      const tell: Tell = (setting, message) =>
        problems.push(
          app.problemAt(
            placeOfSetting(group, own, ['transportgroups', groupIndex], index, setting),
            `transport "${own.id}": ${message}`,
          ),
        );
      checkSession(
        { ...group.session, ...own.session },
        { ...group.session?.tls, ...own.session?.tls },
        tell,
      );
      const unusable = notificationProblem({ ...group.dsn, ...own.dsn });
      if (unusable !== undefined) tell(['dsn', 'from'], unusable);
      const sources = sourcesOf(
        { ...group.connection?.sourceip, ...own.connection?.sourceip },
        addresses,
        tell,
      );
      const transport = makeTransport(own.id, group, own, delivery, sources);
      transports.set(own.id, transport);
      checkConnection(transport, tell);
      if (transport.tls.usesMtaSts === true && transport.tls.mode === 'disabled')
        problems.push(
          app.problemAt(
            at,
            `transport "${own.id}": tls.mtasts has no effect with tls.mode "disabled", which is the default; expected "optional" or more`,
            'warning',
          ),
        );
      if (transport.dsnTransportId === undefined) {
        problems.push(
          app.problemAt(
            at,
            `transport "${own.id}" has no dsn.transport: mail that cannot be delivered is deleted, and its senders are not told`,
            'warning',
          ),
        );
      }
    });
  });
  groups.forEach((group, groupIndex) => {
    group.transports.forEach((own, index) => {
      const id = own.dsn?.transport ?? group.dsn?.transport;
      if (id !== undefined && !transports.has(id)) {
        problems.push(
          app.problemAt(
            placeOfSetting(group, own, ['transportgroups', groupIndex], index, ['dsn', 'transport']),
            `dsn.transport names the unknown transport "${id}"`,
          ),
        );
      }
    });
  });
  return transports;
}

/** The keys that sessions show must be there, with a certificate. */
export function checkClientCertificates(
  app: ConfigDocument<AppFile>,
  keys: ReadonlyMap<string, ConfiguredKey>,
  problems: ConfigProblem[],
): void {
  const check = (settings: Settings, at: readonly (string | number)[]): void => {
    const id = settings.session?.tls?.clientcert;
    if (id === undefined) return;
    const key = keys.get(id.replace(/^pki:/, ''));
    if (key !== undefined && key.certificates.length > 0) return;
    const what = key === undefined ? 'there is no key' : 'there is no certificate with the key';
    problems.push(app.problemAt([...at, 'session', 'tls', 'clientcert'], `${what} "${id}" in pki.private`));
  };
  app.value.transportgroups?.forEach((group, groupIndex) => {
    check(group, ['transportgroups', groupIndex]);
    group.transports.forEach((own, index) => {
      check(own, ['transportgroups', groupIndex, 'transports', index]);
    });
  });
}
