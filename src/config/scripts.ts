// The scripts and files that a configuration names: in its YAML, or beside it in `hooks/` and `files/`.

import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ConfiguredFile, ConfiguredScript } from './configuration.js';
import { serverPhases } from './configuration.js';
import type { ConfigDocument } from './document.js';
import type { Layout } from './layout.js';
import type { ConfigProblem } from './problem.js';
import type { AppFile } from './schema/smtpd-app.js';

/** What is there and cannot be read must not pass for something that is not there: mail would go without its script. */
function unreadable(file: string, error: unknown): ConfigProblem {
  return { file, message: `the file cannot be read: ${(error as Error).message}`, severity: 'error' };
}

/** A script beside the configuration; undefined when there is none or it cannot be read, which is a problem. */
function readScript(file: string, problems: ConfigProblem[]): ConfiguredScript | undefined {
  try {
    return { name: file, text: readFileSync(file, 'latin1') };
  } catch (error) {
    if (existsSync(file)) problems.push(unreadable(file, error));
    return undefined;
  }
}

const utf8AsBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** Links count as what they point to: deployments link files into place. */
function isFile(entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return statSync(path.join(entry.parentPath, entry.name)).isFile();
}

/** Every file below a folder, hidden ones left out, by its path with "/". */
function filesBelow(folder: string, problems: ConfigProblem[]): ConfiguredFile[] {
  if (!existsSync(folder)) return [];
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    problems.push(unreadable(folder, error));
    return [];
  }
  const files: ConfiguredFile[] = [];
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const id = path.relative(folder, file).split(path.sep).join('/');
    if (id.split('/').some((part) => part.startsWith('.'))) continue;
    try {
      if (isFile(entry)) files.push({ id, text: readFileSync(file, 'latin1') });
    } catch (error) {
      problems.push(unreadable(file, error));
    }
  }
  return files;
}

/** Scripts that some server names, from the YAML first, else from `hooks/<phase>/<id>.hsl`. */
export function collectScripts(
  app: ConfigDocument<AppFile>,
  layout: Layout,
  problems: ConfigProblem[],
): Map<string, ConfiguredScript> {
  const scripts = new Map<string, ConfiguredScript>();
  const wanted = (phase: (typeof serverPhases)[number], id: string, at: (string | number)[]) => {
    const key = `${phase}/${id}`;
    if (scripts.has(key)) return;
    const inline = app.value.scripting?.hooks?.[phase]?.find((script) => script.id === id);
    const file = path.join(layout.hooks, phase, `${id}.hsl`);
    const isPlainName = /^[A-Za-z0-9_.-]+$/.test(id) && !id.startsWith('.');
    const known = problems.length;
    const script =
      inline === undefined
        ? isPlainName
          ? readScript(file, problems)
          : undefined
        : { name: key, text: utf8AsBytes(inline.data) };
    if (script === undefined) {
      if (problems.length > known) return;
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

export function queueScript(
  app: ConfigDocument<AppFile>,
  layout: Layout,
  phase: 'predelivery' | 'postdelivery',
  problems: ConfigProblem[],
): ConfiguredScript | undefined {
  const inline = app.value.scripting?.hooks?.[phase];
  if (inline !== undefined) return { name: phase, text: utf8AsBytes(inline) };
  return readScript(path.join(layout.hooks, 'queue', `${phase}.hsl`), problems);
}

export function collectFiles(
  app: ConfigDocument<AppFile>,
  layout: Layout,
  problems: ConfigProblem[],
): ConfiguredFile[] {
  const files = new Map(filesBelow(layout.files, problems).map((file) => [file.id, file]));
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
