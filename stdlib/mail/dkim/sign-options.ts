// The arguments of signDKIM, in the four places where they stand: the method of a message, the builder's, the entries of
// `additional_signatures`, and the queue's option for signed notifications. They all end as SignatureRequests here.
//
// What may come from the message being signed (domain, selector, key, identity) makes "no signature" when it is no good;
// an option that can only be a mistake of the script is an exception.

import { type CallContext, HslArray, type OptionKeys, ScriptFault, typeWord, type Value } from '#lang';
import { ed25519PrivateKey, privateKeyOf } from '../../crypto/keys.js';
import { domainToAscii } from '../../encodings/idna.js';
import { servicesOf } from '../../services.js';
import { isFieldName } from '../mime/header-text.js';
import { type Algorithm, type Canonicalization, isTagDomain, isWithin } from './signature-tags.js';
import { isKeyFor, MOST_ARC_INSTANCES, type SignatureRequest } from './signer.js';

/** What RFC 6376 §5.4.1 recommends to sign. */
const recommendedHeaders: readonly string[] = [
  'from',
  'reply-to',
  'subject',
  'date',
  'to',
  'cc',
  'resent-date',
  'resent-from',
  'resent-to',
  'resent-cc',
  'in-reply-to',
  'references',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
];
/** An ARC-Message-Signature covers the signatures that are there, too (RFC 8617 §4.1.2). */
const recommendedArcHeaders: readonly string[] = [...recommendedHeaders, 'dkim-signature'];

/** More signatures in one call are a mistake. */
const MOST_ADDITIONAL = 16;

const canonicalizations = ['relaxed', 'simple'] as const;

/** Options that each signature of a call may have its own of. */
export const signatureOptionKeys = {
  canonicalization_header: {
    type: 'string',
    default: 'relaxed',
    oneOf: canonicalizations,
    doc: 'How much the header fields may change on the way.',
  },
  canonicalization_body: {
    type: 'string',
    default: 'relaxed',
    oneOf: canonicalizations,
    doc: 'How much the body may change on the way.',
  },
  algorithm: {
    type: 'string',
    default: 'rsa-sha256',
    oneOf: ['rsa-sha256', 'rsa-sha1', 'ed25519-sha256'],
    doc: 'It must fit the key. Nobody should trust `rsa-sha1` any more (RFC 8301).',
  },
  headers: {
    type: 'array',
    doc: 'Names of the fields to sign. Default: those that RFC 6376 §5.4.1 recommends. From is always signed.',
  },
  additional_headers: { type: 'array', doc: 'Names of fields to sign besides `headers`.' },
  oversign_headers: {
    type: 'array',
    doc: 'Names listed once more than they occur, so that none can be added. Default: `["from"]`.',
  },
  timestamp: {
    type: 'boolean|number',
    default: false,
    doc: 'The time of signing (t=): `true` for now, or Unix time.',
  },
  expiration: { type: 'number|none', doc: 'The end of validity as Unix time (x=).' },
  expiration_relative: {
    type: 'number|none',
    doc: 'The same in seconds after the timestamp, or after now without one. `expiration` goes before it.',
  },
  identity: {
    type: 'string|none',
    doc: 'On whose behalf (i=): an address or `@domain`, the domain equal to or below the signing one.',
  },
  body_length: {
    type: 'boolean|number',
    default: false,
    doc: 'Sign only the first bytes of the canonical body and say how many (l=): a number, or `true` for all there are now. Anybody can then append to the message.',
  },
  id: {
    type: 'boolean|none',
    doc: 'Whether `key` is the id of a configured key. Default: if it is not a key itself.',
  },
  arc: {
    type: 'boolean|number',
    default: false,
    doc: 'Make an ARC-Message-Signature (RFC 8617) of this instance, with `true` of the next one.',
  },
  discard_changes: { type: 'boolean', default: false, doc: 'Sign the message as it was received.' },
} as const satisfies OptionKeys;

/** The options of signDKIM on a message being built. */
export const builderSignOptionKeys = {
  ...signatureOptionKeys,
  additional_signatures: {
    type: 'array',
    doc: 'Further signatures, made together with the first: a list of arrays with `selector`, `domain`, `key` and any of these options; what is left out is as in the call.',
  },
} as const satisfies OptionKeys;

/** The options of signDKIM on a message. */
export const signOptionKeys = {
  ...builderSignOptionKeys,
  return_header: {
    type: 'boolean',
    default: false,
    doc: 'Give the signature field as text, name included, instead of adding it; several are joined by CRLF.',
  },
} as const satisfies OptionKeys;

type Options = Readonly<Record<string, Value | undefined>>;

/**
 * All signatures that a call asks for, the first one first; undefined when one of them cannot be made.
 * @throws ScriptFault for a mistake in the options
 */
