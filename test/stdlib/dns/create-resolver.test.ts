// The resolver against servers on loopback that tell the truth, lie, cut, stall and die.

import { encode } from 'dns-packet';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createResolver, type ResolverSettings } from '../../../stdlib/dns/create-resolver.js';
import { recordText } from '../../../stdlib/dns/record-values.js';
import type { DnsAnswer, Question, RecordType } from '../../../stdlib/dns/resolver.js';
import {
  DnsServer,
  type DnsServerOptions,
  optRecord,
  parseRecord,
  type Reaction,
  rcode,
  truncated,
} from '../../support/dns-server.js';

const zone = {
  'example.test': ['A 192.0.2.1', 'MX 20 mx2.example.test', 'MX 10 mx1.example.test', 'TXT hello'],
  'www.example.test': ['60 CNAME web.example.test'],
  'web.example.test': ['CNAME example.test'],
  'dangling.test': ['CNAME nowhere.test'],
  'loop.test': ['CNAME pool.test'],
  'pool.test': ['CNAME loop.test'],
};

async function serve(options: DnsServerOptions = {}): Promise<DnsServer> {
  const server = await DnsServer.start({ zone, ...options });
  onTestFinished(() => server.close());
  return server;
}

function resolverFor(servers: readonly (DnsServer | string)[], settings: ResolverSettings = {}) {
  const resolver = createResolver({
    servers: servers.map((server) => (typeof server === 'string' ? server : server.serverText)),
    timeoutSeconds: 0.25,
    retries: 0,
    hostsFile: undefined,
    ...settings,
  });
  onTestFinished(() => resolver.close());
  return resolver;
}

/** A free port of loopback on which nobody listens. */
async function deadServer(): Promise<string> {
  const server = await DnsServer.start();
  await server.close();
  return server.serverText;
}

const question = (name: string, type: RecordType = 'a', more: Partial<Question> = {}): Question => ({
  name,
  type,
  ...more,
});

const shown = (answer: DnsAnswer) =>
  answer.kind === 'records' ? answer.records.map(recordText) : answer.error;

/** What comes back when the server reacts so to everything. */
async function answerTo(
  reaction: Reaction,
  more: Partial<Question> = {},
): Promise<string | readonly string[]> {
  const server = await serve({ behave: () => reaction });
  return shown(await resolverFor([server]).query(question('example.test', 'a', more)));
}

describe('answers', () => {
  test('are the records, mail hosts by preference', async () => {
    const resolver = resolverFor([await serve()]);
    expect(shown(await resolver.query(question('example.test')))).toEqual(['192.0.2.1']);
    expect(shown(await resolver.query(question('Example.TEST.', 'mx')))).toEqual([
      'mx1.example.test',
      'mx2.example.test',
    ]);
  });

  test('tell a name without such records from one that does not exist', async () => {
    const resolver = resolverFor([await serve()]);
    expect(shown(await resolver.query(question('example.test', 'aaaa')))).toBe('NODATA');
    expect(shown(await resolver.query(question('test', 'a')))).toBe('NODATA');
    expect(shown(await resolver.query(question('nowhere.test')))).toBe('NXDOMAIN');
  });

  test.each(['SERVFAIL', 'REFUSED', 'FORMERR', 'NOTIMP'] as const)('tell %s', async (name) => {
    expect(await answerTo({ flags: rcode(name), answers: [] })).toBe(name);
  });

  test('call other refusals a failure of the server', async () => {
    expect(await answerTo({ flags: 9, answers: [] })).toBe('SERVFAIL');
  });

  test('with an error in the upper bits of the response code (EDNS0) say nothing of records', async () => {
    const additionals = [optRecord(1)];
    expect(await answerTo({ flags: 7, answers: [], additionals })).toBe('SERVFAIL');
    expect(await answerTo({ flags: 0, answers: [], additionals })).toBe('SERVFAIL');
  });

  test('to names that are none come without asking', async () => {
    const server = await serve();
    const resolver = resolverFor([server]);
    expect(resolver.query(question('a..b'))).toEqual({ kind: 'failure', error: 'BADNAME', isSecure: false });
    expect(server.queries).toEqual([]);
  });

  test('come from servers with an IPv6 address, too', async () => {
    const resolver = resolverFor([await serve({ address: '::1' })]);
    expect(shown(await resolver.query(question('example.test')))).toEqual(['192.0.2.1']);
  });
});

