// The class MIMEPart: a part of a received message. Getters show what was received; changes are applied when the message
// is delivered or written out (stdlib 15). The methods are in three lists, by what they are about.

import { type Method, type NativeClass, nativeClass } from '#lang';
import { bodyMethods } from './body-methods.js';
import { headerMethods } from './header-methods.js';
import { definePartClass, type PartState } from './part-objects.js';
import { treeMethods } from './tree-methods.js';

export type { PartState } from './part-objects.js';

/** The methods that MIMEPart and the message classes share. */
export const partMethods: readonly Method[] = [...headerMethods, ...bodyMethods, ...treeMethods];

export const MIMEPart: NativeClass<PartState> = nativeClass<PartState>({
  name: 'MIMEPart',
  summary: 'A part of a message.',
  details:
    'Getters show the message as it was received, whatever the script has changed since. Changes are applied when the ' +
    'message is queued, sent or written out; nothing but what was changed is written anew.',
  group: 'mail',
  source: 'stdlib 15',
  example: '$mail->getParts()[1]->getType()  // "text/csv"',
  methods: partMethods,
});

definePartClass(MIMEPart);
