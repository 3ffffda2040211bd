// Every function, class and method in one table: for the page of names, and for stdlib/README.md.

import type { Declaration, Group, Method } from '#lang';

export interface LibraryEntry {
  /** `f`, `Class`, `Class->m` or `Class::m`. */
  readonly name: string;
  readonly summary: string;
  readonly group: Group;
  readonly since: string | undefined;
  readonly suspends: boolean;
  /** The current name of an older one. */
  readonly replacedBy: string | undefined;
}

/** In the order of the manual's groups as declared, methods behind their class. */
export function libraryEntries(declarations: readonly Declaration[]): LibraryEntry[] {
  return declarations.flatMap((one) => {
    const { name, group, summary, since } = one;
    if (one.kind === 'builtin')
      return [{ name, group, summary, since, suspends: one.suspends === true, replacedBy: one.deprecated }];
    const entry = (called: string, method: Pick<Method, 'since' | 'suspends' | 'summary'>): LibraryEntry => ({
      name: called,
      summary: method.summary,
      group,
      since: method.since ?? since,
      suspends: method.suspends === true,
      replacedBy: undefined,
    });
    return [
      entry(name, { summary, ...(since === undefined ? {} : { since }) }),
      ...Object.values(one.statics).map((method) => entry(`${name}::${method.name}`, method)),
      ...Object.values(one.methods).map((method) => entry(`${name}->${method.name}`, method)),
    ];
  });
}

const BEGIN = '<!-- The table is written by `npm run docs`; a test compares it. -->';
const END = '<!-- End of the table. -->';

/** A README with its table brought up to date. @throws Error when it has no place for one */
export function withLibraryTable(readme: string, declarations: readonly Declaration[]): string {
  const start = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (start === -1 || end < start) throw new Error(`the README has no table between "${BEGIN}" and "${END}"`);
  const rows = libraryEntries(declarations).map(
    ({ name, group, since, suspends, replacedBy }) =>
      `| \`${name}\` | ${replacedBy === undefined ? group : `older name of \`${replacedBy}\``} | ${since ?? ''} | ${suspends ? 'yes' : ''} |`,
  );
  const table = ['| name | group | since | suspends |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return `${readme.slice(0, start)}${BEGIN}\n\n${table}\n\n${readme.slice(end)}`;
}
