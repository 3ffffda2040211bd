// Reads a configuration folder: the YAML files, the scripts beside them, and the references between them. Either the
// whole of it is good, or a ConfigError lists everything that is wrong.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { readSuffixList, type SuffixList } from '#stdlib';
import { sharedPatternEngine } from '../scripting/host/patterns/engine.js';
import { collectAddresses } from './addresses.js';
import type { Configuration, RunningSettings, StartupSettings } from './configuration.js';
import { controlSettings, monitorKeys, monitorSettings } from './control.js';
import { defaults } from './defaults.js';
import { collectDelivery } from './delivery-file.js';
import { type ConfigDocument, readDocument } from './document.js';
import { warnOfIdleScripts } from './idle-scripts.js';
import { collectKeys } from './keys.js';
import { type Layout, layoutOf } from './layout.js';
import { collectMetrics } from './metrics.js';
import { collectPostmaster } from './notifications.js';
import { privdropSettings } from './privdrop.js';
import { ConfigError, type ConfigProblem } from './problem.js';
import { collectResolver } from './resolver.js';
import type { DeliveryFile } from './schema/delivery.js';
import type { PolicyFile } from './schema/policies.js';
import type { SmtpdFile } from './schema/smtpd.js';
import type { AppFile } from './schema/smtpd-app.js';
import type { SettingsFile } from './schema/validators.js';
import { collectFiles, collectScripts, queueScript } from './scripts.js';
import { collectServers } from './servers.js';
import { checkClientCertificates, collectTransports } from './transports.js';
import { parseDuration, parseSize } from './units.js';

/** A configuration file that is not on the disk. */
export interface ConfigText {
  /** What problems call it. Paths in it begin where those of the folder's own file do. */
  readonly name: string;
  readonly text: string;
}

function readYaml<T>(
  file: string,
  kind: SettingsFile,
  required: boolean,
  problems: ConfigProblem[],
): ConfigDocument<T> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && !required) return undefined;
    const why = missing ? 'the file does not exist' : `the file cannot be read: ${(error as Error).message}`;
    problems.push({ file, message: `${why}; it is needed`, severity: 'error' });
    return undefined;
  }
  return checkYaml({ name: file, text }, kind, problems);
}

function checkYaml<T>(
  { name, text }: ConfigText,
  kind: SettingsFile,
  problems: ConfigProblem[],
): ConfigDocument<T> | undefined {
  const read = readDocument<T>(name, text, kind);
  if ('document' in read) return read.document;
  problems.push(...read.problems);
  return undefined;
}

/** The list that `environment.publicsuffix` names. */
function readPublicSuffixes(
  smtpd: ConfigDocument<SmtpdFile>,
  folder: string,
  problems: ConfigProblem[],
): SuffixList | undefined {
  const setting = smtpd.value.environment?.publicsuffix;
  if (setting === undefined) return undefined;
  const file = path.resolve(folder, setting);
  const at = ['environment', 'publicsuffix'];
  try {
    const list = readSuffixList(readFileSync(file, 'utf8'));
    if (!('problem' in list)) return list;
    problems.push(smtpd.problemAt(at, `${file} is no list of public suffixes: ${list.problem}`));
  } catch (error) {
    problems.push(smtpd.problemAt(at, `the file ${file} cannot be read: ${(error as Error).message}`));
  }
  return undefined;
}

/** Twice the same folder would be two spools that lock each other out. */
function readSpoolPaths(
  smtpd: ConfigDocument<SmtpdFile>,
  folder: string,
  problems: ConfigProblem[],
): readonly string[] {
  const { spool, environment } = smtpd.value;
  const older = environment?.spool?.path;
  if (spool?.path !== undefined && older !== undefined)
    problems.push(
      smtpd.problemAt(
        ['environment', 'spool', 'path'],
        'spool.path is there too; expected one of them, best spool.path',
      ),
    );
  const at = spool?.path === undefined && older !== undefined ? ['environment', 'spool'] : ['spool'];
  const paths = [spool?.path ?? older ?? defaults.spoolPath].flat().map((name) => path.resolve(folder, name));
  const twice = paths.find((name, i) => paths.indexOf(name) !== i);
  if (twice !== undefined) problems.push(smtpd.problemAt([...at, 'path'], `${twice} is named twice`));
  return paths;
}

