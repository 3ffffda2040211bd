// Wiring: a configuration folder becomes a running daemon. No decisions are made here; each room is told what it needs
// and given what it works with.

import { bytesToText, execute, type Limits, type Program, renderDiagnostics } from '#lang';
import { createLocalServices } from '#stdlib';
import { exitCodes } from './cli/exit-codes.js';
import type { Configuration, ServerSettings } from './config/configuration.js';
import { loadConfiguration } from './config/load.js';
import { openFilesWarning } from './config/open-files.js';
import { ConfigError, problemToText } from './config/problem.js';
import { judge } from './delivery/failure.js';
import { SmtpDeliverer } from './delivery/smtp-deliverer.js';
import { type Logger, openLog } from './log/logger.js';
import { MessageQueue } from './queue/message-queue.js';
import { type ConfiguredHooks, compileHooks, limitsOf, RefusedScripts } from './scripting/configured-hooks.js';
import { HookRunner } from './scripting/hook-runner.js';
import { createRunHost } from './scripting/host/index.js';
import { smtpDefaults, type SmtpServerOptions } from './smtp/options.js';
import { ListenError, SmtpServer } from './smtp/server.js';
import { openSpool } from './spool/disk-spool.js';
import { SpoolError } from './spool/spool.js';

/** A configuration with its scripts compiled: all that is checked before anything starts. */
interface Loaded {
  readonly configuration: Configuration;
  readonly hooks: ConfiguredHooks;
}

/** @throws ConfigError, RefusedScripts */
async function load(folder: string): Promise<Loaded> {
  const configuration = loadConfiguration(folder);
  return { configuration, hooks: await compileHooks(configuration.running, configuration.startup.scriptRoot) };
}

/** What is wrong with a configuration, for a person; anything else is our own mistake and goes on. */
function problemsToText(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof RefusedScripts) return bytesToText(renderDiagnostics(error.diagnostics));
  throw error;
}

/** `serve --check`: everything is read, checked and compiled, nothing is started. @returns the exit code */
export async function check(folder: string): Promise<number> {
  try {
    const { configuration, hooks } = await load(folder);
    for (const warning of configuration.warnings) process.stdout.write(`${problemToText(warning)}\n`);
    if (hooks.warnings.length > 0) process.stdout.write(`${bytesToText(renderDiagnostics(hooks.warnings))}\n`);
    process.stdout.write(`${folder}: the configuration is good\n`);
    return exitCodes.done;
  } catch (error) {
    process.stderr.write(`${problemsToText(error)}\n`);
    return exitCodes.failed;
  }
}

function smtpOptions(settings: ServerSettings, hostname: string): SmtpServerOptions {
  return {
    id: settings.id,
    hostname,
    listeners: settings.listeners,
    transportId: settings.transportId,
    hooks: { ...settings.hooks, rcptto: settings.rcpttoHook, rcpttoByDomain: settings.rcpttoHookByDomain },
    heloRequired: settings.heloRequired,
    pipelining: settings.pipelining,
    eightBitMime: settings.eightBitMime,
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
      commandSeconds: settings.idleTimeoutSeconds,
      dataSeconds: settings.idleTimeoutSeconds,
    },
  };
}

function every(seconds: number, run: () => void): () => void {
  const timer = setInterval(run, seconds * 1000);
  return () => clearInterval(timer);
}
