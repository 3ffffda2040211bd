// What an attempt's report says of its connection (hooks 13), and what a log line says of the report.

import type { AttemptReport, AttemptTls } from '#hooks';
import type { Connection } from './client/connection.js';
import type { Link } from './connections.js';
import type { HopAddress } from './deliverer.js';
import type { Ending } from './failure.js';
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

/** Of a text by the peer that a log line shows: it may say 64 KiB, to each message. */
const MOST_LOGGED = 500;

/** The parts of a report that a log line shows: all but the certificates, and of long replies the beginning. */
export function loggedReport(report: AttemptReport): object {
  const { connection, durationSeconds } = report;
  const { tls, remoteGreet, ...way } = connection ?? {};
  const greeting = remoteGreet === undefined ? {} : { remoteGreet: beginningOf(remoteGreet) };
  return {
    ...loggedEnding(report),
    ...(connection === undefined ? {} : { connection: { ...way, ...greeting } }),
    ...(tls?.isStarted === true ? { tls: `${tls.protocol ?? ''} ${tls.cipher ?? ''}` } : {}),
    ...(tls?.tlsrpt === undefined ? {} : { tlsrpt: tls.tlsrpt }),
    seconds: Math.round(durationSeconds * 1000) / 1000,
  };
}

/** How something ended, for a log line. */
export function loggedEnding({ result, error }: Ending): object {
  return {
    ...(result === undefined ? {} : { result: { ...result, reason: beginningOf(result.reason) } }),
    ...(error === undefined ? {} : { error }),
  };
}

function beginningOf(lines: readonly string[]): readonly string[] {
  const shown: string[] = [];
  let left = MOST_LOGGED;
  for (const line of lines) {
    if (line.length > left) return [...shown, `${line.slice(0, left)}...`];
    shown.push(line);
    // An empty line takes room too.
    left -= line.length + 1;
  }
  return shown;
}
