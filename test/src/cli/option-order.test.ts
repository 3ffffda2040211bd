import { expect, test } from 'vitest';
import { globalsLast } from '../../../src/cli/option-order.js';

test.each([
  ['-s p queue list --json', 'queue list -s p --json'],
  ['queue -s p list', 'queue list -s p'],
  ['queue --socket=p list -F id', 'queue list --socket=p -F id'],
  ['config -c cli.yaml livestage --no-color status', 'config livestage status -c cli.yaml --no-color'],
  ['queue list -s p', 'queue list -s p'],
  ['-s p stats', 'stats -s p'],
  ['hsh -c smtpd.yaml a.hsl', 'hsh -c smtpd.yaml a.hsl'],
  ['queue -s p', 'queue'],
  ['-s p --help', '--help'],
  ['queue --help', 'queue --help'],
  ['-s', ''],
  ['queue load -- -s', 'queue load -- -s'],
])('%s', (given, expected) => {
  expect(globalsLast(given.split(' ')).join(' ')).toBe(expected);
});