describe('aliases', () => {
  test('are followed, and the name that has the records is told', async () => {
    const answer = await resolverFor([await serve()]).query(question('www.example.test'));
    expect(answer).toMatchObject({ canonicalName: 'example.test', records: [{ address: '192.0.2.1' }] });
  });

  test('are their own answer when they are asked for', async () => {
    const resolver = resolverFor([await serve()]);
    expect(shown(await resolver.query(question('www.example.test', 'cname')))).toEqual(['web.example.test']);
  });

  test('are asked for again when the server leaves them unfollowed', async () => {
    const server = await serve({
      negativeTtl: null,
      behave: (_, fromZone) => ({ answers: fromZone().answers!.slice(0, 1) }),
    });
    const resolver = resolverFor([server]);
    expect(shown(await resolver.query(question('www.example.test')))).toEqual(['192.0.2.1']);
    expect(server.asked).toEqual(['A www.example.test', 'A web.example.test', 'A example.test']);
  });

  test('that lead to no name are no name', async () => {
    const resolver = resolverFor([await serve()]);
    expect(shown(await resolver.query(question('dangling.test')))).toBe('NXDOMAIN');
  });

  test('in a circle end, whoever follows them', async () => {
    const resolver = resolverFor([await serve()]);
    expect(shown(await resolver.query(question('loop.test')))).toBe('SERVFAIL');
    const unfollowing = await serve({
      negativeTtl: null,
      behave: (_, fromZone) => ({ answers: fromZone().answers!.slice(0, 1) }),
    });
    expect(shown(await resolverFor([unfollowing]).query(question('loop.test')))).toBe('SERVFAIL');
    expect(unfollowing.queries.length).toBeLessThan(20);
  });

  test('to what is no name fail', async () => {
    const server = await serve({
      negativeTtl: null,
      zone: { 'odd.test': ['CNAME two words.test'], 'two words.test': [] },
      behave: (_, fromZone) => ({ answers: fromZone().answers!.slice(0, 1) }),
    });
    expect(shown(await resolverFor([server]).query(question('odd.test')))).toBe('SERVFAIL');
  });
});

