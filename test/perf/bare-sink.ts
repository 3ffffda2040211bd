// The next hop of the mail benchmarks, in a process of its own: the least that takes a mail by pipelined SMTP. It counts,
// and says on stdout when a count asked for on stdin is reached. `node bare-sink.js [ADDRESS PORT]`

import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const endOfData = Buffer.from('\r\n.\r\n');
let taken = 0;
let wanted = Number.POSITIVE_INFINITY;

function check(): void {
  if (taken < wanted) return;
  wanted = Number.POSITIVE_INFINITY;
  process.stdout.write('reached\n');
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.write('220 sink.test ESMTP\r\n');
  socket.on('error', () => {});
  let rest: Buffer | undefined;
  let inData = false;
  socket.on('data', (chunk: Buffer) => {
    let buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    rest = undefined;
    let replies = '';
    for (;;) {
      if (inData) {
        const end = buffer.indexOf(endOfData);
        if (end === -1) {
          // Only what could begin the end mark must be kept.
          rest = buffer.subarray(Math.max(0, buffer.length - 4));
          break;
        }
        buffer = buffer.subarray(end + 5);
        inData = false;
        taken++;
        replies += '250 2.0.0 ok\r\n';
        continue;
      }
      const end = buffer.indexOf(10);
      if (end === -1) {
        if (buffer.length > 0) rest = buffer;
        break;
      }
      const verb = buffer.toString('latin1', 0, 4).toUpperCase();
      buffer = buffer.subarray(end + 1);
      if (verb === 'EHLO')
        replies +=
          '250-sink.test\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n';
      else if (verb === 'DATA') {
        inData = true;
        replies += '354 go on\r\n';
        // An empty message ends right away; keep the line end that the end mark needs.
        buffer = Buffer.concat([Buffer.from('\r\n'), buffer]);
      } else if (verb === 'QUIT') {
        socket.end(`${replies}221 2.0.0 bye\r\n`);
        check();
        return;
      } else replies += '250 2.0.0 ok\r\n';
    }
    if (replies !== '') socket.write(replies, 'latin1');
    check();
  });
});

const [address = '127.0.0.1', port = '0'] = process.argv.slice(2);
server.listen(Number(port), address, 4096, () => {
  process.stdout.write(`${(server.address() as { port: number }).port}\n`);
});
// "N": say so when N more messages have come.
createInterface({ input: process.stdin }).on('line', (line) => {
  wanted = taken + Number(line);
  check();
});
process.stdin.once('end', () => process.exit(0));
