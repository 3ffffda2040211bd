// The class Socket (stdlib 14).

import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import {
  type CallContext,
  type HslArray,
  type HslObject,
  HslResource,
  method,
  type NativeClass,
  nativeClass,
  ScriptFault,
  staticMethod,
  type Value,
} from '#lang';
import { LONGEST_TEXT_BYTES } from '../limits.js';
import { NO_FLAGS, type Received, type ReceiveFlags, type Sent } from './byte-stream.js';
import { LONGEST_WAIT_SECONDS } from './patience.js';
import { type Family, families, type Kind, kinds, ScriptSocket, type ShutdownHow } from './socket.js';

/** The word scripts see for a connection they can hand to `Socket::Resource()`; its payload is a node:net Socket. */
export const SOCKET_RESOURCE = 'SocketResource';

const on = method<ScriptSocket>();
const source = 'stdlib 14';

function oneOf<T extends string>(called: string, what: string, allowed: readonly T[], given: string): T {
  const found = allowed.find((word) => word === given);
  if (found === undefined)
    throw new ScriptFault(
      `${called}: ${what} must be one of ${allowed.join(', ')}, not "${given.slice(0, 40)}"`,
    );
  return found;
}

function portOf(called: string, port: number | undefined, lowest: 0 | 1): number {
  if (port === undefined || !Number.isInteger(port) || port < lowest || port > 65535)
    throw new ScriptFault(
      `${called}: the port must be a whole number from ${lowest} to 65535, not ${port === undefined ? 'left out' : port}`,
    );
  return port;
}

/** A count of bytes to receive. @throws ScriptFault */
export function countOf(called: string, count: number): number {
  if (!(count >= 0 && count <= LONGEST_TEXT_BYTES))
    throw new ScriptFault(
      `${called}: the number of bytes must be from 0 to ${LONGEST_TEXT_BYTES}, not ${count}`,
    );
  return Math.trunc(count);
}

const FLAGS: Readonly<Record<string, keyof ReceiveFlags>> = {
  MSG_PEEK: 'peek',
  MSG_WAITALL: 'waitAll',
  MSG_DONTWAIT: 'dontWait',
};

function flagsOf(called: string, given: string | HslArray | undefined): ReceiveFlags {
  if (given === undefined) return NO_FLAGS;
  const words = typeof given === 'string' ? (given === '' ? [] : [given]) : given.toList();
  const flags = { ...NO_FLAGS } as Record<keyof ReceiveFlags, boolean>;
  for (const word of words) {
    const flag = typeof word === 'string' ? FLAGS[word] : undefined;
    if (flag === undefined)
      throw new ScriptFault(`${called}: a flag must be one of ${Object.keys(FLAGS).join(', ')}`);
    flags[flag] = true;
  }
  return flags;
}

/** What `recv` gives for what came. */
export function receivedValue(socket: ScriptSocket, received: Received): Value {
  if (received.kind === 'failure') return socket.fail(received.error) ?? null;
  return received.bytes.toString('latin1');
}

/** What `send` gives. */
export function sentValue(socket: ScriptSocket, sent: Sent): Value {
  return sent.kind === 'failure' ? (socket.fail(sent.error) ?? null) : sent.count;
}

/** Seconds for `settimeout`. @throws ScriptFault */
function secondsOf(called: string, seconds: number): number {
  if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY))
    throw new ScriptFault(`${called}: the seconds must be 0 or more, not ${seconds}`);
  return seconds;
}

