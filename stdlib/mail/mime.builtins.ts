// The class MIME: a message that a script makes, part by part (stdlib 15). Other files may add methods to `mimeMethods`;
// what signs the finished message is a MessageSigner of the builder.

import {
  type CallContext,
  type HslObject,
  type Method,
  method,
  type NativeClass,
  nativeClass,
  ScriptFault,
  staticMethod,
} from '#lang';
import { fileObjectOf } from '../files/file.builtins.js';
import { LONGEST_TEXT_BYTES, reserveText } from '../limits.js';
import { sendMethod } from '../smtp/send-method.js';
import { signDkimOfMimeMethod } from './dkim/dkim.builtins.js';
import { dateField, encodeOption, encodingOption, newBoundary, newField } from './header-arguments.js';
import { piecesToFile } from './message-file.js';
import { type MessageSource, type Pieces, piecesSize } from './message-source.js';
import { MessageBuilder } from './mime/builder.js';
import { bytesToSource, MailDocument, readPieces } from './mime/document.js';
import { queueParameters, submitMessage } from './queue-request.js';

const source = 'stdlib 15';

/** A finished message. */
interface Built {
  readonly source: MessageSource;
  readonly pieces: Pieces;
}

/** Builds the message and has it signed. A promise only when something signs it. */
function finish(called: string, builder: MessageBuilder, ctx: CallContext): Built | Promise<Built> {
  const { header, body } = builder.build({ newBoundary: () => newBoundary(ctx) }, true);
  const parts = [header, Buffer.from('\r\n'), ...body];
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size > LONGEST_TEXT_BYTES)
    throw new ScriptFault(
      `${called}: the message would have ${size} bytes; at most ${LONGEST_TEXT_BYTES} are possible`,
    );
  ctx.charge(size);
  const document = new MailDocument(bytesToSource(Buffer.concat(parts)));
  const built = (): Built => ({ source: document.source, pieces: document.pieces() });
  return builder.signers.length === 0 ? built() : sign(builder, document, ctx).then(built);
}

async function sign(builder: MessageBuilder, document: MailDocument, ctx: CallContext): Promise<void> {
  for (const signer of builder.signers) await signer(document, ctx);
}

function thisOf(ctx: CallContext): HslObject | null {
  return ctx.receiver ?? null;
}

