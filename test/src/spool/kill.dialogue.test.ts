import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openSpool } from '../../../src/spool/disk-spool.js';
import type { QueuedMessage } from '../../../src/spool/spool.js';
import { keptLog, readMessage, seededRandom } from '../../support/mail-samples.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const writer = path.resolve(import.meta.dirname, '../../../dist/test/support/spool-writer.js');

/** Runs the writer until it has said `lines` lines, kills it, and gives all it said. */
async function killedWriter(folder: string, first: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Its output ends a moment before it is gone, and until then the spool is its own.
  const gone = once(child, 'exit');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  await gone;
  return said;
}

function bodyOf(number: number): Buffer {
  return Buffer.alloc(100 + ((number * 7919) % (number % 50 === 0 ? 2_000_000 : 9000)), `<${number}>`);
}

test('what a process promised that is killed again and again is in the spool, once and whole', async () => {
  expect(existsSync(writer), `${writer} is missing, run npm run build first`).toBe(true);
  const folder = scratchFolder();
  const random = seededRandom(7);
  const kept = new Set<number>();
  const doubtful = new Set<number>();
  const gone = new Set<number>();
  let first = 1;
  for (let round = 0; round < 5; round++) {
    const said = await killedWriter(folder, first, 300 + Math.floor(random() * 2000));
    for (const line of said) {
      const [word, text] = line.split(' ');
      const number = Number(text);
      first = Math.max(first, number + 1000);
      if (word === 'in') kept.add(number);
      else if (word === 'going') doubtful.add(number);
      else if (word === 'gone') gone.add(number);
    }
    const log = keptLog();
    const spool = await openSpool({ folder, log });
    const found: QueuedMessage[] = [];
    await spool.recover((messages) => found.push(...messages));
    const present = new Set<number>();
    for (const message of found) {
      const number = Number.parseInt(message.id.transaction.slice(-12), 16);
      expect(present.has(number)).toBe(false);
      present.add(number);
      expect(gone.has(number)).toBe(false);
      expect((await readMessage(spool, message.id)).equals(bodyOf(number))).toBe(true);
    }
    expect([...kept].filter((number) => !present.has(number) && !doubtful.has(number))).toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await spool.close();
  }
  expect(kept.size).toBeGreaterThan(500);
});
