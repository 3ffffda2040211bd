// What parts and messages know of their header, and how scripts change it.

import { HslArray, type Method, method } from '#lang';
import { checkFieldName, dateField, encodeOption, encodingOption, newField } from './header-arguments.js';
import { LateField } from './mime/header-edits.js';
import type { PartState } from './part-objects.js';

const nameParameter = { name: 'name', type: 'string', doc: 'Case does not matter.' } as const;
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
const indexOption = {
  type: 'number',
  default: 0,
  doc: 'Which one of several, from the top; negative from the bottom.',
} as const;

const source = 'stdlib 15';

/** Methods about header fields. */
export const headerMethods: readonly Method[] = [
  method<PartState>()({
    name: 'getHeader',
    summary: 'The value of a header field as received, or none.',
    details:
      'The value is UTF-8: encoded words are decoded, raw 8-bit text is read by the charset of the Content-Type field, ' +
      'else as UTF-8 if it is, else as windows-1252.',
    params: [
      nameParameter,
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: { index: indexOption, field: fieldOption, decode: decodeOption },
      },
    ],
    returns: 'string|none',
    source,
    example: `$mail->getHeader("subject")  // "Quarterly report"
$mail->getHeader("From", ["decode" => false])  // "=?utf-8?Q?J=C3=B6rg?= <joerg@example.org>"`,
    run: ({ part }, name, { index, field, decode }) =>
      part.field(name, index, { wholeField: field, decode }) ?? null,
  }),
  method<PartState>()({
    name: 'getHeaders',
    summary: 'The values of all header fields of that name, top first.',
    params: [
      nameParameter,
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: { field: fieldOption, decode: decodeOption },
      },
    ],
    returns: 'array',
    source,
    example: '$mail->getHeaders("Subject", ["field" => true])  // ["Subject: Quarterly report"]',
    run: ({ part }, name, { field, decode }) =>
      HslArray.fromList(part.fields(name, { wholeField: field, decode })),
  }),
  method<PartState>()({
    name: 'getHeaderNames',
    summary: 'The names of all header fields in lower case, top first.',
    params: [],
    returns: 'array',
    source,
    example: '$mail->getParts()[0]->getHeaderNames()  // ["content-type","content-transfer-encoding"]',
    run: ({ part }) =>
      HslArray.fromList(part.header.fields.filter(({ name }) => name !== '').map(({ name }) => name)),
  }),
  method<PartState>()({
    name: 'addHeader',
    summary: 'Adds a header field on top.',
    params: [
      { name: 'name', type: 'string' },
      { name: 'value', type: 'string' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: { encode: encodeOption, encoding: encodingOption },
      },
    ],
    returns: 'none',
    errors: 'Exception when the name cannot be a header name.',
    source,
    example: `$mail->addHeader("X-Checked", "yes");
echo $mail->toString()[0:14];  // X-Checked: yes`,
    run: ({ part }, name, value, options) => {
      part.edits.add(name, newField('addHeader', name, value, options));
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
        keys: { index: indexOption, encode: encodeOption, encoding: encodingOption },
      },
    ],
    returns: 'number',
    errors: 'Exception when the name cannot be a header name.',
    source,
    example: '$mail->setHeader("Subject", "Report")  // 1',
    run: ({ part }, name, value, { index, ...options }) =>
      part.edits.set(part.header, name, newField('setHeader', name, value, options), index),
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
    source,
    example: '$mail->delHeader("Received")  // 1',
    run: ({ part }, name, { index }) => part.edits.delete(part.header, name, index),
  }),
  method<PartState>()({
    name: 'renameHeader',
    summary: 'Gives all header fields of that name another one; returns how many.',
    details: 'From the colon on they stay as they are. Later calls find them by the new name.',
    params: [
      { name: 'name', type: 'string' },
      { name: 'new', type: 'string' },
    ],
    returns: 'number',
    errors: 'Exception when the new name cannot be a header name.',
    source,
    example: `$mail->renameHeader("Subject", "X-Subject");
echo str_find($mail->toString(), "\\r\\nX-Subject: Quarterly report\\r\\n") > 0;  // true`,
    run: ({ part }, name, newName) => {
      checkFieldName('renameHeader', newName);
      return part.edits.rename(part.header, part.headerBytes, part.headerBase, name, newName);
    },
  }),
  method<PartState>()({
    name: 'setDateLater',
    summary: 'Sets the Date field to the moment at which the message is queued or first written out.',
    details: 'From then on it stays the same, so that a signature made over it holds.',
    params: [],
    returns: 'number',
    source,
    example: `$mail->setDateLater();
sleep(60);
echo str_find($mail->toString(), "\\r\\nDate: Fri, 02 Jan 2026 03:05:05 +0000\\r\\n") > 0;  // true`,
    run: ({ part }, ctx) => {
      const date = new LateField(() => dateField('setDateLater', ctx.host.clock.now(), ctx));
      return part.edits.set(part.header, 'Date', date, 0);
    },
  }),
];
