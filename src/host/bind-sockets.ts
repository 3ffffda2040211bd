// All sockets of a configuration, bound while the process is root. They listen once the spool is ready; until then the system turns
// clients away, as if nobody were there yet.

import { chownSync } from 'node:fs';
import type { Configuration } from '../config/configuration.js';
import type { PrivdropSettings } from '../config/privdrop.js';
import { bindControlSocket } from '../control/socket/open-control-socket.js';
import { bindAhead, ListenError, type SocketBinder } from '../smtp/edge/listeners.js';

/** Binds listeners, control socket and monitor endpoint; files of UNIX sockets belong to `owner`. @throws ListenError */
export async function bindSockets(
  { startup, running }: Configuration,
  binder: SocketBinder,
  owner: Pick<PrivdropSettings, 'uid' | 'gid'>,
): Promise<void> {
  const { control, monitor } = startup;
  for (const { id, listeners } of running.servers)
    for (const listener of listeners) {
      await bindAhead(id, listener, binder);
      if (listener.path !== undefined) chownSync(listener.path, owner.uid, owner.gid);
    }
  if (monitor !== undefined)
    await bindAhead({ subject: 'the monitor endpoint', setting: 'monitor.listener' }, monitor, binder);
  try {
    await bindControlSocket(control, binder, { uid: owner.uid, gid: owner.gid });
  } catch (error) {
    // Where nobody asked for one there is none, and opening it tells.
    if (!control.isDefault || !(error instanceof ListenError)) throw error;
  }
}
