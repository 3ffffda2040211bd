import { describe, expect, test } from 'vitest';
import { HslArray, share } from '#lang';
import { connectArguments } from '../../hooks/connect.js';
import { disconnectArguments } from '../../hooks/disconnect.js';
import { heloArguments } from '../../hooks/helo.js';
import { mailfromArguments } from '../../hooks/mailfrom.js';
import { attemptToValue, messageToValue } from '../../hooks/message-state.js';
import { postdeliveryArguments } from '../../hooks/postdelivery.js';
import { rcpttoArguments } from '../../hooks/rcptto.js';
import { SessionState } from '../../hooks/state.js';

/** An array as plain data. */
function plain(value: unknown): unknown {
  if (!(value instanceof HslArray)) return value;
  if (value.isList) return value.toList().map(plain);
  return Object.fromEntries([...value.entries()].map(([key, item]) => [String(key), plain(item)]));
}

function newState(): SessionState {
  let ids = 0;
  return new SessionState(
    {
      id: 'conn',
      remoteIp: '192.0.2.1',
      remotePort: 4000,
      localIp: '192.0.2.2',
      localPort: 25,
      serverId: 'in',
    },
    () => `tx-${++ids}`,
  );
}

const sender = { localPart: 'A b', domain: 'B.Test', params: { SIZE: '1' } };
const recipient = { address: { localPart: 'C', domain: 'D.Test' }, transportId: 't' };

describe('$connection', () => {
  test('has id and priority at connect, the rest in $arguments', () => {
    const state = newState();
    expect(plain(state.connectionAtConnect())).toEqual({ id: 'conn', priority: 0 });
    expect(plain(connectArguments(state))).toEqual({
      remoteip: '192.0.2.1',
      remoteport: 4000,
      localip: '192.0.2.2',
      localport: 25,
      serverid: 'in',
    });
  });

  test('grows: what connect changed, then the greeting', () => {
    const state = newState();
    state.override({ remoteIp: '192.0.2.9', remotePtr: 'ptr.test', priority: 1 });
    const before = state.connection;
    state.greeted('EHLO', 'client.test');
    expect(plain(before)).toEqual({
      id: 'conn',
      priority: 1,
      remoteip: '192.0.2.9',
      remoteport: 4000,
      remoteptr: 'ptr.test',
      localip: '192.0.2.2',
      localport: 25,
      serverid: 'in',
    });
    expect(plain(state.connection)).toMatchObject({ helo: { verb: 'EHLO', host: 'client.test' } });
  });

  test('tells of encryption, and has forgotten the greeting that came before it (RFC 3207 §4.2)', () => {
    const state = newState();
    state.greeted('EHLO', 'client.test');
    state.secured({
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      keySize: 256,
      sni: 'mx.test',
      peerCertificate: { x509: 'the certificate', chain: ['its issuer'], error: 18 },
    });
    const tls = {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      keysize: 256,
      sni: 'mx.test',
      peercert: { x509: 'the certificate', chain: ['its issuer'], error: 18 },
    };
    expect(plain(state.connection)).toMatchObject({ tls });
    expect(plain(state.connection)).not.toHaveProperty('helo');
    expect(plain(connectArguments(state))).toMatchObject({ tls });
  });

  test('tells who the client has proved to be, until TLS begins (RFC 4954, RFC 3207 §4.2)', () => {
    const state = newState();
    state.authenticated({ mechanism: 'PLAIN', username: 'ada' });
    expect(plain(state.connection)).toMatchObject({ auth: { mechanism: 'PLAIN', username: 'ada' } });
    state.greeted('EHLO', 'client.test');
    expect(state.auth).toEqual({ mechanism: 'PLAIN', username: 'ada' });
    state.authenticated({ mechanism: 'X-OWN', username: undefined });
    expect((plain(state.connection) as { auth: unknown }).auth).toEqual({ mechanism: 'X-OWN' });
    state.secured({
      protocol: 'TLSv1.3',
      cipher: 'c',
      keySize: 256,
      sni: undefined,
      peerCertificate: undefined,
    });
    expect(plain(state.connection)).not.toHaveProperty('auth');
  });

  test('tells the name of the client, and the connect script of both look-ups', () => {
    const state = newState();
    state.lookedUp({ confirmed: undefined, reverse: 'answer', forward: null });
    expect(plain(connectArguments(state))).toMatchObject({
      remoteptrresult: { reverse: 'answer', forward: null },
    });
    expect(plain(connectArguments(state))).not.toHaveProperty('remoteptr');
    state.lookedUp({ confirmed: 'ptr.test', reverse: 'answer', forward: 'answer' });
    expect(plain(connectArguments(state))).toMatchObject({ remoteptr: 'ptr.test' });
    expect(plain(state.connection)).toMatchObject({ remoteptr: 'ptr.test' });
    state.override({ priority: 1 });
    expect(plain(state.connection)).toMatchObject({ remoteptr: 'ptr.test' });
    state.override({ remoteIp: '192.0.2.9' });
    expect(plain(state.connection)).not.toHaveProperty('remoteptr');
  });

  test('tells of a client that did not wait for the greeting', () => {
    const state = newState();
    expect(plain(state.connection)).not.toHaveProperty('earlytalker');
    state.talkedEarly();
    expect(plain(state.connection)).toMatchObject({ earlytalker: true });
    expect(plain(connectArguments(state))).toMatchObject({ earlytalker: true });
  });

  test('tells who sits at the other end of a UNIX socket, and what a proxy told', () => {
    const state = new SessionState(
      { ...newState().facts, remoteUid: 1000, proxyIp: '192.0.2.3', proxyTlv: '010200' },
      () => 'tx',
    );
    expect(plain(connectArguments(state))).toMatchObject({
      remoteuid: 1000,
      proxyip: '192.0.2.3',
      proxytlv: '010200',
    });
    expect(plain(state.connection)).toMatchObject({ remoteuid: 1000 });
  });

  test('is built once and handed out again', () => {
    const state = newState();
    expect(state.connection).toBe(state.connection);
  });
});

