import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { Health, type HealthSources } from '../../../src/monitor/health.js';
import { MonitorServer, type MonitorServerOptions } from '../../../src/monitor/monitor-server.js';
import { TestLog } from '../../support/test-log.js';

function health(changes: Partial<HealthSources> = {}): Health {
  return new Health({
    messages: () => 0,
    hasRoom: () => true,
    upperMessages: 0,
    lowerMessages: 0,
    ...changes,
  });
}

async function monitor(changes: Partial<MonitorServerOptions> = {}) {
  const server = new MonitorServer({
    address: '127.0.0.1',
    port: 0,
    health: health(),
    metrics: () => Promise.resolve('argonite_process_pid 1\n# EOF\n'),
    apiKeys: () => [],
    log: new TestLog(),
    ...changes,
  });
  const { port } = await server.start();
  onTestFinished(() => server.stop());
  return async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
}

test('a queue that was too long is not healthy again before it is shorter than the lower mark', () => {
  let messages = 0;
  const it = health({ messages: () => messages, upperMessages: 10, lowerMessages: 5 });
  it.started();
  const at = (count: number): boolean => {
    messages = count;
    return it.isHealthy;
  };
  expect([at(10), at(11), at(6), at(5), at(4), at(6)]).toEqual([true, false, false, false, true, true]);
});

test('ready never goes back; healthy does when the daemon stops', async () => {
  const it = health();
  const get = await monitor({ health: it });
  expect((await get('/ready')).status).toBe(503);
  expect(await get('/healthy')).toMatchObject({
    status: 503,
    text: 'not ready: the spool is being loaded\n',
  });
  it.started();
  expect((await get('/ready')).status).toBe(200);
  expect((await get('/healthy')).status).toBe(200);
  it.stopping();
  expect((await get('/ready')).status).toBe(200);
  expect(await get('/healthy')).toMatchObject({ status: 503, text: 'shutting down\n' });
});

test('a spool without the room it is to keep is not healthy', () => {
  const it = health({ hasRoom: () => false });
  it.started();
  expect(it.problem()).toContain('spool.minfree');
});

test('metrics are text with an end, and need a key where there is one', async () => {
  const open = await monitor();
  const page = await open('/metrics');
  expect(page).toMatchObject({ status: 200, text: 'argonite_process_pid 1\n# EOF\n' });
  expect(page.headers.get('content-type')).toContain('application/openmetrics-text');
  const sha256 = createHash('sha256').update('secret').digest();
  const closed = await monitor({ apiKeys: () => [{ id: 'watcher', sha256 }] });
  expect((await closed('/metrics')).status).toBe(401);
  expect((await closed('/metrics', { headers: { 'X-API-Key': 'wrong' } })).status).toBe(401);
  expect((await closed('/metrics', { headers: { 'X-API-Key': 'secret' } })).status).toBe(200);
  expect((await closed('/ready')).status).toBe(503);
});

test('nothing but GET, and nothing but the three pages', async () => {
  const get = await monitor();
  const posted = await get('/metrics', { method: 'POST', body: 'x' });
  expect(posted.status).toBe(405);
  expect(posted.headers.get('allow')).toBe('GET');
  expect((await get('/')).status).toBe(404);
  expect((await get('/metrics/../x')).status).toBe(404);
  expect((await get('/constructor')).status).toBe(404);
});

test('metrics that cannot be made are an error, and the log knows why', async () => {
  const log = new TestLog();
  const get = await monitor({ log, metrics: () => Promise.reject(new Error('no')) });
  expect((await get('/metrics')).status).toBe(500);
  expect(log.lines).toHaveLength(1);
});
