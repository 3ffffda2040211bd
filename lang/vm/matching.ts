// `=~` and `!~` (hsl-language 5.4): whether a pattern matches anywhere in a text.

import { toText } from '../values/convert.js';
import { patternOf } from '../values/pattern.js';
import { ScriptFault } from '../values/script-fault.js';
import { typeWord } from '../values/type-word.js';
import type { Value } from '../values/value.js';
import { compileText } from './checked-builtin.js';
import type { Fiber } from './fiber.js';

const theRightSide = () => 'the right side of =~';

/** `subject =~ pattern`. */
export function matches(fiber: Fiber, subject: Value, pattern: Value): boolean {
  const compiled =
    typeof pattern === 'string' ? compileText(pattern, fiber.host, theRightSide) : patternOf(pattern);
  if (compiled === undefined)
    throw new ScriptFault(`${theRightSide()} must be a pattern, not ${typeWord(pattern)}`);
  return compiled.test(toText(subject));
}
