// `argonite serve`. The daemon itself is loaded when it is to run.

import type { Command } from 'commander';

/** Adds the command. */
export function addServeCommand(program: Command, end: (code: number) => void): void {
  program
    .command('serve')
    .description('Run the daemon.')
    .option('-c, --config <dir>', 'configuration folder', '/etc/argonite')
    .option('--check', 'check configuration and scripts, and exit')
    .action(async (options: { config: string; check?: boolean }) => {
      const { check, serve } = await import('../main.js');
      end(options.check === true ? await check(options.config) : await serve(options.config));
    });
}
