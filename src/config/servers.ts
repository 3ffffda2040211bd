// The servers: listeners from smtpd.yaml, behaviour from smtpd-app.yaml, matched by id.

import path from 'node:path';
import type { Transport } from '../delivery/deliverer.js';
import type { ServerSettings, ServerTimeouts } from './configuration.js';
import { defaults } from './defaults.js';
import type { ConfigDocument } from './document.js';
import {
  type EdgeNames,
  type EdgeSettings,
  edgeSettings,
  type ListenerSettings,
  listenerSettings,
} from './edge.js';
import type { ConfigProblem } from './problem.js';
import type { SmtpdFile } from './schema/smtpd.js';
import type { AppFile } from './schema/smtpd-app.js';
import { checkSubmission, submissionSettings } from './submission.js';
import { parseDuration, parseSize } from './units.js';

export function collectServers(
  smtpd: ConfigDocument<SmtpdFile>,
  app: ConfigDocument<AppFile>,
  transports: ReadonlyMap<string, Transport>,
  names: EdgeNames,
  problems: ConfigProblem[],
): ServerSettings[] {
  const settings: ServerSettings[] = [];
  const behaviours = new Map(app.value.servers.map((server, index) => [server.id, { server, index }]));
  smtpd.value.servers.forEach((server, index) => {
    const behaviour = behaviours.get(server.id);
    behaviours.delete(server.id);
    if (behaviour === undefined) {
      problems.push(
        smtpd.problemAt(
          ['servers', index, 'id'],
          `server "${server.id}" is not in ${path.basename(app.file)}; expected it there with the same id`,
        ),
      );
      return;
    }
    const type = server.type ?? 'smtp';
    if (type !== (behaviour.server.type ?? 'smtp')) {
      problems.push(
        smtpd.problemAt(
          ['servers', index, 'type'],
          `server "${server.id}" is of type ${type} here and ${behaviour.server.type ?? 'smtp'} in ${path.basename(app.file)}`,
        ),
      );
    }
    if (type === 'plugin') {
      problems.push(
        smtpd.problemAt(
          ['servers', index, 'type'],
          `servers of type ${type} are documented, but not supported yet`,
        ),
      );
      return;
    }
    const both = { start: server, startIndex: index, app: behaviour.server, appIndex: behaviour.index };
    const listeners = listenerSettings(smtpd, both, names, problems);
    const edge = edgeSettings(app, both, names, problems);
    settings.push(makeServer(server, behaviour.server, type, listeners, edge));
    const transport = behaviour.server.transport;
    if (transport !== undefined && !transports.has(transport)) {
      problems.push(
        app.problemAt(['servers', behaviour.index, 'transport'], `unknown transport "${transport}"`),
      );
    }
    if (type === 'smtp') {
      warnOfOpenServer(smtpd, index, settings.at(-1)!, problems);
      warnOfSilentAuth(app, behaviour.index, settings.at(-1)!, problems);
    } else checkSubmission(smtpd, app, both, problems);
    if (behaviour.server.protocol === 'lmtp')
      checkLmtp(smtpd, app, index, behaviour.index, settings.at(-1)!, problems);
  });
  for (const { server, index } of behaviours.values()) {
    problems.push(
      app.problemAt(
        ['servers', index, 'id'],
        `server "${server.id}" is not in ${path.basename(smtpd.file)}; expected it there with its listeners`,
      ),
    );
  }
  return settings;
}

/** RFC 2033 §5: LMTP is never spoken on the port of SMTP, where every client takes the server for one of SMTP. */
function checkLmtp(
  smtpd: ConfigDocument<SmtpdFile>,
  app: ConfigDocument<AppFile>,
  index: number,
  appIndex: number,
  server: ServerSettings,
  problems: ConfigProblem[],
): void {
  if (server.type !== 'smtp')
    problems.push(
      app.problemAt(
        ['servers', appIndex, 'protocol'],
        `server "${server.id}" is of type ${server.type}; protocol lmtp is for servers of type smtp`,
      ),
    );
  server.listeners.forEach(({ port }, listener) => {
    if (port === 25)
      problems.push(
        smtpd.problemAt(
          ['servers', index, 'listeners', listener, 'port'],
          `server "${server.id}" speaks LMTP, which must not be on port 25; expected another port, such as 24`,
        ),
      );
  });
}

