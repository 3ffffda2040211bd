// The metrics that scripts may keep, checked as Prometheus reads them.

import type { MetricSettings } from './configuration.js';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { AppFile } from './schema/smtpd-app.js';

/** The daemon's own figures begin with this. */
const OWN_PREFIX = 'argonite_';

export function collectMetrics(app: ConfigDocument<AppFile>, problems: ConfigProblem[]): MetricSettings[] {
  const names = new Set<string>();
  return (app.value.metrics ?? []).map((declared, index) => {
    const { name, labels = [], buckets } = declared;
    const type = declared.type as MetricSettings['type'];
    const refuse = (key: string, message: string) =>
      problems.push(app.problemAt(['metrics', index, key], message));
    if (names.has(name)) refuse('name', `there are two metrics with the name "${name}"`);
    names.add(name);
    if (name.startsWith(OWN_PREFIX))
      refuse(
        'name',
        `"${name}" begins with ${OWN_PREFIX}, as the daemon's own metrics do; expected another name`,
      );
    if (new Set(labels).size !== labels.length) refuse('labels', `metric "${name}" has a label twice`);
    if (type === 'histogram' && labels.includes('le'))
      refuse('labels', `"le" is the label of a histogram's buckets; expected another name`);
    if (buckets !== undefined && type !== 'histogram')
      refuse('buckets', `metric "${name}" is a ${type}; only a histogram has buckets`);
    if (buckets?.some((bound, at) => at > 0 && bound <= buckets[at - 1]!))
      refuse('buckets', 'the buckets do not ascend; expected each bound above the one before');
    return { name, type, help: declared.help ?? name, labels, buckets };
  });
}
