// Where files lie that are not code: the addon, the modules written in HSL, schemas. The same source runs from the
// tree (tests), from dist/ and from a bundle, so nobody else counts `..`.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of our package.json, found from this file upwards. */
export function packageRoot(): string {
  root ??= findRoot(path.dirname(fileURLToPath(import.meta.url)));
  return root;
}

let root: string | undefined;

function findRoot(start: string): string {
  for (let folder = start; ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json');
    if (existsSync(manifest) && isOurs(readFileSync(manifest, 'utf8'))) return folder;
    if (folder === path.dirname(folder))
      throw new Error(`No package.json of argonite at or above ${start}: the installation is incomplete.`);
  }
}

function isOurs(manifest: string): boolean {
  const parsed: unknown = JSON.parse(manifest);
  return typeof parsed === 'object' && parsed !== null && 'name' in parsed && parsed.name === 'argonite';
}

/** The version in our package.json. */
export function packageVersion(): string {
  const manifest = readFileSync(path.join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

/**
 * The place of a file or folder that ships with us, `relative` as in the source tree (`stdlib/extras`). The build may
 * have put a copy under dist/, which wins; the path need not exist.
 */
export function assetPath(relative: string): string {
  const built = path.join(packageRoot(), 'dist', relative);
  return existsSync(built) ? built : path.join(packageRoot(), relative);
}
