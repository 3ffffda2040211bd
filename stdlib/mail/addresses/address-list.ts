// Lists of addresses in header fields (RFC 5322 §3.4), read as they come: comments, quoted names, groups, routes, folding,
// and what mailers make of them (`;` between addresses, missing commas, quotes that never end). One pass, whatever the
// text holds: a quote or comment that does not end is an ordinary character, and so is every later one.
//
// An address is given as written, but without blanks and comments around its parts; a quoted local part keeps its quotes, so
// that two different mailboxes never look alike. A name is given without quotes; encoded words in it are left to the caller.

import { readComment, readQuoted } from './quoted-text.js';

/** One address of a list. */
export interface ListedAddress {
  /** As displayed, still with its encoded words; the comment when there is no other name; empty when there is none. */
  readonly name: string;
  /** `local@domain`; a bare local part only where it stood in angle brackets. */
  readonly address: string;
  /** The group it is a member of, if any. */
  readonly group: string | undefined;
}

/** What came of reading a list. */
export interface AddressList {
  readonly addresses: readonly ListedAddress[];
  /** How many items held text but no address. */
  readonly unreadable: number;
}

/** Longer texts are not read: a header line of 1 MB is already far beyond what anybody sends. */
export const LONGEST_ADDRESS_LIST = 4 * 1024 * 1024;

/** Reads a list of addresses; undefined when the text is longer than any list. */
export function parseAddressList(text: string): AddressList | undefined {
  return text.length > LONGEST_ADDRESS_LIST ? undefined : new ListReader(text).read();
}

interface Token {
  /** `special` is a character that has no business where it stands. */
  readonly kind: 'text' | 'quoted' | 'encoded' | 'literal' | 'at' | 'special';
  /** As shown in a name. */
  readonly shown: string;
  /** As written, which is what an address is made of. */
  readonly source: string;
  readonly hasBlankBefore: boolean;
}

