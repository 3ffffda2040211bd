// signDKIM and verifyDKIM, methods of the message classes (stdlib 15).

import {
  type BuiltinSteps,
  type CallContext,
  call,
  HslArray,
  type HslFunction,
  type Method,
  method,
  ScriptFault,
  type Value,
  wait,
} from '#lang';
import type { DnsAnswer } from '../../dns/resolver.js';
import { servicesOf } from '../../services.js';
import type { MailDocument } from '../mime/document.js';
import { keyFromRecord, keyRecordName } from './key-record.js';
import { signatureRequests, signOptionKeys } from './sign-options.js';
import { readSignature, type Signature } from './signature.js';
import { type SignatureField, signMessage } from './signer.js';
import { signatureProblem } from './verifier.js';
import { type KeyAnswer, keyAnswerOfDns, keyAnswerOfFunction } from './verify-dns.js';

/** What the methods need of a message. */
export interface SignableMessage {
  readonly document: MailDocument;
}

/** The parameters of signDKIM before its options. */
export const signParams = [
  { name: 'selector', type: 'string', doc: 'The key is published at `SELECTOR._domainkey.DOMAIN`.' },
  { name: 'domain', type: 'string', doc: 'The signing domain (d=).' },
  {
    name: 'key',
    type: 'string|resource',
    doc: 'PEM, the id of a configured key, or a key resource; for Ed25519 also its 32 raw bytes.',
  },
] as const;

/** `MailMessage->signDKIM`. */
export const signDkimMethod: Method = method<SignableMessage>()({
  name: 'signDKIM',
  summary: 'Signs the message with DKIM (or ARC) and adds the signature on top.',
  details:
    'The message is signed as changed so far, in the form in which delivery sends it: LF and CRLF are line ends, any ' +
    'other CR is a blank. A listed field is signed as often as it occurs. Keys are used in the thread pool; the ' +
    'signatures of `additional_signatures` share canonical forms and hashes where they agree.',
  params: [...signParams, { name: 'options', type: 'options', optional: true, keys: signOptionKeys }],
  returns: 'object|string|none',
  errors:
    'None when domain, selector or identity cannot stand in a signature, or when the key cannot be read, is too short ' +
    'or does not fit the algorithm; then nothing is added. An exception for options that make no sense.',
  source: 'stdlib 15, RFC 6376, RFC 8463, RFC 8617 4.1.2',
  example: `echo $mail->signDKIM("2026", "example.com", "pki:example") === $mail;  // true
echo $mail->signDKIM("ed", "example.com", "pki:example-ed25519", ["algorithm" => "ed25519-sha256", "return_header" => true])[0:33];  // DKIM-Signature: v=1; a=ed25519-sh`,
  suspends: true,
  run: (self, selector, domain, key, options, ctx) => {
    const { receiver } = ctx;
    const requests = signatureRequests(selector, domain, key, options, ctx);
    if (requests === undefined) return null;
    const { document } = self;
    return signMessage(document.source, document.pieces(), requests, ctx.signal).then((fields) => {
      if (fields === undefined) return null;
      if (options.return_header) return fields.map(({ text }) => text).join('\r\n');
      addFields(document, fields);
      return receiver ?? null;
    });
  },
});

/** Puts the fields on top of the message, the first one uppermost. */
function addFields(document: MailDocument, fields: readonly SignatureField[]): void {
  for (const { name, text } of fields.toReversed())
    document.root.edits.add(name, Buffer.from(`${text}\r\n`, 'latin1'));
}

