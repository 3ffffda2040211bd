// The classes LDAP and LDAPResult (stdlib 14).

import {
  type CallContext,
  HslArray,
  method,
  type NativeClass,
  nativeClass,
  ScriptFault,
  share,
  staticMethod,
  type Value,
} from '#lang';
import { servicesOf } from '../services.js';
import { peerCertificateValue } from '../sockets/peer-certificate.js';
import { defaultOptions, type LdapCall, LdapClient, type LdapOptions } from './client.js';
import { formatDistinguishedName, parseDistinguishedName } from './distinguished-name.js';
import { escapeFilterValue } from './filter.js';
import type { Entry, Scope } from './messages.js';
import { LdapCode, resultText } from './result-codes.js';
import { parseLdapServers } from './uri.js';

const on = method<LdapClient>();
const source = 'stdlib 14';
const since = '5.0';
const alice = 'uid=alice,ou=people,dc=example,dc=com';

function callOf(client: LdapClient, called: string, ctx: CallContext): LdapCall {
  if (client.isUnbound) throw new ScriptFault(`${called}: the connection was ended by unbind`);
  return {
    signal: ctx.signal,
    resolver: servicesOf(ctx).network.resolver,
    charge: (bytes) => ctx.charge(bytes),
  };
}

function optionName(called: string, name: string): keyof LdapOptions {
  if (!(name in defaultOptions))
    throw new ScriptFault(
      `${called}: there is no option "${name.slice(0, 40)}"; expected one of ${Object.keys(defaultOptions).join(', ')}`,
    );
  return name as keyof LdapOptions;
}

function setOption(options: LdapOptions, name: keyof LdapOptions, value: Value): void {
  const refuse = (expected: string): never => {
    throw new ScriptFault(`LDAP->setoption: the option "${name}" must be ${expected}`);
  };
  switch (name) {
    case 'protocol_version':
      options[name] = value === 2 || value === 3 ? value : refuse('2 or 3');
      return;
    case 'network_timeout':
    case 'timeout':
    case 'timelimit':
      options[name] =
        typeof value === 'number' && value >= 0 && value <= 2_147_483_647
          ? value
          : refuse('a number of seconds, 0 or more');
      return;
    default:
      options[name] = typeof value === 'boolean' ? value : refuse('a boolean');
  }
}

function scopeOf(value: Value): Scope {
  if (value === 'sub' || value === 'one' || value === 'base') return value;
  throw new ScriptFault('LDAP->search: the scope must be one of "sub", "one", "base"');
}

function textOf(what: string, value: Value): string {
  if (typeof value !== 'string') throw new ScriptFault(`LDAP->search: ${what} must be a string`);
  return value;
}

interface SearchArguments {
  readonly scope: Scope;
  readonly filter: string;
  readonly attributes: readonly string[];
}

/** Options by name in an array, or one after the other. */
function searchArguments(
  second: string | HslArray | undefined,
  filter: string | undefined,
  attributes: HslArray | undefined,
): SearchArguments {
  const named = second instanceof HslArray ? second : undefined;
  const scope = named === undefined ? (second as string | undefined) : named.get('scope');
  const list = named?.get('attributes') ?? attributes ?? null;
  if (list !== null && !(list instanceof HslArray))
    throw new ScriptFault('LDAP->search: the attributes must be a list of names');
  return {
    scope: scopeOf(scope ?? 'sub'),
    filter: textOf('the filter', named?.get('filter') ?? filter ?? '(objectclass=*)'),
    attributes: (list?.toList() ?? []).map((name) => textOf('an attribute', name)),
  };
}

function entryValue({ dn, attributes }: Entry): HslArray {
  const entry = HslArray.fromEntries([['dn', dn]]);
  for (const { name, values } of attributes) entry.set(name, HslArray.fromList([...values]));
  return entry;
}