describe('$transaction', () => {
  test('has an id from the start, and a new one after its end', () => {
    const state = newState();
    expect(plain(state.transaction)).toEqual({ id: 'tx-1' });
    state.begin(sender);
    expect(state.transactionId).toBe('tx-1');
    state.endTransaction();
    expect(plain(state.transaction)).toEqual({ id: 'tx-2' });
  });

  test('has sender and recipients, in lower case and as sent', () => {
    const state = newState();
    state.begin(sender);
    state.addRecipient(recipient);
    expect(plain(state.transactionAtEod(12.5))).toEqual({
      id: 'tx-1',
      ts: 12.5,
      sender: '"a b"@b.test',
      senderaddress: { localpart: 'A b', domain: 'B.Test' },
      senderparams: { SIZE: '1' },
      recipients: [
        {
          recipient: 'c@d.test',
          address: { localpart: 'C', domain: 'D.Test' },
          params: [],
          transportid: 't',
        },
      ],
    });
  });

  test('that a script keeps does not change in its hands', () => {
    for (const kept of ['whole', 'list'] as const) {
      const state = newState();
      state.begin(sender);
      state.addRecipient(recipient);
      const whole = state.transaction;
      const list = whole.get('recipients') as HslArray;
      share(kept === 'whole' ? whole : list);
      state.addRecipient(recipient);
      expect(list.length).toBe(1);
      expect((state.transaction.get('recipients') as HslArray).length).toBe(2);
    }
  });

  test('that nobody keeps is added to in place', () => {
    const state = newState();
    state.begin(sender);
    const whole = state.transaction;
    state.addRecipient(recipient);
    expect(state.transaction).toBe(whole);
    expect((whole.get('recipients') as HslArray).length).toBe(1);
  });

  test('leaves the letters of other alphabets alone', () => {
    const state = newState();
    state.begin({ localPart: '\xc3\x85B', domain: 'X.test' });
    expect(state.transaction.get('sender')).toBe('\xc3\x85b@x.test');
  });
});

