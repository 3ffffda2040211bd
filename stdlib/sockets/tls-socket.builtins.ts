// The class TLSSocket (stdlib 14).

import { type HslArray, type HslObject, method, nativeClass, ScriptFault, staticMethod } from '#lang';
import { servicesOf } from '../services.js';
import { NO_FLAGS } from './byte-stream.js';
import { peerCertificateValue } from './peer-certificate.js';
import { countOf, receivedValue, sentValue, socketOf } from './socket.builtins.js';
import type { ScriptSocket } from './socket.js';
import { parseTlsProtocols, secureContextOf } from './tls-options.js';
import { isServerName, TlsSession } from './tls-session.js';

interface TlsSocketState {
  /** What the script handed in: `toSocket` gives it back. */
  readonly object: HslObject;
  readonly socket: ScriptSocket;
  /** Absent when the socket was not connected. */
  readonly session: TlsSession | undefined;
}

const on = method<TlsSocketState>();
const source = 'stdlib 14';

function namesOf(names: HslArray | undefined): readonly string[] {
  return (names?.toList() ?? []).map((name) => {
    if (typeof name !== 'string' || name === '')
      throw new ScriptFault('TLSSocket: the option "tls_verify_name" must be a list of names');
    return name;
  });
}

export const tlsOptionKeys = {
  tls_protocols: {
    type: 'string',
    doc: 'Protocols, separated by commas: `!NAME` refuses one ("!SSLv2,!SSLv3"), a name alone allows it. TLS 1.2 and 1.3 when left out.',
  },
  tls_ciphers: { type: 'string', doc: 'Ciphers in OpenSSL’s list format.' },
  tls_verify_name: { type: 'array', doc: 'The certificate must be for one of these names.' },
  tls_verify_ca: {
    type: 'boolean',
    default: false,
    doc: 'The certificate must lead to an authority we trust.',
  },
  tls_default_ca: {
    type: 'boolean',
    default: false,
    doc: 'Trust the authorities of this system (SSL_CERT_FILE names another bundle) instead of those that come with Node.',
  },
  tls_sni: { type: 'string', doc: 'The host name to ask for.' },
  tls_client_cert: {
    type: 'string',
    doc: 'Id of a configured key with its certificate, to show when asked.',
  },
} as const;

