// What the actions and functions of a phase share with the host during one run. It comes with the call's services, beside
// what the library needs (`stdlib/services.ts`).

import type { CallContext, HslArray, Value } from '#lang';
import type { EodMessage } from '#stdlib';
import type { DsnOptions } from './dsn-options.js';

/** What only a message that came by HTTP has (hooks 9). */
export interface HttpSubmission {
  /** What the submitter gave with it; an empty array when that was nothing. */
  readonly metadata: Value;
  /** `method`, `path`, `headers`, `remoteip`, and `apikey` when the key has an id. */
  readonly http: HslArray;
}

/** A run of the eod hook. */
export interface EodFrame {
  readonly kind: 'eod';
  readonly mail: EodMessage;
  readonly submission?: HttpSubmission;
  /** LMTP: how many recipients are answered one by one (RFC 2033 §4.2); absent: the message has one reply. */
  readonly separateReplies?: number;
}

/** A run of a queue hook. */
export interface QueueFrame {
  readonly kind: 'queue';
  /** As queued, or as the script replaced it. */
  metadata: Readonly<Record<string, string>>;
  metadataChanged: boolean;
  /** How notifications are to look, as SetDSN() says; an action's own `dsn` wins. */
  notice?: DsnOptions;
  /** postdelivery after a good attempt: the message is gone already. */
  readonly isDelivered: boolean;
}

export type HookFrame = EodFrame | QueueFrame;

/** What a hook's run adds to the services. */
export interface HookServices {
  readonly frame: HookFrame | undefined;
}

/** The run's frame; a phase that has one is always run with it. */
export function frameOf<K extends HookFrame['kind']>(ctx: CallContext, kind: K): HookFrame & { kind: K } {
  const { frame } = ctx.services as HookServices;
  if (frame?.kind !== kind) throw new Error(`a hook ran without its ${kind} frame`);
  return frame as HookFrame & { kind: K };
}
