// Where a message is to go: what Try says, over what the transport says, over the recipient's domain (hooks 12.1,
// queue-and-config 8.4). The scripts' client in line describes servers in the same words.

import { printable } from '../../log/printable.js';
import type { Transport } from '../deliverer.js';
import type { Ending } from '../failure.js';
import { misconfigured } from './failures.js';
import type { Route } from './find-destination.js';
import { bothFamilies, type Families } from './host-addresses.js';

/** What a transport says about it. */
type Place = Pick<Transport, 'host' | 'port' | 'lookup' | 'mx'>;

/** What a script may want different. */
export interface RouteWish {
  /** A host, an address, or `lookup-mx`. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Whose mail hosts, where mail hosts are looked up. */
  readonly domain?: string | undefined;
  readonly mxInclude?: readonly string[] | undefined;
  readonly mxExclude?: readonly string[] | undefined;
}

const nowhere: Place = { host: undefined, port: 25 };

/** The route; `families` are those we send from. */
export function routeOf(
  place: Place = nowhere,
  wish: RouteWish,
  recipientDomain: string | undefined,
  families: Families = bothFamilies,
): Route | Ending {
  const host = wish.host ?? place.host;
  const port = wish.port ?? place.port;
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    return misconfigured(
      `the port of ${host === undefined ? 'the mail hosts' : `host "${printable(host, 80)}"`} must be a number from 1 to 65535, got ${port}`,
    );
  const common = {
    port,
    filter: { include: wish.mxInclude ?? place.mx?.include, exclude: wish.mxExclude ?? place.mx?.exclude },
    families,
  };
  if (host === undefined || host === '' || host.toLowerCase() === 'lookup-mx')
    return { ...common, domain: wish.domain ?? recipientDomain };
  // A smart host that has mail hosts itself.
  if (wish.host === undefined && place.lookup === 'mx') return { ...common, domain: wish.domain ?? host };
  return { ...common, host };
}
