// Which connections a staged configuration is for (queue-and-config 9.1): within one kind of condition any may fit, between
// kinds all must. What depends on time and number is the stage's affair.

import { addressToBytes, isInNetwork, type Network, parseNetwork } from '#stdlib';

/** The conditions of a deployment, spelled as its callers spell them; what is absent restricts nothing. */
export interface StageConditions {
  /** Addresses and networks of clients, `first-last` too. */
  readonly remoteips?: readonly string[];
  /** Ids of servers. */
  readonly serverids?: readonly string[];
  /** Share of the connections that fit otherwise, 0 to 1. */
  readonly probability?: number;
  /** Seconds until it ends. */
  readonly time?: number;
  /** Connections at most. */
  readonly count?: number;
}

/** What is known of a connection when it is decided on. */
export interface ConnectionOrigin {
  readonly serverId: string;
  readonly remoteIp: string;
}

/** Whether a connection is one that a staged configuration is for. */
export type Traffic = (connection: ConnectionOrigin) => boolean;

/** Checks the conditions. @returns what they mean, or a sentence for each thing that is wrong */
export function readTraffic(
  { remoteips, serverids, probability, time, count }: StageConditions,
  knownServers: readonly string[],
): { readonly traffic: Traffic } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const networks = readNetworks(remoteips, problems);
  for (const id of serverids ?? []) {
    if (knownServers.includes(id)) continue;
    problems.push(
      `serverids: there is no server ${JSON.stringify(id)}; expected ${knownServers.map((known) => JSON.stringify(known)).join(', ')}`,
    );
  }
  if (probability !== undefined && !(probability >= 0 && probability <= 1))
    problems.push(`probability: found ${probability}; expected a number from 0 to 1`);
  if (time !== undefined && !(Number.isFinite(time) && time > 0))
    problems.push(`time: found ${time}; expected seconds, more than 0`);
  if (count !== undefined && !(Number.isInteger(count) && count > 0))
    problems.push(`count: found ${count}; expected a whole number of connections, at least 1`);
  if (problems.length > 0) return { problems };
  // An empty list says the same as none: the callers' wire formats cannot tell them apart.
  const servers = serverids === undefined || serverids.length === 0 ? undefined : new Set(serverids);
  return {
    traffic: ({ serverId, remoteIp }) =>
      (servers === undefined || servers.has(serverId)) &&
      (networks === undefined || isInside(networks, remoteIp)),
  };
}

function readNetworks(
  written: readonly string[] | undefined,
  problems: string[],
): readonly Network[] | undefined {
  if (written === undefined || written.length === 0) return undefined;
  return written.flatMap((text) => {
    const network = parseNetwork(text);
    if (network !== undefined) return network;
    problems.push(
      `remoteips: found ${JSON.stringify(text)}; expected an address or a network such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1-192.0.2.9`,
    );
    return [];
  });
}

function isInside(networks: readonly Network[], remoteIp: string): boolean {
  const address = addressToBytes(remoteIp);
  return address !== undefined && networks.some((network) => isInNetwork(network, address));
}
