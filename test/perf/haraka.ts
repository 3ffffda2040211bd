// A Haraka as a peer, below one scratch folder and on loopback only. It takes mail for everyone into its outbound queue and
// keeps it there: the file is written under a temporary name, fsync'ed, closed and renamed before 250 (the folder itself is
// not synced). One process, which is also its default.

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

/** Where `npm run bench -- accept` installs it (src/setup.mjs). */
const installed = path.join(root, '.cache', 'bench', 'haraka', 'node_modules', 'Haraka');

/** Relays for everyone, and delivers nothing: what is queued waits for a day. */
const plugin = `exports.hook_rcpt = (next, connection) => {
  connection.relaying = true;
  next(OK);
};
exports.hook_send_email = (next) => next(DELAY, 86400);
`;

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
export async function startHoldingHaraka({ certificate: tls }: Wanted): Promise<Peer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-haraka-'));
  const port = await freePort();
  const config = path.join(folder, 'config');
  cpSync(path.join(installed, 'config'), config, { recursive: true });
  const put = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  for (const made of ['plugins', 'queue']) mkdirSync(path.join(folder, made));
  put('plugins/hold.js', plugin);
  put('config/plugins', tls === undefined ? 'hold\n' : 'tls\nhold\n');
  put('config/me', 'haraka.test\n');
  // `nodes` 0: no second process beside the one that works.
  put('config/smtp.ini', `listen=127.0.0.1:${port}\nnodes=0\n`);
  // One line for each connection and each message, as the others write.
  put('config/log.ini', '[main]\nlevel=notice\n');
  if (tls !== undefined) {
    put('config/tls.ini', '[main]\nkey=tls_key.pem\ncert=tls_cert.pem\nrequestCert=false\n');
    put('config/tls_key.pem', readFileSync(tls.keyFile, 'latin1'));
    put('config/tls_cert.pem', readFileSync(tls.certFile, 'latin1'));
  }
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
