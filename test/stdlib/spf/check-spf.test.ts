// What is around the evaluation: whose address, whose time; policies made to cost.

import { expect, onTestFinished, test } from 'vitest';
import { createResolver } from '../../../stdlib/dns/create-resolver.js';
import type { Resolver } from '../../../stdlib/dns/resolver.js';
import { checkSpf } from '../../../stdlib/spf/check-spf.js';
import { cpuSeconds } from '../../support/cpu-time.js';
import { DnsServer } from '../../support/dns-server.js';

const request = { ip: '192.0.2.4', helo: 'client.test', sender: 'user@example.test' };

function resolverWith(...texts: string[]): Resolver {
  return createResolver({ hosts: { 'example.test': { txt: texts } }, hostsFile: undefined });
}

test.each(['', 'client.test', '192.0.2', '192.0.2.256'])('a client address %j is invalid', async (ip) => {
  const nobody: Resolver = {
    query: () => {
      throw new Error('nothing should be asked');
    },
    close: () => {},
  };
  expect(await checkSpf({ ...request, ip }, nobody)).toEqual({ result: 'invalid', domain: 'example.test' });
});

test('a verdict tells domain and mechanism', async () => {
  const resolver = resolverWith('v=spf1 ip4:192.0.2.0/24 -all');
  expect(await checkSpf(request, resolver)).toEqual({
    result: 'pass',
    domain: 'example.test',
    mechanism: 'ip4:192.0.2.0/24',
  });
  expect(await checkSpf({ ...request, ip: '198.51.100.1' }, resolver)).toMatchObject({ mechanism: '-all' });
});

test('an error tells what is wrong', async () => {
  const verdict = await checkSpf(request, resolverWith('v=spf1 ip4:192.0.2 -all'));
  expect(verdict).toEqual({
    result: 'permerror',
    domain: 'example.test',
    problem: '"ip4:192.0.2" in the SPF record: expected ":" and an IPv4 address or network',
  });
});

async function silentResolver(): Promise<Resolver> {
  const server = await DnsServer.start({ behave: () => 'silence' });
  const resolver = createResolver({ servers: [server.serverText], hostsFile: undefined });
  onTestFinished(() => server.close());
  return resolver;
}

test('an evaluation ends when its time is up', async () => {
  const started = performance.now();
  const verdict = await checkSpf(request, await silentResolver(), { timeoutSeconds: 0.2 });
  expect(verdict.result).toBe('temperror');
  expect(performance.now() - started).toBeLessThan(8000);
});

test('an evaluation ends when its caller gives up', async () => {
  const abort = new AbortController();
  const verdict = checkSpf(request, await silentResolver(), { signal: abort.signal });
  abort.abort();
  expect((await verdict).result).toBe('temperror');
  const late = await checkSpf(request, await silentResolver(), { signal: abort.signal });
  expect(late.result).toBe('temperror');
});

test.each([
  ['terms', `v=spf1 ${'ip4:198.51.100.1 '.repeat(3500)}-all`, 'fail'],
  ['slashes', `v=spf1 a:${'/1'.repeat(30_000)}x -all`, 'permerror'],
  ['digits', `v=spf1 a/${'1'.repeat(60_000)} -all`, 'permerror'],
  ['letters', `v=spf1 a:x.${'a'.repeat(60_000)}! -all`, 'permerror'],
  ['dashes', `v=spf1 exists:x.${'-'.repeat(1900)}! -all`, 'permerror'],
  ['a long domain', `v=spf1 exists:${'a.'.repeat(2000)}test -all`, 'permerror'],
  ['macros', `v=spf1 exists:${'%{s}'.repeat(400)}.test -all`, 'fail'],
  ['modifiers', `v=spf1 ${'x=%{d} '.repeat(9000)}-all`, 'fail'],
  ['percent signs', `v=spf1 x=${'%{'.repeat(30_000)} -all`, 'permerror'],
  ['brackets', `v=spf1 x=${'%{l....'.repeat(8000)} -all`, 'permerror'],
])('a record of 60,000 bytes of %s is judged in no time', async (_, record, result) => {
  const seconds = await cpuSeconds(async () => {
    expect((await checkSpf(request, resolverWith(record))).result).toBe(result);
  });
  expect(seconds).toBeLessThan(1.5);
});
