// From the configuration of a server to what it runs on.

import type { ServerSettings } from '../config/configuration.js';
import type { ListenerSettings } from '../config/edge.js';
import { NetworkList } from './edge/networks.js';
import { type ListenerOptions, type SmtpServerOptions, smtpDefaults } from './options.js';
import { proxiedCommands } from './proxy-commands.js';
import { ServerContexts, type ServerTlsSettings } from './tls/server-contexts.js';

/** The options of a server of type smtp. */
export function smtpServerOptions(settings: ServerSettings, hostname: string): SmtpServerOptions {
  const { edge } = settings;
  return {
    id: settings.id,
    hostname,
    listeners: settings.listeners.map(listenerOptions),
    transportId: settings.transportId,
    postmaster: settings.postmaster,
    hooks: { ...settings.hooks, rcptto: settings.rcpttoHook, rcpttoByDomain: settings.rcpttoHookByDomain },
    heloRequired: settings.heloRequired,
    pipelining: settings.pipelining,
    eightBitMime: settings.eightBitMime,
    smtpUtf8: settings.smtpUtf8,
    chunking: settings.chunking,
    protocol: settings.protocol,
    proxyCommands: settings.proxyCommands && proxiedCommands(settings.proxyCommands),
    auth: settings.auth,
    reverseNames: settings.reverseNames,
    verbose: settings.verbose,
    tls: edge.tls && contextsOf(edge.tls),
    implicitTls: edge.implicitTls,
    bannerDelaySeconds: edge.bannerDelaySeconds,
    limits: {
      ...smtpDefaults.limits,
      messageBytes: settings.maxSizeBytes,
      hops: settings.maxHops,
      recipients: settings.maxRecipients,
      messagesPerConnection: settings.maxMessages,
      ...edge.admission,
    },
    timeouts: {
      commandSeconds: settings.timeouts.idle,
      greetingSeconds: settings.timeouts.greeting,
      transactionSeconds: settings.timeouts.transaction,
      dataSeconds: settings.timeouts.data,
      messageSeconds: settings.timeouts.message,
      lingerSeconds: settings.timeouts.linger,
      handshakeSeconds: settings.timeouts.handshake,
      proxyHeaderSeconds: settings.timeouts.proxyHeader,
    },
  };
}

/** A listener of a server, of whatever type. */
export function listenerOptions({ proxies, xclients, ...rest }: ListenerSettings): ListenerOptions {
  return {
    ...rest,
    ...(proxies.length === 0 ? undefined : { proxies: new NetworkList(proxies) }),
    ...(xclients.length === 0 ? undefined : { xclients: new NetworkList(xclients) }),
  };
}

const contexts = new WeakMap<ServerTlsSettings, ServerContexts>();

/** The contexts of a configuration, made once however often it is asked for. */
export function contextsOf(settings: ServerTlsSettings): ServerContexts {
  let made = contexts.get(settings);
  if (made === undefined) {
    made = new ServerContexts(settings);
    contexts.set(settings, made);
  }
  return made;
}
