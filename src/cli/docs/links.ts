// Where the names of the manual are described, and how one page refers to another.

import path from 'node:path';
import type { Target } from './blocks.js';

export interface Links {
  /** The place that describes a name as it stands in the text of `page`; undefined for a place on that page without need. */
  targetOf(words: string, page: string): Target | undefined;
  /** The reference from a page to a place, pages ending in `ending`. */
  href(from: string, target: Target, ending: '.md' | '.html'): string;
}

function href(from: string, { page, anchor }: Target, ending: string): string {
  const hash = anchor === undefined ? '' : `#${anchor}`;
  if (page === from && hash !== '') return hash;
  return `${path.posix.relative(path.posix.dirname(from), page)}${ending}${hash}`;
}

/** For text that stands by itself. */
export const noLinks: Links = { targetOf: () => undefined, href };

/** Links by name: `str_find`, `str_find()`, `Map`, `Map->get`, `File::read`. */
export function linksTo(places: ReadonlyMap<string, Target>): Links {
  return {
    targetOf: (words) => places.get(words.replace(/\(\)$/, '')),
    href,
  };
}
