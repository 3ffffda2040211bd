// `argonite connection`: who is connected to the servers of the running daemon.

import type { Command } from 'commander';
import { type AskingOptions, asking, type End, withAskingOptions } from './asking.js';
import { several } from './option-values.js';
import { tableText } from './table.js';

interface ListOptions extends AskingOptions {
  readonly serverid?: readonly string[];
}

interface Connection {
  readonly id?: string;
  readonly serverid?: string;
  readonly remoteip?: string;
  readonly helo?: string;
  readonly saslusername?: string;
  readonly tls?: boolean;
  readonly duration?: number;
  readonly messages?: number;
}

/** Adds the command; `end` takes its exit code. */
export function addConnectionCommand(program: Command, end: End): void {
  const connection = program.command('connection').description('The clients of the running daemon.');
  withAskingOptions(connection.command('list'))
    .description(
      'Show who is connected to the servers. (Those whom we send to: queue list --view connections.)',
    )
    .option('--serverid <id>', 'only to this server (repeatable)', several)
    .action(async (options: ListOptions) => end(await list(options)));
}

function list(options: ListOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = await daemon.ask('T', { serverids: options.serverid ?? [] });
    const connections = (answer['connections'] ?? []) as readonly Connection[];
    daemon.show(answer, () => {
      const table = tableText(
        [
          { title: 'ID' },
          { title: 'SERVER' },
          { title: 'REMOTEIP' },
          { title: 'HELO' },
          { title: 'USER' },
          { title: 'TLS' },
          { title: 'SECONDS', isNumber: true },
          { title: 'MESSAGES', isNumber: true },
        ],
        connections.map(
          ({
            id = '',
            serverid = '',
            remoteip = '',
            helo = '',
            saslusername = '',
            tls,
            duration = 0,
            messages,
          }) => [
            id,
            serverid,
            remoteip,
            helo,
            saslusername,
            tls === true ? 'yes' : 'no',
            duration.toFixed(1),
            String(messages ?? 0),
          ],
        ),
      );
      return `${table}\n${connections.length} connection${connections.length === 1 ? '' : 's'}`;
    });
    return undefined;
  });
}
