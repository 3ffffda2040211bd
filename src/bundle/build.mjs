// Makes the bundle that `launch.cjs` runs, dist/bundle/NAME, from the sources: a start reads three files instead of a thousand.
//
//   command.cjs      the command line and what talks to a running daemon
//   rooms.cjs        everything else of ours: the daemon, scripts, lint
//   packages/*.cjs   large packages that most processes never need
//
// Each part is loaded when it is first asked for, and so is each module behind an `import()`. Names are kept as they are,
// and a map beside each file leads to the sources. NAME is a hash of the content: a daemon that runs keeps its files, of which it
// may load some late, for as many builds as are kept.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { compiledSchemas } from './validators.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const output = path.join(root, 'dist', 'bundle');

/** What command.cjs asks rooms.cjs for: modules of src/cli/main.ts and src/cli/serve.ts behind an `import()`. */
const rooms = { serve: 'src/main.ts', hsh: 'src/cli/hsh.ts', lint: 'src/cli/lint.ts' };

/** Packages with a file of their own. */
const packages = [
  'chevrotain',
  'fastify',
  '@fastify/swagger',
  'undici',
  'mailparser',
  'ldapts',
  'prom-client',
  'tldts',
];

/** Files that load packages with a `require` of their own making, which a bundler does not see. */
const requiring = ['stdlib/lazy-packages.ts', 'src/metrics/script-metrics.ts'];

/** So many of the last bundles stay: processes that run may still load a part of theirs. */
const KEPT_BUNDLES = 5;

/** Modules without state that a process may have twice. */
const stateless = ['src/cli/exit-codes.ts'];

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  conditions: ['argonite-source'],
  // import() of what is in another file becomes require(), which knows the code caches.
  supported: { 'dynamic-import': false },
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  // All but comments: the loader reads the files as Latin-1.
  charset: 'ascii',
  logLevel: 'warning',
};

const plainRequire = {
  name: 'plain require',
  setup(bundle) {
    const files = new Set(requiring.map((name) => path.join(root, name)));
    bundle.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      if (!files.has(file)) return undefined;
      const text = await readFile(file, 'utf8');
      if (!text.includes('requirePackage(')) throw new Error(`${file} has no requirePackage any more`);
      return { contents: text.replaceAll('requirePackage(', 'require('), loader: 'ts' };
    });
  },
};

const packageFile = (name) => `packages/${name.replace('@', '').replace('/', '-')}.cjs`;

const separatePackages = {
  name: 'separate packages',
  setup(bundle) {
    const names = packages.map((name) => name.replaceAll('/', '\\/')).join('|');
    bundle.onResolve({ filter: new RegExp(`^(${names})$`) }, ({ path: name, kind }) =>
      kind === 'entry-point' ? undefined : { path: `./${packageFile(name)}`, external: true },
    );
  },
};

const separateRooms = {
  name: 'separate rooms',
  setup(bundle) {
    const names = new Map(Object.entries(rooms).map(([name, file]) => [path.join(root, file), name]));
    bundle.onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path: written, resolveDir, kind }) => {
      const name = names.get(path.join(resolveDir, written.replace(/\.js$/, '.ts')));
      return kind === 'dynamic-import' && name !== undefined ? { path: name, namespace: 'room' } : undefined;
    });
    bundle.onLoad({ filter: /./, namespace: 'room' }, ({ path: name }) => ({
      contents: `module.exports = require('./rooms.cjs').${name}();`,
    }));
    bundle.onResolve({ filter: /^\.\/rooms\.cjs$/ }, ({ path: file }) => ({ path: file, external: true }));
  },
};

