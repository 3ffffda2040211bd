// Scripts that lie in `hooks/` where nothing ever runs them: a name that is nearly right would otherwise look like a
// configuration that is good, and mail would go without its script.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { serverPhases } from './configuration.js';
import type { Layout } from './layout.js';
import type { ConfigProblem } from './problem.js';

const queuePhases = ['predelivery', 'postdelivery'];

/** Adds a warning for each; scripts of a phase that no server names are meant to lie ready, and are not told. */
export function warnOfIdleScripts({ hooks }: Layout, problems: ConfigProblem[]): void {
  for (const folder of namesIn(hooks)) {
    const known = folder === 'queue' ? queuePhases : undefined;
    if (known === undefined && serverPhases.some((phase) => phase === folder)) continue;
    for (const name of namesIn(path.join(hooks, folder))) {
      if (!name.endsWith('.hsl') || known?.includes(name.slice(0, -'.hsl'.length))) continue;
      problems.push({
        file: path.join(hooks, folder, name),
        message: `this script is never run: expected ${expected(folder)}`,
        severity: 'warning',
      });
    }
  }
}

function expected(folder: string): string {
  if (folder === 'queue') return 'predelivery.hsl or postdelivery.hsl in this folder';
  if (queuePhases.includes(folder)) return `the file hooks/queue/${folder}.hsl`;
  return `a folder that is named after a phase (${[...serverPhases, 'queue'].join(', ')}), found "${folder}"`;
}

/** Hidden ones left out; what is no folder, or cannot be read, has none: who needs it says so. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}
