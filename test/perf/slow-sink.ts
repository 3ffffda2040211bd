// A next hop in a process of its own, for bench outbound: it takes connections on several addresses of loopback, and either
// answers at once, or holds each connection at one point of the dialogue until it is told to go on. It takes the client's
// bytes apart in the plainest way there is.
//
//   argv: addresses, the point (`none`, `BANNER`, `EOD`), milliseconds before every answer
//   messages: `go` lets all that are held go on; answers are the numbers of connections and messages

import { createServer, type Server, type Socket } from 'node:net';

/** What the sink tells. */
export interface SinkCounts {
  readonly open: number;
  readonly held: number;
  readonly messages: number;
}

const [addresses = '1', point = 'none', delay = '0'] = process.argv.slice(2);
const delayMs = Number(delay);
let isHolding = point !== 'none';
let open = 0;
let messages = 0;
let held: (() => void)[] = [];

function answer(socket: Socket, text: string, at?: string): void {
  const say = () => {
    if (!socket.destroyed) socket.write(text, 'latin1');
  };
  if (isHolding && at === point) held.push(say);
  else if (delayMs > 0) setTimeout(say, delayMs);
  else say();
}

function serve(socket: Socket): void {
  open++;
  let isInMessage = false;
  let rest = '';
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => open--);
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    for (;;) {
      if (isInMessage) {
        const end = rest.indexOf('\r\n.\r\n');
        if (end === -1) {
          rest = rest.slice(-4);
          return;
        }
        rest = rest.slice(end + 5);
        isInMessage = false;
        messages++;
        answer(socket, '250 2.0.0 taken\r\n', 'EOD');
        continue;
      }
      const end = rest.indexOf('\r\n');
      if (end === -1) return;
      const verb = rest.slice(0, 4).toUpperCase();
      rest = rest.slice(end + 2);
      if (verb === 'EHLO') answer(socket, '250-sink.test\r\n250 PIPELINING\r\n');
      else if (verb === 'DATA') {
        isInMessage = true;
        answer(socket, '354 go ahead\r\n');
      } else if (verb === 'QUIT') socket.end('221 2.0.0 bye\r\n');
      else answer(socket, '250 2.1.0 ok\r\n');
    }
  });
  answer(socket, '220 sink.test ESMTP\r\n', 'BANNER');
}

const servers: Server[] = [];
const ports: { ip: string; port: number }[] = [];
for (let index = 0; index < Number(addresses); index++) {
  const server = createServer(serve);
  const ip = `127.0.0.${2 + index}`;
  await new Promise<void>((resolve) => server.listen({ host: ip, port: 0, backlog: 4096 }, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the sink has no port');
  ports.push({ ip, port: address.port });
  servers.push(server);
}

process.on('message', (message) => {
  if (message === 'go') {
    isHolding = false;
    const waiting = held;
    held = [];
    for (const say of waiting) say();
  }
  process.send!({ open, held: held.length, messages } satisfies SinkCounts);
});
process.on('disconnect', () => process.exit());
process.send!({ ports });
