// IP addresses, domains and URLs as values: nothing here asks the network (stdlib 9).

import { type Builtin, builtin, bytesToText, HslArray, textToBytes } from '#lang';
import { olderName } from '../older-name.js';
import { servicesOf } from '../services.js';
import { domainIncludes } from './domain-includes.js';
import { addressToBytes, bytesToAddress, reverseLabels } from './ip-address.js';
import { networkIncludes } from './networks.js';
import { builtInSuffixes, publicSuffix } from './public-suffix.js';
import { textToUrlParts } from './url-parts.js';

export const inetIncludes = builtin({
  name: 'inet_includes',
  group: 'network',
  summary: 'Tells whether an IP address lies in a network.',
  details: 'No IPv4 address lies in an IPv6 network or the other way round, `::ffff:1.2.3.4` included.',
  params: [
    { name: 'ip', type: 'string' },
    {
      name: 'network',
      type: 'string',
      doc: 'An address, `address/bits` (host bits may be set), or a range `first-last`.',
    },
  ],
  returns: 'boolean|none',
  errors: 'none when the address or the network is not one.',
  since: '5.0',
  source: 'stdlib 9',
  pure: true,
  example:
    'inet_includes("192.0.2.7", "192.0.2.0/24")  // true\n' +
    'inet_includes("192.0.2.99", "192.0.2.10-192.0.2.20")  // false\n' +
    'inet_includes("192.0.2", "192.0.2.0/24")  // null',
  run: (ip, network) => networkIncludes(network, ip) ?? null,
});

export const inetPton = builtin({
  name: 'inet_pton',
  group: 'network',
  summary: 'Turns an IP address from text into its 4 or 16 bytes.',
  params: [{ name: 'ip', type: 'string' }],
  returns: 'string|none',
  errors: 'none when the text is no address.',
  source: 'stdlib 9',
  pure: true,
  example: 'unpack("H*", inet_pton("2001:db8::1"))[0]  // "20010db8000000000000000000000001"',
  run: (ip) => addressToBytes(ip) ?? null,
});

export const inetNtop = builtin({
  name: 'inet_ntop',
  group: 'network',
  summary: 'Turns the 4 or 16 bytes of an IP address into text.',
  params: [{ name: 'bytes', type: 'string' }],
  returns: 'string|none',
  errors: 'none when there are neither 4 nor 16 bytes.',
  source: 'stdlib 9, RFC 5952',
  pure: true,
  example: 'inet_ntop(pack("H*", "20010db8000000000000000000000001"))  // "2001:db8::1"',
  run: (bytes) => bytesToAddress(bytes) ?? null,
});

export const inetReverse = builtin({
  name: 'inet_reverse',
  group: 'network',
  summary: 'Makes the name under which an IP address is looked up in a reverse zone.',
  params: [
    { name: 'ip', type: 'string' },
    {
      name: 'zone',
      type: 'string|none',
      default: null,
      doc: 'A zone to use instead of `in-addr.arpa` or `ip6.arpa`, such as that of a block list.',
    },
  ],
  returns: 'string|none',
  errors: 'none when the text is no address.',
  since: '5.0',
  source: 'stdlib 9, RFC 5782',
  pure: true,
  example:
    'inet_reverse("192.0.2.7")  // "7.2.0.192.in-addr.arpa"\n' +
    'inet_reverse("192.0.2.7", "bl.example.com")  // "7.2.0.192.bl.example.com"',
  run: (ip, zone) => {
    const bytes = addressToBytes(ip);
    if (bytes === undefined) return null;
    const suffix = zone ?? (bytes.length === 4 ? 'in-addr.arpa' : 'ip6.arpa');
    return `${reverseLabels(bytes)}${suffix === '' || suffix.startsWith('.') ? '' : '.'}${suffix}`;
  },
});

export const domainIncludesBuiltin = builtin({
  name: 'domain_includes',
  group: 'network',
  summary: 'Tells whether a domain is another or lies below it.',
  details: 'Case does not matter. A root dot at the end of either name does not count.',
  params: [
    { name: 'subdomain', type: 'string' },
    { name: 'domain', type: 'string', doc: 'With a dot in front it includes only what lies below it.' },
    { name: 'options', type: 'options', optional: true, keys: {} },
  ],
  returns: 'boolean',
  since: '5.0',
  source: 'stdlib 9',
  pure: true,
  example:
    'domain_includes("www.example.com", "example.com")  // true\n' +
    'domain_includes("example.com", ".example.com")  // false\n' +
    'domain_includes("badexample.com", "example.com")  // false',
  run: (subdomain, domain) => domainIncludes(domain, subdomain),
});

export const domainPublicSuffix = builtin({
  name: 'domain_publicsuffix',
  group: 'network',
  summary: 'The public suffix of a domain: the part below which anybody can register names.',
  details:
    'Answers from the public suffix list with its wildcards and exceptions, registries (`co.uk`) and hosters (`github.io`) ' +
    'alike; the setting `environment.publicsuffix` names a file to use instead of the list that came with us. The result is ' +
    'in lower case.',
  params: [{ name: 'domain', type: 'string', doc: 'In Unicode (UTF-8) or with `xn--`.' }],
  returns: 'string|none',
  errors: 'none when the top-level domain is not in the list, or a label is empty.',
  source: 'stdlib 9, publicsuffix.org',
  example:
    'domain_publicsuffix("www.a.co.uk")  // "co.uk"\n' +
    'domain_publicsuffix("www.example.com")  // "com"\n' +
    'domain_publicsuffix("printer.local")  // null',
  run: (domain, ctx) => {
    const list = servicesOf(ctx).configured.publicSuffixes ?? builtInSuffixes;
    const suffix = publicSuffix(bytesToText(domain), list);
    return suffix === undefined ? null : textToBytes(suffix);
  },
});

export const urlParse = builtin({
  name: 'url_parse',
  group: 'network',
  summary: 'Takes a URL apart.',
  details:
    'The keys are `schema`, `username`, `password`, `hostname`, `port` (a number), `path`, `query` and `fragment`; what the URL ' +
    'does not have is absent. `scheme` is the same as `schema`. Parts are as written: `url_decode` undoes their `%XX`. Scheme ' +
    'and host are in lower case, an IPv6 address is without its brackets. A reference without a scheme is taken apart too.',
  params: [
    { name: 'url', type: 'string' },
    { name: 'options', type: 'options', optional: true, keys: {} },
  ],
  returns: 'array|none',
  errors: 'none for an empty text, blanks or control characters, a bad host or a bad port.',
  source: 'stdlib 9, RFC 3986 appendix B',
  pure: true,
  example:
    'url_parse("https://ann@example.com:8443/a?b=c#d")["port"]  // 8443\n' +
    'url_parse("https://example.com/a")["schema"]  // "https"\n' +
    'url_parse("https://example.com:port/")  // null',
  run: (url) => {
    const parts = textToUrlParts(url);
    if (parts === undefined) return null;
    const { scheme, ...rest } = parts;
    const value = HslArray.empty();
    for (const [key, part] of Object.entries({ schema: scheme, ...rest, scheme }))
      if (part !== undefined) value.set(key, part);
    return value;
  },
});

/** Section 9 of the library. */
export const networkValues: readonly Builtin[] = [
  inetIncludes,
  inetPton,
  inetNtop,
  inetReverse,
  domainIncludesBuiltin,
  domainPublicSuffix,
  urlParse,
  olderName('in_network', inetIncludes),
  olderName('is_subdomain', domainIncludesBuiltin),
];