const bundledUrl = {
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/** Builds into `folder`. */
async function bundle(folder) {
  const roomsEntry = Object.entries(rooms)
    .map(([name, file]) => `exports.${name} = () => require(${JSON.stringify(`./${file}`)});`)
    .join('\n');
  const [command, rest] = await Promise.all([
    build({
      ...common,
      ...bundledUrl,
      entryPoints: ['src/cli/main.ts'],
      outfile: path.join(folder, 'command.cjs'),
      plugins: [plainRequire, separatePackages, separateRooms],
      metafile: true,
    }),
    build({
      ...common,
      ...bundledUrl,
      stdin: { contents: roomsEntry, resolveDir: root, sourcefile: 'rooms.js' },
      outfile: path.join(folder, 'rooms.cjs'),
      plugins: [plainRequire, compiledSchemas(root, folder), separatePackages],
      metafile: true,
    }),
    build({
      ...common,
      entryPoints: packages.map((name) => ({ in: name, out: packageFile(name).replace(/\.cjs$/, '') })),
      outdir: folder,
      outExtension: { '.js': '.cjs' },
    }),
  ]);
  checkCopies(command.metafile, rest.metafile);
}

/** What command.cjs runs beside rooms.cjs in one process is in it alone: two copies of a state would be two truths. */
function checkCopies(command, rest) {
  const together = new Set();
  const visit = (name) => {
    if (together.has(name)) return;
    together.add(name);
    for (const { path: next, kind, external } of command.inputs[name].imports)
      if (kind === 'import-statement' && !external) visit(next);
  };
  visit('src/cli/main.ts');
  const twice = [...together].filter((name) => name in rest.inputs && !name.includes('node_modules/'));
  const wrong = twice.filter((name) => !stateless.includes(name));
  if (wrong.length > 0)
    throw new Error(`${wrong.join(', ')}: in command.cjs and in rooms.cjs, and a process runs both`);
}

// --- Code caches --------------------------------------------------------------------------------------------------

/** What is run to fill the caches: a daemon as small as one can be, with a script to compile. */
const sample = {
  'smtpd.yaml': `version: "6.8"
environment: { controlsocket: { path: ctl } }
spool: { path: spool }
servers: [{ id: in, listeners: [{ address: 127.0.0.1, port: 0 }] }]
`,
  'smtpd-app.yaml': `version: "6.8"
servers: [{ id: in, transport: out, phases: { rcptto: { hook: sample } } }]
transportgroups: [{ id: out, transports: [{ id: out, connection: { server: 127.0.0.1 } }] }]
`,
  'smtpd-delivery.yaml': 'version: "6.8"\ndelivery: { default: { pooling: { enabled: true } } }\n',
  'smtpd-policy.yaml': 'version: "6.8"\npolicies: [{ fields: [remotemx], default: { concurrency: 20 } }]\n',
  'hooks/rcptto/sample.hsl': `$local = ["example.com" => true];
function isLocal($domain, $known) { return isset($known[$domain]); }
foreach ([1, 2] as $i => $n) { if ($n > 1 and $i == 1) echo "recipient $n"; }
if (!isLocal($arguments["address"]["domain"], $local)) Reject("not here");
`,
};

/** Runs a bundle's command until it ends, or for a minute. */
function runWarm(folder, files, args, cwd, onLine = () => {}) {
  return new Promise((resolve) => {
    const warm = path.join(root, 'src', 'bundle', 'warm.cjs');
    const child = spawn(process.execPath, [warm, folder, files, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
      // As root the daemon would take the system's folder for its compiled scripts.
      env: { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: path.join(cwd, 'cache') },
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      onLine(text, child);
    });
    child.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Writes the caches. Where the daemon cannot run there are none, and starts are slower. */
async function writeCaches(folder) {
  const cwd = mkdtempSync(path.join(tmpdir(), 'argonite-build-'));
  try {
    for (const [name, text] of Object.entries(sample)) {
      mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
      writeFileSync(path.join(cwd, name), text);
    }
    let isReady = false;
    await runWarm(
      folder,
      'rooms.cjs,packages/chevrotain.cjs',
      ['serve', '-c', cwd],
      cwd,
      async (text, child) => {
        if (isReady || !text.includes('"ready"')) return;
        isReady = true;
        await runWarm(folder, 'command.cjs', ['queue', 'list', '-s', path.join(cwd, 'ctl')], cwd);
        child.kill('SIGTERM');
      },
    );
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

// --- All of it ----------------------------------------------------------------------------------------------------

/** A hash over the files' names and content. */
function contentHash(folder) {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true }).sort())
    if (name.endsWith('.cjs')) hash.update(`${name}\0`).update(readFileSync(path.join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

/** Moves a finished bundle to its place, unless the same has been built before, or is at this moment. */
function putInPlace(folder, place) {
  try {
    renameSync(folder, place);
  } catch (error) {
    if (!existsSync(place)) throw error;
    if (contentHash(place) === path.basename(place)) return;
    // What a power cut has left of it, or somebody has edited.
    rmSync(place, { recursive: true });
    renameSync(folder, place);
  }
}

/** When something was last put into a folder. */
function writtenAt(folder) {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Whether another build may be at work in it. */
function isFresh(folder) {
  return Date.now() - writtenAt(folder) < 600_000;
}

const fresh = path.join(output, `.new-${process.pid}`);
mkdirSync(fresh, { recursive: true });
let name;
try {
  await bundle(fresh);
  name = contentHash(fresh);
  putInPlace(fresh, path.join(output, name));
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
// Last, since the caches know the files by their paths.
await writeCaches(path.join(output, name));
const pointer = path.join(output, 'current.json');
const draft = `${pointer}.${process.pid}`;
writeFileSync(draft, `${JSON.stringify({ folder: name })}\n`);
renameSync(draft, pointer);
const others = readdirSync(output, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== name)
  .map((entry) => path.join(output, entry.name))
  .sort((one, other) => writtenAt(other) - writtenAt(one));
const bundles = others.filter((folder) => !path.basename(folder).startsWith('.new-'));
const kept = new Set(bundles.slice(0, KEPT_BUNDLES - 1));
for (const folder of others)
  if (!kept.has(folder) && !isFresh(folder)) rmSync(folder, { recursive: true, force: true });
