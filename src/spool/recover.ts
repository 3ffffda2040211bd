// Recovery at start: reads what is there (replay.ts, check-bodies.ts), decides by `spool.corrupt` what becomes of damage, and
// tidies up. Reading comes first as a whole: with the policy `fail` nothing on disk has been touched.
//
// The two rules it keeps: what was acknowledged is either loaded or spoken of loudly; what was not may vanish.

import { checkBodies, type LostBody, type ReadableSegment } from './check-bodies.js';
import { type SpoolFiles, spoolError } from './files.js';
import type { SpoolLog } from './log.js';
import { type Damage, type LiveTransaction, type Replayed, replayMetadata } from './replay.js';
import { SpoolError } from './spool.js';
import { type SpoolEntry, type Survey, surveyFolder, withFile } from './survey.js';

/** What becomes of bytes that cannot be read at start (`spool.corrupt`). */
export type CorruptPolicy = 'fail' | 'rename' | 'delete' | 'ignore';

/** What recovery needs. */
export interface RecoverOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  readonly log: SpoolLog;
  readonly corrupt: CorruptPolicy;
  /** Bytes of bodies that are read and checked. */
  readonly checkBytes: number;
}

/** The state to go on from. */
export interface Recovery {
  readonly transactions: Iterable<LiveTransaction>;
  readonly segments: readonly ReadableSegment[];
  /** Body segments with damage that stays where it is. */
  readonly pinned: ReadonlySet<number>;
  /** Messages given up, as `uuid:number`; the next file of the metadata log says so. */
  readonly removed: readonly string[];
  readonly metaFiles: readonly SpoolEntry[];
  readonly snapshot: number | undefined;
  readonly previous: { readonly number: number; readonly end: number } | undefined;
  readonly nextMeta: number;
  readonly nextBody: number;
  readonly nextLarge: number;
  readonly isDamaged: boolean;
}

/** Recovers a spool folder. @throws SpoolError */
export async function recoverSpool(options: RecoverOptions): Promise<Recovery> {
  const survey = await surveyFolder(options.files, options.folder);
  const replayed = await replayMetadata(options.files, survey);
  const live = replayed.transactions;
  const checked = await checkBodies(options.files, survey, live.values(), options.checkBytes);
  const proven = checked.lost.filter((lost) => !lost.transaction.isUnproven);
  const isDamaged = replayed.damages.length > 0 || proven.length > 0;
  if (options.corrupt === 'fail') refuse(options, replayed.damages, proven);

  const removed = new Set<string>();
  const pinned = new Set<number>();
  for (const damage of replayed.damages) await settleDamage(options, damage);
  for (const lost of checked.lost) {
    if (!lost.transaction.isUnproven) await settleLost(options, lost, pinned);
    if (lost.transaction.isUnproven || options.corrupt !== 'ignore') {
      for (const number of lost.numbers) removed.add(`${lost.transaction.record.id}:${number}`);
    }
    drop(live, lost);
  }
  const unproven = checked.lost.length - proven.length;
  if (unproven > 0) {
    options.log.warn(
      { bodies: unproven, messages: [...removed] },
      'left out messages of the last write before the stop: their bodies did not reach the disk, so they were never acknowledged',
    );
  }
  await tidy(options, survey, replayed, isDamaged);
  return {
    transactions: live.values(),
    segments: checked.segments,
    pinned,
    removed: [...removed],
    metaFiles: replayed.files,
    snapshot: replayed.snapshot,
    previous: replayed.previous,
    nextMeta: replayed.nextMeta,
    nextBody: replayed.nextBody,
    nextLarge: 1 + Math.max(0, ...[...survey.larges, ...survey.leftovers].map((entry) => entry.number)),
    isDamaged,
  };
}

function refuse(options: RecoverOptions, damages: readonly Damage[], lost: readonly LostBody[]): void {
  const [damage] = damages;
  const [body] = lost;
  const where =
    damage !== undefined
      ? `${damage.file.path}, bytes ${damage.start} to ${damage.end}: ${damage.what}`
      : body !== undefined
        ? `message ${body.transaction.record.id}: ${body.why}`
        : undefined;
  if (where === undefined) return;
  const more = damages.length + lost.length - 1;
  throw new SpoolError(
    `the spool ${options.folder} is damaged and spool.corrupt is "fail": ${where}` +
      `${more > 0 ? ` (and ${more} more)` : ''}; ` +
      'with "rename" the unreadable bytes are moved aside and the rest is loaded',
    false,
  );
}

