// The machine a script runs on, from group 8.

import { builtin, ScriptFault } from '#lang';
import { servicesOf } from '../services.js';
import { parsePriority, severityNames } from './syslog-priority.js';

const source = 'stdlib 8';

export const gethostname = builtin({
  name: 'gethostname',
  group: 'time',
  summary: 'Gives the name of this machine.',
  params: [],
  returns: 'string',
  example: 'is_string(gethostname())  // true',
  source,
  run: (ctx) => servicesOf(ctx).hostname(),
});

export const syslog = builtin({
  name: 'syslog',
  group: 'time',
  summary: 'Writes a line to the log.',
  example: 'syslog("warning", "quota exceeded by alice")  // null',
  params: [
    {
      name: 'priority',
      type: 'string|number',
      doc: `A severity (${severityNames.join(', ')}), or its number 0 to 7 plus 8 times the facility.`,
    },
    { name: 'message', type: 'string' },
  ],
  returns: 'none',
  errors: 'An exception when the priority does not exist.',
  source: 'RFC 5424 §6.2.1',
  run: (priority, message, ctx) => {
    const number = parsePriority(priority);
    if (number === undefined) {
      throw new ScriptFault(
        `syslog: there is no priority ${JSON.stringify(priority)}; use one of ${severityNames.join(', ')}`,
      );
    }
    servicesOf(ctx).syslog(number, message);
    return null;
  },
});

export const system = [gethostname, syslog];
