import { type Declaration, languageDeclarations } from '#lang';
import { catalog } from '#stdlib';

/** What scripts can call anywhere: the language's own names and the standard library. */
export const scriptLibrary: readonly Declaration[] = [...languageDeclarations.values(), ...catalog];
