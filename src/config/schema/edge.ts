import Type, { type TSchema } from 'typebox';
import { count, duration, flag, octal, strict, text } from './types.js';

// The edge of a connection: listeners and whom they trust, TLS, how many clients, the greeting (queue-and-config 8.3, 8.4).

/** A list of networks; `unix` stands for clients on UNIX sockets. */
const networks = (description: string) =>
  Type.Optional(
    Type.Array(
      Type.Unsafe<string>({ network: true, description: 'An address, address/bits or first-last; or unix.' }),
      {
        description,
      },
    ),
  );

/** `servers[].proxyprotocol` and `servers[].listeners[].proxyprotocol`. */
export const proxyprotocol = (description: string) => networks(description);

/** `servers[].xclient` and `servers[].listeners[].xclient`. */
export const xclient = (description: string) => networks(description);

/** `servers[].listeners[]`. */
export const listener = strict({
  port: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 65535, description: 'TCP port; 0 takes any free one.' }),
  ),
  address: Type.Optional(text('IP address to listen on; all addresses when absent.')),
  backlog: Type.Optional(count('Length of the queue of connections not yet accepted.', 1)),
  id: Type.Optional(text('Name of the listener, for `servers[].tls.implicit`.')),
  path: Type.Optional(text('Path of a UNIX socket to listen on, instead of a port.')),
  chmod: Type.Optional(
    octal('Octal permissions of that socket, such as "0660"; what environment.umask leaves when absent.'),
  ),
  proxyprotocol: proxyprotocol('As `servers[].proxyprotocol`, for this listener alone.'),
  xclient: xclient('As `servers[].xclient`, for this listener alone.'),
});

/** One of them, or a list; the messages are those of the one that was written. */
const oneOrMore = <T extends TSchema>(item: T, description: string) =>
  Type.Unsafe<Type.Static<T> | Type.Static<T>[]>({
    if: { type: 'array' },
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
    then: { type: 'array', items: item, minItems: 1 },
    else: item,
    description,
  });

const certificate = strict({
  cert: text('Id of a key with its certificates in pki.private.'),
  sni: Type.Optional(
    oneOrMore(
      text('A server name, or `*.` and a domain.'),
      'Server names for which it is shown; `*.example.com` stands for one label. Absent: when no other fits.',
    ),
  ),
});

/** `servers[].tls`. */
export const serverTls = Type.Optional(
  strict({
    enabled: Type.Optional(flag('Offer TLS: STARTTLS, and the listeners of `implicit`; true.')),
    implicit: Type.Optional(
      Type.Array(text('Id of a listener.'), { description: 'Listeners that begin with TLS.' }),
    ),
    certs: Type.Optional(
      oneOrMore(
        certificate,
        'What is shown to clients. Two entries for the same names, one RSA and one ECDSA, serve old and new clients.',
      ),
    ),
    protocols: Type.Optional(
      text('Protocols, `!` excludes, as in `!SSLv2,!SSLv3`; TLS 1.2 and 1.3 when absent.'),
    ),
    ciphers: Type.Optional(
      text("OpenSSL's list of ciphers for TLS 1.2, such as `HIGH:MEDIUM`; the library's own when absent."),
    ),
    clientcert: Type.Optional(
      Type.Enum(['request', 'require', 'verify'], {
        description:
          'Ask clients for a certificate; `request`: scripts see what was shown, `require`: there must be one, `verify`: it must be trusted. Not asked when absent.',
      }),
    ),
    clientca: Type.Optional(
      Type.Array(text('Id of authorities in pki.ca.'), {
        description:
          'Who vouches for clients; all of pki.ca when absent, and the well-known ones when that is empty.',
      }),
    ),
  }),
);

const networkLimit = strict({
  network: Type.Unsafe<string>({ network: true, description: 'An address, address/bits or first-last.' }),
  total: Type.Optional(count('Connections at once from all of it; 0 = no limit.')),
  ip: Type.Optional(count('Connections at once from each address in it; 0 = no limit.')),
});

/** `servers[].concurrency`. */
export const concurrency = Type.Optional(
  strict({
    total: Type.Optional(count('Connections at once; 0 = no limit.')),
    ip: Type.Optional(count('Connections at once from one address, or from one /64 of IPv6; 0 = no limit.')),
    networks: Type.Optional(
      Type.Unsafe<number | Type.Static<typeof networkLimit>[]>({
        if: { type: 'array' },
        // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
        then: { type: 'array', items: networkLimit },
        else: { type: 'integer', minimum: 0 },
        description:
          'A number: connections at once from each /24 of IPv4 and each /64 of IPv6. A list: networks with limits of their own, which hold instead of `ip` and `rate`; the first that fits.',
      }),
    ),
    rate: Type.Optional(
      Type.Unsafe<string>({
        rate: true,
        description: 'New connections from one address: so many in so many seconds, such as 30/60.',
      }),
    ),
  }),
);

/** `servers[].banner`. */
export const banner = Type.Optional(
  strict({
    delay: Type.Optional(
      duration(
        'How long the greeting is held back, to see who talks first (`$arguments["earlytalker"]` of the connect script); 0.',
      ),
    ),
  }),
);
