// Data files that are messages. A message can be changed: every execution gets an object of its own, over the same bytes.

import { type DataLoader, FreshValue, HslObject } from '#lang';
import { MailMessage, MessageState } from '../mail/mail-message.builtins.js';

import { bytesToSource, MailDocument } from '../mail/mime/document.js';

/** The file as it is; what a message may look like is not checked, as nobody does on the wire. */
export const emlLoader: DataLoader = {
  extensions: ['.eml'],
  options: [],
  load: (file) => {
    const source = bytesToSource(Buffer.from(file.text, 'latin1'));
    const make = () => new HslObject(MailMessage, undefined, new MessageState(new MailDocument(source)));
    return { value: new FreshValue('MailMessage', make) };
  },
};
