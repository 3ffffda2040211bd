// Transports that scripts name: one that is not there is told at once, as with queue() (hooks 9.1), and the default holds.

import { type CallContext, ScriptFault } from '#lang';
import { servicesOf } from '#stdlib';

/** `what` is the option that names it. @throws ScriptFault when there is none of that id */
export function checkTransport(id: string, what: string, ctx: CallContext): void {
  if (servicesOf(ctx).configured.knowsTransport(id)) return;
  throw new ScriptFault(
    `${what} is "${id.slice(0, 80)}", and there is no such transport in the configuration (transportgroups in smtpd-app.yaml)`,
  );
}