/** What a search found, and how far a script has read it. */
interface ResultState {
  readonly client: LdapClient;
  readonly entries: readonly HslArray[];
  /** The code the search ended with. */
  readonly code: number;
  position: number;
}

export const ldapResultClass: NativeClass<ResultState> = nativeClass<ResultState>({
  name: 'LDAPResult',
  group: 'ldap',
  summary: 'The entries that a search found.',
  details: '`foreach` gives them all, numbered from 0, wherever `next` is.',
  example:
    `$result = LDAP("ldap://127.0.0.1:3890")->search("dc=example,dc=com", ["attributes" => ["cn"]]);\n` +
    `foreach ($result as $entry)\n    echo $entry;  // ["dn"=>"${alice}","cn"=>[0=>"Alice Example"]]`,
  since,
  source,
  methods: [
    method<ResultState>()({
      name: 'next',
      summary: 'Gives the next entry; false behind the last.',
      details: 'An array with `dn` and, under the name of each attribute, the list of its values in bytes.',
      example:
        `$result = LDAP("ldap://127.0.0.1:3890")->search("dc=example,dc=com", ["filter" => "(uid=alice)"]);\n` +
        `echo $result->next()["mail"];  // [0=>"alice@example.com",1=>"a.example@example.com"]\n` +
        'echo $result->next() === false;  // true',
      source,
      params: [],
      returns: 'array|boolean|none',
      errors:
        'None behind the last when the search ended with an error, which errno() of the LDAP then tells.',
      run: (state) => {
        const entry = state.entries[state.position];
        if (entry !== undefined) {
          state.position++;
          return share(entry);
        }
        if (state.code === LdapCode.success) return false;
        state.client.errno = state.code;
        return null;
      },
    }),
  ],
  iterate: ({ entries }) => entries.map(share).entries() as Iterator<readonly [Value, Value]>,
  holds: ({ entries }) => entries,
});

