import { describe, expect, test } from 'vitest';
import { HslObject, ScriptFault, type Value } from '#lang';
import { MailMessage, MessageState } from '../../../stdlib/mail/mail-message.builtins.js';
import type { MessageSource } from '../../../stdlib/mail/message-source.js';
import { bytesToSource, MailDocument } from '../../../stdlib/mail/mime/document.js';
import { FakeContext, fromValue, toValue } from '../../support/fake-context.js';

const utf8 = (text: string) => Buffer.from(text).toString('latin1');

const original =
  'From: =?utf-8?Q?B=C3=B6b?= <bob@example.com>\r\nTo: alice@example.org\r\nX-A: one\r\nX-A: two\r\n' +
  'Subject: =?utf-8?B?SGVqIGTDpHI=?=\r\n folded\r\nbroken line\r\n\r\nbody\r\n';

function messageOf(text: string): { mail: HslObject; call: (name: string, ...args: unknown[]) => Value } {
  const ctx = new FakeContext();
  const mail = new HslObject(
    MailMessage,
    undefined,
    new MessageState(new MailDocument(bytesToSource(Buffer.from(text, 'latin1')))),
  );
  return { mail, call: (name, ...args) => ctx.method(mail, name, ...args.map(toValue)) };
}

describe('getters', () => {
  const { call } = messageOf(original);

  test('find a field in any case, decoded and unfolded', () => {
    expect(call('getHeader', 'subject')).toBe(utf8('Hej där folded'));
    expect(call('getHeader', 'FROM')).toBe(utf8('Böb <bob@example.com>'));
    expect(call('getHeader', 'cc')).toBe(null);
  });

  test('give it raw on request', () => {
    expect(call('getHeader', 'Subject', { decode: false })).toBe('=?utf-8?B?SGVqIGTDpHI=?= folded');
    expect(call('getHeader', 'Subject', { field: true })).toBe(
      'Subject: =?utf-8?B?SGVqIGTDpHI=?=\r\n folded',
    );
  });

  test('count several from the top or the bottom', () => {
    expect(call('getHeader', 'X-A', { index: 1 })).toBe('two');
    expect(call('getHeader', 'X-A', { index: -2 })).toBe('one');
    expect(call('getHeader', 'X-A', { index: 2 })).toBe(null);
    expect(fromValue(call('getHeaders', 'x-a'))).toEqual(['one', 'two']);
    expect(fromValue(call('getHeaders', 'x-b'))).toEqual([]);
    expect(fromValue(call('getHeaders', 'x-a', { field: true }))).toEqual(['X-A: one', 'X-A: two']);
  });

  test('list the names, top first', () => {
    expect(fromValue(call('getHeaderNames'))).toEqual(['from', 'to', 'x-a', 'x-a', 'subject']);
  });

  test('know id and size', () => {
    expect(call('getID')).toBe('');
    expect(call('getSize')).toBe(original.length);
  });
});

