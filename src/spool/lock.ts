// One daemon for one spool: two that append to the same logs would destroy each other's mail. Node has no flock, so the
// lock is a file that names its owner: process id, start time of that process and the boot it belongs to. An owner that was
// killed leaves the file behind; the three numbers tell it from a living process that was given the same id later.

import * as fs from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from './files.js';
import { SpoolError } from './spool.js';

/** Takes the lock of a spool folder; the result gives it back. @throws SpoolError when a living process holds it */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const name = path.join(folder, 'lock');
  // Before anything is written: on a full disk the answer must not be that it is full.
  await refuseIfHeld(folder, await contentOf(name));
  const mine = await describeProcess(process.pid);
  const draft = path.join(folder, `lock.${process.pid}.${Math.random().toString(36).slice(2)}`);
  try {
    await fs.writeFile(draft, mine, { mode: 0o640 });
    for (let tries = 0; tries < 10; tries++) {
      // link() fails when the name exists: of two processes exactly one gets it, with its content already in place.
      if (await linked(draft, name)) return () => unlock(name, mine);
      const theirs = await contentOf(name);
      if (theirs === undefined) continue;
      await refuseIfHeld(folder, theirs);
      await setAside(name, `${draft}.stale`, theirs);
    }
    throw new SpoolError(
      `cannot lock the spool ${folder}: other processes keep taking and leaving it`,
      false,
    );
  } finally {
    await fs.rm(draft, { force: true });
  }
}

async function refuseIfHeld(folder: string, owner: string | undefined): Promise<void> {
  if (owner === undefined || !(await isAlive(owner))) return;
  throw new SpoolError(
    `the spool ${folder} is in use by process ${owner.split(' ')[0]}; ` +
      'stop that daemon first, or give this one a spool.path of its own',
    false,
  );
}

/** Moves a dead owner's lock away, and back again if somebody was quicker and it is no longer that one. */
async function setAside(name: string, aside: string, content: string): Promise<void> {
  try {
    await fs.rename(name, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await contentOf(aside)) !== content) await linked(aside, name);
  await fs.rm(aside, { force: true });
}

async function unlock(name: string, mine: string): Promise<void> {
  if ((await contentOf(name)) === mine) await fs.rm(name, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function contentOf(name: string): Promise<string | undefined> {
  try {
    return await fs.readFile(name, 'latin1');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Process id, start time in clock ticks after boot, boot id; what /proc does not tell is written as 0. */
async function describeProcess(pid: number): Promise<string> {
  return `${pid} ${(await startTicks(pid)) ?? 0} ${await bootId()}\n`;
}

async function isAlive(owner: string): Promise<boolean> {
  const [pid, ticks, boot] = owner.trim().split(' ');
  const number = Number(pid);
  if (!Number.isInteger(number) || number <= 0) return false;
  if (boot !== undefined && boot !== '0' && boot !== (await bootId())) return false;
  const now = await startTicks(number);
  if (now !== undefined) return ticks === '0' || now === ticks;
  try {
    process.kill(number, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

async function startTicks(pid: number): Promise<string | undefined> {
  try {
    const stat = await fs.readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may hold anything; the start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

async function bootId(): Promise<string> {
  try {
    return (await fs.readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  } catch {
    return '0';
  }
}
