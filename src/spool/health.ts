// How the spool lives through a full or broken disk: what fails is told once, and as long as it lasts the spool looks after itself
// at short intervals, since nobody else may come to find out that it is over. It takes back the room that it had given away, has
// what is dead removed while room is short, and writes a little to see whether that can be done again.

import type { Compactor } from './compact.js';
import type { SpoolLog } from './log.js';
import type { Reserve } from './reserve.js';
import type { Room } from './room.js';
import type { SpaceWatch } from './space.js';
import type { SpoolError } from './spool.js';
import { Trouble } from './trouble.js';
import type { GroupCommit } from './write.js';

/** What it looks after. */
export interface HealthOptions {
  readonly folder: string;
  readonly log: SpoolLog;
  readonly now: () => number;
  readonly reserve: Reserve;
  readonly room: Room;
  readonly space: SpaceWatch;
  readonly commit: Pick<GroupCommit, 'isWell' | 'probe' | 'metaBytes' | 'leaveWhatIsDead'>;
  readonly compactor: Pick<Compactor, 'isMetaDead' | 'relieve'>;
  /** Between two looks. */
  readonly repairMs: number;
}

/** The state of a spool's disk. */
export class Health {
  readonly #options: HealthOptions;
  readonly #mail: Trouble;
  readonly #changes: Trouble;
  /** The largest message refused for want of room since mail was taken the last time. */
  #refusedBytes = 0;
  #looking: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: HealthOptions) {
    this.#options = options;
    const { log, folder } = options;
    this.#mail = new Trouble(log, folder, 'new mail is refused');
    this.#changes = new Trouble(log, folder, 'nothing is sent, since what is done could not be noted,');
  }

  /** Whether mail was taken the last time, or would have been. */
  get takesMail(): boolean {
    return !this.#mail.isOn;
  }

  /** A message was not taken; the result is the error to throw. */
  mailRefused(error: SpoolError, sizeBytes = 0): SpoolError {
    if (error.isTold) return error;
    if (error.noSpace) this.#refusedBytes = Math.max(this.#refusedBytes, sizeBytes);
    this.watch();
    return this.#mail.tell(error, this.#options.now());
  }

  /** A message was taken. */
  mailTaken(): void {
    this.#refusedBytes = 0;
    this.#mail.well(this.#options.now());
  }

  /** A change or a removal was not written; the result is the error to throw. */
  changeRefused(error: SpoolError): SpoolError {
    return this.#changes.tell(error, this.#options.now());
  }

  /** A change or a removal was written. */
  changeWritten(): void {
    this.#changes.well(this.#options.now());
  }

  /** New mail is refused, or would be, for want of room. */
  get isShort(): boolean {
    const { reserve, space } = this.#options;
    return reserve.isSpent || this.#mail.isOfSpace || !space.hasRoomFor(0);
  }

  /** Looks after the disk soon, and as long as it is needed. */
  watch(): void {
    if (this.#looking !== undefined || this.#isStopped) return;
    this.#looking = setTimeout(() => {
      void this.#look().then(() => {
        this.#looking = undefined;
        if (this.isShort || this.#mail.isOn || !this.#options.commit.isWell) this.watch();
        else this.#options.compactor.relieve(false);
      });
    }, this.#options.repairMs);
    this.#looking.unref();
  }

  /** Looks no more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#looking);
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { reserve, commit } = this.#options;
    const hasReserve = await reserve.restore();
    try {
      if (!commit.isWell) {
        await commit.probe(false);
        this.changeWritten();
      }
      if (this.isShort) await this.#relieve();
      if (this.#mail.isOn && hasReserve && (await this.#hasRoomForMail())) {
        await commit.probe(true);
        this.mailTaken();
      }
    } catch {
      // Tried again soon.
    }
  }

  /** Mail that has left must give its room back although no new mail comes that would fill the files it lies in. */
  async #relieve(): Promise<void> {
    const { commit, compactor } = this.#options;
    await commit.leaveWhatIsDead(compactor.isMetaDead(commit.metaBytes));
    compactor.relieve(true);
  }

  /** What was refused for want of room would find it now. */
  async #hasRoomForMail(): Promise<boolean> {
    const { space, room } = this.#options;
    if (!space.hasRoomFor(0)) return false;
    return !this.#mail.isOfSpace || ((await room.free()) ?? Number.POSITIVE_INFINITY) > this.#refusedBytes;
  }
}