export const ldapClass: NativeClass<LdapClient> = nativeClass<LdapClient>({
  name: 'LDAP',
  group: 'ldap',
  summary: 'A connection to an LDAP directory.',
  details:
    'It connects when something is first asked of it; several URIs, separated by spaces, are tried in turn. A connection that ' +
    'is lost is not made again (-1): make a new LDAP. Filters are those of RFC 4515 with plain attribute names.\n\n' +
    '| option | default | |\n| --- | --- | --- |\n' +
    '| `protocol_version` | 3 | or 2 |\n' +
    '| `referrals` | false | ask the servers that a search refers to, anonymously: at most 10, each at most 3 away |\n' +
    '| `network_timeout` | 0 | seconds for connecting; 0 is 30 |\n' +
    '| `timeout` | 0 | seconds for each operation; 0 is 300 |\n' +
    '| `timelimit` | 0 | seconds the server may search; 0 is its own limit |\n' +
    '| `tls_verify_peer` | true | the certificate must be for the host and lead to an authority we trust |\n' +
    '| `tls_default_ca` | false | trust the authorities of this system instead of those that come with Node |',
  example:
    '$ldap = LDAP("ldap://127.0.0.1:3890");\n' +
    '$ldap->setoption("network_timeout", 5);\n' +
    `if ($ldap->bind("${alice}", "secret"))\n` +
    '    foreach ($ldap->search("dc=example,dc=com", ["filter" => "(uid=" . LDAP::filter_escape("alice") . ")"]) as $entry)\n' +
    '        echo $entry["cn"][0];  // Alice Example',
  since,
  source,
  constructorOf: staticMethod({
    name: 'LDAP',
    summary: 'Names a directory; nothing is asked of it yet.',
    params: [
      {
        name: 'uri',
        type: 'string',
        doc: 'ldap://HOST:PORT, ldaps://HOST:PORT or ldapi://PATH (with %2F for /).',
      },
    ],
    returns: 'object',
    errors: 'An exception when it is no such URI.',
    run: (uri: string, ctx: CallContext) => {
      const client = new LdapClient(parseLdapServers(uri));
      ctx.own(client);
      return client;
    },
  }),
  methods: [
    on({
      name: 'setoption',
      summary: 'Sets an option for what is asked later.',
      example: 'LDAP("ldap://127.0.0.1:3890")->setoption("timeout", 5)->getoption("timeout")  // 5',
      source,
      params: [
        { name: 'name', type: 'string' },
        { name: 'value', type: 'any' },
      ],
      returns: 'object',
      errors: 'An exception for an unknown option or a wrong value.',
      run: (client, name, value, ctx) => {
        setOption(client.options, optionName('LDAP->setoption', name), value);
        return ctx.receiver ?? null;
      },
    }),
    on({
      name: 'getoption',
      summary: 'Gives the value of an option.',
      since: '5.4',
      example: 'LDAP("ldap://127.0.0.1:3890")->getoption("protocol_version")  // 3',
      source,
      params: [{ name: 'name', type: 'string' }],
      returns: 'number|boolean',
      errors: 'An exception for an unknown option.',
      run: (client, name) => client.options[optionName('LDAP->getoption', name)],
    }),
    on({
      name: 'starttls',
      summary: 'Goes on inside TLS.',
      details:
        'When the server is willing and the handshake fails, the connection ends; nothing is sent in plain text then.',
      example: 'LDAP("ldap://127.0.0.1:3890")->starttls()  // null',
      source,
      params: [],
      returns: 'object|none',
      errors: 'None, with errno: -11 when the handshake fails or the certificate is not accepted.',
      suspends: true,
      run: async (client, ctx) => {
        const { receiver = null } = ctx;
        const code = await client.startTls(callOf(client, 'LDAP->starttls', ctx));
        return code === LdapCode.success ? receiver : null;
      },
    }),
    on({
      name: 'bind',
      summary: 'Says who we are: nobody without arguments.',
      details:
        'A name with an empty password is refused here with 49: servers answer it with success, although it proves nothing ' +
        '(RFC 4513 §5.1.2).',
      example:
        `LDAP("ldap://127.0.0.1:3890")->bind("${alice}", "secret") != none  // true\n` +
        `LDAP("ldap://127.0.0.1:3890")->bind("${alice}", "wrong")  // null`,
      source,
      params: [
        { name: 'dn', type: 'string', default: '' },
        { name: 'credentials', type: 'string', default: '' },
      ],
      returns: 'object|none',
      errors: 'None, with errno: 49 for a wrong name or password.',
      suspends: true,
      run: async (client, dn, credentials, ctx) => {
        const { receiver = null } = ctx;
        const code = await client.bind(dn, credentials, callOf(client, 'LDAP->bind', ctx));
        return code === LdapCode.success ? receiver : null;
      },
    }),
    on({
      name: 'unbind',
      summary: 'Ends the connection; nothing can be asked of it afterwards.',
      example: 'LDAP("ldap://127.0.0.1:3890")->unbind() != none  // true',
      source,
      params: [],
      returns: 'object',
      run: (client, ctx) => {
        client.unbind();
        ctx.disown(client);
        return ctx.receiver ?? null;
      },
    }),
    on({
      name: 'search',
      summary: 'Finds entries.',
      details:
        'The second argument is an array with `scope` ("sub" everything below, "one" one level, "base" the entry itself), `filter` ' +
        'and `attributes` (all when empty); the three may also stand one after the other.',
      example:
        '$ldap = LDAP("ldap://127.0.0.1:3890");\n' +
        '$result = $ldap->search("dc=example,dc=com", ["filter" => "(uid=alice)", "attributes" => ["mail"]]);\n' +
        'echo $result->next()["mail"][0];  // alice@example.com\n' +
        'echo $ldap->search("dc=nowhere");  // none\n' +
        'echo LDAP::err2string($ldap->errno());  // No such object',
      source,
      params: [
        { name: 'base', type: 'string' },
        { name: 'options', type: 'array|string', optional: true, doc: 'The options, or the scope.' },
        { name: 'filter', type: 'string', optional: true, doc: '(objectclass=*) when left out.' },
        { name: 'attributes', type: 'array', optional: true, doc: 'Their names.' },
      ],
      returns: 'object|none',
      errors:
        'None, with errno, when the search fails before the first entry; -7 for a wrong filter. An exception for wrong options.',
      suspends: true,
      run: async (client, base, options, filter, attributes, ctx) => {
        const call = callOf(client, 'LDAP->search', ctx);
        const wish = { base, ...searchArguments(options, filter, attributes) };
        const { entries, code } = await client.search(wish, call);
        if (code !== LdapCode.success && entries.length === 0) return null;
        const state = { client, entries: entries.map(entryValue), code, position: 0 };
        return ctx.instantiate(ldapResultClass, state);
      },
    }),
    on({
      name: 'errno',
      summary: 'Gives the result code of the last operation, below 0 an error on this side; 0 is success.',
      example: 'LDAP("ldap://127.0.0.1:3890")->errno()  // 0',
      source,
      params: [],
      returns: 'number',
      run: (client) => client.errno,
    }),
    on({
      name: 'getpeerx509',
      summary: 'Gives the certificate of the server.',
      example: 'LDAP("ldap://127.0.0.1:3890")->getpeerx509()  // null',
      source,
      params: [],
      returns: 'object|none',
      errors: 'None outside TLS.',
      run: (client, ctx) => peerCertificateValue(client.certificate, ctx),
    }),
  ],
  statics: [
    staticMethod({
      name: 'err2string',
      summary: 'Gives the text of a number from errno().',
      example:
        'LDAP::err2string(49)  // "Invalid credentials"\nLDAP::err2string(-1)  // "Can\'t contact LDAP server"',
      source,
      params: [{ name: 'code', type: 'number' }],
      returns: 'string',
      run: (code: number) => resultText(code),
    }),
    staticMethod({
      name: 'filter_escape',
      summary: 'Escapes a value for a filter.',
      example: 'LDAP::filter_escape("a*(b)")  // "a\\\\2a\\\\28b\\\\29"',
      source: 'stdlib 14, RFC 4515 §3',
      params: [{ name: 'value', type: 'string' }],
      returns: 'string',
      run: (value: string) => escapeFilterValue(value),
    }),
    staticMethod({
      name: 'str2dn',
      summary: 'Takes a distinguished name apart.',
      details: 'A part with several pairs is one list of them all: `cn=a+sn=b` is [cn, a, sn, b].',
      example: 'LDAP::str2dn("uid=a\\\\,b,dc=example")  // [["uid","a,b"],["dc","example"]]',
      source: 'stdlib 14, RFC 4514',
      params: [{ name: 'dn', type: 'string' }],
      returns: 'array|none',
      errors: 'None when it is no distinguished name.',
      run: (dn: string) => {
        const parts = parseDistinguishedName(dn);
        return parts === undefined ? null : HslArray.fromList(parts.map((part) => HslArray.fromList(part)));
      },
    }),
    staticMethod({
      name: 'dn2str',
      summary: 'Makes a distinguished name of a list of [name, value].',
      example: 'LDAP::dn2str([["uid", "a,b"], ["dc", "example"]])  // "uid=a\\\\,b,dc=example"',
      source: 'stdlib 14, RFC 4514',
      params: [{ name: 'parts', type: 'array' }],
      returns: 'string|none',
      errors: 'None when a name is no attribute; an exception when a part is no list of strings.',
      run: (parts: HslArray) =>
        formatDistinguishedName(
          parts.toList().map((part) => {
            const list = part instanceof HslArray ? part.toList() : [];
            if (list.length < 2 || !list.every((text): text is string => typeof text === 'string'))
              throw new ScriptFault('LDAP::dn2str: each part must be a list [name, value] of strings');
            return list;
          }),
        ) ?? null,
    }),
  ],
});
