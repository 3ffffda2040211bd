// The connect phase.

import { builtin, HslArray, ScriptFault } from '#lang';
import { isIpAddress } from '#stdlib';
import { present, readReplyWish, reasonKey, reasonParameter, replyCodesKey } from './outcome.js';
import type { ConnectOutcome } from './outcomes.js';
import { defineReplyingPhase } from './phase.js';
import { type SessionState, sessionVariables, tlsToValue } from './state.js';

const Accept = builtin({
  name: 'Accept',
  summary: 'Greets the client.',
  group: 'actions',
  example: [
    'if (inet_includes($arguments["remoteip"], "192.0.2.0/24"))',
    '  Accept(["reason" => "mail.example.com ESMTP: welcome back"]);',
    '// 220 mail.example.com ESMTP: welcome back',
  ].join('\n'),
  params: [
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        reason: { ...reasonKey, doc: 'The text of the banner.' },
        remoteip: { type: 'string|none', doc: 'The address to take for the client from now on.' },
        remoteptr: { type: 'string|none', doc: 'The reverse DNS name to take for the client.' },
        priority: { type: 'number', oneOf: [0, 1], doc: 'Priority of what this connection queues.' },
        reply_codes: replyCodesKey,
      },
    },
  ],
  returns: 'none',
  ends: true,
  run: ({ reason, remoteip, remoteptr, priority, reply_codes }): ConnectOutcome => {
    if (typeof remoteip === 'string' && !isIpAddress(remoteip))
      throw new ScriptFault(`Accept: "remoteip" is "${remoteip}"; expected an IP address`);
    return {
      kind: 'Accept',
      ...readReplyWish('Accept', reason, reply_codes),
      ...present({
        remoteIp: remoteip ?? undefined,
        remotePtr: remoteptr ?? undefined,
        priority: priority === undefined ? undefined : priority === 1 ? (1 as const) : (0 as const),
      }),
    };
  },
});

const refusalOptions = {
  name: 'options',
  type: 'options',
  optional: true,
  keys: { reply_codes: replyCodesKey },
} as const;

const Reject = builtin({
  name: 'Reject',
  summary: 'Refuses the client for good and closes the connection.',
  group: 'actions',
  example: [
    'if (!isset($arguments["remoteptr"]))',
    '  Reject("No reverse DNS name for " . $arguments["remoteip"]);',
    '// 521 5.7.1 No reverse DNS name for 192.0.2.10, disconnect',
  ].join('\n'),
  params: [reasonParameter, refusalOptions],
  returns: 'none',
  ends: true,
  run: (reason, { reply_codes }): ConnectOutcome => ({
    kind: 'Reject',
    ...readReplyWish('Reject', reason, reply_codes, true),
  }),
});

const Defer = builtin({
  name: 'Defer',
  summary: 'Refuses the client for now and closes the connection.',
  group: 'actions',
  example: [
    'if (isset($arguments["earlytalker"]))',
    '  Defer("Wait for the greeting", ["reply_codes" => ["enhanced" => [4, 5, 0]]]);',
    '// 421 4.5.0 Wait for the greeting, disconnect',
  ].join('\n'),
  params: [reasonParameter, refusalOptions],
  returns: 'none',
  ends: true,
  run: (reason, { reply_codes }): ConnectOutcome => ({
    kind: 'Defer',
    ...readReplyWish('Defer', reason, reply_codes, true),
  }),
});

/** Runs when a client has connected, before the greeting. */
export const connect = defineReplyingPhase<ConnectOutcome>({
  name: 'connect',
  summary: 'Runs when a client has connected, before the greeting.',
  variables: sessionVariables({
    remoteip: 'Address of the client.',
    remoteport: 'Port of the client.',
    localip: 'Address of the server side.',
    localport: 'Port of the server side.',
    serverid: 'Id of the server.',
    remoteptr:
      'Name of the client by reverse DNS, when that look-up is enabled and the name has the address; optional.',
    remoteptrresult:
      'When the look-up is enabled: array with `reverse` and `forward`, each as `dns_query` gives it; `forward` is none when there was no name to ask about.',
    remoteuid: 'Id of the user at the other end of a UNIX socket; optional.',
    proxyip: 'Address of the proxy that told us the address of the client (PROXY protocol); optional.',
    proxytlv: 'What a PROXY header of version 2 has behind the addresses, in hex; optional.',
    tls: 'The encryption, as `$connection["tls"]` of later hooks; only when TLS came first.',
    earlytalker: 'True when the client said something before it was greeted; absent otherwise.',
  }),
  declarations: [Accept, Reject, Defer],
  replies: {
    Accept: { code: 220, text: '' }, // the engine says its host name and ESMTP
    Reject: { code: 521, enhanced: [5, 7, 1], text: 'This host does not accept mail from you' },
    Defer: { code: 421, enhanced: [4, 7, 1], text: 'Try again later' },
  },
  atEndOfScript: { kind: 'Accept' },
  onScriptError: { kind: 'Defer', because: 'script-error', disconnect: true },
});

/** `$arguments` of the connect hook. */
export function connectArguments(state: SessionState): HslArray {
  const { remoteIp, remotePort, localIp, localPort, serverId, remoteUid, proxyIp, proxyTlv } = state.facts;
  const value = HslArray.empty();
  value.set('remoteip', remoteIp);
  value.set('remoteport', remotePort);
  value.set('localip', localIp);
  value.set('localport', localPort);
  value.set('serverid', serverId);
  if (state.remotePtr !== undefined) value.set('remoteptr', state.remotePtr);
  if (state.reverseName !== undefined) {
    const { reverse, forward } = state.reverseName;
    value.set('remoteptrresult', HslArray.fromRecord({ reverse, forward }));
  }
  if (remoteUid !== undefined) value.set('remoteuid', remoteUid);
  if (proxyIp !== undefined) value.set('proxyip', proxyIp);
  if (proxyTlv !== undefined) value.set('proxytlv', proxyTlv);
  if (state.tls !== undefined) value.set('tls', tlsToValue(state.tls));
  if (state.isEarlyTalker) value.set('earlytalker', true);
  return value;
}
