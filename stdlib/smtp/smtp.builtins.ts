// Questions to other mail servers (stdlib 10 "SMTP client"): is this recipient taken, is this password right.

import { type Builtin, builtin, HslArray, ScriptFault } from '#lang';
import { valueToAddress } from '../mail/envelope-values.js';
import type { MailOutcome } from './mail-client.js';
import { mailClientOf } from './mail-client-of.js';
import { tlsToValue } from './outcome-values.js';
import { readMailTarget, serverDetails } from './server-argument.js';

const ACCEPTED = 1;
const REFUSED = 0;
const UNKNOWN = -1;

const smtpLookupRcpt = builtin({
  name: 'smtp_lookup_rcpt',
  group: 'smtp',
  summary: 'Asks a server whether it takes mail from a sender for a recipient, without sending any.',
  details: `1: accepted; 0: refused for good (5xx to MAIL or RCPT); -1: not known, because the server could not be asked or said
"later" (4xx). With \`extended_result\` an array: \`error_code\` (the reply's code, 0 when there was none), \`error_message\`,
\`on_rcptto\` (whether that reply was to RCPT), and with a connection \`tls\`. After MAIL and RCPT come RSET and QUIT.

${serverDetails}`,
  example:
    'smtp_lookup_rcpt(["host" => "127.0.0.1", "port" => 2525], "", "you@example.com")  // 1\n' +
    'smtp_lookup_rcpt(["host" => "127.0.0.1", "port" => 2525], "", "unknown@example.com")  // 0',
  source: 'stdlib 10',
  params: [
    { name: 'server', type: 'string|array', doc: 'A transport, or a server as described above.' },
    { name: 'sender', type: 'string|array', doc: '`""` is the null sender.' },
    { name: 'recipient', type: 'string|array' },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        extended_result: { type: 'boolean', default: false, doc: 'Answer with an array that says more.' },
      },
    },
  ],
  returns: 'number|array',
  errors: '-1 when the server cannot be asked. Exception for an address, option or value that is wrong.',
  suspends: true,
  run: async (serverValue, senderValue, recipientValue, options, ctx) => {
    const client = mailClientOf('smtp_lookup_rcpt', ctx);
    const sender = valueToAddress(senderValue, 'smtp_lookup_rcpt: the sender');
    const recipient = valueToAddress(recipientValue, 'smtp_lookup_rcpt: the recipient');
    if (recipient.localPart === '' && recipient.domain === '')
      throw new ScriptFault('smtp_lookup_rcpt: the recipient is empty');
    const target = readMailTarget(serverValue, 'smtp_lookup_rcpt', ctx);
    const outcome = await client.lookupRecipient(sender, recipient, target, ctx.signal);
    return options.extended_result ? extendedResult(outcome) : recipientVerdict(outcome);
  },
});

const smtpLookupAuth = builtin({
  name: 'smtp_lookup_auth',
  group: 'smtp',
  summary: 'Asks a server whether it lets a user in with a password.',
  details: `1: let in; 0: refused for good (5xx to AUTH); -1: not known. PLAIN, LOGIN, CRAM-MD5 and XOAUTH2 are spoken.

${serverDetails}`,
  example: 'smtp_lookup_auth(["host" => "127.0.0.1", "port" => 2525], "alice", "secret")  // 1',
  source: 'stdlib 10',
  params: [
    { name: 'server', type: 'string|array', doc: 'A transport, or a server as described above.' },
    { name: 'username', type: 'string' },
    { name: 'password', type: 'string' },
  ],
  returns: 'number',
  errors: '-1 when the server cannot be asked. Exception for an option or value that is wrong.',
  suspends: true,
  run: async (serverValue, userName, password, ctx) => {
    const client = mailClientOf('smtp_lookup_auth', ctx);
    const target = readMailTarget(serverValue, 'smtp_lookup_auth', ctx);
    return authVerdict(await client.lookupAuth(target, userName, password, ctx.signal));
  },
});

function recipientVerdict(outcome: MailOutcome): number {
  if (!('reply' in outcome)) return UNKNOWN;
  const { state, code } = outcome.reply;
  if (code < 300) return ACCEPTED;
  return code >= 500 && (state === 'MAIL' || state === 'RCPT') ? REFUSED : UNKNOWN;
}

function authVerdict(outcome: MailOutcome): number {
  if (!('reply' in outcome)) return UNKNOWN;
  const { state, code } = outcome.reply;
  if (code < 300) return ACCEPTED;
  // 504: the mechanism is not known; 503: AUTH is not wanted here. Neither says anything about the password.
  return code >= 500 && state.startsWith('AUTH') && code !== 503 && code !== 504 ? REFUSED : UNKNOWN;
}

function extendedResult(outcome: MailOutcome): HslArray {
  const value = HslArray.empty();
  if ('reply' in outcome) {
    const { code, enhanced, reason, state } = outcome.reply;
    value.set('error_code', code);
    value.set('error_message', [enhanced.join('.'), reason.join('\n')].filter(Boolean).join(' '));
    value.set('on_rcptto', state === 'RCPT');
  } else {
    value.set('error_code', 0);
    value.set('error_message', outcome.error.message);
    value.set('on_rcptto', false);
  }
  if (outcome.tls !== undefined) value.set('tls', tlsToValue(outcome.tls));
  return value;
}

/** The functions of this group. */
export const smtp: readonly Builtin[] = [smtpLookupRcpt, smtpLookupAuth];
