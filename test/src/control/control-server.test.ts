import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ControlError, type Operation } from '../../../src/control/operation.js';
import { requestFrame } from '../../../src/control/socket/frames.js';
import { ListenError } from '../../../src/smtp/edge/listeners.js';
import { ControlWire, controlSettings, jsonOf, startedControl } from '../../support/control-socket.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const echoed: Operation<object> = {
  run: (request) => ({ items: [], total: Object.keys(request).length }),
};
const stats: Operation = { run: () => ({ process: { pid: 7, version: 'x' } }) };

test('the bytes 05 03 71 are answered with statistics', async () => {
  const { place } = await startedControl({ q: stats });
  const wire = await ControlWire.to(place);
  wire.write(Buffer.from([5, 3, 0x71]));
  const { status, data } = await wire.answer();
  expect(status).toBe('+');
  expect(data.length).toBeGreaterThan(0);
});

test('a command that fails answers its reason, and the connection goes on', async () => {
  const refuse: Operation = {
    run: () => {
      throw new ControlError('smtpd-app.yaml:3:1: error: no');
    },
  };
  const { place } = await startedControl({ q: stats, r: refuse });
  const wire = await ControlWire.to(place);
  wire.write(Buffer.from([5, 3, 0x72]));
  expect(await wire.answer()).toMatchObject({ status: 'E' });
  wire.write('q');
  expect(await wire.answer()).toMatchObject({ status: '+' });
});

test('an unknown command is answered with an error, and the connection ends', async () => {
  const { place } = await startedControl({ q: stats });
  const wire = await ControlWire.to(place);
  wire.write(Buffer.from([5, 3, 0x3f]));
  expect((await wire.answer()).status).toBe('E');
  await wire.closed();
});

test('another major version is refused, a newer minor one is not', async () => {
  const { place } = await startedControl({ q: stats });
  const old = await ControlWire.to(place);
  old.write(Buffer.from([4, 3, 0x71]));
  expect((await old.answer()).data.toString()).toBe('unsupported version');
  await old.closed();
  const newer = await ControlWire.to(place);
  newer.write(Buffer.from([5, 99, 0x71]));
  expect((await newer.answer()).status).toBe('+');
});

test('a request that comes byte by byte is understood', async () => {
  const { place } = await startedControl({ F: echoed });
  const wire = await ControlWire.to(place);
  wire.socket.setNoDelay(true);
  for (const byte of requestFrame('F', Buffer.from('{"limit": 3}'), true)) {
    wire.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  expect(jsonOf(await wire.answer())).toMatchObject({ items: [] });
});

test('requests that are sent together are answered in order', async () => {
  const slow: Operation<object> = {
    run: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { items: [], total: 1 };
    },
  };
  const { place } = await startedControl({ F: slow, q: stats });
  const wire = await ControlWire.to(place);
  wire.write(
    Buffer.concat([
      requestFrame('F', Buffer.from('{}'), true),
      requestFrame('q', undefined, false),
      requestFrame('F', Buffer.from('{}'), false),
    ]),
  );
  expect(jsonOf(await wire.answer())).toEqual({ items: [], total: 1 });
  const { data } = await wire.answer();
  expect(data[0]).not.toBe(0x7b);
  expect(jsonOf(await wire.answer())).toEqual({ items: [], total: 1 });
});

test('a body that does not parse is told with its field, and the connection goes on', async () => {
  const { place } = await startedControl({ F: echoed });
  const wire = await ControlWire.to(place);
  const said = async (request: object) => (await wire.ask('F', request)).data.toString();
  expect(await said({ limt: 1 })).toContain(
    'limt: there is no such field; expected one of conditions, limit',
  );
  expect(await said({ limit: 'many' })).toBe(
    'limit: found "many"; expected a whole number from 0 to 4294967295',
  );
  expect(await said({ conditions: { queues: [{ queue: 'LOST' }] } })).toContain(
    'conditions.queues[0].queue: found "LOST"; expected one of UNSPECIFIED, ACTIVE, DEFER',
  );
  wire.write(requestFrame('F', Buffer.from('{"limit":'), false));
  expect((await wire.answer()).data.toString()).toContain('the body is not JSON');
  wire.write(requestFrame('F', Buffer.from([0x0a, 0xff, 0xff]), false));
  expect((await wire.answer()).data.toString()).toContain('the body is no QueueListRequest');
  expect((await wire.ask('F', {})).status).toBe('+');
});

