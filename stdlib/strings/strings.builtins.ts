// Group 3 of the library: texts as bytes.

import { builtin, HslArray, ScriptFault } from '#lang';
import { reserveElements, reserveText } from '../limits.js';
import { olderName } from '../older-name.js';
import { chunkText, countText, findLastText, findText, sliceText, splitText } from './split.js';
import { BLANKS, lowerAscii, stripText, upperAscii } from './strip.js';

const source = 'stdlib 3';

export const chr = builtin({
  name: 'chr',
  group: 'strings',
  summary: 'Makes a text of one byte.',
  params: [{ name: 'number', type: 'number', doc: 'The byte; taken modulo 256, fraction cut.' }],
  returns: 'string',
  example: 'chr(65)  // "A"',
  source,
  pure: true,
  run: (number) =>
    String.fromCharCode(Number.isFinite(number) ? ((Math.trunc(number) % 256) + 256) % 256 : 0),
});

export const ord = builtin({
  name: 'ord',
  group: 'strings',
  summary: 'Gives the first byte of a text as a number.',
  params: [{ name: 'text', type: 'string' }],
  returns: 'number',
  errors: 'An exception when the text is empty.',
  example: 'ord("ABC")  // 65',
  source,
  pure: true,
  run: (text) => {
    if (text === '') throw new ScriptFault('ord: the text is empty; it needs at least one byte');
    return text.charCodeAt(0);
  },
});

export const strRepeat = builtin({
  name: 'str_repeat',
  group: 'strings',
  summary: 'Repeats a text a number of times.',
  params: [
    { name: 'text', type: 'string' },
    { name: 'times', type: 'number', doc: 'Zero or less gives the empty text; a fraction is cut.' },
  ],
  returns: 'string',
  errors: 'An exception when the result would be longer than 256 MiB.',
  example: 'str_repeat("ab", 3)  // "ababab"',
  source,
  run: (text, times, ctx) => {
    const count = Math.max(0, Math.trunc(times)) || 0;
    if (count === 0 || text === '') return '';
    reserveText(ctx, 'str_repeat', text.length * count);
    return text.repeat(count);
  },
});

export const strReplace = builtin({
  name: 'str_replace',
  group: 'strings',
  summary: 'Replaces every occurrence of a text in another, from left to right.',
  details: 'Replacements are not searched again. An empty search text changes nothing.',
  params: [
    { name: 'search', type: 'string' },
    { name: 'replace', type: 'string' },
    { name: 'subject', type: 'string', doc: 'The text to search in.' },
  ],
  returns: 'string',
  errors: 'An exception when the result would be longer than 256 MiB.',
  example:
    'str_replace("l", "LL", "hello all")  // "heLLLLo aLLLL"\nstr_replace("ab", "", "abcabab")  // "c"',
  source,
  run: (search, replace, subject, ctx) => {
    const count = search === '' ? 0 : countText(subject, search);
    if (count === 0) return subject;
    reserveText(ctx, 'str_replace', subject.length + count * (replace.length - search.length));
    // In a replacement `$` is special to JavaScript and doubled to mean itself.
    return subject.replaceAll(search, replace.includes('$') ? replace.replaceAll('$', '$$$$') : replace);
  },
});

export const strSplit = builtin({
  name: 'str_split',
  group: 'strings',
  summary: 'Splits a text at a delimiter.',
  details: 'Delimiters next to each other give empty parts. An empty delimiter splits into bytes.',
  params: [
    { name: 'text', type: 'string' },
    { name: 'delimiter', type: 'string' },
    {
      name: 'limit',
      type: 'number',
      default: 0,
      doc: 'At most so many parts, the rest stays in the last; negative: counted from the right, the rest stays in the first; 0: all.',
    },
  ],
  returns: 'array',
  since: '5.0',
  example:
    'str_split("one two three", " ", 2)  // ["one","two three"]\nstr_split("one two three", " ", -2)  // ["one two","three"]',
  source,
  run: (text, delimiter, limit, ctx) => splitToArray(text, delimiter, limit, ctx),
});

export const explode = builtin({
  name: 'explode',
  group: 'strings',
  summary: 'Older form of str_split, with the delimiter first.',
  params: [
    { name: 'delimiter', type: 'string' },
    { name: 'text', type: 'string' },
    { name: 'limit', type: 'number', default: 0, doc: 'As in str_split.' },
  ],
  returns: 'array',
  deprecated: 'str_split',
  source: 'stdlib 16',
  run: (delimiter, text, limit, ctx) => splitToArray(text, delimiter, limit, ctx),
});

function splitToArray(
  text: string,
  delimiter: string,
  limit: number,
  ctx: Parameters<typeof reserveElements>[0],
): HslArray {
  const parts = splitText(text, delimiter, Math.trunc(limit) || 0);
  reserveElements(ctx, 'str_split', parts.length);
  return HslArray.fromList(parts);
}

export const strFind = builtin({
  name: 'str_find',
  group: 'strings',
  summary: 'Finds the first occurrence of a text in another.',
  params: [
    { name: 'text', type: 'string' },
    { name: 'sub', type: 'string', doc: 'The text to find.' },
    { name: 'offset', type: 'number', default: 0, doc: 'Where to begin; negative counts from the end.' },
  ],
  returns: 'number',
  errors: '-1 when it is missing.',
  since: '5.0',
  example: 'str_find("abcabc", "b", 2)  // 4\nstr_find("halon", "x")  // -1',
  source,
  pure: true,
  run: (text, sub, offset) => findText(text, sub, Math.trunc(offset) || 0),
});

