// Internationalised domain names (IDNA 2008 as UTS 46 maps it, not transitional: ß stays ß), by Node's ICU. Label by
// label: as a whole, Node would read "1.2.3" or full-width digits as an IPv4 address and rewrite it.

import { domainToASCII, domainToUnicode } from 'node:url';
import { bytesToText, textToBytes } from '#lang';

const ONLY_ASCII = /^[\x00-\x7f]*$/;
/** The four characters that separate labels (RFC 3490 §3.1). */
const DOTS = /[.\u3002\uff0e\uff61]/;
const LONGEST_LABEL = 63;
const LONGEST_DOMAIN = 253;

/** UTF-8 bytes to the ASCII form; undefined when a label is empty, too long or not allowed. */
export function domainToAscii(bytes: string): string | undefined {
  const domain = mapLabels(bytesToText(bytes), labelToAscii);
  return domain === undefined || domain.replace(/\.$/, '').length > LONGEST_DOMAIN ? undefined : domain;
}

/** The ASCII form to UTF-8 bytes, lower case; undefined when a label is broken. */
export function domainFromAscii(bytes: string): string | undefined {
  const domain = mapLabels(bytesToText(bytes), labelToUnicode);
  return domain === undefined ? undefined : textToBytes(domain);
}

function mapLabels(domain: string, map: (label: string) => string | undefined): string | undefined {
  if (domain === '') return '';
  const labels = domain.split(DOTS);
  const mapped: string[] = [];
  for (const [index, label] of labels.entries()) {
    // One empty label at the end is the root's dot.
    if (label === '') {
      if (index === 0 || index !== labels.length - 1) return undefined;
      mapped.push('');
      continue;
    }
    const result = map(label);
    if (result === undefined) return undefined;
    mapped.push(result);
  }
  return mapped.join('.');
}

function labelToAscii(label: string): string | undefined {
  // What compatibility mapping turns into ASCII (full-width letters and digits) is done then.
  const plain = ONLY_ASCII.test(label) ? label : label.normalize('NFKC');
  const ascii = ONLY_ASCII.test(plain) ? plain.toLowerCase() : domainToASCII(plain);
  return ascii === '' || ascii.length > LONGEST_LABEL || ascii.includes('.') ? undefined : ascii;
}

function labelToUnicode(label: string): string | undefined {
  const lower = label.toLowerCase();
  if (!lower.startsWith('xn--')) return lower;
  const text = domainToUnicode(lower);
  return text === '' || text.startsWith('xn--') ? undefined : text;
}
