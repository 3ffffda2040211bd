import { type CallContext, ScriptFault } from '#lang';
import { servicesOf } from '../services.js';
import type { MailClient } from './mail-client.js';

/** The process's SMTP client. @throws ScriptFault where there is none */
export function mailClientOf(called: string, ctx: CallContext): MailClient {
  const { mailClient } = servicesOf(ctx).network;
  if (mailClient === undefined) throw new ScriptFault(`${called}: there is no SMTP client here`);
  return mailClient;
}
