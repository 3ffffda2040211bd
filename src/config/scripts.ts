// The scripts and files that a configuration names: in its YAML, or beside it in `hooks/` and `files/`.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ConfiguredFile, ConfiguredScript } from './configuration.js';
import { serverPhases } from './configuration.js';
import type { ConfigDocument } from './document.js';
import type { Layout } from './layout.js';
import type { ConfigProblem } from './problem.js';
import type { AppFile } from './schema/smtpd-app.js';

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

export function queueScript(
  app: ConfigDocument<AppFile>,
  layout: Layout,
  phase: 'predelivery' | 'postdelivery',
): ConfiguredScript | undefined {
  const inline = app.value.scripting?.hooks?.[phase];
  if (inline !== undefined) return { name: phase, text: utf8AsBytes(inline) };
  const file = path.join(layout.hooks, 'queue', `${phase}.hsl`);
  return readScript(file, file);
}

export function collectFiles(
  app: ConfigDocument<AppFile>,
  layout: Layout,
  problems: ConfigProblem[],
): ConfiguredFile[] {
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
