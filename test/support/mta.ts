// What nearly every end-to-end test begins with: a daemon, a next hop that counts behind it, and mail sent to it.

import path from 'node:path';
import { onTestFinished } from 'vitest';
import { CountingSink, type CountingSinkOptions } from './counting-sink.js';
import { Daemon, type DaemonConfig, writeConfig } from './daemon.js';
import { root, runProgram } from './peers.js';
import { scratchFolder } from './scratch-folder.js';
import { type ClientReply, TestClient } from './smtp-client.js';

/** An eod script that queues the message for all its recipients and accepts it. */
export const queueAll = `
  foreach ($transaction["recipients"] as $r)
    $arguments["mail"]->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
  Accept();`;

/** A daemon with a counting next hop; both end with the test. */
export async function startMta(
  config: DaemonConfig = {},
  sinkOptions: CountingSinkOptions = {},
): Promise<{ readonly daemon: Daemon; readonly sink: CountingSink }> {
  const sink = await CountingSink.start(sinkOptions);
  onTestFinished(() => sink.stop());
  return { daemon: await startDaemon({ nextHopPort: sink.port, ...config }), sink };
}

/** A daemon that ends with the test. */
export async function startDaemon(config: DaemonConfig): Promise<Daemon> {
  const daemon = await Daemon.start(config);
  onTestFinished(() => daemon.dispose());
  return daemon;
}

/** A daemon on a configuration that is there already, such as that of one that was stopped. */
export async function startDaemonIn(folder: string): Promise<Daemon> {
  const daemon = await Daemon.startIn(folder);
  onTestFinished(() => daemon.dispose());
  return daemon;
}

/** A configuration folder, gone when the test has finished. */
export function configFolder(config: DaemonConfig = {}): string {
  const folder = scratchFolder();
  writeConfig(folder, config);
  return folder;
}

/** Runs a daemon that is expected to end by itself, at the latest when the time given to it is over. */
export function serveUntilItEnds(folder: string) {
  return runProgram(
    'timeout',
    ['30', process.execPath, path.join(root, 'src/cli/launch.cjs'), 'serve', '-c', folder],
    { env: { ...process.env, TZ: 'UTC', XDG_CACHE_HOME: path.join(folder, 'cache') } },
  );
}

/** Sends one mail on a connection of its own. @returns the reply that decided */
export async function sendMail(
  { port }: { readonly port: number },
  message = 'Subject: hello\r\n\r\nbody',
  recipients: readonly string[] = ['to@example.test'],
  sender = 'from@client.test',
): Promise<ClientReply> {
  const { client } = await TestClient.connect(port);
  const reply = await client.send(sender, recipients, message);
  await client.quit();
  return reply;
}

/** The Subject of a message as it was delivered. */
export function subjectOf({ data }: { readonly data: string }): string | undefined {
  return /^Subject: (.*)\r$/m.exec(data)?.[1];
}
