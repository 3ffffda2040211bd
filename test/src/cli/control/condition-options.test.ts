import { Command } from 'commander';
import { expect, test } from 'vitest';
import {
  type ConditionsRequest,
  conditionsOf,
  withConditions,
} from '../../../../src/cli/control/condition-options.js';

/** What a command line means. */
function conditions(...args: readonly string[]): ConditionsRequest | undefined {
  const command = withConditions(new Command());
  command.parse(args, { from: 'user' });
  return conditionsOf(command.opts());
}

const id = '00000000-0000-4000-8000-000000000001';

test.each<readonly [readonly string[], object]>([
  [['--jobid', 'spring'], { jobids: [{ jobid: 'spring' }] }],
  [
    ['--jobid', '/^sum/', '--jobid', '!x'],
    {
      jobids: [
        { jobid: '^sum', regex: true },
        { jobid: 'x', not: true },
      ],
    },
  ],
  [['--age', '>3600'], { ages: [{ op: 'GT', value: 3600 }] }],
  [['--age', '1h..2h'], { ages: [{ from: 3600, to: 7200 }] }],
  [['--retrycount', '1..'], { retrycounts: [{ from: 1 }] }],
  [['--retrycount', '!=3'], { retrycounts: [{ op: 'EQ', value: 3, not: true }] }],
  [['--size', '<=10MiB'], { sizes: [{ op: 'LE', value: 10_485_760 }] }],
  [['--state', 'defer'], { queues: [{ queue: 'DEFER' }] }],
  [['--id', `${id}:2`], { ids: [{ transaction: id, queue: 2 }] }],
  [['--id', id], { ids: [{ transaction: id }] }],
  [['--ts', '>=2026-11-22T10:00'], { tss: [{ op: 'GE', value: '2026-11-22T10:00' }] }],
  [['--ts', '2026-11-01..2026-11-22'], { tss: [{ from: '2026-11-01', to: '2026-11-22' }] }],
  [['--sender', '<>'], { senders: [{ sender: '' }] }],
  [['--sender', 'ann'], { senders: [{ localpart: 'ann', partial: true }] }],
  [['--sender', '@x.test'], { senders: [{ domain: 'x.test' }] }],
  [['--recipient', 'ann@'], { recipients: [{ localpart: 'ann' }] }],
  [['--recipient', 'ann@x.test'], { recipients: [{ recipient: 'ann@x.test' }] }],
  [['--metadata', 'k'], { metadatas: [{ key: 'k' }] }],
  [['--metadata', 'k=v=w'], { metadatas: [{ key: 'k', value: 'v=w' }] }],
  [['--metadata', 'k=/v/'], { metadatas: [{ key: 'k', value: 'v', regex: true }] }],
  [['--metadata', 'k>=5'], { metadatas: [{ key: 'k', op: 'GE', value: 5 }] }],
  [['--metadata', 'k=2..4'], { metadatas: [{ key: 'k', from: 2, to: 4 }] }],
  [['--remoteip', '203.0.113.0/24'], { remoteips: [{ remoteip: '203.0.113.0/24' }] }],
])('%j', (args, expected) => {
  expect(conditions(...args)).toEqual(expected);
});

test('no option is no condition', () => {
  expect(conditions()).toBeUndefined();
});

test.each([
  [['--age', 'old'], '--age: found "old"; expected a time'],
  [['--retrycount', '1-3'], '--retrycount: found "1-3"; expected a number'],
  [['--state', 'LOST'], '--state: found "LOST"; expected one of ACTIVE'],
  [['--id', 'x'], '--id: found "x"; expected a transaction id'],
  [['--metadata', '=v'], '--metadata: found "=v"; expected key=value'],
])('%j is refused', (args, message) => {
  expect(() => conditions(...args)).toThrow(message);
});
