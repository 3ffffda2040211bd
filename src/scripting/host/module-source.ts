// Finds what `include` and `import` name (hsl-language 14), in a list of files held in memory and below folders.
// Nothing outside the folders is ever read: not by `..`, not by an absolute path, not through a symbolic link.
//
// Canonical names: a path below the root (`lib/spam.hsl`), or `extras://name`. Like all text of scripts they are bytes.

import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { bytesToText, type FoundFile, type ModuleSource } from '#lang';
import { assetPath } from '../../native/index.js';

export interface ModuleSourceOptions {
  /** Files by name, as bytes; they win over the folders (`scripting.files` of a configuration). */
  readonly files?: ReadonlyMap<string, string>;
  /** Script roots, looked into in this order. */
  readonly folders?: readonly string[];
  /** The folder behind `extras://`; by default the one that ships with us. */
  readonly extras?: string;
}

/**
 * Files that older scripts include by these names although no module has them: found when the configuration has none of
 * the name (stdlib 15). The value is a file of the extras.
 */
const bundledIncludes: ReadonlyMap<string, string> = new Map([
  ['authentication.header', 'authentication/header.hsl'],
  ['authentication/header', 'authentication/header.hsl'],
  ['authentication.arc', 'authentication/arc.hsl'],
  ['authentication/arc', 'authentication/arc.hsl'],
]);

/** Makes a module source that reads files anew each time it is asked. */
export function createModuleSource(options: ModuleSourceOptions = {}): ModuleSource {
  const files = options.files ?? new Map<string, string>();
  const folders = (options.folders ?? []).map((folder) => path.resolve(folder));
  const extras = options.extras ?? assetPath('stdlib/extras');

  return {
    find(written, from) {
      const place = placeOf(written, from);
      if ('problem' in place) return place;
      const isExtra = place.scheme === 'extras';
      for (const name of spellings(place.path)) {
        const text = isExtra ? undefined : files.get(name);
        if (text !== undefined) return { name, text };
        for (const folder of isExtra ? [extras] : folders) {
          const found = readBelow(folder, name);
          if (found === undefined) continue;
          if (typeof found !== 'string') return found;
          return { name: isExtra ? `extras://${name.replace(/\.hsl$/, '')}` : name, text: found };
        }
      }
      const bundled = isExtra ? undefined : bundledIncludes.get(place.path.replace(/\.hsl$/, ''));
      const found = bundled === undefined ? undefined : readBelow(extras, bundled);
      if (bundled !== undefined && typeof found === 'string')
        return { name: `extras://${bundled.replace(/\.hsl$/, '')}`, text: found };
      return { problem: notFound(place, files.size > 0, folders) };
    },
  };
}

/**
 * Tells when a script file changes, for caches tied to one: its stamp is another then. A list held in memory never changes;
 * whoever replaces it asks for stamps anew, and a file has the same stamp in both lists if it has the same content.
 */
export function createFileStamp(options: ModuleSourceOptions): (name: string) => string | undefined {
  const listed = new Map<string, string>();
  const stampOfListed = (name: string, text: string): string => {
    let stamp = listed.get(name);
    if (stamp === undefined) {
      stamp = createHash('sha1').update(text, 'latin1').digest('hex');
      listed.set(name, stamp);
    }
    return stamp;
  };
  return (written) => {
    const place = placeOf(written, '');
    if ('problem' in place || place.scheme === 'extras') return undefined;
    for (const name of spellings(place.path)) {
      const text = options.files?.get(name);
      if (text !== undefined) return stampOfListed(name, text);
      for (const folder of options.folders ?? []) {
        const stat = statSync(fileBelow(folder, name), { throwIfNoEntry: false });
        if (stat?.isFile()) return `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
      }
    }
    return undefined;
  };
}

interface Place {
  readonly scheme: 'file' | 'extras';
  /** Normal, relative, without `..`. */
  readonly path: string;
}

/** What a path means in the file that has it. */
function placeOf(written: string, from: string): Place | { readonly problem: string } {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/)?/.exec(written);
  if (scheme !== null && scheme[1] !== 'file' && scheme[0] !== 'extras://')
    return {
      problem: `"${bytesToText(scheme[0])}" is no place for scripts; use a path below the script root, file:// or extras://`,
    };
  const rest = written.slice(scheme?.[0].length ?? 0);
  if (rest === '' || rest.includes('\0')) return { problem: 'the path names no file' };
  if (rest.startsWith('/')) return { problem: 'the path is absolute; paths start at the script root' };
  const isRelative = scheme === null && /^\.\.?\//.test(rest);
  const base = isRelative ? placeOfFile(from) : undefined;
  const joined = path.posix.normalize(
    base === undefined ? rest : path.posix.join(path.posix.dirname(base.path), rest),
  );
  if (joined === '..' || joined.startsWith('../'))
    return { problem: 'the path leads out of the script root' };
  return { scheme: base?.scheme ?? (scheme?.[1] === 'extras' ? 'extras' : 'file'), path: joined };
}

function placeOfFile(name: string): Place {
  const extra = /^extras:\/\//.exec(name);
  return extra === null
    ? { scheme: 'file', path: name }
    : { scheme: 'extras', path: name.slice(extra[0].length) };
}

/** The name as written, then with the ending of scripts, or without it: lists of files are kept both ways. */
function spellings(name: string): string[] {
  return name.endsWith('.hsl') ? [name, name.slice(0, -4)] : [name, `${name}.hsl`];
}

/** A file's bytes; undefined when there is none. Names are bytes, folders are text. */
function readBelow(folder: string, name: string): string | { readonly problem: string } | undefined {
  const file = fileBelow(folder, name);
  try {
    if (!statSync(file).isFile()) return undefined;
    const real = realpathSync(file);
    if (!real.startsWith(withSlash(realpathSync(folder))))
      return { problem: `${bytesToText(name)} is a link that leads out of the script root ${folder}` };
    return readFileSync(real, 'latin1');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return {
      problem: `${bytesToText(name)} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function fileBelow(folder: string, name: string): string {
  return path.join(folder, bytesToText(name));
}

function withSlash(folder: string): string {
  return folder.endsWith('/') ? folder : `${folder}/`;
}

function notFound(place: Place, hasList: boolean, folders: readonly string[]): string {
  if (place.scheme === 'extras')
    return `there is no module of that name (extras://${bytesToText(place.path)})`;
  const places = [
    ...(hasList ? ['in the list of files'] : []),
    ...folders.map((folder) => `below ${folder}`),
  ];
  if (places.length === 0) return 'there is no script root here, so no file can be found';
  return `there is no file ${bytesToText(place.path)} ${places.join(' or ')}`;
}

/** A script file as the compiler takes it. `name` is what messages call it. @throws when it cannot be read */
export function readScript(file: string, name: string): FoundFile {
  return { name, text: readFileSync(file, 'latin1') };
}
