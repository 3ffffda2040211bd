import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openSpool } from '../../../src/spool/disk-spool.js';
import { lockFolder } from '../../../src/spool/lock.js';
import type { QueuedMessage } from '../../../src/spool/spool.js';
import { commitMessage, keptLog, uuid } from '../../support/mail-samples.js';
import { idsOf } from '../../support/opened-spool.js';
import { scratchFolder } from '../../support/scratch-folder.js';

test('a lock that a power cut left torn, or any other bytes, does not keep anybody out, and no mail is lost', async () => {
  const folder = scratchFolder();
  const name = path.join(folder, 'lock');
  const sizes = { reserveBytes: 0 };
  const first = await openSpool({ folder, log: keptLog(), sizes });
  await first.recover(() => {});
  await commitMessage(first, uuid(1), Buffer.from('Subject: x\r\n\r\n'));
  const mine = readFileSync(name);
  await first.close();
  // The same process of an earlier boot, whole and cut off, and with each byte wrong.
  const earlier = Buffer.from(mine.toString('latin1').replace(/[0-9a-f]{8}-/, '00000000-'), 'latin1');
  const torn = [Buffer.alloc(0), Buffer.alloc(60), Buffer.from('\0\xff garbage\n', 'latin1')];
  for (let end = 1; end <= earlier.length; end += 7) torn.push(earlier.subarray(0, end));
  for (let at = earlier.length - 40; at < earlier.length; at += 5) {
    const wrong = Buffer.from(earlier);
    wrong[at]! ^= 0x81;
    torn.push(wrong);
  }
  for (const bytes of torn) {
    // What is left of a process id may be that of a living process, whose start time is not there to tell them apart; and a
    // boot of "0" is one that the system did not tell.
    if (/^[0-9]+ [0-9]+( 0?)?$/.test(bytes.toString('latin1'))) continue;
    writeFileSync(name, bytes);
    const spool = await openSpool({ folder, log: keptLog(), sizes });
    const found: QueuedMessage[] = [];
    await spool.recover((messages) => found.push(...messages));
    expect(idsOf(found)).toEqual([`${uuid(1)}:1`]);
    await spool.close();
  }
});

test('a folder in use is refused with the process that has it, and nothing is written to find that out', async () => {
  const folder = scratchFolder();
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(
    `is in use by process ${process.pid}; stop that daemon first`,
  );
  await unlock();
  await (await lockFolder(folder))();
});
