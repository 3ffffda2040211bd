// The programs we did not write and test against: where they are, and whether they can be used. Set-up unpacks them
// (src/setup.mjs); where it may not, a test says with `skipReason` why it was skipped.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';

const projectRoot = findProjectRoot();
const peersFolder = process.env['ARGONITE_PEERS'] ?? path.join(projectRoot, '.cache', 'peers');

/** The folder with package.json, from source as from dist. */
function findProjectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

export const root = projectRoot;

/** Where unpacked programs lie, in the order in which they are looked for. */
const programFolders = ['usr/bin', 'usr/sbin', 'usr/lib/postfix/sbin'];

/** A program of an unpacked Debian package (the list is in src/setup.mjs), there or not. */
export function peerProgram(name: string): string {
  const places = programFolders.map((folder) => path.join(peersFolder, folder, name));
  return places.find((place) => existsSync(place)) ?? places[0]!;
}

/** A file of an unpacked package: `peerFile('etc/ldap/schema/core.schema')`. */
export function peerFile(place: string): string {
  return path.join(peersFolder, place);
}

/** The environment that lets unpacked programs find their libraries. */
export function peerEnvironment(): NodeJS.ProcessEnv {
  const libraries = [
    'usr/lib',
    'usr/lib/postfix',
    'usr/lib/rspamd',
    'usr/lib/x86_64-linux-gnu',
    'lib/x86_64-linux-gnu',
  ].map((folder) => path.join(peersFolder, folder));
  return { ...process.env, LD_LIBRARY_PATH: libraries.join(':') };
}

export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(path.join(folder, name)));
}

/** Programs that set-up installs; all others are unpacked. */
const installedPrograms = ['swaks', 'lua5.4', 'php', 'openssl', 'python3', 'curl'];

/** Why a test that needs these programs cannot run here, or undefined when it can. */
export function skipReason(...programs: readonly string[]): string | undefined {
  for (const program of programs) {
    if (installedPrograms.includes(program)) {
      if (!hasProgram(program)) return `${program} is not installed`;
      continue;
    }
    if (program === 'postfix' && process.getuid?.() !== 0) return 'Postfix needs root';
    if (!existsSync(peerProgram(program === 'postfix' ? 'master' : program)))
      return `${program} is not unpacked (npm test does that as root on Debian)`;
  }
  return undefined;
}

const givenPorts = new Set<number>();

/**
 * A free port, for programs that cannot choose one themselves. It lies below those that the kernel gives to everybody who
 * asks for any: none of them takes it before the program does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (givenPorts.has(port) || !(await isFree(port))) continue;
    givenPorts.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Resolves when something accepts connections on the port; rejects when `child` ends first. */
export async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null)
      throw new Error(`the process ended with ${child.exitCode} before it listened on port ${port}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Runs a program to its end. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly cwd?: string } = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env ?? process.env, cwd: options.cwd, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('latin1');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('latin1');
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Sends `count` messages with Postfix's load generator. @returns seconds of wall time */
export async function smtpSource(
  port: number,
  options: {
    readonly count: number;
    readonly sessions?: number;
    readonly sizeBytes?: number;
    readonly sender?: string;
    readonly recipient?: string;
    readonly newConnectionEach?: boolean;
  },
): Promise<number> {
  const {
    count,
    sessions = 1,
    sizeBytes = 1024,
    sender = 'source@client.test',
    recipient = 'sink@example.test',
  } = options;
  const began = performance.now();
  const { code, stderr } = await runProgram(
    peerProgram('smtp-source'),
    [
      ...(options.newConnectionEach ? [] : ['-d']),
      '-m',
      String(count),
      '-s',
      String(Math.min(sessions, count)),
      '-l',
      String(sizeBytes),
      '-f',
      sender,
      '-t',
      recipient,
      `127.0.0.1:${port}`,
    ],
    { env: peerEnvironment() },
  );
  if (code !== 0) throw new Error(`smtp-source ended with ${code}: ${stderr}`);
  return (performance.now() - began) / 1000;
}

/** A running peer. */
export interface Peer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Stops a child and waits until it is gone. */
export function stopChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** Postfix's test receiver. It takes everything and keeps nothing, unless `args` say otherwise. */
export async function startSmtpSink(args: readonly string[] = []): Promise<Peer> {
  const port = await freePort();
  const child = spawn(peerProgram('smtp-sink'), ['-u', 'nobody', ...args, `127.0.0.1:${port}`, '1000'], {
    env: peerEnvironment(),
    stdio: 'ignore',
  });
  await untilListening(port, child);
  return { port, pid: child.pid!, stop: () => stopChild(child) };
}

/** Where unpacked modules of Perl lie: swaks needs Net::SSLeay for TLS. */
function perlFolders(): string[] {
  const versioned = peerFile('usr/lib/x86_64-linux-gnu/perl5');
  const versions = existsSync(versioned) ? readdirSync(versioned) : [];
  return [...versions.map((version) => path.join(versioned, version)), peerFile('usr/share/perl5')];
}

/** Why swaks cannot speak TLS here, or undefined when it can. */
export function noTlsForSwaks(): string | undefined {
  const found = perlFolders().some((folder) => existsSync(path.join(folder, 'Net/SSLeay.pm')));
  return skipReason('swaks') ?? (found ? undefined : 'Net::SSLeay is not unpacked');
}

/** Sends one mail with swaks. Its exit code says where it was refused: 24 all recipients, 26 after the data. */
export function swaks(
  port: number,
  args: readonly string[] = [],
  data?: string,
): ReturnType<typeof runProgram> {
  const always = ['--server', `127.0.0.1:${port}`, '--helo', 'swaks.test', '--from', 'me@client.test'];
  const to = args.includes('--to') ? [] : ['--to', 'you@example.test'];
  const message = data === undefined ? [] : ['--data', '-'];
  return runProgram('swaks', [...always, ...to, ...message, ...args], {
    env: { ...process.env, PERL5LIB: perlFolders().join(':') },
    ...(data === undefined ? {} : { input: data }),
  });
}