export const tlsSocketClass = nativeClass<TlsSocketState>({
  name: 'TLSSocket',
  group: 'sockets',
  summary: 'TLS over a connected Socket.',
  details:
    'By default nothing is verified. The Socket gives its bytes to the TLSSocket from then on: its own send and recv fail ' +
    'with EBUSY, its settimeout and close hold for both. A handshake that fails closes the connection.',
  example:
    '$s = Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443);\n' +
    '$tls = TLSSocket($s, ["tls_sni" => "mx.example.com"]);\n' +
    'if ($tls->handshake())\n' +
    '    $tls->send("Hello");\n' +
    'echo $tls->recv(5);  // Hello',
  source,
  constructorOf: staticMethod({
    name: 'TLSSocket',
    summary: 'Puts TLS over a connected stream socket.',
    params: [
      { name: 'socket', type: 'object', doc: 'A Socket that is connected.' },
      { name: 'options', type: 'options', optional: true, keys: tlsOptionKeys },
    ],
    returns: 'object',
    errors:
      'An exception for a wrong option, an unknown key, and what is no Socket. A socket that is not connected fails in ' +
      'the handshake (ENOTCONN).',
    run: (object, options, ctx) => {
      const socket = socketOf('TLSSocket', object);
      socket.checkOpen('TLSSocket');
      const { tls_sni: serverName, tls_client_cert: keyId } = options;
      const clientKey = keyId === undefined ? undefined : servicesOf(ctx).configured.key(keyId);
      if (keyId !== undefined && clientKey === undefined)
        throw new ScriptFault(`TLSSocket: no key "${keyId.slice(0, 40)}" is configured (tls_client_cert)`);
      if (serverName !== undefined && !isServerName(serverName))
        throw new ScriptFault('TLSSocket: the option "tls_sni" must be a host name, no address');
      const where = 'TLSSocket: the option';
      const context = secureContextOf(
        {
          protocols:
            options.tls_protocols === undefined
              ? undefined
              : parseTlsProtocols(options.tls_protocols, `${where} "tls_protocols"`),
          ciphers: options.tls_ciphers,
          usesSystemCa: options.tls_default_ca,
          clientKey,
        },
        'TLSSocket',
      );
      const names = namesOf(options.tls_verify_name);
      const plain = socket.take();
      const session =
        plain === undefined
          ? undefined
          : new TlsSession(socket, plain, {
              context,
              serverName,
              verifiesChain: options.tls_verify_ca,
              names,
            });
      return { object, socket, session } satisfies TlsSocketState;
    },
  }),
  methods: [
    on({
      name: 'handshake',
      summary: 'Agrees with the peer on keys, and verifies its certificate as far as the options ask for it.',
      example:
        'TLSSocket(Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443))->handshake() != none  // true',
      source,
      params: [],
      returns: 'object|none',
      errors:
        'None, with errno: EACCES when the certificate is not accepted, EPROTO when the two cannot agree; the connection is closed.',
      suspends: true,
      run: async (state, ctx) => {
        const { session, socket } = state;
        const { receiver = null } = ctx;
        const error =
          session === undefined ? 'ENOTCONN' : await session.handshake(socket.patience(ctx.signal));
        return error === undefined ? receiver : (socket.fail(error) ?? null);
      },
    }),
    on({
      name: 'recv',
      summary: 'Receives up to a number of bytes; the empty text when the peer has ended the stream.',
      example:
        '$tls = TLSSocket(Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443));\n' +
        '$tls->send("Hello");\n' +
        'echo $tls->recv(1024);  // Hello',
      source,
      params: [{ name: 'bytes', type: 'number' }],
      returns: 'string|none',
      errors: 'None, with errno; an exception for a wrong number.',
      suspends: true,
      run: async ({ session, socket }, bytes, ctx) => {
        const count = countOf('TLSSocket->recv', bytes);
        if (session === undefined) return socket.fail('ENOTCONN') ?? null;
        const received = await session.receive(count, NO_FLAGS, socket.patience(ctx.signal), (more) =>
          ctx.charge(more),
        );
        return receivedValue(socket, received);
      },
    }),
    on({
      name: 'send',
      summary: 'Sends bytes, after the handshake if that was not made; gives how many were taken.',
      example: 'TLSSocket(Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443))->send("Hello")  // 5',
      source,
      params: [{ name: 'data', type: 'string' }],
      returns: 'number|none',
      errors: 'None, with errno, also when the handshake fails.',
      suspends: true,
      run: async ({ session, socket }, data, ctx) => {
        if (session === undefined) return socket.fail('ENOTCONN') ?? null;
        return sentValue(
          socket,
          await session.send(Buffer.from(data, 'latin1'), socket.patience(ctx.signal)),
        );
      },
    }),
    on({
      name: 'shutdown',
      summary:
        'Tells the peer that no more comes; 0 when it has not answered yet (call again), 1 when both sides are closed.',
      details: 'The second call waits for the peer; what it still sends is thrown away.',
      example:
        '$tls = TLSSocket(Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443));\n' +
        '$tls->handshake();\n' +
        'echo $tls->shutdown();  // 0\n' +
        'echo $tls->shutdown();  // 1',
      source,
      params: [],
      returns: 'number|none',
      errors: 'None, with errno.',
      suspends: true,
      run: async ({ session, socket }, ctx) => {
        const end = session === undefined ? 'ENOTCONN' : await session.shutdown(socket.patience(ctx.signal));
        return typeof end === 'number' ? end : (socket.fail(end) ?? null);
      },
    }),
    on({
      name: 'errno',
      summary: 'Gives the number of the last error of the socket; 0 while there was none.',
      example: 'TLSSocket(Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443))->errno()  // 0',
      source,
      params: [],
      returns: 'number',
      run: ({ socket }) => socket.errno,
    }),
    on({
      name: 'getpeerx509',
      summary: 'Gives the certificate of the peer, also of one that was not accepted.',
      example:
        '$tls = TLSSocket(Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443));\n' +
        '$tls->handshake();\n' +
        'echo $tls->getpeerx509()->subject()[2];  // [0=>"CN",1=>"mx.example.com"]',
      source,
      params: [],
      returns: 'object|none',
      errors: 'None before the handshake, or when the peer showed none.',
      run: ({ session }, ctx) => peerCertificateValue(session?.certificate, ctx),
    }),
    on({
      name: 'toSocket',
      summary: 'Gives the Socket beneath, for its settimeout and close.',
      example:
        '$s = Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7443);\n' +
        'echo TLSSocket($s)->toSocket() === $s;  // true',
      source,
      params: [],
      returns: 'object',
      run: ({ object }) => object,
    }),
  ],
});
