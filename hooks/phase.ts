// What a phase is: the variables its scripts see, the actions they may take, the replies those actions give, and the two
// rules that hold when a script takes none, because it ended or because it failed. Each phase has one file, and these
// rules stand nowhere else.

import type { Declaration, Environment, PredefinedVariable } from '#lang';
import { formerNames } from '#stdlib';
import type { EnhancedStatus } from './outcomes.js';

/** The phases of an SMTP session that have a hook. */
export type SmtpPhaseName =
  | 'connect'
  | 'proxy'
  | 'helo'
  | 'auth'
  | 'mailfrom'
  | 'rcptto'
  | 'eod'
  | 'disconnect';
/** The phases of a queued message. */
export type QueuePhaseName = 'predelivery' | 'postdelivery';
export type PhaseName = SmtpPhaseName | QueuePhaseName;

/** The reply of an action that says nothing of its own. */
export interface DefaultReply {
  readonly code: number;
  readonly enhanced?: EnhancedStatus;
  readonly text: string;
}

/** Default replies of a phase, by action. */
export type DefaultReplies = Readonly<Partial<Record<'Accept' | 'Reject' | 'Defer' | 'Reply', DefaultReply>>>;

export interface Phase<Outcome = unknown> {
  readonly name: PhaseName;
  /** When it runs, in one sentence. */
  readonly summary: string;
  /** The SMTP command it answers, if it does. */
  readonly command?: string;
  /** In the order in which a run hands their values to the program. */
  readonly variables: readonly PredefinedVariable[];
  /** The actions, and what else only this phase has. */
  readonly declarations: readonly Declaration[];
  readonly replies?: DefaultReplies;
  /** The script ended without an action. */
  readonly atEndOfScript: Outcome;
  /** The script failed: an uncaught exception, a limit, a wrong use of an action. */
  readonly onScriptError: Outcome;
}

/** A phase that answers a command. */
export type ReplyingPhase<Outcome> = Phase<Outcome> & {
  readonly replies: Readonly<Record<'Accept' | 'Reject' | 'Defer', DefaultReply>>;
};

/** Declares a phase that answers an SMTP command. */
export function defineReplyingPhase<Outcome>(phase: ReplyingPhase<Outcome>): ReplyingPhase<Outcome> {
  return phase;
}

/** Declares a phase. */
export function definePhase<Outcome>(phase: Phase<Outcome>): Phase<Outcome> {
  return phase;
}

/** What scripts of a phase are compiled against: the library, and what the phase adds. */
export function environmentOf(phase: Phase, library: Iterable<Declaration>): Environment {
  const declarations = new Map<string, Declaration>();
  for (const declaration of library) declarations.set(declaration.name, declaration);
  for (const declaration of phase.declarations) declarations.set(declaration.name, declaration);
  return { name: phase.name, declarations, variables: phase.variables, formerNames };
}
