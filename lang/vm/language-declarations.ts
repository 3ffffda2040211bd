// The names that the language itself brings and no library can declare: the class Exception, whose objects the VM makes
// for every runtime error. The compiler and the linter look a name up in the environment first, then here.

import type { Declaration } from '../declare.js';
import { exceptionClass } from './exception.js';

/** By name. */
export const languageDeclarations: ReadonlyMap<string, Declaration> = new Map<string, Declaration>([
  [exceptionClass.name, exceptionClass],
]);
