// What parts and messages know of their body: type, file name, content; and how scripts replace it.

import { HslArray, type Method, method } from '#lang';
import { reserveText } from '../limits.js';
import { changeBody } from './mime/body-change.js';
import { hasDelimiterLine } from './mime/delimiter-lines.js';
import { type MimePart, readRange } from './mime/document.js';
import { type TransferEncoding, withCrLf } from './mime/transfer-encoding.js';
import type { PartState } from './part-objects.js';
import { whenParted, whenRead } from './reading.js';

const source = 'stdlib 15';
const since = '5.4';

/** The preamble or the epilogue of a multipart, as places in the message. */
function textAround({ place }: MimePart, which: 'preamble' | 'epilogue'): readonly [number, number] {
  if (which === 'preamble')
    return [place.bodyStart, (place.children[0]?.delimiter ?? place.close)?.start ?? place.end];
  const start = Math.min(place.close?.end ?? place.end, place.end);
  return [start, place.end];
}

function getAround(which: 'preamble' | 'epilogue', name: string, example: string): Method {
  return method<PartState>()({
    name,
    summary: `The ${which} of a multipart: what stands ${which === 'preamble' ? 'before the first' : 'behind the last'} delimiter.`,
    params: [],
    returns: 'string|none',
    errors: 'None when this is no multipart.',
    since,
    source,
    example,
    suspends: true,
    run: ({ part }, ctx) =>
      whenParted(name, part, () => {
        if (!part.isMultipart) return null;
        const [start, end] = textAround(part, which);
        reserveText(ctx, name, end - start);
        return whenRead(name, readRange(part.document.source, start, end), (bytes) =>
          bytes.toString('latin1'),
        );
      }),
  });
}

function setAround(which: 'preamble' | 'epilogue', name: string, example: string): Method {
  return method<PartState>()({
    name,
    summary: `Replaces the ${which} of a multipart.`,
    params: [{ name: 'text', type: 'string', doc: 'Line ends become CR LF.' }],
    returns: 'object|none',
    errors: 'None when this is no multipart, or when a line of the text would be a delimiter of the message.',
    since,
    source,
    example,
    suspends: true,
    run: ({ part }, text, ctx) => {
      const { receiver } = ctx;
      return whenParted(name, part, () => {
        if (!part.isMultipart) return null;
        const bytes = withCrLf(Buffer.from(text, 'latin1'));
        if (hasDelimiterLine(bytes, [part.place.boundary!, ...part.boundariesAround])) return null;
        part.change({ [which]: bytes });
        return receiver ?? null;
      });
    },
  });
}

/** Methods about the body. */
export const bodyMethods: readonly Method[] = [
  method<PartState>()({
    name: 'getID',
    summary: 'The id of this part within its message; empty for the message itself.',
    details: '`2.1` is the first part of the second one.',
    params: [],
    returns: 'string',
    source,
    example: '$mail->getParts()[1]->getID()  // "2"',
    run: ({ part }) => part.id,
  }),
  method<PartState>()({
    name: 'getSize',
    summary: 'The size of this part as received, header included, in bytes.',
    params: [],
    returns: 'number',
    source,
    example: '$mail->getParts()[0]->getSize()  // 103',
    run: ({ part }) => part.sizeBytes,
  }),
  method<PartState>()({
    name: 'getType',
    summary: 'The media type in lower case, without parameters.',
    details: 'A part that says nothing is `text/plain`, in a `multipart/digest` `message/rfc822`.',
    params: [],
    returns: 'string|none',
    errors: 'None when the Content-Type field cannot be understood.',
    source,
    example: '$mail->getType()  // "multipart/mixed"',
    run: ({ part }) => part.type ?? null,
  }),
  method<PartState>()({
    name: 'getTypeParameter',
    summary: 'A parameter of the Content-Type field, as UTF-8.',
    params: [{ name: 'name', type: 'string', doc: 'Case does not matter.' }],
    returns: 'string|none',
    errors: 'None when there is no such parameter.',
    source: 'stdlib 15, RFC 2231',
    example: '$mail->getTypeParameter("boundary")  // "=_b"',
    run: ({ part }, name) => part.typeParameter(name) ?? null,
  }),
  method<PartState>()({
    name: 'getFileName',
    summary: 'The name of the file that this part holds, as UTF-8.',
    details:
      'From the `filename` of Content-Disposition, else the `name` of Content-Type. It is what the sender wrote: not a safe path.',
    params: [],
    returns: 'string|none',
    errors: 'None when it has no name.',
    source: 'stdlib 15, RFC 2183, RFC 2231',
    example: '$mail->getParts()[1]->getFileName()  // "figures.csv"',
    run: ({ part }) => part.fileName ?? null,
  }),
  method<PartState>()({
    name: 'getErrors',
    summary: 'What is wrong with this part, as words.',
    details:
      '`bad_header`: a line of the header is no field, or a multipart has no boundary. `unclosed_boundary`: the last delimiter ' +
      'is missing. On the message itself also `too_many_parts`, on a multipart that was not looked into `too_deep`.',
    params: [],
    returns: 'array',
    source,
    example: '$mail->getErrors()  // []',
    suspends: true,
    run: ({ part }) => whenParted('getErrors', part, () => HslArray.fromList([...part.place.errors].sort())),
  }),
  method<PartState>()({
    name: 'getBody',
    summary: 'The body as received, without its transfer encoding.',
    details: 'The character set stays what it is. The body of a multipart is all that it holds.',
    params: [
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          decode: { type: 'boolean', default: true, doc: 'Undo base64 and quoted-printable.' },
        },
      },
    ],
    returns: 'string|none',
    errors: 'Exception when the message cannot be read, or is larger than a text can be.',
    source,
    example: '$mail->getParts()[1]->getBody()  // "q1,42\\nq2,43\\n"',
    suspends: true,
    run: ({ part }, { decode }, ctx) => {
      reserveText(ctx, 'getBody', part.end - part.place.bodyStart);
      return whenRead('getBody', part.body(decode), (body) => body.toString('latin1'));
    },
  }),
  method<PartState>()({
    name: 'setBody',
    summary: 'Replaces the body.',
    details:
      "The part's own transfer encoding is kept where it suits, else one is chosen: the body as it is when it can be, " +
      'quoted-printable for text, base64. In a text other line ends become CR LF, except in base64.',
    params: [
      { name: 'data', type: 'string', doc: 'The content, without transfer encoding.' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          encoding: {
            type: 'string',
            oneOf: ['7bit', '8bit', 'quoted-printable', 'base64'],
            doc: 'The transfer encoding to use.',
          },
        },
      },
    ],
    returns: 'object|none',
    errors: 'None when this is a multipart, or when the data cannot be written in that encoding.',
    source,
    example: `$mail->getParts()[0]->setBody("Hello");
echo str_find($mail->toString(), "\\r\\n\\r\\nHello\\r\\n--=_b") > 0;  // true`,
    run: ({ part }, data, { encoding }, ctx) => {
      ctx.charge(data.length);
      if (!changeBody(part, Buffer.from(data, 'latin1'), encoding as TransferEncoding | undefined))
        return null;
      return ctx.receiver ?? null;
    },
  }),
  getAround('preamble', 'getPreamble', '$mail->getPreamble()  // "This is a message in MIME format."'),
  setAround('preamble', 'setPreamble', '$mail->setPreamble("") === $mail  // true'),
  getAround('epilogue', 'getEpilogue', '$mail->getEpilogue()  // ""'),
  setAround('epilogue', 'setEpilogue', '$mail->getParts()[0]->setEpilogue("x")  // null'),
];
