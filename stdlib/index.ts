// The door of the standard library.

// --- What every program can call, and what it needs
export { catalog } from './catalog.js';
// --- Keys and certificates as texts
export { certificatesInPem, parseCertificate, publicKeyInfoOf } from './certificates/certificate.js';
export { certificateValue } from './certificates/certificate-values.js';
export { type ChainResult, verifyChain } from './certificates/chain.js';
export { verifyCode } from './certificates/verify-codes.js';
export {
  type ConfiguredAddress,
  type ConfiguredKey,
  type ConfiguredThings,
  nothingConfigured,
} from './configured.js';
export { privateKeyInPem } from './crypto/keys.js';
export {
  type CountingResolver,
  createResolver,
  type LookUp,
  type ResolverSettings,
} from './dns/create-resolver.js';
export { type HostRecords, hostTypes, parseHostRecord } from './dns/hosts.js';
export { questionName } from './dns/names.js';
export { answerToValue } from './dns/record-values.js';
export type { DnsAnswer, DnsError, DnsRecord, Question, Resolver } from './dns/resolver.js';
export { parseServerAddress } from './dns/servers/server-address.js';
// --- Texts of other forms
export { domainToAscii } from './encodings/idna.js';
export { decodeJson, readJson } from './encodings/json-decode.js';
export { encodeJson, writeJson } from './encodings/json-encode.js';
export { decodeXtext } from './encodings/percent.js';
// --- Files, and names that are gone
export { bytesToFile, FILE_RESOURCE, type FileContent } from './files/file-content.js';
export { formerNames } from './former-names.js';
export {
  type BackgroundQueues,
  backgroundSender,
  createBackgroundRequests,
} from './http/background-requests.js';
// --- Ids
export { uuidV1, uuidV4, uuidV5 } from './ids/uuid.js';
export { certificateResource, type ParsedCertificate } from './loaders/certificates.js';
export { dataLoaders } from './loaders/data-loaders.js';
// --- Mail: addresses, envelopes, messages
export { type AddressList, type ListedAddress, parseAddressList } from './mail/addresses/address-list.js';
export {
  isAscii,
  isDomain,
  isIpAddress,
  isLocalPart,
  lowerCaseAscii,
  type Mailbox,
  mailboxToText,
  quoteLocalPart,
  scanDomain,
  scanMailbox,
  textToMailbox,
} from './mail/addresses/mailbox.js';
export { addressWithName } from './mail/addresses/write-address-list.js';
export { signatureRequestsOfArray } from './mail/dkim/sign-options.js';
export { type SignatureField, type SignatureRequest, signMessage } from './mail/dkim/signer.js';
export type { Address, DsnParameters, QueueRequest } from './mail/envelope.js';
export {
  addressToLowerText,
  addressToValue,
  dsnParameterKeys,
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
export { encodeField, isFieldName, rawField, unfold } from './mail/mime/header-text.js';
export { encodeBody, fits, traitsOf, withCrLf } from './mail/mime/transfer-encoding.js';
export { MIMEPart } from './mail/mime-part.builtins.js';
export { mimePartText } from './mail/mime-part-text.js';
export type { Submission, SubmittedId } from './mail/submission.js';
export { detachedValue } from './memory/detached-value.js';
export { createLocalMemory, LocalMemory } from './memory/local-memory.js';
export { createLocalRates, LocalRates, type RateEntry, type RateLimits } from './memory/local-rates.js';
export { valueBytes } from './memory/value-size.js';
export { type Labels, type MetricReading, type MetricStore, noMetrics } from './metrics/metric-store.js';
// --- Addresses, networks and domains
export { addressToBytes, bytesToAddress } from './network-values/ip-address.js';
export { isInNetwork, type Network, parseNetwork } from './network-values/networks.js';
export {
  builtInSuffixes,
  publicSuffix,
  readSuffixList,
  type SuffixList,
} from './network-values/public-suffix.js';
export {
  createLocalServices,
  type LibraryServices,
  type NetworkServices,
  type QueueCounts,
  type RateRequest,
  type RateStore,
  type ServerCounts,
  servicesOf,
} from './services.js';
export {
  type MailClient,
  type MailConnection,
  type MailOutcome,
  type MailReply,
  type MailServer,
  type MailTarget,
  type MailTls,
  type OutgoingMail,
  type TlsMode,
  tlsModes,
} from './smtp/mail-client.js';
export { type SmtpState, smtpStates, valueToTimeouts } from './smtp/smtp-states.js';
export { addressLookup } from './sockets/address-lookup.js';
export { parseTlsProtocols, type TlsProtocols } from './sockets/tls-options.js';
export { systemTrust } from './sockets/trust.js';
