// L, ResolverQuery: where mail for a domain would go (control-api 7).

import type { HopAnswer, HopQuery } from '../../delivery/next-hops/query.js';
import { tlsaText } from '../../delivery/security/dane/tlsa.js';
import { type Caller, ControlError, type Operation } from '../operation.js';

/** `ResolverQueryRequest`. */
interface ResolverQueryRequest {
  readonly host?: string;
  readonly seed?: string;
  readonly retry?: number;
  readonly port?: number;
}

/** Finds the next hop of a transaction, with what DNS says of its certificates. */
export function resolverQuery(
  nextHop: (query: HopQuery, signal: AbortSignal) => Promise<HopAnswer>,
): Operation<ResolverQueryRequest> {
  return {
    async run({ host = '', seed = '', retry = 0, port = 0 }, { signal }: Caller) {
      if (host === '') throw new ControlError('no host is given; expected the domain of a recipient');
      if (port > 65535) throw new ControlError(`there is no port ${port}; expected 1 to 65535`);
      const answer = await nextHop({ host, seed, retry, port: port === 0 ? undefined : port }, signal);
      if (answer.kind === 'none') throw new ControlError(answer.error.message);
      const { chosen, candidates, tlsa } = answer;
      return {
        address: chosen.ip,
        hostname: chosen.remoteMx,
        dnssec: chosen.isSecure ?? false,
        tlsa: tlsa.kind === 'records' ? tlsa.records.map(tlsaText) : [],
        ...(tlsa.kind === 'records' ? {} : { tlsaerror: tlsa.kind === 'none' ? tlsa.why : tlsa.message }),
        candidates: candidates.map(({ ip, remoteMx, preference }) => ({
          address: ip,
          hostname: remoteMx,
          ...(preference === undefined ? {} : { preference }),
        })),
      };
    },
  };
}