describe('$arguments', () => {
  test('of helo has extensions for EHLO only', () => {
    expect(plain(heloArguments('EHLO', 'h', ['DSN']))).toEqual({
      verb: 'EHLO',
      host: 'h',
      extensions: ['DSN'],
    });
    expect(plain(heloArguments('HELO', 'h', undefined))).toEqual({ verb: 'HELO', host: 'h' });
  });

  test('of mailfrom and rcptto have the address both ways', () => {
    expect(plain(mailfromArguments({ localPart: '', domain: '' }))).toEqual({
      sender: '',
      address: { localpart: '', domain: '' },
      params: [],
    });
    expect(plain(rcpttoArguments(recipient.address, undefined))).toEqual({
      recipient: 'c@d.test',
      address: { localpart: 'C', domain: 'D.Test' },
      params: [],
    });
    expect(plain(rcpttoArguments(recipient.address, 't'))).toMatchObject({ transportid: 't' });
  });

  test('of disconnect tell the last reply and the error', () => {
    expect(
      plain(
        disconnectArguments({
          close: 'remote',
          reply: { code: 250, enhanced: [2, 0, 0], lines: ['Ok'], state: 'NOOP' },
          error: { reason: 'read ECONNRESET', type: 'socket', code: 104 },
        }),
      ),
    ).toEqual({
      close: 'remote',
      reply: { code: 250, enhanced: [2, 0, 0], reason: ['Ok'], state: 'NOOP' },
      error: { reason: 'read ECONNRESET', type: 'socket', code: 104 },
    });
  });

  test('of postdelivery tell the attempt', () => {
    const attempt = {
      result: { code: 550, enhanced: [5, 1, 1] as const, reason: ['no such user'], state: 'RCPT' },
      connection: {
        id: 'c',
        transactions: 1,
        localIp: '127.0.0.1',
        helo: 'me',
        remoteIp: '127.0.0.2',
        remoteMx: 'mx.test',
      },
      durationSeconds: 0.5,
    };
    expect(plain(postdeliveryArguments({ retry: 1, expired: false, action: 'BOUNCE', attempt }))).toEqual({
      retry: 1,
      expired: false,
      action: 'BOUNCE',
      attempt: {
        result: { code: 550, enhanced: [5, 1, 1], reason: ['no such user'], state: 'RCPT' },
        connection: {
          id: 'c',
          transactions: 1,
          localip: '127.0.0.1',
          helo: 'me',
          remoteip: '127.0.0.2',
          remotemx: 'mx.test',
        },
        duration: 0.5,
      },
    });
    expect(
      plain(
        postdeliveryArguments({
          retry: 1,
          expired: true,
          policy: { tags: ['t'], policies: [{ fields: ['remotemx'] }] },
          dsn: { diagnosticType: 'smtp', diagnosticCode: '550 no', status: [5, 0, 0] },
        }),
      ),
    ).toEqual({
      retry: 1,
      expired: true,
      policy: { tags: ['t'], policies: [{ fields: ['remotemx'] }] },
      dsn: { status: [5, 0, 0], diagnostictype: 'smtp', diagnosticcode: '550 no' },
    });
    expect(
      plain(
        attemptToValue({
          error: { temporary: true, message: 'no answer', type: 'network' },
          durationSeconds: 30,
        }),
      ),
    ).toEqual({ error: { temporary: true, message: 'no answer', type: 'network' }, duration: 30 });
  });
});

test('$message has what was queued', () => {
  expect(
    plain(
      messageToValue({
        id: { transaction: 'tx', number: 2 },
        ts: 1,
        serverId: 'in',
        sender,
        recipient: recipient.address,
        transportId: 't',
        metadata: {},
        jobId: 'j',
        priority: 0,
        dsn: { ret: 'FULL' },
        sizeBytes: 10,
        retry: 0,
      }),
    ),
  ).toEqual({
    id: { transaction: 'tx', queue: 2 },
    ts: 1,
    serverid: 'in',
    sender: '"a b"@b.test',
    senderaddress: { localpart: 'A b', domain: 'B.Test' },
    recipient: 'c@d.test',
    recipientaddress: { localpart: 'C', domain: 'D.Test' },
    transportid: 't',
    jobid: 'j',
    priority: 0,
    size: 10,
    dsn: { ret: 'FULL' },
  });
});
