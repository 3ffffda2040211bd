// `argonite license`: scripts that were written for another product ask for one.

import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import type { End } from './asking.js';

/** Adds the command. */
export function addLicenseCommand(program: Command, end: End): void {
  const license = program.command('license').description('Licences: none is needed.');
  license
    .command('fetch')
    .description('Does nothing, for scripts that call it.')
    .argument('[words...]', 'anything')
    .allowUnknownOption()
    .action(() => {
      process.stdout.write('not needed\n');
      end(exitCodes.done);
    });
}
