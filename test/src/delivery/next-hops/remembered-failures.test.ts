import { expect, test } from 'vitest';
import type { Names } from '../../../../src/delivery/next-hops/names.js';
import { rememberingFailures } from '../../../../src/delivery/next-hops/remembered-failures.js';
import { fixedNames } from '../../../support/fixed-names.js';

function remembered() {
  let now = 0;
  const zone = fixedNames({
    'dead.test': { fails: 'both' },
    'a.test': { mx: ['10 mx.a.test'], ips: ['192.0.2.1'] },
  });
  let current: Names = zone;
  const names = rememberingFailures(() => current, { nowMs: () => now });
  return {
    names,
    asked: zone.asked,
    wait: (seconds: number) => {
      now += seconds * 1000;
    },
    replace: (other: Names) => {
      current = other;
    },
  };
}

test('what nobody could answer is not asked again for 5 seconds', async () => {
  const { names, asked, wait } = remembered();
  const first = await names.mailHosts('dead.test');
  expect(await names.mailHosts('dead.test')).toEqual(first);
  expect(await names.addresses('dead.test')).toMatchObject({ kind: 'none', reason: 'other' });
  wait(4.9);
  await names.mailHosts('dead.test');
  expect(asked).toEqual(['mx dead.test', 'ips dead.test']);
  wait(0.2);
  await names.mailHosts('dead.test');
  expect(asked).toEqual(['mx dead.test', 'ips dead.test', 'mx dead.test']);
});

test('answers are the affair of the resolver, a "no" among them', async () => {
  const { names, asked } = remembered();
  for (let times = 2; times > 0; times--) {
    await names.mailHosts('a.test');
    await names.mailHosts('nowhere.test');
  }
  expect(asked).toEqual(['mx a.test', 'mx nowhere.test', 'mx a.test', 'mx nowhere.test']);
});

test('what was given up is no failure', async () => {
  const { names, asked } = remembered();
  await names.mailHosts('dead.test', AbortSignal.abort());
  await names.mailHosts('dead.test');
  expect(asked).toEqual(['mx dead.test', 'mx dead.test']);
});

test('another resolver is asked afresh', async () => {
  const { names, replace } = remembered();
  await names.mailHosts('dead.test');
  replace(fixedNames({ 'dead.test': { mx: ['10 mx.test'] } }));
  expect(await names.mailHosts('dead.test')).toMatchObject({ kind: 'hosts' });
});

test('ten thousand failures are remembered at most', async () => {
  const failing: Names = {
    addresses: async () => ({ kind: 'none', reason: 'other', message: '' }),
    mailHosts: async (domain) => {
      asked.push(domain);
      return { kind: 'none', reason: 'other', message: '' };
    },
  };
  const asked: string[] = [];
  const names = rememberingFailures(() => failing, { nowMs: () => 0 });
  for (let index = 0; index <= 10_000; index++) await names.mailHosts(`d${index}.test`);
  await names.mailHosts('d10000.test');
  await names.mailHosts('d1.test');
  await names.mailHosts('d0.test');
  expect(asked.slice(10_001)).toEqual(['d0.test']);
});
