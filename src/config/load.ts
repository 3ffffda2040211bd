// Reads a configuration folder: the YAML files, the scripts beside them, and the references between them. Either the
// whole of it is good, or a ConfigError lists everything that is wrong.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { TSchema } from 'typebox';
import type { Transport } from '../delivery/deliverer.js';
import type {
  Configuration,
  ConfiguredFile,
  ConfiguredScript,
  RunningSettings,
  ServerSettings,
  StartupSettings,
} from './configuration.js';
import { serverPhases } from './configuration.js';
import { type ConfigDocument, readDocument } from './document.js';
import { ConfigError, type ConfigProblem } from './problem.js';
import {
  type DeliveryFile,
  deliverySchema,
  type PolicyFile,
  policySchema,
  suspendSchema,
} from './schema/policies.js';
import { type SmtpdFile, smtpdSchema } from './schema/smtpd.js';
import { type AppFile, appSchema } from './schema/smtpd-app.js';
import { parseDuration, parseSize } from './units.js';

type Problems = ConfigProblem[];

/** The defaults, each with its place in the documents (queue-and-config 8 and 12, design.md 4). */
const defaults = {
  spoolPath: '/var/spool/argonite/queue',
  maxSizeBytes: 50 * 1024 ** 2,
  maxHops: 100,
  idleTimeoutSeconds: 300,
  queueConcurrency: 10_000,
  shutdownGraceSeconds: 30,
  poolSize: 1000,
  poolIdleSeconds: 5,
  connectTimeoutSeconds: 30,
  retryCount: 30,
  retryIntervals: [
    { seconds: 60, notify: false },
    { seconds: 900, notify: false },
    { seconds: 3600, notify: true },
    { seconds: 7200, notify: false },
    { seconds: 10_800, notify: false },
  ],
  limits: {
    depth: 512,
    memoryBytes: 256 * 1024 ** 2,
    timeSeconds: 300,
    outputBytes: 1024 ** 2,
    instructions: 0,
  },
} as const;

/** Where things are in a configuration folder: packed beside each other, or a source tree (queue-and-config 8.2). */
interface Layout {
  readonly yaml: string;
  readonly hooks: string;
  readonly files: string;
}

function layoutOf(folder: string): Layout {
  const tree = path.join(folder, 'src');
  if (!existsSync(path.join(folder, 'smtpd.yaml')) && existsSync(path.join(tree, 'config', 'smtpd.yaml'))) {
    return {
      yaml: path.join(tree, 'config'),
      hooks: path.join(tree, 'hooks'),
      files: path.join(tree, 'files'),
    };
  }
  return { yaml: folder, hooks: path.join(folder, 'hooks'), files: path.join(folder, 'files') };
}

function readYaml<T>(
  file: string,
  schema: TSchema,
  required: boolean,
  problems: Problems,
): ConfigDocument<T> | undefined {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && !required) return undefined;
    const why = missing ? 'the file does not exist' : `the file cannot be read: ${(error as Error).message}`;
    problems.push({ file, message: `${why}; it is needed`, severity: 'error' });
    return undefined;
  }
  const read = readDocument<T>(file, source, schema);
  if ('document' in read) return read.document;
  problems.push(...read.problems);
  return undefined;
}

// --- Scripts -----------------------------------------------------------------------------------------------------

function readScript(file: string, name: string): ConfiguredScript | undefined {
  try {
    return { name, text: readFileSync(file, 'latin1') };
  } catch {
    return undefined;
  }
}

const utf8AsBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** Every file below a folder, hidden ones left out, by its path with "/". */
function filesBelow(folder: string): ConfiguredFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ file, id: path.relative(folder, file).split(path.sep).join('/') }))
    .filter(({ id }) => !id.split('/').some((part) => part.startsWith('.')))
    .map(({ file, id }) => ({ id, text: readFileSync(file, 'latin1') }));
}

