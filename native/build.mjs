// Builds the native addon with plain g++: no node-gyp, nothing from the network. Compiles only when a source file, a
// flag or the headers changed since the last time. Uses Node's own modules only: set-up calls it before anything else.
//
//   node native/build.mjs      exit 0: built or up to date; 1: could not be built, the reason is on stderr

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));
const headers = path.join(folder, '..', 'node_modules', 'node-api-headers');
const output = path.join(folder, 'build', 'argonite.node');
const hashFile = path.join(folder, 'build', 'argonite.hash');

const flags = [
  '-std=c++17',
  '-O2',
  '-Wall',
  '-Wextra',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-DNAPI_VERSION=8',
  `-I${path.join(headers, 'include')}`,
];

/** A hash of everything that the built file depends on. */
function sourceHash(sources) {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([flags, process.arch, process.platform]));
  const version = path.join(headers, 'package.json');
  if (existsSync(version)) hash.update(readFileSync(version));
  for (const file of sources) hash.update(`\0${file}\0`).update(readFileSync(path.join(folder, file)));
  return hash.digest('hex');
}

/**
 * Builds the addon if needed.
 * @returns {{ kind: 'built' | 'unchanged', file: string } | { kind: 'failed', message: string }}
 */
export function buildAddon() {
  const files = readdirSync(folder).sort();
  const sources = files.filter((file) => file.endsWith('.cc'));
  const hash = sourceHash(files.filter((file) => /\.(cc|h)$/.test(file)));
  if (existsSync(output) && existsSync(hashFile) && readFileSync(hashFile, 'utf8') === hash)
    return { kind: 'unchanged', file: output };
  if (!existsSync(path.join(headers, 'include', 'node_api.h')))
    return { kind: 'failed', message: `${headers} is missing: run npm ci first.` };

  const compiler = process.env.CXX ?? 'g++';
  mkdirSync(path.dirname(output), { recursive: true });
  // A running daemon has the old file mapped: the new one is put in its place, never written into it.
  const fresh = `${output}.${process.pid}`;
  const run = spawnSync(
    compiler,
    [...flags, ...sources.map((file) => path.join(folder, file)), '-o', fresh, '-ldl'],
    { encoding: 'utf8' },
  );
  if (run.error !== undefined) {
    const why = run.error.code === 'ENOENT' ? 'was not found' : `could not be started (${run.error.message})`;
    return {
      kind: 'failed',
      message:
        `${compiler} ${why}, so the native addon is not built. Install it (Debian: apt-get install g++) and run this ` +
        'again. Without the addon argonite runs, but without plugins and with simple patterns only.',
    };
  }
  if (run.status !== 0) {
    rmSync(fresh, { force: true });
    return { kind: 'failed', message: `${compiler} could not compile the native addon:\n${run.stderr}` };
  }
  if (run.stderr !== '') process.stderr.write(run.stderr);
  renameSync(fresh, output);
  writeFileSync(hashFile, hash);
  return { kind: 'built', file: output };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const result = buildAddon();
  if (result.kind === 'failed') {
    process.stderr.write(`${result.message}\n`);
    process.exitCode = 1;
  } else if (result.kind === 'built') {
    process.stdout.write(`native addon: built ${path.relative(process.cwd(), result.file)}\n`);
  }
}
