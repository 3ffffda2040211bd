import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ControlClient } from '../../src/control/client/control-client.js';
import { CountingSink } from '../support/counting-sink.js';
import { Daemon, type DaemonConfig, writeConfig } from '../support/daemon.js';
import { TestClient } from '../support/smtp-client.js';
import { form, formBody, formType, sendHttp } from '../support/submission-fixture.js';

// The daemon is killed at random moments while clients send and the queue delivers. Afterwards the messages are
// counted: what got 250 (or 200 over HTTP) came at least once, what was refused never, a message came twice only if its attempt was
// in flight when the daemon died, and nothing is left over. Two daemons die side by side, so that a machine with two cores is
// busy; one of them has its spool in two folders.

/** By hand: ARGONITE_CRASH_KILLS=1000. */
const kills = Number(process.env['ARGONITE_CRASH_KILLS'] ?? 100);
const sessions = 8;
/** Of them by HTTP. */
const submitters = 2;
const concurrency = 10;

/** A seeded generator, so that a failing run can be repeated: ARGONITE_CRASH_SEED. */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const layouts: readonly (string | readonly string[])[] = ['spool', ['spool-a', 'spool-b']];

test(`no accepted mail is lost by ${kills} kills at random moments under load`, {
  timeout: 300_000 + kills * 5000,
  retry: 0,
}, async () => {
  const seed = Number(process.env['ARGONITE_CRASH_SEED'] ?? Date.now() % 1_000_000);
  const share = Math.ceil(kills / layouts.length);
  const ends = await Promise.allSettled(layouts.map((spool, i) => killAgainAndAgain(spool, share, seed + i)));
  // Not before both have ended: nothing is left running.
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
});

/** How many messages the daemon has. */
async function queued(folder: string): Promise<number> {
  const client = await ControlClient.connect(path.join(folder, 'ctl'));
  try {
    return Number((await client.ask('F', { limit: 1, total: true }))['total'] ?? 0);
  } finally {
    client.close();
  }
}

