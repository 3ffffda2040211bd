// The server of `bench -- dns`, in a process of its own: answers every question with one A record, as cheaply as it can.

import { createSocket } from 'node:dgram';

/** The owner is the question's name, A, IN, 300 s, 192.0.2.1. */
const ANSWER = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1]);

/** The question ends behind the root label, type and class. */
function endOfQuestion(query: Buffer): number {
  let at = 12;
  while (query[at] !== 0) at += query[at]! + 1;
  return at + 5;
}

const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
socket.on('message', (query, { port, address }) => {
  const response = Buffer.concat([query.subarray(0, endOfQuestion(query)), ANSWER]);
  // A response, recursion available, one answer and nothing behind it.
  response.writeUInt16BE(0x8180, 2);
  response.writeUInt16BE(1, 6);
  response.writeUInt16BE(0, 10);
  socket.send(response, port, address);
});
socket.bind(0, '127.0.0.1', () => process.send?.(socket.address().port));
process.on('disconnect', () => process.exit());
