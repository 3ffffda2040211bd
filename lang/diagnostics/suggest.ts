// "Did you mean …?": the name a misspelt one is closest to. A suggestion that is far off confuses more than it helps, so
// the distance allowed grows with the name's length and stays below half of it.

/** Names longer than this are not compared: nobody mistypes a name of that length in a way this could find. */
const LONGEST = 64;
/** Candidates looked at; a scope with more names than this is a generated one. */
const MOST = 5000;

/** The candidate nearest to `name`, if one is near enough. Ties go to the first. */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  if (name === '' || name.length > LONGEST) return undefined;
  const plain = flatten(name);
  let best: string | undefined;
  // One mistake in three letters, two in five, three in nine: more is another word.
  let bestDistance = (name.length <= 2 ? 0 : name.length < 5 ? 1 : name.length < 9 ? 2 : 3) + 1;
  let looked = 0;
  for (const candidate of candidates) {
    looked += 1;
    if (looked > MOST) break;
    if (candidate === name || candidate.length > LONGEST) continue;
    const other = flatten(candidate);
    // The same letters in another case or without underscores are the likeliest slip of all.
    const distance = other === plain ? 0 : editDistance(plain, other, bestDistance - 1);
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
    if (distance === 0) break;
  }
  return best;
}

function flatten(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

/**
 * How many letters must be put in, taken out, replaced or swapped with their neighbour to get from `a` to `b`; anything
 * above `most` is given as `most + 1`.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    let smallest = row;
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, beforePrevious[column - 2]! + 1);
      current.push(cost);
      smallest = Math.min(smallest, cost);
    }
    if (smallest > most) return most + 1;
    beforePrevious = previous;
    previous = current;
  }
  return Math.min(previous[b.length]!, most + 1);
}
