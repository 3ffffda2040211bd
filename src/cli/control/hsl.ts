// `argonite hsl`: what scripts keep in the running daemon (control-api 7).

import type { Command } from 'commander';
import type { End } from './asking.js';
import { addCacheCommands } from './hsl-cache.js';
import { addMemoryCommands } from './hsl-memory.js';
import { addRateCommands } from './hsl-rate.js';

/** Adds the command; `end` takes its exit code. */
export function addHslCommand(program: Command, end: End): void {
  const hsl = program.command('hsl').description('What scripts keep in the running daemon.');
  addMemoryCommands(
    hsl.command('memory').description('Memory that scripts share (memory_store and others).'),
    end,
  );
  addCacheCommands(hsl.command('cache').description('Results of calls that were cached.'), end);
  addRateCommands(hsl.command('rate').description('What was counted with rate().'), end);
}