async function killAgainAndAgain(
  spoolPath: string | readonly string[],
  times: number,
  seed: number,
): Promise<void> {
  const random = makeRandom(seed);
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-crash-'));
  if (typeof spoolPath !== 'string') for (const name of spoolPath) mkdirSync(path.join(folder, name));
  const config: DaemonConfig = {
    folder,
    spool: { path: spoolPath },
    concurrency,
    environment: { controlsocket: { path: 'ctl' } },
    http: {},
    retry: { count: 1000, intervals: [{ interval: 0.2 }] },
    hooks: {
      eod: `
        $mail = $arguments["mail"];
        if ($mail->getHeader("X-Refuse")) Reject("refused");
        foreach ($transaction["recipients"] as $r)
          $mail->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
        Accept();`,
    },
  };
  // Some attempts fail, so that retries and updates are in flight as well; generation says which life of the daemon it was.
  let generation = 0;
  const seen: { id: string; generation: number; index: number }[] = [];
  const perGeneration: number[] = [];
  const sink = await CountingSink.start({
    reply: (verb) => (verb === 'EOD' && random() < 0.1 ? '451 4.3.0 later' : undefined),
  });
  const taken = sink.deliveries;
  let counted = 0;
  const account = () => {
    for (; counted < taken.length; counted++) {
      const id = /^X-Number: (\S+)/m.exec(taken[counted]!.data)?.[1] ?? 'unknown';
      const index = (perGeneration[generation] ?? 0) + 1;
      perGeneration[generation] = index;
      seen.push({ id, generation, index });
    }
  };

  const accepted = new Set<string>();
  const refused = new Set<string>();
  let number = 0;
  const nextMail = () => {
    const id = `m${++number}`;
    const isRefused = number % 10 === 0;
    const size = number % 50 === 0 ? 1_500_000 : number % 7 === 0 ? 60_000 : 500;
    const body = `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(size / 72));
    const header = `X-Number: ${id}\r\n${isRefused ? 'X-Refuse: yes\r\n' : ''}Subject: crash\r\n\r\n`;
    return { id, message: header + body };
  };
  // The daemon dies under them: whether it had a message, only its answer would have told.
  const client = async (port: number): Promise<void> => {
    try {
      const { client: session } = await TestClient.connect(port);
      for (;;) {
        const { id, message } = nextMail();
        const reply = await session.send('a@client.test', [`${id}@example.test`], message);
        (reply.code === 250 ? accepted : refused).add(id);
      }
    } catch {}
  };
  const submitter = async (port: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true });
    try {
      for (;;) {
        const { id, message } = nextMail();
        const { status } = await sendHttp(port, {
          agent,
          headers: { 'x-api-key': 'test-key', 'content-type': formType },
          body: formBody(form({ recipients: [{ localpart: id, domain: 'example.test' }] }, message)),
        });
        (status === 200 ? accepted : refused).add(id);
      }
    } catch {}
    agent.destroy();
  };

  /** A moment somewhere in the first messages, however fast the machine is; or before the first. */
  const moment = async (): Promise<void> => {
    const wanted = accepted.size + Math.floor(random() * random() * 150);
    const end = performance.now() + 4000;
    do await new Promise((resolve) => setTimeout(resolve, random() * 40));
    while (accepted.size < wanted && performance.now() < end);
  };

  let latest: Daemon | undefined;
  const start = async (): Promise<Daemon> => {
    latest = await Daemon.startIn(folder);
    return latest;
  };

  try {
    writeConfig(folder, { ...config, nextHopPort: sink.port });
    for (let kill = 0; kill < times; kill++) {
      const daemon = await start();
      const clients = Array.from({ length: sessions }, (_, index) =>
        index < submitters ? submitter(daemon.httpPort) : client(daemon.port),
      );
      await moment();
      await daemon.stop('SIGKILL');
      await Promise.all(clients);
      // What the dead daemon had already sent is still being read: it belongs to its life.
      await expect.poll(() => sink.connections.now, { interval: 5 }).toBe(0);
      account();
      generation++;
    }
    const daemon = await start();
    const missing = () => {
      account();
      const came = new Set(seen.map(({ id }) => id));
      return [...accepted].filter((id) => !came.has(id));
    };
    await expect
      .poll(() => missing().length, { timeout: 120_000, interval: 100, message: `seed ${seed}` })
      .toBe(0);
    // Mail that was in the spool when the daemon died before it could say so goes as well.
    await expect
      .poll(() => queued(folder), { timeout: 120_000, interval: 100, message: `seed ${seed}` })
      .toBe(0);
    expect(await daemon.stop()).toBe(0);
    account();
    // Everything was delivered: so nothing may be left.
    const last = await start();
    const ready = await last.waitForLine(({ msg }) => msg === 'ready');
    expect(ready['queue'], `seed ${seed}`).toEqual({ active: 0, defer: 0, hold: 0 });
    await last.stop();

    expect(accepted.size).toBeGreaterThan(times);
    expect(refused.size).toBeGreaterThan(0);
    expect(
      seen.filter(({ id }) => refused.has(id)),
      `refused mail was delivered (seed ${seed})`,
    ).toEqual([]);
    const lives = new Map<string, { generation: number; index: number }[]>();
    for (const { id, ...life } of seen) lives.set(id, [...(lives.get(id) ?? []), life]);
    for (const [id, came] of lives) {
      for (const { generation: life, index } of came.slice(0, -1)) {
        const again = came.filter((other) => other.generation === life).length;
        expect(again, `${id} was delivered twice in one life of the daemon (seed ${seed})`).toBe(1);
        // Only the attempts of the last moment can have been in flight: as many as there are slots, and as many
        // again whose removal was on its way to the disk.
        expect(
          (perGeneration[life] ?? 0) - index,
          `${id} came again although it was done long before the kill (seed ${seed})`,
        ).toBeLessThan(concurrency * 4);
      }
    }
  } finally {
    await latest?.stop('SIGKILL');
    await sink.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
