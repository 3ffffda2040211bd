// Group 4 of the library: regular expressions. The host's engine compiles and runs them; the VM has compiled the pattern
// argument before `run` sees it.

import { type BuiltinSteps, builtin, call, HslArray, HslFunction, PAUSE, regexOf, type Value } from '#lang';
import { reserveElements, reserveMore, reserveText } from '../limits.js';
import { GrowingText } from '../strings/growing-text.js';
import { findMatch, findMatches, findTexts, groupsArray, groupText, matchArray } from './matches.js';
import { parseReplacement } from './replacement.js';

const source = 'stdlib 4';
/** After so many matches the builtin looks whether the event loop should turn: they take a millisecond or less. */
const MATCHES_PER_LOOK = 256;
const patternDoc = [
  'A pattern is a text, bare or as `/re/flags`, a literal `#/re/flags`, or the result of pcre_compile. Flags: i caseless,',
  'm multi-line, s dot-all, x extended, u UTF-8, U ungreedy, X extra. It matches anywhere unless anchored.',
].join('\n');
const pattern = { name: 'pattern', type: 'pattern' } as const;
const subject = { name: 'subject', type: 'string', doc: 'The text to search in.' } as const;
const errors = 'An exception when the pattern is bad or takes too much time.';

export const pcreMatch = builtin({
  name: 'pcre_match',
  group: 'patterns',
  summary: 'Finds the first match of a pattern.',
  details: `${patternDoc}\n\nThe result holds the whole match under 0 and the groups under 1 and up, named groups also under their name; a group that took no part is "". No match gives an empty array, which counts as false.`,
  params: [pattern, subject],
  returns: 'array',
  errors,
  example: 'pcre_match("([a-z]+):", "key: v")  // ["key:","key"]\npcre_match("^x", "abc")  // []',
  source,
  run: (regex, text) => {
    if (regex.texts !== undefined) {
      const texts = findTexts(regex, text);
      return texts === undefined ? HslArray.empty() : groupsArray(regex, (group) => texts[group] ?? '');
    }
    const match = findMatch(regex, text, 0, false);
    return match === undefined ? HslArray.empty() : matchArray(regex, text, match);
  },
});

export const pcreMatchAll = builtin({
  name: 'pcre_match_all',
  group: 'patterns',
  summary: 'Finds all matches of a pattern.',
  details:
    'Grouped by group: the list of whole matches under 0, the list of what the first group matched under 1, and so on. Named groups also stand under their name. No match gives an empty array.',
  params: [pattern, subject],
  returns: 'array',
  errors,
  example: 'pcre_match_all("([a-z])=([0-9])", "a=1 b=2")  // [["a=1","b=2"],["a","b"],["1","2"]]',
  source,
  callbacks: true,
  run: function* (regex, text, ctx): BuiltinSteps<Value> {
    const lists: Value[][] = Array.from({ length: regex.groupCount + 1 }, () => []);
    let count = 0;
    for (const match of findMatches(regex, text)) {
      if (++count % MATCHES_PER_LOOK === 0) {
        reserveElements(ctx, 'pcre_match_all', MATCHES_PER_LOOK * lists.length);
        yield PAUSE;
      }
      for (let group = 0; group < lists.length; group++) lists[group]!.push(groupText(text, match, group));
    }
    if (count === 0) return HslArray.empty();
    // Every place gets a list of its own: a named group's list stands in two.
    const isCopied = regex.names.length > 0;
    return groupsArray(regex, (group) => HslArray.fromList(isCopied ? lists[group]!.slice() : lists[group]!));
  },
});

export const pcreQuote = builtin({
  name: 'pcre_quote',
  group: 'patterns',
  summary: 'Escapes a text so that a pattern matches it literally.',
  params: [{ name: 'text', type: 'string' }],
  returns: 'string',
  example: 'pcre_quote("1.2/3")  // "1\\\\.2\\\\/3"',
  source,
  run: (text, ctx) => {
    reserveText(ctx, 'pcre_quote', text.length * 4);
    return text.replace(/[.\\+*?[\]^$(){}=!<>|:\-/#]/g, '\\$&').replaceAll('\0', '\\x00');
  },
});

export const pcreCompile = builtin({
  name: 'pcre_compile',
  group: 'patterns',
  summary: 'Compiles a pattern for repeated use.',
  params: [pattern],
  returns: 'resource',
  errors: 'An exception when the pattern is bad.',
  example: 'pcre_match(pcre_compile("v([0-9])"), "v7")  // ["v7","7"]',
  source,
  run: (regex) => regexOf(regex),
});

export const pcreReplace = builtin({
  name: 'pcre_replace',
  group: 'patterns',
  summary: 'Replaces the matches of a pattern.',
  details:
    'In a replacement text `$0` is the whole match and `$1` and up are the groups (with the digits in braces where a digit follows). A replacement function is called with the match, as pcre_match gives it, and returns the text.',
  params: [
    pattern,
    { name: 'replace', type: 'string|function', doc: 'A text, or a function.' },
    subject,
    { name: 'limit', type: 'number', default: 0, doc: 'At most so many replacements; 0 for all.' },
  ],
  returns: 'string',
  errors,
  example:
    'pcre_replace("([a-z]+) ([a-z]+)", "$2 $1", "hello world")  // "world hello"\npcre_replace("o", "0", "foo boo", 2)  // "f00 boo"',
  source,
  callbacks: true,
  run: function* (regex, replace, text, limit, ctx): BuiltinSteps<Value> {
    const most = Math.trunc(limit) > 0 ? Math.trunc(limit) : Number.POSITIVE_INFINITY;
    const template = replace instanceof HslFunction ? undefined : parseReplacement(replace, regex.groupCount);
    const result = new GrowingText();
    let end = 0;
    let count = 0;
    for (const match of findMatches(regex, text)) {
      if (count % MATCHES_PER_LOOK === MATCHES_PER_LOOK - 1) yield PAUSE;
      const [start, stop] = match as [number, number];
      const piece =
        template === undefined
          ? ctx.toText(yield call(replace as HslFunction, matchArray(regex, text, match)))
          : template.map((part) => (typeof part === 'number' ? groupText(text, match, part) : part)).join('');
      reserveMore(ctx, 'pcre_replace', result.length, start - end + piece.length);
      result.add(text.slice(end, start));
      result.add(piece);
      end = stop;
      if (++count >= most) break;
    }
    if (count === 0) return text;
    result.add(text.slice(end));
    return result.toString();
  },
});

export const patterns = [pcreMatch, pcreMatchAll, pcreQuote, pcreCompile, pcreReplace];
