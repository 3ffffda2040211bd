// Set-up and the npm scripts. Node's own modules only: this file runs before anything is installed. Each step is
// skipped when nothing it depends on has changed, and says in one line what it does when it does something.
//
//   node src/setup.mjs start|test|build|docs|conformance|bench|fuzz|packages|peers [arguments]

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const inRoot = (...parts) => path.join(root, ...parts);

/** Says what a step is doing, on stderr: stdout belongs to the command that was asked for. */
function say(text) {
  process.stderr.write(`argonite: ${text}\n`);
}

/** Stops with a message for a person. */
function fail(text) {
  say(text);
  process.exit(1);
}

/** Runs a program in the foreground; a failure of it ends the set-up with its exit code. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

// --- Packages ----------------------------------------------------------------------------------------------------

/** Whether node_modules holds what the lockfile says. Development packages count only where they are needed. */
function packagesAreInstalled(withDevelopment) {
  const installedFile = inRoot('node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  for (const [name, entry] of Object.entries(wanted)) {
    if (name === '' || entry.optional || entry.devOptional) continue;
    if (entry.dev && !withDevelopment) continue;
    if (installed[name]?.version !== entry.version) return false;
  }
  return true;
}

function installPackages(withDevelopment) {
  if (packagesAreInstalled(withDevelopment)) return;
  say('installing packages (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    // npm's own words go to stderr: a command's output on stdout stays clean.
    stdio: ['inherit', 2, 2],
  });
}

// --- Build -------------------------------------------------------------------------------------------------------

const sourceRooms = ['lang', 'stdlib', 'hooks', 'src', 'test'];

/** The same beside other work: settles when the program has ended, and says whether it went well. */
function runBeside(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(`cannot run ${command}: ${error.message}`);
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
}

/** A hash over names, sizes and times of all sources: cheap, and any edit changes it. */
function sourcesHash() {
  const hash = createHash('sha256');
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) visit(file);
      else if (/\.(ts|mjs|cjs)$/.test(entry.name)) {
        const { size, mtimeMs } = statSync(file);
        hash.update(`${file}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  for (const room of sourceRooms) visit(inRoot(room));
  for (const file of ['tsconfig.json', 'package-lock.json']) hash.update(readFileSync(inRoot(file)));
  return hash.digest('hex');
}

/** dist/ has each source compiled, for tests and benchmarks, and the bundle, which is what the command runs. */
async function compileSources() {
  // Tests are compiled with the rest where the packages they use are installed; a user may leave those out.
  const config = packagesAreInstalled(true) ? 'tsconfig.json' : path.join('src', 'tsconfig.build.json');
  const stamp = inRoot('dist', '.sources');
  // The bundle's code caches are for one version of Node.
  const now = `${config} ${process.version} ${sourcesHash()}`;
  const isBuilt = existsSync(inRoot('dist', 'bundle', 'current.json'));
  if (isBuilt && existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  say('compiling TypeScript');
  const done = await Promise.all([
    runBeside(process.execPath, [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', inRoot(config)]),
    runBeside(process.execPath, [inRoot('src', 'bundle', 'build.mjs')]),
  ]);
  if (done.includes(false)) process.exit(1);
  writeFileSync(stamp, now);
}

/** Without a compiler there is no addon: everything runs but patterns that only PCRE2 can match, and plugins. */
async function buildAddon() {
  const isBuilt = await runBeside(process.execPath, [inRoot('native', 'build.mjs')]);
  if (!isBuilt) say('going on without the native addon');
}

/** All that has to be there; `others` is work that does not depend on it. */
async function build(withDevelopment = false, ...others) {
  timed('packages', () => installPackages(withDevelopment));
  await Promise.all([timed('addon', buildAddon), timed('sources', compileSources), ...others]);
}

/** Seconds of each step, as they ended; steps beside each other share the processors. */
const spent = [];

/** Runs a step, which may be waited for, and keeps how long it took. */
function timed(name, step) {
  const started = performance.now();
  const end = () => spent.push(`${name} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const result = step();
  if (!(result instanceof Promise)) {
    end();
    return result;
  }
  return result.finally(end);
}

// --- Programs that tests and benchmarks use ------------------------------------------------------------------------

/** Debian packages that are installed as they are; the value is a program that shows they are there. */
const debianPackages = { swaks: 'swaks', 'lua5.4': 'lua5.4', 'php-cli': 'php', 'libpcre2-8-0': undefined };

/** Packages that are only unpacked with what they depend on, never installed: installing a server may start it. */
const unpackedPackages = [
  'postfix',
  'redis-server',
  'memcached',
  'opendkim',
  'opendkim-tools',
  'slapd',
  'clamav-daemon',
  'rspamd',
  'spamd',
  'exim4-daemon-light',
  'libnss-wrapper',
  'unbound',
  'ldnsutils',
  'dovecot-lmtpd',
];

const peersFolder = inRoot('.cache', 'peers');

function hasProgram(name) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(path.join(folder, name)));
}