const BLANKS = /[\x00-\x20\x7f]+/y;
const TEXT = /[^\x00-\x20\x7f"(),:;<>@[\\]+/y;
/** Careless encoders leave in it what separates items. */
const ENCODED_WORD = /=\?[^?\s]{1,80}\?[bBqQ]\?[^?\s]*\?=/y;
const DOMAIN_LITERAL = /\[[^[\]\s,;<>()"\\]*\]/y;

class ListReader {
  readonly #text: string;
  readonly #addresses: ListedAddress[] = [];
  #unreadable = 0;
  #at = 0;
  #canQuote = true;
  #canComment = true;
  #hasBlank = false;
  #group: string | undefined;

  // The item that is being read: its tokens so far (those of the address, inside angle brackets), the last comment, and
  // the address whose bracket is closed already.
  #tokens: Token[] = [];
  #hasAt = false;
  #comment = '';
  #isInAngle = false;
  #nameBeforeAngle = '';
  #isAnswered = false;
  #answer: { readonly name: string; readonly address: string } | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  read(): AddressList {
    while (this.#at < this.#text.length) this.#step();
    this.#endItem();
    return { addresses: this.#addresses, unreadable: this.#unreadable };
  }

  #step(): void {
    if (this.#take(BLANKS) !== undefined) {
      this.#hasBlank = true;
      return;
    }
    switch (this.#text[this.#at]) {
      case '"':
        this.#quoted();
        break;
      case '(':
        this.#commented();
        break;
      case '[':
        if (!this.#matched(DOMAIN_LITERAL, 'literal')) this.#character('special');
        break;
      case '@':
        this.#character('at');
        break;
      case '<':
        this.#openAngle();
        break;
      case '>':
        if (this.#isInAngle) this.#closeAngle(1);
        else this.#character('special');
        break;
      case ':':
        this.#colon();
        break;
      case ',':
        this.#comma();
        break;
      case ';':
        this.#endItem();
        this.#group = undefined;
        this.#at++;
        break;
      default:
        // Nothing else begins with `=?` and ends with `?=`.
        if (!this.#matched(ENCODED_WORD, 'encoded') && !this.#matched(TEXT, 'text'))
          this.#character('special');
    }
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #matched(pattern: RegExp, kind: Token['kind']): boolean {
    const text = this.#take(pattern);
    if (text === undefined) return false;
    this.#push(kind, text, text);
    return true;
  }

  #character(kind: 'at' | 'special'): void {
    const character = this.#text[this.#at++]!;
    this.#push(kind, character, character);
  }

  #push(kind: Token['kind'], shown: string, source: string): void {
    this.#tokens.push({ kind, shown, source, hasBlankBefore: this.#hasBlank });
    this.#hasAt ||= kind === 'at';
    this.#hasBlank = false;
  }

  #clearTokens(): void {
    this.#tokens = [];
    this.#hasAt = false;
  }

  #quoted(): void {
    const quoted = this.#canQuote ? readQuoted(this.#text, this.#at) : undefined;
    if (quoted === undefined) {
      this.#canQuote = false;
      this.#character('special');
    } else {
      this.#at = quoted.end;
      this.#push('quoted', quoted.shown, quoted.source);
    }
  }

  #commented(): void {
    const comment = this.#canComment ? readComment(this.#text, this.#at) : undefined;
    if (comment === undefined) {
      this.#canComment = false;
      this.#character('special');
    } else {
      this.#at = comment.end;
      if (comment.shown !== '') this.#comment = comment.shown;
      this.#hasBlank = true;
    }
  }

  #openAngle(): void {
    this.#at++;
    this.#hasBlank = false;
    if (!this.#isInAngle) {
      // Without a comma between them: `a <a@x> b <b@x>`.
      this.#giveAnswer();
      this.#nameBeforeAngle = nameOf(this.#tokens);
      this.#isInAngle = true;
    }
    this.#clearTokens();
  }

  #closeAngle(width: 0 | 1): void {
    this.#at += width;
    const address = addressInAngle(this.#tokens);
    if (address === undefined) this.#unreadable++;
    else if (address !== '') this.#answer = { name: this.#nameBeforeAngle, address };
    this.#isAnswered = true;
    this.#isInAngle = false;
    this.#clearTokens();
    this.#hasBlank = true;
  }

  #isInRoute(): boolean {
    return this.#isInAngle && this.#tokens[0]?.kind === 'at';
  }

  #comma(): void {
    // The commas of a source route stand between its domains (RFC 5322 §4.4).
    if (this.#isInRoute()) {
      this.#character('special');
    } else {
      this.#endItem();
      this.#at++;
    }
  }

  #colon(): void {
    if (!this.#endsPrefix()) {
      this.#character('special');
      return;
    }
    if (!this.#isInAngle) this.#group = nameOf(this.#tokens);
    this.#at++;
    this.#clearTokens();
    this.#comment = '';
  }

  /** Whether a colon ends what is no part of the address: a route, `mailto`, or outside of brackets the name of a group. */
  #endsPrefix(): boolean {
    if (!this.#isInAngle) return !this.#isAnswered && !this.#hasAt;
    return this.#isInRoute() || (this.#tokens.length === 1 && /^mailto$/i.test(this.#tokens[0]!.source));
  }

  #giveAnswer(): void {
    if (this.#answer === undefined) return;
    const { name, address } = this.#answer;
    this.#addresses.push({ name: name === '' ? this.#comment : name, address, group: this.#group });
    this.#answer = undefined;
    this.#comment = '';
  }

  #endItem(): void {
    if (this.#isInAngle) this.#closeAngle(0);
    this.#giveAnswer();
    this.#bareAddresses();
    this.#clearTokens();
    this.#comment = '';
    this.#nameBeforeAngle = '';
    this.#isAnswered = false;
    this.#hasBlank = false;
  }

  /** Addresses without angle brackets; words around a single one are its name. */
  #bareAddresses(): void {
    if (this.#tokens.length === 0) return;
    const words = wordsOf(this.#tokens);
    const isFound = words.map(isAddress);
    const count = isFound.filter(Boolean).length;
    if (count === 0) {
      // What stands behind an address in angle brackets is noise.
      if (!this.#isAnswered) this.#unreadable++;
      return;
    }
    const others = count === 1 ? nameOf(words.filter((_, index) => !isFound[index]).flat()) : '';
    const name = others === '' && count === 1 ? this.#comment : others;
    for (const [index, word] of words.entries())
      if (isFound[index]) this.#addresses.push({ name, address: sourceOf(word), group: this.#group });
  }
}

type Word = readonly Token[];

/** Tokens with no blank between them; blanks around `@` and single dots do not count. */
function wordsOf(tokens: readonly Token[]): Word[] {
  const words: Token[][] = [];
  let previous: Token | undefined;
  for (const token of tokens) {
    const isApart = token.hasBlankBefore && !isJoint(token) && !(previous !== undefined && isJoint(previous));
    if (previous === undefined || isApart) words.push([token]);
    else words.at(-1)!.push(token);
    previous = token;
  }
  return words;
}

function isJoint({ kind, source }: Token): boolean {
  return kind === 'at' || source === '.';
}

/** One `@` with a local part before it and a domain behind it. Which of several would be meant nobody can tell. */
function isAddress(word: Word): boolean {
  const at = word.findIndex(({ kind }) => kind === 'at');
  if (at < 1) return false;
  const domain = word.slice(at + 1);
  if (domain.length === 0 || !isLocalPart(word.slice(0, at))) return false;
  return (
    domain.every(({ kind }) => kind === 'text') || (domain.length === 1 && domain[0]!.kind === 'literal')
  );
}

function isLocalPart(word: Word): boolean {
  return word.every(({ kind }) => kind === 'text' || kind === 'quoted');
}

/** What stands in angle brackets: an address, or a local part alone; empty for nothing, undefined for anything else. */
function addressInAngle(tokens: readonly Token[]): string | undefined {
  const [word, ...more] = wordsOf(tokens);
  if (word === undefined) return '';
  return more.length === 0 && (isAddress(word) || isLocalPart(word)) ? sourceOf(word) : undefined;
}

function sourceOf(word: Word): string {
  return word.map(({ source }) => source).join('');
}

function nameOf(tokens: readonly Token[]): string {
  let name = '';
  for (const { shown, hasBlankBefore } of tokens) name += (hasBlankBefore && name !== '' ? ' ' : '') + shown;
  return name.trim();
}
