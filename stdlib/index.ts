// The door of the standard library.

// --- Mail: addresses, envelopes, messages
export {
  isAscii,
  isDomain,
  isIpAddress,
  lowerCaseAscii,
  type Mailbox,
  mailboxToText,
  quoteLocalPart,
  scanDomain,
  scanMailbox,
  textToMailbox,
} from './mail/addresses/mailbox.js';
export type { Address, DsnParameters, QueueRequest } from './mail/envelope.js';
export {
  addressToLowerText,
  addressToValue,
  isNotifyList,
  stringMapToValue,
  valueToAddress,
  valueToDsnParameters,
  valueToStringList,
  valueToStringMap,
} from './mail/envelope-values.js';
export { EODMailMessage, EodMessage, type EodTransaction } from './mail/eod-mail-message.builtins.js';
export { MailMessage, MessageState } from './mail/mail-message.builtins.js';
export type { MessageSource, Piece, Pieces } from './mail/message-source.js';
export { piecesSize } from './mail/message-source.js';
export { bytesToSource, MailDocument, MimePart } from './mail/mime/document.js';
export { type HeaderField, type HeaderSection, parseHeaderSection } from './mail/mime/header-section.js';
export { MIMEPart } from './mail/mime-part.builtins.js';
