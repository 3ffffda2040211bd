// `argonite hsl cache`: the results of calls that scripts have cached.

import type { Command } from 'commander';
import { type AskingOptions, asking, type End, withAskingOptions } from './asking.js';
import { tableText } from './table.js';

interface CacheOptions extends AskingOptions {
  readonly namespace?: string;
  readonly function?: string;
}

interface Bucket {
  readonly namespace?: string;
  readonly function?: string;
  readonly file?: string;
  readonly maxsize?: number;
  readonly size?: number;
  readonly hits?: number;
  readonly misses?: number;
  readonly evicts?: number;
}

/** Adds the commands. */
export function addCacheCommands(cache: Command, end: End): void {
  withAskingOptions(cache.command('list'))
    .description('Show how full the buckets are, and how often they had the answer.')
    .action(async (options: AskingOptions) => end(await listBuckets(options)));
  withAskingOptions(cache.command('clear'))
    .description('Forget results: of all functions, or of some.')
    .option('--namespace <name>', 'of this namespace')
    .option('--function <name>', 'of this function')
    .action(async (options: CacheOptions) => end(await clearBuckets(options)));
}

function listBuckets(options: AskingOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = (await daemon.askBare('g')) ?? {};
    const buckets = (answer['buckets'] ?? []) as readonly Bucket[];
    daemon.show(answer, () =>
      tableText(
        [
          { title: 'NAMESPACE' },
          { title: 'FUNCTION' },
          { title: 'FILE' },
          ...['SIZE', 'MAXSIZE', 'HITS', 'MISSES', 'EVICTS', 'HIT RATE'].map((title) => ({
            title,
            isNumber: true,
          })),
        ],
        buckets.map((bucket) => {
          const {
            namespace = '',
            function: name = '',
            file = '',
            size = 0,
            maxsize = 0,
            evicts = 0,
          } = bucket;
          const { hits = 0, misses = 0 } = bucket;
          const share = hits + misses === 0 ? 0 : (100 * hits) / (hits + misses);
          return [
            namespace,
            name,
            file,
            ...[size, maxsize, hits, misses, evicts].map(String),
            `${share.toFixed(1)} %`,
          ];
        }),
      ),
    );
    return undefined;
  });
}

function clearBuckets({ namespace, function: name, ...options }: CacheOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = await daemon.ask('h', {
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { function: name }),
    });
    daemon.show(answer, () => `${String(answer['cleared'])} buckets cleared`);
    return undefined;
  });
}