describe('changes', () => {
  test('are not seen by getters, but by toString', () => {
    const { call } = messageOf(original);
    expect(call('setHeader', 'Subject', 'new')).toBe(1);
    expect(call('getHeader', 'Subject')).toBe(utf8('Hej där folded'));
    expect(call('toString')).toBe(
      original.replace('Subject: =?utf-8?B?SGVqIGTDpHI=?=\r\n folded\r\n', 'Subject: new\r\n'),
    );
  });

  test('touch nothing else: without any the message is the same, byte for byte', () => {
    const { call } = messageOf(original);
    expect(call('toString')).toBe(original);
  });

  test('add on top, the last one highest', () => {
    const { call } = messageOf(original);
    expect(call('addHeader', 'X-1', utf8('å'))).toBe(null);
    call('addHeader', 'X-2', 'v', { encode: false });
    expect(call('toString')).toBe(`X-2: v\r\nX-1: =?utf-8?Q?=C3=A5?=\r\n${original}`);
  });

  test('delete all of a name, or one', () => {
    const { call } = messageOf(original);
    expect(call('delHeader', 'X-A', { index: 1 })).toBe(1);
    expect(call('toString')).toBe(original.replace('X-A: two\r\n', ''));
    expect(call('delHeader', 'x-a')).toBe(1);
    expect(call('delHeader', 'x-a')).toBe(0);
    expect(call('toString')).toBe(original.replace('X-A: one\r\nX-A: two\r\n', ''));
  });

  test('count received fields, whatever was changed before', () => {
    const { call } = messageOf(original);
    call('addHeader', 'X-A', 'zero');
    expect(call('delHeader', 'X-A', { index: 0 })).toBe(1);
    expect(call('setHeader', 'X-A', 'TWO', { index: 1 })).toBe(1);
    expect(call('toString')).toBe(
      `X-A: zero\r\n${original.replace('X-A: one\r\nX-A: two\r\n', 'X-A: TWO\r\n')}`,
    );
  });

  test('create what does not occur, below the others, and replace it when set again', () => {
    const { call } = messageOf(original);
    expect(call('setHeader', 'X-New', '1')).toBe(1);
    expect(call('setHeader', 'x-new', '2')).toBe(1);
    expect(call('toString')).toBe(original.replace('\r\n\r\n', '\r\nx-new: 2\r\n\r\n'));
    expect(call('delHeader', 'X-NEW')).toBe(1);
    expect(call('toString')).toBe(original);
    expect(call('setHeader', 'X-New', '1', { index: 3 })).toBe(0);
  });

  test('bring back a field that was deleted', () => {
    const { call } = messageOf('A: 1\r\n\r\n');
    call('delHeader', 'A');
    call('setHeader', 'A', '2');
    expect(call('toString')).toBe('A: 2\r\n\r\n');
  });

  test('work on messages without body, header, or final line end', () => {
    for (const [text, expected] of [
      ['', 'X: 1\r\n'],
      ['A: 1', 'A: 1\r\nX: 1\r\n'],
      ['\r\nbody', 'X: 1\r\n\r\nbody'],
      ['A: 1\nB: 2\n\nbody', 'A: 1\nB: 2\nX: 1\r\n\nbody'],
    ] as const) {
      const { call } = messageOf(text);
      call('setHeader', 'X', '1');
      expect(call('toString')).toBe(expected);
    }
  });

  test('with an impossible name are refused', () => {
    const { call } = messageOf(original);
    for (const name of ['', 'a b', 'a:b', 'a\r\nb', utf8('å')])
      expect(() => call('addHeader', name, 'v')).toThrow(ScriptFault);
  });

  test('can be taken back: snapshot, restore, reset', () => {
    const { call } = messageOf(original);
    call('addHeader', 'X-1', '1');
    const snapshot = call('snapshot');
    call('addHeader', 'X-2', '2');
    call('delHeader', 'To');
    expect(call('restore', snapshot)).toBe(true);
    expect(call('toString')).toBe(`X-1: 1\r\n${original}`);
    call('delHeader', 'From');
    expect(call('restore', snapshot)).toBe(true);
    expect(call('toString')).toBe(`X-1: 1\r\n${original}`);
    expect(call('restore', 7)).toBe(false);
    expect(call('reset')).toBe(1);
    expect(call('toString')).toBe(original);
    expect(call('reset')).toBe(0);
  });
});

test('a body on disk is named, not read, by an edit, and read for toString', async () => {
  const whole = Buffer.from(`A: 1\r\n\r\n${'x'.repeat(5000)}`);
  const reads: [number, number][] = [];
  const source: MessageSource = {
    sizeBytes: whole.length,
    head: whole.subarray(0, 100),
    isComplete: false,
    read: async (start, end) => {
      reads.push([start, end]);
      return whole.subarray(start, end);
    },
  };
  const document = new MailDocument(source);
  document.root.edits.add('B', Buffer.from('B: 2\r\n'));
  expect(document.pieces()).toMatchObject([
    { kind: 'bytes' },
    { kind: 'range', start: 0, end: whole.length },
  ]);
  expect(reads).toEqual([]);
  expect((await document.toBytes()).toString()).toBe(`B: 2\r\n${whole.toString()}`);
});

test('MailMessage::String makes a message of a text', () => {
  const ctx = new FakeContext();
  const made = MailMessage.statics['String']!.run('A: 1\r\n\r\n' as never, ctx as never) as HslObject;
  expect(ctx.method(made, 'getHeader', 'a')).toBe('1');
  expect(fromValue(ctx.method(made, 'getHeaders', 'a'))).toEqual(['1']);
});
