// The command line as a page. What it says is what `--help` says, since both ask the same commands.

import { Command, type Help } from 'commander';
import { addSinkCommand } from '../../sink/command.js';
import { addConfigCommand } from '../control/config.js';
import { addConnectionCommand } from '../control/connection.js';
import { addHslCommand } from '../control/hsl.js';
import { addLicenseCommand } from '../control/license.js';
import { addLogCommand } from '../control/log.js';
import { addQueueCommand } from '../control/queue.js';
import { addResolverCommand } from '../control/resolver.js';
import { addStatsCommand } from '../control/stats.js';
import { addHshCommand } from '../hsh.js';
import { addLintCommand } from '../lint.js';
import { addServeCommand } from '../serve.js';
import { anchorOf, type Block, heading, type Page, paragraph, plainCode, text } from './blocks.js';

function everyCommand(): Command {
  const program = new Command('argonite');
  for (const add of [
    addServeCommand,
    addHshCommand,
    addLintCommand,
    addSinkCommand,
    addQueueCommand,
    addStatsCommand,
    addLogCommand,
    addConfigCommand,
    addResolverCommand,
    addConnectionCommand,
    addHslCommand,
    addLicenseCommand,
  ])
    add(program, () => undefined);
  return program;
}

function* blocksOf(command: Command, above: string, help: Help): Iterable<Block> {
  const words = `${above} ${command.name()}`;
  for (const inner of command.commands) yield* blocksOf(inner, words, help);
  if (command.commands.length > 0) return;
  yield heading(2, [plainCode(words)], anchorOf(words));
  yield { kind: 'code', text: help.commandUsage(command), language: 'signature' };
  yield paragraph(text(help.commandDescription(command)));
  const rows = [
    ...help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)]),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map((one) => [help.optionTerm(one), help.optionDescription(one)]),
  ];
  yield {
    kind: 'table',
    head: [[text('argument')], [text('meaning')]],
    rows: rows.map(([term = '', meaning = '']) => ({ cells: [[plainCode(term)], [text(meaning)]] })),
  };
}

/** Every command with its arguments and options. */
export function commandsPage(): Page {
  const program = everyCommand();
  return {
    path: 'commands',
    title: 'Commands',
    summary: [text('What the command can do, with all options.')],
    blocks: [
      paragraph(
        text(
          'They end with 0 when all is well, 1 when the daemon (or the script, or the check) says no, 64 when they were called in a wrong way, 69 when there is no daemon to ask.',
        ),
      ),
      ...program.commands.flatMap((command) => [...blocksOf(command, 'argonite', program.createHelp())]),
    ],
  };
}