/** `MailMessage->verifyDKIM`. */
export const verifyDkimMethod: Method = method<SignableMessage>()({
  name: 'verifyDKIM',
  summary: 'Checks one signature of the message as it was received.',
  details:
    '`result` is `pass`, `permerror` (also for a signature that does not match) or `temperror`, `error` says why it ' +
    'is not `pass`, `tags` has the tags of the field as text, if it could be read. RSA keys below 1024 bits and ' +
    '`rsa-sha1` do not pass (RFC 8301). `dns_function` gets the name of the key record and returns an array: `result` ' +
    'with the text of the TXT record, or `error` with `permerror` or `temperror`.',
  params: [
    {
      name: 'headerfield',
      type: 'string',
      doc: 'A raw DKIM-Signature or ARC-Message-Signature field: `getHeader(…, ["field" => true])`.',
    },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        timeout: { type: 'number', default: 5, doc: 'Seconds for the DNS query.' },
        dns_function: { type: 'function', doc: 'Called with the name instead of asking DNS.' },
        allow_sha1: { type: 'boolean', default: false, doc: 'Let `rsa-sha1` pass, for old mail.' },
      },
    },
  ],
  returns: 'array',
  errors: 'An exception when `dns_function` returns anything else, or nothing here can look up DNS.',
  source: 'stdlib 15, RFC 6376 6, RFC 8301, RFC 8463, RFC 8617 4.1.2',
  example: '$mail->verifyDKIM("DKIM-Signature: v=1; a=rsa-sha256")["error"]  // "b= is missing"',
  suspends: true,
  callbacks: true,
  run: function* (self, headerField, options, ctx): BuiltinSteps<Value> {
    if (!(options.timeout > 0))
      throw new ScriptFault(`option "timeout" of verifyDKIM is ${options.timeout}; expected seconds above 0`);
    const signature = readSignature(headerField, {
      now: ctx.host.clock.now(),
      allowsSha1: options.allow_sha1,
    });
    if ('error' in signature) return verdict('permerror', signature.error, signature.tags);
    const { tags } = signature;
    const answer = yield* askForKey(signature, options.dns_function, options.timeout, ctx);
    if (answer.kind !== 'texts') return verdict(answer.kind, answer.error, tags);
    const key = keyOfTexts(answer.texts, signature);
    if ('error' in key) return verdict('permerror', key.error, tags);
    const problem = (yield wait(
      signatureProblem(self.document.source, signature, key, ctx.signal),
    )) as Awaited<ReturnType<typeof signatureProblem>>;
    return problem === undefined ? verdict('pass', undefined, tags) : verdict('permerror', problem, tags);
  },
});

function* askForKey(
  signature: Signature,
  dnsFunction: HslFunction | undefined,
  timeoutSeconds: number,
  ctx: CallContext,
): BuiltinSteps<KeyAnswer> {
  const name = keyRecordName(signature);
  if (dnsFunction !== undefined) return keyAnswerOfFunction((yield call(dnsFunction, name)) as Value);
  const { resolver } = servicesOf(ctx).network;
  if (resolver === undefined)
    throw new ScriptFault(
      'verifyDKIM cannot look up keys here: there is no resolver; give it a dns_function',
    );
  const asked = resolver.query({ name, type: 'txt', timeoutSeconds }, ctx.signal);
  const answer = asked instanceof Promise ? ((yield wait(asked)) as DnsAnswer) : asked;
  return keyAnswerOfDns(answer);
}

/** The first record that has a usable key; without any, what is wrong with the first. */
function keyOfTexts(texts: readonly string[], signature: Signature): ReturnType<typeof keyFromRecord> {
  let first: ReturnType<typeof keyFromRecord> | undefined;
  for (const text of texts) {
    const key = keyFromRecord(text, signature);
    if (!('error' in key)) return key;
    first ??= key;
  }
  return first ?? { error: 'there is no key record' };
}

function verdict(
  result: 'pass' | 'permerror' | 'temperror',
  error: string | undefined,
  tags: ReadonlyMap<string, string> | undefined,
): HslArray {
  const value = HslArray.empty();
  value.set('result', result);
  if (error !== undefined) value.set('error', error);
  if (tags !== undefined) {
    const list = HslArray.empty();
    for (const [name, text] of tags) list.set(name, text);
    value.set('tags', list);
  }
  return value;
}
