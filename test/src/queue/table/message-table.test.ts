import { expect, test } from 'vitest';
import { Interned } from '../../../../src/queue/table/interned.js';
import { MessageTable, Stage } from '../../../../src/queue/table/message-table.js';
import type { QueuedMessage } from '../../../../src/spool/spool.js';
import { uuid } from '../../../support/mail-samples.js';

const full: QueuedMessage = {
  id: { transaction: uuid(1), number: 7 },
  ts: 123.5,
  serverId: 'in',
  senderIp: '192.0.2.1',
  senderHelo: 'client.test',
  saslUsername: 'me',
  stageKey: 'stage',
  sender: { localPart: 's', domain: 'from.test', params: { SIZE: '5' } },
  recipient: { localPart: 'ü', domain: 'to.test', params: { NOTIFY: 'NEVER' } },
  transportId: 'out',
  metadata: { a: 'b' },
  jobId: 'job',
  tenantId: 'tenant',
  priority: 1,
  quotas: ['q'],
  dsn: { envid: 'e' },
  sizeBytes: 4_000_000_000,
  hold: false,
  retry: 3,
  nextTry: 99.25,
  reason: 'why',
};
const { saslUsername: _, stageKey: __, jobId: ___, tenantId: ____, reason: _____, ...rest } = full;
const plain: QueuedMessage = {
  ...rest,
  id: { transaction: uuid(2), number: 1 },
  sender: { localPart: '', domain: '' },
  recipient: { localPart: '', domain: '' },
  metadata: {},
  quotas: [],
  dsn: {},
  priority: 0,
};

test('a message comes out of the columns as it went in', () => {
  const table = new MessageTable();
  expect(table.message(table.add(full))).toEqual(full);
  expect(table.message(table.add(plain))).toEqual(plain);
});

test('a change touches what it names', () => {
  const table = new MessageTable();
  const slot = table.add(full);
  table.change(slot, { retry: 4, reason: '' });
  const { reason, ...unreasoned } = full;
  expect(reason).toBe('why');
  expect(table.message(slot)).toEqual({ ...unreasoned, retry: 4 });
  const change = { transportId: 'other', metadata: {}, quotas: [], nextTry: 5, reason: 'new' };
  table.change(slot, change);
  expect(table.message(slot)).toEqual({ ...full, retry: 4, ...change });
});

test('a row that is used again has nothing of its former message', () => {
  const table = new MessageTable();
  table.remove(table.add(full));
  expect(table.size).toBe(0);
  const slot = table.add(plain);
  expect(table.message(slot)).toEqual(plain);
  expect(table.find(full.id)).toBe(-1);
});

test('messages are counted by the state that lists show', () => {
  const table = new MessageTable();
  const slot = table.add(full);
  table.setStage(slot, Stage.Held);
  table.setStage(table.add(plain), Stage.Finishing);
  expect(table.counts()).toEqual({ ACTIVE: 0, DEFER: 0, SENDING: 0, UNKNOWN: 1, HOLD: 1, UPDATE: 0 });
  expect(table.message(slot).hold).toBe(true);
});

test('shared values are kept once and go with their last user', () => {
  const words = new Interned<string>();
  const one = words.add('a', 'a');
  expect(words.add('a', 'a')).toBe(one);
  words.release(one);
  expect(words.get(one)).toBe('a');
  words.release(one);
  expect(words.size).toBe(0);
  expect(words.get(words.add('b', 'b'))).toBe('b');
});