/** Scripts that some server names, from the YAML first, else from `hooks/<phase>/<id>.hsl`. */
function collectScripts(
  app: ConfigDocument<AppFile>,
  layout: Layout,
  problems: Problems,
): Map<string, ConfiguredScript> {
  const scripts = new Map<string, ConfiguredScript>();
  const wanted = (phase: (typeof serverPhases)[number], id: string, at: (string | number)[]) => {
    const key = `${phase}/${id}`;
    if (scripts.has(key)) return;
    const inline = app.value.scripting?.hooks?.[phase]?.find((script) => script.id === id);
    const file = path.join(layout.hooks, phase, `${id}.hsl`);
    const isPlainName = /^[A-Za-z0-9_.-]+$/.test(id) && !id.startsWith('.');
    const script =
      inline === undefined
        ? isPlainName
          ? readScript(file, file)
          : undefined
        : { name: key, text: utf8AsBytes(inline.data) };
    if (script === undefined) {
      problems.push(
        app.problemAt(
          at,
          `no ${phase} script "${id}": expected scripting.hooks.${phase} to have that id, or the file ${file}`,
        ),
      );
    } else scripts.set(key, script);
  };
  app.value.servers.forEach((server, index) => {
    const phases = server.phases ?? {};
    for (const phase of serverPhases) {
      const hook = phases[phase]?.hook;
      const at = ['servers', index, 'phases', phase, 'hook'];
      if (typeof hook === 'string') wanted(phase, hook, at);
      else if (hook !== undefined) {
        if (hook.id !== undefined) wanted(phase, hook.id, at);
        for (const [domain, id] of Object.entries(hook.recipientdomains ?? {})) {
          wanted(phase, id, [...at, 'recipientdomains', domain]);
        }
      }
    }
  });
  return scripts;
}

function queueScript(
  app: ConfigDocument<AppFile>,
  layout: Layout,
  phase: 'predelivery' | 'postdelivery',
): ConfiguredScript | undefined {
  const inline = app.value.scripting?.hooks?.[phase];
  if (inline !== undefined) return { name: phase, text: utf8AsBytes(inline) };
  const file = path.join(layout.hooks, 'queue', `${phase}.hsl`);
  return readScript(file, file);
}

function collectFiles(app: ConfigDocument<AppFile>, layout: Layout, problems: Problems): ConfiguredFile[] {
  const files = new Map(filesBelow(layout.files).map((file) => [file.id, file]));
  app.value.scripting?.files?.forEach((file, index) => {
    const at = ['scripting', 'files', index];
    if (file.path !== undefined) {
      const from = path.resolve(layout.yaml, file.path);
      try {
        files.set(file.id, { id: file.id, text: readFileSync(from, 'latin1') });
      } catch (error) {
        problems.push(
          app.problemAt([...at, 'path'], `the file ${from} cannot be read: ${(error as Error).message}`),
        );
      }
    } else if (file.data === undefined) {
      problems.push(app.problemAt(at, 'neither "data" nor "path"; expected one of them'));
    } else {
      const text =
        file.binary === true ? Buffer.from(file.data, 'base64').toString('latin1') : utf8AsBytes(file.data);
      files.set(file.id, { id: file.id, text });
    }
  });
  return [...files.values()];
}

// --- Transports --------------------------------------------------------------------------------------------------

type Group = NonNullable<AppFile['transportgroups']>[number];
type Settings = Pick<Group, 'connection' | 'session' | 'retry' | 'dsn'>;

function makeTransport(
  id: string,
  group: Settings,
  own: Settings,
  delivery: DeliveryFile | undefined,
): Transport {
  const connection = { ...group.connection, ...own.connection };
  const session = { ...group.session, ...own.session };
  const perDestination = delivery?.delivery?.default;
  const retry = { ...group.retry, ...own.retry, ...perDestination?.retry };
  const pooling = perDestination?.pooling;
  const during = parseDuration(retry.during);
  return {
    id,
    host: connection.server,
    port: connection.port ?? 25,
    helo: session.helo,
    protocol: (session.protocol as 'smtp' | 'lmtp' | undefined) ?? 'smtp',
    connectTimeoutSeconds: parseDuration(perDestination?.timeout?.connect) ?? defaults.connectTimeoutSeconds,
    timeouts: Object.fromEntries(
      Object.entries(perDestination?.timeout?.smtp ?? {}).map(([state, value]) => [
        state,
        parseDuration(value) ?? 0,
      ]),
    ),
    retryCount: retry.count ?? defaults.retryCount,
    retryIntervals:
      retry.intervals?.map(({ interval, notify }) => ({
        seconds: parseDuration(interval) ?? 0,
        notify: notify ?? false,
      })) ?? defaults.retryIntervals,
    retryDuringSeconds: during,
    dsnTransportId: own.dsn?.transport ?? group.dsn?.transport,
    pooling: {
      enabled: pooling?.enabled ?? false,
      transactions: pooling?.transactions,
      idleSeconds: parseDuration(pooling?.timeout) ?? defaults.poolIdleSeconds,
    },
  };
}

