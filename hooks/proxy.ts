// The proxy phase: a command line before the SMTP engine reads it. Scripts add verbs of their own, translate or refuse
// commands, and hold exchanges of several lines.

import { builtin, HslArray, ScriptFault } from '#lang';
import { disconnectKey, present, readReplyWish, reasonParameter, replyCodesKey } from './outcome.js';
import type { ProxyOutcome } from './outcomes.js';
import { definePhase } from './phase.js';
import { sessionVariables } from './state.js';

/** The longest line a script may put in the place of the client's: more is no command. */
const longestCommandBytes = 64 * 1024;

const nextKey = {
  type: 'boolean',
  default: false,
  doc: 'Run this script for the next line too, whatever it is.',
} as const;

const Pass = builtin({
  name: 'Pass',
  summary: 'Gives the command to the SMTP engine.',
  group: 'actions',
  example: [
    '$command = $arguments["command"];',
    'if (str_upper($command[0:10]) == "BREV FROM:")',
    '  Pass(["command" => "MAIL FROM:" . $command[10:]]);',
    '// Pass {"command":"MAIL FROM:<alice@example.com>"}',
  ].join('\n'),
  params: [
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        command: { type: 'string|none', doc: 'The line that the engine sees instead, without line end.' },
        next: nextKey,
      },
    },
  ],
  returns: 'none',
  ends: true,
  source: 'hooks 4',
  run: ({ command, next }): ProxyOutcome => ({
    kind: 'Pass',
    next,
    ...present({ command: typeof command === 'string' ? readCommand(command) : undefined }),
  }),
});

function readCommand(command: string): string {
  // A line end in it would be a second command that no script has seen.
  if (/[\r\n\0]/.test(command))
    throw new ScriptFault('Pass: "command" must be one line, without CR, LF and NUL');
  if (command.length > longestCommandBytes)
    throw new ScriptFault(
      `Pass: "command" has ${command.length} bytes; at most ${longestCommandBytes} are possible`,
    );
  return command;
}

const Reply = builtin({
  name: 'Reply',
  summary: 'Answers the command; the SMTP engine never sees it.',
  group: 'actions',
  example: [
    'if (str_upper($arguments["command"])[0:4] == "BREV")',
    '  Reply("In English, please", ["reply_codes" => ["code" => 500, "enhanced" => [5, 5, 1]]]);',
    '// 500 5.5.1 In English, please',
  ].join('\n'),
  params: [
    reasonParameter,
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: { disconnect: disconnectKey, reply_codes: replyCodesKey, next: nextKey },
    },
  ],
  returns: 'none',
  ends: true,
  source: 'hooks 4',
  run: (reason, { disconnect, reply_codes, next }): ProxyOutcome => ({
    kind: 'Reply',
    next,
    ...readReplyWish('Reply', reason, reply_codes, disconnect),
  }),
});

/** Runs before a command is carried out: the commands that the server's `proxy.commands` names, or all of them. */
export const proxy = definePhase<ProxyOutcome>({
  name: 'proxy',
  summary:
    'Runs before a command is carried out: for the commands that `phases.proxy.commands` names, or for all.',
  variables: sessionVariables({ command: 'The whole line as received, without its line end.' }),
  declarations: [Pass, Reply],
  replies: { Reply: { code: 250, enhanced: [2, 0, 0], text: 'Ok' } },
  atEndOfScript: { kind: 'Pass', next: false },
  // hooks 1: an error answers 421.
  onScriptError: {
    kind: 'Reply',
    next: false,
    code: 421,
    enhanced: [4, 3, 0],
    reason: ['Try again later'],
    disconnect: true,
  },
});

/** `$arguments` of the proxy hook. */
export function proxyArguments(command: string): HslArray {
  const value = HslArray.empty();
  value.set('command', command);
  return value;
}
