import { expect, test } from 'vitest';
import { inWordsOfCommandLine } from '../../../../src/cli/control/in-words.js';

test.each([
  ['conditions.tss[0]: found "x"; expected a date', '--ts: found "x"; expected a date'],
  ['conditions.prioritys[1].value: found 2', '--priority: found 2'],
  ['conditions.jobids: two of them fit every message', '--jobid: two of them fit every message'],
  ['sort[0].field: found "x"', '--sort: found "x"'],
  ['fields: found "jobb"', '--field: found "jobb"'],
  ['groupby[1]: found "x"', '--field: found "x"'],
  ['defer.ts: found "x"', '--until: found "x"'],
  ['set.recipient.localpart: found ""', '--recipient-set: found ""'],
  ['path: there is no such file', 'there is no such file'],
  ['the spool: no room', 'the spool: no room'],
  ['hooks/a.hsl:1:2: error: wrong', 'hooks/a.hsl:1:2: error: wrong'],
])('%s', (message, expected) => {
  expect(inWordsOfCommandLine(message)).toBe(expected);
});
