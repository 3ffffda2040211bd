import { describe, expect, test } from 'vitest';
import type { Transport } from '../../../../src/delivery/deliverer.js';
import { NextHops } from '../../../../src/delivery/next-hops/index.js';
import { makeAttempt, makeTransport } from '../../../support/delivery-attempt.js';
import { type FixedHost, fixedNames } from '../../../support/fixed-names.js';

const recipient = { localPart: 'b', domain: 'b.test' };
const toMailHosts: Partial<Transport> = { host: undefined, port: 25 };

function start(zone: Readonly<Record<string, FixedHost>>) {
  let now = 0;
  let names = fixedNames(zone);
  const hops = new NextHops({ names: () => names, clock: { nowMs: () => now }, random: () => 0.5 });
  return {
    hops,
    asked: () => names.asked,
    wait: (seconds: number) => {
      now += seconds * 1000;
    },
    change: (other: Readonly<Record<string, FixedHost>>) => {
      names = fixedNames(other);
    },
  };
}

const zone = {
  'b.test': { mx: ['10 mx1.b.test', '10 mx2.b.test', '10 mx3.b.test'] },
  'mx1.b.test': { ips: ['192.0.2.1'] },
  'mx2.b.test': { ips: ['192.0.2.2'] },
  'mx3.b.test': { ips: ['192.0.2.3', '2001:db8::3'] },
};

describe('the next hop of a message', () => {
  const hostsFor = async (seed: string, retry: number) => {
    const found = await start(zone).hops.find(makeTransport(toMailHosts), recipient, {}, { seed, retry });
    return 'addresses' in found ? [...new Set(found.addresses.map(({ remoteMx }) => remoteMx))] : [];
  };

  test('is the same for the same transaction and retry; another retry begins with another host', async () => {
    const first = await hostsFor('T', 0);
    expect(await hostsFor('T', 0)).toEqual(first);
    expect(await hostsFor('T', 1)).toEqual([first[1], first[2], first[0]]);
  });

  test('is of a family that is sent from', async () => {
    const source = { ip: '2001:db8::99' };
    const { hops } = start(zone);
    expect(await hops.find(makeTransport(toMailHosts), recipient, { sources: [source] })).toMatchObject({
      remoteMx: 'mx3.b.test',
      addresses: [{ ip: '2001:db8::3' }],
    });
    const sources = { ipv4: true, ipv6: false };
    const only6 = { host: 'mx3.b.test', sources };
    expect(await hops.find(makeTransport(only6), recipient, {})).toMatchObject({
      addresses: [{ ip: '192.0.2.3' }],
    });
  });
});

describe('a message that has waited', () => {
  async function waited(seconds: number, change?: Readonly<Record<string, FixedHost>>) {
    const world = start({ 'b.test': { mx: ['10 old.test'] }, 'old.test': { ips: ['192.0.2.1'] } });
    const transport = makeTransport(toMailHosts);
    const destination = await world.hops.find(transport, recipient, {});
    if (!('addresses' in destination)) throw new Error('nothing was found');
    world.wait(seconds);
    if (change !== undefined) world.change(change);
    const attempt = { ...makeAttempt(25, { transport: toMailHosts, recipient }), destination };
    return { now: await world.hops.current(attempt), before: destination };
  }

  const moved = { 'b.test': { mx: ['10 new.test'] }, 'new.test': { ips: ['192.0.2.7', '2001:db8::7'] } };

  test('a little goes where it was to go', async () => {
    const { now, before } = await waited(599, moved);
    expect(now).toBe(before);
  });

  test('long goes to the hosts of now, from where it was to come', async () => {
    expect((await waited(600, moved)).now).toMatchObject({
      remoteMx: 'new.test',
      addresses: [{ ip: '192.0.2.7' }],
    });
  });

  test.each<[what: string, change: Readonly<Record<string, FixedHost>>]>([
    ['nobody can say anything', { 'b.test': { fails: 'mx' } }],
    ['there are only hosts that it cannot come to', { 'b.test': { ips: ['2001:db8::7'] } }],
  ])('long goes where it was to go while %s', async (_what, change) => {
    const { now, before } = await waited(600, change);
    expect(now).toBe(before);
  });

  test('long is told when its domain takes no mail any more', async () => {
    expect((await waited(600, { 'b.test': { mx: ['0 .'] } })).now).toMatchObject({
      error: { temporary: false, dns: 'nullmx' },
    });
  });
});

test('what is found for many messages in one minute is equal', async () => {
  const { hops, wait } = start(zone);
  const turn = { seed: 'T', retry: 0 };
  const found = () => hops.find(makeTransport(toMailHosts), recipient, {}, turn);
  const first = await found();
  wait(59);
  expect(await found()).toEqual(first);
});

test('a destination without an age does not grow old', async () => {
  const { hops, asked, wait } = start({});
  wait(1e6);
  const attempt = makeAttempt(25);
  expect(await hops.current(attempt)).toBe(attempt.destination);
  expect(asked()).toEqual([]);
});
