// What a message was received with that is meant for every hop: parameters of extensions, passed on to a peer that offers the
// extension. All other parameters of a queued address were meant for us and end here.
//
//   SMTPUTF8      RFC 6531   parcel.ts decides, by addresses and headers
//   REQUIRETLS    RFC 8689   a peer that does not offer it, over TLS, must not get the message
//   MT-PRIORITY   RFC 6710   §4.3: a peer that does not offer it gets the message without
//   BY            RFC 2852   §4.1.2: less the time the message was here; mode R must not go to a peer that does not offer it
//   AUTH          RFC 4954   §5: who submitted it, for a peer that offers AUTH. Believed of a client that had logged in as that
//                            mailbox; of others a peer that we have logged in to is told "<>". Try may say another (`sender`).

import type { Address } from '#hooks';
import { decodeXtext } from '#stdlib';
import type { Capabilities } from './capabilities.js';
import type { Trouble } from './trouble.js';

/** What the parameters of a queued sender ask of each hop. */
export interface PassedOn {
  readonly requiresTls: boolean;
  readonly mtPriority?: string;
  readonly deliverBy?: {
    /** What is left of the time. */
    readonly seconds: number;
    /** `R` gives the message back when it is over, `N` tells the sender that it is late. */
    readonly mode: 'R' | 'N';
    readonly isTraced: boolean;
  };
  /** Who submitted it, as the client said; `<>` when nobody here can know. */
  readonly submitter?: string;
}

/** The session with the peer, as far as it decides what the peer is told. */
export interface PeerSession {
  /** It has TLS. */
  readonly isProtected: boolean;
  /** We have logged in. */
  readonly isLoggedIn: boolean;
}

/** Nothing is asked. */
export const nothingPassedOn: PassedOn = { requiresTls: false };

const NOBODY = '<>';

/**
 * Reads the parameters of a queued sender. `ageSeconds`: how long the message has been here; `saslUsername`: as whom the client
 * had logged in.
 */
export function readPassedOn(
  params: NonNullable<Address['params']>,
  ageSeconds: number,
  saslUsername?: string,
): PassedOn {
  const priority = params['MT-PRIORITY'];
  const submitter = params['AUTH'];
  const by = /^([+-]?\d{1,9});([NR])(T?)$/i.exec(params['BY'] ?? '');
  return {
    requiresTls: 'REQUIRETLS' in params,
    ...(priority === undefined ? {} : { mtPriority: priority }),
    ...(by === null
      ? {}
      : {
          deliverBy: {
            seconds: Number(by[1]) - Math.floor(ageSeconds),
            mode: by[2]?.toUpperCase() === 'R' ? 'R' : 'N',
            isTraced: by[3] !== '',
          },
        }),
    ...(submitter === undefined ? {} : { submitter: isSame(submitter, saslUsername) ? submitter : NOBODY }),
  };
}

function isSame(submitter: string, saslUsername: string | undefined): boolean {
  if (saslUsername === undefined || !/^[\x21-\x7e]{1,500}$/.test(submitter)) return false;
  return decodeXtext(submitter).toLowerCase() === saslUsername.toLowerCase();
}

/** Adds to MAIL what the peer takes, or says why it cannot get the message. */
export function addPassedOn(
  mail: Map<string, string>,
  passedOn: PassedOn,
  peer: Capabilities,
  { isProtected, isLoggedIn }: PeerSession,
): Trouble | undefined {
  if (passedOn.requiresTls) {
    // RFC 8689 §4.2.1: 5.7.30 is "REQUIRETLS support required".
    if (!isProtected || !peer.requireTls)
      return {
        kind: 'impossible',
        state: 'MAIL',
        status: [5, 7, 30],
        isAboutPeer: true,
        message: `the message requires TLS on its whole way (REQUIRETLS), ${isProtected ? 'which the peer does not offer' : 'and the session with the peer has none'}`,
      };
    mail.set('REQUIRETLS', '');
  }
  if (passedOn.mtPriority !== undefined && peer.mtPriority) mail.set('MT-PRIORITY', passedOn.mtPriority);
  const { submitter } = passedOn;
  // A peer that we have not logged in to takes us for nobody anyhow, and some refuse the parameter then.
  if (submitter !== undefined && peer.mechanisms.length > 0 && (submitter !== NOBODY || isLoggedIn))
    mail.set('AUTH', submitter);
  return passedOn.deliverBy === undefined ? undefined : addDeliverBy(mail, passedOn.deliverBy, peer);
}

function addDeliverBy(
  mail: Map<string, string>,
  { seconds, mode, isTraced }: NonNullable<PassedOn['deliverBy']>,
  peer: Capabilities,
): Trouble | undefined {
  const { deliverByLeast: least } = peer;
  if (mode === 'R') {
    // RFC 2852 §4.1: a time that is over, or shorter than the peer keeps, gives the message back.
    const problem =
      seconds <= 0
        ? 'the time in which it was to be delivered is over'
        : least === undefined
          ? 'it is to be given back when it is late (DELIVERBY), which the peer does not offer'
          : seconds < least
            ? `it is to be delivered within ${seconds} s, and the peer keeps no time below ${least} s`
            : undefined;
    if (problem !== undefined)
      return {
        kind: 'impossible',
        state: 'MAIL',
        status: [5, 4, 7],
        isAboutPeer: seconds > 0,
        message: `the message cannot go this way: ${problem}`,
      };
  }
  // Mode N may be negative: late already (RFC 2852 §4).
  if (least !== undefined) mail.set('BY', `${seconds};${mode}${isTraced ? 'T' : ''}`);
  return undefined;
}
