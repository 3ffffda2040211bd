import { setMaxListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FetchedPolicy } from '../../../../../src/delivery/security/mta-sts/fetch.js';
import { type PolicyFinding, StsPolicies } from '../../../../../src/delivery/security/mta-sts/policies.js';
import type { StsPolicy } from '../../../../../src/delivery/security/mta-sts/policy.js';
import {
  filePolicyStore,
  type KeptPolicy,
  type PolicyStore,
} from '../../../../../src/delivery/security/mta-sts/store.js';
import { type SignedName, signedResolver } from '../../../../support/signed-zone.js';
import { TestLog } from '../../../../support/test-log.js';

const policy: StsPolicy = { mode: 'enforce', mx: ['mx.a.test'], maxAgeSeconds: 1000 };
const failed: FetchedPolicy = { kind: 'failure', failure: 'sts-policy-fetch-error', message: 'no' };
const DAY_MS = 86_400_000;

/** A cache with a world that a test changes. */
class World {
  nowMs = 1_000_000;
  answer: FetchedPolicy | Promise<FetchedPolicy> = { kind: 'policy', policy };
  readonly fetched: string[] = [];
  readonly log = new TestLog();
  readonly zone: Record<string, SignedName> = {};
  readonly policies: StsPolicies;

  constructor(store?: PolicyStore) {
    this.says('1');
    const resolver = signedResolver(this.zone);
    this.policies = new StsPolicies({
      resolver: () => resolver,
      fetch: async (domain) => {
        this.fetched.push(domain);
        return this.answer;
      },
      store,
      nowMs: () => this.nowMs,
      log: this.log,
    });
    onTestFinished(() => this.policies.close());
  }

  says(id: string | undefined): void {
    this.zone['_mta-sts.a.test'] = id === undefined ? {} : { txt: [`v=STSv1; id=${id};`] };
  }

  async find(): Promise<string> {
    return inWords(await this.policies.policyOf('a.test'));
  }
}

function inWords(finding: PolicyFinding): string {
  const failure = finding.failure === undefined ? '' : `, ${finding.failure}`;
  return finding.kind === 'none' ? `none${failure}` : `${finding.policy.mode} ${finding.id}${failure}`;
}

const testing: FetchedPolicy = { kind: 'policy', policy: { ...policy, mode: 'testing' } };

describe('a policy', () => {
  test('is fetched once and kept while its id stays', async () => {
    const world = new World();
    expect([await world.find(), await world.find(), world.fetched]).toEqual([
      'enforce 1',
      'enforce 1',
      ['a.test'],
    ]);
  });

  test('is not fetched without a record', async () => {
    const world = new World();
    world.says(undefined);
    expect([await world.find(), world.fetched]).toEqual(['none', []]);
  });

  test('is fetched again when its id changes', async () => {
    const world = new World();
    await world.find();
    world.says('2');
    world.answer = testing;
    expect([await world.find(), await world.find(), world.fetched.length]).toEqual([
      'testing 2',
      'testing 2',
      2,
    ]);
  });

  test('stays when a newer one cannot be fetched, and the failure is told', async () => {
    const world = new World();
    await world.find();
    world.says('2');
    world.answer = failed;
    expect(await world.find()).toBe('enforce 1, sts-policy-fetch-error');
  });

  test('stays while the record is gone or cannot be looked up, until its time is over', async () => {
    const world = new World();
    await world.find();
    world.says(undefined);
    world.nowMs += 999_000;
    expect(await world.find()).toBe('enforce 1');
    world.zone['_mta-sts.a.test'] = { txt: 'SERVFAIL' };
    expect(await world.find()).toBe('enforce 1');
    world.nowMs += 1000;
    expect(await world.find()).toBe('none, sts-policy-fetch-error');
    world.says(undefined);
    expect(await world.find()).toBe('none');
  });

  test('that could not be fetched is asked for again after five minutes, or for another id', async () => {
    const world = new World();
    world.answer = failed;
    expect([await world.find(), await world.find(), world.fetched.length]).toEqual([
      'none, sts-policy-fetch-error',
      'none, sts-policy-fetch-error',
      1,
    ]);
    world.nowMs += 300_000;
    expect([await world.find(), world.fetched.length]).toEqual(['none, sts-policy-fetch-error', 2]);
    world.says('2');
    world.answer = testing;
    expect(await world.find()).toBe('testing 2');
  });

  test("is fetched again behind the message's back when half its life is over", async () => {
    const world = new World();
    await world.find();
    world.nowMs += 500_000;
    let deliver: (fetched: FetchedPolicy) => void = () => {};
    world.answer = new Promise((resolve) => {
      deliver = resolve;
    });
    expect([await world.find(), world.fetched.length]).toEqual(['enforce 1', 2]);
    deliver(testing);
    await world.policies.refresh();
    expect(await world.find()).toBe('testing 1');
  });

  test('is refreshed a day old at the latest, though nobody asks for it', async () => {
    const world = new World();
    world.answer = { kind: 'policy', policy: { ...policy, maxAgeSeconds: 31_557_600 } };
    await world.find();
    world.nowMs += DAY_MS - 1;
    await world.policies.refresh();
    expect(world.fetched.length).toBe(1);
    world.nowMs += 1;
    await world.policies.refresh();
    expect(world.fetched.length).toBe(2);
  });

  test('is refreshed once, however often that is asked for', async () => {
    const world = new World();
    await world.find();
    world.nowMs += 500_000;
    await Promise.all([world.policies.refresh(), world.policies.refresh()]);
    expect(world.fetched.length).toBe(2);
  });

  test('that lives no time at all holds for this message', async () => {
    const world = new World();
    world.answer = { kind: 'policy', policy: { ...policy, maxAgeSeconds: 0 } };
    expect([await world.find(), await world.find(), world.fetched.length]).toEqual([
      'enforce 1',
      'enforce 1',
      2,
    ]);
  });

  test('is fetched once for all who ask at the same time, and a wait can be given up', async () => {
    const world = new World();
    let deliver: (fetched: FetchedPolicy) => void = () => {};
    world.answer = new Promise((resolve) => {
      deliver = resolve;
    });
    const patient = world.find();
    const impatience = new AbortController();
    const impatient = world.policies.policyOf('a.test', impatience.signal);
    impatience.abort();
    expect(inWords(await impatient)).toBe('none, sts-policy-fetch-error');
    deliver({ kind: 'policy', policy });
    expect([await patient, world.fetched.length]).toEqual(['enforce 1', 1]);
  });

  test('a fetch that breaks is a failure like others', async () => {
    const world = new World();
    world.answer = Promise.reject(new Error('broken'));
    expect(await world.find()).toBe('none, sts-policy-fetch-error');
  });
});

