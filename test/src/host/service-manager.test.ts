import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { type ServiceManagerParts, serviceManager } from '../../../src/host/service-manager.js';

interface Heard {
  readonly sent: string[];
  readonly troubles: string[];
  readonly intervals: { milliseconds: number; call: () => void }[];
  readonly later: (() => void)[];
  answers: number[];
}

function started(environment: Record<string, string>, changes: Partial<ServiceManagerParts> = {}) {
  const heard: Heard = { sent: [], troubles: [], intervals: [], later: [], answers: [] };
  const manager = serviceManager({
    library: {
      kind: 'available',
      part: {
        sendDatagram: (socket, text) => {
          const answer = heard.answers.shift() ?? 0;
          if (answer === 0) heard.sent.push(`${socket}|${text}`);
          return answer;
        },
      },
    },
    environment,
    pid: 42,
    monotonic: () => 5_000_123_999n,
    every: (milliseconds, call) => {
      heard.intervals.push({ milliseconds, call });
      return () => {};
    },
    after: (_, call) => void heard.later.push(call),
    onTrouble: (problem) => void heard.troubles.push(problem),
    ...changes,
  });
  return { manager, heard };
}

const socket = { NOTIFY_SOCKET: '/run/notify' };
const { EAGAIN, ECONNREFUSED } = constants.errno;

test('without a service manager nothing is said', () => {
  const { manager, heard } = started({});
  manager.ready('x');
  manager.stopping('x');
  expect(heard).toMatchObject({ sent: [], troubles: [], intervals: [] });
});

test('start, reload and stop are told in their order, with the time of a reload', () => {
  const { manager, heard } = started(socket);
  manager.status('loading');
  manager.ready('taking mail');
  manager.reloading();
  manager.ready('taking mail');
  manager.stopping('finishing');
  expect(heard.sent.map((line) => line.slice('/run/notify|'.length))).toEqual([
    'STATUS=loading',
    'READY=1\nSTATUS=taking mail',
    'RELOADING=1\nMONOTONIC_USEC=5000123\nSTATUS=reloading the configuration',
    'READY=1\nSTATUS=taking mail',
    'STOPPING=1\nSTATUS=finishing',
  ]);
});

test('a status is one short line, and can be no other notice', () => {
  const { manager, heard } = started(socket);
  manager.status(`a\nSTOPPING=1\r\0é${'x'.repeat(500)}`);
  expect(heard.sent[0]).toMatch(/^\/run\/notify\|STATUS=a STOPPING=1 x+$/);
  expect(heard.sent[0]!.length).toBeLessThan(250);
});

test('the watchdog hears a sign of life twice as often as it needs, from the first ready on', () => {
  const { manager, heard } = started({ ...socket, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '42' });
  expect(heard.intervals).toEqual([]);
  manager.ready('x');
  manager.ready('x');
  expect(heard.intervals.map(({ milliseconds }) => milliseconds)).toEqual([15_000]);
  heard.intervals[0]!.call();
  expect(heard.sent.at(-1)).toBe('/run/notify|WATCHDOG=1');
});

test.each([
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '43' }],
  [{ WATCHDOG_USEC: '0' }],
  [{ WATCHDOG_USEC: 'soon' }],
])('a watchdog of somebody else, or of no time, is left alone: %j', (environment) => {
  const { manager, heard } = started({ ...socket, ...environment });
  manager.ready('x');
  expect(heard.intervals).toEqual([]);
});

test('a full socket is tried again, and what follows keeps its place', () => {
  const { manager, heard } = started(socket);
  heard.answers = [-EAGAIN, -EAGAIN];
  manager.ready('x');
  manager.stopping('y');
  expect(heard.sent).toEqual([]);
  heard.later.shift()!();
  heard.later.shift()!();
  expect(heard.sent.map((line) => line.split(/[|\n]/)[1])).toEqual(['READY=1', 'STOPPING=1']);
  expect(heard.troubles).toEqual([]);
});

test('a socket that is full for good is given up, and said once', () => {
  const { manager, heard } = started(socket);
  heard.answers = Array.from({ length: 30 }, () => -EAGAIN);
  manager.ready('x');
  for (let next = heard.later.shift(); next !== undefined; next = heard.later.shift()) next();
  manager.status('y');
  for (let next = heard.later.shift(); next !== undefined; next = heard.later.shift()) next();
  expect(heard.troubles).toEqual([expect.stringContaining('(EAGAIN)')]);
});

test('what cannot be told is said once, and nothing else comes of it', () => {
  const { manager, heard } = started(socket);
  heard.answers = [-ECONNREFUSED, -ECONNREFUSED];
  manager.ready('x');
  manager.status('y');
  manager.status('z');
  expect(heard.troubles).toEqual([expect.stringContaining('cannot be told (ECONNREFUSED)')]);
  expect(heard.sent).toEqual(['/run/notify|STATUS=z']);
});

test('sockets of other kinds and a missing addon are said, and nothing is sent', () => {
  expect(started({ NOTIFY_SOCKET: 'vsock:2:1234' }).heard.troubles[0]).toContain('not a path');
  const missing = { library: { kind: 'missing', problem: 'not built' } } as const;
  const { manager, heard } = started(socket, missing);
  manager.ready('x');
  expect(heard.troubles).toEqual(['the service manager is told nothing: not built']);
});
