// Options inside of an option: checked by their declaration, as the language checks those of a call.

import { type OptionKey, ScriptFault, typeWord, type Value } from '#lang';

/** A value as its declaration wants it; undefined when it was left out, or is none. @throws ScriptFault */
export function takeOption(
  { type, oneOf }: OptionKey,
  value: Value | undefined,
  what: string,
): Value | undefined {
  if (value === undefined || value === null) return undefined;
  const words = type.split('|').filter((word) => word !== 'none');
  if (!words.includes(typeWord(value)))
    throw new ScriptFault(
      `${what} must be ${words.map(withArticle).join(' or ')}, not ${withArticle(typeWord(value))}`,
    );
  if (oneOf !== undefined && !(oneOf as readonly Value[]).includes(value)) {
    const allowed = oneOf.filter((one) => one !== null).map((one) => JSON.stringify(one));
    throw new ScriptFault(`${what} is ${String(value)}; expected one of ${allowed.join(', ')}`);
  }
  return value;
}

function withArticle(word: string): string {
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}