test('hosts that keep their policy to themselves do not hold up the policies of others', async () => {
  const silent = Array.from({ length: 100 }, (_, index) => `silent${index}.test`);
  const zone: Record<string, SignedName> = {};
  for (const domain of [...silent, 'a.test']) zone[`_mta-sts.${domain}`] = { txt: ['v=STSv1; id=1'] };
  const resolver = signedResolver(zone);
  const open = { now: 0, most: 0 };
  const policies = new StsPolicies({
    resolver: () => resolver,
    slowFetchMs: 1,
    fetch: (domain, signal) => {
      if (domain === 'a.test') return Promise.resolve({ kind: 'policy', policy });
      open.most = Math.max(open.most, ++open.now);
      setMaxListeners(0, signal);
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          open.now--;
          resolve(failed);
        });
      });
    },
  });
  const waits = silent.map((domain) => policies.policyOf(domain));
  expect(inWords(await policies.policyOf('a.test'))).toBe('enforce 1');
  expect(open.most).toBe(100);
  await policies.close();
  expect((await Promise.all(waits)).map(inWords)).toEqual(Array(100).fill('none, sts-policy-fetch-error'));
  expect(open.now).toBe(0);
});

test('fetches that are waited for are made in turn, each once', async () => {
  const domains = Array.from({ length: 200 }, (_, index) => `d${index}.test`);
  const zone: Record<string, SignedName> = {};
  for (const domain of domains) zone[`_mta-sts.${domain}`] = { txt: ['v=STSv1; id=1'] };
  const resolver = signedResolver(zone);
  const open = { now: 0, most: 0 };
  const fetched: string[] = [];
  const policies = new StsPolicies({
    resolver: () => resolver,
    fetch: async (domain) => {
      fetched.push(domain);
      open.most = Math.max(open.most, ++open.now);
      await new Promise((resolve) => setImmediate(resolve));
      open.now--;
      return { kind: 'policy', policy };
    },
  });
  onTestFinished(() => policies.close());
  await Promise.all(domains.map((domain) => policies.policyOf(domain)));
  expect([new Set(fetched).size, fetched.length, open.most]).toEqual([200, 200, 32]);
});

test('no more policies are kept than there is room for', async () => {
  const zone: Record<string, SignedName> = {};
  const domains = Array.from({ length: 20 }, (_, index) => `d${index}.test`);
  for (const domain of domains) zone[`_mta-sts.${domain}`] = { txt: ['v=STSv1; id=1'] };
  const resolver = signedResolver(zone);
  let saved: readonly KeptPolicy[] = [];
  const policies = new StsPolicies({
    resolver: () => resolver,
    fetch: async () => ({ kind: 'policy', policy }),
    store: {
      load: async () => [],
      save: async (kept) => {
        saved = kept;
      },
    },
    capacity: 5,
  });
  for (const domain of domains) await policies.policyOf(domain);
  await policies.close();
  expect(saved.map(({ domain }) => domain)).toEqual(domains.slice(-5));
});