/** Installs what tests need, where that is allowed; elsewhere the tests that need it say that they were skipped. */
function installPeers() {
  const missing = Object.entries(debianPackages)
    .filter(([, program]) => program !== undefined && !hasProgram(program))
    .map(([name]) => name);
  const list = path.join(peersFolder, 'unpacked.txt');
  const wanted = unpackedPackages.join('\n');
  const unpacked = existsSync(list) && readFileSync(list, 'utf8') === wanted;
  if (missing.length === 0 && unpacked) return;
  const names = [...missing, ...(unpacked ? [] : unpackedPackages.map((name) => `${name} (unpacked)`))];
  if (process.getuid?.() !== 0 || !hasProgram('apt-get')) {
    say(`cannot install ${names.join(', ')} (needs root and apt-get): tests that need them will be skipped`);
    return;
  }
  const quiet = {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  say(`installing what the tests talk to: ${names.join(', ')}`);
  spawnSync('apt-get', ['update', '-qq'], quiet);
  if (missing.length > 0) {
    const result = spawnSync(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', ...missing],
      quiet,
    );
    if (result.status !== 0) say('apt-get install failed: tests that need these programs will be skipped');
  }
  if (!unpacked) {
    unpackPeers(quiet);
    writeFileSync(list, wanted);
  }
}

/** Downloads each server and the libraries it needs that this machine lacks, and unpacks them beside each other. */
function unpackPeers(quiet) {
  const downloads = path.join(peersFolder, 'download');
  mkdirSync(path.join(downloads, 'partial'), { recursive: true });
  // Root may read what it writes: apt's own user cannot enter the project's folder.
  const always = ['-qq', '-o', 'APT::Sandbox::User=root', '-o', `Dir::Cache::archives=${downloads}`];
  for (const name of unpackedPackages) {
    const libraries = spawnSync(
      'apt-get',
      [...always, 'install', '-y', '--no-install-recommends', '--download-only', name],
      quiet,
    );
    // What is installed here already is not downloaded above, but the tests look for it in the folder.
    const itself = spawnSync('apt-get', [...always, 'download', name], { ...quiet, cwd: downloads });
    if (libraries.status !== 0 || itself.status !== 0)
      say(`apt-get could not download ${name}: tests that need it will be skipped`);
  }
  for (const file of readdirSync(downloads)) {
    if (file.endsWith('.deb')) spawnSync('dpkg', ['-x', path.join(downloads, file), peersFolder], quiet);
  }
  rmSync(downloads, { recursive: true, force: true });
}

/** Benchmarks that have a server from npm beside them: its folder in test/perf, with package.json and lockfile. */
const benchPackages = { accept: 'haraka', relay: 'haraka' };

/** Installs it below .cache, by its own lockfile and without its scripts; without it the benchmark says so and goes on. */
function installBenchPeer(benchmark) {
  const name = benchPackages[benchmark];
  if (name === undefined) return;
  const folder = inRoot('.cache', 'bench', name);
  const lock = readFileSync(inRoot('test', 'perf', name, 'package-lock.json'), 'utf8');
  const stamp = path.join(folder, 'installed-lock.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say(`installing ${name} for the benchmark, in ${path.relative(root, folder)}`);
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(inRoot('test', 'perf', name, file), path.join(folder, file));
  const { status } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: folder, stdio: ['ignore', 2, 2] },
  );
  if (status === 0) writeFileSync(stamp, lock);
  else say(`npm could not install ${name} (see above): the benchmark goes on without it`);
}

// --- The commands --------------------------------------------------------------------------------------------------

function node(script, args, options) {
  run(process.execPath, [inRoot(script), ...args], { cwd: process.cwd(), ...options });
}

/** Waits until something answers on a port, or the process that should is gone. */
async function untilListening(port, child) {
  while (child.exitCode === null) {
    const open = await new Promise((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port });
      socket.once('connect', () => {
        resolve(true);
        // It is not to stand among the clients until it has been silent for too long.
        socket.destroy();
      });
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.unref();
    }).catch(() => false);
    if (open) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

