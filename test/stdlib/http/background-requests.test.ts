import { expect, test } from 'vitest';
import { createBackgroundRequests } from '../../../stdlib/http/background-requests.js';
import type { HttpRequest } from '../../../stdlib/http/request.js';

function request(path: string, body?: string): HttpRequest {
  return {
    url: new URL(`http://h.test/${path}`),
    method: 'GET',
    headers: [],
    body: body === undefined ? undefined : Buffer.from(body),
    options: {
      connectTimeoutSeconds: 1,
      timeoutSeconds: 1,
      maxBytes: 1,
      redirects: 0,
      sourceIp: undefined,
      verifiesPeer: true,
      verifiesHost: true,
      usesSystemCa: false,
      clientKey: undefined,
      proxy: 'none',
      unixSocketPath: undefined,
    },
  };
}

const plan = (hash: number, retryCount = 0, retryDelaySeconds = 0) => ({
  hash,
  retryCount,
  retryDelaySeconds,
});

/** Sends when the test says so. */
function fixture(settings: { queueCount?: number; mostRequests?: number; mostBytes?: number } = {}) {
  const begun: string[] = [];
  const answers: ((isSent: boolean) => void)[] = [];
  const slept: number[] = [];
  const givenUp: string[] = [];
  const queues = createBackgroundRequests({
    send: ({ url }) => {
      begun.push(url.pathname.slice(1));
      return new Promise((resolve) => answers.push(resolve));
    },
    sleep: async (seconds) => void slept.push(seconds),
    onGivenUp: ({ url }, attempts) => void givenUp.push(`${url.pathname.slice(1)} ${attempts}`),
    ...settings,
  });
  const answer = async (isSent: boolean): Promise<void> => {
    answers.shift()!(isSent);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queues, begun, slept, givenUp, answer };
}

test('requests of one queue are made in order, those of others meanwhile', async () => {
  const { queues, begun, answer } = fixture({ queueCount: 4 });
  queues.add(request('a1'), plan(1));
  queues.add(request('a2'), plan(5));
  queues.add(request('b1'), plan(-2));
  expect(begun).toEqual(['a1', 'b1']);
  expect(queues.size).toBe(3);
  await answer(true);
  expect(begun).toEqual(['a1', 'b1', 'a2']);
  await answer(true);
  await answer(true);
  await queues.drained();
  expect(queues.size).toBe(0);
});

test('what fails is made again after the delay, before the next of its queue', async () => {
  const { queues, begun, slept, givenUp, answer } = fixture();
  queues.add(request('a'), plan(0, 2, 7));
  queues.add(request('b'), plan(0));
  await answer(false);
  await answer(false);
  expect(slept).toEqual([7, 7]);
  expect(begun).toEqual(['a', 'a', 'a']);
  await answer(false);
  expect(givenUp).toEqual(['a 3']);
  expect(begun).toEqual(['a', 'a', 'a', 'b']);
  await answer(true);
  await queues.drained();
});

test('a full queue takes no more, by number or by bytes', async () => {
  const { queues, answer } = fixture({ mostRequests: 2 });
  expect(queues.add(request('a'), plan(0))).toBe(true);
  expect(queues.add(request('b'), plan(0))).toBe(true);
  expect(queues.add(request('c'), plan(1))).toBe(false);
  await answer(true);
  expect(queues.add(request('c'), plan(1))).toBe(true);
  const small = fixture({ mostBytes: 3000 }).queues;
  expect(small.add(request('a', 'x'.repeat(1500)), plan(0))).toBe(true);
  expect(small.add(request('b'), plan(0))).toBe(false);
});

test('a closed set of queues gives up and takes no more', async () => {
  const { queues, begun, answer } = fixture();
  queues.add(request('a'), plan(0, 5));
  queues.add(request('b'), plan(0));
  queues.close();
  await queues.drained();
  await answer(false);
  expect(begun).toEqual(['a']);
  expect(queues.add(request('c'), plan(0))).toBe(false);
  expect(queues.size).toBe(0);
});
