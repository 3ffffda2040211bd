// The `server` argument of send(), smtp_lookup_rcpt() and smtp_lookup_auth(): the id of a transport, or an array that
// describes a server. Read and checked in one place; what is absent has the client's default.

import { type CallContext, HslArray, ScriptFault, typeWord, type Value } from '#lang';
import { servicesOf } from '../services.js';
import { parseTlsProtocols } from '../sockets/tls-options.js';
import { type MailServer, type MailTarget, tlsModes } from './mail-client.js';
import { smtpStates, valueToTimeouts } from './smtp-states.js';

/** What the manual says of the keys. */
export const serverDetails = `\`server\` is the id of a configured transport, or an array:

| key | |
| --- | --- |
| \`host\` | name or address; \`"lookup-mx"\`, the default, means the mail hosts of the (first) recipient's domain |
| \`port\` | 25 |
| \`domain\` | look up this domain's mail hosts instead |
| \`mx_include\`, \`mx_exclude\` | lists of mail hosts that may, or must not, be used; \`*.a.test\` is any name of one label more |
| \`helo\` | the name to say; the machine's own, or that of \`sourceipid\` |
| \`sourceip\`, \`sourceipid\` | the address to come from, or the id of a configured one |
| \`nonlocal_source\` | that address need not be on this machine (the system must allow it) |
| \`protocol\` | \`"smtp"\` or \`"lmtp"\` |
| \`saslusername\`, \`saslpassword\` | log in before MAIL |
| \`sasl_unverified\` | false; true logs in although TLS does not show with whom the session is |
| \`tls\` | \`"disabled"\` (default), \`"optional"\`, \`"optional_verify"\`, \`"require"\`, \`"require_verify"\`, \`"dane"\`, \`"dane_require"\`, \`"dane_fallback_require"\`, \`"dane_fallback_require_verify"\` |
| \`tls_implicit\` | false; true speaks TLS from the first byte, as on port 465 |
| \`tls_sni\` | server name to ask for; true: the host's name |
| \`tls_protocols\`, \`tls_ciphers\` | \`"!SSLv2,!SSLv3"\`; OpenSSL's list |
| \`tls_verify_host\`, \`tls_verify_name\` | the certificate must be for the host, or for one of these names |
| \`tls_default_ca\` | trust the system's authorities beside the configured ones |
| \`tls_client_cert\` | id of a configured key to show |
| \`tls_mtasts\` | false; true heeds the MTA-STS policy of the recipient's domain (RFC 8461) |
| \`tls_capture_peer_cert\` | put the peer's certificate into the result |
| \`xclient\` | attributes for XCLIENT |
| \`timeout\` | seconds by SMTP state (${smtpStates.join(', ')}): \`["BANNER" => 30]\` |
| \`connect_timeout\` | 30 |

With \`tls\` \`"optional"\` a session that cannot be begun is done without; the \`_verify\` modes accept trusted certificates only.
With \`"dane"\` a host that publishes TLSA records must prove with them that it is the one (RFC 7672), any other is reached as
with \`"optional"\`, or as with the mode that the name says behind \`dane_fallback_\`; \`"dane_require"\` takes no other.
A log-in is made in plain text when \`tls\` is \`"disabled"\`; in every other mode only when the certificate is trusted and
for the host (or \`tls_verify_name\`), unless \`sasl_unverified\` says otherwise.`;

/** Reads the argument for the function `called`. @throws ScriptFault */
export function readMailTarget(value: Value, called: string, ctx: CallContext): MailTarget {
  if (typeof value === 'string') {
    if (value === '')
      throw new ScriptFault(`${called}: the server is empty; expected a transport or an array`);
    return { transportId: value };
  }
  if (!(value instanceof HslArray))
    throw new ScriptFault(`${called}: the server must be a string or an array`);
  return new ServerReader(value, called).read(ctx);
}

type Draft = { -readonly [K in keyof MailServer]: MailServer[K] | undefined };

class ServerReader {
  readonly #value: HslArray;
  readonly #called: string;

  constructor(value: HslArray, called: string) {
    this.#value = value;
    this.#called = called;
  }

