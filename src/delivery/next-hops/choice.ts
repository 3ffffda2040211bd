// Who is asked first among equals. RFC 5321 5.1 wants mail spread over hosts of one preference; control-api 7 wants the choice
// for a message to be repeatable. So the order comes from a number for each host: drawn by chance for a script's errand, made of
// the transaction's id for queued mail.

/** How equal candidates are ordered. */
export interface Choice {
  /** Lower comes first; the same for the same name all the time that one list is ordered. */
  rank(name: string): number;
  /** Among equal candidates this many go to the end first: each retry begins with another one. */
  readonly retry: number;
}

/** Numbers from 0 to 1 drawn one after the other. */
export function chosenAtRandom(random: () => number): Choice {
  return { rank: () => random(), retry: 0 };
}

/** The same for the same seed, whatever the order in which candidates are found. */
export function chosenBySeed(seed: string, retry: number): Choice {
  const start = hash(seed, 0x811c9dc5);
  return { rank: (name) => mixed(hash(name.toLowerCase(), start)), retry: Math.max(0, Math.trunc(retry)) };
}

/** FNV-1a. */
function hash(text: string, start: number): number {
  let state = start;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state >>> 0;
}

/** The end of MurmurHash3: names that differ in their last letter only are to be far apart. */
function mixed(value: number): number {
  let state = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/** Ordered by preference, equal ones as chosen. */
export function inOrder<Candidate extends { readonly name: string; readonly preference: number }>(
  candidates: readonly Candidate[],
  choice: Choice,
): Candidate[] {
  const ranked = candidates.map((candidate) => ({ candidate, rank: choice.rank(candidate.name) }));
  ranked.sort((a, b) => a.candidate.preference - b.candidate.preference || a.rank - b.rank);
  const sorted = ranked.map(({ candidate }) => candidate);
  const ordered: Candidate[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end]!.preference === sorted[start]!.preference) end++;
    const first = start + (choice.retry % (end - start));
    ordered.push(...sorted.slice(first, end), ...sorted.slice(start, first));
    start = end;
  }
  return ordered;
}
