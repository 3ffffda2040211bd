// Where attempts may come from: what a transport and `Try` say about addresses of ours, put together (queue-and-config 1.4).

import { isIPv6 } from 'node:net';
import type { SourceAddress, TryOptions } from '#hooks';
import type { Transport, TransportSources } from './deliverer.js';

const anywhere: TransportSources = { ipv4: true, ipv6: true };

/** The addresses of an attempt: those of `Try`, else those of the transport. */
export function sourcesOf(
  transport: Pick<Transport, 'sources'>,
  { sources }: Pick<TryOptions, 'sources'>,
): TransportSources {
  if (sources === undefined) return transport.sources ?? anywhere;
  return {
    ipv4: sources.filter(({ ip }) => !isIPv6(ip)),
    ipv6: sources.filter(({ ip }) => isIPv6(ip)),
  };
}

/** Whether anything can be sent from a family. */
export function isUsable(sources: boolean | readonly SourceAddress[]): boolean {
  return typeof sources === 'boolean' ? sources : sources.length > 0;
}

/** The families that an attempt may use: what the next hop's addresses must be of. */
export function sourceFamilies(
  transport: Pick<Transport, 'sources'>,
  options: Pick<TryOptions, 'sources'>,
): { readonly ipv4: boolean; readonly ipv6: boolean } {
  const { ipv4, ipv6 } = sourcesOf(transport, options);
  return { ipv4: isUsable(ipv4), ipv6: isUsable(ipv6) };
}
