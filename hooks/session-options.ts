// The options of Try about the session with the next hop: its protection, the log-in, whom we claim to be, and the way there.
// Each overrides the transport for one attempt; what is left out is the transport's.

import { HslArray, type OptionKeys, ScriptFault, type Value } from '#lang';
import { addressToBytes, parseTlsProtocols, tlsModes, valueToStringList, valueToStringMap } from '#stdlib';
import { present } from './outcome.js';
import type { SessionOptions, TryProxy } from './outcomes.js';

/** The options, as scripts write them. */
export const sessionOptionKeys = {
  tls: { type: 'string|none', oneOf: [...tlsModes, null], doc: 'TLS mode; default is the transport.' },
  tls_implicit: { type: 'boolean|none', doc: 'TLS from the first byte, as on port 465 (RFC 8314).' },
  tls_sni: { type: 'string|boolean|none', doc: 'Server name to ask for; true: the name of the host.' },
  tls_protocols: { type: 'string|none', doc: 'Protocols, `!` excludes; default "!SSLv2,!SSLv3".' },
  tls_ciphers: { type: 'string|none', doc: "OpenSSL's list of ciphers." },
  tls_verify_host: { type: 'boolean|none', doc: 'The certificate must be for the host.' },
  tls_verify_name: { type: 'array', doc: 'The certificate must be for one of these; `*.` is one label.' },
  tls_default_ca: { type: 'boolean|none', doc: "Trust the system's authorities beside the configured ones." },
  tls_client_cert: { type: 'string|none', doc: 'Id of the configured certificate to show; "" is none.' },
  tls_mtasts: { type: 'boolean|none', doc: "Heed the MTA-STS policy of the recipient's domain (RFC 8461)." },
  saslusername: { type: 'string|none', doc: 'Log in before MAIL; "" does without a log-in.' },
  saslpassword: { type: 'string|none', doc: 'The password to it.' },
  sasl_unverified: { type: 'boolean|none', doc: 'Log in although TLS does not show with whom we talk.' },
  xclient: { type: 'array', doc: 'Attributes for XCLIENT: name => text.' },
  proxy: {
    type: 'string|array|none',
    doc: 'Connect through a proxy by the PROXY protocol: "ip:port", or `address`, `port`, `version` (1 or 2); "" is none.',
  },
  proxyip: { type: 'string|none', doc: 'The same proxy as the transport has, at another address.' },
} as const satisfies OptionKeys;

interface WrittenSessionOptions {
  readonly tls: string | null | undefined;
  readonly tls_implicit: boolean | null | undefined;
  readonly tls_sni: string | boolean | null | undefined;
  readonly tls_protocols: string | null | undefined;
  readonly tls_ciphers: string | null | undefined;
  readonly tls_verify_host: boolean | null | undefined;
  readonly tls_verify_name: HslArray | undefined;
  readonly tls_default_ca: boolean | null | undefined;
  readonly tls_client_cert: string | null | undefined;
  readonly tls_mtasts: boolean | null | undefined;
  readonly saslusername: string | null | undefined;
  readonly saslpassword: string | null | undefined;
  readonly sasl_unverified: boolean | null | undefined;
  readonly xclient: HslArray | undefined;
  readonly proxy: string | HslArray | null | undefined;
  readonly proxyip: string | null | undefined;
}

/** The session a script asked for. @throws ScriptFault */
export function readSessionOptions(written: WrittenSessionOptions): SessionOptions {
  const { xclient } = written;
  return present({
    tls: readTls(written),
    logIn: readLogIn(written),
    xclient: xclient === undefined ? undefined : valueToStringMap(xclient, 'Try: "xclient"'),
    proxy: readProxy(written.proxy ?? undefined, written.proxyip ?? undefined),
  });
}

function readTls(written: WrittenSessionOptions): SessionOptions['tls'] {
  const { tls, tls_protocols: protocols, tls_verify_name: names } = written;
  if (typeof protocols === 'string') parseTlsProtocols(protocols, 'Try: "tls_protocols"');
  const wish = present({
    mode: tlsModes.find((mode) => mode === tls),
    isImplicit: written.tls_implicit ?? undefined,
    sni: written.tls_sni ?? undefined,
    protocols: protocols ?? undefined,
    ciphers: written.tls_ciphers ?? undefined,
    verifiesHost: written.tls_verify_host ?? undefined,
    verifyNames: names === undefined ? undefined : valueToStringList(names, 'Try: "tls_verify_name"'),
    usesSystemCa: written.tls_default_ca ?? undefined,
    clientCertificate: written.tls_client_cert ?? undefined,
    usesMtaSts: written.tls_mtasts ?? undefined,
  });
  return Object.keys(wish).length === 0 ? undefined : wish;
}

function readLogIn(written: WrittenSessionOptions): SessionOptions['logIn'] {
  const { saslusername: userName, saslpassword: password, sasl_unverified: allowsUnverified } = written;
  if (typeof userName !== 'string') {
    if (typeof password === 'string')
      throw new ScriptFault('Try: "saslpassword" is given without "saslusername"');
    return allowsUnverified === true || allowsUnverified === false ? { allowsUnverified } : undefined;
  }
  if (userName === '') return 'none';
  return {
    userName,
    password: password ?? '',
    ...present({ allowsUnverified: allowsUnverified ?? undefined }),
  };
}

function readProxy(proxy: string | HslArray | undefined, ip: string | undefined): SessionOptions['proxy'] {
  if (proxy === '' || (proxy === undefined && ip === '')) return 'none';
  if (proxy === undefined && ip === undefined) return undefined;
  const written = proxy instanceof HslArray ? readProxyArray(proxy) : readEndpoint(proxy ?? '', 'proxy');
  const other = ip === undefined || ip === '' ? {} : readEndpoint(ip, 'proxyip');
  return { ...written, ...other };
}

function readProxyArray(proxy: HslArray): TryProxy {
  const address = proxy.get('address') ?? null;
  const port = proxy.get('port') ?? null;
  const version = proxy.get('version') ?? null;
  if (address !== null && typeof address !== 'string')
    throw new ScriptFault('Try: "address" in "proxy" must be a string');
  if (port !== null) checkPort('"port" in "proxy"', port);
  if (version !== null && version !== 1 && version !== 2)
    throw new ScriptFault('Try: "version" in "proxy" must be 1 or 2');
  return present({
    ...(address === null ? {} : readEndpoint(address, 'proxy')),
    port: typeof port === 'number' ? port : undefined,
    version: version ?? undefined,
  });
}

/** `192.0.2.1`, `192.0.2.1:8025`, `2001:db8::1` or `[2001:db8::1]:8025`. */
function readEndpoint(text: string, option: string): TryProxy {
  if (text === '') return {};
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const ip = bracketed ?? plain ?? text;
  if (addressToBytes(ip) === undefined)
    throw new ScriptFault(
      `Try: "${option}" must be an IP address, with or without ":port", found "${text.slice(0, 60)}"`,
    );
  if (port !== undefined) checkPort(`the port in "${option}"`, Number(port));
  return { ip, ...(port === undefined ? {} : { port: Number(port) }) };
}

function checkPort(what: string, port: Value): void {
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535)
    throw new ScriptFault(`Try: ${what} must be a number from 1 to 65535`);
}
