// What TLS a host must offer, asked right before it is connected to, as both clients do: a demand, or the trouble that it is not
// to be talked to. How sessions began is told for TLS reports.

import type { Trouble } from './client/trouble.js';
import type { Link } from './connections.js';
import type { HostQuestion, TlsDemand } from './security/demand.js';
import { TransportSecurity } from './security/transport-security.js';

/** The part of `TransportSecurity` that a client uses. */
export type HostSecurity = Pick<TransportSecurity, 'decide' | 'record'>;

/** For whoever has no resolver and no policies: the modes by themselves, and nothing is taken for DANE. */
export const securityByModes: HostSecurity = new TransportSecurity({ resolver: () => undefined });

/** Asks what is demanded of a host. */
export async function demandOn(
  security: HostSecurity,
  question: HostQuestion,
  ip: string,
  signal: AbortSignal,
): Promise<TlsDemand | Trouble> {
  const decision = await security.decide(question, signal);
  if (decision.kind === 'demand') return decision.demand;
  const { message, failure, policy } = decision;
  // A host that is not talked to for want of an answer is no session that failed.
  if (failure !== undefined)
    security.record(policy, { failure, reason: message, mxHost: question.host, receivingIp: ip });
  return { kind: 'tls', state: 'BANNER', cause: 'not-tried', message, unmet: decision };
}

/** Counts for TLS reports how a session with a host began, or that it did not (RFC 8460). */
export function recordSession(
  security: HostSecurity,
  { connection, demand }: Pick<Link, 'connection' | 'demand'>,
  mxHost: string,
): void {
  const { tls, tlsFailure = demand.policyFailure } = connection;
  if (demand.policy === undefined || (tls === undefined && tlsFailure === undefined)) return;
  security.record(demand.policy, {
    failure: tlsFailure,
    mxHost,
    mxHelo: connection.greeting?.[0]?.split(' ', 1)[0],
    sendingIp: connection.localIp,
    receivingIp: connection.remoteIp,
  });
}
