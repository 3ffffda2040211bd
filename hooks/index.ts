// The door of the hooks.

export type { Address, DsnParameters, QueueRequest } from '#stdlib';
export { type AuthAttempt, auth, authArguments } from './auth.js';
export { connect, connectArguments } from './connect.js';
export { disconnect, disconnectArguments, type PassOutcome, type SessionEnding } from './disconnect.js';
export { type DsnOptions, dsnOptionKeys, type HeaderLine, readDsnOptions } from './dsn-options.js';
export { eod, eodArguments } from './eod.js';
export type { EodFrame, HookFrame, HookServices, HttpSubmission, QueueFrame } from './frame.js';
export { helo, heloArguments } from './helo.js';
export { mailfrom, mailfromArguments } from './mailfrom.js';
export { type MessageFacts, type MessageFiles, messageToValue } from './message-state.js';
export { present, type ReplyParts, replyParts } from './outcome.js';
export type * from './outcomes.js';
export {
  type DefaultReply,
  environmentOf,
  type Phase,
  type PhaseName,
  type QueuePhaseName,
  type ReplyingPhase,
  type SmtpPhaseName,
} from './phase.js';
export {
  type DefaultAction,
  type PostdeliveryFacts,
  postdelivery,
  postdeliveryArguments,
} from './postdelivery.js';
export { type PredeliveryDecision, predelivery, predeliveryArguments } from './predelivery.js';
export { proxy, proxyArguments } from './proxy.js';
export { metadataChange, queueFrame } from './queue-actions.js';
export { rcptto, rcpttoArguments } from './rcptto.js';
export {
  type AuthFacts,
  type ConnectionFacts,
  type PeerCertificate,
  type Recipient,
  type ReverseNameFacts,
  SessionState,
  type TlsFacts,
} from './state.js';
