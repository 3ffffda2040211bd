// The class MIMEPart: a part of a received message. Getters show what was received; changes are applied when the message
// is delivered or written out (stdlib 15).

import { HslArray, type Method, method, type NativeClass, nativeClass, ScriptFault } from '#lang';
import type { MimePart } from './mime/document.js';
import { encodeField, isFieldName, rawField } from './mime/header-text.js';

/** What every message class has at least: the part it stands for. */
export interface PartState {
  readonly part: MimePart;
}

const fieldOption = {
  type: 'boolean',
  default: false,
  doc: 'The whole raw field with its name, as received, without the final line end.',
} as const;
const decodeOption = {
  type: 'boolean',
  default: true,
  doc: 'Decode encoded words and raw 8-bit text to UTF-8.',
} as const;
const encodeOption = {
  type: 'boolean',
  default: true,
  doc: 'Make encoded words of what is not ASCII, and fold. Without it the value goes in as it is.',
} as const;

function newField(called: string, name: string, value: string, encode: boolean): Buffer {
  if (!isFieldName(name))
    throw new ScriptFault(`${called}: "${name}" is no header name; expected printable ASCII without a colon`);
  return encode ? encodeField(name, value) : rawField(name, value);
}

/** The methods that MIMEPart and the message classes share. */
export const partMethods: readonly Method[] = [
  method<PartState>()({
    name: 'getID',
    summary: 'The id of this part within its message; empty for the message itself.',
    params: [],
    returns: 'string',
    run: ({ part }) => part.id,
  }),
  method<PartState>()({
    name: 'getSize',
    summary: 'The size of this part as received, in bytes.',
    params: [],
    returns: 'number',
    run: ({ part }) => part.sizeBytes,
  }),
  method<PartState>()({
    name: 'getHeader',
    summary: 'The value of a header field as received, or none.',
    params: [
      { name: 'name', type: 'string', doc: 'Case does not matter.' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          index: {
            type: 'number',
            default: 0,
            doc: 'Which one of several, from the top; negative from the bottom.',
          },
          field: fieldOption,
          decode: decodeOption,
        },
      },
    ],
    returns: 'string|none',
    run: ({ part }, name, { index, field, decode }) =>
      part.field(name, index, { wholeField: field, decode }) ?? null,
  }),
  method<PartState>()({
    name: 'getHeaders',
    summary: 'The values of all header fields of that name, top first.',
    params: [
      { name: 'name', type: 'string', doc: 'Case does not matter.' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: { field: fieldOption, decode: decodeOption },
      },
    ],
    returns: 'array',
    run: ({ part }, name, { field, decode }) =>
      HslArray.fromList(part.fields(name, { wholeField: field, decode })),
  }),
  method<PartState>()({
    name: 'getHeaderNames',
    summary: 'The names of all header fields in lower case, top first.',
    params: [],
    returns: 'array',
    run: ({ part }) =>
      HslArray.fromList(part.header.fields.filter(({ name }) => name !== '').map(({ name }) => name)),
  }),
  method<PartState>()({
    name: 'addHeader',
    summary: 'Adds a header field on top.',
    params: [
      { name: 'name', type: 'string' },
      { name: 'value', type: 'string' },
      { name: 'options', type: 'options', optional: true, keys: { encode: encodeOption } },
    ],
    returns: 'none',
    errors: 'Exception when the name cannot be a header name.',
    run: ({ part }, name, value, { encode }) => {
      part.edits.add(name, newField('addHeader', name, value, encode));
      return null;
    },
  }),
  method<PartState>()({
    name: 'setHeader',
    summary: 'Replaces a header field, or creates it when the name does not occur.',
    details:
      'The index counts the fields as received, whatever else was changed. A field that this script added before is ' +
      'replaced. A created field stands below all others.',
    params: [
      { name: 'name', type: 'string' },
      { name: 'value', type: 'string' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          index: {
            type: 'number',
            default: 0,
            doc: 'Which one of several, from the top; negative from the bottom.',
          },
          encode: encodeOption,
        },
      },
    ],
    returns: 'number',
    errors: 'Exception when the name cannot be a header name.',
    run: ({ part }, name, value, { index, encode }) =>
      part.edits.set(part.header, name, newField('setHeader', name, value, encode), index),
  }),
  method<PartState>()({
    name: 'delHeader',
    summary: 'Deletes all header fields of that name, or one of them; returns how many.',
    params: [
      { name: 'name', type: 'string' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          index: { type: 'number', doc: 'Only this one, counted as received; negative from the bottom.' },
        },
      },
    ],
    returns: 'number',
    run: ({ part }, name, { index }) => part.edits.delete(part.header, name, index),
  }),
];

export const MIMEPart: NativeClass<PartState> = nativeClass<PartState>({
  name: 'MIMEPart',
  summary: 'A part of a message.',
  group: 'mail',
  methods: partMethods,
});
