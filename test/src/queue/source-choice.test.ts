import { describe, expect, test } from 'vitest';
import type { SourceAddress } from '#hooks';
import type { HopAddress } from '../../../src/delivery/deliverer.js';
import { reachableFrom, SourceTurns, type SourceWish } from '../../../src/queue/source-choice.js';

const a: SourceAddress = { ip: '192.0.2.1', id: 'a' };
const b: SourceAddress = { ip: '192.0.2.2', id: 'b' };
const six: SourceAddress = { ip: '2001:db8::1', id: 'six' };
const four: HopAddress = { ip: '198.51.100.1', port: 25, remoteMx: 'mx' };
const toFour = [four];
const toBoth: readonly HopAddress[] = [{ ip: '2001:db8::99', port: 25, remoteMx: 'mx' }, four];

function wish(ipv4: readonly SourceAddress[], changes: Partial<SourceWish> = {}): SourceWish {
  return { sources: { ipv4, ipv6: [] }, takesFirst: false, isNonlocal: false, ...changes };
}

describe('sources in turns', () => {
  test('give an address that is listed twice twice the share', () => {
    const turns = new SourceTurns();
    const ids = Array.from({ length: 300 }, () => turns.choose(wish([a, a, b]), toFour)!.source.ipv4!.id);
    expect(ids.filter((id) => id === 'a')).toHaveLength(200);
    expect(ids.slice(0, 4)).toEqual(['a', 'a', 'b', 'a']);
  });

  test('remember whose turn it is by what is in the list, not by the list', () => {
    const turns = new SourceTurns();
    const ids = [1, 2, 3].map(() => turns.choose(wish([{ ...a }, { ...b }]), toFour)!.source.ipv4!.id);
    expect(ids).toEqual(['a', 'b', 'a']);
  });

  test('pass over what must not be used, and stop only when nothing is left', () => {
    const turns = new SourceTurns();
    const ids = [1, 2, 3].map(
      () => turns.choose(wish([a, a, b]), toFour, ({ id }) => id === 'b')?.source.ipv4?.id,
    );
    expect(ids).toEqual(['b', 'b', 'b']);
    expect(turns.choose(wish([a, b]), toFour, () => false)).toBeUndefined();
  });

  test('are chosen for each family that the destination has', () => {
    const turns = new SourceTurns();
    const sources = { ipv4: [a, b], ipv6: [six] };
    expect(turns.choose(wish([], { sources }), toBoth)!.source).toEqual({ ipv4: a, ipv6: six });
    expect(turns.choose(wish([], { sources }), toFour)!.source).toEqual({ ipv4: b });
    // One family may do when the other must not be used.
    expect(turns.choose(wish([], { sources }), toBoth, ({ id }) => id === 'six')).toEqual({
      source: { ipv6: six },
      addresses: [toBoth[0]],
    });
  });

  test('are forgotten when there are too many lists', () => {
    const turns = new SourceTurns();
    expect(turns.choose(wish([a, b]), toFour)!.source.ipv4).toBe(a);
    for (let n = 0; n < 1000; n++) turns.choose(wish([{ ip: `192.0.2.${n}` }, a]), toFour);
    expect(turns.choose(wish([a, b]), toFour)!.source.ipv4).toBe(a);
  });
});

test('the first usable source is taken when the order counts', () => {
  const turns = new SourceTurns();
  const inOrder = wish([a, b], { takesFirst: true });
  const ids = [1, 2, 3].map(() => turns.choose(inOrder, toFour)!.source.ipv4!.id);
  expect(ids).toEqual(['a', 'a', 'a']);
  expect(turns.choose(inOrder, toFour, ({ id }) => id === 'b')!.source.ipv4).toBe(b);
});

test('the system chooses when nothing is said, and may be told that it need not be an address of ours', () => {
  const turns = new SourceTurns();
  const sources = { ipv4: true, ipv6: true };
  expect(turns.choose(wish([], { sources }), toBoth)).toEqual({ source: {}, addresses: toBoth });
  expect(turns.choose(wish([a], { isNonlocal: true }), toFour)!.source).toEqual({
    ipv4: a,
    isNonlocal: true,
  });
});

test('addresses of a family without a source are not tried', () => {
  const ips = (ipv4: boolean | readonly SourceAddress[], ipv6: boolean | readonly SourceAddress[]) =>
    reachableFrom({ ipv4, ipv6 }, toBoth).map(({ ip }) => ip);
  expect(ips(true, true)).toEqual(['2001:db8::99', '198.51.100.1']);
  expect(ips(true, false)).toEqual(['198.51.100.1']);
  expect(ips([a], [])).toEqual(['198.51.100.1']);
  expect(ips([], [six])).toEqual(['2001:db8::99']);
  expect(ips([], [])).toEqual([]);
});