test('a length above 256 MiB is refused without waiting for the body', async () => {
  const { place } = await startedControl({ F: echoed });
  const wire = await ControlWire.to(place);
  wire.write(Buffer.from([5, 3, 0x46, 1, 0, 0, 0x10, 0, 0, 0, 0]));
  expect((await wire.answer()).status).toBe('E');
  await wire.closed();
});

test('a command that is still to come says so', async () => {
  const { place } = await startedControl({});
  const wire = await ControlWire.to(place);
  const { status, data } = await wire.ask('v');
  expect(status).toBe('E');
  expect(data.toString()).toBe('PolicyCondition is not supported yet');
});

test('a connection beyond the limit is told so and closed', async () => {
  const { place } = await startedControl({ q: stats }, { limits: { connections: 1 } });
  const first = await ControlWire.to(place);
  expect((await first.ask('q')).status).toBe('+');
  const second = await ControlWire.to(place);
  expect((await second.answer()).data.toString()).toContain('1 connections already');
  await second.closed();
  expect((await first.ask('q')).status).toBe('+');
});

test('a connection that stalls within a request is closed, and one that does nothing for long', async () => {
  const { place, pass } = await startedControl(
    { q: stats },
    { limits: { stallSeconds: 60, idleSeconds: 600 } },
  );
  const stalled = await ControlWire.to(place);
  const idle = await ControlWire.to(place);
  expect((await idle.ask('q')).status).toBe('+');
  stalled.write(Buffer.from([5, 3, 0x46, 9]));
  await new Promise((resolve) => setTimeout(resolve, 20));
  pass(61);
  await stalled.closed();
  expect((await idle.ask('q')).status).toBe('+');
  pass(601);
  await idle.closed();
});

test('bodies of all connections together have a bound', async () => {
  const { place } = await startedControl({ F: echoed }, { limits: { heldBytes: 100_000 } });
  const wire = await ControlWire.to(place);
  wire.write(Buffer.concat([Buffer.from([5, 3, 0x46, 0, 0, 0, 1, 0, 0, 0, 0]), Buffer.alloc(200_000)]));
  expect((await wire.answer()).data.toString()).toContain('too many bytes');
  await wire.closed();
  const next = await ControlWire.to(place);
  expect((await next.ask('F', {})).status).toBe('+');
});

test('the socket has the permissions of the configuration', async () => {
  const settings = controlSettings({ mode: 0o640 });
  await startedControl({}, { settings });
  expect(statSync(settings.path!).mode & 0o777).toBe(0o640);
});

test('the socket of a dead daemon is replaced, that of a living one is not', async () => {
  const settings = controlSettings();
  const living = createServer();
  await new Promise<void>((resolve) => living.listen(settings.path, resolve));
  await expect(startedControl({}, { settings })).rejects.toThrow(
    /the control socket cannot listen on .*: another program has it.*environment.controlsocket.path/,
  );
  await new Promise((resolve) => living.close(resolve));
  expect(existsSync(settings.path!)).toBe(false);
  await startedControl({ q: stats }, { settings });
  await expect(startedControl({}, { settings })).rejects.toThrow(ListenError);
});

test('a file in the place of the socket, a missing folder and a long path are told', async () => {
  const folder = scratchFolder();
  writeFileSync(path.join(folder, 'file'), 'x');
  const opened = (name: string) =>
    startedControl({}, { settings: controlSettings({ path: path.join(folder, name) }) });
  await expect(opened('file')).rejects.toThrow(/something else than a socket/);
  await expect(opened('none/ctl')).rejects.toThrow(/the folder .*none does not exist/);
  await expect(opened('x'.repeat(200))).rejects.toThrow(/the system allows 107/);
});

test('an unknown owner or group of the socket is told', async () => {
  const settings = controlSettings({ group: 'no-such-group-here' });
  await expect(startedControl({}, { settings })).rejects.toThrow(/\/etc\/group does not have it/);
});
