// Messages are moved out while the daemon is killed: each is in the queue or in its file afterwards, some in both, none in neither; and
// what is in both is not taken in a second time.

import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ControlClient, RefusedError } from '../../src/control/client/control-client.js';
import { Daemon, type DaemonConfig } from '../support/daemon.js';
import { seededRandom } from '../support/mail-samples.js';
import { scratchFolder } from '../support/scratch-folder.js';

const KILLS = 6;
const MESSAGES = 200;

const config: DaemonConfig = { environment: { controlsocket: { path: 'ctl' } } };

interface Item {
  readonly id: { readonly transaction: string; readonly queue: number };
}

async function asked<T>(daemon: Daemon, ask: (client: ControlClient) => Promise<T>): Promise<T> {
  const client = await ControlClient.connect(path.join(daemon.folder, 'ctl'));
  try {
    return await ask(client);
  } finally {
    client.close();
  }
}

/** Names of the messages in the queue, as those of their files. */
async function queued(daemon: Daemon): Promise<string[]> {
  const { items } = (await asked(daemon, (client) =>
    client.ask('F', { fields: ['id'], limit: 10_000 }),
  )) as unknown as { readonly items: readonly Item[] };
  return items.map(({ id }) => `${id.transaction}-${id.queue}.hqf`);
}

test('no message is lost when the daemon is killed while messages are moved out', {
  timeout: 120_000,
  retry: 0,
}, async () => {
  const random = seededRandom(4711);
  const folder = path.join(scratchFolder(), 'out');
  mkdirSync(folder);
  let daemon = await Daemon.start(config);
  onTestFinished(() => daemon.dispose());
  await asked(daemon, (client) =>
    client.ask('E', {
      message: Buffer.from('Subject: x\r\n\r\nbody\r\n').toString('base64'),
      envelope: {
        recipients: Array.from({ length: MESSAGES }, (_, i) => ({ localpart: `r${i}`, domain: 'y.test' })),
        transportid: 'out',
        hold: true,
      },
    }),
  );
  const all = new Set(await queued(daemon));
  expect(all.size).toBe(MESSAGES);
  for (let kill = 0; kill < KILLS; kill++) {
    const { folder: root } = daemon;
    const unloading = asked(daemon, (client) => client.ask('J', { path: folder })).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 5 + random() * 120));
    await daemon.stop('SIGKILL');
    await unloading;
    daemon = await Daemon.startIn(root);
    const here = await queued(daemon);
    const files = readdirSync(folder).filter((name) => !name.startsWith('.'));
    expect(new Set([...here, ...files])).toEqual(all);
    await asked(daemon, async (client) => {
      for (const file of files) {
        const load = client.ask('E', { path: path.join(folder, file) });
        if (here.includes(file)) await expect(load).rejects.toThrow(RefusedError);
        else await load;
      }
    });
    expect((await queued(daemon)).sort()).toEqual([...all].sort());
  }
});
