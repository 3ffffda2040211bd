// The replies that are always the same. RFC 5321 §4.2 for codes, RFC 3463 and the IANA registry for enhanced status.

import { lastReply, reply } from './reply.js';

export const replies = {
  // Lines and commands
  bareLineEnd: reply(500, [5, 5, 2], 'A line must end with CR LF, and hold neither CR nor LF otherwise'),
  lineTooLong: reply(500, [5, 5, 2], 'Line too long'),
  unknownCommand: reply(500, [5, 5, 1], 'Command not recognized'),
  notImplemented: reply(502, [5, 5, 1], 'Command not implemented'),
  noArguments: reply(501, [5, 5, 4], 'This command takes no argument'),
  vrfyArgument: reply(501, [5, 5, 4], 'Syntax: VRFY address'),
  endlessLine: lastReply(421, [4, 7, 0], 'A line without end'),
  tooManyErrors: lastReply(421, [4, 7, 0], 'Too many errors'),
  tooManyCommands: lastReply(421, [4, 7, 0], 'Too many commands without mail'),

  // Greeting
  heloSyntax: reply(501, [5, 5, 4], 'Syntax: HELO hostname'),
  ehloSyntax: reply(501, [5, 5, 4], 'Syntax: EHLO hostname'),
  heloFirst: reply(503, [5, 5, 1], 'Say HELO or EHLO first'),

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
  tooManyRecipients: reply(452, [4, 5, 3], 'Too many recipients'),
  tooManyMessages: lastReply(421, [4, 7, 0], 'Too many messages on this connection; come again'),
  relayingDenied: reply(554, [5, 7, 1], 'Relaying denied'),
  noTransport: reply(554, [5, 3, 5], 'No transport is known for this recipient'),
  noSuchTransport: reply(451, [4, 3, 5], 'The server is misconfigured; try again later'),

  // Message
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
  help: reply(214, [2, 0, 0], 'HELO EHLO MAIL RCPT DATA RSET NOOP VRFY QUIT', 'See RFC 5321'),
  bye: lastReply(221, [2, 0, 0], 'Bye'),

  // The end, said by us
  tooManyConnections: lastReply(421, [4, 7, 0], 'Too many connections; come again later'),
  timeout: lastReply(421, [4, 4, 2], 'Timeout'),
  shuttingDown: lastReply(421, [4, 3, 2], 'The service is shutting down'),
  ourFault: lastReply(421, [4, 3, 0], 'Internal error; come again later'),
} as const;
