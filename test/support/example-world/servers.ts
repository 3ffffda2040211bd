// The servers that examples talk to, on any free port of 127.0.0.1. An example writes the port it would have in life; the
// world puts the real one in its place.

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import { certificate, rsaKey } from './keys.js';
import { answerLdap } from './ldap-answers.js';

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

async function listen(server: Server): Promise<RunningServer> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += (chunk as Buffer).toString('latin1');
  return body;
}

/** What each path answers: status, then body. */
async function pageOf(request: IncomingMessage): Promise<readonly [number, string]> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  switch (pathname) {
    case '/hello':
      return [200, 'Hello'];
    case '/users/alice':
      return [200, '{"name":"Alice","quota":100}'];
    case '/url':
      return [200, request.url ?? ''];
    case '/method':
      return [200, request.method ?? ''];
    case '/echo':
      return [200, await bodyOf(request)];
    case '/agent':
      return [200, request.headers['user-agent'] ?? ''];
    default:
      return [404, 'Not found'];
  }
}

/** `/hello`, `/users/alice` (JSON), `/url`, `/method`, `/agent` tell what was asked; `/echo` gives the body back. */
function http(): Promise<RunningServer> {
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [status, body] = await pageOf(request);
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(body, 'latin1');
  };
  return listen(createHttpServer((request, response) => void reply(request, response)));
}

/** Gives back what it gets. */
function echo(): Promise<RunningServer> {
  return listen(createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)));
}

/** The same inside TLS, with the certificate of mx.example.com. */
function tlsEcho(): Promise<RunningServer> {
  const server = createTlsServer({ key: rsaKey, cert: certificate }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  return listen(server);
}

/** Accepts mail for everyone but `unknown@`, and lets alice in with the password `secret`. */
async function smtp(): Promise<RunningServer> {
  const server = new SMTPServer({
    name: 'mx.example.com',
    key: rsaKey,
    cert: certificate,
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, callback) => {
      if (username === 'alice' && password === 'secret') callback(null, { user: username });
      else callback(refusal('Wrong user name or password', 535));
    },
    onRcptTo: ({ address }, _session, callback) =>
      callback(address.startsWith('unknown@') ? refusal('No such user', 550) : null),
    onData: (stream, _session, callback) => {
      stream.on('end', () => callback(null, 'Message taken'));
      stream.resume();
    },
  });
  server.on('error', () => {});
  const listener = server.listen(0, '127.0.0.1') as unknown as Server;
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function refusal(message: string, responseCode: number): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** A directory with one person, `uid=alice,ou=people,dc=example,dc=com`, password `secret`. */
function ldap(): Promise<RunningServer> {
  return listen(
    createServer((socket) => {
      let waiting: Buffer = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        waiting = answerLdap(Buffer.concat([waiting, chunk]), socket);
      });
    }),
  );
}

/** The servers by the port that examples write. */
export const servers: Readonly<Record<string, () => Promise<RunningServer>>> = {
  8080: http,
  7007: echo,
  7443: tlsEcho,
  2525: smtp,
  3890: ldap,
};