function collectTransports(
  app: ConfigDocument<AppFile>,
  delivery: DeliveryFile | undefined,
  problems: Problems,
): Map<string, Transport> {
  const transports = new Map<string, Transport>();
  const groups = app.value.transportgroups ?? [];
  groups.forEach((group, groupIndex) => {
    group.transports.forEach((own, index) => {
      const at = ['transportgroups', groupIndex, 'transports', index, 'id'];
      if (transports.has(own.id)) {
        problems.push(
          app.problemAt(
            at,
            `there are two transports with the id "${own.id}"; ids are unique over all groups`,
          ),
        );
        return;
      }
      const transport = makeTransport(own.id, group, own, delivery);
      transports.set(own.id, transport);
      if (transport.host === undefined) {
        problems.push(
          app.problemAt(
            at,
            `transport "${own.id}" has no connection.server, and MX look-up is not supported yet: its mail waits unless a script's Try names a host`,
            'warning',
          ),
        );
      }
      if (transport.dsnTransportId === undefined) {
        problems.push(
          app.problemAt(
            at,
            `transport "${own.id}" has no dsn.transport: senders will not be told of failures (for now such mail is put on hold)`,
            'warning',
          ),
        );
      }
    });
  });
  groups.forEach((group, groupIndex) => {
    group.transports.forEach((own, index) => {
      const id = own.dsn?.transport ?? group.dsn?.transport;
      if (id !== undefined && !transports.has(id)) {
        problems.push(
          app.problemAt(
            ['transportgroups', groupIndex, 'transports', index],
            `dsn.transport names the unknown transport "${id}"`,
          ),
        );
      }
    });
  });
  return transports;
}

// --- Servers -----------------------------------------------------------------------------------------------------

