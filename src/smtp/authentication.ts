// AUTH (RFC 4954): one exchange after another until one succeeds. The session hands every line of an exchange to this and
// nothing else sees it: neither the table of commands nor the proxy script.
//
//   idle ──AUTH──► exchange ⇄ 334 and a response ──► script ──► authenticated
//    ▲                 │                               │ Reply: 334, on with the exchange
//    └──── * , 5xx ────┴───────────────────────────────┘
//
// Invariant: what the client sends in an exchange is in no log. `authForLog` is what may be told of it.

import { type AuthAttempt, type AuthOutcome, auth } from '#hooks';
import { printable } from '../log/printable.js';
import type { LineFault } from './line-reader.js';
import type { SmtpServerOptions } from './options.js';
import { replies } from './replies.js';
import { outcomeToReply, type Reply } from './reply.js';
import { decodeBase64 } from './sasl/base64.js';
import { Challenge } from './sasl/challenge.js';
import { beginExchange, type Exchange, type ExchangeStep } from './sasl/exchange.js';
import type { Session } from './session.js';

/** What AUTH, or a line of its exchange, leads to: a challenge, or a question to the script. */
export type AuthRequest =
  | { readonly kind: 'challenge'; readonly challenge: string }
  | { readonly kind: 'ask'; readonly attempt: AuthAttempt };

/** The longest line of an exchange, with its line end (RFC 4954 §4). */
const longestAuthLineBytes = 12288;
/** No mechanism needs so many; a script that never decides must not keep a client for ever. */
const mostChallenges = 100;
/** What every server with an auth script speaks by itself. */
const builtInMechanisms = 'PLAIN LOGIN';

const authSyntax = /^([A-Za-z0-9_-]{1,20})(?: +(\S+))? *$/;

/** What a session must be told: how far AUTH has come, and how often it failed. */
export class Authentication {
  #exchange: Exchange | undefined;
  #challenges = 0;
  #failures = 0;
  #wasTried = false;

  /** The client's next line belongs to the exchange. */
  get isUnderWay(): boolean {
    return this.#exchange !== undefined;
  }

  /** A client that was refused may say its password as if it were a command. */
  get wasTried(): boolean {
    return this.#wasTried;
  }

  /** AUTH: what follows the verb. */
  begin(session: Session, argument: string): AuthRequest | Reply {
    const { options, state } = session;
    if (!speaksAuth(options)) return replies.notImplemented;
    this.#wasTried = true;
    if (state.auth !== undefined) return replies.alreadyAuthenticated; // RFC 4954 §4
    if (session.transaction !== undefined) return replies.authInTransaction;
    const verb = state.helo?.verb;
    if (verb !== 'EHLO' && verb !== 'LHLO') return replies.ehloFirst;
    if (isTooOpen(session)) return replies.encryptionRequired;
    const match = authSyntax.exec(argument);
    if (match === null) return replies.authSyntax;
    const mechanism = match[1]!.toUpperCase();
    if (!announcedMechanisms(session).has(mechanism)) return replies.unknownMechanism;
    this.#exchange = beginExchange(mechanism);
    this.#challenges = 0;
    const initial = match[2];
    if (initial === undefined) return this.#step(session, undefined);
    return this.#takeBase64(session, initial === '=' ? '' : initial); // RFC 4954 §4: "=" is the empty response
  }

  /** A line of the exchange. */
  resume(session: Session, line: string): AuthRequest | Reply {
    if (line === '*') return this.#end(replies.authCancelled); // RFC 4954 §4
    return this.#takeBase64(session, line);
  }

  /** A line that is none ends the exchange; undefined when none is under way. */
  fault(fault: LineFault): Reply | undefined {
    if (this.#exchange === undefined) return undefined;
    return this.#end(fault === 'too-long' ? replies.authLineTooLong : replies.notBase64);
  }

  /** What the challenge or the script's decision is on the wire. */
  proceed(session: Session, request: AuthRequest, outcome: AuthOutcome | undefined): Reply {
    if (request.kind === 'challenge') return new Challenge(request.challenge);
    const exchange = this.#exchange!;
    const decision = outcome ?? auth.atEndOfScript;
    if (decision.kind === 'Reply') {
      if (!exchange.isScripts || ++this.#challenges > mostChallenges) return this.#misused(session, exchange);
      if (decision.disconnect === true) this.#exchange = undefined;
      return new Challenge(decision.challenge, decision.code, decision.disconnect);
    }
    this.#exchange = undefined;
    const reply = outcomeToReply(auth, decision);
    if (decision.kind === 'Reject') return this.#failed(session, reply);
    if (decision.kind === 'Accept') this.#succeeded(session, request.attempt, decision.username);
    return reply;
  }

  #takeBase64(session: Session, text: string): AuthRequest | Reply {
    const response = decodeBase64(text);
    return response === undefined ? this.#end(replies.notBase64) : this.#step(session, response);
  }

  #step(session: Session, response: string | undefined): AuthRequest | Reply {
    const step: ExchangeStep = this.#exchange!.take(response);
    switch (step.kind) {
      case 'challenge':
      case 'ask':
        return step;
      case 'malformed':
        return this.#end(replies.malformedResponse);
      case 'refused':
        return this.#end(this.#failed(session, outcomeToReply(auth, { kind: 'Reject' })));
    }
  }

