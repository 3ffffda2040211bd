// What an attempt's report says of its connection (hooks 13), and what a log line says of the report.

import type { AttemptReport, AttemptTls } from '#hooks';
import type { Connection } from './client/connection.js';
import type { Link } from './connections.js';
import type { HopAddress } from './deliverer.js';
import type { TlsDemand } from './security/demand.js';

/** `attempt.connection`. The host's name is that of the attempt: a connection may have been opened under another. */
export function describeConnection(
  { connection, facts, demand }: Link,
  { remoteMx }: HopAddress,
  localIpId: string | undefined,
): NonNullable<AttemptReport['connection']> {
  return {
    id: facts.id,
    transactions: connection.transactions,
    localIp: facts.localIp,
    ...(localIpId === undefined ? {} : { localIpId }),
    helo: facts.helo,
    remoteIp: facts.remoteIp,
    remoteMx,
    ...(connection.greeting === undefined ? {} : { remoteGreet: connection.greeting }),
    takesDsn: connection.capabilities.dsn,
    tls: describeSession(connection, demand),
  };
}

function describeSession({ tls, tlsFailure }: Connection, { tlsa, policyFailure }: TlsDemand): AttemptTls {
  const failure = tlsFailure ?? policyFailure;
  const demanded = {
    ...(failure === undefined ? {} : { tlsrpt: failure }),
    ...(tlsa === undefined ? {} : { tlsa }),
  };
  if (tls === undefined) return { isStarted: false, ...demanded };
  const [certificate, ...chain] = tls.chain;
  return {
    isStarted: true,
    protocol: tls.protocol,
    cipher: tls.cipher,
    ...(tls.keySize === undefined ? {} : { keySize: tls.keySize }),
    peer: {
      ...(certificate === undefined ? {} : { certificate }),
      chain,
      ...(tls.chainProblem === undefined ? {} : { error: tls.chainProblem }),
    },
    ...demanded,
  };
}

/** The parts of a report that a log line shows: all but the certificates. */
export function loggedReport({ result, error, connection, durationSeconds }: AttemptReport): object {
  const { tls, ...way } = connection ?? {};
  return {
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error }),
    ...(connection === undefined ? {} : { connection: way }),
    ...(tls?.isStarted === true ? { tls: `${tls.protocol ?? ''} ${tls.cipher ?? ''}` } : {}),
    ...(tls?.tlsrpt === undefined ? {} : { tlsrpt: tls.tlsrpt }),
    durationSeconds,
  };
}
