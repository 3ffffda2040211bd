// From the configuration of a server to what it runs on.

import type { ServerSettings } from '../config/configuration.js';
import { contextsOf, listenerOptions } from '../smtp/configured.js';
import { type SubmissionServerOptions, submissionDefaults } from './options.js';

/** The options of a server of type http or https. */
export function submissionServerOptions(settings: ServerSettings, hostname: string): SubmissionServerOptions {
  const { submission, edge } = settings;
  return {
    id: settings.id,
    hostname,
    listeners: settings.listeners.map(listenerOptions),
    isSecure: settings.type === 'https',
    tls: edge.tls && contextsOf(edge.tls),
    transportId: settings.transportId,
    hooks: { eod: settings.hooks.eod },
    reverseNames: settings.reverseNames,
    apiKeys: submission.apiKeys,
    idempotency: { seconds: submission.idempotencySeconds, keys: submission.idempotencyKeys },
    limits: {
      ...submissionDefaults.limits,
      messageBytes: settings.maxSizeBytes,
      hops: settings.maxHops,
      recipients: settings.maxRecipients,
      optionsBytes: submission.optionsBytes,
      ...edge.admission,
      requests: submission.requests,
      requestsPerKey: submission.requestsPerKey,
    },
    timeouts: {
      idleSeconds: settings.timeouts.idle,
      requestSeconds: submission.requestSeconds,
      lingerSeconds: submissionDefaults.timeouts.lingerSeconds,
      handshakeSeconds: settings.timeouts.handshake,
      proxyHeaderSeconds: settings.timeouts.proxyHeader,
    },
  };
}
