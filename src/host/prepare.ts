// What is done once, after the configuration is checked and before anything else of the daemon exists: the limit of open files, and,
// started as root, everything that takes root. From here on the process is the user that the configuration names, so that no
// script, no parser and no file of ours ever meets root.

import { chownSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { getSystemErrorName } from 'node:util';
import type { Configuration } from '../config/configuration.js';
import { loadConfiguration } from '../config/load.js';
import { openFilesLimit, openFilesWarning } from '../config/open-files.js';
import type { PrivdropSettings } from '../config/privdrop.js';
import { ConfigError } from '../config/problem.js';
import type { HostLibrary, Part } from '../native/index.js';
import { bindSockets } from './bind-sockets.js';
import { dropPrivileges, type Identity, PrivilegeError, processIdentity } from './privileges.js';

/** Where compiled scripts of the system's daemon are kept. */
const CACHE_FOLDER = '/var/cache/argonite';

/** What the host offers; the real one unless a test says otherwise. */
export interface PrepareParts {
  readonly library: Part<HostLibrary>;
  readonly identity?: Identity | undefined;
  readonly environment?: NodeJS.ProcessEnv;
  readonly cacheFolder?: string;
}

/** What came of it. */
export interface Prepared {
  /** Whom the process has become; undefined when it is who it was. */
  readonly became: PrivdropSettings | undefined;
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/** Makes the process what the configuration asks for. @throws ListenError, PrivilegeError */
export async function prepareHost(configuration: Configuration, parts: PrepareParts): Promise<Prepared> {
  const { identity = processIdentity(), library } = parts;
  const { openFiles, privdrop } = configuration.startup;
  const fewFiles = raiseOpenFiles(openFiles, library);
  const warnings = fewFiles === undefined ? [] : [fewFiles];
  if (privdrop === undefined) return { became: undefined, warnings };
  if (identity === undefined || identity.geteuid() !== 0) {
    warnings.push(
      `environment.privdrop has no effect: the daemon was not started as root, and stays user ${identity?.geteuid() ?? 'unknown'}`,
    );
    return { became: undefined, warnings };
  }
  if (library.kind === 'missing')
    throw new PrivilegeError(
      `root cannot be given up (environment.privdrop), because sockets are bound ahead by the native addon: ${library.problem}`,
    );
  await bindSockets(configuration, library.part, privdrop);
  makeFolders(configuration, privdrop, parts);
  dropPrivileges(privdrop, identity);
  return { became: privdrop, warnings };
}

/** @returns what to tell the operator when the files cannot be had */
function raiseOpenFiles(wanted: number | undefined, library: Part<HostLibrary>): string | undefined {
  const limit = openFilesLimit();
  if (wanted === undefined || limit === undefined || limit >= wanted) return undefined;
  if (library.kind === 'available') {
    const answer = library.part.raiseOpenFiles(wanted);
    // Asked once more: what counts is what the system allows now.
    const warning = openFilesWarning(wanted);
    if (answer === 0 || warning === undefined) return warning;
    return `${warning} (${getSystemErrorName(answer)})`;
  }
  return openFilesWarning(wanted);
}

/**
 * Folders that root may make and the user may not, and the surroundings that a user has. A folder that is there already is the
 * operator's.
 */
function makeFolders(
  { startup }: Configuration,
  owner: PrivdropSettings,
  { environment = process.env, cacheFolder = CACHE_FOLDER }: PrepareParts,
): void {
  const [spool, ...others] = startup.spoolPaths;
  // Of several folders each must be there: one that is missing may be a disk that is not mounted.
  if (spool !== undefined && others.length === 0) makeFolder(spool, 0o750, owner);
  if (environment['CACHE_DIRECTORY'] === undefined && environment['XDG_CACHE_HOME'] === undefined) {
    makeFolder(cacheFolder, 0o700, owner);
    if (lstatSync(cacheFolder, { throwIfNoEntry: false })?.uid === owner.uid)
      environment['CACHE_DIRECTORY'] = cacheFolder;
  }
  environment['USER'] = owner.user;
  environment['LOGNAME'] = owner.user;
  if (owner.home === undefined) delete environment['HOME'];
  else environment['HOME'] = owner.home;
}

/** What cannot be made is told by who needs it. */
function makeFolder(folder: string, mode: number, { uid, gid }: PrivdropSettings): void {
  if (existsSync(folder)) return;
  try {
    mkdirSync(path.dirname(folder), { recursive: true });
    mkdirSync(folder, { mode });
    chownSync(folder, uid, gid);
  } catch {
    // The spool says what it misses; a cache is not needed.
  }
}

/** What to tell the operator when a reload would be refused, since the user that the process has become may not read all files. */
export function reloadWarning(folder: string, became: PrivdropSettings): string | undefined {
  try {
    loadConfiguration(folder);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `a reload would be refused:\n${error.message}${adviceOnAccess(error.message, became, 'reload')}`;
  }
}

/** What to add to a refusal when files may be out of reach for whom the process has become; '' when that is not it. */
export function adviceOnAccess(
  message: string,
  became: PrivdropSettings | undefined,
  when: 'start' | 'reload',
): string {
  if (became === undefined || !/\b(?:EACCES|EPERM)\b|permission denied|not permitted/i.test(message))
    return '';
  const { user } = became;
  const advice =
    when === 'start'
      ? `What root has written before is given to that user by hand: chown -R ${user} FOLDER`
      : `What root alone may read is read at start only: give the file to ${user} or to its group, or restart the daemon`;
  return `\nThe daemon has given up root and is the user ${user} (environment.privdrop), who may not use that file. ${advice}.`;
}