/** AUTH that waits for a TLS that never comes: the server would look as if its script were forgotten. */
function warnOfSilentAuth(
  app: ConfigDocument<AppFile>,
  appIndex: number,
  { id, hooks, auth, edge }: ServerSettings,
  problems: ConfigProblem[],
): void {
  if (hooks.auth === undefined || !auth.enabled || !auth.requireTls || edge.tls !== undefined) return;
  problems.push(
    app.problemAt(
      ['servers', appIndex, 'phases', 'auth'],
      `server "${id}" has an auth script and no TLS: AUTH is never offered. Configure servers[].tls.certs, or set requiretls: false where passwords may be heard on the way`,
      'warning',
    ),
  );
}

/** A listener beyond loopback whose recipients no script judges: nothing is relayed, but the operator should know why. */
function warnOfOpenServer(
  smtpd: ConfigDocument<SmtpdFile>,
  index: number,
  server: ServerSettings,
  problems: ConfigProblem[],
): void {
  const beyondLoopback = server.listeners.some(
    ({ address, path: socket }) =>
      socket === undefined && (address === undefined || !/^(127\.|::1$)/.test(address)),
  );
  if (!beyondLoopback || server.rcpttoHook !== undefined || server.rcpttoHookByDomain.size > 0) return;
  // As hasDecidingScript sees it (src/smtp/options.ts): these three let nobody's mail through.
  const { proxy: _proxy, auth: _auth, disconnect: _disconnect, ...deciding } = server.hooks;
  const bare = Object.keys(deciding).length === 0;
  problems.push(
    smtpd.problemAt(
      ['servers', index, 'listeners'],
      `server "${server.id}" listens beyond loopback without a rcptto script: ${bare ? 'it refuses recipients of clients that are neither on loopback nor known by AUTH' : 'unless another script says otherwise it relays for anybody'}`,
      'warning',
    ),
  );
}

function timeoutsOf(given: NonNullable<AppFile['servers'][number]['timeout']>): ServerTimeouts {
  const idle = parseDuration(given.idle) ?? defaults.idleTimeoutSeconds;
  return {
    idle,
    greeting: parseDuration(given.greeting) ?? idle,
    transaction: parseDuration(given.transaction) ?? idle,
    data: parseDuration(given.data) ?? idle,
    message: parseDuration(given.message) ?? defaults.messageTimeoutSeconds,
    linger: parseDuration(given.linger) ?? defaults.lingerSeconds,
    handshake: parseDuration(given.handshake) ?? defaults.handshakeSeconds,
    proxyHeader: parseDuration(given.proxyheader) ?? defaults.proxyHeaderSeconds,
  };
}

function makeServer(
  start: SmtpdFile['servers'][number],
  app: AppFile['servers'][number],
  type: ServerSettings['type'],
  listeners: readonly ListenerSettings[],
  edge: EdgeSettings,
): ServerSettings {
  const phases = app.phases ?? {};
  const rcptto = phases.rcptto?.hook;
  const hooks: Record<string, string> = {};
  for (const phase of ['connect', 'proxy', 'helo', 'auth', 'mailfrom', 'eod', 'disconnect'] as const) {
    const id = phases[phase]?.hook;
    if (id !== undefined) hooks[phase] = id;
  }
  const byDomain = typeof rcptto === 'object' ? (rcptto.recipientdomains ?? {}) : {};
  return {
    id: start.id,
    type,
    listeners,
    transportId: app.transport,
    hooks,
    rcpttoHook: typeof rcptto === 'string' ? rcptto : rcptto?.id,
    rcpttoHookByDomain: new Map(Object.entries(byDomain).map(([domain, id]) => [domain.toLowerCase(), id])),
    proxyCommands: phases.proxy?.commands,
    auth: {
      enabled: phases.auth?.enabled ?? true,
      requireTls: phases.auth?.requiretls ?? true,
      maxFailures: phases.auth?.maxfailures ?? defaults.maxAuthFailures,
    },
    reverseNames: phases.connect?.remoteptr ?? false,
    verbose: app.logging?.verbose ?? false,
    heloRequired: phases.helo?.required ?? false,
    maxMessages: phases.mailfrom?.maxmessages ?? 0,
    maxRecipients: phases.rcptto?.maxrecipients ?? 0,
    maxSizeBytes: parseSize(phases.data?.maxsize) ?? defaults.maxSizeBytes,
    maxHops: phases.data?.maxhops ?? defaults.maxHops,
    pipelining: phases.data?.pipelining ?? true,
    eightBitMime: phases.data?.['8bitmime'] ?? true,
    chunking: phases.data?.chunking ?? true,
    smtpUtf8: phases.data?.smtputf8 ?? true,
    protocol: app.protocol ?? 'smtp',
    timeouts: timeoutsOf(app.timeout ?? {}),
    edge,
    submission: submissionSettings(app),
  };
}
