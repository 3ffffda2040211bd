// From a transport and what Try says to a destination: a name for the queue's policies, addresses to connect to. Hosts
// come from configuration or script, so a name that leads nowhere is a slip of ours and temporary (failure.ts, rule 3).

import { isIP } from 'node:net';
import type { AttemptReport, TryOptions } from '#hooks';
import type { Destination, Transport } from './deliverer.js';
import type { Lookup } from './lookup.js';

/** Finds the next hop, or says why there is none. */
export async function resolveDestination(
  transport: Transport,
  options: TryOptions,
  lookup: Lookup,
): Promise<Destination | Pick<AttemptReport, 'error'>> {
  const host = options.host ?? transport.host;
  const port = options.port ?? transport.port;
  if (host === undefined || host === '') {
    return misconfigured(
      `transport "${transport.id}" has no host, and MX look-up is not supported yet: set connection.server, or say Try(["host" => ...])`,
    );
  }
  if (host.toLowerCase() === 'lookup-mx') {
    return misconfigured('"lookup-mx" is not supported yet: name a host or an address');
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    return misconfigured(`the port of host "${host}" must be a number from 1 to 65535, got ${port}`);
  }
  const literal = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(literal) !== 0) return { remoteMx: host, addresses: [{ ip: literal, port, remoteMx: host }] };

  const answer = await lookup(host);
  if (answer.kind === 'addresses') {
    return { remoteMx: host, addresses: answer.ips.map((ip) => ({ ip, port, remoteMx: host })) };
  }
  return {
    error: {
      temporary: true,
      type: 'dns',
      dns: answer.reason,
      message: `host "${host}" has no address: ${answer.message}`,
    },
  };
}

function misconfigured(message: string): Pick<AttemptReport, 'error'> {
  return { error: { temporary: true, type: 'config', message } };
}
