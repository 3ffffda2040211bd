// The servers of the process as scripts see them, from group 12.

import { builtin, ScriptFault } from '#lang';
import { parseNetwork } from '../network-values/networks.js';
import { servicesOf } from '../services.js';

export const serverConcurrency = builtin({
  name: 'server_concurrency',
  group: 'queue',
  summary: 'Counts the connections that a server has at the moment.',
  details:
    'What counts is the address that a connection came from: behind a proxy that is the client (PROXY protocol); what scripts and ' +
    'XCLIENT say about it changes nothing.',
  params: [
    { name: 'serverid', type: 'string', doc: 'Id of the server in the configuration.' },
    {
      name: 'address',
      type: 'string|none',
      default: null,
      doc: 'Only those from this address or network (`address/bits`, `first-last`).',
    },
  ],
  returns: 'number|none',
  errors:
    'None when there is no such server (in `hsh` there is none); an exception when the address is none.',
  example: 'server_concurrency("in", "192.0.2.0/24")  // 2\nserver_concurrency("in")  // 3',
  since: 'later than 5.5',
  source: 'stdlib 12',
  run: (serverid, address, ctx) => {
    if (typeof address === 'string' && parseNetwork(address) === undefined)
      throw new ScriptFault(
        `server_concurrency: argument 2 (address) is "${address.slice(0, 80)}"; expected an address or a network`,
      );
    return servicesOf(ctx).servers?.connections(serverid, address ?? undefined) ?? null;
  },
});

export const servers = [serverConcurrency];
