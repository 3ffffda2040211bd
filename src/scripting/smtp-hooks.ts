// The seam between the SMTP engine, which knows when a hook runs, and whatever runs it.

import type {
  Address,
  AuthAttempt,
  AuthOutcome,
  ConnectOutcome,
  EodFrame,
  EodOutcome,
  HeloOutcome,
  MailFromOutcome,
  PassOutcome,
  ProxyOutcome,
  RcptToOutcome,
  SessionEnding,
  SessionState,
} from '#hooks';

/** A run that is not over yet: the script waits for something. */
export class PendingRun<Outcome> {
  readonly outcome: Promise<Outcome>;
  /** Gives the run up and releases what it holds; the outcome is then of no interest. */
  readonly cancel: (reason: string) => void;

  /** `outcome` never rejects: a failed script has the outcome that its phase says. */
  constructor(outcome: Promise<Outcome>, cancel: (reason: string) => void) {
    this.outcome = outcome;
    this.cancel = cancel;
  }
}

/** What a hook's run gives: its outcome, at once if the script did not wait. */
export type Run<Outcome> = Outcome | PendingRun<Outcome>;

/** The hooks of a session, by the id that the configuration gives a script. */
export interface SmtpHooks {
  connect(id: string, state: SessionState): Run<ConnectOutcome>;
  /** `command` is a whole line, without its line end. */
  proxy(id: string, state: SessionState, command: string): Run<ProxyOutcome>;
  /** `extensions` is what would be announced; undefined for HELO. */
  helo(
    id: string,
    state: SessionState,
    verb: string,
    host: string,
    extensions: readonly string[] | undefined,
  ): Run<HeloOutcome>;
  auth(id: string, state: SessionState, attempt: AuthAttempt): Run<AuthOutcome>;
  mailfrom(id: string, state: SessionState, sender: Address): Run<MailFromOutcome>;
  rcptto(
    id: string,
    state: SessionState,
    recipient: Address,
    transportId: string | undefined,
  ): Run<RcptToOutcome>;
  /** `unixSeconds` is when the message arrived. */
  eod(id: string, state: SessionState, frame: EodFrame, unixSeconds: number): Run<EodOutcome>;
  disconnect(id: string, state: SessionState, ending: SessionEnding): Run<PassOutcome>;
}
