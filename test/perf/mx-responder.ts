// The name server of `bench -- relay --mx`, in a process of its own: every domain has one mail host, every host one address.
// `node mx-responder.js ADDRESS PORT HOST_ADDRESS`

import { createSocket } from 'node:dgram';
import packet from 'dns-packet';

const [address, port, hostAddress] = process.argv.slice(2) as [string, string, string];

const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
socket.on('message', (bytes, peer) => {
  const query = packet.decode(bytes);
  const question = query.questions?.[0];
  if (question === undefined) return;
  const { name, type } = question;
  const answers: packet.Answer[] = [];
  if (type === 'MX' && !name.startsWith('mx.'))
    answers.push({ name, type, ttl: 300, data: { preference: 10, exchange: `mx.${name}` } });
  else if (type === 'A' && name.startsWith('mx.')) answers.push({ name, type, ttl: 300, data: hostAddress });
  const flags = packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE;
  const response = packet.encode({
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    flags,
    questions: [question],
    answers,
  });
  socket.send(response, peer.port, peer.address);
});
socket.bind(Number(port), address, () => process.stdout.write('listening\n'));
process.stdin.once('end', () => process.exit(0));
process.stdin.resume();
