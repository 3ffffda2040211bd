import { expect, test } from 'vitest';
import { type HslArray, HslObject, ScriptFault, type Value } from '#lang';
import { EODMailMessage, EodMessage } from '../../../stdlib/mail/eod-mail-message.builtins.js';
import { bytesToSource, MailDocument, readPieces } from '../../../stdlib/mail/mime/document.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';

function eodMessage(): { state: EodMessage; call: (name: string, ...args: unknown[]) => Value } {
  const ctx = new FakeContext();
  const state = new EodMessage(new MailDocument(bytesToSource(Buffer.from('A: 1\r\n\r\nbody'))), {
    id: 'tx',
    priority: 1,
    knowsTransport: (id) => id === 'out',
  });
  const object = new HslObject(EODMailMessage, undefined, state);
  return { state, call: (name, ...args) => ctx.method(object, name, ...args.map(toValue)) };
}

test('queue collects a request for each call and says its id', () => {
  const { state, call } = eodMessage();
  expect(fromValue(call('queue', 'A@b.test', { localpart: 'c d', domain: 'e.test' }, 'out'))).toEqual(
    keyed(['transaction', 'tx'], ['queue', 1]),
  );
  expect(
    fromValue(
      call('queue', '', 'x@y.test', 'out', {
        metadata: { k: 'v', 1: 'one' },
        hold: true,
        jobid: 'j',
        tenantid: 't',
        priority: 0,
        delay: 60,
        quotas: ['q'],
        dsn: { envid: 'e', ret: 'full', notify: 'success,delay', orcpt: 'rfc822;x' },
      }),
    ),
  ).toEqual(keyed(['transaction', 'tx'], ['queue', 2]));
  expect(state.queued).toEqual([
    {
      number: 1,
      sender: { localPart: 'A', domain: 'b.test' },
      recipient: { localPart: 'c d', domain: 'e.test' },
      transportId: 'out',
      pieces: [{ kind: 'range', start: 0, end: 12 }],
      metadata: {},
      hold: false,
      priority: 1,
      delaySeconds: 0,
      quotas: [],
      dsn: {},
    },
    {
      number: 2,
      sender: { localPart: '', domain: '' },
      recipient: { localPart: 'x', domain: 'y.test' },
      transportId: 'out',
      pieces: [{ kind: 'range', start: 0, end: 12 }],
      metadata: { k: 'v', 1: 'one' },
      hold: true,
      jobId: 'j',
      tenantId: 't',
      priority: 0,
      delaySeconds: 60,
      quotas: ['q'],
      dsn: { envid: 'e', ret: 'FULL', notify: 'SUCCESS,DELAY', orcpt: 'rfc822;x' },
    },
  ]);
});

test('each request has the message as it was changed at that moment', () => {
  const { state, call } = eodMessage();
  const snapshot = call('snapshot');
  call('setHeader', 'A', 'one');
  call('queue', '', 'one@y.test', 'out');
  call('restore', snapshot);
  call('addHeader', 'B', 'two');
  call('queue', '', 'two@y.test', 'out');
  const texts = state.queued.map(({ pieces }) =>
    pieces
      .map((piece) => (piece.kind === 'bytes' ? piece.bytes.toString() : `[${piece.start}-${piece.end}]`))
      .join(''),
  );
  expect(texts).toEqual(['A: one\r\n[6-12]', 'B: two\r\n[0-12]']);
});

test('parameters of an address are kept, keys in upper case', () => {
  const { state, call } = eodMessage();
  call('queue', { localpart: 'a', domain: 'b.test', params: { size: '10' } }, 'x@y.test', 'out');
  expect(state.queued[0]!.sender.params).toEqual({ SIZE: '10' });
});

test.each([
  ['a bad sender', ['no address', 'x@y.test', 'out'], 'queue: the sender is no address: "no address"'],
  ['an empty recipient', ['', '', 'out'], 'queue: the recipient is empty'],
  ['an address without domain', ['', { localpart: 'x' }, 'out'], '"localpart" and "domain"'],
  ['a bad domain', ['', { localpart: 'x', domain: 'a b' }, 'out'], 'bad domain: "a b"'],
  ['a control character', ['', { localpart: 'x\r\ny', domain: 'a.test' }, 'out'], 'control character'],
  [
    'a bad parameter',
    [{ localpart: 'a', domain: 'b.test', params: { X: 'a b' } }, 'x@y.test', 'out'],
    'ESMTP',
  ],
  ['an unknown transport', ['', 'x@y.test', 'nowhere'], 'there is no transport "nowhere"'],
  ['a negative delay', ['', 'x@y.test', 'out', { delay: -1 }], '"delay" is -1'],
  ['metadata that is no text', ['', 'x@y.test', 'out', { metadata: { a: 1 } }], 'must be a string'],
  ['a bad notify', ['', 'x@y.test', 'out', { dsn: { notify: 'NEVER,DELAY' } }], '"notify"'],
  ['a bad ret', ['', 'x@y.test', 'out', { dsn: { ret: 'ALL' } }], '"ret"'],
  ['a bad orcpt', ['', 'x@y.test', 'out', { dsn: { orcpt: 'a b;x@y.test' } }], '"orcpt" is "a b;x@y.test"'],
  ['an envid that no peer takes', ['', 'x@y.test', 'out', { dsn: { envid: 'x'.repeat(101) } }], '"envid"'],
  ['a recipient without a local part', ['', { localpart: '', domain: 'y.test' }, 'out', {}], 'no local part'],
])('queue refuses %s', (_what, args, message) => {
  const { state, call } = eodMessage();
  expect(() => call('queue', ...args)).toThrow(ScriptFault);
  expect(() => call('queue', ...args)).toThrow(message);
  expect(state.queued).toEqual([]);
});

test('each recipient can have a version of its own, part edits included', async () => {
  const ctx = new FakeContext();
  const text =
    'Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--\r\n';
  const document = new MailDocument(bytesToSource(Buffer.from(text)));
  const state = new EodMessage(document, { id: 'tx', priority: 0, knowsTransport: () => true });
  const object = new HslObject(EODMailMessage, undefined, state);
  const snapshot = ctx.method(object, 'snapshot');
  const [, second] = (ctx.method(object, 'getParts') as HslArray).toList() as HslObject[];
  ctx.method(second!, 'setBody', 'for a');
  ctx.method(object, 'queue', '', 'a@b.test', 'out');
  ctx.method(object, 'restore', snapshot);
  ctx.method(second!, 'remove');
  ctx.method(object, 'queue', '', 'b@b.test', 'out');
  ctx.method(object, 'queue', '', 'c@b.test', 'out');
  ctx.method(object, 'restore', snapshot);
  ctx.method(object, 'queue', '', 'd@b.test', 'out');
  const versions = state.queued.map(({ pieces }) =>
    (readPieces(document.source, pieces) as Buffer).toString(),
  );
  expect(versions).toEqual([
    text.replace('two', 'for a'),
    text.replace('--B\r\n\r\ntwo\r\n', ''),
    text.replace('--B\r\n\r\ntwo\r\n', ''),
    text,
  ]);
  // Recipients of the same version share it, and so it is stored once.
  expect(state.queued[1]!.pieces).toBe(state.queued[2]!.pieces);
});