export function signatureRequests(
  selector: string,
  domain: string,
  key: Value,
  options: Options,
  ctx: CallContext,
): readonly SignatureRequest[] | undefined {
  const where = (name: string) => `option "${name}" of signDKIM`;
  const main = signatureRequest(selector, domain, key, options, ctx, where);
  const further = options['additional_signatures'];
  if (!(further instanceof HslArray)) return main === undefined ? undefined : [main];
  if (further.length > MOST_ADDITIONAL)
    throw new ScriptFault(
      `${where('additional_signatures')} has ${further.length} entries; at most ${MOST_ADDITIONAL} are made`,
    );
  const requests = [main];
  let place = 0;
  for (const entry of further.values()) {
    const here = (name: string) => `"${name}" in entry ${place} of ${where('additional_signatures')}`;
    if (!(entry instanceof HslArray))
      throw new ScriptFault(
        `entry ${place} of ${where('additional_signatures')} must be an array, not ${describe(entry)}`,
      );
    requests.push(
      signatureRequest(
        takeValue(entry.get('selector'), 'string', here('selector')) as string,
        takeValue(entry.get('domain'), 'string', here('domain')) as string,
        takeValue(entry.get('key'), 'string|resource', here('key')),
        ownOptions(entry, options, here),
        ctx,
        here,
      ),
    );
    place++;
  }
  return requests.every((request) => request !== undefined) ? requests : undefined;
}

/** What signDKIM does when a script says nothing. */
const defaultOptions: Options = Object.fromEntries(
  Object.entries(signatureOptionKeys).map(([name, key]) => [
    name,
    'default' in key ? key.default : undefined,
  ]),
);

/**
 * The signatures that one array asks for: `selector`, `domain`, `key` and any option of signDKIM; undefined when one of them
 * cannot be made. `what` names the array in errors.
 * @throws ScriptFault for a mistake in the options
 */
export function signatureRequestsOfArray(
  entry: HslArray,
  what: string,
  ctx: CallContext,
): readonly SignatureRequest[] | undefined {
  const here = (name: string) => `"${name}" in ${what}`;
  const further = entry.get('additional_signatures') ?? null;
  return signatureRequests(
    takeValue(entry.get('selector'), 'string', here('selector')) as string,
    takeValue(entry.get('domain'), 'string', here('domain')) as string,
    takeValue(entry.get('key'), 'string|resource', here('key')),
    {
      ...ownOptions(entry, defaultOptions, here),
      ...(further === null
        ? undefined
        : { additional_signatures: takeValue(further, 'array', here('additional_signatures')) }),
    },
    ctx,
  );
}

/** An entry's options, checked as the call's were; what it leaves out is the call's. */
function ownOptions(entry: HslArray, options: Options, here: (name: string) => string): Options {
  const own: Record<string, Value | undefined> = { ...options };
  for (const [name, { type, ...rest }] of Object.entries(signatureOptionKeys)) {
    const value = entry.get(name);
    if (value === undefined || (value === null && !type.split('|').includes('none'))) continue;
    own[name] = takeValue(value, type, here(name));
    const oneOf: readonly Value[] | undefined = 'oneOf' in rest ? rest.oneOf : undefined;
    if (oneOf !== undefined && !oneOf.includes(value))
      throw new ScriptFault(
        `${here(name)} must be one of ${oneOf.map((one) => `"${String(one)}"`).join(', ')}`,
      );
  }
  // A time of its own replaces the call's, whichever way that one was given.
  if (entry.get('expiration_relative') !== undefined && entry.get('expiration') === undefined)
    own['expiration'] = null;
  return own;
}

function takeValue(value: Value | undefined, type: string, what: string): Value {
  if (value !== undefined && type.split('|').includes(typeWord(value))) return value;
  throw new ScriptFault(
    `${what} ${value === undefined ? 'is missing; expected' : `is ${describe(value)}; expected`} ${type.replaceAll('|', ' or ')}`,
  );
}

