// The replies that are always the same. RFC 5321 §4.2 for codes, RFC 3463 and the IANA registry for enhanced status.

import { lastReply, reply } from './reply.js';

export const replies = {
  // Lines and commands
  bareLineEnd: reply(500, [5, 5, 2], 'A line must end with CR LF, and hold neither CR nor LF otherwise'),
  lineTooLong: reply(500, [5, 5, 2], 'Line too long'),
  unknownCommand: reply(500, [5, 5, 1], 'Command not recognized'),
  notImplemented: reply(502, [5, 5, 1], 'Command not implemented'),
  noArguments: reply(501, [5, 5, 4], 'This command takes no argument'),
  nulInLine: reply(500, [5, 5, 2], 'A command must not hold NUL'),
  badUtf8: reply(501, [5, 5, 2], 'What is not ASCII must be UTF-8'),
  vrfyArgument: reply(501, [5, 5, 4], 'Syntax: VRFY address'),
  endlessLine: lastReply(421, [4, 7, 0], 'A line without end'),
  tooManyErrors: lastReply(421, [4, 7, 0], 'Too many errors'),
  tooManyCommands: lastReply(421, [4, 7, 0], 'Too many commands without mail'),

  // Greeting
  heloSyntax: reply(501, [5, 5, 4], 'Syntax: HELO hostname'),
  ehloSyntax: reply(501, [5, 5, 4], 'Syntax: EHLO hostname'),
  lhloSyntax: reply(501, [5, 5, 4], 'Syntax: LHLO hostname'),
  heloFirst: reply(503, [5, 5, 1], 'Say HELO or EHLO first'),

  // Who the client is (RFC 4954 §4 and §6)
  ehloFirst: reply(503, [5, 5, 1], 'Say EHLO first'),
  alreadyAuthenticated: reply(503, [5, 5, 1], 'You have said who you are already'),
  authInTransaction: reply(503, [5, 5, 1], 'Not during a transaction'),
  encryptionRequired: reply(538, [5, 7, 11], 'Encryption required: say STARTTLS first'),
  authSyntax: reply(501, [5, 5, 4], 'Syntax: AUTH mechanism [initial-response]'),
  unknownMechanism: reply(504, [5, 5, 4], 'This mechanism is not known here'),
  authCancelled: reply(501, [5, 7, 0], 'Authentication cancelled'),
  notBase64: reply(501, [5, 5, 2], 'The response is not base64'),
  malformedResponse: reply(501, [5, 5, 2], 'The response is not what the mechanism says'),
  authLineTooLong: reply(500, [5, 5, 6], 'The response is too long'),
  tooManyAuthFailures: lastReply(421, [4, 7, 0], 'Too many failed authentications'),

  // Envelope
  mailSyntax: reply(501, [5, 5, 4], 'Syntax: MAIL FROM:<address>'),
  rcptSyntax: reply(501, [5, 5, 4], 'Syntax: RCPT TO:<address>'),
  badSender: reply(501, [5, 1, 7], 'Bad sender address syntax'),
  badRecipient: reply(501, [5, 1, 3], 'Bad recipient address syntax'),
  needsSmtpUtf8: reply(553, [5, 6, 7], 'Address is not ASCII, and SMTPUTF8 was not agreed on'),
  badParameter: reply(501, [5, 5, 4], 'Bad parameter'),
  nestedMail: reply(503, [5, 5, 1], 'A transaction is open already'),
  mailFirst: reply(503, [5, 5, 1], 'Say MAIL first'),
  noRecipients: reply(554, [5, 5, 1], 'No valid recipients'),
  noLmtpRecipients: reply(503, [5, 5, 1], 'No valid recipients'),
  tooManyRecipients: reply(452, [4, 5, 3], 'Too many recipients'),
  tooManyMessages: lastReply(421, [4, 7, 0], 'Too many messages on this connection; come again'),
  relayingDenied: reply(554, [5, 7, 1], 'Relaying denied'),
  holdTooLong: reply(501, [5, 5, 4], 'The message cannot be held for so long'),
  deliverBySooner: reply(554, [5, 4, 7], 'The message cannot be delivered in so short a time'),
  noTransport: reply(554, [5, 3, 5], 'No transport is known for this recipient'),
  noSuchTransport: reply(451, [4, 3, 5], 'The server is misconfigured; try again later'),

  // Encryption, and clients that speak for others
  readyForTls: reply(220, [2, 0, 0], 'Ready to start TLS'),
  tlsAlready: reply(503, [5, 5, 1], 'TLS is on already'),
  tlsUnavailable: reply(454, [4, 7, 0], 'TLS is not available at the moment'),
  certificateNeeded: reply(554, [5, 7, 0], 'A client certificate is needed here'),
  certificateNotTrusted: reply(554, [5, 7, 0], 'The client certificate is not trusted here'),
  xclientSyntax: reply(501, [5, 5, 4], 'Syntax: XCLIENT attribute=value...'),
  xclientInTransaction: reply(503, [5, 5, 1], 'A transaction is open'),
  notForThisClient: reply(550, [5, 7, 0], 'This command is not for this client'),

  // Message
  dataAfterBdat: reply(503, [5, 5, 1], 'The message has begun with BDAT; go on with BDAT, or say RSET'),
  bdatSyntax: lastReply(501, [5, 5, 4], 'Syntax: BDAT size [LAST]'), // where the next command begins is not known
  goAhead: reply(354, undefined, 'End data with <CR><LF>.<CR><LF>'),
  tooBig: reply(552, [5, 3, 4], 'Message too big'),
  headerTooBig: reply(554, [5, 6, 0], 'The header section is too big'),
  bareLineEndInData: reply(554, [5, 6, 0], 'A lone dot between bare CR or LF: the message is not accepted'),
  tooManyHops: reply(554, [5, 4, 6], 'Too many hops: the message is in a loop'),
  noSpace: reply(452, [4, 3, 1], 'Out of storage; try again later'),
  spoolTrouble: reply(451, [4, 3, 0], 'The message could not be stored; try again later'),

  // The rest
  ok: reply(250, [2, 0, 0], 'Ok'),
  cannotVerify: reply(
    252,
    [2, 0, 0],
    'Cannot verify the address, but will accept mail and try to deliver it',
  ),
  etrnSyntax: reply(501, [5, 5, 4], 'Syntax: ETRN domain'),
  cannotEtrn: reply(458, [4, 5, 0], 'Unable to queue messages for that node'),
  bye: lastReply(221, [2, 0, 0], 'Bye'),

  // The end, said by us
  tooManyConnections: lastReply(421, [4, 7, 0], 'Too many connections; come again later'),
  timeout: lastReply(421, [4, 4, 2], 'Timeout'),
  shuttingDown: lastReply(421, [4, 3, 2], 'The service is shutting down'),
  ourFault: lastReply(421, [4, 3, 0], 'Internal error; come again later'),
} as const;
