// Group 10 of the library, first part: questions to the domain name system.

import { isIP } from 'node:net';
import { builtin, type CallContext, HslArray, ScriptFault, type Value } from '#lang';
import { servicesOf } from '../services.js';
import { listedName } from './blocklists.js';
import { recordTypes } from './record-types.js';
import { answerToValue, recordsSize, recordText } from './record-values.js';
import type { DnsAnswer, Question, RecordType, Resolver } from './resolver.js';

const source = 'stdlib 10, RFC 1035';

/** The options that say whom to ask, and for how long. */
export const serverKeys = {
  servers: {
    type: 'array',
    doc: 'IP addresses of servers to ask instead of the configured ones; their answers are not remembered.',
  },
  port: { type: 'number', default: 53, doc: 'Port of `servers`.' },
} as const;

const timeout = { type: 'number', default: 5, doc: 'Seconds for the whole question.' } as const;
const extendedResult = {
  type: 'boolean',
  default: false,
  doc: 'Give each record as an array of `ttl` and its fields.',
} as const;

/** What the options say. @throws ScriptFault for what no server can have */
export function serversOption(
  name: string,
  servers: HslArray | undefined,
  port: number,
): Pick<Question, 'servers' | 'port'> {
  if (servers === undefined || servers.length === 0) return {};
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new ScriptFault(`${name}: the option "port" must be a whole number from 1 to 65535, got ${port}`);
  const ips = servers.toList().map((server) => {
    if (typeof server !== 'string' || isIP(server) === 0) {
      const found = typeof server === 'string' ? `"${server}"` : typeof server;
      throw new ScriptFault(`${name}: the option "servers" must hold IP addresses, got ${found}`);
    }
    return server;
  });
  return { servers: ips, port };
}

/** @throws ScriptFault when it is no time to wait for */
export function timeoutOption(name: string, seconds: number): number {
  if (seconds > 0) return seconds;
  throw new ScriptFault(`${name}: the option "timeout" must be a number of seconds above 0, got ${seconds}`);
}

/** @throws ScriptFault where nothing can be asked */
export function resolverOf(name: string, ctx: CallContext): Resolver {
  const { resolver } = servicesOf(ctx).network;
  if (resolver === undefined) throw new ScriptFault(`${name}: there is no resolver here to ask`);
  return resolver;
}

/** `then` of an answer that may be there at once: no promise is made for one from the cache. */
function mapAnswer<T extends Value>(
  answer: DnsAnswer | Promise<DnsAnswer>,
  map: (answer: DnsAnswer) => T,
): T | Promise<T> {
  return answer instanceof Promise ? answer.then(map) : map(answer);
}

function resultArray(answer: DnsAnswer, extended: boolean, ctx: CallContext): HslArray {
  if (answer.kind === 'records') ctx.charge(recordsSize(answer.records));
  return answerToValue(answer, extended);
}

export const dnsQuery = builtin({
  name: 'dns_query',
  group: 'dns',
  summary: 'Asks the domain name system for the records of a name.',
  details: [
    'Gives `["result" => list, "dnssec" => boolean]` or `["error" => text, "dnssec" => boolean]`; `dnssec` is true when a server',
    'that is trusted (on this machine, unless configured otherwise) says that it has validated the answer.',
    '',
    'Without `extended_result` the list holds texts: addresses, host names (`mx` by preference, `cname`, `ns`, `ptr`), joined',
    '`txt`, and records of other types as a zone file writes them. With it, arrays of `ttl` and: `address` (a, aaaa); `preference`,',
    '`hostname` (mx); `text` (txt); `hostname` (cname, ns, ptr); `priority`, `weight`, `port`, `hostname` (srv); `mname`, `rname`,',
    '`serial`, `refresh`, `retry`, `expire`, `minimum` (soa); `usage`, `selector`, `mtype`, `data` in hexadecimal (tlsa); `flags`,',
    '`tag`, `value` (caa); `order`, `preference`, `flags`, `services`, `regexp`, `replacement` (naptr).',
    '',
    'Names have no final dot; the host name of a null MX is "". International names are converted. An address asked for its `ptr`',
    'is asked for at its place in the reverse zone; asked for `a` or `aaaa` it is its own answer.',
  ].join('\n'),
  params: [
    { name: 'host', type: 'string', doc: 'A domain name.' },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        type: { type: 'string', default: 'a', oneOf: recordTypes, doc: 'The type of the records.' },
        timeout,
        ...serverKeys,
        extended_result: extendedResult,
      },
    },
  ],
  returns: 'array',
  errors:
    'The error is NXDOMAIN (no such name), NODATA (no such records), TRY_AGAIN (no usable answer in time), SERVFAIL, REFUSED, FORMERR, NOTIMP, or BADNAME (no domain name: nothing was asked).',
  since: '5.1',
  example:
    'dns_query("example.com", ["type" => "mx"])  // {"result":["mx.example.com","mx2.example.com"],"dnssec":false}\ndns_query("none.example.com")  // {"error":"NXDOMAIN","dnssec":false}',
  source,
  suspends: true,
  run: (host, options, ctx) => {
    const question = {
      name: host,
      type: options.type as RecordType,
      timeoutSeconds: timeoutOption('dns_query', options.timeout),
      ...serversOption('dns_query', options.servers, options.port),
    };
    const answer = resolverOf('dns_query', ctx).query(question, ctx.signal);
    return mapAnswer(answer, (found) => resultArray(found, options.extended_result, ctx));
  },
});