function describe(value: Value): string {
  const word = typeWord(value);
  return word === 'none' ? word : `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

function signatureRequest(
  selector: string,
  domain: string,
  key: Value,
  options: Options,
  ctx: CallContext,
  where: (name: string) => string,
): SignatureRequest | undefined {
  const algorithm = options['algorithm'] as Algorithm;
  const now = Math.floor(ctx.host.clock.now());
  const timestamp = readTimestamp(options['timestamp'], now, where('timestamp'));
  const expiration = readExpiration(options, timestamp ?? now, where);
  const arc = readArc(options['arc'], where('arc'));
  const headers = readNames(options['headers'], where('headers'));
  const oversigned = readNames(options['oversign_headers'], where('oversign_headers')) ?? ['from'];
  const additional = readNames(options['additional_headers'], where('additional_headers')) ?? [];
  const identity = options['identity'];
  if (arc !== undefined && typeof identity === 'string')
    throw new ScriptFault(
      `${where('identity')}: an ARC-Message-Signature has no identity; i= is its instance`,
    );
  const bodyLength = readBodyLength(options['body_length'], where('body_length'));

  const signingDomain = asciiName(domain);
  const signingSelector = asciiName(selector);
  const signingKey = keyOf(key, options['id'] ?? null, algorithm, ctx);
  if (signingDomain === undefined || signingSelector === undefined || signingKey === undefined)
    return undefined;
  if (typeof identity === 'string' && !isIdentity(identity, signingDomain)) return undefined;
  const recommended = arc === undefined ? recommendedHeaders : recommendedArcHeaders;
  // ARC-Seal must not be in an ARC-Message-Signature (RFC 8617 §4.1.2).
  const isSignable = (name: string) => arc === undefined || name !== 'arc-seal';
  return {
    selector: signingSelector,
    domain: signingDomain,
    key: signingKey,
    algorithm,
    headerCanonicalization: options['canonicalization_header'] as Canonicalization,
    bodyCanonicalization: options['canonicalization_body'] as Canonicalization,
    headers: [...(headers ?? recommended), ...additional].filter(isSignable),
    oversignHeaders: oversigned.filter(isSignable),
    timestamp,
    expiration,
    identity: typeof identity === 'string' ? identity : undefined,
    bodyLength,
    arc,
    discardChanges: options['discard_changes'] === true,
  };
}

function keyOf(key: Value, id: Value, algorithm: Algorithm, ctx: CallContext) {
  const found = findKey(key, id, algorithm, ctx);
  return found !== undefined && isKeyFor(algorithm, found) ? found : undefined;
}

function findKey(key: Value, id: Value, algorithm: Algorithm, ctx: CallContext) {
  if (id === true || typeof key !== 'string' || key.includes('-----BEGIN '))
    return privateKeyOf(key, ctx, id === true);
  const configured = id === false ? undefined : servicesOf(ctx).configured.key(key)?.key;
  if (configured !== undefined) return configured;
  // The raw form that ed25519_sign takes.
  if (algorithm === 'ed25519-sha256') {
    const raw = ed25519PrivateKey(key);
    if (raw !== undefined) return raw;
  }
  return privateKeyOf(key, ctx);
}

/** A domain or selector as it stands in the signature and is asked for in DNS; undefined when it can do neither. */
function asciiName(name: string): string | undefined {
  if (!isTagDomain(name)) return undefined;
  return /[\x80-\xff]/.test(name) ? domainToAscii(name) : name;
}

function isIdentity(identity: string, domain: string): boolean {
  const at = identity.lastIndexOf('@');
  const name = identity.slice(at + 1);
  return at !== -1 && isTagDomain(name) && isWithin(name, domain);
}

function readTimestamp(value: Value | undefined, now: number, what: string): number | undefined {
  if (typeof value !== 'number') return value === true ? now : undefined;
  return checkedTime(value, what);
}

function readExpiration(options: Options, from: number, where: (name: string) => string): number | undefined {
  const absolute = options['expiration'];
  if (typeof absolute === 'number') {
    const time = checkedTime(absolute, where('expiration'));
    if (time <= from && typeof options['timestamp'] !== 'boolean')
      throw new ScriptFault(`${where('expiration')} is ${time}; expected a time after the timestamp ${from}`);
    return time;
  }
  const seconds = options['expiration_relative'];
  if (typeof seconds !== 'number') return undefined;
  if (!(seconds >= 1))
    throw new ScriptFault(`${where('expiration_relative')} is ${seconds}; expected seconds from 1`);
  return checkedTime(from + seconds, where('expiration_relative'));
}

/** Whole seconds with at most 12 digits (RFC 6376 §3.5). */
function checkedTime(value: number, what: string): number {
  if (!(value >= 0 && value < 1e12))
    throw new ScriptFault(`${what} is ${value}; expected Unix time in seconds`);
  return Math.floor(value);
}

function readArc(value: Value | undefined, what: string): number | 'next' | undefined {
  if (typeof value !== 'number') return value === true ? 'next' : undefined;
  if (!Number.isInteger(value) || value < 1 || value > MOST_ARC_INSTANCES)
    throw new ScriptFault(`${what} is ${value}; expected an instance from 1 to ${MOST_ARC_INSTANCES}`);
  return value;
}

function readBodyLength(value: Value | undefined, what: string): number | undefined {
  if (typeof value !== 'number') return value === true ? Number.POSITIVE_INFINITY : undefined;
  if (!(value >= 0)) throw new ScriptFault(`${what} is ${value}; expected bytes from 0`);
  return Math.floor(value);
}

function readNames(value: Value | undefined, what: string): string[] | undefined {
  if (!(value instanceof HslArray)) return undefined;
  const names: string[] = [];
  for (const name of value.values()) {
    if (typeof name !== 'string' || !isFieldName(name))
      throw new ScriptFault(
        `${what} has ${typeof name === 'string' ? `"${name}"` : describe(name)} in it; expected header names`,
      );
    // A semicolon may stand in a field's name, but would end h=.
    if (name.includes(';'))
      throw new ScriptFault(`${what}: "${name}" cannot be signed; a semicolon would end h=`);
    names.push(name.toLowerCase());
  }
  return names;
}
