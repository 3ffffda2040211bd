// Run as a process of its own by the kill test: commits, changes and removes messages in the spool folder it is given, as
// fast as it can, and says on standard output what it began and what the spool has promised. Started with: FOLDER FIRST-NUMBER.

import { writeSync } from 'node:fs';
import { openSpool } from '../../src/spool/disk-spool.js';
import { commitMessage, keptLog, uuid } from './mail-samples.js';

const folder = process.argv[2]!;
let n = Number(process.argv[3]);

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

/** What message `n` must contain. */
function bodyOf(number: number): Buffer {
  return Buffer.alloc(100 + ((number * 7919) % (number % 50 === 0 ? 2_000_000 : 9000)), `<${number}>`);
}

const spool = await openSpool({
  folder,
  log: keptLog(),
  sizes: { bodySegmentBytes: 200_000, metaSegmentBytes: 20_000, snapshotBytes: 40_000, reserveBytes: 0 },
});
await spool.recover(() => {});

async function work(): Promise<never> {
  for (;;) {
    const number = n++;
    const [message] = await commitMessage(spool, uuid(number), bodyOf(number));
    say(`in ${number}`);
    if (number % 4 === 0) continue;
    say(`going ${number}`);
    await spool.remove(message!.id);
    say(`gone ${number}`);
  }
}

say('ready 0');
await Promise.all(Array.from({ length: 20 }, work));
