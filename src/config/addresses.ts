// The addresses that scripts and transports name (queue-and-config 8.4).

import { type ConfiguredAddress, isIpAddress } from '#stdlib';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { AppFile } from './schema/smtpd-app.js';

/** The addresses by id, with what is wrong in them put on the list. */
export function collectAddresses(
  app: ConfigDocument<AppFile>,
  problems: ConfigProblem[],
): ReadonlyMap<string, ConfiguredAddress> {
  const addresses = new Map<string, ConfiguredAddress>();
  app.value.addresses?.forEach(({ id, address, hostname }, index) => {
    if (addresses.has(id))
      problems.push(app.problemAt(['addresses', index, 'id'], `there are two addresses with the id "${id}"`));
    if (!isIpAddress(address))
      problems.push(
        app.problemAt(['addresses', index, 'address'], `found "${address}"; expected an IP address`),
      );
    addresses.set(id, { address, hostname });
  });
  return addresses;
}
