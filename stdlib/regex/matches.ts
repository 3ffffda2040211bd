// Walking through the matches of a pattern, and a match as scripts see it.

import { type CompiledPattern, HslArray, PatternLimitError, ScriptFault, type Value } from '#lang';

/** Pairs of byte offsets, as CompiledPattern.exec gives them; a copy that lasts. */
export type Offsets = readonly number[];

/** The first match at or after `start`. @throws ScriptFault when it takes too much */
export function findMatch(
  pattern: CompiledPattern,
  subject: string,
  start: number,
  notEmpty: boolean,
): Offsets | undefined {
  try {
    const found = pattern.exec(subject, start, notEmpty);
    return found === undefined ? undefined : Array.from(found);
  } catch (error) {
    if (!(error instanceof PatternLimitError)) throw error;
    throw new ScriptFault(`the pattern ${JSON.stringify(pattern.source)} gave up: ${error.message}`);
  }
}

/** All matches from left to right; behind an empty one the next must not be empty at the same place. */
export function* findMatches(pattern: CompiledPattern, subject: string): Generator<Offsets> {
  let at = 0;
  let notEmpty = false;
  for (;;) {
    const match = findMatch(pattern, subject, at, notEmpty);
    // With \K a match can begin or end before the place where it was asked for: without progress there is no next one.
    if (match === undefined || match[0]! < at || match[1]! < match[0]!) return;
    if (notEmpty && match[1] === at) return;
    yield match;
    notEmpty = match[1] === match[0];
    at = match[1]!;
  }
}

/** What group `group` matched; "" when it took no part. */
export function groupText(subject: string, match: Offsets, group: number): string {
  const start = match[2 * group] ?? -1;
  return start === -1 ? '' : subject.slice(start, match[2 * group + 1]);
}

/** A match for a script: groups by number, named ones also by name, right before their number. */
export function matchArray(pattern: CompiledPattern, subject: string, match: Offsets): HslArray {
  return groupsArray(pattern, (group) => groupText(subject, match, group));
}

/** One value per group, under its number and, before that, under its name. */
export function groupsArray(pattern: CompiledPattern, valueFor: (group: number) => Value): HslArray {
  if (pattern.names.length === 0) {
    return HslArray.fromList(Array.from({ length: pattern.groupCount + 1 }, (_, group) => valueFor(group)));
  }
  const nameOf = new Map(pattern.names.map(({ name, group }) => [group, name]));
  const array = HslArray.empty();
  for (let group = 0; group <= pattern.groupCount; group++) {
    const name = nameOf.get(group);
    if (name !== undefined) array.set(name, valueFor(group));
    array.set(group, valueFor(group));
  }
  return array;
}
