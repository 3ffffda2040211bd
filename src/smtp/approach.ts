// What comes before the first command of a session, and again after XCLIENT:
//
//   (delay) ──► (name look-up) ──► connect script ──► greeting, or a refusal and the end
//
// A session has one of these until it has greeted.

import { type ConnectOutcome, connect } from '#hooks';
import { outcomeToReply, Reply } from './reply.js';
import { nameLookUp } from './reverse-name.js';
import type { Session } from './session.js';

export class Approach {
  readonly #session: Session;
  /** The greeting is held back until the session's deadline. */
  #isDelaying = false;

  constructor(session: Session) {
    this.#session = session;
  }

  get isDelaying(): boolean {
    return this.#isDelaying;
  }

  /** Holds the greeting back for a while, if configured: who talks meanwhile does not know how SMTP goes. */
  begin(): void {
    const { bannerDelaySeconds } = this.#session.options;
    if (bannerDelaySeconds === 0) {
      this.lookUpName();
      return;
    }
    this.#isDelaying = true;
    this.#session.expectNothingFor(bannerDelaySeconds);
  }

  /** The delay is over, or the client has talked. */
  endDelay(): void {
    this.#isDelaying = false;
    this.#session.expectInput();
    this.lookUpName();
    this.#session.pump();
  }

  /** Everything is known of the client but its name, if that is wanted. */
  lookUpName(): void {
    const { options, parts, state } = this.#session;
    if (!options.reverseNames || parts.resolver === undefined || state.facts.remoteIp === '') {
      this.askConnect();
      return;
    }
    this.#session.after(nameLookUp(parts.resolver, state.facts.remoteIp), (name) => {
      state.lookedUp(name);
      this.#session.wait();
      this.askConnect();
    });
  }

  /** Nothing is left to be found out. */
  askConnect(): void {
    const { options, parts, state } = this.#session;
    const hook = options.hooks.connect;
    if (hook === undefined) this.#decided(connect.atEndOfScript);
    else this.#session.after(parts.hooks.connect(hook, state), (outcome) => this.#decided(outcome));
  }

  #decided(outcome: ConnectOutcome): void {
    const session = this.#session;
    if (outcome.kind !== 'Accept') {
      const { code, enhanced, lines } = outcomeToReply(connect, outcome);
      session.turnAway(new Reply(code, enhanced, lines, true));
      return;
    }
    session.state.override(outcome);
    const name = session.protocol === 'lmtp' ? 'LMTP' : 'ESMTP';
    session.welcome(outcomeToReply(connect, outcome, `${session.options.hostname} ${name}`));
  }
}
