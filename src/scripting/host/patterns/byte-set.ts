// Sets of bytes: what one step of a pattern accepts. Classes, escapes, the dot and caseless letters all become one,
// so that nothing of what V8 means by `\s`, `.` or the flag `i` is ever used.

/** 256 entries, 1 for a member. Never changed after it was made. */
export type ByteSet = Uint8Array;

/** A set from inclusive ranges of bytes. */
export function rangesOfBytes(...ranges: readonly (readonly [number, number])[]): ByteSet {
  const set = new Uint8Array(256);
  for (const [first, last] of ranges) set.fill(1, first, last + 1);
  return set;
}

/** One byte. */
export function singleByte(byte: number): ByteSet {
  return rangesOfBytes([byte, byte]);
}

export function union(a: ByteSet, b: ByteSet): ByteSet {
  return a.map((member, byte) => member | b[byte]!);
}

export function complement(set: ByteSet): ByteSet {
  return set.map((member) => 1 - member);
}

export function overlaps(a: ByteSet, b: ByteSet): boolean {
  return a.some((member, byte) => member === 1 && b[byte] === 1);
}

/** With the other case of every ASCII letter in it; bytes from 128 have no case (PCRE2's C tables). */
export function caseless(set: ByteSet): ByteSet {
  const wider = set.slice();
  for (let lower = 0x61; lower <= 0x7a; lower++) {
    const upper = lower - 0x20;
    if (set[lower] === 1 || set[upper] === 1) wider[lower] = wider[upper] = 1;
  }
  return wider;
}

/** The set as a JavaScript pattern of one step. */
export function byteSetSource(set: ByteSet): string {
  const members = rangesIn(set, 1);
  if (members.length === 0) return '[]';
  const others = rangesIn(set, 0);
  if (others.length === 0) return '[^]';
  const [first] = members;
  if (members.length === 1 && first![0] === first![1]) return byteSource(first![0]);
  // A subject has no characters above 255, so a negated class means the same.
  return others.length < members.length ? `[^${rangesSource(others)}]` : `[${rangesSource(members)}]`;
}

function rangesIn(set: ByteSet, member: 0 | 1): [number, number][] {
  const ranges: [number, number][] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte] !== member) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === byte - 1) last[1] = byte;
    else ranges.push([byte, byte]);
  }
  return ranges;
}

function rangesSource(ranges: readonly (readonly [number, number])[]): string {
  return ranges
    .map(([first, last]) => {
      if (first === last) return byteSource(first);
      return byteSource(first) + (last > first + 1 ? '-' : '') + byteSource(last);
    })
    .join('');
}

function byteSource(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9_@ ]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
}

export const newline = singleByte(0x0a);
export const anyByte = rangesOfBytes([0, 255]);

const digit = rangesOfBytes([0x30, 0x39]);
const lower = rangesOfBytes([0x61, 0x7a]);
const upper = rangesOfBytes([0x41, 0x5a]);
const alpha = union(lower, upper);
const alnum = union(alpha, digit);
const word = union(alnum, singleByte(0x5f));
const space = rangesOfBytes([0x09, 0x0d], [0x20, 0x20]);
const graph = rangesOfBytes([0x21, 0x7e]);

/**
 * `\d`, `\W` and the like, by letter; the same inside and outside brackets. `\h` and `\v` are not here: PCRE2 10.42
 * takes `\S` and `\v` for disjoint although both have byte 0x85, so that `\S*\v` finds less than it says.
 */
export const typeEscapes: Readonly<Record<string, ByteSet>> = {
  d: digit,
  D: complement(digit),
  w: word,
  W: complement(word),
  s: space,
  S: complement(space),
};

/** `[:alpha:]` and the like, by name. */
export const posixClasses: Readonly<Record<string, ByteSet>> = {
  alpha,
  alnum,
  ascii: rangesOfBytes([0, 0x7f]),
  blank: rangesOfBytes([0x09, 0x09], [0x20, 0x20]),
  cntrl: rangesOfBytes([0, 0x1f], [0x7f, 0x7f]),
  digit,
  graph,
  lower,
  print: rangesOfBytes([0x20, 0x7e]),
  punct: graph.map((member, byte) => member & (1 - alnum[byte]!)),
  space,
  upper,
  word,
  xdigit: rangesOfBytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]),
};
