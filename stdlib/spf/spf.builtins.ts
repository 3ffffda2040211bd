// Group 10 of the library: whether a domain lets an address send for it.

import { builtin, HslArray } from '#lang';
import { resolverOf, serverKeys, serversOption, timeoutOption } from '../dns/dns.builtins.js';
import { olderName } from '../older-name.js';
import { checkSpf } from './check-spf.js';

const spfQuery = builtin({
  name: 'spf_query',
  group: 'dns',
  summary: 'Checks whether the domain of a sender allows an address to send for it (SPF).',
  details: [
    'Gives `["result" => text]`: none (no policy), neutral, pass, fail, softfail, temperror (a look-up failed: ask again later),',
    'permerror (the policy is broken), invalid (`ip` is no address). A null sender ("" or "<>") is checked as',
    'postmaster at the HELO name. At most 10 terms of a policy may look something up, and 2 of them in vain.',
  ].join('\n'),
  params: [
    { name: 'ip', type: 'string', doc: 'The address of the client.' },
    { name: 'helo', type: 'string', doc: 'The name it gave in HELO or EHLO.' },
    { name: 'sender', type: 'string', doc: 'The address of MAIL FROM, or its domain.' },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        timeout: { type: 'number', default: 20, doc: 'Seconds for all look-ups together.' },
        ...serverKeys,
      },
    },
  ],
  returns: 'array',
  errors: 'The results temperror, permerror and invalid.',
  since: '5.1',
  example:
    'spf_query("192.0.2.1", "mx.example.com", "ann@example.com")  // {"result":"pass"}\nspf_query("203.0.113.9", "mx.example.com", "example.com")  // {"result":"fail"}',
  source: 'stdlib 10, RFC 7208',
  suspends: true,
  run: async (ip, helo, sender, options, ctx) => {
    const verdict = await checkSpf({ ip, helo, sender }, resolverOf('spf_query', ctx), {
      timeoutSeconds: timeoutOption('spf_query', options.timeout),
      servers: serversOption('spf_query', options.servers, options.port),
      signal: ctx.signal,
    });
    return HslArray.fromRecord({ result: verdict.result });
  },
});

/** Group 10, SPF. */
export const spf = [spfQuery, olderName('spf', spfQuery)];
