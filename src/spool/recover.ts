// Recovery at start: reads what is there (replay.ts, check-bodies.ts), decides by `spool.corrupt` what becomes of damage, and
// tidies up. Reading comes first as a whole: with the policy `fail` nothing on disk has been touched.
//
// The two rules it keeps: what was acknowledged is either loaded or spoken of loudly; what was not may vanish.

import { checkBodies, type LostBody, type ReadableSegment } from './check-bodies.js';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import { HEADER_BYTES } from './format.js';
import { messageIdToText } from './id-table.js';
import { livingMessages } from './living.js';
import type { SpoolLog } from './log.js';
import { type Damage, type Replayed, replayMetadata } from './replay.js';
import { SpoolError } from './spool.js';
import { type SpoolEntry, type Survey, surveyFolder, withFile } from './survey.js';
import type { Holdings } from './tables.js';

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
  /** The tables that it fills. */
  readonly holdings: Holdings;
}

/** The state to go on from, beside the messages in the tables. */
export interface Recovery {
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

/** A lost body and the messages, by their slots, that need it. */
interface LostMail extends LostBody {
  readonly slots: readonly number[];
  /** Its batch may never have been acknowledged. */
  readonly isUnproven: boolean;
}

/** Recovers a spool folder. @throws SpoolError */
export async function recoverSpool(options: RecoverOptions): Promise<Recovery> {
  const { files, holdings, log } = options;
  const survey = await surveyFolder(files, options.folder);
  const replayed = await replayMetadata(files, survey, holdings);
  const unproven = new Set<number>();
  for (const slot of replayed.unproven) {
    unproven.add(holdings.messages.bodyPlace(slot));
    unproven.add(holdings.messages.versionPlace(slot));
  }
  const checked = await checkBodies(files, survey, holdings.places, unproven, options.checkBytes);
  const lost = mailOf(checked.lost, replayed.unproven, holdings);
  const proven = lost.filter(({ isUnproven }) => !isUnproven);
  const isDamaged = replayed.damages.length > 0 || proven.length > 0;
  if (options.corrupt === 'fail') refuse(options, replayed.damages, proven);

  const removed = new Set<string>();
  const pinned = new Set<number>();
  for (const damage of replayed.damages) await settleDamage(options, damage);
  if (replayed.torn !== undefined) tellTorn(options, replayed.torn);
  const recipients = await recipientsOf(options, replayed, proven);
  for (const mail of proven) await settleLost(options, mail, recipients, pinned);
  for (const { slots, isUnproven } of lost) {
    if (!isUnproven && options.corrupt === 'ignore') continue;
    for (const slot of slots) removed.add(messageIdToText(holdings.messages.idOf(slot)));
  }
  for (const { slots } of lost) {
    // A message may miss its body and its version.
    for (const slot of slots) if (holdings.messages.has(slot)) holdings.drop(slot, () => {});
  }
  if (proven.length < lost.length) {
    log.warn(
      { bodies: lost.length - proven.length, messages: [...removed] },
      'left out messages of the last write before the stop: their bodies did not reach the disk, so they were never acknowledged',
    );
  }
  await makeSure(options, survey, replayed, unproven);
  await tidy(options, survey, replayed, isDamaged);
  return {
    segments: checked.segments,
    pinned,
    removed: [...removed],
    metaFiles: replayed.files,
    snapshot: replayed.snapshot,
    previous: replayed.previous,
    nextMeta: replayed.nextMeta,
    nextBody: replayed.nextBody,
    nextLarge: replayed.nextLarge,
    isDamaged,
  };
}

function mailOf(
  lost: readonly LostBody[],
  unproven: ReadonlySet<number>,
  { messages }: Holdings,
): readonly LostMail[] {
  if (lost.length === 0) return [];
  const slotsOf = new Map<number, number[]>(lost.map(({ place }) => [place, []]));
  for (let slot = 0; slot < messages.top; slot++) {
    if (!messages.has(slot)) continue;
    slotsOf.get(messages.bodyPlace(slot))?.push(slot);
    slotsOf.get(messages.versionPlace(slot))?.push(slot);
  }
  return lost.map((body) => {
    const slots = slotsOf.get(body.place)!;
    return { ...body, slots, isUnproven: slots.every((slot) => unproven.has(slot)) };
  });
}

/** For whom the lost messages were, by their ids. The texts have to be looked for: nothing keeps them in memory. */
async function recipientsOf(
  { files, holdings }: RecoverOptions,
  replayed: Replayed,
  lost: readonly LostMail[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (lost.length === 0) return found;
  const wanted = new Set(
    lost.flatMap(({ slots }) => slots.map((slot) => messageIdToText(holdings.messages.idOf(slot)))),
  );
  for await (const messages of livingMessages(files, replayed.files, holdings.messages)) {
    for (const { id, recipient } of messages) {
      const name = messageIdToText(id);
      if (wanted.has(name)) found.set(name, `${recipient.localPart}@${recipient.domain}`);
    }
  }
  return found;
}

/** A torn end was never acknowledged, but nobody can tell it from an end that has rotted: a person should know of it. */
function tellTorn({ log }: RecoverOptions, { file, start, end }: Damage): void {
  log.warn(
    { file: file.path, start, end },
    'the last write before the stop did not reach the disk whole; what there is of it was never acknowledged and is left out',
  );
}

/**
 * What was read last may be in the system's memory only, if a process was killed. The next file of the log builds on it, so it is
 * made proof against a power cut first. It is written once more for that: if a flush had failed before the kill, the system takes
 * for written what is not, and another flush would say that all is well.
 */
async function makeSure(
  { files, folder, holdings: { places } }: RecoverOptions,
  survey: Survey,
  replayed: Replayed,
  unproven: ReadonlySet<number>,
): Promise<void> {
  const last = replayed.files.at(-1);
  if (last !== undefined && replayed.previous !== undefined)
    await rewrite(files, last.path, [[replayed.lastBatch, replayed.previous.end]]);
  const stretches = new Map<number, [start: number, end: number][]>();
  for (const place of unproven) {
    if (place < 0 || !places.isUsed(place)) continue;
    const start = places.offset(place);
    const inSegment = stretches.get(places.segment(place)) ?? [];
    inSegment.push([start, start + HEADER_BYTES + places.sizeBytes(place)]);
    stretches.set(places.segment(place), inSegment);
  }
  for (const { number, path: name } of survey.bodies) {
    const inSegment = stretches.get(number);
    if (inSegment !== undefined) await rewrite(files, name, inSegment);
  }
  await files.syncFolder(folder);
}

/** Writes what stands there once more, and flushes the file. */
async function rewrite(
  files: SpoolFiles,
  name: string,
  stretches: readonly (readonly [start: number, end: number])[],
): Promise<void> {
  const again = async (file: SpoolFile) => {
    for (const [start, end] of stretches) {
      if (end <= start) continue;
      const bytes = Buffer.alloc(end - start);
      const count = await file.read(bytes, start);
      await file.write([bytes.subarray(0, count)], start);
    }
    await file.sync();
  };
  await withFile(files, name, again, 'rewrite');
}

function refuse(options: RecoverOptions, damages: readonly Damage[], lost: readonly LostMail[]): void {
  const [damage] = damages;
  const [body] = lost;
  const where =
    damage !== undefined
      ? `${damage.file.path}, bytes ${damage.start} to ${damage.end}: ${damage.what}`
      : body !== undefined
        ? `message ${messageIdToText(options.holdings.messages.idOf(body.slots[0]!))}: ${body.why}`
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

async function settleLost(
  options: RecoverOptions,
  { slots, place, file, start, end, why }: LostMail,
  recipients: ReadonlyMap<string, string>,
  pinned: Set<number>,
): Promise<void> {
  const ids = slots.map((slot) => messageIdToText(options.holdings.messages.idOf(slot)));
  const fields = {
    messages: ids,
    recipients: ids.flatMap((id) => recipients.get(id) ?? []),
    file: file?.path,
    why,
    policy: options.corrupt,
  };
  if (options.corrupt === 'ignore') {
    if (file !== undefined && options.holdings.places.segment(place) !== 0) pinned.add(file.number);
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
  const bodies = new Set<number>();
  const larges = new Set<number>();
  const { places } = options.holdings;
  for (let place = 0; place < places.top; place++) {
    if (!places.isUsed(place)) continue;
    const segment = places.segment(place);
    if (segment === 0) larges.add(places.offset(place));
    else bodies.add(segment);
  }
  const unneeded = [
    ...survey.bodies.filter((entry) => !bodies.has(entry.number)),
    ...survey.larges.filter((entry) => !larges.has(entry.number)),
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