describe('the cache', () => {
  test('answers at once, until the TTL is over', async () => {
    let now = 0;
    const server = await serve({ ttl: 10 });
    const resolver = resolverFor([server], { nowMs: () => now });
    await resolver.query(question('example.test'));
    now = 4000;
    const cached = resolver.query(question('EXAMPLE.test.'));
    expect(cached).toMatchObject({ kind: 'records', records: [{ ttlSeconds: 6 }] });
    now = 10_000;
    expect(resolver.query(question('example.test'))).toBeInstanceOf(Promise);
    expect(resolver.counters).toMatchObject({ hits: 1, misses: 2, expires: 1 });
  });

  test('keeps an alias no longer than the shortest TTL on the way', async () => {
    let now = 0;
    const resolver = resolverFor([await serve()], { nowMs: () => now });
    await resolver.query(question('www.example.test'));
    now = 59_000;
    expect(resolver.query(question('www.example.test'))).not.toBeInstanceOf(Promise);
    now = 60_000;
    expect(resolver.query(question('www.example.test'))).toBeInstanceOf(Promise);
  });

  test('keeps what is not there as long as the SOA says (RFC 2308)', async () => {
    let now = 0;
    const server = await serve({ negativeTtl: 30 });
    const resolver = resolverFor([server], { nowMs: () => now });
    for (const name of ['nowhere.test', 'example.test']) {
      await resolver.query(question(name, 'srv'));
      expect(resolver.query(question(name, 'srv'))).toMatchObject({ kind: 'failure' });
    }
    now = 30_000;
    expect(resolver.query(question('nowhere.test', 'srv'))).toBeInstanceOf(Promise);
  });

  test.each([
    ['without a SOA', { negativeTtl: null }],
    [
      "with a SOA of somebody else's zone",
      { behave: () => ({ authorities: [parseRecord('other', '300 SOA ns.o r.o 1 2 3 4 300', 0)] }) },
    ],
  ] as [string, DnsServerOptions][])('forgets "there is none" %s', async (_, options) => {
    const resolver = resolverFor([await serve(options)]);
    await resolver.query(question('nowhere.test'));
    expect(resolver.query(question('nowhere.test'))).toBeInstanceOf(Promise);
  });

  test('keeps neither failures nor records with a TTL of 0', async () => {
    const server = await serve({ ttl: 0 });
    const resolver = resolverFor([server]);
    await resolver.query(question('example.test'));
    await resolver.query(question('example.test'));
    server.behave = () => ({ flags: rcode('SERVFAIL') });
    await resolver.query(question('www.example.test'));
    await resolver.query(question('www.example.test'));
    expect(server.queries).toHaveLength(4);
  });

  test('is not used, nor filled, when a question names its servers', async () => {
    const ours = await serve();
    const theirs = await serve({ zone: { 'example.test': ['A 203.0.113.9'] } });
    const resolver = resolverFor([ours]);
    const elsewhere = question('example.test', 'a', { servers: ['127.0.0.1'], port: theirs.port });
    expect(shown(await resolver.query(elsewhere))).toEqual(['203.0.113.9']);
    expect(shown(await resolver.query(question('example.test')))).toEqual(['192.0.2.1']);
    expect(shown(await resolver.query(elsewhere))).toEqual(['203.0.113.9']);
    expect(theirs.queries).toHaveLength(2);
  });

  test('is empty after clear', async () => {
    const resolver = resolverFor([await serve()]);
    await resolver.query(question('example.test'));
    resolver.clear();
    expect(resolver.query(question('example.test'))).toBeInstanceOf(Promise);
  });
});

describe('equal questions', () => {
  test('at the same time are asked once', async () => {
    const server = await serve();
    const resolver = resolverFor([server]);
    const names = ['example.test', 'EXAMPLE.test', 'example.test.'];
    const answers = await Promise.all(names.map((name) => resolver.query(question(name))));
    expect(answers.map(shown)).toEqual([['192.0.2.1'], ['192.0.2.1'], ['192.0.2.1']]);
    expect(server.asked).toEqual(['A example.test']);
  });

  test('go on for the others when one gives up', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await serve({ behave: () => held.then(() => undefined) });
    const resolver = resolverFor([server], { timeoutSeconds: 5 });
    const abort = new AbortController();
    const leaving = resolver.query(question('example.test'), abort.signal);
    const staying = resolver.query(question('example.test'), new AbortController().signal);
    abort.abort();
    expect(shown(await leaving)).toBe('TRY_AGAIN');
    release();
    expect(shown(await staying)).toEqual(['192.0.2.1']);
  });

  test('are dropped when all gave up', async () => {
    const server = await serve({ behave: () => 'silence' });
    const resolver = resolverFor([server], { timeoutSeconds: 5 });
    const abort = new AbortController();
    const waiting = resolver.query(question('example.test'), abort.signal);
    abort.abort();
    await waiting;
    await expect.poll(() => resolver.counters.running).toBe(0);
    expect(resolver.query(question('example.test'), abort.signal)).toMatchObject({ error: 'TRY_AGAIN' });
  });
});

