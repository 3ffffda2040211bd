// The session and the queued message in which the examples of actions run, and what such an example says of its end.

import {
  authArguments,
  connectArguments,
  disconnectArguments,
  type EodFrame,
  eodArguments,
  type HookFrame,
  heloArguments,
  type MessageFacts,
  mailfromArguments,
  messageToValue,
  type Phase,
  type PhaseName,
  postdeliveryArguments,
  predeliveryArguments,
  proxyArguments,
  queueFrame,
  type ReplyWish,
  rcpttoArguments,
  replyParts,
  SessionState,
} from '#hooks';
import type { Builtin, Declaration, HslArray, Value } from '#lang';
import { type Address, bytesToSource, EodMessage, MailDocument, type QueueRequest } from '#stdlib';
import { message } from './files.js';

const id = '18c3a5e2-0000-4000-8000-000000000001';
const unixSeconds = 1_767_323_045;
const alice: Address = { localPart: 'alice', domain: 'example.com' };
const postmaster: Address = { localPart: 'postmaster', domain: 'example.net' };
const carol: Address = { localPart: 'carol', domain: 'example.org' };

// --- What a run is given ------------------------------------------------------------------------------------------

/** Values of the phase's variables, in order, and what its actions share with the host. */
export interface PhaseRun {
  readonly variables: readonly (Value | undefined)[];
  readonly frame: HookFrame | undefined;
}

/** A run of `phase`; `action` picks what the client says where one phase sees several things. */
export function phaseRun(phase: PhaseName, action: string): PhaseRun {
  if (phase === 'predelivery' || phase === 'postdelivery') return queueRun(phase);
  const state = sessionAt(phase);
  const frame: EodFrame | undefined = phase === 'eod' ? { kind: 'eod', mail: receivedMail() } : undefined;
  const transaction = phase === 'eod' ? state.transactionAtEod(unixSeconds) : state.transaction;
  const connection = phase === 'connect' ? state.connectionAtConnect() : state.connection;
  const args = sessionArguments(phase, action, state, frame);
  return { variables: [args, connection, transaction, null], frame };
}

function sessionAt(phase: PhaseName): SessionState {
  const state = new SessionState(
    {
      id: 'c1',
      remoteIp: '192.0.2.10',
      remotePort: 40_000,
      localIp: '192.0.2.1',
      localPort: 25,
      serverId: 'in',
    },
    () => id,
  );
  state.talkedEarly();
  if (phase === 'connect') return state;
  state.greeted('EHLO', 'client.example.com');
  if (phase !== 'rcptto' && phase !== 'eod') return state;
  state.begin(alice);
  if (phase === 'eod')
    for (const address of [postmaster, carol]) state.addRecipient({ address, transportId: 'outbound' });
  return state;
}

function sessionArguments(
  phase: PhaseName,
  action: string,
  state: SessionState,
  frame: EodFrame | undefined,
): HslArray {
  switch (phase) {
    case 'connect':
      return connectArguments(state);
    case 'proxy':
      return proxyArguments('BREV FROM:<alice@example.com>');
    case 'helo':
      return heloArguments('EHLO', 'client.example.com', ['PIPELINING', '8BITMIME', 'SMTPUTF8']);
    case 'auth':
      return authArguments(
        action === 'Reply'
          ? { mechanism: 'X-CODE', state: 0, response: undefined }
          : { mechanism: 'PLAIN', username: 'alice', password: 'secret' },
      );
    case 'mailfrom':
      return mailfromArguments(alice);
    case 'rcptto':
      return rcpttoArguments(postmaster, undefined);
    case 'eod':
      return eodArguments(frame!);
    default:
      return disconnectArguments({
        close: 'remote',
        reply: { code: 550, enhanced: [5, 1, 1], lines: ['No such user'], state: 'RCPT' },
      });
  }
}

function receivedMail(): EodMessage {
  const document = new MailDocument(bytesToSource(Buffer.from(message, 'latin1')));
  return new EodMessage(document, { id, priority: 0, knowsTransport: (name) => name === 'outbound' });
}

