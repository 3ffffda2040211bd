// T, ConnectionList: who is connected to the servers.

import { bytesToText } from '#lang';
import type { Operation } from '../operation.js';

/** A client of a server. Its words are bytes. */
export interface InboundConnection {
  readonly id: string;
  readonly serverId: string;
  readonly remoteIp: string;
  readonly helo?: string | undefined;
  readonly saslUsername?: string | undefined;
  readonly isSecure: boolean;
  readonly seconds: number;
  readonly messages: number;
}

/** `ConnectionListRequest`. */
interface ConnectionListRequest {
  readonly serverids: readonly string[];
}

/** Lists the clients of all servers, or of some. */
export function connectionList(
  connections: (serverIds: readonly string[]) => Iterable<InboundConnection>,
): Operation<ConnectionListRequest> {
  return {
    run: ({ serverids }) => ({
      connections: [...connections(serverids)].map(
        ({ id, serverId, remoteIp, helo, saslUsername, isSecure, seconds, messages }) => ({
          id,
          serverid: serverId,
          remoteip: remoteIp,
          ...(helo === undefined ? undefined : { helo: bytesToText(helo) }),
          ...(saslUsername === undefined ? undefined : { saslusername: bytesToText(saslUsername) }),
          tls: isSecure,
          duration: seconds,
          messages,
        }),
      ),
    }),
  };
}
