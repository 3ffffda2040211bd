// From the configuration of a server to what it runs on.

import type { ServerSettings } from '../config/configuration.js';
import { type SmtpServerOptions, smtpDefaults } from './options.js';
import { proxiedCommands } from './proxy-commands.js';

/** The options of a server of type smtp. */
export function smtpServerOptions(settings: ServerSettings, hostname: string): SmtpServerOptions {
  return {
    id: settings.id,
    hostname,
    listeners: settings.listeners,
    transportId: settings.transportId,
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
    implicitTls: smtpDefaults.implicitTls,
    bannerDelaySeconds: 0,
    limits: {
      ...smtpDefaults.limits,
      messageBytes: settings.maxSizeBytes,
      hops: settings.maxHops,
      recipients: settings.maxRecipients,
      messagesPerConnection: settings.maxMessages,
      connections: settings.maxConnections,
      connectionsPerIp: settings.maxConnectionsPerIp,
    },
    timeouts: {
      ...smtpDefaults.timeouts,
      commandSeconds: settings.timeouts.idle,
      greetingSeconds: settings.timeouts.greeting,
      transactionSeconds: settings.timeouts.transaction,
      dataSeconds: settings.timeouts.data,
      messageSeconds: settings.timeouts.message,
      lingerSeconds: settings.timeouts.linger,
    },
  };
}
