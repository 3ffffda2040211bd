// Addresses of envelopes and header fields, and tag lists (stdlib 11).

import { type Builtin, builtin, HslArray, ScriptFault, type Value } from '#lang';
import { reserveElements } from '../limits.js';
import { olderName } from '../older-name.js';
import { parseAddressList } from './addresses/address-list.js';
import { isLocalPart, quoteLocalPart, textToMailbox } from './addresses/mailbox.js';
import { addressWithName, isWritableAddress } from './addresses/write-address-list.js';
import { addressToValue } from './envelope-values.js';
import { parseTagList } from './headers/tag-list.js';
import { valueOfField } from './headers/whole-field.js';
import { decodeValue } from './mime/header-text.js';

const fieldOption = {
  type: 'boolean',
  default: false,
  doc: 'The value is a whole field, `Name: value`.',
} as const;

export const envelopeAddressParse = builtin({
  name: 'envelope_address_parse',
  group: 'mail',
  summary: 'Takes an envelope address apart.',
  details: 'A quoted local part comes without its quotes; `envelope_localpart_escape` puts them back.',
  params: [{ name: 'address', type: 'string', doc: '`local@domain`, without angle brackets.' }],
  returns: 'array|none',
  errors: 'none for what is no mailbox; the empty address is none too.',
  since: '5.3',
  source: 'stdlib 11, RFC 5321 §4.1.2',
  pure: true,
  example:
    'envelope_address_parse("user@example.com")  // {"localpart":"user","domain":"example.com"}\n' +
    'envelope_address_parse("not an address")  // null',
  run: (address) => {
    const mailbox = textToMailbox(address);
    return mailbox === undefined ? null : addressToValue(mailbox);
  },
});

export const envelopeLocalpartEscape = builtin({
  name: 'envelope_localpart_escape',
  group: 'mail',
  summary: 'Writes the local part of an envelope address, quoted where it must be.',
  params: [{ name: 'localpart', type: 'string' }],
  returns: 'string',
  errors: 'An exception for control characters: no address can hold them.',
  since: '5.3',
  source: 'stdlib 11, RFC 5321 §4.1.2',
  pure: true,
  example:
    'envelope_localpart_escape("john doe")  // "\\"john doe\\""\n' +
    'envelope_localpart_escape("john.doe+x")  // "john.doe+x"',
  run: (localPart) => {
    if (!isLocalPart(localPart))
      throw new ScriptFault(
        'argument 1 (localpart) of envelope_localpart_escape has a control character; no address can hold one',
      );
    return quoteLocalPart(localPart);
  },
});

export const headerAddresslistExtract = builtin({
  name: 'header_addresslist_extract',
  group: 'mail',
  summary: 'The addresses in a header field such as From, To or Cc.',
  details:
    'Understands comments, quoted names, groups, routes and folded text; `,` and `;` both separate. What is no address among ' +
    'others is left out. A quoted local part keeps its quotes.',
  params: [
    { name: 'value', type: 'string' },
    {
      name: 'options',
      type: 'options',
      optional: true,
      keys: {
        field: fieldOption,
        name: {
          type: 'boolean',
          default: false,
          doc: 'Items are arrays of `name`, decoded to UTF-8, and `address`.',
        },
      },
    },
  ],
  returns: 'array|none',
  errors: 'none when there is text but no address in it, or more than 4 MiB, or `field` and no field.',
  since: '5.1',
  source: 'stdlib 11, RFC 5322 §3.4',
  example:
    'header_addresslist_extract("Bob <bob@example.com>, alice@example.org")  // ["bob@example.com","alice@example.org"]\n' +
    'header_addresslist_extract("From: Bob <bob@example.com>", ["field" => true, "name" => true])  // [{"name":"Bob","address":"bob@example.com"}]\n' +
    'header_addresslist_extract("undisclosed-recipients:;")  // []',
  run: (value, { field, name }, ctx) => {
    const text = field ? valueOfField(value) : value;
    const list = text === undefined ? undefined : parseAddressList(text);
    if (list === undefined || (list.addresses.length === 0 && list.unreadable > 0)) return null;
    reserveElements(ctx, 'header_addresslist_extract', list.addresses.length * (name ? 3 : 1));
    return HslArray.fromList(
      list.addresses.map((listed) =>
        name ? namedAddress(decodeValue(listed.name, undefined), listed.address) : listed.address,
      ),
    );
  },
});

function namedAddress(name: string, address: string): HslArray {
  const item = HslArray.empty();
  item.set('name', name);
  item.set('address', address);
  return item;
}

export const headerAddresslistCompile = builtin({
  name: 'header_addresslist_compile',
  group: 'mail',
  summary: 'Writes a list of addresses as the value of a header field.',
  details:
    'A name is quoted or made encoded words where it must be; an item without one is the bare address. An item may also be a ' +
    'text, which is an address. The result is not folded: `addHeader` does that.',
  params: [{ name: 'addresses', type: 'array', doc: 'A list of arrays with `name` and `address`.' }],
  returns: 'string',
  errors: 'An exception for an item without an address, or with one that cannot stand in a header field.',
  source: 'stdlib 11, RFC 5322 §3.4, RFC 2047 §5 (3)',
  example:
    'header_addresslist_compile([["name" => "Last, First", "address" => "lf@example.com"]])  // "\\"Last, First\\" <lf@example.com>"\n' +
    'header_addresslist_compile([["address" => "a@example.com"], ["address" => "b@example.com"]])  // "a@example.com, b@example.com"',
  run: (addresses) => addresses.toList().map(writeItem).join(', '),
});

function writeItem(item: Value, index: number): string {
  const where = `item ${index} of argument 1 (addresses) of header_addresslist_compile`;
  const address = item instanceof HslArray ? item.get('address') : item;
  const name = item instanceof HslArray ? (item.get('name') ?? '') : '';
  if (typeof address !== 'string' || typeof name !== 'string')
    throw new ScriptFault(`${where} must be an array with the strings "name" and "address"`);
  if (!isWritableAddress(address))
    throw new ScriptFault(
      `${where} has no address that can be written: ${JSON.stringify(address)}; expected local@domain`,
    );
  return addressWithName(name, address);
}

export const headerDkimDecode = builtin({
  name: 'header_dkim_decode',
  group: 'mail',
  summary: 'Takes a tag list apart: DKIM and ARC fields, DMARC and BIMI records.',
  details:
    'The keys come out sorted by tag name in byte order, whatever the order in the text. White space around values is ' +
    'removed, folding inside them undone.',
  params: [
    { name: 'value', type: 'string' },
    { name: 'options', type: 'options', optional: true, keys: { field: fieldOption } },
  ],
  returns: 'array|none',
  errors: 'none for what is no tag list, and for one that has a tag twice.',
  since: '5.1',
  source: 'stdlib 11, RFC 6376 §3.2',
  example:
    'header_dkim_decode("v=1; a=rsa-sha256; d=example.com")  // {"a":"rsa-sha256","d":"example.com","v":"1"}',
  run: (value, { field }) => {
    const text = field ? valueOfField(value) : value;
    const tags = text === undefined ? undefined : parseTagList(text);
    if (tags === undefined) return null;
    const result = HslArray.empty();
    for (const name of [...tags.keys()].sort()) result.set(name, tags.get(name)!);
    return result;
  },
});

/** The functions of section 11 that need no message. */
export const addressHelpers: readonly Builtin[] = [
  envelopeAddressParse,
  envelopeLocalpartEscape,
  headerAddresslistExtract,
  headerAddresslistCompile,
  headerDkimDecode,
  olderName('GetAddressList', headerAddresslistExtract),
];
