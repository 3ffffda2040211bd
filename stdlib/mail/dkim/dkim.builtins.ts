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
import type { MessageSigner } from '../mime/builder.js';
import type { MailDocument } from '../mime/document.js';
import { whenRead } from '../reading.js';
import { keyFromRecord, keyRecordName } from './key-record.js';
import { builderSignOptionKeys, signatureRequests, signOptionKeys } from './sign-options.js';
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
  returns: 'MailMessage|string|none',
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
    const signing = signMessage(document.source, document.pieces(), requests, ctx.signal);
    return whenRead('signDKIM', signing, (fields) => {
      if (fields === undefined) return null;
      if (options.return_header) return fields.map(({ text }) => text).join('\r\n');
      addFields(document, fields);
      return receiver ?? null;
    });
  },
});

/** What a message in the making has for signatures. */
export interface SignableBuilder {
  readonly signers: MessageSigner[];
}

/** `MIME->signDKIM`. */
export const signDkimOfMimeMethod: Method = method<SignableBuilder>()({
  name: 'signDKIM',
  summary: 'Has the finished message signed with DKIM, in toString(), toFile(), queue() and send().',
  details: 'As `MailMessage->signDKIM`. Several calls make several signatures.',
  params: [...signParams, { name: 'options', type: 'options', optional: true, keys: builderSignOptionKeys }],
  returns: 'MIME|none',
  errors:
    'None as there; the message is then not going to be signed. An exception for options that make no sense.',
  source: 'stdlib 15, RFC 6376',
  example: `$m = MIME()->addHeader("From", "me@example.com")->signDKIM("s1", "example.com", "pki:example");
$signed = MailMessage::String($m->toString());
echo $signed->verifyDKIM($signed->getHeader("DKIM-Signature", ["field" => true]))["result"];  // pass`,
  run: (builder, selector, domain, key, options, ctx) => {
    const requests = signatureRequests(selector, domain, key, options, ctx);
    if (requests === undefined) return null;
    builder.signers.push(async (document, { signal }) => {
      const fields = await signMessage(document.source, document.pieces(), requests, signal);
      if (fields === undefined) throw new ScriptFault('signDKIM: the finished message could not be signed');
      addFields(document, fields);
    });
    return ctx.receiver ?? null;
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
  example: `$mail->signDKIM("s1", "example.com", "pki:example");
$signed = MailMessage::String($mail->toString());
echo $signed->verifyDKIM($signed->getHeader("DKIM-Signature", ["field" => true]))["result"];  // pass`,
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
    const checking = signatureProblem(self.document.source, signature, key, ctx.signal);
    const read = whenRead('verifyDKIM', checking, (problem) => problem);
    const problem = (yield wait(Promise.resolve(read))) as Awaited<typeof read>;
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
