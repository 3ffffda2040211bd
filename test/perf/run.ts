// `npm run bench -- NAME...`: runs benchmarks by name; without a name, says which there are.

const benchmarks: Readonly<
  Record<
    string,
    {
      readonly summary: string;
      readonly load: () => Promise<{ run(args: readonly string[]): Promise<void> }>;
    }
  >
> = {
  vm: { summary: 'ten programs, next to lua5.4, php and python3', load: () => import('./vm.js') },
  hook: { summary: 'a 40-line hook from a fresh context', load: () => import('./hook.js') },
  state: { summary: 'rate and memory_*, next to a bare Map', load: () => import('./state.js') },
  patterns: {
    summary: "pcre_match, next to V8's RegExp and php's preg_match",
    load: () => import('./patterns.js'),
  },
  dns: { summary: 'cached names next to a Map, uncached next to node:dns', load: () => import('./dns.js') },
  dkim: {
    summary: 'DKIM signatures, next to bare RSA signing and to mailauth',
    load: () => import('./dkim.js'),
  },
  connections: {
    summary: 'idle connections in bytes, new ones per second',
    load: () => import('./connections.js'),
  },
  outbound: {
    summary: 'deliveries held in parallel in bytes each; a fast destination beside a tarpit',
    load: () => import('./outbound.js'),
  },
  relay: { summary: 'full relay to a fixed next hop, next to Postfix', load: () => import('./relay.js') },
  accept: { summary: 'accept and spool, next to Postfix and Haraka', load: () => import('./accept.js') },
  submission: {
    summary: 'mail over HTTP, next to the same mail over SMTP',
    load: () => import('./submission.js'),
  },
  start: {
    summary: 'a start with a million queued messages, memory of each, blocks by compaction',
    load: () => import('./start.js'),
  },
  queries: {
    summary: 'lists and groups of a million queued messages, blocks by them',
    load: () => import('./queries.js'),
  },
  mime: {
    summary: 'MIME parts found and edited, next to mailparser and postal-mime',
    load: () => import('./mime.js'),
  },
};

const [name, ...args] = process.argv.slice(2);
const benchmark = name === undefined ? undefined : benchmarks[name];
if (benchmark === undefined) {
  process.stderr.write(
    `usage: npm run bench -- NAME [arguments]\n${Object.entries(benchmarks)
      .map(([key, { summary }]) => `  ${key.padEnd(8)} ${summary}\n`)
      .join('')}`,
  );
  process.exit(64);
}
await (await benchmark.load()).run(args);