describe('time', () => {
  test('for a question ends, whatever servers do', async () => {
    const server = await serve({ behave: () => 'silence' });
    const resolver = resolverFor([server], { timeoutSeconds: 60, retries: 9 });
    const started = performance.now();
    expect(shown(await resolver.query(question('example.test', 'a', { timeoutSeconds: 0.2 })))).toBe(
      'TRY_AGAIN',
    );
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('is given to each server, and the question repeated', async () => {
    const silent = await serve({ behave: () => 'silence' });
    const resolver = resolverFor([silent], { timeoutSeconds: 0.05, retries: 2 });
    expect(shown(await resolver.query(question('example.test')))).toBe('TRY_AGAIN');
    expect(silent.queries).toHaveLength(3);
  });

  test('that is short is shared by the servers', async () => {
    const silent = await serve({ behave: () => 'silence' });
    const resolver = resolverFor([silent, await serve()], { timeoutSeconds: 60 });
    const answer = await resolver.query(question('example.test', 'a', { timeoutSeconds: 1 }));
    expect(shown(answer)).toEqual(['192.0.2.1']);
  });
});

describe('the next server is asked', () => {
  test.each([
    ['is silent', { behave: () => 'silence' }],
    ['fails', { behave: () => ({ flags: rcode('SERVFAIL') }) }],
    ['refuses', { behave: () => ({ flags: rcode('REFUSED') }) }],
    ['cuts its answers over TCP as well', { behave: () => ({ flags: truncated }) }],
    [
      'talks nonsense',
      {
        behave: ({ bytes }) =>
          Buffer.concat([bytes.subarray(0, 2), Buffer.from([0x80, 0, 0, 1, 0, 9]), bytes.subarray(8)]),
      },
    ],
  ] as [string, DnsServerOptions][])('when one %s', async (_, options) => {
    const resolver = resolverFor([await serve(options), await serve()]);
    expect(shown(await resolver.query(question('example.test')))).toEqual(['192.0.2.1']);
  });

  test('when nobody listens at the first', async () => {
    const resolver = resolverFor([await deadServer(), await serve()], { timeoutSeconds: 20 });
    expect(shown(await resolver.query(question('example.test')))).toEqual(['192.0.2.1']);
  });

  test('first, for a while, when one did not answer', async () => {
    const silent = await serve({ behave: () => 'silence' });
    const resolver = resolverFor([silent, await serve()], { timeoutSeconds: 0.05 });
    await resolver.query(question('example.test'));
    await resolver.query(question('example.test', 'mx'));
    expect(silent.queries).toHaveLength(1);
  });

  test('and when all are dead, the answer is to try again', async () => {
    const resolver = resolverFor([await deadServer(), await deadServer()], { timeoutSeconds: 20 });
    expect(shown(await resolver.query(question('example.test')))).toBe('TRY_AGAIN');
  });
});

describe('over TCP', () => {
  test('comes what does not fit', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => `TXT ${'x'.repeat(200)}${index}`);
    const server = await serve({
      zone: { 'big.test': texts },
      behave: ({ via }, fromZone) =>
        via === 'udp' ? { flags: truncated, answers: fromZone().answers!.slice(0, 3) } : undefined,
    });
    const answer = await resolverFor([server]).query(question('big.test', 'txt'));
    expect(shown(answer)).toHaveLength(200);
    expect(server.asked).toEqual(['TXT big.test', 'TXT big.test tcp']);
  });

  test.each([
    ['ends the connection', [] as Buffer[]],
    ['sends an empty message', [Buffer.alloc(0)]],
    ['answers another question', [encode({ type: 'response', id: 1, questions: [] })]],
  ])('a server that %s has not answered', async (_, packets) => {
    const server = await serve({ behave: ({ via }) => (via === 'udp' ? { flags: truncated } : packets) });
    expect(shown(await resolverFor([server]).query(question('example.test')))).toBe('TRY_AGAIN');
  });

  test('is asked when a flood of wrong answers comes', async () => {
    const server = await serve({
      behave: ({ via, bytes }, fromZone) => {
        if (via === 'tcp') return undefined;
        const forged = encode({
          ...fromZone(),
          answers: [parseRecord('example.test', 'A 203.0.113.66', 60)],
        });
        return Array.from({ length: 64 }, (_, guess) => {
          const copy = Buffer.from(forged);
          copy.writeUInt16BE((bytes.readUInt16BE(0) + 1 + guess) & 0xffff, 0);
          return copy;
        });
      },
    });
    const resolver = resolverFor([server], { timeoutSeconds: 10 });
    expect(shown(await resolver.query(question('example.test')))).toEqual(['192.0.2.1']);
    expect(server.asked.at(-1)).toBe('A example.test tcp');
  });
});

