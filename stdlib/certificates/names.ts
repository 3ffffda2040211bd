// Names in certificates: distinguished names (RFC 5280 §4.1.2.4) as lists of pairs, and alternative names (§4.2.1.6).

import { context, type DerElement, MalformedDer, readElement, readOid, tags } from './der-reader.js';

/** A part of a distinguished name: `["CN", "mx.example.com"]`; the value is UTF-8. */
export type NamePart = readonly [name: string, value: string];

/** What OpenSSL calls them, too; any other is its object identifier. */
const attributeNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.13': 'description',
  '2.5.4.15': 'businessCategory',
  '2.5.4.16': 'postalAddress',
  '2.5.4.17': 'postalCode',
  '2.5.4.41': 'name',
  '2.5.4.42': 'GN',
  '2.5.4.43': 'initials',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.3': 'mail',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '1.3.6.1.4.1.311.60.2.1.1': 'jurisdictionL',
  '1.3.6.1.4.1.311.60.2.1.2': 'jurisdictionST',
  '1.3.6.1.4.1.311.60.2.1.3': 'jurisdictionC',
};

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A text of any of ASN.1's string types as UTF-8 bytes; another type as `#` and its DER in hex (RFC 4514 §2.4). */
function textOf(element: DerElement): string {
  const { content } = element;
  switch (element.tag) {
    case tags.t61String:
      // Nobody writes T.61: it is Latin-1 in disguise.
      return utf8(content.toString('latin1'));
    case tags.bmpString:
      return content.length % 2 === 0
        ? utf8(Buffer.from(content).swap16().toString('utf16le'))
        : hexOf(element);
    case tags.universalString:
      return universalText(content) ?? hexOf(element);
    case tags.utf8String:
    case tags.printableString:
    case tags.ia5String:
    case 0x12: // NumericString
    case 0x1a: // VisibleString
      return content.toString('latin1');
    default:
      return hexOf(element);
  }
}

const hexOf = ({ raw }: DerElement): string => `#${raw.toString('hex')}`;

function universalText(content: Buffer): string | undefined {
  if (content.length % 4 !== 0) return undefined;
  let text = '';
  for (let at = 0; at < content.length; at += 4) {
    const point = content.readUInt32BE(at);
    if (point > 0x10ffff) return undefined;
    text += String.fromCodePoint(point);
  }
  return utf8(text);
}

function* attributesOf(name: DerElement): Generator<readonly [string, DerElement], undefined> {
  for (const set of name.expect(tags.sequence).children())
    for (const pair of set.expect(tags.set).children()) {
      const fields = pair.expect(tags.sequence).fields();
      yield [readOid(fields.next()), fields.next()];
    }
  return undefined;
}

/** A distinguished name, in the order in which it is written. */
export function readName(name: DerElement): NamePart[] {
  return Array.from(
    attributesOf(name),
    ([oid, value]) => [attributeNames[oid] ?? oid, textOf(value)] as const,
  );
}

/** A text that two distinguished names share when they are the same: case and runs of blanks do not count (§7.1). */
export function comparableName(name: DerElement): string {
  const parts = Array.from(attributesOf(name), ([oid, value]) => {
    const text = textOf(value).trim().replace(/ +/g, ' ');
    return [oid, text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())];
  });
  return JSON.stringify(parts);
}

/** One alternative name: its kind, as OpenSSL writes it, and the value. */
export type AlternativeName =
  | { readonly kind: 'DNS' | 'email' | 'URI' | 'IP' | 'RID'; readonly value: string }
  | { readonly kind: 'DirName'; readonly value: readonly NamePart[] }
  | { readonly kind: 'otherName'; readonly oid: string; readonly value: Buffer };

/** One alternative name; undefined for the kinds that nobody uses (X.400 addresses, EDI parties). */
function readGeneralName(name: DerElement): AlternativeName | undefined {
  switch (name.tag) {
    case context(0): {
      const fields = name.fields();
      const oid = readOid(fields.next());
      return { kind: 'otherName', oid, value: fields.next(context(0)).content };
    }
    case context(1, true):
      return { kind: 'email', value: name.content.toString('latin1') };
    case context(2, true):
      return { kind: 'DNS', value: name.content.toString('latin1') };
    case context(4):
      return { kind: 'DirName', value: readName(name.inner()) };
    case context(6, true):
      return { kind: 'URI', value: name.content.toString('latin1') };
    case context(7, true):
      return { kind: 'IP', value: addressOf(name.content) };
    case context(8, true):
      return { kind: 'RID', value: registeredId(name) };
    default:
      return undefined;
  }
}

function registeredId({ content }: DerElement): string {
  const element = Buffer.concat([Buffer.from([tags.oid, content.length & 0x7f]), content]);
  return readOid(readWholeOid(element));
}

function readWholeOid(bytes: Buffer): DerElement {
  const element = readElement(bytes);
  if (element.end !== bytes.length) throw new MalformedDer('no object identifier');
  return element;
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new MalformedDer('no IP address');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':');
  // RFC 5952: the longest run of two or more zero groups is left out, the first of several.
  const runs = [...groups.matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)].map(([text]) => text);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return groups;
  const at = groups.search(new RegExp(`(?:^|:)${longest}(?:$|:)`));
  const before = groups.slice(0, at);
  const after = groups.slice(at).replace(new RegExp(`^:?${longest}:?`), '');
  return `${before}::${after}`;
}

/** The value of a subjectAltName extension. @throws MalformedDer */
export function readAlternativeNames(value: DerElement): AlternativeName[] {
  return [...value.expect(tags.sequence).children()].flatMap((name) => readGeneralName(name) ?? []);
}
