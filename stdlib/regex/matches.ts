// Walking through the matches of a pattern, and a match as scripts see it.

import { type CompiledPattern, HslArray, PatternLimitError, ScriptFault, type Value } from '#lang';

/** Pairs of byte offsets, as CompiledPattern.exec gives them: they last until the next match. */
export type Offsets = ArrayLike<number>;

/** The first match at or after `start`. @throws ScriptFault when it takes too much */
export function findMatch(
  pattern: CompiledPattern,
  subject: string,
  start: number,
  notEmpty: boolean,
): Offsets | undefined {
  try {
    return pattern.exec(subject, start, notEmpty);
  } catch (error) {
    throw asFault(pattern, error);
  }
}

/** What the first match and its groups matched. @throws ScriptFault when it takes too much */
export function findTexts(
  pattern: CompiledPattern,
  subject: string,
): readonly (string | undefined)[] | undefined {
  try {
    return pattern.texts?.(subject);
  } catch (error) {
    throw asFault(pattern, error);
  }
}

function asFault(pattern: CompiledPattern, error: unknown): unknown {
  return error instanceof PatternLimitError
    ? new ScriptFault(`the pattern ${JSON.stringify(pattern.source)} gave up: ${error.message}`)
    : error;
}

/**
 * All matches from left to right; behind an empty one the next must not be empty at the same place. The offsets are copies:
 * whoever walks may call functions that match something themselves.
 */
export function* findMatches(pattern: CompiledPattern, subject: string): Generator<readonly number[]> {
  let at = 0;
  let notEmpty = false;
  for (;;) {
    const found = findMatch(pattern, subject, at, notEmpty);
    if (found === undefined) return;
    const [start, end] = [found[0]!, found[1]!];
    // With \K a match can begin or end before the place where it was asked for: without progress there is no next one.
    if (start < at || end < start) return;
    if (notEmpty && end === at) return;
    yield Array.from(found);
    notEmpty = end === start;
    at = end;
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
  const { groupCount, names } = pattern;
  if (names.length === 0) {
    const values: Value[] = [];
    for (let group = 0; group <= groupCount; group++) values.push(valueFor(group));
    return HslArray.fromList(values);
  }
  const array = HslArray.empty();
  for (let group = 0; group <= groupCount; group++) {
    for (const named of names) if (named.group === group) array.set(named.name, valueFor(group));
    array.set(group, valueFor(group));
  }
  return array;
}
