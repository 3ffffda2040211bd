// A Haraka as a peer, below one scratch folder and on loopback only. It takes mail for everyone into its outbound queue: the
// file is written under a temporary name, fsync'ed, closed and renamed before 250 (the folder itself is not synced). There it
// stays, or goes out to a next hop. One process, which is also its default.

import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, type Peer, root, stopChild, untilListening } from '../support/peers.js';
import type { Wanted } from './held-servers.js';

/** Where `npm run bench` installs it for `accept` and `relay` (src/setup.mjs). */
const installed = path.join(root, '.cache', 'bench', 'haraka', 'node_modules', 'Haraka');

/** Relays for everyone. */
const relay = `exports.hook_rcpt = (next, connection) => {
  connection.relaying = true;
  next(OK);
};
`;
/** Delivers nothing: what is queued waits for a day. */
const hold = `${relay}exports.hook_send_email = (next) => next(DELAY, 86400);\n`;

/** Where a relaying Haraka sends, and whether it signs. */
export interface HarakaRelay {
  /** The next hop on loopback; absent: by MX. */
  readonly nextHopPort?: number;
  /** Signs with its DKIM plugin: a domain and its key. */
  readonly dkim?: { readonly domain: string; readonly selector: string; readonly privateKeyPem: string };
}

/** Why it cannot be used, or undefined when it can. */
export function whyNoHaraka(): string | undefined {
  return existsSync(installed) ? undefined : `Haraka is not installed in ${path.relative(root, installed)}`;
}

/** Its version, as it ships. */
export function harakaVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'));
  return (manifest as { readonly version: string }).version;
}

/** Starts one that holds what it takes. With a certificate it offers STARTTLS. */
export function startHoldingHaraka({ certificate: tls }: Wanted): Promise<Peer> {
  return startHaraka(tls === undefined ? ['bench'] : ['tls', 'bench'], hold, (put) => {
    if (tls === undefined) return;
    put('config/tls.ini', '[main]\nkey=tls_key.pem\ncert=tls_cert.pem\nrequestCert=false\n');
    put('config/tls_key.pem', readFileSync(tls.keyFile, 'latin1'));
    put('config/tls_cert.pem', readFileSync(tls.certFile, 'latin1'));
  });
}

/** Starts one that sends what it takes to a next hop. */
export function startRelayingHaraka({ nextHopPort, dkim }: HarakaRelay): Promise<Peer> {
  const toNextHop =
    nextHopPort === undefined
      ? ''
      : `exports.hook_get_mx = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: ${nextHopPort} });\n`;
  return startHaraka(
    dkim === undefined ? ['bench'] : ['dkim', 'bench'],
    `${relay}${toNextHop}`,
    (put, folder) => {
      // Loopback is where the next hop is, and what goes there need not be encrypted, as with the others.
      put('config/outbound.ini', 'local_mx_ok=true\nenable_tls=false\nconcurrency_max=100\n');
      if (dkim === undefined) return;
      mkdirSync(path.join(folder, 'config', 'dkim', dkim.domain), { recursive: true });
      put('config/dkim.ini', '[sign]\nenabled=true\n[verify]\nenabled=false\n');
      put(`config/dkim/${dkim.domain}/private`, dkim.privateKeyPem);
      put(`config/dkim/${dkim.domain}/selector`, dkim.selector);
    },
  );
}

type Put = (name: string, text: string) => void;

async function startHaraka(
  plugins: readonly string[],
  plugin: string,
  configure: (put: Put, folder: string) => void,
): Promise<Peer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-haraka-'));
  const port = await freePort();
  const config = path.join(folder, 'config');
  cpSync(path.join(installed, 'config'), config, { recursive: true });
  const put: Put = (name, text) => writeFileSync(path.join(folder, name), text);
  for (const made of ['plugins', 'queue']) mkdirSync(path.join(folder, made));
  put('plugins/bench.js', plugin);
  put('config/plugins', `${plugins.join('\n')}\n`);
  put('config/me', 'haraka.test\n');
  // `nodes` 0: no second process beside the one that works.
  put('config/smtp.ini', `listen=127.0.0.1:${port}\nnodes=0\n`);
  // One line for each connection and each message, as the others write.
  put('config/log.ini', '[main]\nlevel=notice\n');
  configure(put, folder);
  const logFile = path.join(folder, 'haraka.log');
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, [path.join(installed, 'bin', 'haraka'), '-c', folder], {
    cwd: folder,
    stdio: ['ignore', log, log],
    // As many threads for file operations as argonite gives itself; with Node's four it is slower.
    env: { ...process.env, UV_THREADPOOL_SIZE: '12' },
  });
  await untilListening(port, child).catch((error: Error) => {
    throw new Error(`Haraka did not start: ${error.message}\n${readFileSync(logFile, 'utf8')}`);
  });
  return {
    port,
    pid: child.pid!,
    async stop() {
      await stopChild(child, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
