// The daemon in the test's own process, from source: for what nobody outside can ask of it yet, and with time and luck of its
// staging in the test's hand.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { Daemon } from '../../src/daemon.js';
import { load } from '../../src/loaded.js';
import { openSpools } from '../../src/spool/spread-spool.js';
import { type DaemonConfig, writeConfig } from './daemon.js';
import { seededRandom } from './mail-samples.js';
import { scratchFolder } from './scratch-folder.js';
import { type ClientReply, TestClient } from './smtp-client.js';
import { type LogLine, TestLog } from './test-log.js';
import { VirtualClock } from './virtual-clock.js';

/** A daemon with what a test looks at. */
export interface DaemonHere {
  readonly daemon: Daemon;
  readonly folder: string;
  readonly log: TestLog;
  /** What staging takes for time. */
  readonly clock: VirtualClock;
  /** Of the server `in`. */
  readonly port: number;
  /** Of the server `web`. */
  readonly httpPort: number;
  portOf(serverId: string): number;
  /** Writes another configuration into its folder and reloads. */
  reload(config: DaemonConfig): Promise<void>;
  /** A client of that address; closed when the test has finished. */
  dial(localAddress?: string): Promise<{ readonly client: TestClient; readonly banner: string }>;
  stop(): Promise<void>;
}

/** Starts one, in a folder of its own unless one is given; it stops with the test. */
export async function daemonHere(
  config: DaemonConfig | undefined,
  {
    folder = scratchFolder(),
    seed = 1,
    moreServers = [],
  }: {
    readonly folder?: string;
    readonly seed?: number;
    /** Ids of SMTP servers that smtpd.yaml has beside `in`; smtpd-app.yaml is the test's affair. */
    readonly moreServers?: readonly string[];
  } = {},
): Promise<DaemonHere> {
  if (config !== undefined) {
    writeConfig(folder, config);
    addServers(folder, moreServers);
  }
  process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
  const log = new TestLog();
  const clock = new VirtualClock();
  const loaded = await load(folder);
  const spool = await openSpools({ folders: loaded.configuration.startup.spoolPaths, log });
  const daemon = new Daemon(folder, loaded, spool, log, {
    chance: {
      now: () => clock.now(),
      after: (seconds, call) => clock.setTimer(seconds, call),
      random: seededRandom(seed),
    },
  });
  await daemon.start();
  const clients: TestClient[] = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    for (const client of clients) client.destroy();
    stopped ??= daemon.stop('the test is over');
    return stopped;
  };
  onTestFinished(stop);
  const listeners = lineOf(log, 'ready').fields['listeners'] as { server: string; port: number }[];
  const portOf = (id: string) => listeners.find(({ server }) => server === id)?.port ?? 0;
  return {
    daemon,
    folder,
    log,
    clock,
    port: portOf('in'),
    httpPort: portOf('web'),
    portOf,
    reload: async (next) => {
      writeConfig(folder, next);
      addServers(folder, moreServers);
      await daemon.reload();
    },
    dial: async (localAddress) => {
      const { client, greeting } = await TestClient.connect(portOf('in'), localAddress);
      clients.push(client);
      return { client, banner: textOf(greeting) };
    },
    stop,
  };
}

function addServers(folder: string, ids: readonly string[]): void {
  editConfig<{ servers: object[] }>(folder, 'smtpd.yaml', (smtpd) => {
    smtpd.servers.push(...ids.map((id) => ({ id, listeners: [{ address: '127.0.0.1', port: 0 }] })));
  });
}

/** Changes one of the files that `writeConfig` wrote. */
export function editConfig<File>(folder: string, name: string, change: (file: File) => void): void {
  const place = path.join(folder, name);
  const file = JSON.parse(readFileSync(place, 'utf8')) as File;
  change(file);
  writeFileSync(place, JSON.stringify(file));
}

/** What a reply says, without its codes. */
export function textOf({ lines }: ClientReply): string {
  return lines.map((line) => line.slice(4).replace(/^\d\.\d+\.\d+ /, '')).join('\n');
}

/** The last line with that message. */
export function lineOf({ lines }: TestLog, message: string): LogLine {
  const found = lines.filter((line) => line.message === message).at(-1);
  if (found === undefined) throw new Error(`there is no line ${message}: ${JSON.stringify(lines, null, 1)}`);
  return found;
}

/** Waits for something that takes real time: sockets, disks. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('it did not happen within 20 seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
