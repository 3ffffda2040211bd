// The class MailMessage: a whole message, with what only a whole message can do. What the message of the eod hook has
// too is in `messageMethods`.

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
import { fileContentOf, fileObjectOf } from '../files/file.builtins.js';
import { reserveText } from '../limits.js';
import { sendMethod } from '../smtp/send-method.js';
import { signDkimMethod, verifyDkimMethod } from './dkim/dkim.builtins.js';
import { fileToSource, piecesToFile } from './message-file.js';
import { type MessageSource, piecesSize } from './message-source.js';
import { bytesToSource, MailDocument } from './mime/document.js';
import { type PartState, partMethods } from './mime-part.builtins.js';
import { queueParameters, submitMessage } from './queue-request.js';
import { whenRead } from './reading.js';

/** A message and the part that it is. */
export class MessageState implements PartState {
  readonly document: MailDocument;

  constructor(document: MailDocument) {
    this.document = document;
  }

  get part() {
    return this.document.root;
  }
}

const source = 'stdlib 15';

/** The methods that all message classes share. */
export const messageMethods: readonly Method[] = [
  ...partMethods,
  method<MessageState>()({
    name: 'toString',
    summary: 'The whole message with the changes made so far.',
    params: [],
    returns: 'string',
    errors: 'Exception when the message cannot be read, or is larger than a text can be.',
    source,
    example: `$mail->delHeader("Received");
echo $mail->toString()[0:5];  // From:`,
    suspends: true,
    run: ({ document }, ctx) => {
      reserveText(ctx, 'toString', piecesSize(document.pieces()));
      return whenRead('toString', document.toBytes(), (bytes) => bytes.toString('latin1'));
    },
  }),
  method<MessageState>()({
    name: 'toFile',
    summary: 'The whole message with the changes made so far, as a File.',
    details:
      'Nothing is copied: what was not changed is read where it lies. Later changes do not show in it.',
    params: [],
    returns: 'File',
    source,
    example: `$file = $mail->toFile();
echo $file->readline()[0:8];  // Received`,
    run: ({ document }, ctx) => fileObjectOf(piecesToFile(document.source, document.pieces()), ctx),
  }),
  method<MessageState>()({
    name: 'reset',
    summary: 'Discards all changes; returns how many there were.',
    params: [],
    returns: 'number',
    source,
    example: `$mail->addHeader("X-A", "1");
echo $mail->reset();  // 1`,
    run: ({ document }) => document.reset(),
  }),
  method<MessageState>()({
    name: 'snapshot',
    summary: 'Remembers the changes made so far; returns the id for restore().',
    params: [],
    returns: 'number',
    source,
    example: '$mail->snapshot()  // 1',
    run: ({ document }, ctx) => {
      ctx.charge(100);
      return document.snapshot();
    },
  }),
  method<MessageState>()({
    name: 'restore',
    summary: 'Goes back to the changes of a snapshot; false when there is no such snapshot.',
    details:
      'A snapshot can be restored any number of times: once for each recipient with a version of its own.',
    params: [{ name: 'id', type: 'number' }],
    returns: 'boolean',
    source,
    example: `$version = $mail->snapshot();
$mail->addHeader("X-For", "alice");
echo $mail->restore($version);  // true`,
    run: ({ document }, id) => document.restore(id),
  }),
  method<MessageState>()({
    name: 'modifyContent',
    summary: 'Replaces bytes of the original message by others.',
    details:
      'Places always count in the message as received. Where two calls overlap, the later one wins. A header field or body ' +
      'that is replaced by another method takes no notice of it.',
    params: [
      { name: 'start', type: 'number', doc: 'The first byte to replace, from 0.' },
      { name: 'count', type: 'number', doc: 'How many; 0 inserts.' },
      { name: 'data', type: 'string' },
    ],
    returns: 'object',
    errors: 'Exception when that place is not inside of the message.',
    source,
    example: `$mail->modifyContent(0, 8, "X-Before");
echo $mail->toString()[0:9];  // X-Before:`,
    run: ({ document }, start, count, data, ctx) => {
      const { sizeBytes } = document.source;
      const isInside =
        Number.isInteger(start) &&
        Number.isInteger(count) &&
        start >= 0 &&
        count >= 0 &&
        start + count <= sizeBytes;
      if (!isInside)
        throw new ScriptFault(
          `modifyContent: ${count} bytes at ${start} are not inside of the message, which has ${sizeBytes} bytes`,
        );
      ctx.charge(data.length);
      document.editContent({ start, end: start + count, bytes: Buffer.from(data, 'latin1') });
      return ctx.receiver ?? null;
    },
  }),
  sendMethod<MessageState>(({ document }) => ({ source: document.source, pieces: document.pieces() })),
  signDkimMethod,
  verifyDkimMethod,
];

function newMessage(messageSource: MessageSource, ctx: CallContext): HslObject {
  return ctx.instantiate(MailMessage, new MessageState(new MailDocument(messageSource)));
}

export const MailMessage: NativeClass<MessageState> = nativeClass<MessageState>({
  name: 'MailMessage',
  summary: 'A message.',
  details: 'It has the methods of MIMEPart for its outermost part.',
  group: 'mail',
  source,
  example: 'MailMessage::String("Subject: Hi\\r\\n\\r\\nHello")->getBody()  // "Hello"',
  methods: [
    ...messageMethods,
    method<MessageState>()({
      name: 'queue',
      summary: 'Queues the message, as changed so far, for one recipient.',
      details:
        'Outside of eod it is queued at once. The result has `transaction` and `queue`, the two parts of its id.',
      params: queueParameters,
      returns: 'array',
      errors: 'Exception for a bad address or option, or when the message cannot be queued.',
      since: '5.4',
      source,
      example: '$mail->queue("me@example.com", "you@example.com", "outbound")["queue"]  // 1',
      suspends: true,
      run: ({ document }, sender, recipient, transportId, options, ctx) =>
        submitMessage(
          { source: document.source, pieces: document.pieces() },
          [sender, recipient, transportId, options],
          ctx,
        ),
    }),
  ],
  statics: [
    staticMethod({
      name: 'String',
      summary: 'A message from its text.',
      params: [{ name: 'data', type: 'string' }],
      returns: 'MailMessage',
      source,
      example: 'MailMessage::String("Subject: Hi\\r\\n\\r\\n")->getHeader("Subject")  // "Hi"',
      run: (data, ctx) => {
        ctx.charge(data.length);
        return newMessage(bytesToSource(Buffer.from(data, 'latin1')), ctx);
      },
    }),
    staticMethod({
      name: 'File',
      summary: 'A message from a file.',
      details: 'A large one stays where it is; the file must not be closed before the message is done with.',
      params: [{ name: 'file', type: 'object|resource', doc: 'A File, or a FileResource.' }],
      returns: 'MailMessage|none',
      errors: 'None when the file cannot be read.',
      source,
      example: 'MailMessage::File(File("message.eml"))->getHeader("Subject")  // "Quarterly report"',
      suspends: true,
      run: (file, ctx) => {
        const content = fileContentOf(file);
        if (content === undefined)
          throw new ScriptFault('argument 1 (file) of MailMessage::File must be a File or a FileResource');
        return fileToSource(content).then(
          (messageSource) => {
            ctx.charge(messageSource.head.length);
            return newMessage(messageSource, ctx);
          },
          // The documented answer to a file that cannot be read.
          () => null,
        );
      },
    }),
  ],
});
