// A queued message looked at in passing. Its fields are read from the columns when somebody asks for one: who goes through a million
// messages by two fields pays for two fields, where making a whole `QueuedMessage` of each takes ten times as long.

import type { Address } from '#hooks';
import type { ConnectionFacts } from '../delivery/connections.js';
import type { SourceChoice } from '../delivery/deliverer.js';
import type { Obstacle } from '../policy/counter.js';
import type { MessageId, QueuedMessage } from '../spool/spool.js';
import type { Attempts } from './attempts.js';
import type { MessageTable, QueueState } from './table/message-table.js';
import { NONE } from './table/message-table.js';
import type { SubQueues } from './table/sub-queues.js';
import type { Trial } from './trial.js';

/** The fields of a message that most do not have. */
type Rare = 'saslUsername' | 'stageKey' | 'jobId' | 'tenantId' | 'reason';

/** A message whose rare fields may be there and undefined. */
export type SeenMessage = Omit<QueuedMessage, Rare> & {
  readonly [Field in Rare]?: QueuedMessage[Field] | undefined;
};

/** A message that is listed or passes by, with the state that lists show. */
export interface SeenInQueue {
  readonly message: SeenMessage;
  readonly state: QueueState;
  /** What is known of its next hop; of a message in ACTIVE that has been prepared, and in SENDING. */
  readonly trial?: Trial | undefined;
  /** What holds it back; in ACTIVE. */
  readonly obstacle?: Obstacle | undefined;
  /** When its attempt began (Unix seconds); in SENDING. */
  readonly sendingSince?: number | undefined;
  /** Where its attempt comes from; in SENDING. */
  readonly source?: SourceChoice | undefined;
  /** By which connection it goes; in SENDING, once there is one. */
  readonly connection?: ConnectionFacts | undefined;
}

/** Where the parts of a message lie. */
export interface PassingParts {
  readonly table: MessageTable;
  readonly attempts: Pick<Attempts, 'of'>;
  readonly subQueues: Pick<SubQueues, 'obstacleOf'>;
  readonly trialOf: (slot: number) => Trial | undefined;
}

/** One that passes: what it tells is of the message whose slot it has at that moment. */
export class PassingMessage implements SeenInQueue {
  readonly message: PassingFields;
  readonly #parts: PassingParts;

  constructor(parts: PassingParts) {
    this.#parts = parts;
    this.message = new PassingFields(parts.table);
  }

  /** Becomes the message of a slot. */
  moveTo(slot: number): void {
    this.message.slot = slot;
  }

  get state(): QueueState {
    return this.#parts.table.state(this.message.slot);
  }

  get trial(): Trial | undefined {
    const { slot } = this.message;
    return this.#parts.attempts.of(slot)?.trial ?? this.#parts.trialOf(slot);
  }

  get obstacle(): Obstacle | undefined {
    return this.#parts.subQueues.obstacleOf(this.message.slot);
  }

  get sendingSince(): number | undefined {
    return this.#parts.attempts.of(this.message.slot)?.since;
  }

  get source(): SourceChoice | undefined {
    return this.#parts.attempts.of(this.message.slot)?.source;
  }

  get connection(): ConnectionFacts | undefined {
    return this.#parts.attempts.of(this.message.slot)?.connection;
  }
}

class PassingFields implements SeenMessage {
  slot = NONE;
  readonly #table: MessageTable;

  constructor(table: MessageTable) {
    this.#table = table;
  }

  get id(): MessageId {
    return this.#table.idOf(this.slot);
  }

  get ts(): number {
    return this.#table.ts(this.slot);
  }

  get serverId(): string {
    return this.#table.origin(this.slot).serverId;
  }

  get senderIp(): string {
    return this.#table.origin(this.slot).senderIp;
  }

  get senderHelo(): string {
    return this.#table.origin(this.slot).senderHelo;
  }

  get saslUsername(): string | undefined {
    return this.#table.origin(this.slot).saslUsername;
  }

  get sender(): Address {
    return this.#table.sender(this.slot);
  }

  get recipient(): Address {
    return this.#table.recipient(this.slot);
  }

  get transportId(): string {
    return this.#table.transportId(this.slot);
  }

  get stageKey(): string | undefined {
    return this.#table.stageKey(this.slot);
  }

  get metadata(): QueuedMessage['metadata'] {
    return this.#table.extras(this.slot).metadata;
  }

  get jobId(): string | undefined {
    return this.#table.extras(this.slot).jobId;
  }

  get tenantId(): string | undefined {
    return this.#table.extras(this.slot).tenantId;
  }

  get quotas(): readonly string[] {
    return this.#table.extras(this.slot).quotas;
  }

  get dsn(): QueuedMessage['dsn'] {
    return this.#table.extras(this.slot).dsn;
  }

  get priority(): 0 | 1 {
    return this.#table.isHigh(this.slot) ? 1 : 0;
  }

  get sizeBytes(): number {
    return this.#table.sizeBytes(this.slot);
  }

  get hold(): boolean {
    return this.#table.state(this.slot) === 'HOLD';
  }

  get retry(): number {
    return this.#table.retry(this.slot);
  }

  get nextTry(): number {
    return this.#table.nextTry(this.slot);
  }

  get reason(): string | undefined {
    return this.#table.reason(this.slot);
  }
}
