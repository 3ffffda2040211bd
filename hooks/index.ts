// The door of the hooks.

export type { Address, DsnParameters, QueueRequest } from '#stdlib';
export { connect, connectArguments } from './connect.js';
export { disconnect, disconnectArguments, type PassOutcome, type SessionEnding } from './disconnect.js';
export { eod, eodArguments } from './eod.js';
export type { EodFrame, HookFrame, HookServices, QueueFrame } from './frame.js';
export { helo, heloArguments } from './helo.js';
export { mailfrom, mailfromArguments } from './mailfrom.js';
export { type MessageFacts, messageToValue } from './message-state.js';
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
export { metadataChange, queueFrame } from './queue-actions.js';
export { rcptto, rcpttoArguments } from './rcptto.js';
export { type ConnectionFacts, type Recipient, SessionState } from './state.js';
