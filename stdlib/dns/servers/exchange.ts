// What comes of sending one query to one server, by whatever transport.

import type { Query } from '../wire/query-packet.js';
import type { ReadResponse, Response } from '../wire/response.js';
import type { ServerAddress } from './server-address.js';

export interface ExchangeRequest {
  readonly server: ServerAddress;
  readonly query: Query;
  readonly bytes: Buffer;
  /** The name must come back letter for letter. */
  readonly sameCase: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * `silent`: nothing usable came in time. `unreachable`: there is nobody. `broken`: an answer that cannot be read.
 * `flooded`: so many wrong answers came that somebody may be guessing the right one.
 */
export type Exchange = Response | 'silent' | 'unreachable' | 'broken' | 'flooded';

/** Whether something was read that answers the query. */
export function isResponse(result: Exchange | ReadResponse): result is Response {
  return typeof result === 'object';
}
