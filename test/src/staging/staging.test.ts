import { describe, expect, test } from 'vitest';
import type { StageTicket } from '../../../src/staging/stage.js';
import { statusToText } from '../../../src/staging/status.js';
import { from, type NamedWork, namedStaging } from '../../support/staging.js';

const nameOf = (ticket: StageTicket<NamedWork> | undefined) => ticket?.work.name;

describe('a staged configuration', () => {
  test('is for the clients that its conditions name (9.3, 1)', async () => {
    const { staging } = namedStaging();
    expect(staging.choose(from('127.0.0.2'))).toBe(undefined);
    await staging.deploy({ id: 't1', config: 'green', conditions: { remoteips: ['127.0.0.2'] } });
    expect(nameOf(staging.choose(from('127.0.0.2')))).toBe('green');
    expect(nameOf(staging.choose(from('127.0.0.1')))).toBe(undefined);
  });

  test('with a probability of 0.2 gets 150 to 250 of 1000 connections (9.3, 2)', async () => {
    const { staging } = namedStaging(42);
    await staging.deploy({ id: 't1', config: 'green', conditions: { probability: 0.2 } });
    const tickets = Array.from({ length: 1000 }, () => staging.choose(from('192.0.2.1')));
    const staged = tickets.filter((ticket) => ticket !== undefined).length;
    expect(staged).toBeGreaterThanOrEqual(150);
    expect(staged).toBeLessThanOrEqual(250);
    expect(staging.status()!.connections).toBe(staged);
  });

  test('with a probability of 0 gets none, with 1 all', async () => {
    const { staging } = namedStaging();
    await staging.deploy({ id: 't1', config: 'never', conditions: { probability: 0 } });
    for (let n = 0; n < 100; n++) expect(staging.choose(from('192.0.2.1'))).toBe(undefined);
    await staging.deploy({ id: 't1', config: 'always', conditions: { probability: 1 } });
    for (let n = 0; n < 100; n++) expect(nameOf(staging.choose(from('192.0.2.1')))).toBe('always');
  });

  test('draws lots only for connections that fit otherwise', async () => {
    const conditions = { probability: 0.5, remoteips: ['127.0.0.2'] };
    const alone = namedStaging(7);
    const amongOthers = namedStaging(7);
    for (const { staging } of [alone, amongOthers])
      await staging.deploy({ id: 't', config: 'x', conditions });
    const draw = ({ staging }: typeof alone) => staging.choose(from('127.0.0.2')) !== undefined;
    for (let n = 0; n < 50; n++) {
      amongOthers.staging.choose(from('127.0.0.1'));
      expect(draw(amongOthers)).toBe(draw(alone));
    }
  });

  test('with a count of 3 leaves the fourth connection normal, and its status shows 3 (9.3, 3)', async () => {
    const { staging, clock } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green', conditions: { count: 3 } });
    for (let n = 0; n < 3; n++) staging.choose(from('192.0.2.1'))!.close();
    expect(staging.choose(from('192.0.2.1'))).toBe(undefined);
    await clock.advance(5);
    expect(statusToText(staging.status()!)).toBe('t1: 3 connection(s), 5/unlimited runtime');
    // It lives on for its messages.
    expect(staging.workOf('key-1')).toBeDefined();
  });

  test('with a time of 2 gets connections for 2 s; those that it has keep it (9.3, 4)', async () => {
    const { staging, clock, works, living, endedKeys, log } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green', conditions: { time: 2 } });
    const ticket = staging.choose(from('192.0.2.1'))!;
    await clock.advance(1.9);
    expect(staging.choose(from('192.0.2.1'))).toBeDefined();
    expect(living).toEqual(['green']);
    await clock.advance(0.1);
    expect(living).toEqual(['green', undefined]);
    expect(endedKeys).toEqual(['key-1']);
    expect(works[0]!.isClosed).toBe(true);
    expect(staging.choose(from('192.0.2.1'))).toBe(undefined);
    expect(staging.status()).toBe(undefined);
    expect(ticket.work.name).toBe('green');
    expect(log.lines.at(-1)).toMatchObject({
      message: 'a staged configuration has ended',
      fields: { stage: 't1', reason: 'its time is over', connections: 2, open: 2 },
    });
  });

  test('is over when its time is, even if the timer has not come', async () => {
    const { staging, clock } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green', conditions: { time: 2 } });
    let wasAsked = false;
    clock.setTimer(1.5, () => {
      // The clock of a machine that was asleep: much time has gone, no timer has run.
      Object.defineProperty(clock, 'now', { value: () => 2_000_000 });
      wasAsked = staging.choose(from('192.0.2.1')) === undefined && staging.workOf('key-1') === undefined;
    });
    await clock.advance(1.6);
    expect(wasAsked).toBe(true);
  });

  test('outlives timers that come early', async () => {
    const { staging, clock } = namedStaging();
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (seconds, call) => setTimer(Math.min(seconds, 10), call);
    await staging.deploy({ id: 't1', config: 'green', conditions: { time: 25 } });
    await clock.advance(24);
    expect(statusToText(staging.status()!)).toBe('t1: 0 connection(s), 24/25 runtime');
    await clock.advance(1);
    expect(staging.status()).toBe(undefined);
  });

  test('is cancelled once; a second time there is nothing', async () => {
    const { staging, clock } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green', conditions: { time: 2 } });
    expect(staging.cancel()).toBe(true);
    expect(staging.cancel()).toBe(false);
    expect(staging.choose(from('192.0.2.1'))).toBe(undefined);
    // Its timer is gone, too: it must not end the next one.
    await staging.deploy({ id: 't2', config: 'blue' });
    await clock.advance(10);
    expect(staging.status()!.id).toBe('t2');
  });

  test('ends with the control connection that deployed it (9.3, 5)', async () => {
    const { staging, log } = namedStaging();
    const connection = new AbortController();
    await staging.deploy({ id: 't1', config: 'green', boundTo: connection.signal });
    connection.abort();
    expect(staging.status()).toBe(undefined);
    expect(log.lines.at(-1)!.fields['reason']).toContain('control connection');
  });

  test('does not end with a control connection that deployed a former one', async () => {
    const { staging } = namedStaging();
    const connection = new AbortController();
    await staging.deploy({ id: 't1', config: 'green', boundTo: connection.signal });
    await staging.deploy({ id: 't2', config: 'blue' });
    connection.abort();
    expect(staging.status()!.id).toBe('t2');
  });
});

