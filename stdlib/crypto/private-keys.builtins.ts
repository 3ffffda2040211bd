// Private keys as resources: parsed once, kept in a variable of a module, used by the functions that sign.

import type { KeyObject } from 'node:crypto';
import { type Builtin, builtin, HslResource, type Value } from '#lang';
import { PRIVATE_KEY_RESOURCE } from '../loaders/certificates.js';
import { privateKeyBehind, privateKeyIn } from './keys.js';

const source = 'stdlib 6';

/** A kind of key: its word in our functions' names, its name for people, and what node:crypto calls it. */
interface Kind {
  readonly word: 'rsa' | 'ec' | 'ed25519';
  readonly title: string;
  readonly types: readonly string[];
  /** The forms of PEM that can hold one. */
  readonly labels: string;
}

const kinds: readonly Kind[] = [
  {
    word: 'rsa',
    title: 'RSA',
    types: ['rsa', 'rsa-pss'],
    labels: '`PRIVATE KEY` (PKCS#8) or `RSA PRIVATE KEY`',
  },
  {
    word: 'ec',
    title: 'elliptic curve',
    types: ['ec'],
    labels: '`PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY`',
  },
  { word: 'ed25519', title: 'Ed25519', types: ['ed25519'], labels: '`PRIVATE KEY` (PKCS#8)' },
];

/** Examples: the manual's files and, for RSA, its key. */
const FILES: Readonly<Record<Kind['word'], string>> = {
  rsa: 'example.key',
  ec: 'example-ec.key',
  ed25519: 'example-ed25519.key',
};

const isOf = ({ types }: Kind, key: KeyObject | undefined): boolean =>
  types.includes(key?.asymmetricKeyType ?? '');

function reader(kind: Kind): Builtin {
  return builtin({
    name: `${kind.word}_privatekey`,
    group: 'crypto',
    summary: `Reads an ${kind.title} private key in PEM.`,
    details: `Read it once and keep it in a variable of a module. The PEM is ${kind.labels}, without a passphrase.`,
    params: [{ name: 'pem', type: 'string' }],
    returns: 'resource|none',
    errors: 'None when the text holds no such key.',
    example: [
      `import $pem from "${FILES[kind.word]}";`,
      `echo is_${kind.word}_privatekey(${kind.word}_privatekey($pem));  // true`,
      `echo ${kind.word}_privatekey("no key") === none;  // true`,
    ].join('\n'),
    source,
    run: (pem) => {
      const key = privateKeyIn('pem', pem);
      return key !== undefined && isOf(kind, key) ? new HslResource(PRIVATE_KEY_RESOURCE, key) : null;
    },
  });
}

function predicate(kind: Kind): Builtin {
  return builtin({
    name: `is_${kind.word}_privatekey`,
    group: 'crypto',
    summary: `Says whether a value is an ${kind.title} private key, as ${kind.word}_privatekey and imports make them.`,
    params: [{ name: 'value', type: 'any' }],
    returns: 'boolean',
    example: [
      `import $key from "${FILES[kind.word]}" with ["resource" => true];`,
      `echo is_${kind.word}_privatekey($key);  // true`,
      `echo is_${kind.word}_privatekey("a text");  // false`,
    ].join('\n'),
    source,
    run: (value: Value) => value instanceof HslResource && isOf(kind, privateKeyBehind(value)),
  });
}

export const privateKeys: readonly Builtin[] = [...kinds.map(reader), ...kinds.map(predicate)];
