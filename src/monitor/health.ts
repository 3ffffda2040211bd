// Whether the daemon is ready and can take mail (queue-and-config 11). Ready never goes back; healthy does, with a reason, and a queue
// that was too long is not healthy again before it is clearly shorter.

/** What is looked at. */
export interface HealthSources {
  /** Messages in the queue. */
  readonly messages: () => number;
  /** Whether the spool has the room that spool.minfree asks for. */
  readonly hasRoom: () => boolean;
  /** Unhealthy above so many messages; 0 = no limit. */
  readonly upperMessages: number;
  /** Healthy again below so many. */
  readonly lowerMessages: number;
}

/** The daemon's state of health. */
export class Health {
  readonly #sources: HealthSources;
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  #wasReady = false;
  #isTooLong = false;

  constructor(sources: HealthSources) {
    this.#sources = sources;
  }

  /** The spool is loaded, the listeners are open. */
  started(): void {
    this.#phase = 'running';
    this.#wasReady = true;
  }

  /** It is being stopped. */
  stopping(): void {
    this.#phase = 'stopping';
  }

  get isReady(): boolean {
    return this.#wasReady;
  }

  get isHealthy(): boolean {
    return this.problem() === undefined;
  }

  /** Why it cannot take mail; undefined when it can. */
  problem(): string | undefined {
    if (this.#phase === 'starting') return 'not ready: the spool is being loaded';
    if (this.#phase === 'stopping') return 'shutting down';
    const { messages, hasRoom, upperMessages, lowerMessages } = this.#sources;
    const count = messages();
    if (upperMessages === 0) this.#isTooLong = false;
    else if (count > upperMessages) this.#isTooLong = true;
    else if (count < lowerMessages) this.#isTooLong = false;
    if (this.#isTooLong)
      return `${count} messages in the queue, more than ${upperMessages}; healthy again below ${lowerMessages}`;
    if (!hasRoom())
      return 'the spool has no room for new mail: its disk is full, or has less left than spool.minfree asks for';
    return undefined;
  }
}
