// Opens real sockets. Beside what node:net does, one can come from an address that is not of this machine (`nonlocal_source`,
// hooks 12.1): Node binds only what the kernel calls ours, so the addon makes and binds such a socket and Node takes it over.

import { connect, Socket, type SocketConstructorOpts } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { native } from '../../native/index.js';
import type { NetConnect, NetTarget } from './connection.js';

/** Connects over TCP. */
export const systemConnect: NetConnect = ({ isNonlocal, ...target }) =>
  isNonlocal === true && target.localAddress !== undefined
    ? connectFromElsewhere(target, target.localAddress)
    : connect({ ...target, noDelay: true });

function connectFromElsewhere({ host, port }: NetTarget, localAddress: string): Socket {
  const { sockets } = native();
  if (sockets.kind === 'missing') return broken('ENOSYS', sockets.problem);
  const descriptor = sockets.part.nonlocalSocket(localAddress);
  if (descriptor < 0) return broken(getSystemErrorName(descriptor), 'the system refuses');
  // `manualStart`: it is not connected yet, and reading from it would be an error.
  const options: SocketConstructorOpts & { readonly manualStart: boolean; readonly noDelay: boolean } = {
    fd: descriptor,
    manualStart: true,
    noDelay: true,
  };
  return new Socket(options).connect({ host, port });
}

/** A socket that fails as one does that cannot be bound. */
function broken(code: string, message: string): Socket {
  const socket = new Socket();
  socket.destroy(Object.assign(new Error(message), { code, syscall: 'bind' }));
  return socket;
}