async function start() {
  await build();
  const example = inRoot('examples', 'first-hook');
  mkdirSync(path.join(example, 'var'), { recursive: true });
  const launch = inRoot('src', 'cli', 'launch.cjs');
  const sink = spawn(
    process.execPath,
    [launch, 'sink', '--listen', '127.0.0.1:2526', '--maildir', path.join(example, 'var', 'sink')],
    {
      cwd: example,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (!(await untilListening(2526, sink)))
    fail('the sink did not start on 127.0.0.1:2526 (is the port in use?)');
  const daemon = spawn(process.execPath, [launch, 'serve', '-c', example], {
    cwd: example,
    stdio: 'inherit',
  });
  const children = [daemon, sink];
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => daemon.kill(signal));
  daemon.once('exit', (code) => {
    sink.kill('SIGTERM');
    sink.once('exit', () => process.exit(code ?? 1));
    if (sink.exitCode !== null) process.exit(code ?? 1);
  });
  sink.once(
    'exit',
    () => children[0].exitCode === null && say('the sink has stopped; mail waits in the queue'),
  );
  if (!(await untilListening(2525, daemon))) return;
  say('ready. Send a mail:   swaks --server 127.0.0.1:2525 --from me@example.org --to you@example.com');
  say(
    `       It arrives in: ${path.relative(process.cwd(), path.join(example, 'var', 'sink')) || '.'}/new (the built-in sink on 127.0.0.1:2526)`,
  );
  say(
    `       The script:    ${path.relative(process.cwd(), path.join(example, 'hooks'))}/eod/first.hsl; the log is above. Ctrl-C stops.`,
  );
}

/** Fetching the programs waits for the network and unpacks: time that the build can use. */
function peersBeside() {
  return timed('peers', () => runBeside(process.execPath, [inRoot('src', 'setup.mjs'), 'peers']));
}

/** Runs vitest and closes with the plain total; a skipped test is a failure in CI, and so is a run of nothing. */
async function test(args) {
  await build(true, peersBeside());
  const results = inRoot('.cache', 'test-results.json');
  mkdirSync(path.dirname(results), { recursive: true });
  rmSync(results, { force: true });
  const vitest = timed('tests', () =>
    spawnSync(
      process.execPath,
      [
        inRoot('node_modules', 'vitest', 'vitest.mjs'),
        'run',
        '--reporter=dot',
        '--reporter=json',
        `--outputFile.json=${results}`,
        ...args,
      ],
      { cwd: root, stdio: 'inherit', env: { ...process.env, TZ: 'UTC', ARGONITE_PEERS: peersFolder } },
    ),
  );
  if (!existsSync(results)) fail('the tests did not run to their end');
  const report = JSON.parse(readFileSync(results, 'utf8'));
  const skipped = [];
  for (const file of report.testResults) {
    for (const one of file.assertionResults)
      if (one.status === 'pending' || one.status === 'skipped') skipped.push(one.fullName);
  }
  for (const name of skipped) say(`skipped: ${name}`);
  say(`time: ${spent.join(', ')}`);
  const inCi = process.env.CI === 'true' || process.env.CI === '1';
  const failed = report.numFailedTests + (inCi ? skipped.length : 0);
  const total = skipped.length > 0 && !inCi ? `, ${skipped.length} skipped` : '';
  process.stdout.write(`${report.numPassedTests} passed, ${failed} failed${total}\n`);
  const ok = vitest.status === 0 && failed === 0 && report.numPassedTests > 0 && report.success;
  process.exit(ok ? 0 : 1);
}

const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'start':
    await start();
    break;
  case 'test':
    await test(args);
    break;
  case 'build':
    await build();
    break;
  case 'packages':
    installPackages(true);
    break;
  case 'peers':
    installPeers();
    break;
  case 'conformance':
    await build(true);
    node('dist/test/conformance/run.js', args, { env: { ...process.env, TZ: 'UTC' } });
    break;
  case 'docs':
    await build();
    node('dist/src/cli/docs/generate.js', args);
    break;
  case 'bench':
    await build(true, peersBeside());
    installBenchPeer(args[0]);
    node('dist/test/perf/run.js', args, { env: { ...process.env, ARGONITE_PEERS: peersFolder } });
    break;
  case 'fuzz':
    await build(true);
    node('dist/test/fuzz/run.js', args);
    break;
  default:
    process.stderr.write(
      'usage: node src/setup.mjs start|test|build|docs|conformance|bench|fuzz|packages|peers [arguments]\n',
    );
    process.exit(64);
}