  read(ctx: CallContext): MailServer {
    const source = this.#source(ctx);
    const draft: Draft = {
      host: this.#host(),
      port: this.#port(),
      helo: this.#text('helo') ?? source.helo,
      sourceIp: source.address,
      isNonlocalSource: this.#flag('nonlocal_source'),
      saslUserName: this.#text('saslusername'),
      saslPassword: this.#text('saslpassword'),
      saslAllowsUnverified: this.#flag('sasl_unverified'),
      tls: this.#oneOf('tls', tlsModes),
      tlsImplicit: this.#flag('tls_implicit'),
      tlsSni: this.#textOrFlag('tls_sni'),
      tlsProtocols: this.#protocols(),
      tlsCiphers: this.#text('tls_ciphers'),
      tlsVerifyHost: this.#flag('tls_verify_host'),
      tlsVerifyNames: this.#list('tls_verify_name'),
      tlsDefaultCa: this.#flag('tls_default_ca'),
      tlsClientCertificate: this.#text('tls_client_cert'),
      tlsUsesMtaSts: this.#flag('tls_mtasts'),
      tlsCapturesPeerCertificate: this.#flag('tls_capture_peer_cert'),
      xclient: this.#map('xclient', (text) => text),
      protocol: this.#oneOf('protocol', ['smtp', 'lmtp'] as const),
      mxInclude: this.#list('mx_include'),
      mxExclude: this.#list('mx_exclude'),
      timeouts: this.#timeouts(),
      connectTimeoutSeconds: this.#seconds('connect_timeout', this.#get('connect_timeout')),
      domain: this.#text('domain'),
    };
    if (draft.saslPassword !== undefined && draft.saslUserName === undefined)
      this.#fail('saslpassword', 'is given without "saslusername"');
    return Object.fromEntries(
      Object.entries(draft).filter(([, setting]) => setting !== undefined),
    ) as MailServer;
  }

  /** The value; none, and for texts the empty one, count as absent. */
  #get(key: string): Value | undefined {
    const value = this.#value.get(key);
    return value === null || value === '' ? undefined : value;
  }

  #fail(key: string, problem: string): never {
    throw new ScriptFault(`${this.#called}: "${key}" of the server ${problem}`);
  }

  #text(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'string') return value;
    return this.#fail(key, `must be a string, not ${typeWord(value)}`);
  }

  #flag(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.#fail(key, `must be true or false, not ${typeWord(value)}`);
  }

  #textOrFlag(key: string): string | boolean | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === 'boolean' || typeof value === 'string') return value;
    return this.#fail(key, `must be a string or a boolean, not ${typeWord(value)}`);
  }

  #oneOf<T extends string>(key: string, allowed: readonly T[]): T | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found !== undefined) return found;
    const got = typeof value === 'string' ? `"${value.slice(0, 40)}"` : typeWord(value);
    return this.#fail(key, `is ${got}; expected one of ${allowed.map((one) => `"${one}"`).join(', ')}`);
  }

  #list(key: string): readonly string[] | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return [value];
    const list = value instanceof HslArray ? [...value.values()] : undefined;
    if (list === undefined || !list.every((item) => typeof item === 'string'))
      return this.#fail(key, 'must be a list of strings');
    return list as string[];
  }

  #map<T>(key: string, read: (text: string) => T): Readonly<Record<string, T>> | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!(value instanceof HslArray)) return this.#fail(key, 'must be an array');
    const map: Record<string, T> = Object.create(null) as Record<string, T>;
    for (const [name, item] of value.entries()) {
      if (typeof item !== 'string' && typeof item !== 'number')
        return this.#fail(key, `must hold strings, not ${typeWord(item)} ("${String(name).slice(0, 40)}")`);
      map[String(name)] = read(String(item));
    }
    return map;
  }

  #host(): string | undefined {
    const host = this.#text('host');
    return host?.toLowerCase() === 'lookup-mx' ? undefined : host;
  }

  #port(): number | undefined {
    const port = this.#get('port');
    if (port === undefined) return undefined;
    if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535)
      return this.#fail('port', 'must be a number from 1 to 65535');
    return port;
  }

  #protocols(): string | undefined {
    const list = this.#text('tls_protocols');
    if (list !== undefined) parseTlsProtocols(list, `${this.#called}: "tls_protocols" of the server`);
    return list;
  }

  #timeouts(): Readonly<Record<string, number>> | undefined {
    const value = this.#get('timeout');
    if (value === undefined) return undefined;
    if (!(value instanceof HslArray)) return this.#fail('timeout', 'must be an array of state => seconds');
    return valueToTimeouts(value, `${this.#called}: "timeout" of the server`);
  }

  #seconds(key: string, value: Value | undefined): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !(value > 0 && value < Number.POSITIVE_INFINITY))
      return this.#fail(key, 'must be a number of seconds above 0');
    return value;
  }

  #source(ctx: CallContext): { readonly address?: string; readonly helo?: string } {
    const id = this.#text('sourceipid');
    const address = this.#text('sourceip');
    if (id === undefined) return address === undefined ? {} : { address };
    if (address !== undefined)
      return this.#fail('sourceipid', 'is given beside "sourceip"; expected one of them');
    const configured = servicesOf(ctx).configured.address(id);
    if (configured === undefined)
      return this.#fail('sourceipid', `is "${id.slice(0, 40)}", which is not among the configured addresses`);
    return {
      address: configured.address,
      ...(configured.hostname === undefined ? {} : { helo: configured.hostname }),
    };
  }
}
