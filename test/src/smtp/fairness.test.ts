// One session never keeps others waiting for more than a turn. Turns are counted, not timed: a counter runs once in every turn
// of the event loop and looks at how much a session has done since.

import { afterEach, expect, test } from 'vitest';
import { compile, DEFAULT_LIMITS, languageDeclarations } from '#lang';
import { catalog, createLocalServices } from '#stdlib';
import { loadHookPrograms } from '../../../src/scripting/hook-programs.js';
import { HookRunner } from '../../../src/scripting/hook-runner.js';
import { createFunctionCache } from '../../../src/scripting/host/index.js';
import { createCompileHost, createRunHost } from '../../support/script-host.js';
import { type FixtureOptions, SmtpFixture, until } from '../../support/smtp-fixture.js';
import { TestLog } from '../../support/test-log.js';

let mta: SmtpFixture;

async function start(options?: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture(options).start();
  return mta;
}

afterEach(() => mta.stop());

/** Looks at a count in every turn of the event loop until it is told to stop: the most that came in one turn. */
function mostPerTurn(count: () => number): { stop(): number } {
  let most = 0;
  let before = count();
  let isOver = false;
  const look = () => {
    const now = count();
    most = Math.max(most, now - before);
    before = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  return {
    stop: () => {
      isOver = true;
      return most;
    },
  };
}

const flood = 5000;

test('a flood of commands is taken in slices of two hundred', async () => {
  let resets = 0;
  await start({
    limits: { commandsWithoutMail: 0 },
    hooks: {
      mailfrom: () => {
        resets++;
        return { kind: 'Accept' };
      },
    },
  });
  const client = await mta.dial();
  await client.expectLine('220 *');
  const turns = mostPerTurn(() => resets);
  client.send('MAIL FROM:<>\r\nRSET\r\n'.repeat(flood));
  client.socket.resume();
  await until(() => resets === flood);
  // Two turns of a session may fall between two looks; more would be a session that does not let go.
  expect(turns.stop()).toBeLessThanOrEqual(200);
});

test('commands whose scripts take their time are taken one by one', async () => {
  let runs = 0;
  await start({
    limits: { commandsWithoutMail: 0 },
    hooks: {
      mailfrom: () => {
        runs++;
        mta.elapsed += 0.01;
        return { kind: 'Accept' };
      },
    },
  });
  const client = await mta.dial();
  await client.expectLine('220 *');
  const turns = mostPerTurn(() => runs);
  client.send('MAIL FROM:<>\r\nRSET\r\n'.repeat(50));
  await until(() => runs === 50);
  expect(turns.stop()).toBeLessThanOrEqual(2);
});

test('others are answered while one floods', async () => {
  let resets = 0;
  await start({
    limits: { commandsWithoutMail: 0 },
    hooks: {
      mailfrom: () => {
        resets++;
        return { kind: 'Accept' };
      },
    },
  });
  const flooding = await mta.dial();
  const calm = await mta.dial();
  await flooding.expectLine('220 *');
  await calm.expectLine('220 *');
  flooding.send('MAIL FROM:<>\r\nRSET\r\n'.repeat(flood));
  await until(() => resets > 0);
  for (let number = 0; number < 5; number++) {
    const before = resets;
    await calm.play('C: NOOP\nS: 250 *');
    // There and back through two sockets are a few turns; each may carry out two hundred commands of the other.
    expect(resets - before).toBeLessThan(2000);
  }
  expect(resets).toBeLessThan(flood);
});

test('a flood of empty chunks is sliced like any other', async () => {
  await start();
  const client = await mta.dial();
  await client.expectLine('220 *');
  client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n');
  client.send('BDAT 0\r\n'.repeat(flood));
  client.send('BDAT 0 LAST\r\nQUIT\r\n');
  const said = await client.rest();
  expect(said.match(/0 octets received/g)).toHaveLength(flood);
  expect(mta.messages).toEqual(['']);
});

test('a script that loops lets others go first in every slice, also where the clock stands still', async () => {
  // What limits.ts says of a slice: so many instructions between two looks, so many looks in a turn.
  const instructionsPerTurn = 4096 * 128;
  const turns = 6;
  const host = createRunHost();
  const clock = { now: () => 0, monotonic: () => 0 };
  let turnsOfScript = 0;
  const nextTurn: typeof host.nextTurn = (run) => {
    turnsOfScript++;
    return host.nextTurn(run);
  };
  const loaded = await loadHookPrograms(
    {
      scripts: new Map([['mailfrom/loop', { name: 'loop.hsl', text: 'forever {}' }]]),
      predelivery: undefined,
      postdelivery: undefined,
    },
    { compile, host: createCompileHost(), library: [...languageDeclarations.values(), ...catalog] },
  );
  if (loaded.kind === 'refused') throw new Error('the script does not compile');
  const hooks = new HookRunner({
    host: { ...host, clock, nextTurn, cache: createFunctionCache({ clock }) },
    services: createLocalServices(),
    log: new TestLog(),
    programs: loaded.programs,
    limits: { ...DEFAULT_LIMITS, instructions: instructionsPerTurn * turns },
  });
  await start({ parts: { hooks }, hookIds: { mailfrom: 'loop' } });
  const looping = await mta.dial();
  const calm = await mta.dial();
  await looping.expectLine('220 *');
  await calm.expectLine('220 *');
  looping.send('MAIL FROM:<>\r\n');
  await until(() => turnsOfScript > 0);
  await calm.play('C: NOOP\nS: 250 *');
  expect(turnsOfScript).toBeLessThan(turns);
  await looping.expectLine('450 4.7.1 *');
  expect(turnsOfScript).toBeGreaterThanOrEqual(turns - 1);
});
