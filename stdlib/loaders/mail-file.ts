// Data files that are messages. Every execution of a program shares what is loaded once, and a message object can be
// changed; so what is kept is the bytes, and whoever needs an object makes its own.

import { type DataLoader, HslResource } from '#lang';

/** The word scripts see for a loaded message; its payload is the byte string. */
export const MAIL_RESOURCE = 'MailMessageResource';

/** The file as it is; what a message may look like is not checked, as nobody does on the wire. */
export const emlLoader: DataLoader = {
  extensions: ['.eml'],
  options: [],
  load: (file) => ({ value: new HslResource(MAIL_RESOURCE, file.text) }),
};