describe('a deployment', () => {
  test('takes the place of the former, whose connections keep it', async () => {
    const { staging, works, living, endedKeys } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green' });
    const old = staging.choose(from('192.0.2.1'))!;
    await staging.deploy({ id: 't2', config: 'blue' });
    expect(nameOf(staging.choose(from('192.0.2.1')))).toBe('blue');
    expect(old.work.name).toBe('green');
    expect(works.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    // There is no moment without a staged configuration in between.
    expect(living).toEqual(['green', 'blue']);
    expect(endedKeys).toEqual(['key-1']);
  });

  test('that is broken answers with what is wrong; nothing is staged (9.3, 6)', async () => {
    const { staging, living } = namedStaging();
    const result = await staging.deploy({ id: 't1', config: 'broken:3:1: error: nonsense' });
    expect(result).toEqual({ kind: 'refused', problems: 'broken:3:1: error: nonsense' });
    expect(staging.status()).toBe(undefined);
    expect(living).toEqual([]);
  });

  test('that is broken leaves the former as it is', async () => {
    const { staging } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green' });
    await staging.deploy({ id: 't2', config: 'broken' });
    await staging.deploy({ id: 't3', config: 'blue', conditions: { count: -1 } });
    expect(staging.status()!.id).toBe('t1');
  });

  test.each(['', 'a\nb', 'x'.repeat(201)])('needs a name that fits into one line, not %j', async (id) => {
    const { staging } = namedStaging();
    const result = await staging.deploy({ id, config: 'green' });
    expect(result).toMatchObject({ kind: 'refused', problems: expect.stringMatching(/^id: found/) });
  });

  test('may use a name again; messages of the former are not its own', async () => {
    const { staging } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green' });
    await staging.deploy({ id: 't1', config: 'blue' });
    expect(staging.workOf('key-1')).toBe(undefined);
    expect(staging.workOf('key-2')!.name).toBe('blue');
  });

  test('waits for the one before it', async () => {
    const { staging, setup, works } = namedStaging();
    let goOn = () => {};
    setup.reading = new Promise((resolve) => {
      goOn = resolve;
    });
    const first = staging.deploy({ id: 't1', config: 'green' });
    const second = staging.deploy({ id: 't2', config: 'blue' });
    goOn();
    expect([(await first).kind, (await second).kind]).toEqual(['deployed', 'deployed']);
    expect(works.map(({ name }) => name)).toEqual(['green', 'blue']);
    expect(staging.status()!.id).toBe('t2');
  });

  test.each(['it is cancelled', 'its control connection closes', 'the daemon stops'])(
    'does not begin when %s while it is being read',
    async (what) => {
      const { staging, setup, works } = namedStaging();
      let goOn = () => {};
      setup.reading = new Promise((resolve) => {
        goOn = resolve;
      });
      const connection = new AbortController();
      const deployed = staging.deploy({ id: 't1', config: 'green', boundTo: connection.signal });
      let closed: Promise<void> | undefined;
      if (what === 'it is cancelled') expect(staging.cancel()).toBe(false);
      else if (what === 'the daemon stops') closed = staging.close();
      else connection.abort();
      goOn();
      expect(await deployed).toMatchObject({ kind: 'refused', problems: expect.stringContaining('"t1"') });
      await closed;
      expect(staging.status()).toBe(undefined);
      expect(works[0]!.isClosed).toBe(true);
    },
  );

  test('that fails through a mistake of ours does not stop those after it', async () => {
    const { staging, setup } = namedStaging();
    setup.reading = Promise.reject(new Error('ours'));
    await expect(staging.deploy({ id: 't1', config: 'green' })).rejects.toThrow('ours');
    setup.reading = Promise.resolve();
    expect((await staging.deploy({ id: 't2', config: 'blue' })).kind).toBe('deployed');
  });
});

describe('a configuration that has ended', () => {
  test('is released with its last connection', async () => {
    const { staging } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green' });
    const tickets = [staging.choose(from('192.0.2.1'))!, staging.choose(from('192.0.2.1'))!];
    staging.cancel();
    expect(staging.endedWithConnections).toBe(1);
    tickets[0]!.close();
    tickets[0]!.close();
    expect(staging.endedWithConnections).toBe(1);
    tickets[1]!.close();
    expect(staging.endedWithConnections).toBe(0);
  });

  test('without connections is released at once', async () => {
    const { staging } = namedStaging();
    await staging.deploy({ id: 't1', config: 'green' });
    staging.choose(from('192.0.2.1'))!.close();
    staging.cancel();
    expect(staging.endedWithConnections).toBe(0);
  });
});