describe('lies', () => {
  const forged = [parseRecord('example.test', 'A 203.0.113.66', 60)];

  test('with a wrong id, or about another question, are not listened to', async () => {
    const server = await serve({
      behave: ({ bytes }, fromZone) => {
        const wrongId = encode({ ...fromZone(), answers: forged });
        wrongId.writeUInt16BE(bytes.readUInt16BE(0) ^ 1, 0);
        const wrongName = encode({
          ...fromZone(),
          questions: [{ name: 'x.test', type: 'A' }],
          answers: forged,
        });
        return [wrongId, wrongName, Buffer.from('not DNS at all'), encode(fromZone())];
      },
    });
    expect(shown(await resolverFor([server]).query(question('example.test')))).toEqual(['192.0.2.1']);
  });

  test('about names that nobody asked for do not stick', async () => {
    const server = await serve({
      behave: ({ name }, fromZone) =>
        name === 'nowhere.test' ? { answers: forged } : { answers: [...forged, ...fromZone().answers!] },
    });
    const resolver = resolverFor([server]);
    expect(shown(await resolver.query(question('nowhere.test')))).toBe('NXDOMAIN');
    expect(shown(await resolver.query(question('www.example.test', 'cname')))).toEqual(['web.example.test']);
    expect(resolver.query(question('example.test'))).toBeInstanceOf(Promise);
  });

  test('about an alias that the name does not have are not followed', async () => {
    const server = await serve({
      behave: () => ({
        answers: [
          parseRecord('other.test', 'CNAME evil.test', 60),
          parseRecord('evil.test', 'A 203.0.113.66', 60),
        ],
      }),
    });
    expect(shown(await resolverFor([server]).query(question('example.test', 'aaaa')))).toBe('NODATA');
  });

  test('that a name holds a dot inside a label do not make it another name', async () => {
    const answer = encode({
      type: 'response',
      questions: [{ name: 'example.test', type: 'A' }],
      answers: [parseRecord('exampleXtest', 'A 203.0.113.66', 60)],
    });
    answer[answer.indexOf('exampleXtest') + 'example'.length] = 0x2e;
    const server = await serve({
      behave: ({ bytes }) => {
        const copy = Buffer.from(answer);
        bytes.copy(copy, 0, 0, 2);
        return copy;
      },
    });
    expect(shown(await resolverFor([server]).query(question('example.test')))).toBe('NODATA');
  });
});

describe('letters of random case', () => {
  test('are drawn and must come back', async () => {
    const name = 'a-name-with-many-letters.example.test';
    const server = await serve({ zone: { [name]: ['A 192.0.2.1'] } });
    const resolver = resolverFor([server], { mixesCase: true });
    expect(shown(await resolver.query(question(name)))).toEqual(['192.0.2.1']);
    expect(server.queries[0]!.name).not.toBe(name);
    server.behave = ({ packet }) => ({
      questions: [{ ...packet.questions![0]!, name: `x${name}`.slice(1) }],
    });
    expect(shown(await resolver.query(question(name, 'mx')))).toBe('TRY_AGAIN');
  });
});

describe('EDNS0', () => {
  test('announces 1232 bytes', async () => {
    const server = await serve();
    await resolverFor([server]).query(question('example.test'));
    expect(server.queries[0]!.packet.additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1232, flag_do: true },
    ]);
  });

  test('is left out for a server that does not know it', async () => {
    const server = await serve({
      behave: ({ packet }) =>
        (packet.additionals ?? []).length > 0 ? { flags: rcode('FORMERR'), answers: [] } : undefined,
    });
    expect(shown(await resolverFor([server]).query(question('example.test')))).toEqual(['192.0.2.1']);
  });

  test('is left out for a server that knows another version only (BADVERS, RFC 6891 6.1.3)', async () => {
    const server = await serve({
      behave: ({ packet }) =>
        (packet.additionals ?? []).length > 0
          ? { flags: rcode('NOERROR'), answers: [], additionals: [optRecord(1)] }
          : undefined,
    });
    expect(shown(await resolverFor([server]).query(question('example.test')))).toEqual(['192.0.2.1']);
  });
});

