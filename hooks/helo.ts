// The helo phase: HELO and EHLO.

import { builtin, HslArray, ScriptFault } from '#lang';
import { valueToStringList } from '#stdlib';
import { present, readReplyWish, reasonKey, replyCodesKey } from './outcome.js';
import type { HeloOutcome } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { Defer, Reject } from './refusal.js';
import { sessionVariables } from './state.js';

const Accept = builtin({
  name: 'Accept',
  summary: 'Accepts the greeting.',
  group: 'actions',
  example: [
    '$extensions = array_filter(function ($one) { return $one != "SMTPUTF8"; }, $arguments["extensions"]);',
    'Accept(["extensions" => [...$extensions, "X-WELCOME"], "reason" => "mx.example.com"]);',
    '// 250 mx.example.com {"extensions":["PIPELINING","8BITMIME","X-WELCOME"]}',
  ].join('\n'),
  params: [
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        extensions: { type: 'array|none', doc: 'The complete list of extensions to announce.' },
        host: { type: 'string|none', doc: 'The name to take for the client from now on.' },
        helohost: { type: 'string|none', doc: 'Older name of `host`.', aliasOf: 'host' },
        reason: { ...reasonKey, doc: 'The first line; default is the system hostname.' },
        reply_codes: replyCodesKey,
      },
    },
  ],
  returns: 'none',
  ends: true,
  run: ({ extensions, host, helohost, reason, reply_codes }): HeloOutcome => ({
    kind: 'Accept',
    ...readReplyWish('Accept', reason, reply_codes),
    ...present({
      host: host ?? helohost ?? undefined,
      extensions: extensions instanceof HslArray ? readExtensions(extensions) : undefined,
    }),
  }),
});

function readExtensions(value: HslArray): string[] {
  const extensions = valueToStringList(value, 'Accept: "extensions"');
  for (const extension of extensions) {
    // RFC 5321 §4.1.1.1: ehlo-keyword, then parameters of printable characters.
    if (!/^[A-Za-z0-9][A-Za-z0-9-]*(?: [\x21-\x7e]+)*$/.test(extension))
      throw new ScriptFault(`Accept: "${extension}" is no extension that can be announced`);
  }
  return extensions;
}

/** Runs once for every HELO or EHLO. */
export const helo = defineReplyingPhase<HeloOutcome>({
  name: 'helo',
  summary: 'Runs once for every HELO or EHLO.',
  command: 'HELO, EHLO',
  variables: sessionVariables({
    verb: '"HELO" or "EHLO".',
    host: 'The name as sent.',
    extensions: 'Extensions to be announced, as strings; EHLO only.',
  }),
  declarations: [Accept, Reject, Defer],
  replies: {
    Accept: { code: 250, text: '' }, // the engine says its host name
    Reject: { code: 554, enhanced: [5, 7, 1], text: 'Greeting refused' },
    Defer: { code: 450, enhanced: [4, 7, 1], text: 'Try again later' },
  },
  atEndOfScript: { kind: 'Accept' },
  onScriptError: { kind: 'Defer', because: 'script-error' },
});

/** `$arguments` of the helo hook; `extensions` is absent for HELO. */
export function heloArguments(
  verb: string,
  host: string,
  extensions: readonly string[] | undefined,
): HslArray {
  const value = HslArray.empty();
  value.set('verb', verb);
  value.set('host', host);
  if (extensions !== undefined) value.set('extensions', HslArray.fromList([...extensions]));
  return value;
}