function collectServers(
  smtpd: ConfigDocument<SmtpdFile>,
  app: ConfigDocument<AppFile>,
  transports: ReadonlyMap<string, Transport>,
  problems: Problems,
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
    if (type !== 'smtp') {
      problems.push(
        smtpd.problemAt(
          ['servers', index, 'type'],
          `servers of type ${type} are documented, but not supported yet`,
        ),
      );
      return;
    }
    settings.push(makeServer(server, behaviour.server));
    const transport = behaviour.server.transport;
    if (transport !== undefined && !transports.has(transport)) {
      problems.push(
        app.problemAt(['servers', behaviour.index, 'transport'], `unknown transport "${transport}"`),
      );
    }
    warnOfOpenServer(smtpd, index, settings.at(-1)!, problems);
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

/** A listener beyond loopback whose recipients no script judges: nothing is relayed, but the operator should know why. */
function warnOfOpenServer(
  smtpd: ConfigDocument<SmtpdFile>,
  index: number,
  server: ServerSettings,
  problems: Problems,
): void {
  const beyondLoopback = server.listeners.some(
    ({ address }) => address === undefined || !/^(127\.|::1$)/.test(address),
  );
  if (!beyondLoopback || server.rcpttoHook !== undefined || server.rcpttoHookByDomain.size > 0) return;
  const bare = Object.keys(server.hooks).length === 0;
  problems.push(
    smtpd.problemAt(
      ['servers', index, 'listeners'],
      `server "${server.id}" listens beyond loopback without a rcptto script: ${bare ? 'it refuses recipients of clients that are not on loopback' : 'unless another script says otherwise it relays for anybody'}`,
      'warning',
    ),
  );
}

function makeServer(start: SmtpdFile['servers'][number], app: AppFile['servers'][number]): ServerSettings {
  const phases = app.phases ?? {};
  const rcptto = phases.rcptto?.hook;
  const hooks: Record<string, string> = {};
  for (const phase of ['connect', 'helo', 'mailfrom', 'eod', 'disconnect'] as const) {
    const id = phases[phase]?.hook;
    if (id !== undefined) hooks[phase] = id;
  }
  const byDomain = typeof rcptto === 'object' ? (rcptto.recipientdomains ?? {}) : {};
  return {
    id: start.id,
    listeners: (start.listeners ?? []).map(({ address, port, backlog }) => ({ address, port, backlog })),
    transportId: app.transport,
    hooks,
    rcpttoHook: typeof rcptto === 'string' ? rcptto : rcptto?.id,
    rcpttoHookByDomain: new Map(Object.entries(byDomain).map(([domain, id]) => [domain.toLowerCase(), id])),
    heloRequired: phases.helo?.required ?? false,
    maxMessages: phases.mailfrom?.maxmessages ?? 0,
    maxRecipients: phases.rcptto?.maxrecipients ?? 0,
    maxSizeBytes: parseSize(phases.data?.maxsize) ?? defaults.maxSizeBytes,
    maxHops: phases.data?.maxhops ?? defaults.maxHops,
    pipelining: phases.data?.pipelining ?? true,
    eightBitMime: phases.data?.['8bitmime'] ?? true,
    idleTimeoutSeconds: parseDuration(app.timeout?.idle) ?? defaults.idleTimeoutSeconds,
    maxConnections: app.concurrency?.total ?? 0,
    maxConnectionsPerIp: app.concurrency?.ip ?? 0,
    verbose: app.logging?.verbose ?? false,
  };
}

function makeStartup(smtpd: SmtpdFile, folder: string, layout: Layout): StartupSettings {
  const { environment = {}, spool = {}, queues = {}, scripting = {} } = smtpd;
  return {
    hostname: environment.hostname ?? hostname(),
    umask: environment.umask === undefined ? undefined : Number.parseInt(environment.umask, 8),
    openFiles: environment.rlimit?.nofile,
    uuidVersion: (environment.uuid?.version as 1 | 4 | undefined) ?? 1,
    syslogMask: environment.syslog?.mask ?? 255,
    shutdownGraceSeconds: parseDuration(environment.shutdown?.grace) ?? defaults.shutdownGraceSeconds,
    spoolPath: path.resolve(folder, spool.path ?? defaults.spoolPath),
    spoolFsync: spool.fsync ?? true,
    spoolMinFreeBytes: parseSize(spool.minfree?.bytes) ?? 0,
    spoolMinFreeInodes: spool.minfree?.inodes ?? 0,
    spoolCorrupt: (spool.corrupt as StartupSettings['spoolCorrupt'] | undefined) ?? 'rename',
    queueConcurrency: queues.concurrency ?? defaults.queueConcurrency,
    scriptRoot: scripting.rootpath === undefined ? layout.files : path.resolve(folder, scripting.rootpath),
  };
}

/**
 * Loads and checks a configuration folder.
 * @throws ConfigError with every problem found
 */
export function loadConfiguration(folder: string): Configuration {
  const problems: Problems = [];
  const root = path.resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory()) {
    throw new ConfigError([
      {
        file: root,
        message: 'there is no such folder; expected one with smtpd.yaml and smtpd-app.yaml',
        severity: 'error',
      },
    ]);
  }
  const layout = layoutOf(root);
  const smtpd = readYaml<SmtpdFile>(path.join(layout.yaml, 'smtpd.yaml'), smtpdSchema, true, problems);
  const named = smtpd?.value.environment ?? {};
  const fileOf = (setting: string | undefined, name: string) =>
    setting === undefined ? path.join(layout.yaml, name) : path.resolve(root, setting);
  const app = readYaml<AppFile>(fileOf(named.appconf, 'smtpd-app.yaml'), appSchema, true, problems);
  const policy = readYaml<PolicyFile>(
    fileOf(named.policyconf, 'smtpd-policy.yaml'),
    policySchema,
    named.policyconf !== undefined,
    problems,
  );
  readYaml(
    fileOf(named.suspendconf, 'smtpd-suspend.yaml'),
    suspendSchema,
    named.suspendconf !== undefined,
    problems,
  );
  const delivery = readYaml<DeliveryFile>(
    fileOf(named.deliveryconf, 'smtpd-delivery.yaml'),
    deliverySchema,
    named.deliveryconf !== undefined,
    problems,
  );
  if (smtpd === undefined || app === undefined) throw new ConfigError(problems);

  const transports = collectTransports(app, delivery?.value, problems);
  const policies = policy?.value.policies ?? [];
  if (policies.length > 1) {
    problems.push(
      policy!.problemAt(
        ['policies', 1],
        'two policies with the same fields; expected one for each set of fields',
      ),
    );
  }
  const limits = app.value.scripting?.limits;
  const running: RunningSettings = {
    servers: collectServers(smtpd, app, transports, problems),
    scripts: collectScripts(app, layout, problems),
    predelivery: queueScript(app, layout, 'predelivery'),
    postdelivery: queueScript(app, layout, 'postdelivery'),
    files: collectFiles(app, layout, problems),
    limits: {
      depth: limits?.depth ?? defaults.limits.depth,
      memoryBytes: parseSize(limits?.memory) ?? defaults.limits.memoryBytes,
      timeSeconds: parseDuration(limits?.time) ?? defaults.limits.timeSeconds,
      outputBytes: parseSize(limits?.output) ?? defaults.limits.outputBytes,
      instructions: limits?.instructions ?? defaults.limits.instructions,
    },
    transports,
    poolSize: app.value.queues?.pooling?.size ?? defaults.poolSize,
    remoteMxConcurrency: policies[0]?.default?.concurrency ?? 0,
  };
  const startup = makeStartup(smtpd.value, root, layout);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new ConfigError(errors);
  return { startup, running, warnings: problems };
}
