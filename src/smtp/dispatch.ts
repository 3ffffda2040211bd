// From a line of the client to what carries it out. A line belongs to the AUTH exchange under way, else to the proxy script
// if that wants it, else to the table of commands; and there is a measure to what a client may say wrong, or for nothing.

import { printable } from '../log/printable.js';
import { authResponse, type Command, commands, unimplementedVerbs } from './commands.js';
import type { LineFault } from './line-reader.js';
import { readChunk, refusedChunk } from './message-input.js';
import { commandWord, proxyHookFor, proxyReply } from './proxy-commands.js';
import { replies } from './replies.js';
import { Reply } from './reply.js';
import type { Session } from './session.js';
import { logClientLine, logRefusal } from './session-log.js';

/** What the line reader gives. */
export type Line = { readonly text: string } | LineFault;

const faultReplies: Readonly<Record<LineFault, Reply>> = {
  'too-long': replies.lineTooLong,
  'bare-line-end': replies.bareLineEnd,
  nul: replies.nulInLine,
};

/** The longest verb as logs and scripts are told of it: it may be anything. */
const longestVerb = 16;

export class Dispatch {
  readonly #session: Session;
  /** What the last reply answered, for the log and the disconnect script. */
  lastVerb = 'BANNER';
  /** Why every command but QUIT is refused. */
  barred: Reply | undefined;
  /** The proxy script asked for the next command line, whatever it is. */
  #isProxyNext = false;
  #errors = 0;
  #commandsWithoutMail = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  take(line: Line): void {
    const session = this.#session;
    if (session.isStopping && session.transaction === undefined) session.say(replies.shuttingDown);
    else if (this.barred !== undefined && !isQuit(line))
      this.refuse(this.barred); // RFC 3207 §4.1
    else if (typeof line === 'string') this.refuse(session.authentication.fault(line) ?? faultReplies[line]);
    else this.#takeText(line.text);
  }

  /** A wrong command: answered, and counted. */
  refuse(reply: Reply): void {
    const { errorsPerConnection } = this.#session.options.limits;
    const isTooMuch = ++this.#errors >= errorsPerConnection && errorsPerConnection > 0;
    this.#session.say(isTooMuch ? replies.tooManyErrors : reply);
  }

  /** The session starts over: whatever a script wanted to see next is not the next any more. */
  startOver(): void {
    this.#isProxyNext = false;
  }

  /** A message came of what was said. */
  messageAccepted(): void {
    this.#commandsWithoutMail = 0;
  }

  #takeText(text: string): void {
    const session = this.#session;
    const { options, authentication } = session;
    if (options.verbose) logClientLine(session, text);
    if (authentication.isUnderWay) this.#count(authResponse, text);
    else if (text.length + 2 > options.limits.commandLineBytes && !/^AUTH /i.test(text))
      this.refuse(replies.lineTooLong);
    else {
      const hook = proxyHookFor(options, text, this.#isProxyNext);
      if (hook === undefined) this.#takeCommand(text);
      else this.#askProxy(hook, text);
    }
  }

  #askProxy(hook: string, text: string): void {
    const session = this.#session;
    this.lastVerb = printable(commandWord(text), longestVerb);
    session.after(session.parts.hooks.proxy(hook, session.state, text), (outcome) => {
      this.#isProxyNext = outcome.next;
      if (outcome.kind === 'Pass') this.#takeCommand(outcome.command ?? text);
      else if (this.#isOneTooMany()) session.say(replies.tooManyCommands);
      else {
        const reply = proxyReply(outcome);
        if (reply.code >= 400) logRefusal(session, this.lastVerb, '', reply);
        this.#answerLine(text, reply);
      }
    });
  }

  /** Says a reply that is not the engine's; the bytes behind BDAT are on their way whoever answers it. */
  #answerLine(text: string, reply: Reply): void {
    const session = this.#session;
    const chunk = /^BDAT /i.test(text) ? readChunk(text.slice(5)) : undefined;
    const request = chunk && refusedChunk(chunk, reply, session.options.limits.refusedChunkBytes);
    if (request === undefined || request instanceof Reply) session.say(request ?? reply);
    else
      session.beginChunk({ ...request, refusesMessage: (session.transaction?.recipients.length ?? 0) > 0 });
  }

  #takeCommand(text: string): void {
    const space = text.indexOf(' ');
    const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase();
    const command = commands.get(verb);
    if (command === undefined) {
      this.lastVerb = printable(verb, longestVerb);
      this.refuse(unimplementedVerbs.has(verb) ? replies.notImplemented : replies.unknownCommand);
      return;
    }
    this.lastVerb = verb;
    this.#count(command, space === -1 ? '' : text.slice(space + 1).trimStart());
  }

  #count(command: Command, argument: string): void {
    if (command.isMail !== true && this.#isOneTooMany()) this.#session.say(replies.tooManyCommands);
    else this.#carryOut(command, argument);
  }

  #isOneTooMany(): boolean {
    const { commandsWithoutMail } = this.#session.options.limits;
    return ++this.#commandsWithoutMail > commandsWithoutMail && commandsWithoutMail > 0;
  }

  /** check → phase → proceed. */
  #carryOut(command: Command, argument: string): void {
    const session = this.#session;
    const request = command.check(session, argument);
    if (request instanceof Reply) {
      // Mail that never got as far as a hook: its sender's postmaster will ask.
      if (command.isMail === true && argument !== '')
        logRefusal(session, this.lastVerb, command.forLog?.(session, argument) ?? argument, request);
      this.refuse(request);
      return;
    }
    const proceed = (outcome: unknown) => {
      const reply = command.proceed(session, request, outcome);
      if (reply === undefined) return;
      if (reply.code >= 400)
        logRefusal(session, this.lastVerb, command.forLog?.(session, argument) ?? argument, reply);
      session.say(reply);
    };
    const run = command.ask?.(session, request);
    if (run === undefined) proceed(undefined);
    else session.after(run, proceed);
  }
}

function isQuit(line: Line): boolean {
  return typeof line !== 'string' && /^quit *$/i.test(line.text);
}
