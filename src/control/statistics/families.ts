// Every statistic there is (control-api 10): its name, what it counts, and whether it can fall. A `*` is a variable part: a server, a
// script, a priority; in OpenMetrics it becomes the label that `labels` names. What is not here cannot be collected, and what is here is
// in ProcessStatsResponse of control.proto (test/src/control/statistics.test.ts holds them together).

/** One family of statistics. */
export interface Family {
  readonly name: string;
  /** A counter only grows. */
  readonly type: 'gauge' | 'counter' | 'info';
  readonly help: string;
  readonly labels: readonly string[];
}

const gauge = (name: string, help: string, ...labels: string[]): Family => ({
  name,
  type: 'gauge',
  help,
  labels,
});
const counter = (name: string, help: string, ...labels: string[]): Family => ({
  name,
  type: 'counter',
  help,
  labels,
});

const scriptFamilies = (prefix: string, whose: string, ...labels: string[]): readonly Family[] => [
  gauge(`${prefix}.running`, `Runs of ${whose} that are under way.`, ...labels),
  gauge(`${prefix}.pending`, `Runs of ${whose} that wait for something.`, ...labels),
  counter(`${prefix}.finished`, `Runs of ${whose} that have ended.`, ...labels),
  counter(`${prefix}.errors`, `Runs of ${whose} that ended with an error.`, ...labels),
];

const poolFamilies = (prefix: string, what: string): readonly Family[] => [
  gauge(`${prefix}.size`, `${what} that are kept.`),
  counter(`${prefix}.hits`, `Times that one was found.`),
  counter(`${prefix}.misses`, `Times that none was found.`),
  counter(`${prefix}.expires`, `${what} whose time was over.`),
  counter(`${prefix}.evicts`, `${what} that made room for others.`),
  counter(`${prefix}.skips`, `${what} that were not kept.`),
];

/** The families in the order in which they are shown. */
export const families: readonly Family[] = [
  gauge('process.pid', 'Process id of the daemon.'),
  gauge('process.elapsed', 'Seconds since the daemon started.'),
  gauge('process.memory.rss', 'Memory of the process in bytes.'),
  { name: 'process.version', type: 'info', help: 'Version of the daemon.', labels: [] },
  gauge('servers.*.connections.concurrency', 'Connections of clients.', 'server'),
  gauge('servers.*.connections.limit', 'Connections of clients that may be; 0 is no limit.', 'server'),
  counter('servers.*.connections.total', 'Connections of clients so far.', 'server'),
  counter('servers.*.messages.accepted', 'Messages that were taken.', 'server'),
  counter('servers.*.messages.rejected', 'Messages that were refused for good.', 'server'),
  counter('servers.*.messages.deferred', 'Messages that were refused for now.', 'server'),
  ...scriptFamilies('servers.*.scripts.*', 'a script of a server', 'server', 'script'),
  ...scriptFamilies('scripts.*', 'a script of the queue', 'script'),
  gauge('threads.*.size', 'Threads of a pool.', 'pool'),
  gauge('threads.*.running', 'Threads of a pool that work.', 'pool'),
  gauge('threads.*.pending', 'Work that waits for a thread.', 'pool'),
  counter('queue.loader.count', 'Messages that came into the queue.'),
  gauge('queue.loader.pending', 'Messages that are due and wait for the predelivery script.'),
  gauge('queue.loader.active', 'Messages in the predelivery script or in the look-up of their next hop.'),
  gauge('queue.quota.size', 'Quotas that have messages.'),
  gauge('queue.queues.active.*', 'Messages that wait to be picked up, by priority.', 'priority'),
  gauge('queue.queues.defer', 'Messages that wait for their next try.'),
  gauge('queue.queues.hold', 'Messages on hold.'),
  gauge('queue.queues.update', 'Messages that are being changed.'),
  gauge('queue.queues.pending', 'Messages between two states: in a script, in a look-up, being finished.'),
  gauge('queue.policy.dynamic.suspends', 'Suspensions that were made while the daemon runs.'),
  gauge('queue.policy.dynamic.conditions', 'Policy conditions that were made while the daemon runs.'),
  gauge('queue.policy.concurrency.suspends', 'Entries that are full, with messages waiting for them.'),
  gauge('queue.policy.concurrency.counters', 'Counters of concurrency in memory.'),
  gauge('queue.policy.rate.suspends', 'Entries whose rate is used up, with messages waiting for them.'),
  gauge('queue.policy.rate.buckets', 'Buckets of rates in memory.'),
  gauge('queue.policy.connectinterval.suspends', 'Entries that wait for their next connection.'),
  counter('queue.pickup.count', 'Messages that were picked up.'),
  counter('queue.pickup.skips', 'Candidates that were passed over because something held them back.'),
  counter('queue.pickup.misses', 'Looks for a message to pick up that found none.'),
  gauge('queue.pickup.pending', 'Groups of messages that wait to be looked at.'),
  counter('queue.pickup.evals', 'Times that the policies were asked.'),
  gauge('queue.connections.concurrency', 'Deliveries under way.'),
  gauge('queue.connections.limit', 'Deliveries that may be under way.'),
  counter('queue.connections.total', 'Deliveries that were begun.'),
  ...poolFamilies('queue.pooling', 'Idle connections to other hosts'),
  counter('queue.delivery.delivered', 'Attempts that delivered.'),
  counter('queue.delivery.delayed', 'Attempts after which the message was to be tried again.'),
  counter('queue.delivery.failed', 'Attempts that failed for good.'),
  ...poolFamilies('resolver.cache', 'Answers of the domain name system'),
  gauge('resolver.running', 'Questions that servers are being asked.'),
  gauge('resolver.pending', 'Questions that wait for their turn.'),
  gauge('monitor.ready', '1 when the daemon has started.'),
  gauge('monitor.healthy', '1 when the daemon can take mail.'),
];

/** Statistics by name, nested: `process.pid` is `{process: {pid}}`. */
export interface StatisticsTree {
  readonly [name: string]: number | string | StatisticsTree;
}
