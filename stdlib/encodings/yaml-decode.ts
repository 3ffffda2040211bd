// YAML 1.2 (core schema) as values. The `yaml` package parses; the tree is turned into values here, because its own
// conversion would lose the order of keys and let aliases multiply: an alias here is the same array once more, shared.

import type { CST, Document, LineCounter, Node, Pair } from 'yaml';
import { bytesToText, HslArray, share, textToBytes, type Value } from '#lang';
import { loadYaml } from '../lazy-packages.js';
import { DEEPEST_NESTING } from '../limits.js';
import type { Decoded } from './json-decode.js';

/** The parser needs up to two seconds for this much, and nothing else runs meanwhile. */
export const LONGEST_YAML_BYTES = 1024 * 1024;

/** Entries the parser may have open: each level of nesting opens up to two. */
const MOST_OPEN = 2 * DEEPEST_NESTING + 4;

type Yaml = ReturnType<typeof loadYaml>;

class BadYaml extends Error {}

/**
 * The first document's value, or what is wrong in which line. `longest` is for callers that may take their time, such
 * as the loading of data files.
 */
export function decodeYaml(bytes: string, longest = LONGEST_YAML_BYTES): Decoded {
  if (bytes.length > longest)
    return { problem: `it has ${bytes.length} bytes; at most ${longest} are possible`, line: 1 };
  const yaml = loadYaml();
  const lines = new yaml.LineCounter();
  const text = bytesToText(bytes);
  let document: Document | undefined;
  try {
    const composer = new yaml.Composer({
      version: '1.2',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
    document = composer.compose(tokensOf(text, yaml, lines), true, text.length).next().value ?? undefined;
  } catch (error) {
    if (error instanceof BadYaml) return { problem: error.message, line: 1 };
    // The parser's own regular expressions run out of stack on some very long lines.
    if (error instanceof RangeError) return { problem: 'it is too complex to be read', line: 1 };
    throw error;
  }
  if (document === undefined) return { value: null };
  const error = document.errors[0];
  if (error !== undefined) return { problem: error.message, line: lines.linePos(error.pos[0]).line };
  return convertDocument(document, yaml, lines);
}

/**
 * The parser's tokens. It stops before the text nests so deep that the composer, which calls itself once per level,
 * could end on the JavaScript stack: inside a regular expression that cannot be caught.
 */
function* tokensOf(text: string, yaml: Yaml, lines: LineCounter): Generator<CST.Token> {
  // The parser reports line starts but for the first.
  lines.addNewLine(0);
  const parser = new yaml.Parser(lines.addNewLine);
  for (const lexeme of new yaml.Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MOST_OPEN) throw new BadYaml(`it nests deeper than ${DEEPEST_NESTING} levels`);
  }
  yield* parser.end();
}

function convertDocument(document: Document, yaml: Yaml, lines: LineCounter): Decoded {
  const anchors = new Map<string, Value>();
  let current: Node | null = null;
  const convert = (node: unknown, depth: number): Value => {
    if (node === null || node === undefined) return null;
    if (depth > DEEPEST_NESTING) throw new BadYaml(`it nests deeper than ${DEEPEST_NESTING} levels`);
    current = node as Node;
    if (yaml.isAlias(node)) {
      const value = anchors.get(node.source);
      if (value === undefined) throw new BadYaml(`the alias "*${node.source}" has no anchor before it`);
      return share(value);
    }
    let value: Value;
    if (yaml.isMap(node)) value = convertMap(node.items, depth);
    else if (yaml.isSeq(node)) value = HslArray.fromList(node.items.map((item) => convert(item, depth + 1)));
    else if (yaml.isScalar(node)) value = scalarValue(node.value);
    else throw new BadYaml('it has a node that is no value');
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor !== undefined) anchors.set(anchor, value);
    return value;
  };
  const convertMap = (pairs: readonly Pair[], depth: number): HslArray => {
    const array = HslArray.empty();
    for (const pair of pairs) {
      const key = convert(pair.key, depth + 1);
      if (key instanceof HslArray) throw new BadYaml('a key is a list or a map');
      const text = keyText(key);
      if (array.has(text)) throw new BadYaml(`the key "${text}" appears twice`);
      array.set(text, convert(pair.value, depth + 1));
    }
    return array;
  };

  try {
    return { value: convert(document.contents, 0) };
  } catch (error) {
    if (!(error instanceof BadYaml)) throw error;
    const range = (current as Node | null)?.range;
    return { problem: error.message, line: range ? lines.linePos(range[0]).line : 1 };
  }
}

/** Keys are texts as in JSON; the array makes "1" the number 1. */
function keyText(key: Value): string {
  return typeof key === 'string' ? key : String(key);
}

function scalarValue(value: unknown): Value {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return textToBytes(String(value));
}
