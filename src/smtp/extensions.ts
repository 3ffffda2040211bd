// The extensions this server speaks; their parameters are in parameters.ts, their commands in commands.ts.
//
//   PIPELINING           RFC 2920   replies are collected and written at once
//   SIZE                 RFC 1870
//   8BITMIME             RFC 6152
//   SMTPUTF8             RFC 6531
//   CHUNKING             RFC 3030   BDAT
//   LIMITS               RFC 9422   MAILMAX and RCPTMAX, if there are such limits
//   ENHANCEDSTATUSCODES  RFC 2034
//
// Only when a helo script announces them: DSN (RFC 3461), DELIVERBY (RFC 2852), FUTURERELEASE (RFC 4865), MT-PRIORITY
// (RFC 6710), REQUIRETLS (RFC 8689), ETRN (RFC 1985), since somebody must act on what the client then asks for.

import type { SmtpServerOptions } from './options.js';

/** What EHLO and LHLO announce unless a script says otherwise. */
export function announcedExtensions(options: SmtpServerOptions): string[] {
  const { protocol, pipelining, eightBitMime, smtpUtf8, chunking, limits } = options;
  const extensions: string[] = [];
  if (pipelining || protocol === 'lmtp') extensions.push('PIPELINING'); // RFC 2033 §5: LMTP is never without
  extensions.push(limits.messageBytes > 0 ? `SIZE ${limits.messageBytes}` : 'SIZE');
  if (eightBitMime) extensions.push('8BITMIME');
  if (smtpUtf8 && eightBitMime) extensions.push('SMTPUTF8'); // RFC 6531 §3.1: never without 8BITMIME
  if (chunking) extensions.push('CHUNKING');
  const { messagesPerConnection, recipients } = limits;
  if (messagesPerConnection > 0 || recipients > 0)
    extensions.push(
      `LIMITS${messagesPerConnection > 0 ? ` MAILMAX=${messagesPerConnection}` : ''}${
        recipients > 0 ? ` RCPTMAX=${recipients}` : ''
      }`,
    );
  extensions.push('ENHANCEDSTATUSCODES');
  return extensions;
}

/**
 * What a script's list may announce in this session: BINARYMIME is not spoken here, and REQUIRETLS means nothing where
 * the session itself is not encrypted (RFC 8689 §2).
 */
export function spokenExtensions(announced: readonly string[], isEncrypted: boolean): readonly string[] {
  return announced.filter((extension) => {
    const keyword = keywordOf(extension);
    return keyword !== 'BINARYMIME' && (isEncrypted || keyword !== 'REQUIRETLS');
  });
}

/** The values that follow an announced keyword; undefined when it was not announced. */
export function announcedValues(announced: readonly string[], keyword: string): string[] | undefined {
  for (const extension of announced)
    if (keywordOf(extension) === keyword) return extension.split(' ').slice(1);
  return undefined;
}

/** Whether a keyword was announced. */
export function isAnnounced(announced: readonly string[], keyword: string): boolean {
  return announced.some((extension) => keywordOf(extension) === keyword);
}

function keywordOf(extension: string): string {
  const space = extension.indexOf(' ');
  return (space === -1 ? extension : extension.slice(0, space)).toUpperCase();
}
