// The transports: a group's settings, what a transport overrides, and smtpd-delivery.yaml over both.

import { ScriptFault, textToBytes } from '#lang';
import { type ConfiguredKey, parseTlsProtocols } from '#stdlib';
import { noTls, type TlsWish } from '../delivery/client/tls.js';
import type { Transport } from '../delivery/deliverer.js';
import { defaults } from './defaults.js';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { DeliveryFile } from './schema/policies.js';
import type { AppFile } from './schema/smtpd-app.js';
import { parseDuration } from './units.js';

type Group = NonNullable<AppFile['transportgroups']>[number];
type TlsSettings = NonNullable<NonNullable<Group['session']>['tls']>;
type Settings = Pick<Group, 'connection' | 'session' | 'retry' | 'dsn'>;

function makeTransport(
  id: string,
  group: Settings,
  own: Settings,
  delivery: DeliveryFile | undefined,
): Transport {
  const connection = { ...group.connection, ...own.connection };
  const session = { ...group.session, ...own.session };
  const perDestination = delivery?.delivery?.default;
  const retry = { ...group.retry, ...own.retry, ...perDestination?.retry };
  const pooling = perDestination?.pooling;
  const during = parseDuration(retry.during);
  return {
    id,
    host: connection.server,
    port: connection.port ?? 25,
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
    connectTimeoutSeconds: parseDuration(perDestination?.timeout?.connect) ?? defaults.connectTimeoutSeconds,
    timeouts: Object.fromEntries(
      Object.entries(perDestination?.timeout?.smtp ?? {}).map(([state, value]) => [
        state,
        parseDuration(value) ?? 0,
      ]),
    ),
    retryCount: retry.count ?? defaults.retryCount,
    retryIntervals:
      retry.intervals?.map(({ interval, notify }) => ({
        seconds: parseDuration(interval) ?? 0,
        notify: notify ?? false,
      })) ?? defaults.retryIntervals,
    retryDuringSeconds: during,
    dsnTransportId: own.dsn?.transport ?? group.dsn?.transport,
    pooling: {
      enabled: pooling?.enabled ?? false,
      transactions: pooling?.transactions,
      idleSeconds: parseDuration(pooling?.timeout) ?? defaults.poolIdleSeconds,
    },
  };
}

function tlsWish(tls: TlsSettings): TlsWish {
  return {
    mode: tls.mode ?? noTls.mode,
    sni: tls.sni,
    protocols: tls.protocols,
    ciphers: tls.ciphers,
    verifiesHost: tls.verifyhost ?? false,
    verifyNames: tls.verifyname,
    usesSystemCa: tls.defaultca ?? false,
    clientCertificate: tls.clientcert,
  };
}

/** What a schema cannot say about a session. */
function sessionProblem(session: NonNullable<Settings['session']>): string | undefined {
  if (session.saslpassword !== undefined && session.saslusername === undefined)
    return 'there is a saslpassword without a saslusername';
  if (session.tls?.protocols === undefined) return undefined;
  try {
    parseTlsProtocols(session.tls.protocols, 'tls.protocols');
    return undefined;
  } catch (error) {
    if (!(error instanceof ScriptFault)) throw error;
    return error.message;
  }
}

export function collectTransports(
  app: ConfigDocument<AppFile>,
  delivery: DeliveryFile | undefined,
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
      const wrong = sessionProblem({ ...group.session, ...own.session });
      if (wrong !== undefined) problems.push(app.problemAt(at, `transport "${own.id}": ${wrong}`));
      const transport = makeTransport(own.id, group, own, delivery);
      transports.set(own.id, transport);
      if (transport.host === undefined) {
        problems.push(
          app.problemAt(
            at,
            `transport "${own.id}" has no connection.server, and MX look-up is not supported yet: its mail waits unless a script's Try names a host`,
            'warning',
          ),
        );
      }
      if (transport.dsnTransportId === undefined) {
        problems.push(
          app.problemAt(
            at,
            `transport "${own.id}" has no dsn.transport: senders will not be told of failures (for now such mail is put on hold)`,
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
            ['transportgroups', groupIndex, 'transports', index],
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
