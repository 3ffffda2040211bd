// Keys, their records, and signDKIM and verifyDKIM called as scripts call them.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type HslArray, HslObject, type Value } from '#lang';
import { checkedMethod } from '../../../../lang/vm/checked-builtin.js';
import type { DnsAnswer, Question } from '../../../../stdlib/dns/resolver.js';
import {
  type SignableMessage,
  signDkimMethod,
  verifyDkimMethod,
} from '../../../../stdlib/mail/dkim/dkim.builtins.js';
import { MailMessage } from '../../../../stdlib/mail/mail-message.builtins.js';
import { bytesToSource, MailDocument } from '../../../../stdlib/mail/mime/document.js';
import { ed25519Key, rsaKey } from '../../../support/example-world/keys.js';
import { FakeContext, toValue } from '../../../support/fake-context.js';

export const rsaPem = rsaKey;
export const ed25519Pem = ed25519Key;

export function pem(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

/** The record that publishes a key. */
export function recordOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return key.asymmetricKeyType === 'ed25519'
    ? `v=DKIM1; k=ed25519; p=${der.subarray(-32).toString('base64')}`
    : `v=DKIM1; k=rsa; p=${der.toString('base64')}`;
}

/** What can be looked up: `rsa` and `ed` at example.com. */
export const zone: Readonly<Record<string, string>> = {
  'rsa._domainkey.example.com': recordOf(createPrivateKey(rsaKey)),
  'ed._domainkey.example.com': recordOf(createPrivateKey(ed25519Key)),
};

export const message = Buffer.from(
  'Received: by mx.example.org\r\nFrom: A <a@example.com>\r\nTo: b@example.org\r\nSubject: Hello\r\n\r\nHi.\r\n\r\nBye  bye.\r\n',
);

/** A context whose resolver knows a zone. */
export function contextWith(records: Readonly<Record<string, string | DnsAnswer>> = zone): FakeContext {
  return new FakeContext({
    services: {
      network: {
        mailClient: undefined,
        backgroundRequests: undefined,
        submission: undefined,
        resolver: {
          query: async ({ name }: Question): Promise<DnsAnswer> => {
            const found = records[name.toLowerCase()];
            if (found === undefined) return { kind: 'failure', error: 'NXDOMAIN', isSecure: false };
            if (typeof found !== 'string') return found;
            return {
              kind: 'records',
              records: [{ type: 'txt', text: found, ttlSeconds: 60 }],
              canonicalName: name,
              isSecure: false,
            };
          },
          close: () => {},
        },
      },
    },
  });
}

export function documentOf(bytes: Buffer): MailDocument {
  return new MailDocument(bytesToSource(bytes));
}

/** Calls signDKIM. @returns what it gives: the object when it is "this" */
export async function signDkim(
  document: MailDocument,
  selector: Value,
  domain: Value,
  key: Value,
  options: Readonly<Record<string, unknown>> = {},
  ctx = contextWith(),
): Promise<Value> {
  const state: SignableMessage = { document };
  ctx.receiver = new HslObject(MailMessage, undefined, state);
  const checked = checkedMethod(MailMessage, signDkimMethod);
  const args = checked.check([selector, domain, key, toValue(options)], ctx.host);
  return (await checked.run(state, ...args, ctx)) as Value;
}

/** Signs and gives the message with its signature. */
export async function signedBytes(
  bytes: Buffer,
  selector: string,
  key: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Buffer> {
  const document = documentOf(bytes);
  const result = await signDkim(document, selector, 'example.com', key, options);
  if (result === null) throw new Error('the message was not signed');
  return document.toBytes();
}

/** Calls verifyDKIM. */
export async function verifyDkim(
  document: MailDocument,
  field: string,
  options: Readonly<Record<string, unknown>> = {},
  ctx = contextWith(),
): Promise<{ result: string; error: string | undefined; tags: HslArray | undefined }> {
  const checked = checkedMethod(MailMessage, verifyDkimMethod);
  const args = checked.check([field, toValue(options)], ctx.host);
  const steps = checked.run({ document }, ...args, ctx) as Generator<
    { kind: string; promise: Promise<unknown>; fn: { target: (...args: Value[]) => Value }; args: Value[] },
    HslArray,
    unknown
  >;
  let step = steps.next();
  while (!step.done) {
    const { kind, promise, fn, args: given } = step.value;
    step = steps.next(kind === 'wait' ? await promise : fn.target(...given));
  }
  const verdict = step.value;
  return {
    result: verdict.get('result') as string,
    error: verdict.get('error') as string | undefined,
    tags: verdict.get('tags') as HslArray | undefined,
  };
}

/** The raw DKIM-Signature (or other) fields of a message, top first. */
export function fieldsOf(bytes: Buffer, name = 'dkim-signature'): string[] {
  return documentOf(bytes).root.fields(name, { wholeField: true, decode: false });
}

/** Verifies all DKIM signatures of a message. */
export async function verdicts(
  bytes: Buffer,
  records?: Readonly<Record<string, string | DnsAnswer>>,
): Promise<string[]> {
  const document = documentOf(bytes);
  const results: string[] = [];
  for (const field of fieldsOf(bytes)) {
    const { result, error } = await verifyDkim(document, field, {}, contextWith(records));
    results.push(error === undefined ? result : `${result}: ${error}`);
  }
  return results;
}
