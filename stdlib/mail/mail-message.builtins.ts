// The class MailMessage: a whole message, with what only a whole message can do.

import { type Method, method, type NativeClass, nativeClass, ScriptFault, staticMethod } from '#lang';
import { LONGEST_TEXT_BYTES } from '../limits.js';
import { piecesSize } from './message-source.js';
import { bytesToSource, MailDocument } from './mime/document.js';
import { type PartState, partMethods } from './mime-part.builtins.js';

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

/** The methods that all message classes share. */
export const messageMethods: readonly Method[] = [
  ...partMethods,
  method<MessageState>()({
    name: 'toString',
    summary: 'The whole message with the changes made so far.',
    params: [],
    returns: 'string',
    suspends: true,
    run: ({ document }, ctx) => {
      const size = piecesSize(document.pieces());
      if (size > LONGEST_TEXT_BYTES)
        throw new ScriptFault(
          `toString: the message has ${size} bytes; at most ${LONGEST_TEXT_BYTES} fit a string`,
        );
      ctx.charge(size);
      const bytes = document.toBytes();
      return bytes instanceof Promise
        ? bytes.then((all) => all.toString('latin1'))
        : bytes.toString('latin1');
    },
  }),
  method<MessageState>()({
    name: 'reset',
    summary: 'Discards all changes; returns how many there were.',
    params: [],
    returns: 'number',
    run: ({ document }) => document.reset(),
  }),
  method<MessageState>()({
    name: 'snapshot',
    summary: 'Remembers the changes made so far; the number is for `restore`.',
    params: [],
    returns: 'number',
    run: ({ document }) => document.snapshot(),
  }),
  method<MessageState>()({
    name: 'restore',
    summary: 'Goes back to the changes of a snapshot; false when there is no such snapshot.',
    params: [{ name: 'id', type: 'number' }],
    returns: 'boolean',
    run: ({ document }, id) => document.restore(id),
  }),
];

export const MailMessage: NativeClass<MessageState> = nativeClass<MessageState>({
  name: 'MailMessage',
  summary: 'A message.',
  group: 'mail',
  methods: messageMethods,
  statics: [
    staticMethod({
      name: 'String',
      summary: 'A message from its text.',
      params: [{ name: 'data', type: 'string' }],
      returns: 'object',
      run: (data, ctx) => {
        ctx.charge(data.length);
        return ctx.instantiate(
          MailMessage,
          new MessageState(new MailDocument(bytesToSource(Buffer.from(data, 'latin1')))),
        );
      },
    }),
  ],
});
