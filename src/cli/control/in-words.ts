// What the daemon says of a request, in the words of the command line. The daemon names a field of the request where something is
// wrong (`conditions.tss[0]: found …`); who typed `--ts` has never seen that name.

import { conditionOptionNames } from './condition-options.js';

/** By which option a field of a request was given. Those of lists stand without their index. */
const optionOf: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [...conditionOptionNames()].map(([list, flag]) => [`conditions.${list}`, `--${flag}`]),
  ),
  'conditions.namespaces': '--namespace',
  'conditions.entries': '--entry',
  'conditions.probability': '--probability',
  'conditions.time': '--time',
  'conditions.count': '--count',
  limit: '--limit',
  offset: '--offset',
  sort: '--sort',
  fields: '--field',
  groupby: '--field',
  'buckets.intervals': 'the list of intervals',
  'defer.delay': '--delay',
  'defer.ts': '--until',
  'set.transportid': '--transportid-set',
  'set.jobid': '--jobid-set',
  'set.tenantid': '--tenantid-set',
  'set.priority': '--priority-set',
  'set.retrycount': '--retrycount-set',
  'set.sender': '--sender-set',
  'set.recipient': '--recipient-set',
  'set.metadata': '--metadata-set',
  level: '--level',
  regex: '--regex',
  ttl: '--ttl',
  // An argument, which the command names itself.
  path: '',
};

/** Says the same with the option in place of the field; what begins with no field stays as it is. */
export function inWordsOfCommandLine(message: string): string {
  const match = /^([a-z]+(?:\[\d+\])?(?:\.[a-z]+(?:\[\d+\])?)*): (.*)$/s.exec(message);
  if (match === null) return message;
  const parts = match[1]!.replace(/\[\d+\]/g, '').split('.');
  for (let count = parts.length; count > 0; count--) {
    const field = parts.slice(0, count).join('.');
    const option = optionOf[field];
    if (option !== undefined) return option === '' ? match[2]! : `${option}: ${match[2]}`;
  }
  return message;
}