  #end(reply: Reply): Reply {
    this.#exchange = undefined;
    return reply;
  }

  /** Guessing costs a connection for every few guesses (RFC 4954 §9: not before the third). */
  #failed({ options }: Session, reply: Reply): Reply {
    const { maxFailures } = options.auth;
    return ++this.#failures >= maxFailures && maxFailures > 0 ? replies.tooManyAuthFailures : reply;
  }

  #succeeded({ state, parts, options }: Session, attempt: AuthAttempt, given: string | undefined): void {
    const { mechanism } = attempt;
    const username = given ?? ('password' in attempt ? attempt.username : undefined);
    state.authenticated({ mechanism, username });
    parts.log.info(
      {
        transaction: state.transactionId,
        server: options.id,
        remoteip: state.remoteIp,
        mechanism,
        username: printable(username ?? ''),
      },
      'authenticated',
    );
  }

  #misused({ state, parts, options }: Session, { mechanism, isScripts }: Exchange): Reply {
    this.#exchange = undefined;
    const why = isScripts
      ? `${mostChallenges} challenges without a decision`
      : `Reply() to ${mechanism}, whose exchange is over when the script runs`;
    parts.log.error(
      { transaction: state.transactionId, server: options.id, script: `auth/${options.hooks.auth}` },
      `script error: ${why}`,
    );
    return outcomeToReply(auth, { kind: 'Defer' }); // as every script error of this phase
  }
}

// --- What is announced ----------------------------------------------------------------------------------------------

/** The longest line a client may send. AUTH itself may be as long as its exchange: tokens are sent with it. */
export function longestLineBytes(options: SmtpServerOptions): number {
  const { commandLineBytes } = options.limits;
  return speaksAuth(options) ? Math.max(commandLineBytes, longestAuthLineBytes) : commandLineBytes;
}

/** Whether there is an auth script to ask. */
function speaksAuth({ hooks, auth: { enabled } }: SmtpServerOptions): boolean {
  return hooks.auth !== undefined && enabled;
}

/** Passwords would be said in the clear, and the operator has not allowed that. */
function isTooOpen({ options, state }: Session): boolean {
  return options.auth.requireTls && state.tls === undefined;
}

/** What EHLO announces of AUTH unless a script says otherwise. */
export function authExtensions(session: Session): string[] {
  return speaksAuth(session.options) && !isTooOpen(session) ? [`AUTH ${builtInMechanisms}`] : [];
}

/**
 * A script's list without AUTH where it would be refused: a client that is told of it may say its password before it hears
 * that (RFC 4954 §4, initial response). A server without an auth script announces what a helo script wants, since a
 * proxy script may carry it out.
 */
export function allowedExtensions(session: Session, announced: readonly string[]): readonly string[] {
  if (!speaksAuth(session.options) || !isTooOpen(session)) return announced;
  return announced.filter((extension) => !/^AUTH(?: |$)/i.test(extension));
}

/** Mechanisms of the last EHLO, all its lines together. */
function announcedMechanisms({ announced }: Session): ReadonlySet<string> {
  const mechanisms = new Set<string>();
  for (const extension of announced) {
    const [keyword, ...names] = extension.toUpperCase().split(' ');
    if (keyword === 'AUTH') for (const name of names) mechanisms.add(name);
  }
  return mechanisms;
}

/** What a log may show of that which follows AUTH: the mechanism, if it is one. */
export function authForLog(session: Session, argument: string): string {
  const mechanism = authSyntax.exec(argument)?.[1]?.toUpperCase() ?? '';
  return announcedMechanisms(session).has(mechanism) ? `${mechanism} ***` : '***';
}
