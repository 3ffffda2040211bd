// Address lists and tag lists of all kinds: reading them ends soon and never throws; what is found as an address is read
// as itself when it is written again, and with any name beside it; nothing that is written can leave its header field.

import { type ListedAddress, parseAddressList } from '../../stdlib/mail/addresses/address-list.js';
import { addressWithName, isWritableAddress } from '../../stdlib/mail/addresses/write-address-list.js';
import { parseTagList } from '../../stdlib/mail/headers/tag-list.js';
import { SeededRandom } from './random.js';

export interface AddressFuzzCounts {
  lists: number;
  addresses: number;
  tagLists: number;
}

/** No list here is longer than a few kilobytes. */
const MOST_MILLISECONDS = 1000;

const pieces = [
  'bob@example.com',
  'a',
  'b c',
  '@',
  '@x',
  '.',
  ' ',
  '\r\n ',
  '\n',
  '\0',
  ',',
  ';',
  ':',
  '<',
  '>',
  '<bob@x>',
  '<@a,@b:c@d>',
  '"',
  '\\',
  '"q,\\"q"',
  '(',
  ')',
  '(c(d)\\))',
  '[',
  ']',
  '[192.0.2.1]',
  '=?utf-8?q?=C3=A5,_b?=',
  '=?x?b?!!?=',
  '=?',
  '?=',
  'mailto:',
  'group: a@x, b@y;',
  '\xc3\xa5',
  '\xff',
  '\x7f',
];

const tagPieces = [
  'v=1',
  'a',
  '=',
  ';',
  ' ',
  '\r\n ',
  '\t',
  'b=x y',
  '_',
  '0',
  '\0',
  '\xff',
  'h=a:b',
  '\n',
  '\r',
];

function textOf(random: SeededRandom, from: readonly string[]): string {
  let text = '';
  for (let count = random.below(random.chance(0.05) ? 2000 : 25); count > 0; count--)
    text += random.pick(from);
  return text;
}

function checkAddress({ address, name }: ListedAddress): void {
  if (address === '') throw new Error('an empty address was found');
  // A quoted local part may hold control characters; they are found, but never written.
  if (/[\x00-\x1f\x7f]/.test(address)) return;
  if (!isWritableAddress(address)) throw new Error(`${JSON.stringify(address)} is read as something else`);
  const written = addressWithName(name, address);
  if (/[\r\n]/.test(written)) throw new Error(`${JSON.stringify(name)} leaves its field`);
  const read = parseAddressList(`first@x, ${written}, last@x`)!.addresses.map((one) => one.address);
  if (read.length !== 3 || read[0] !== 'first@x' || read[1] !== address || read[2] !== 'last@x')
    throw new Error(`${JSON.stringify(written)} is read as ${JSON.stringify(read)}`);
}

function checkTagList(text: string): void {
  const tags = parseTagList(text);
  if (tags === undefined) return;
  const again = parseTagList([...tags].map(([name, value]) => `${name}=${value}`).join('; '));
  if (JSON.stringify([...(again ?? [])]) !== JSON.stringify([...tags]))
    throw new Error('the tags change when written');
}

/** Runs for `seconds`, or `count` lists. @throws with seed, number and text of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<AddressFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: AddressFuzzCounts = { lists: 0, addresses: 0, tagLists: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.lists < count && performance.now() < deadline) {
    const text = textOf(random, pieces);
    const tagText = textOf(random, tagPieces);
    try {
      const begin = performance.now();
      const { addresses } = parseAddressList(text)!;
      if (performance.now() - begin > MOST_MILLISECONDS) throw new Error('it took too long');
      for (const listed of addresses) checkAddress(listed);
      counts.addresses += addresses.length;
      checkTagList(tagText);
    } catch (error) {
      const shown = JSON.stringify([text, tagText]);
      throw new Error(`seed ${seed}, list ${counts.lists}: ${shown}`, { cause: error });
    }
    counts.lists++;
    counts.tagLists++;
  }
  return counts;
}
