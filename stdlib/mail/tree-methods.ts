// The parts of a message as scripts walk over them, and how they put parts in and take them out.

import {
  type CallContext,
  type CompiledPattern,
  type Method,
  method,
  PatternError,
  patternOf,
  ScriptFault,
  splitPattern,
  type Value,
} from '#lang';
import { newBoundary } from './header-arguments.js';
import { parseContentField } from './mime/content-field.js';
import type { MimePart } from './mime/document.js';
import { insertBeside, type Side } from './mime/part-changes.js';
import { partArgument } from './part-argument.js';
import { type PartState, partsToList, partToObject } from './part-objects.js';
import { whenParted, whenRead } from './reading.js';

const source = 'stdlib 15';

/** A text is looked for in any case, anywhere; with slashes and flags, or compiled, as it says. @throws ScriptFault */
function wantedPattern(called: string, given: Value, ctx: CallContext): CompiledPattern {
  const compiled = patternOf(given);
  if (compiled !== undefined) return compiled;
  if (typeof given !== 'string')
    throw new ScriptFault(`argument 1 (pattern) of ${called} must be a string or a Regex`);
  const isDelimited = splitPattern(given).source !== given;
  const { source: text, flags } = isDelimited ? splitPattern(given) : { source: given, flags: 'i' };
  try {
    return ctx.host.patterns.compile(text, flags);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new ScriptFault(`argument 1 (pattern) of ${called} is no pattern: ${error.message}`);
  }
}

function finder(
  name: string,
  what: string,
  example: string,
  textOf: (part: MimePart) => string | undefined,
): Method {
  return method<PartState>()({
    name,
    summary: `All parts below this one whose ${what} matches, top first.`,
    params: [
      {
        name: 'pattern',
        type: 'string|resource',
        doc: 'A regular expression; without slashes it matches anywhere and in any case.',
      },
    ],
    returns: 'array',
    errors: 'Exception for a bad pattern.',
    source,
    example,
    suspends: true,
    run: ({ part }, given, ctx) => {
      const pattern = wantedPattern(name, given, ctx);
      return whenParted(name, part, () => {
        const found: MimePart[] = [];
        for (const one of part.descendants()) {
          const text = textOf(one);
          if (text !== undefined && pattern.test(text)) found.push(one);
        }
        return partsToList(found, ctx);
      });
    },
  });
}

function inserter(name: string, side: Side, example: string): Method {
  return method<PartState>()({
    name,
    summary: `Puts a part ${side} this one.`,
    details: [
      'A part of a multipart of that type gets it as a neighbour, a multipart of that type takes it in, and anything else is',
      'wrapped, with the new part, in a new multipart: of a whole message its content, the other header fields stay on top. Several',
      'keep the order of the calls. The part is taken as it is now; of a message only its content.',
    ].join('\n'),
    params: [
      { name: 'part', type: 'object', doc: 'A MIME, a MIMEPart or a message.' },
      {
        name: 'options',
        type: 'options',
        optional: true,
        keys: {
          type: {
            type: 'string',
            default: 'multipart/mixed',
            doc: 'The type of the multipart, perhaps with parameters.',
          },
        },
      },
    ],
    returns: 'object|none',
    errors:
      'None when the part holds a line that is a delimiter of this message. Exception for a type that is no multipart.',
    source,
    example,
    suspends: true,
    run: ({ part }, given, { type }, ctx) => {
      const { receiver } = ctx;
      checkMultipartType(name, type);
      return whenRead(name, part.document.loadParts(), () =>
        whenRead(name, partArgument(name, given, part, side, ctx), (inserted) => {
          if (inserted === undefined) return null;
          insertBeside(inserted, type, newBoundary(ctx));
          return receiver ?? null;
        }),
      );
    },
  });
}

