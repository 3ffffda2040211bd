// Group 7 of the library, second part: structured data as text.

import { type BuiltinSteps, builtin, PAUSE, type Value } from '#lang';
import { elementsReserver, reserveMore } from '../limits.js';
import { encodeCsvRecord } from './csv.js';
import { checkDelimiter, readCsvTable } from './csv-table.js';
import { type Decoded, readJson } from './json-decode.js';
import { writeJson } from './json-encode.js';
import { decodeYaml } from './yaml-decode.js';

const text = { name: 'text', type: 'string' } as const;

/** Works in stretches with pauses between them; what is done in one stretch is the result at once. */
function inStretches<T>(
  work: Generator<undefined, T>,
  resultOf: (done: T) => Value,
): Value | BuiltinSteps<Value> {
  const first = work.next();
  return first.done ? resultOf(first.value) : rest(work, resultOf);
}

function* rest<T>(work: Generator<undefined, T>, resultOf: (done: T) => Value): BuiltinSteps<Value> {
  for (;;) {
    yield PAUSE;
    const step = work.next();
    if (step.done) return resultOf(step.value);
  }
}

function valueOrNone(decoded: Decoded): Value {
  return 'value' in decoded ? decoded.value : null;
}

export const jsonEncode = builtin({
  name: 'json_encode',
  group: 'encodings',
  summary: 'Writes a value as JSON.',
  details:
    'Keys 0 to n-1 in order make a list, other keys an object; the empty array is `[]`, none is `null`.',
  params: [
    { name: 'value', type: 'any' },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        ensure_ascii: { type: 'boolean', default: true, doc: 'Write other characters as `\\uXXXX`.' },
        pretty_print: {
          type: 'boolean',
          default: false,
          doc: 'One element per line, four blanks per level.',
        },
      },
    },
  ],
  returns: 'string|none',
  errors:
    'None for texts that are no UTF-8, functions, objects, resources, numbers that are not finite, and more than 512 levels.',
  example: 'json_encode([1, "two", true, none])  // "[1,\\"two\\",true,null]"',
  source: 'RFC 8259',
  callbacks: true,
  run: (value, options, ctx) => {
    let size = 0;
    const reserve = (bytes: number): void => {
      reserveMore(ctx, 'json_encode', size, bytes);
      size += bytes;
    };
    const style = { ensureAscii: options.ensure_ascii, pretty: options.pretty_print };
    return inStretches(writeJson(value, style, reserve), (json) => json ?? null);
  },
});

export const jsonDecode = builtin({
  name: 'json_decode',
  group: 'encodings',
  summary: 'Reads JSON.',
  details:
    'Objects become arrays with string keys ("1" becomes the number 1), null becomes none; of duplicate keys the last counts.',
  params: [
    text,
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        allow_comments: { type: 'boolean', default: false, doc: 'Skip `/* */` and `//` comments.' },
      },
    },
  ],
  returns: 'any',
  errors: 'None when it is no JSON, or nests deeper than 512 levels.',
  example: 'json_decode("{\\"a\\":[1,2]}")  // {"a":[1,2]}\njson_decode("{bad")  // null',
  source: 'RFC 8259',
  callbacks: true,
  run: (json, options, ctx) =>
    inStretches(readJson(json, options.allow_comments, elementsReserver(ctx, 'json_decode')), valueOrNone),
});

export const yamlDecode = builtin({
  name: 'yaml_decode',
  group: 'encodings',
  summary: 'Reads YAML 1.2.',
  details:
    'Core types as json_decode gives them; of several documents the first. Anchors and aliases work, merge keys do not.',
  params: [
    text,
    { name: 'options', type: 'options', optional: true, keys: {}, doc: 'Accepted; no key has a meaning.' },
  ],
  returns: 'any',
  errors: 'None when it is no YAML, has a key twice, nests deeper than 512 levels, or has more than 1 MiB.',
  since: '5.4',
  example: 'yaml_decode("[1, 2, {k: v}]")  // [1,2,{"k":"v"}]',
  source: 'YAML 1.2.2',
  run: (yaml, _options, ctx) => {
    ctx.charge(yaml.length * 4);
    return valueOrNone(decodeYaml(yaml));
  },
});

const delimiter = { type: 'string', default: ',', doc: 'One byte between two fields.' } as const;

export const csvEncode = builtin({
  name: 'csv_encode',
  group: 'encodings',
  summary: 'Writes values as one CSV record, without a line end.',
  details: 'Fields with delimiter, quote, line end or space are quoted. None is an empty field.',
  params: [
    { name: 'values', type: 'array' },
    { name: 'options', type: 'options', optional: true, keys: { delimiter } },
  ],
  returns: 'string',
  errors: 'An exception when the delimiter is not one byte.',
  since: '5.2',
  example: 'csv_encode(["Ada", "Bo", "Cy Dee"])  // "Ada,Bo,\\"Cy Dee\\""',
  source: 'RFC 4180',
  run: (values, options, ctx) => {
    checkDelimiter(options.delimiter, 'csv_encode');
    const fields: string[] = [];
    let size = 0;
    for (const value of values.values()) {
      const field = value === null ? '' : ctx.toText(value);
      reserveMore(ctx, 'csv_encode', size, field.length * 2 + 3);
      size += field.length * 2 + 3;
      fields.push(field);
    }
    return encodeCsvRecord(fields, options.delimiter);
  },
});

export const csvDecode = builtin({
  name: 'csv_decode',
  group: 'encodings',
  summary: 'Reads CSV records.',
  details: [
    'Fields in quotes may hold delimiters, line ends and doubled quotes; lines end in LF or CRLF; empty lines are skipped.',
    '',
    'A schema says what columns hold: `["col" => ["type" => "string"|"number"|"boolean", "nullable" => true or a list of texts,',
    '"true" => ["true"], "false" => ["false"]]]`. With `nullable` true the empty text becomes none, with a list those texts do.',
  ].join('\n'),
  params: [
    text,
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        delimiter,
        header: {
          type: 'boolean',
          default: true,
          doc: 'The first record names the columns, and rows are keyed by them.',
        },
        schema: { type: 'array', doc: 'What the columns hold, by name.' },
      },
    },
  ],
  returns: 'array|none',
  errors:
    'None when a quote stays open, a row has another number of fields than the header, or a field does not fit its type. An exception when an option is wrong.',
  since: '5.0',
  example: 'csv_decode("id,name\\n1,Bob\\n")  // [{"id":"1","name":"Bob"}]',
  source: 'RFC 4180',
  callbacks: true,
  run: (csv, options, ctx) =>
    inStretches(readCsvTable(csv, options, 'csv_decode', elementsReserver(ctx, 'csv_decode')), valueOrNone),
});

export const dataFormats = [jsonEncode, jsonDecode, yamlDecode, csvEncode, csvDecode];
