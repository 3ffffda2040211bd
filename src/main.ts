// The daemon's two ways to be called: check a configuration, or run it. No decisions are made here.

import { bytesToText, renderDiagnostics } from '#lang';
import { exitCodes } from './cli/exit-codes.js';
import { problemToText } from './config/problem.js';
import { Daemon } from './daemon.js';
import { adviceOnAccess, type Prepared, prepareHost, reloadWarning } from './host/prepare.js';
import { PrivilegeError } from './host/privileges.js';
import { systemServiceManager } from './host/service-manager.js';
import { type Loaded, load, problemsToText } from './loaded.js';
import { LogLines } from './log/log-lines.js';
import { openLog } from './log/logger.js';
import { native } from './native/index.js';
import { ListenError } from './smtp/edge/listeners.js';
import { SpoolError } from './spool/spool.js';
import { openSpools } from './spool/spread-spool.js';

/** `serve --check`: everything is read, checked and compiled, nothing is started. @returns the exit code */
export async function check(folder: string): Promise<number> {
  try {
    const { configuration, hooks } = await load(folder);
    for (const warning of configuration.warnings) process.stdout.write(`${problemToText(warning)}\n`);
    if (hooks.warnings.length > 0)
      process.stdout.write(`${bytesToText(renderDiagnostics(hooks.warnings))}\n`);
    process.stdout.write(`${folder}: the configuration is good\n`);
    return exitCodes.done;
  } catch (error) {
    process.stderr.write(`${problemsToText(error)}\n`);
    return exitCodes.failed;
  }
}

/** `serve`: runs the daemon until it is told to stop. @returns the exit code */
export async function serve(folder: string): Promise<number> {
  let loaded: Loaded;
  let prepared: Prepared = { became: undefined, warnings: [] };
  try {
    loaded = await load(folder, undefined, async (configuration) => {
      const { umask } = configuration.startup;
      if (umask !== undefined) process.umask(umask);
      prepared = await prepareHost(configuration, { library: native().host });
    });
  } catch (error) {
    const isOfHost = error instanceof ListenError || error instanceof PrivilegeError;
    const problems = isOfHost ? error.message : problemsToText(error);
    process.stderr.write(`${problems}${adviceOnAccess(problems, prepared.became, 'start')}\n`);
    // Sockets that are bound already end with the process.
    return exitCodes.failed;
  }
  const { startup } = loaded.configuration;
  const { became } = prepared;
  const lines = new LogLines();
  const { logger: log, flush } = openLog({
    mask: startup.syslogMask,
    forPeople: process.stdout.isTTY === true,
    lines,
  });
  for (const warning of loaded.configuration.warnings) log.warn({}, problemToText(warning));
  if (loaded.hooks.warnings.length > 0)
    log.warn({ problems: bytesToText(renderDiagnostics(loaded.hooks.warnings)) }, 'scripts have warnings');
  for (const warning of prepared.warnings) log.warn({}, warning);
  if (became !== undefined) {
    log.info({ user: became.user, uid: became.uid, gid: became.gid }, 'root given up');
    const refused = reloadWarning(folder, became);
    if (refused !== undefined) log.warn({}, refused);
  }
  const manager = systemServiceManager((problem) => log.warn({}, problem));
  manager.status('loading the spool');

  let daemon: Daemon;
  try {
    const spool = await openSpools({
      folders: startup.spoolPaths,
      log,
      fsync: startup.spoolFsync,
      corrupt: startup.spoolCorrupt,
      minimumFree: { bytes: startup.spoolMinFreeBytes, inodes: startup.spoolMinFreeInodes },
    });
    daemon = new Daemon(folder, loaded, spool, log, { lines, manager, became });
    // Without a listener the signal would end a daemon that is still loading its spool.
    process.on('SIGHUP', () => void daemon.reload());
    await daemon.start();
  } catch (error) {
    await flush();
    if (!(error instanceof ListenError) && !(error instanceof SpoolError)) throw error;
    process.stderr.write(`${error.message}${adviceOnAccess(error.message, became, 'start')}\n`);
    // Listeners and logs that are open already would keep the process alive.
    process.exit(exitCodes.failed);
  }
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
    void daemon.shutdownAsked.then(resolve);
  });
  await daemon.stop(signal);
  await flush();
  return exitCodes.done;
}