export const strRfind = builtin({
  name: 'str_rfind',
  group: 'strings',
  summary: 'Finds the last occurrence of a text in another.',
  params: [
    { name: 'text', type: 'string' },
    { name: 'sub', type: 'string', doc: 'The text to find.' },
    { name: 'offset', type: 'number', default: 0, doc: 'So many bytes at the end are left out.' },
  ],
  returns: 'number',
  errors: '-1 when it is missing.',
  since: '5.0',
  example: 'str_rfind("abcabc", "b")  // 4\nstr_rfind("abcabc", "b", 3)  // 1',
  source,
  pure: true,
  run: (text, sub, offset) => findLastText(text, sub, Math.trunc(offset) || 0),
});

export const strLower = builtin({
  name: 'str_lower',
  group: 'strings',
  summary: 'Makes the letters A to Z lower case.',
  details: 'Other bytes stay, so UTF-8 text is safe but its other letters keep their case.',
  params: [{ name: 'text', type: 'string' }],
  returns: 'string',
  since: '5.0',
  example: 'str_lower("MIXED Case-42")  // "mixed case-42"',
  source,
  pure: true,
  run: (text) => lowerAscii(text),
});

export const strUpper = builtin({
  name: 'str_upper',
  group: 'strings',
  summary: 'Makes the letters a to z upper case.',
  details: 'Other bytes stay, so UTF-8 text is safe but its other letters keep their case.',
  params: [{ name: 'text', type: 'string' }],
  returns: 'string',
  since: '5.0',
  example: 'str_upper("mixed Case-42")  // "MIXED CASE-42"',
  source,
  pure: true,
  run: (text) => upperAscii(text),
});

export const strSlice = builtin({
  name: 'str_slice',
  group: 'strings',
  summary: 'Cuts a part out of a text.',
  params: [
    { name: 'text', type: 'string' },
    { name: 'offset', type: 'number', doc: 'First byte of the part; negative counts from the end.' },
    {
      name: 'length',
      type: 'number',
      optional: true,
      doc: 'Bytes of the part; negative leaves so many off at the end. All the rest when left out.',
    },
  ],
  returns: 'string',
  since: '5.0',
  example: 'str_slice("halon mta", 2, 4)  // "lon "\nstr_slice("halon mta", -3)  // "mta"',
  source,
  pure: true,
  run: (text, offset, length) =>
    sliceText(text, Math.trunc(offset) || 0, length === undefined ? undefined : Math.trunc(length) || 0),
});

const stripParams = [
  { name: 'text', type: 'string' },
  {
    name: 'chars',
    type: 'string',
    default: BLANKS,
    doc: 'The set of bytes to strip; space, TAB, CR and LF when left out.',
  },
] as const;

export const strStrip = builtin({
  name: 'str_strip',
  group: 'strings',
  summary: 'Strips blanks, or the given bytes, off both ends of a text.',
  params: stripParams,
  returns: 'string',
  since: '5.0',
  example: 'str_strip(" x y ")  // "x y"\nstr_strip("--a-b--", "-")  // "a-b"',
  source,
  pure: true,
  run: (text, chars) => stripText(text, chars, 'both'),
});

export const strLstrip = builtin({
  name: 'str_lstrip',
  group: 'strings',
  summary: 'Strips blanks, or the given bytes, off the beginning of a text.',
  params: stripParams,
  returns: 'string',
  example: 'str_lstrip("  x  ")  // "x  "',
  source,
  pure: true,
  run: (text, chars) => stripText(text, chars, 'left'),
});

export const strRstrip = builtin({
  name: 'str_rstrip',
  group: 'strings',
  summary: 'Strips blanks, or the given bytes, off the end of a text.',
  params: stripParams,
  returns: 'string',
  example: 'str_rstrip("  x  ")  // "  x"',
  source,
  pure: true,
  run: (text, chars) => stripText(text, chars, 'right'),
});

export const strChunk = builtin({
  name: 'str_chunk',
  group: 'strings',
  summary: 'Cuts a text into pieces of equal length.',
  params: [
    { name: 'text', type: 'string' },
    { name: 'length', type: 'number', doc: 'Bytes of a piece; the last one may be shorter.' },
    { name: 'firstlength', type: 'number', optional: true, doc: 'Bytes of the first piece, if different.' },
  ],
  returns: 'array',
  errors: 'An exception when a length is below 1.',
  example:
    'str_chunk("abcdefgh", 3)  // ["abc","def","gh"]\nstr_chunk("abcdefgh", 3, 1)  // ["a","bcd","efg","h"]',
  source,
  run: (text, length, firstlength, ctx) => {
    const size = Math.trunc(length);
    const first = firstlength === undefined ? size : Math.trunc(firstlength);
    if (!(size >= 1 && first >= 1)) {
      throw new ScriptFault(`str_chunk: a length must be at least 1, found ${size >= 1 ? first : size}`);
    }
    reserveElements(ctx, 'str_chunk', Math.ceil(text.length / size) + 1);
    return HslArray.fromList(chunkText(text, size, first));
  },
});

export const strings = [
  chr,
  ord,
  strRepeat,
  strReplace,
  strSplit,
  strFind,
  strRfind,
  strLower,
  strUpper,
  strSlice,
  strStrip,
  strLstrip,
  strRstrip,
  strChunk,
  explode,
  olderName('strpos', strFind),
  olderName('strrpos', strRfind),
  olderName('substr', strSlice),
  olderName('strtolower', strLower),
  olderName('strtoupper', strUpper),
  olderName('trim', strStrip),
];