test('large policies do not take the memory of all: who was used longest ago goes first', async () => {
  const zone: Record<string, SignedName> = {};
  const domains = Array.from({ length: 1500 }, (_, index) => `d${index}.test`);
  for (const domain of ['a.test', ...domains]) zone[`_mta-sts.${domain}`] = { txt: ['v=STSv1; id=1'] };
  const resolver = signedResolver(zone);
  const mx = Array.from({ length: 1000 }, (_, index) => `${'x'.repeat(55)}.mx${index}`);
  let saved: readonly KeptPolicy[] = [];
  let fetches = 0;
  const policies = new StsPolicies({
    resolver: () => resolver,
    fetch: async (domain) => {
      fetches++;
      return { kind: 'policy', policy: domain === 'a.test' ? policy : { ...policy, mx } };
    },
    store: {
      load: async () => [],
      save: async (kept) => {
        saved = kept;
      },
    },
  });
  for (const domain of domains) {
    await policies.policyOf(domain);
    // Used all the time, so it stays.
    await policies.policyOf('a.test');
  }
  await policies.close();
  expect(JSON.stringify(saved).length).toBeLessThan(32 * 1024 * 1024);
  expect(saved.length).toBeGreaterThan(200);
  expect(saved.map(({ domain }) => domain)).toContain('a.test');
  expect(saved.map(({ domain }) => domain)).toContain('d1499.test');
  expect(fetches).toBe(1501);
});

describe('policies outlive the process', () => {
  function file(): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'argonite-sts-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return path.join(folder, 'mta-sts.json');
  }

  test('in a file that is read at the first question', async () => {
    const store = filePolicyStore(file());
    const first = new World(store);
    await first.find();
    await first.policies.close();
    const second = new World(store);
    second.says(undefined);
    expect([await second.find(), second.fetched]).toEqual(['enforce 1', []]);
    const late = new World(store);
    late.says(undefined);
    late.nowMs += 1_000_000;
    expect(await late.find()).toBe('none');
  });

  test('no longer than they say, even if the clock was set back', async () => {
    const store = filePolicyStore(file());
    const first = new World(store);
    await first.find();
    await first.policies.close();
    const second = new World(store);
    second.nowMs -= 500_000;
    second.says(undefined);
    expect(await second.find()).toBe('enforce 1');
    second.nowMs += 1_000_000;
    expect(await second.find()).toBe('none');
  });

  test.each([
    '',
    'null',
    '{"version":2,"policies":[]}',
    '{"version":1}',
    '{"version":1,"policies":[1,{"domain":"a.test"}]}',
  ])('a file that holds %s is as good as none', async (content) => {
    const name = file();
    writeFileSync(name, content);
    const world = new World(filePolicyStore(name));
    expect(await world.find()).toBe('enforce 1');
    await world.policies.close();
    expect(JSON.parse(readFileSync(name, 'utf8'))).toMatchObject({
      version: 1,
      policies: [{ domain: 'a.test' }],
    });
  });

  test('a file torn at its end, or with other bytes there, is told by its name and fetched anew', async () => {
    const name = file();
    const first = new World(filePolicyStore(name));
    await first.find();
    await first.policies.close();
    const whole = readFileSync(name);
    const torn = Array.from({ length: whole.length }, (_, end) => whole.subarray(0, end));
    for (const garbage of ['\0', '\xff\xfe', '}', '{"version":1'])
      torn.push(Buffer.concat([whole, Buffer.from(garbage, 'latin1')]));
    torn.push(Buffer.concat([whole.subarray(0, -9), Buffer.alloc(9)]));
    for (const bytes of torn) {
      writeFileSync(name, bytes);
      const world = new World(filePolicyStore(name));
      expect([bytes.toString('latin1'), await world.find()]).toEqual([bytes.toString('latin1'), 'enforce 1']);
      const [line] = world.log.lines.filter(({ level }) => level === 'error');
      expect(String(line?.fields['err'])).toContain(`${name} is no JSON`);
      await world.policies.close();
    }
  });

  test('a disk that fails costs no mail', async () => {
    const broken = async () => {
      throw new Error('EIO');
    };
    const world = new World({ load: broken, save: broken });
    expect([await world.find(), await world.find()]).toEqual(['enforce 1', 'enforce 1']);
  });
});