function queueRun(phase: 'predelivery' | 'postdelivery'): PhaseRun {
  const facts: MessageFacts = {
    id: { transaction: id, number: 1 },
    ts: unixSeconds,
    serverId: 'in',
    sender: alice,
    recipient: carol,
    transportId: 'outbound',
    metadata: { campaign: 'spring' },
    priority: 0,
    dsn: {},
    sizeBytes: message.length,
    retry: 3,
  };
  const args =
    phase === 'predelivery'
      ? predeliveryArguments(facts.retry)
      : postdeliveryArguments({
          retry: facts.retry,
          expired: false,
          action: 'QUEUE',
          attempt: {
            result: { code: 450, enhanced: [4, 2, 1], reason: ['Mailbox busy'], state: 'RCPT' },
            durationSeconds: 0.5,
          },
          dsn: {
            id: { transaction: '5c0a4e0e-0000-5000-8000-000000000001', number: 1 },
            diagnosticType: 'smtp',
            diagnosticCode: '450 4.2.1 Mailbox busy',
            status: [4, 2, 1],
          },
        });
  return { variables: [args, messageToValue(facts), null], frame: queueFrame(facts.metadata, false) };
}

// --- What came of it ----------------------------------------------------------------------------------------------

/** The last line of an action's example: `// 550 5.7.1 Refused`. @throws Error when there is none */
export function promisedEnd(example: string): string {
  const [, promised] = /(?:^|\n)\/\/ (.+)$/.exec(example) ?? [];
  if (promised === undefined)
    throw new Error(`the example does not end with "// what comes of it": ${example}`);
  return promised;
}

/** Any phase's outcome. */
export type AnyOutcome = ReplyWish & {
  readonly kind: string;
  readonly challenge?: string;
  readonly because?: string;
  readonly queued?: readonly QueueRequest[];
  readonly options?: Readonly<Record<string, unknown>>;
};

/**
 * An outcome as examples write it: the reply if there is one (its lines with ` / ` between them), else the action's name;
 * `, disconnect`; and what is not as ever, as JSON.
 */
export function describeOutcome(phase: Phase, outcome: AnyOutcome): string {
  const { kind, reason, code, enhanced, disconnect, challenge, because, queued, options, ...others } =
    outcome;
  const more: Record<string, unknown> = { ...options, ...others };
  if (queued !== undefined) more.queued = queued.map(({ recipient }) => addressText(recipient));
  if (challenge === undefined && phase.replies === undefined && reason !== undefined) more.reason = reason;
  const shown = JSON.stringify(more, (key, value: unknown) =>
    isAsEver(key, value) ? undefined : plain(value),
  );
  return [
    because === undefined ? '' : `(${because}) `,
    headOf(phase, outcome),
    disconnect ? ', disconnect' : '',
    shown === '{}' ? '' : ` ${shown}`,
  ].join('');
}

function headOf(phase: Phase, { kind, challenge, ...wish }: AnyOutcome): string {
  if (challenge !== undefined) return `${wish.code ?? 334} ${challenge}`;
  const defaults = phase.replies?.[kind as keyof typeof phase.replies];
  if (defaults === undefined) return kind;
  const { code, enhanced, lines } = replyParts(defaults, wish);
  return [code, enhanced?.join('.'), lines.join(' / ')].filter(Boolean).join(' ');
}

/** What the options are when a script says nothing. */
const ASEVER: Readonly<Record<string, unknown>> = {
  hold: false,
  incrementRetry: true,
  resetRetry: false,
  next: false,
};

function isAsEver(key: string, value: unknown): boolean {
  return key in ASEVER && ASEVER[key] === value;
}

function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'localPart' in value
    ? addressText(value as Address)
    : value;
}

function addressText({ localPart, domain }: Address): string {
  return `${localPart}@${domain}`;
}

/** The actions of a phase, and what else only it has. */
export function builtinsOf(phase: Phase): readonly Builtin[] {
  return phase.declarations.filter((one: Declaration): one is Builtin => one.kind === 'builtin');
}