const olderOptions = {
  name: 'options',
  type: 'options',
  optional: true,
  keys: {
    timeout,
    ...serverKeys,
    extended_result: {
      type: 'boolean',
      default: false,
      doc: 'Give the array that dns_query gives, with texts, instead of the list.',
    },
  },
} as const;

/** One of the functions that dns_query replaced; with several types, the list holds the answers of each. */
function olderQuery(name: string, types: readonly RecordType[], what: string) {
  return builtin({
    name,
    group: 'dns',
    summary: `Older function: the ${what} of a name.`,
    details: 'The list is empty when there are none, and when the question failed.',
    params: [{ name: 'host', type: 'string' }, olderOptions],
    returns: 'array',
    errors: 'An empty list; with `extended_result` the error array of dns_query.',
    source,
    suspends: true,
    deprecated: 'dns_query',
    run: (host, options, ctx) => {
      const question = {
        name: host,
        timeoutSeconds: timeoutOption(name, options.timeout),
        ...serversOption(name, options.servers, options.port),
      };
      const resolver = resolverOf(name, ctx);
      const ask = (type: RecordType) => resolver.query({ ...question, type }, ctx.signal);
      const answers = types.map(ask);
      const answer =
        answers.length === 1
          ? answers[0]!
          : Promise.all(answers).then(([first, ...rest]) => joined(first!, rest));
      return mapAnswer(answer, (found) => {
        const result = resultArray(found, false, ctx);
        return options.extended_result ? result : (result.get('result') ?? HslArray.empty());
      });
    },
  });
}

/** The records of all answers; a failure when all failed. */
function joined(first: DnsAnswer, rest: readonly DnsAnswer[]): DnsAnswer {
  const good = [first, ...rest].filter((answer) => answer.kind === 'records');
  if (good.length === 0) return first;
  return {
    kind: 'records',
    records: good.flatMap(({ records }) => records),
    canonicalName: good[0]!.canonicalName,
    isSecure: good.every(({ isSecure }) => isSecure),
  };
}

const dnsbl = builtin({
  name: 'dnsbl',
  group: 'dns',
  summary: 'Older function: what a list of addresses (DNSBL) says of one.',
  details:
    'Gives the addresses in the list, such as "127.0.0.2"; empty when it is not listed, and when the question failed.',
  params: [
    { name: 'ip', type: 'string', doc: 'An IPv4 or IPv6 address.' },
    { name: 'host', type: 'string', doc: 'The domain of the list.' },
    { name: 'resolvers', type: 'array|none', default: null, doc: 'IP addresses of servers to ask.' },
    { name: 'timeout', type: 'number', default: 5, doc: 'Seconds.' },
  ],
  returns: 'array',
  errors: 'An exception when `ip` is no address.',
  source: 'stdlib 10, RFC 5782',
  suspends: true,
  deprecated: 'dns_query',
  run: (ip, host, resolvers, timeoutSeconds, ctx) => {
    const name = listedName(ip, host);
    if (name === undefined)
      throw new ScriptFault(`dnsbl: the argument "ip" must be an IP address, got "${ip}"`);
    const question: Question = {
      name,
      type: 'a',
      timeoutSeconds: timeoutOption('dnsbl', timeoutSeconds),
      ...serversOption('dnsbl', resolvers ?? undefined, 53),
    };
    return mapAnswer(resolverOf('dnsbl', ctx).query(question, ctx.signal), (answer) =>
      HslArray.fromList(answer.kind === 'records' ? answer.records.map(recordText) : []),
    );
  },
});

/** Group 10, DNS. */
export const dns = [
  dnsQuery,
  olderQuery('dns', ['a', 'aaaa'], 'IPv4 and IPv6 addresses'),
  olderQuery('dns4', ['a'], 'IPv4 addresses'),
  olderQuery('dns6', ['aaaa'], 'IPv6 addresses'),
  olderQuery('dnscname', ['cname'], 'aliases (CNAME)'),
  olderQuery('dnsmx', ['mx'], 'mail hosts (MX)'),
  olderQuery('dnsns', ['ns'], 'name servers'),
  olderQuery('dnsptr', ['ptr'], 'host names (PTR)'),
  olderQuery('dnstxt', ['txt'], 'texts (TXT)'),
  dnsbl,
];
