import { chmodSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/mta.js';
import { skipReason, smtpSource, startSmtpSink } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';

const reason = skipReason('smtp-source', 'smtp-sink');
const count = 1000;

test.skipIf(reason !== undefined)(
  `${count} messages of 20 sessions of smtp-source arrive at smtp-sink, each once${reason === undefined ? '' : ` (${reason})`}`,
  async ({ onTestFinished }) => {
    // smtp-sink writes a file for each message; it runs as somebody who may write nowhere else.
    const dump = scratchFolder();
    chmodSync(dump, 0o777);
    const sink = await startSmtpSink(['-d', `${dump}/m.`]);
    onTestFinished(() => sink.stop());
    const daemon = await startDaemon({ nextHopPort: sink.port, concurrency: 20 });
    await smtpSource(daemon.port, { count, sessions: 20, sizeBytes: 4096 });
    const arrived = () => readdirSync(dump).length;
    await expect.poll(arrived, { timeout: 50_000, interval: 50 }).toBe(count);
    expect(await daemon.stop()).toBe(0);
    expect(arrived()).toBe(count);
    const delivered = daemon.lines.filter(({ msg }) => msg === 'attempt delivered');
    expect(new Set(delivered.map((line) => line['id'])).size).toBe(count);
    expect(delivered).toHaveLength(count);
  },
);
