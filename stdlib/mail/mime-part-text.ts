// A part that a script has made, as text: for options that take a whole MIME part as text or as the object itself.

import type { CallContext, HslObject } from '#lang';
import { LONGEST_TEXT_BYTES } from '../limits.js';
import { newBoundary } from './header-arguments.js';
import { MessageBuilder } from './mime/builder.js';

/**
 * Header, empty line and body of a MIME; undefined for another object, and for one that is longer than a text can be. It has no
 * fields that only a message has.
 */
export function mimePartText({ state }: HslObject, ctx: CallContext): string | undefined {
  if (!(state instanceof MessageBuilder)) return undefined;
  const { header, body } = state.build({ newBoundary: () => newBoundary(ctx) }, false);
  const bytes = Buffer.concat([header, Buffer.from('\r\n'), ...body]);
  if (bytes.length > LONGEST_TEXT_BYTES) return undefined;
  ctx.charge(bytes.length);
  return bytes.toString('latin1');
}
