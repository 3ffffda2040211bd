// Group 7 of the library, first part: bytes as text and back. json, yaml and csv are in data-formats.builtins.ts, pack and
// zlib in binary.builtins.ts.

import { builtin } from '#lang';
import { reserveText } from '../limits.js';
import { decodeBase32, encodeBase32 } from './base32.js';
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from './base64.js';
import { domainFromAscii, domainToAscii } from './idna.js';
import { decodeMimeWords, encodeMimeWords } from './mimeword.js';
import { decodeUrl, decodeXtext, encodeUrl, encodeXtext } from './percent.js';

const text = { name: 'text', type: 'string' } as const;
const domain = { name: 'domain', type: 'string' } as const;

export const base64Encode = builtin({
  name: 'base64_encode',
  group: 'encodings',
  summary: 'Encodes bytes as base64, padded and without line breaks.',
  params: [text],
  returns: 'string',
  example: 'base64_encode("foobar")  // "Zm9vYmFy"',
  source: 'RFC 4648 §4',
  run: (bytes, ctx) => {
    reserveText(ctx, 'base64_encode', Math.ceil(bytes.length / 3) * 4);
    return encodeBase64(bytes);
  },
});

export const base64Decode = builtin({
  name: 'base64_decode',
  group: 'encodings',
  summary: 'Decodes base64.',
  details: 'White space is skipped and padding may be missing.',
  params: [text],
  returns: 'string',
  errors: 'The empty text when it is no base64.',
  example: 'base64_decode("Zm9v YmFy")  // "foobar"',
  source: 'RFC 4648 §4',
  pure: true,
  run: (encoded) => decodeBase64(encoded) ?? '',
});

export const base64UrlEncode = builtin({
  name: 'base64url_encode',
  group: 'encodings',
  summary: 'Encodes bytes as base64 for URLs, with - and _ and without padding.',
  params: [text],
  returns: 'string',
  example: 'base64url_encode("???>")  // "Pz8_Pg"',
  source: 'RFC 4648 §5',
  run: (bytes, ctx) => {
    reserveText(ctx, 'base64url_encode', Math.ceil((bytes.length * 4) / 3));
    return encodeBase64Url(bytes);
  },
});

export const base64UrlDecode = builtin({
  name: 'base64url_decode',
  group: 'encodings',
  summary: 'Decodes base64 for URLs.',
  details: 'White space is skipped; padding is accepted.',
  params: [text],
  returns: 'string',
  errors: 'The empty text when it is none.',
  example: 'base64url_decode("Pz8_Pg")  // "???>"',
  source: 'RFC 4648 §5',
  pure: true,
  run: (encoded) => decodeBase64Url(encoded) ?? '',
});

export const base32Encode = builtin({
  name: 'base32_encode',
  group: 'encodings',
  summary: 'Encodes bytes as base32, upper case and padded.',
  params: [text],
  returns: 'string',
  since: '5.5',
  example: 'base32_encode("foobar")  // "MZXW6YTBOI======"',
  source: 'RFC 4648 §6',
  run: (bytes, ctx) => {
    reserveText(ctx, 'base32_encode', Math.ceil(bytes.length / 5) * 8);
    return encodeBase32(bytes);
  },
});

export const base32Decode = builtin({
  name: 'base32_decode',
  group: 'encodings',
  summary: 'Decodes base32 of either case.',
  details: 'White space is skipped and padding may be missing.',
  params: [text],
  returns: 'string',
  errors: 'The empty text when it is no base32.',
  since: '5.5',
  example: 'base32_decode("MZXW6YTB")  // "fooba"',
  source: 'RFC 4648 §6',
  pure: true,
  run: (encoded) => decodeBase32(encoded) ?? '',
});

export const urlEncode = builtin({
  name: 'url_encode',
  group: 'encodings',
  summary: 'Encodes all bytes that are not unreserved in URLs as %XX.',
  details: 'Letters, digits and `-._~` stay; a space becomes `%20`.',
  params: [text],
  returns: 'string',
  since: '5.5',
  example: 'url_encode("a b&c=d/e?f")  // "a%20b%26c%3Dd%2Fe%3Ff"',
  source: 'RFC 3986 §2',
  run: (bytes, ctx) => {
    reserveText(ctx, 'url_encode', bytes.length * 3);
    return encodeUrl(bytes);
  },
});

