// The servers of the accept benchmark. Each has a message on disk before its 250 and delivers none: Postfix puts it on hold
// as it comes in, Haraka's queue waits, and argonite's next hop is busy with the first one.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DaemonConfig, writeConfig } from '../support/daemon.js';
import { type Peer, root, stopChild } from '../support/peers.js';
import { startPostfix } from '../support/postfix.js';
import type { TestCertificate } from '../support/test-certificates.js';

/** What a server is started for. */
export interface Wanted {
  readonly sessions: number;
  /** Offer STARTTLS with this certificate. */
  readonly certificate: TestCertificate | undefined;
}

/** Postfix with a place for every session; `HOLD` makes cleanup write straight into the hold queue, so that no other part
 * of Postfix touches the message. */
export function startHoldingPostfix({ sessions, certificate }: Wanted): Promise<Peer> {
  return startPostfix(1, {
    default_process_limit: String(Math.max(150, sessions + 20)),
    smtpd_client_restrictions: 'check_client_access static:HOLD',
    ...(certificate === undefined
      ? undefined
      : {
          smtpd_tls_security_level: 'may',
          smtpd_tls_eccert_file: certificate.certFile,
          smtpd_tls_eckey_file: certificate.keyFile,
        }),
  });
}

/** A script that does the least of a day's work in its phase. */
const lookAtDomain = `if (str_lower($arguments["address"]["domain"]) == "blocked.test") Reject("no");\n`;
const queueAll = `foreach ($transaction["recipients"] as $r)
	$arguments["mail"]->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
Accept();
`;

/** A script in every hook of a session: those of MAIL, RCPT and the end of data run for each message. */
const everyHook: NonNullable<DaemonConfig['hooks']> = {
  connect: 'if ($arguments["remoteip"] == "192.0.2.1") Reject("no");\n',
  proxy: 'if ($arguments["command"][0:5] == "LANG ") Reply("I speak it");\nPass();\n',
  helo: 'if (str_lower($arguments["host"]) == "blocked.test") Reject("no");\n',
  auth: 'if ($arguments["username"] == "source" and $arguments["password"] == "load") Accept();\nReject();\n',
  mailfrom: lookAtDomain,
  rcptto: lookAtDomain,
  eod: queueAll,
  disconnect: '// nothing to tell\n',
};

/** Eight hooks as they are meant: the proxy script sees the verb that it adds, and the client logs in. */
export const eightHooks: DaemonConfig = {
  hooks: everyHook,
  phases: { proxy: { commands: ['LANG'] }, auth: { requiretls: false } },
};

/** The same, and the proxy script runs for every line that the client says outside of a message. */
export const eightHooksAndEveryLine: DaemonConfig = {
  hooks: everyHook,
  phases: { auth: { requiretls: false } },
};

function withTls({ server, app }: DaemonConfig, { keyFile, certFile }: TestCertificate): DaemonConfig {
  const pki = { private: [{ id: 'mx', privatekey: { path: keyFile }, certificate: { path: certFile } }] };
  return { server: { ...server, tls: { certs: { cert: 'mx' } } }, app: { ...app, pki } };
}

/**
 * An argonite with a next hop that never says a word, and leave for one attempt at a time: the first message is under way
 * for ever and the others wait in the queue. Its log goes to a file, like those of the others.
 */
export async function startHoldingArgonite(
  config: DaemonConfig,
  { certificate }: Wanted,
): Promise<Peer & { readonly httpPort: number }> {
  const held: Socket[] = [];
  const silent = createServer((socket) => held.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-accept-'));
  mkdirSync(path.join(folder, 'cache'));
  const nextHopPort = (silent.address() as AddressInfo).port;
  writeConfig(folder, {
    environment: { syslog: { mask: 127 } },
    ...config,
    ...(certificate === undefined ? undefined : withTls(config, certificate)),
    nextHopPort,
    concurrency: 1,
  });
  const logFile = path.join(folder, 'argonite.log');
  const child = spawn(process.execPath, [path.join(root, 'src/cli/launch.cjs'), 'serve', '-c', folder], {
    cwd: folder,
    stdio: ['ignore', openSync(logFile, 'w'), 'inherit'],
    env: { ...process.env, TZ: 'UTC', XDG_CACHE_HOME: path.join(folder, 'cache') },
  });
  const stop = async () => {
    const stopped = stopChild(child);
    // The delivery under way would be waited for.
    for (const socket of held) socket.destroy();
    await stopped;
    silent.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const latest = performance.now() + 30_000;
  for (;;) {
    const ready = readFileSync(logFile, 'utf8')
      .split('\n')
      .find((line) => line.includes('"msg":"ready"'));
    if (ready !== undefined) {
      const { listeners } = JSON.parse(ready) as {
        readonly listeners: readonly { readonly server: string; readonly port: number }[];
      };
      const portOf = (id: string) => listeners.find(({ server }) => server === id)?.port ?? 0;
      return { port: portOf('in'), httpPort: portOf('web'), pid: child.pid!, stop };
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      const said = readFileSync(logFile, 'utf8');
      await stop();
      throw new Error(`argonite did not start:\n${said}`);
    }
    if (performance.now() > latest) {
      await stop();
      throw new Error('argonite did not say that it is ready');
    }
    await sleep(25);
  }
}