function makeStartup(
  smtpd: SmtpdFile,
  folder: string,
  layout: Layout,
  {
    publicSuffixes,
    spoolPaths,
    control,
    monitor,
    privdrop,
  }: Pick<StartupSettings, 'publicSuffixes' | 'spoolPaths' | 'control' | 'monitor' | 'privdrop'>,
): StartupSettings {
  const { environment = {}, spool = {}, queues = {}, scripting = {} } = smtpd;
  return {
    hostname: environment.hostname ?? hostname(),
    umask: environment.umask === undefined ? undefined : Number.parseInt(environment.umask, 8),
    openFiles: environment.rlimit?.nofile,
    uuidVersion: (environment.uuid?.version as 1 | 4 | undefined) ?? 1,
    syslogMask: environment.syslog?.mask ?? 255,
    shutdownGraceSeconds: parseDuration(environment.shutdown?.grace) ?? defaults.shutdownGraceSeconds,
    spoolPaths,
    spoolFsync: spool.fsync ?? true,
    spoolMinFreeBytes: parseSize(spool.minfree?.bytes) ?? 0,
    spoolMinFreeInodes: spool.minfree?.inodes ?? 0,
    spoolCorrupt: (spool.corrupt as StartupSettings['spoolCorrupt'] | undefined) ?? 'rename',
    queueConcurrency: queues.concurrency ?? defaults.queueConcurrency,
    scriptRoot: scripting.rootpath === undefined ? layout.files : path.resolve(folder, scripting.rootpath),
    publicSuffixes,
    control,
    monitor,
    privdrop,
  };
}

/**
 * Loads and checks a configuration folder; `givenApp` takes the place of its smtpd-app.yaml.
 * @throws ConfigError with every problem found
 */
export function loadConfiguration(folder: string, givenApp?: ConfigText): Configuration {
  const problems: ConfigProblem[] = [];
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
  const smtpd = readYaml<SmtpdFile>(path.join(layout.yaml, 'smtpd.yaml'), 'smtpd.yaml', true, problems);
  const named = smtpd?.value.environment ?? {};
  const fileOf = (setting: string | undefined, name: string) =>
    setting === undefined ? path.join(layout.yaml, name) : path.resolve(root, setting);
  const app =
    givenApp === undefined
      ? readYaml<AppFile>(fileOf(named.appconf, 'smtpd-app.yaml'), 'smtpd-app.yaml', true, problems)
      : checkYaml<AppFile>(givenApp, 'smtpd-app.yaml', problems);
  const policy = readYaml<PolicyFile>(
    fileOf(named.policyconf, 'smtpd-policy.yaml'),
    'smtpd-policy.yaml',
    named.policyconf !== undefined,
    problems,
  );
  readYaml(
    fileOf(named.suspendconf, 'smtpd-suspend.yaml'),
    'smtpd-suspend.yaml',
    named.suspendconf !== undefined,
    problems,
  );
  const delivery = readYaml<DeliveryFile>(
    fileOf(named.deliveryconf, 'smtpd-delivery.yaml'),
    'smtpd-delivery.yaml',
    named.deliveryconf !== undefined,
    problems,
  );
  if (smtpd === undefined || app === undefined) throw new ConfigError(problems);

  const addresses = collectAddresses(app, problems);
  const transports = collectTransports(app, delivery?.value, addresses, problems);
  const policies = policy?.value.policies ?? [];
  if (policies.length > 1) {
    problems.push(
      policy!.problemAt(
        ['policies', 1],
        'two policies with the same fields; expected one for each set of fields',
      ),
    );
  }
  const keys = collectKeys(smtpd, app, layout.yaml, problems);
  checkClientCertificates(app, keys.keys, problems);
  const postmaster = collectPostmaster(app, problems);
  const limits = app.value.scripting?.limits;
  warnOfIdleScripts(layout, problems);
  const running: RunningSettings = {
    servers: collectServers(smtpd, app, transports, { ...keys, folder: root }, problems).map((server) => ({
      ...server,
      postmaster,
    })),
    scripts: collectScripts(app, layout, problems),
    predelivery: queueScript(app, layout, 'predelivery', problems),
    postdelivery: queueScript(app, layout, 'postdelivery', problems),
    files: collectFiles(app, layout, problems),
    limits: {
      depth: limits?.depth ?? defaults.limits.depth,
      memoryBytes: parseSize(limits?.memory) ?? defaults.limits.memoryBytes,
      timeSeconds: parseDuration(limits?.time) ?? defaults.limits.timeSeconds,
      outputBytes: parseSize(limits?.output) ?? defaults.limits.outputBytes,
      instructions: limits?.instructions ?? defaults.limits.instructions,
    },
    metrics: collectMetrics(app, problems),
    monitorKeys: monitorKeys(app),
    transports,
    postmaster,
    addresses,
    delivery: collectDelivery(
      delivery,
      { engine: sharedPatternEngine(), list: (field, id) => app.value.lists?.[field]?.[id] },
      problems,
    ),
    resolver: collectResolver(app, problems),
    ...keys,
    poolSize: app.value.queues?.pooling?.size ?? defaults.poolSize,
    pooledBy: app.value.queues?.pooling?.policy ?? 'remoteip',
    remoteMxConcurrency: policies[0]?.default?.concurrency ?? 0,
  };
  const startup = makeStartup(smtpd.value, root, layout, {
    publicSuffixes: readPublicSuffixes(smtpd, root, problems),
    spoolPaths: readSpoolPaths(smtpd, root, problems),
    control: controlSettings(smtpd, root, problems),
    monitor: monitorSettings(smtpd, problems),
    privdrop: privdropSettings(smtpd, problems),
  });
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new ConfigError(errors);
  return { startup, running, warnings: problems };
}