/** The methods of MIME. */
export const mimeMethods: readonly Method[] = [
  method<MessageBuilder>()({
    name: 'addHeader',
    summary: 'Adds a header field below those added before.',
    details:
      'A Content-Type field takes the place of setType(). With a Content-Transfer-Encoding field the body is taken as ' +
      'it is, already encoded so.',
    params: [
      { name: 'name', type: 'string' },
      { name: 'value', type: 'string', doc: 'UTF-8.' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: { encode: encodeOption, encoding: encodingOption },
      },
    ],
    returns: 'MIME',
    errors: 'Exception when the name cannot be a header name.',
    source,
    example:
      'MIME()->addHeader("To", "J\\xc3\\xb6rg <joerg@example.com>")->toFile()->readline()  // "To: =?utf-8?Q?J=C3=B6rg?= <joerg@example.com>"',
    run: (builder, name, value, options, ctx) => {
      builder.addField(name, newField('addHeader', name, value, options));
      ctx.charge(value.length);
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'setBody',
    summary: 'Sets the body: the content, without transfer encoding.',
    details:
      'Text is written quoted-printable or in base64, other content in base64. With parts it is the preamble.',
    params: [{ name: 'data', type: 'string' }],
    returns: 'MIME',
    source,
    example:
      'MailMessage::String(MIME()->setBody("\\xe2\\x82\\xac 5")->toString())->getBody() == "\\xe2\\x82\\xac 5"  // true',
    run: (builder, data, ctx) => {
      builder.body = Buffer.from(data, 'latin1');
      ctx.charge(data.length);
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'setType',
    summary: 'Sets the media type; without it the type is text/plain.',
    details: 'A `text` type without charset gets `charset=utf-8`.',
    params: [{ name: 'type', type: 'string', doc: 'Perhaps with parameters.' }],
    returns: 'MIME',
    errors: 'Exception for what is no media type.',
    source,
    example: 'MailMessage::String(MIME()->setType("text/html")->toString())->getType()  // "text/html"',
    run: (builder, type, ctx) => {
      builder.setType(type);
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'appendPart',
    summary: 'Adds a part behind those added before.',
    details: 'The type is not changed: set it to a multipart.',
    params: [{ name: 'part', type: 'object', doc: 'A MIME.' }],
    returns: 'MIME',
    errors: 'Exception for anything but a MIME, or for one that holds this message.',
    source,
    example: `$m = MIME()->setType("multipart/alternative")->appendPart(MIME()->setBody("a"))->appendPart(MIME()->setBody("b"));
echo MailMessage::String($m->toString())->getParts()[1]->getBody();  // b`,
    run: (builder, part, ctx) => {
      if (!(part.state instanceof MessageBuilder))
        throw new ScriptFault(`argument 1 (part) of appendPart must be a MIME, not a ${part.classOf.name}`);
      builder.appendPart(part.state);
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'setBoundary',
    summary: 'Sets the boundary of a multipart; without it one is drawn at random.',
    params: [{ name: 'boundary', type: 'string' }],
    returns: 'MIME',
    errors: 'Exception for what cannot be a boundary.',
    source: 'stdlib 15, RFC 2046 5.1.1',
    example: `$m = MIME()->setType("multipart/mixed")->setBoundary("edge")->appendPart(MIME());
echo MailMessage::String($m->toString())->getTypeParameter("boundary");  // edge`,
    run: (builder, boundary, ctx) => {
      builder.setBoundary(boundary);
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'setDate',
    summary: 'Adds a Date field.',
    params: [
      { name: 'time', type: 'number|none', default: null, doc: 'Seconds since 1970; now when left out.' },
    ],
    returns: 'MIME',
    errors: 'Exception when the time is beyond the calendar.',
    source,
    example:
      'MailMessage::String(MIME()->setDate(1600000000)->toString())->getHeader("Date")  // "Sun, 13 Sep 2020 12:26:40 +0000"',
    run: (builder, time, ctx) => {
      builder.setDate(dateField('setDate', time ?? ctx.host.clock.now(), ctx));
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'setFileName',
    summary: 'Sets the name of the file that this part is; that makes it an attachment.',
    params: [{ name: 'name', type: 'string', doc: 'UTF-8.' }],
    returns: 'MIME',
    source: 'stdlib 15, RFC 2231',
    example: 'MailMessage::String(MIME()->setFileName("a b.txt")->toString())->getFileName()  // "a b.txt"',
    run: (builder, name, ctx) => {
      builder.setFileName(name);
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'setDisposition',
    summary: 'Sets how the part is to be shown.',
    params: [{ name: 'disposition', type: 'string', doc: '`inline` or `attachment`.' }],
    returns: 'MIME',
    errors: 'Exception for what is no disposition.',
    source: 'stdlib 15, RFC 2183',
    example:
      'MailMessage::String(MIME()->setDisposition("inline")->toString())->getHeader("Content-Disposition")  // "inline"',
    run: (builder, disposition, ctx) => {
      builder.setDisposition(disposition);
      return thisOf(ctx);
    },
  }),
  method<MessageBuilder>()({
    name: 'toString',
    summary: 'The finished message.',
    params: [],
    returns: 'string',
    errors: 'Exception when there are parts but the type is no multipart, or when a part holds the boundary.',
    source,
    example:
      'MailMessage::String(MIME()->setType("text/html")->setBody("<p>Hi</p>")->toString())->getBody()  // "<p>Hi</p>"',
    suspends: true,
    run: (builder, ctx) => {
      const toText = ({ source: of, pieces }: Built) => {
        reserveText(ctx, 'toString', piecesSize(pieces));
        return (readPieces(of, pieces) as Buffer).toString('latin1');
      };
      const built = finish('toString', builder, ctx);
      return built instanceof Promise ? built.then(toText) : toText(built);
    },
  }),
  method<MessageBuilder>()({
    name: 'toFile',
    summary: 'The finished message as a File.',
    params: [],
    returns: 'File',
    errors: 'As toString().',
    source,
    example: 'MIME()->addHeader("Subject", "Hi")->toFile()->readline()  // "Subject: Hi"',
    suspends: true,
    run: (builder, ctx) => {
      const toFile = ({ source: of, pieces }: Built) => fileObjectOf(piecesToFile(of, pieces), ctx);
      const built = finish('toFile', builder, ctx);
      return built instanceof Promise ? built.then(toFile) : toFile(built);
    },
  }),
  method<MessageBuilder>()({
    name: 'queue',
    summary: 'Queues the finished message for one recipient.',
    details: 'The result has `transaction` and `queue`, the two parts of its id.',
    params: queueParameters,
    returns: 'array',
    errors: 'Exception for a bad address or option, or when the message cannot be queued.',
    source,
    example: `$m = MIME()->addHeader("Subject", "Hi")->setBody("Hello");
echo $m->queue("", "you@example.com", "outbound", ["delay" => 60])["queue"];  // 1`,
    suspends: true,
    run: async (builder, sender, recipient, transportId, options, ctx) =>
      submitMessage(await finish('queue', builder, ctx), [sender, recipient, transportId, options], ctx),
  }),
  sendMethod<MessageBuilder>((builder, ctx) => finish('send', builder, ctx)),
  signDkimOfMimeMethod,
];

export const MIME: NativeClass<MessageBuilder> = nativeClass<MessageBuilder>({
  name: 'MIME',
  summary: 'A message, or a part of one, that a script makes.',
  details:
    'Every function that sets something gives back the object, so that calls can be chained. No value can end the field ' +
    'or the part it stands in.',
  group: 'mail',
  source,
  example: `$m = MIME()->addHeader("From", "me@example.com")->addHeader("Subject", "Hi")->setBody("Hello");
echo MailMessage::String($m->toString())->getHeader("subject");  // Hi`,
  constructorOf: staticMethod({
    name: 'MIME',
    summary: 'An empty text message.',
    params: [],
    returns: 'MIME',
    run: () => new MessageBuilder(),
  }),
  methods: mimeMethods,
});