function checkMultipartType(called: string, type: string): void {
  const field = parseContentField(type);
  const isGood =
    /^[\x20-\x7e]*$/.test(type) &&
    /^multipart\/[!#$%&'*+\-.^_`{|}~0-9a-z]+$/.test(field.value) &&
    !field.parameters.has('boundary');
  if (!isGood)
    throw new ScriptFault(
      `${called}: the type is "${type}"; expected a multipart like "multipart/related", without a boundary`,
    );
}

/** Methods about the tree of parts. */
export const treeMethods: readonly Method[] = [
  method<PartState>()({
    name: 'getParts',
    summary: 'The parts directly inside of a multipart; an empty list for anything else.',
    details: 'A message inside of a message is one part.',
    params: [],
    returns: 'array',
    source,
    example:
      'array_map(function ($part) { return $part->getType(); }, $mail->getParts())  // ["text/plain","text/csv"]',
    suspends: true,
    run: ({ part }, ctx) => whenParted('getParts', part, () => partsToList(part.children, ctx)),
  }),
  method<PartState>()({
    name: 'getByID',
    summary: 'The part of the message with that id.',
    params: [{ name: 'id', type: 'string' }],
    returns: 'object|none',
    errors: 'None when there is no such part.',
    source,
    example: '$mail->getByID("2")->getType()  // "text/csv"',
    suspends: true,
    run: ({ part }, id, ctx) => {
      const { receiver } = ctx;
      return whenParted('getByID', part, () => {
        const found = part.document.partById(id);
        if (found === undefined) return null;
        return found === part && receiver !== undefined ? receiver : partToObject(found, ctx);
      });
    },
  }),
  finder(
    'findByType',
    'media type',
    '$mail->findByType("^text/c")[0]->getFileName()  // "figures.csv"',
    (part) => part.type,
  ),
  finder(
    'findByFileName',
    'file name',
    '$mail->findByFileName("\\\\.CSV$")[0]->getID()  // "2"',
    (part) => part.fileName,
  ),
  inserter(
    'prependPart',
    'before',
    `$mail->getParts()[0]->prependPart(MIME()->setBody("First"));
echo MailMessage::String($mail->toString())->getParts()[0]->getBody();  // First`,
  ),
  inserter(
    'appendPart',
    'after',
    `$mail->appendPart(MIME()->setType("text/html")->setBody("<p>Last</p>"));
echo MailMessage::String($mail->toString())->getParts()[2]->getType();  // text/html`,
  ),
  method<PartState>()({
    name: 'replacePart',
    summary: 'Puts another part in the place of this one.',
    details:
      'Of a whole message the content is replaced: the body and the Content fields. The part is taken as it is now.',
    params: [{ name: 'part', type: 'object', doc: 'A MIME, a MIMEPart or a message.' }],
    returns: 'none',
    errors: 'Exception when the part holds a line that is a delimiter of this message.',
    source,
    example: `$mail->getParts()[1]->replacePart(MIME()->setBody("removed"));
echo MailMessage::String($mail->toString())->getParts()[1]->getBody();  // removed`,
    suspends: true,
    run: ({ part }, given, ctx) =>
      whenRead('replacePart', part.document.loadParts(), () =>
        whenRead('replacePart', partArgument('replacePart', given, part, 'after', ctx), (inserted) => {
          if (inserted === undefined)
            throw new ScriptFault(
              'replacePart: the new part holds a line that is a delimiter of the message around it',
            );
          part.change({ replacement: inserted });
          return null;
        }),
      ),
  }),
  method<PartState>()({
    name: 'remove',
    summary: 'Takes this part out of its message.',
    details: 'A multipart that loses all its parts goes with them.',
    params: [],
    returns: 'none',
    errors: 'Exception when this is the whole message.',
    source,
    example: `$mail->getParts()[1]->remove();
echo count(MailMessage::String($mail->toString())->getParts());  // 1`,
    run: ({ part }) => {
      if (part.parent === undefined)
        throw new ScriptFault('remove: this is the whole message; only a part of it can be taken out');
      part.change({ replacement: 'removed' });
      return null;
    },
  }),
];