describe('validated answers', () => {
  test('are secure when the server is trusted: on this machine, or named', async () => {
    const server = await serve({ authentic: true });
    const ask = async (settings: ResolverSettings) => {
      const resolver = resolverFor([server], settings);
      const names = ['example.test', 'nowhere.test'];
      return Promise.all(names.map(async (name) => (await resolver.query(question(name))).isSecure));
    };
    expect(await ask({})).toEqual([true, true]);
    expect(await ask({ trusted: ['127.0.0.1'] })).toEqual([true, true]);
    expect(await ask({ trusted: ['192.0.2.53'] })).toEqual([false, false]);
  });

  test('are not asked for where they would not be believed', async () => {
    const server = await serve();
    await resolverFor([server], { trusted: [] }).query(question('example.test'));
    expect(server.queries[0]!.packet.additionals).toMatchObject([{ flag_do: false }]);
  });

  test('are secure only if every step to them was', async () => {
    const server = await serve({
      negativeTtl: null,
      behave: ({ name }, fromZone) => ({
        answers: fromZone().answers!.slice(0, 1),
        flags: name === 'web.example.test' ? 0 : 0x20,
      }),
    });
    const answer = await resolverFor([server]).query(question('www.example.test'));
    expect(answer).toMatchObject({ canonicalName: 'example.test', isSecure: false });
  });
});

describe('names of the settings', () => {
  test('are never asked of a server, alone or at the end of an alias', async () => {
    const server = await serve({
      negativeTtl: null,
      behave: (_, fromZone) => ({ answers: fromZone().answers!.slice(0, 1) }),
    });
    const resolver = resolverFor([server], { hosts: { 'web.example.test': { a: ['192.0.2.77'] } } });
    expect(shown(await resolver.query(question('www.example.test')))).toEqual(['192.0.2.77']);
    expect(resolver.query(question('web.example.test', 'mx'))).toMatchObject({ error: 'NODATA' });
    expect(server.asked).toEqual(['A www.example.test']);
  });

  test.each([true, false])(
    'count as validated at the end of an alias only if it was (%s)',
    async (authentic) => {
      const server = await serve({
        authentic,
        negativeTtl: null,
        behave: (_, fromZone) => ({ answers: fromZone().answers!.slice(0, 1) }),
      });
      const hosts = { 'web.example.test': { a: ['192.0.2.77'], secure: true } };
      const answer = await resolverFor([server], { hosts }).query(question('www.example.test'));
      expect(answer).toMatchObject({ kind: 'records', isSecure: authentic });
    },
  );
});

