import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenForTest, tcpServer } from '../../support/loopback-server.js';
import { runNetworkScript } from '../../support/network-script.js';
import { freePort } from '../../support/peers.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const { errno } = constants;
const echo = (): Promise<number> => tcpServer((socket) => socket.pipe(socket));

const connected = (port: number): string =>
  `$s = Socket("AF_INET", "SOCK_STREAM"); $s->settimeout(60); $s->connect("127.0.0.1", ${port});`;

async function echoes(script: string): Promise<readonly string[]> {
  return (await runNetworkScript(script)).echoes;
}

describe('a stream', () => {
  test('gives back what an echo server was sent', async () => {
    const port = await echo();
    expect(
      await echoes(
        `${connected(port)} echo $s->send("a\\x00\\xff\\r\\n"); echo $s->recv(5, "MSG_WAITALL") === "a\\x00\\xff\\r\\n";`,
      ),
    ).toEqual(['5', 'true']);
  });

  test('any split of sends gives the same bytes, whatever the receiver asks for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (pieces, counts, waitAll) => {
          const whole = Buffer.concat(pieces);
          const server = createServer((socket) => {
            socket.on('error', () => {});
            for (const piece of pieces) socket.write(piece);
            socket.end();
          });
          server.listen(0, '127.0.0.1');
          await once(server, 'listening');
          const { port } = server.address() as { port: number };
          const script = `${connected(port)} $counts = [${counts.join(', ')}]; $all = ""; $i = 0;
            while (true) {
              $part = $s->recv($counts[$i % length($counts)]${waitAll ? ', "MSG_WAITALL"' : ''});
              if ($part === none) { echo "failed"; break; }
              if ($part === "") break;
              $all .= $part; $i += 1;
            }
            echo base64_encode($all);`;
          const [text] = await echoes(script);
          server.close();
          expect(Buffer.from(text!, 'base64').equals(whole)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('peeks without taking, and waits for all', async () => {
    const port = await tcpServer((socket) => {
      socket.write('one');
      socket.once('data', () => socket.write('two'));
    });
    expect(
      await echoes(`${connected(port)}
        echo $s->recv(2, "MSG_PEEK"); echo $s->recv(3, ["MSG_PEEK", "MSG_WAITALL"]);
        $s->send("go"); echo $s->recv(6, "MSG_WAITALL");`),
    ).toEqual(['on', 'one', 'onetwo']);
  });

  test('does not wait with MSG_DONTWAIT', async () => {
    const port = await tcpServer(() => {});
    expect(
      await echoes(`${connected(port)} echo $s->recv(1, "MSG_DONTWAIT") === none; echo $s->errno();`),
    ).toEqual(['true', String(errno.EAGAIN)]);
  });

  test('gives what came before the peer ended, then the empty text', async () => {
    const port = await tcpServer((socket) => socket.end('bye'));
    expect(
      await echoes(
        `${connected(port)} echo $s->recv(10, "MSG_WAITALL"); echo $s->recv(10) === ""; echo $s->recv(10) === "";`,
      ),
    ).toEqual(['bye', 'true', 'true']);
  });

  test('gives up on a silent peer when its time is up', async () => {
    const port = await tcpServer(() => {});
    const run = await runNetworkScript(
      `${connected(port)} $s->settimeout(0.2); echo $s->recv(1) === none; echo $s->errno();`,
    );
    expect(run.echoes).toEqual(['true', String(errno.ETIMEDOUT)]);
    expect(run.seconds).toBeLessThan(20);
  });

  test('gives what it has when a wait for all runs out of time', async () => {
    const port = await tcpServer((socket) => socket.write('part'));
    expect(await echoes(`${connected(port)} $s->settimeout(0.2); echo $s->recv(10, "MSG_WAITALL");`)).toEqual(
      ['part'],
    );
  });

  test('tells a reset by its number', async () => {
    const port = await tcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(
      await echoes(`${connected(port)} $s->send("x"); echo $s->recv(1) === none; echo $s->errno();`),
    ).toEqual(['true', String(errno.ECONNRESET)]);
  });

  test('tells a refused connection by its number', async () => {
    const port = await freePort();
    expect(
      await echoes(
        `$s = Socket("AF_INET", "SOCK_STREAM"); echo $s->connect("127.0.0.1", ${port}) === none; echo $s->errno();`,
      ),
    ).toEqual(['true', String(errno.ECONNREFUSED)]);
  });

  test('receives no more than a bound ahead of the script, from a peer without end', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(65536, 'x');
    const flood = (socket: Socket): void => {
      while (socket.write(chunk)) sent += chunk.length;
      sent += chunk.length;
    };
    const port = await tcpServer((socket) => {
      flood(socket);
      socket.on('drain', () => flood(socket));
    });
    expect(
      await echoes(
        `${connected(port)} echo $s->recv(1); sleep(0.3); echo length($s->recv(100000000)) < 400000;`,
      ),
    ).toEqual(['x', 'true']);
    // The kernel's buffers on both sides hold a few MiB; our own part is the bound.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test('sends no more than a bound ahead of a peer that takes nothing', async () => {
    const port = await tcpServer((socket) => socket.pause());
    const run = await runNetworkScript(
      `${connected(port)} $s->settimeout(0.3); $data = str_repeat("x", 33554432);
       $n = $s->send($data); echo $n > 0 and $n < 33554432; echo $s->send("more") === none; echo $s->errno();`,
    );
    expect(run.echoes).toEqual(['true', 'true', String(errno.ETIMEDOUT)]);
  });

  test('sends a large text whole to a slow peer', async () => {
    let received = 0;
    const port = await tcpServer((socket) => {
      socket.on('data', (data: Buffer) => {
        received += data.length;
      });
      socket.on('end', () => socket.end(String(received)));
    });
    expect(
      await echoes(
        `${connected(port)} echo $s->send(str_repeat("x", 5000000)); $s->shutdown("SHUT_WR"); echo $s->recv(20);`,
      ),
    ).toEqual(['5000000', '5000000']);
  });

  test('half closes: what the peer still says is received', async () => {
    const port = await tcpServer((socket) => {
      socket.resume();
      socket.on('end', () => socket.end('after the end'));
    });
    expect(
      await echoes(
        `${connected(port)} echo $s->shutdown("SHUT_WR") != none; echo $s->recv(100, "MSG_WAITALL"); echo $s->send("x") === none; echo $s->errno();`,
      ),
    ).toEqual(['true', 'after the end', 'true', String(errno.EPIPE)]);
  });

  test('with its reading shut ends at once', async () => {
    const port = await tcpServer((socket) => socket.write('unread'));
    expect(await echoes(`${connected(port)} $s->shutdown("SHUT_RD"); echo $s->recv(10) === "";`)).toEqual([
      'true',
    ]);
  });

  test('what was sent before close still arrives', async () => {
    let all = 0;
    let done: (count: number) => void;
    const count = new Promise<number>((resolve) => {
      done = resolve;
    });
    const port = await tcpServer((socket) => {
      socket.on('data', (data: Buffer) => {
        all += data.length;
      });
      socket.on('end', () => done(all));
    });
    await echoes(`${connected(port)} $s->send(str_repeat("x", 200000)); $s->close();`);
    expect(await count).toBe(200000);
  });

  test('is closed when its execution ends', async () => {
    let closed: () => void;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const port = await tcpServer((socket) => {
      socket.resume();
      socket.once('end', () => closed());
      socket.once('error', () => closed());
    });
    await echoes(connected(port));
    await isClosed;
  });

  test('that waits is given up when its execution is cancelled', async () => {
    const port = await tcpServer(() => {});
    const run = await runNetworkScript(
      `${connected(port)} echo "waits"; $s->recv(1); echo "not here";`,
      {},
      0.2,
    );
    expect(run.echoes).toEqual(['waits']);
    expect(run.seconds).toBeLessThan(20);
  });

  test('takes its own address, and refuses one that is not this machine’s', async () => {
    const port = await tcpServer((socket) => socket.end(socket.remoteAddress ?? ''));
    expect(
      await echoes(`$s = Socket("AF_INET", "SOCK_STREAM"); echo $s->bind("127.0.0.2") != none; $s->connect("127.0.0.1", ${port});
        echo $s->recv(20, "MSG_WAITALL");
        $t = Socket("AF_INET", "SOCK_STREAM"); echo $t->bind("192.0.2.1", 0, ["nonlocal" => true]) === none; echo $t->errno();`),
    ).toEqual(['true', '127.0.0.2', 'true', String(errno.EADDRNOTAVAIL)]);
  });

  test('takes its own port', async () => {
    const own = await freePort();
    const port = await tcpServer((socket) => socket.end(String(socket.remotePort)));
    expect(
      await echoes(
        `$s = Socket("AF_INET", "SOCK_STREAM"); $s->bind("127.0.0.1", ${own}); $s->connect("127.0.0.1", ${port}); echo $s->recv(20, "MSG_WAITALL");`,
      ),
    ).toEqual([String(own)]);
  });

  test('speaks over a UNIX socket', async () => {
    const place = path.join(scratchFolder(), 'socket');
    const server = createServer((socket) => socket.pipe(socket));
    server.listen(place);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    expect(
      await echoes(
        `$s = Socket("AF_UNIX", "SOCK_STREAM"); echo $s->connect("${place}") != none; $s->send("hi"); echo $s->recv(2); echo $s->connect("${place}") === none; echo $s->errno();`,
      ),
    ).toEqual(['true', 'hi', 'true', String(errno.EISCONN)]);
  });

  test('speaks over IPv6', async () => {
    const port = await listenForTest(
      createServer((socket) => socket.pipe(socket)),
      '::1',
    );
    expect(
      await echoes(
        `$s = Socket("AF_INET6", "SOCK_STREAM"); $s->connect("::1", ${port}); $s->send("six"); echo $s->recv(3);`,
      ),
    ).toEqual(['six']);
  });

  test('gives itself, the very same object, when something succeeds', async () => {
    const port = await echo();
    expect(
      await echoes(`$s = Socket("AF_INET", "SOCK_STREAM"); echo $s->settimeout(5) === $s; echo $s->bind("127.0.0.1") === $s;
        echo $s->connect("127.0.0.1", ${port}) === $s; echo $s->shutdown("SHUT_WR") === $s; echo $s->close() === $s;`),
    ).toEqual(['true', 'true', 'true', 'true', 'true']);
  });

  test('chains: what succeeds gives the socket', async () => {
    const port = await echo();
    expect(
      await echoes(
        `echo Socket("AF_INET", "SOCK_STREAM")->settimeout(5)->connect("127.0.0.1", ${port})->send("x");`,
      ),
    ).toEqual(['1']);
  });
});

describe('what is wrong is told', () => {
  test.each([
    ['$s->connect("localhost", 25)', errno.EINVAL],
    ['$s->connect("::1", 25)', errno.EAFNOSUPPORT],
    ['$s->recv(1)', errno.ENOTCONN],
    ['$s->send("x")', errno.ENOTCONN],
    ['$s->shutdown("SHUT_WR")', errno.ENOTCONN],
  ])('%s is none, with errno %i', async (call, number) => {
    expect(
      await echoes(`$s = Socket("AF_INET", "SOCK_STREAM"); echo ${call} === none; echo $s->errno();`),
    ).toEqual(['true', String(number)]);
  });

  test('a UNIX datagram socket cannot be had', async () => {
    expect(
      await echoes(
        `$s = Socket("AF_UNIX", "SOCK_DGRAM"); echo $s->connect("/tmp/x") === none; echo $s->errno();`,
      ),
    ).toEqual(['true', String(errno.EPROTONOSUPPORT)]);
  });

  test.each([
    [
      'Socket("AF_X", "SOCK_STREAM")',
      /Socket: the family must be one of AF_INET, AF_INET6, AF_UNIX, not "AF_X"/,
    ],
    ['Socket("AF_INET", "SOCK_RAW")', /Socket: the type must be one of/],
    [
      '$s->connect("127.0.0.1", 0)',
      /Socket->connect: the port must be a whole number from 1 to 65535, not 0/,
    ],
    ['$s->connect("127.0.0.1")', /the port must be .* not left out/],
    ['$s->settimeout(-1)', /the seconds must be 0 or more/],
    ['$s->recv(-1)', /Socket->recv: the number of bytes must be from 0/],
    ['$s->recv(1000000000000)', /Socket->recv: the number of bytes must be from 0/],
    ['$s->recv(1, "MSG_OOB")', /a flag must be one of MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT/],
    ['$s->shutdown("SHUT_UP")', /the direction must be one of/],
    ['$s->close()->recv(1)', /Socket->recv: the socket is closed/],
  ])('%s is an exception', async (call, message) => {
    expect((await echoes(`$s = Socket("AF_INET", "SOCK_STREAM"); ${call};`)).join()).toMatch(message);
  });
});

describe('a datagram socket', () => {
  async function udpEcho(): Promise<number> {
    const server = createSocket('udp4');
    server.on('message', (message, from) => server.send(message, from.port, from.address));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return server.address().port;
  }

  test('sends and receives whole datagrams, cut to what was asked for', async () => {
    const port = await udpEcho();
    expect(
      await echoes(`$s = Socket("AF_INET", "SOCK_DGRAM"); $s->settimeout(5); $s->connect("127.0.0.1", ${port});
        echo $s->send("first"); $s->send("second");
        echo $s->recv(100, "MSG_PEEK"); echo $s->recv(3); echo $s->recv(100);`),
    ).toEqual(['5', 'first', 'fir', 'second']);
  });

  test('needs an address to send to, and gives up waiting', async () => {
    expect(
      await echoes(`$s = Socket("AF_INET", "SOCK_DGRAM"); $s->settimeout(0.1); echo $s->send("x") === none; echo $s->errno();
        echo $s->bind("127.0.0.1") != none; echo $s->recv(1) === none; echo $s->errno();`),
    ).toEqual(['true', String(errno.EDESTADDRREQ), 'true', 'true', String(errno.ETIMEDOUT)]);
  });

  test('tells that nobody listens', async () => {
    const server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    expect(
      await echoes(`$s = Socket("AF_INET", "SOCK_DGRAM"); $s->settimeout(2); $s->connect("127.0.0.1", ${port});
        $s->send("x"); echo $s->recv(1) === none; echo $s->errno();`),
    ).toEqual(['true', String(errno.ECONNREFUSED)]);
  });
});