export const urlDecode = builtin({
  name: 'url_decode',
  group: 'encodings',
  summary: 'Decodes the %XX of a URL.',
  details: 'A `+` stays, and so does a `%` without two hex digits.',
  params: [text],
  returns: 'string',
  since: '5.5',
  example: 'url_decode("a%20b%2Bc+d")  // "a b+c+d"',
  source: 'RFC 3986 §2',
  pure: true,
  run: (encoded) => decodeUrl(encoded),
});

export const mimewordEncode = builtin({
  name: 'mimeword_encode',
  group: 'encodings',
  summary: 'Encodes UTF-8 text for a header field, as words in Q encoding.',
  details:
    'Printable ASCII without `=?` is returned as it is. Words have at most 75 bytes and are joined by a space.',
  params: [text],
  returns: 'string',
  example: 'mimeword_encode("bl\\xc3\\xa5")  // "=?utf-8?Q?bl=C3=A5?="',
  source: 'RFC 2047',
  run: (utf8, ctx) => {
    reserveText(ctx, 'mimeword_encode', utf8.length * 4);
    return encodeMimeWords(utf8);
  },
});

export const mimewordDecode = builtin({
  name: 'mimeword_decode',
  group: 'encodings',
  summary: 'Decodes the encoded words of a header field to UTF-8.',
  details:
    'Any character set, B or Q. White space between words goes, other text stays; so do words in an unknown character set and bad ones.',
  params: [text],
  returns: 'string',
  example: 'mimeword_decode("Re: =?utf-8?Q?abc?= =?utf-8?Q?def?=")  // "Re: abcdef"',
  source: 'RFC 2047',
  pure: true,
  run: (field) => decodeMimeWords(field),
});

export const xtextEncode = builtin({
  name: 'xtext_encode',
  group: 'encodings',
  summary: 'Encodes bytes as xtext, for ESMTP parameters.',
  details: 'Bytes outside 33 to 126, `+` and `=` become `+HH`.',
  params: [text],
  returns: 'string',
  since: '5.1',
  example: 'xtext_encode("user+tag@example.com")  // "user+2Btag@example.com"',
  source: 'RFC 3461 §4',
  run: (bytes, ctx) => {
    reserveText(ctx, 'xtext_encode', bytes.length * 3);
    return encodeXtext(bytes);
  },
});

export const xtextDecode = builtin({
  name: 'xtext_decode',
  group: 'encodings',
  summary: 'Decodes xtext.',
  details: 'A `+` without two hex digits stays.',
  params: [text],
  returns: 'string',
  since: '5.1',
  example: 'xtext_decode("a+2Bb+20c")  // "a+b c"',
  source: 'RFC 3461 §4',
  pure: true,
  run: (encoded) => decodeXtext(encoded),
});

export const idnaEncode = builtin({
  name: 'idna_encode',
  group: 'encodings',
  summary: 'Writes an international domain name (UTF-8) in its ASCII form.',
  details: 'IDNA 2008: ß is kept. The result is lower case; an ASCII name passes.',
  params: [domain],
  returns: 'string|none',
  errors: 'None when a label is empty, longer than 63 bytes or not allowed.',
  since: '4.8',
  example: 'idna_encode("b\\xc3\\xbccher.example")  // "xn--bcher-kva.example"',
  source: 'RFC 5891',
  pure: true,
  run: (name) => domainToAscii(name) ?? null,
});

export const idnaDecode = builtin({
  name: 'idna_decode',
  group: 'encodings',
  summary: 'Writes the ASCII form of an international domain name in UTF-8.',
  params: [domain],
  returns: 'string|none',
  errors: 'None when a label is broken.',
  since: '4.8',
  example: 'idna_decode("xn--bcher-kva.example")  // "b\\u00fccher.example"',
  source: 'RFC 5891',
  pure: true,
  run: (name) => domainFromAscii(name) ?? null,
});

export const textEncodings = [
  base64Encode,
  base64Decode,
  base64UrlEncode,
  base64UrlDecode,
  base32Encode,
  base32Decode,
  urlEncode,
  urlDecode,
  mimewordEncode,
  mimewordDecode,
  xtextEncode,
  xtextDecode,
  idnaEncode,
  idnaDecode,
];