export const socketClass: NativeClass<ScriptSocket> = nativeClass<ScriptSocket>({
  name: 'Socket',
  group: 'sockets',
  summary: 'A connection to another program, by TCP, UDP or a UNIX socket.',
  details:
    'Every operation that waits gives up after `settimeout` seconds, or after ' +
    `${LONGEST_WAIT_SECONDS} seconds when no time is set (the original waits without end), and when the execution ends; the socket is ` +
    'closed then. A failure is none, and `errno()` says why. Up to 256 KiB are received ahead and up to 256 KiB sent ' +
    'of the peer; the rest waits on the other side.\n\n' +
    'A call on a closed socket is an exception. There is no listening and no AF_UNIX with SOCK_DGRAM (EPROTONOSUPPORT).',
  example:
    '$s = Socket("AF_INET", "SOCK_STREAM");\n' +
    '$s->settimeout(5);\n' +
    'if ($s->connect("127.0.0.1", 7007) and $s->send("Hello") == 5)\n' +
    '    echo $s->recv(5, "MSG_WAITALL");  // Hello\n' +
    '$s->close();',
  source,
  constructorOf: staticMethod({
    name: 'Socket',
    summary: 'Makes a socket that is not connected yet.',
    params: [
      { name: 'family', type: 'string', doc: 'AF_INET, AF_INET6 or AF_UNIX.' },
      { name: 'type', type: 'string', doc: 'SOCK_STREAM or SOCK_DGRAM.' },
    ],
    returns: 'object',
    errors: 'An exception for any other word.',
    run: (family: string, type: string, ctx: CallContext) => {
      const socket = new ScriptSocket(
        oneOf<Family>('Socket', 'the family', families, family),
        oneOf<Kind>('Socket', 'the type', kinds, type),
      );
      ctx.own(socket);
      return socket;
    },
  }),
  methods: [
    on({
      name: 'bind',
      summary: 'Chooses the own address, and port, of the connection.',
      details:
        'A stream takes its port when it connects; EADDRINUSE is told then. An address that is not this machine’s own ' +
        'fails with EADDRNOTAVAIL, also with `nonlocal`.',
      example: 'Socket("AF_INET", "SOCK_DGRAM")->bind("127.0.0.1") != none  // true',
      source,
      params: [
        { name: 'address', type: 'string', doc: 'An IP address of the family.' },
        { name: 'port', type: 'number', default: 0, doc: '0 is any.' },
        {
          name: 'options',
          type: 'options',
          optional: true,
          keys: {
            nonlocal: {
              type: 'boolean',
              default: false,
              doc: 'Accepted; addresses of other machines cannot be bound here (EADDRNOTAVAIL).',
            },
          },
        },
      ],
      returns: 'object|none',
      errors: 'None, with errno; an exception for a wrong port.',
      suspends: true,
      run: async (socket, address, port, _options, ctx) => {
        socket.checkOpen('Socket->bind');
        const { receiver = null } = ctx;
        return (await socket.bind(address, portOf('Socket->bind', port, 0))) ? receiver : null;
      },
    }),
    on({
      name: 'connect',
      summary: 'Connects to an address, or on AF_UNIX to a path.',
      details:
        'A host name is no address: ask `dns_query` for its addresses. A datagram socket only remembers the peer.',
      example: 'Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7007) != none  // true',
      source,
      params: [
        { name: 'address', type: 'string', doc: 'An IP address of the family, or a path.' },
        { name: 'port', type: 'number', optional: true, doc: 'Needed unless the family is AF_UNIX.' },
      ],
      returns: 'object|none',
      errors: 'None, with errno (ECONNREFUSED, ETIMEDOUT, …); an exception for a wrong port.',
      suspends: true,
      run: async (socket, address, port, ctx) => {
        socket.checkOpen('Socket->connect');
        const to = socket.family === 'AF_UNIX' ? 0 : portOf('Socket->connect', port, 1);
        const { receiver = null } = ctx;
        return (await socket.connect(address, to, ctx.signal)) ? receiver : null;
      },
    }),
    on({
      name: 'settimeout',
      summary: 'Limits the time of every later operation.',
      example: 'Socket("AF_INET", "SOCK_STREAM")->settimeout(5) != none  // true',
      source,
      params: [
        {
          name: 'seconds',
          type: 'number',
          doc: `Fractions count; 0 is the default of ${LONGEST_WAIT_SECONDS} seconds.`,
        },
      ],
      returns: 'object',
      errors: 'An exception for a negative number.',
      run: (socket, seconds, ctx) => {
        socket.timeoutSeconds = secondsOf('Socket->settimeout', seconds);
        return ctx.receiver ?? null;
      },
    }),
    on({
      name: 'send',
      summary: 'Sends bytes; gives how many were taken.',
      details:
        'All of them, unless time was up before the peer took enough. A datagram socket sends one datagram to the ' +
        'address it is connected to.',
      example: 'Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7007)->send("Hello")  // 5',
      source,
      params: [{ name: 'data', type: 'string' }],
      returns: 'number|none',
      errors: 'None, with errno (EPIPE, ECONNRESET, ENOTCONN, ETIMEDOUT, …).',
      suspends: true,
      run: (socket, data, ctx) => {
        socket.checkOpen('Socket->send');
        const sent = socket.send(Buffer.from(data, 'latin1'), ctx.signal);
        return sent instanceof Promise
          ? sent.then((later) => sentValue(socket, later))
          : sentValue(socket, sent);
      },
    }),
    on({
      name: 'recv',
      summary: 'Receives up to a number of bytes; the empty text when the peer has ended the stream.',
      details:
        'It waits for the first byte and gives what is there then. Flags: MSG_PEEK leaves the bytes for the next call ' +
        '(at most 256 KiB), MSG_WAITALL waits for all of them, MSG_DONTWAIT does not wait (EAGAIN). A datagram socket ' +
        'gives one datagram, cut to the number. Bytes received when time is up are given; only without any it is none.',
      example:
        '$s = Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7007);\n' +
        '$s->send("Hello");\n' +
        'echo $s->recv(4, ["MSG_PEEK", "MSG_WAITALL"]);  // Hell\n' +
        'echo $s->recv(5, "MSG_WAITALL");  // Hello',
      source,
      params: [
        { name: 'bytes', type: 'number' },
        { name: 'flags', type: 'string|array', optional: true, doc: 'One flag, or a list of them.' },
      ],
      returns: 'string|none',
      errors:
        'None, with errno (ETIMEDOUT, EAGAIN, ECONNRESET, ENOTCONN, …); an exception for a wrong number or flag.',
      suspends: true,
      run: (socket, bytes, flags, ctx) => {
        socket.checkOpen('Socket->recv');
        const count = countOf('Socket->recv', bytes);
        const wanted = flagsOf('Socket->recv', flags);
        const received = socket.receive(count, wanted, ctx.signal, (more) => ctx.charge(more));
        return received instanceof Promise
          ? received.then((later) => receivedValue(socket, later))
          : receivedValue(socket, received);
      },
    }),
    on({
      name: 'shutdown',
      summary: 'Closes one direction, or both, of a connection.',
      example:
        'Socket("AF_INET", "SOCK_STREAM")->connect("127.0.0.1", 7007)->shutdown("SHUT_WR") != none  // true',
      source,
      params: [{ name: 'how', type: 'string', doc: 'SHUT_RD, SHUT_WR or SHUT_RDWR.' }],
      returns: 'object|none',
      errors: 'None, with errno (ENOTCONN); an exception for another word.',
      run: (socket, how, ctx) => {
        socket.checkOpen('Socket->shutdown');
        const ways = ['SHUT_RD', 'SHUT_WR', 'SHUT_RDWR'] as const;
        const way = oneOf<ShutdownHow>('Socket->shutdown', 'the direction', ways, how);
        return socket.shutdown(way) ? (ctx.receiver ?? null) : null;
      },
    }),
    on({
      name: 'close',
      summary: 'Closes the socket; what was sent still goes out.',
      example: 'Socket("AF_INET", "SOCK_STREAM")->close() != none  // true',
      source,
      params: [],
      returns: 'object',
      run: (socket, ctx) => {
        socket.close();
        ctx.disown(socket);
        return ctx.receiver ?? null;
      },
    }),
    on({
      name: 'errno',
      summary: 'Gives the number of the last error, as <errno.h> has it; 0 while there was none.',
      details: 'For example 11 EAGAIN, 104 ECONNRESET, 110 ETIMEDOUT, 111 ECONNREFUSED.',
      example: 'Socket("AF_INET", "SOCK_STREAM")->errno()  // 0',
      source,
      params: [],
      returns: 'number',
      run: (socket) => socket.errno,
    }),
  ],
  statics: [
    staticMethod({
      name: 'AF',
      summary: 'Says of which family an address is.',
      example:
        'Socket::AF("127.0.0.1")  // "AF_INET"\nSocket::AF("::1")  // "AF_INET6"\nSocket::AF("localhost")  // null',
      source,
      params: [{ name: 'address', type: 'string' }],
      returns: 'string|none',
      errors: 'None when it is no IP address.',
      run: (address: string) => [null, 'AF_INET', 'AF_INET6'][[0, 4, 6].indexOf(isIP(address))] ?? null,
    }),
    staticMethod({
      name: 'Resource',
      summary: 'Makes a Socket of a connection resource.',
      example: 'Socket::Resource(none)  // null',
      source,
      params: [{ name: 'resource', type: 'any', doc: 'A SocketResource.' }],
      returns: 'object|none',
      errors: 'None when it is anything else.',
      run: (resource: Value, ctx: CallContext) => {
        if (!(resource instanceof HslResource) || resource.type !== SOCKET_RESOURCE) return null;
        const socket = ScriptSocket.around(resource.payload as Socket);
        ctx.own(socket);
        return ctx.instantiate(socketClass, socket);
      },
    }),
  ],
});

/** The socket that an object stands for. @throws ScriptFault when it is no Socket */
export function socketOf(called: string, object: HslObject): ScriptSocket {
  if (object.classOf !== socketClass)
    throw new ScriptFault(`${called}: expected a Socket, found an object of ${object.classOf.name}`);
  return object.state as ScriptSocket;
}
