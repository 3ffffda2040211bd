// The table of stdlib/README.md is generated: here it is compared with what the declarations say today.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withLibraryTable } from '../../src/cli/docs/library-table.js';
import { scriptLibrary } from '../../src/scripting/library.js';
import { root } from '../support/peers.js';

test('the table of the README is current (npm run docs writes it)', () => {
  const readme = readFileSync(path.join(root, 'stdlib/README.md'), 'utf8');
  expect(readme).toBe(withLibraryTable(readme, scriptLibrary));
});