describe('many questions', () => {
  test('wait for their turn, and all are answered', async () => {
    let [now, most] = [0, 0];
    const server = await serve({
      zone: Object.fromEntries(
        Array.from({ length: 100 }, (_, index) => [`n${index}.test`, ['A 192.0.2.1']]),
      ),
      behave: async () => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
        return undefined;
      },
    });
    const resolver = resolverFor([server], { mostInFlight: 7, timeoutSeconds: 20 });
    const names = Array.from({ length: 100 }, (_, index) => `n${index}.test`);
    const waiting = names.map((name) => resolver.query(question(name)));
    expect(resolver.counters).toMatchObject({ running: 7, pending: 93 });
    expect((await Promise.all(waiting)).every(({ kind }) => kind === 'records')).toBe(true);
    expect(most).toBeLessThanOrEqual(7);
    expect(resolver.counters).toMatchObject({ running: 0, pending: 0 });
  });

  test('do not wait for their turn longer than for an answer', async () => {
    const server = await serve({ behave: () => 'silence' });
    const resolver = resolverFor([server], { mostInFlight: 1, timeoutSeconds: 60 });
    const names = ['a.test', 'b.test', 'c.test'];
    const ask = (name: string) => resolver.query(question(name, 'a', { timeoutSeconds: 0.2 }));
    const started = performance.now();
    expect((await Promise.all(names.map(ask))).map(shown)).toEqual(['TRY_AGAIN', 'TRY_AGAIN', 'TRY_AGAIN']);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('questions about names whose servers are silent', () => {
  const zone = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`alive${index}.test`, ['A 192.0.2.1']]),
  );
  const deadAndAlive = () =>
    serve({ zone, behave: ({ name }) => (name.startsWith('dead') ? 'silence' : undefined) });

  test('do not hold up others for long', async () => {
    const resolver = resolverFor([await deadAndAlive()], { mostInFlight: 4, timeoutSeconds: 20 });
    const dead = Array.from({ length: 12 }, (_, index) => resolver.query(question(`dead${index}.test`)));
    const alive = Array.from({ length: 20 }, (_, index) => resolver.query(question(`alive${index}.test`)));
    expect(resolver.counters).toMatchObject({ running: 4, pending: 28 });
    expect((await Promise.all(alive)).map(shown)).toEqual(alive.map(() => ['192.0.2.1']));
    expect(resolver.counters).toMatchObject({ running: 12, pending: 0 });
    resolver.close();
    expect((await Promise.all(dead)).map(shown)).toEqual(dead.map(() => 'TRY_AGAIN'));
  });

  test('have no more sockets than they may', async () => {
    const resolver = resolverFor([await deadAndAlive()], {
      mostInFlight: 3,
      mostSlow: 2,
      timeoutSeconds: 20,
    });
    const dead = Array.from({ length: 12 }, (_, index) => resolver.query(question(`dead${index}.test`)));
    await expect.poll(() => resolver.counters.running).toBe(5);
    expect(resolver.counters.pending).toBe(7);
    resolver.close();
    await Promise.all(dead);
    await expect.poll(() => resolver.counters.running).toBe(0);
  });

  test('that wait for their turn are asked all the same, however long the others take', async () => {
    const resolver = resolverFor([await deadAndAlive()], {
      mostInFlight: 1,
      mostSlow: 0,
      timeoutSeconds: 0.5,
    });
    const dead = ['dead0.test', 'dead1.test'].map((name) => resolver.query(question(name)));
    expect(shown(await resolver.query(question('alive1.test')))).toEqual(['192.0.2.1']);
    expect((await Promise.all(dead)).map(shown)).toEqual(['TRY_AGAIN', 'TRY_AGAIN']);
  });
});

test('closing gives up what is on its way', async () => {
  const server = await serve({ behave: () => 'silence' });
  const resolver = resolverFor([server], { timeoutSeconds: 60 });
  const waiting = resolver.query(question('example.test'));
  resolver.close();
  expect(shown(await waiting)).toBe('TRY_AGAIN');
});

test.each([
  [{ servers: ['dns.example.com'] }, /resolver\.servers: "dns\.example\.com" is no server; expected "ip"/],
  [{ trusted: ['10.0.0.0/8'] }, /resolver\.trusted: "10\.0\.0\.0\/8" is no IP address/],
])('settings that cannot be read are told', (settings, message) => {
  expect(() => createResolver(settings)).toThrow(message);
});

test('what is under way can be looked at, with who waits for it', async () => {
  const server = await serve({ behave: () => 'silence' });
  let nowMs = 1000;
  const resolver = resolverFor([server], { mostInFlight: 1, nowMs: () => nowMs });
  const asked = [
    resolver.query(question('one.test', 'mx')),
    resolver.query(question('One.test', 'mx')),
    resolver.query(question('two.test')),
  ];
  nowMs += 50;
  expect([...resolver.underWay()]).toEqual([
    { name: 'one.test', type: 'mx', isRunning: true, seconds: 0.05, askers: 2 },
    { name: 'two.test', type: 'a', isRunning: false, seconds: 0.05, askers: 1 },
  ]);
  resolver.close();
  await Promise.all(asked);
  expect([...resolver.underWay()]).toEqual([]);
});
