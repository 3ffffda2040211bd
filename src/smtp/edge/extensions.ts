// The extensions that depend on the connection and not on the mail: STARTTLS (RFC 3207) and XCLIENT.

import { isAnnounced } from '../extensions.js';
import { replies } from '../replies.js';
import type { Reply } from '../reply.js';
import type { Session } from '../session.js';
import { xclientExtension } from './xclient.js';

/** What EHLO announces of them. */
export function edgeExtensions(session: Session): string[] {
  return [
    ...(offersTls(session) ? ['STARTTLS'] : []),
    ...(session.maySpeakForOthers ? [xclientExtension] : []),
  ];
}

/** A script may announce less than there is, not more. */
export function possibleExtensions(session: Session, wanted: readonly string[]): readonly string[] {
  return wanted.filter(
    (extension) =>
      (offersTls(session) || !isAnnounced([extension], 'STARTTLS')) &&
      (session.maySpeakForOthers || !isAnnounced([extension], 'XCLIENT')),
  );
}

/** RFC 3207 §4.2: not announced any more once TLS is on. */
export function offersTls({ options, isEncrypted }: Session): boolean {
  return options.tls !== undefined && !isEncrypted;
}

/** Why TLS cannot begin now. */
export function refuseStartTls({ options, isEncrypted }: Session): Reply | undefined {
  if (isEncrypted) return replies.tlsAlready;
  return options.tls === undefined ? replies.notImplemented : undefined;
}

/** Why a client may not speak for another one now. */
export function refuseXclient({ maySpeakForOthers, transaction }: Session): Reply | undefined {
  if (!maySpeakForOthers) return replies.notForThisClient;
  return transaction === undefined ? undefined : replies.xclientInTransaction;
}
