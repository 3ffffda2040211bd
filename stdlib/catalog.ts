// Every declaration that scripts can use in any phase, in the order of the reference manual.

import type { Declaration } from '#lang';
import { arrays } from './arrays/arrays.builtins.js';
import { arrayCallbacks } from './arrays/callbacks.builtins.js';
import { x509Class } from './certificates/x509.builtins.js';
import { x509CrlClass } from './certificates/x509-crl.builtins.js';
import { iteratorClass } from './collections/iterator.builtins.js';
import { mapClass } from './collections/map.builtins.js';
import { setClass } from './collections/set.builtins.js';
import { ciphers } from './crypto/ciphers.builtins.js';
import { cms } from './crypto/cms/cms.builtins.js';
import { crypt } from './crypto/crypt.builtins.js';
import { hashes } from './crypto/hashes.builtins.js';
import { privateKeys } from './crypto/private-keys.builtins.js';
import { signatures } from './crypto/signatures.builtins.js';
import { times } from './dates/time.builtins.js';
import { dns } from './dns/dns.builtins.js';
import { binary } from './encodings/binary.builtins.js';
import { dataFormats } from './encodings/data-formats.builtins.js';
import { Iconv } from './encodings/iconv.builtins.js';
import { textEncodings } from './encodings/text-encodings.builtins.js';
import { File } from './files/file.builtins.js';
import { http } from './http/http.builtins.js';
import { ids } from './ids/ids.builtins.js';
import { ldapClass, ldapResultClass } from './ldap/ldap.builtins.js';
import { addressHelpers } from './mail/address-helpers.builtins.js';
import { MailMessage } from './mail/mail-message.builtins.js';
import { MIME } from './mail/mime.builtins.js';
import { MIMEPart } from './mail/mime-part.builtins.js';
import { math } from './math/math.builtins.js';
import { random } from './math/random.builtins.js';
import { memory } from './memory/memory.builtins.js';
import { rates } from './memory/rate.builtins.js';
import { metrics } from './metrics/metrics.builtins.js';
import { networkValues } from './network-values/network-values.builtins.js';
import { queue } from './queue/queue.builtins.js';
import { patterns } from './regex/patterns.builtins.js';
import { smtp } from './smtp/smtp.builtins.js';
import { socketClass } from './sockets/socket.builtins.js';
import { tlsSocketClass } from './sockets/tls-socket.builtins.js';
import { spf } from './spf/spf.builtins.js';
import { strings } from './strings/strings.builtins.js';
import { servers } from './system/servers.builtins.js';
import { system } from './system/system.builtins.js';
import { types } from './types/types.builtins.js';

/** The library. What only one phase has (its actions, the message of eod) is in `hooks/`. */
export const catalog: readonly Declaration[] = [
  ...arrays,
  ...arrayCallbacks,
  ...types,
  ...strings,
  ...patterns,
  ...math,
  ...random,
  ...hashes,
  ...ciphers,
  ...privateKeys,
  ...signatures,
  ...cms,
  crypt,
  ...textEncodings,
  ...dataFormats,
  ...binary,
  Iconv,
  ...times,
  ...ids,
  ...system,
  ...dns,
  ...spf,
  ...networkValues,
  ...addressHelpers,
  ...rates,
  ...smtp,
  ...memory,
  ...servers,
  ...queue,
  ...metrics,
  mapClass,
  setClass,
  iteratorClass,
  File,
  MIME,
  MIMEPart,
  MailMessage,
  x509Class,
  x509CrlClass,
  http,
  socketClass,
  tlsSocketClass,
  ldapClass,
  ldapResultClass,
];