/** Deals with a stretch of the metadata log. The stretch itself goes with the file, at the snapshot that follows damage. */
async function settleDamage(options: RecoverOptions, damage: Damage): Promise<void> {
  const { file, start, end, what } = damage;
  const fields = { file: file.path, start, end, what, policy: options.corrupt };
  if (options.corrupt !== 'rename') {
    options.log.error(
      fields,
      'the metadata log of the spool is damaged, messages may be missing or come twice',
    );
    return;
  }
  const aside = await setAside(options, file, start, end);
  options.log.error(
    { ...fields, aside },
    'the metadata log of the spool is damaged, messages may be missing or come twice; what could not be read was moved aside',
  );
}

async function settleLost(options: RecoverOptions, lost: LostBody, pinned: Set<number>): Promise<void> {
  const { transaction, numbers, file, start, end, why } = lost;
  const fields = {
    messages: numbers.map((number) => `${transaction.record.id}:${number}`),
    recipients: transaction.messages
      .filter((message) => numbers.includes(message.n))
      .map((message) => `${message.to[0]}@${message.to[1]}`),
    file: file?.path,
    why,
    policy: options.corrupt,
  };
  if (options.corrupt === 'ignore') {
    if (file !== undefined && transaction.record.body[0] !== 0) pinned.add(file.number);
    options.log.error(fields, 'accepted mail cannot be read from the spool, it is left where it is');
    return;
  }
  if (options.corrupt === 'delete' || file === undefined) {
    options.log.error(fields, 'accepted mail is lost: it cannot be read from the spool');
    return;
  }
  const aside = await setAside(options, file, start, Math.min(end, file.sizeBytes));
  options.log.error({ ...fields, aside }, 'accepted mail cannot be read from the spool, it was moved aside');
}

function drop(live: Map<string, LiveTransaction>, lost: LostBody): void {
  const { messages, record } = lost.transaction;
  for (const number of lost.numbers) {
    const at = messages.findIndex((message) => message.n === number);
    if (at >= 0) messages.splice(at, 1);
  }
  if (messages.length === 0) live.delete(record.id);
}

/** Copies a stretch of a file to one that ends in `.corrupt`; the result is its name, if there were bytes. */
async function setAside(
  options: RecoverOptions,
  entry: SpoolEntry,
  start: number,
  end: number,
): Promise<string | undefined> {
  if (end <= start) return undefined;
  const aside = start === 0 ? `${entry.path}.corrupt` : `${entry.path}@${start}.corrupt`;
  await withFile(options.files, entry.path, async (from) => {
    try {
      const to = await options.files.open(aside, 'create');
      try {
        for (let at = start; at < end; ) {
          const chunk = Buffer.alloc(Math.min(1024 * 1024, end - at));
          const count = await from.read(chunk, at);
          if (count === 0) break;
          await to.write([chunk.subarray(0, count)], at - start);
          at += count;
        }
        await to.sync();
      } finally {
        await to.close();
      }
      await options.files.syncFolder(options.folder);
    } catch (error) {
      throw spoolError('move damaged bytes to', aside, error);
    }
  });
  return aside;
}

/** Deletes what counts no more. After damage in the metadata log, bodies that nothing names may be what it named. */
async function tidy(
  options: RecoverOptions,
  survey: Survey,
  replayed: Replayed,
  isDamaged: boolean,
): Promise<void> {
  const needed = new Set<string>();
  for (const { record } of replayed.transactions.values()) {
    for (const place of [record.body, ...(record.versions ?? [])]) {
      needed.add(place[0] === 0 ? `large ${place[1]}` : `body ${place[0]}`);
    }
  }
  const unneeded = [
    ...survey.bodies.filter((entry) => !needed.has(`body ${entry.number}`)),
    ...survey.larges.filter((entry) => !needed.has(`large ${entry.number}`)),
  ];
  const broken = replayed.damages
    .map((damage) => damage.file)
    .filter((file) => !replayed.files.includes(file));
  for (const entry of [...survey.leftovers, ...replayed.superfluous]) await remove(options, entry);
  if (isDamaged && options.corrupt === 'ignore') return;
  for (const entry of broken) await remove(options, entry);
  const keepsAside = isDamaged && options.corrupt === 'rename';
  for (const entry of unneeded) {
    if (!keepsAside) await remove(options, entry);
    else await options.files.rename(entry.path, `${entry.path}.corrupt`);
  }
}

async function remove(options: RecoverOptions, entry: SpoolEntry): Promise<void> {
  try {
    await options.files.remove(entry.path);
  } catch (error) {
    options.log.warn({ file: entry.path, err: error }, 'cannot delete a file that the spool no longer needs');
  }
}
