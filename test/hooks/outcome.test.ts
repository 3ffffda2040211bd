import { describe, expect, test } from 'vitest';
import { type Builtin, ScriptFault, type Value } from '#lang';
import { nothingConfigured } from '#stdlib';
import { connect } from '../../hooks/connect.js';
import { eod } from '../../hooks/eod.js';
import { helo } from '../../hooks/helo.js';
import { mailfrom } from '../../hooks/mailfrom.js';
import { replyParts } from '../../hooks/outcome.js';
import type { Phase } from '../../hooks/phase.js';
import { postdelivery } from '../../hooks/postdelivery.js';
import { predelivery } from '../../hooks/predelivery.js';
import { queueFrame } from '../../hooks/queue-actions.js';
import { rcptto } from '../../hooks/rcptto.js';
import { FakeContext, fromValue, toValue } from '../support/fake-context.js';

/** Takes an action of a phase, or calls one of its functions. */
function take(phase: Phase, name: string, args: readonly unknown[], frame?: unknown): Value {
  const declaration = phase.declarations.find((each) => each.name === name) as Builtin;
  const configured = { ...nothingConfigured, knowsTransport: (id: string) => id === 't' };
  const ctx = new FakeContext({ services: { frame, configured } as object });
  return ctx.call(declaration, ...args.map(toValue));
}

describe('reasons', () => {
  test.each([
    ['one line', ['one line']],
    ['two\nlines', ['two', 'lines']],
    ['two\r\nlines\r\n', ['two', 'lines']],
    [
      ['a', 'b\nc'],
      ['a', 'b', 'c'],
    ],
    ['', ['']],
  ])('%j becomes lines', (reason, lines) => {
    expect(take(mailfrom, 'Reject', [reason])).toMatchObject({ kind: 'Reject', reason: lines });
  });

  test('may be left out, or none', () => {
    expect(take(mailfrom, 'Reject', [])).toEqual({ kind: 'Reject' });
    expect(take(mailfrom, 'Reject', [null, { disconnect: true }])).toEqual({
      kind: 'Reject',
      disconnect: true,
    });
    expect(take(mailfrom, 'Reject', [[]])).toEqual({ kind: 'Reject' });
  });

  test('that are no texts are refused', () => {
    expect(() => take(mailfrom, 'Reject', [[1]])).toThrow(ScriptFault);
    expect(() => take(mailfrom, 'Reject', ['\n'.repeat(200)])).toThrow('200 lines');
  });
});

describe('recipients of Accept in eod (hooks 9)', () => {
  const accept = (recipients: unknown, separateReplies?: number) =>
    take(eod, 'Accept', [{ recipients }], { kind: 'eod', mail: { queued: [] }, separateReplies });

  test('are wishes in the order of the recipients', () => {
    expect(
      accept(
        { 2: { reason: 'no', reply_codes: { code: 550, enhanced: [5, 1, 1] } }, 0: { reason: 'yes' } },
        3,
      ),
    ).toMatchObject({
      recipients: [{ reason: ['yes'] }, undefined, { reason: ['no'], code: 550, enhanced: [5, 1, 1] }],
    });
    expect(accept([null, {}], 2)).toMatchObject({ recipients: [undefined, {}] });
  });

  test.each([
    [[], undefined, 'one reply for all its recipients'],
    [{ 3: {} }, 3, 'has the key 3; expected one of $transaction["recipients"], 0 to 2'],
    [{ '-1': {} }, 3, 'has the key -1'],
    [{ 'a@b.test': {} }, 3, 'has the key "a@b.test"'],
    [['no'], 1, 'is no array'],
    [[{ code: 550 }], 1, 'has the key "code"; expected "reason" and "reply_codes"'],
    [[{ reason: 1 }], 1, 'neither a string nor an array'],
    [[{ reply_codes: 550 }], 1, 'no array'],
    [[{ reply_codes: { code: 354 } }], 1, 'expected 200 to 299 or 400 to 599'],
  ])('%j of %j recipients is a script error', (recipients, count, message) => {
    expect(() => accept(recipients, count)).toThrow(ScriptFault);
    expect(() => accept(recipients, count)).toThrow(message);
  });
});

describe('reply codes', () => {
  test('are taken in the class of their action', () => {
    expect(
      take(mailfrom, 'Reject', ['x', { reply_codes: { code: 450, enhanced: [4, 7, 1] } }]),
    ).toMatchObject({
      code: 450,
      enhanced: [4, 7, 1],
    });
    expect(take(mailfrom, 'Accept', [{ reply_codes: { code: 251 } }])).toEqual({ kind: 'Accept', code: 251 });
  });

  test.each([
    ['Accept', [{ reply_codes: { code: 550 } }], '"code" in "reply_codes" is 550; expected 200 to 399'],
    ['Reject', ['', { reply_codes: { code: 250 } }], 'expected 400 to 599'],
    ['Defer', ['', { reply_codes: { code: 600 } }], 'expected 400 to 599'],
    ['Defer', ['', { reply_codes: { code: 450.5 } }], 'is 450.5'],
    ['Defer', ['', { reply_codes: { code: '450' } }], 'is 450'],
    ['Defer', ['', { reply_codes: { enhanced: [4, 7] } }], 'three numbers'],
    ['Defer', ['', { reply_codes: { enhanced: [4, 7, 1, 0] } }], 'three numbers'],
    ['Defer', ['', { reply_codes: { enhanced: [3, 7, 1] } }], 'three numbers'],
    ['Defer', ['', { reply_codes: { enhanced: [4, 7, -1] } }], 'three numbers'],
    ['Defer', ['', { reply_codes: { enhanced: '4.7.1' } }], 'three numbers'],
  ])('of %s %j are refused', (action, args, message) => {
    expect(() => take(mailfrom, action, args)).toThrow(ScriptFault);
    expect(() => take(mailfrom, action, args)).toThrow(message);
  });

  test('a default status follows the class of a code', () => {
    expect(replyParts(mailfrom.replies.Reject, { code: 421 })).toEqual({
      code: 421,
      enhanced: [4, 7, 1],
      lines: ['Sender refused'],
    });
    expect(replyParts(helo.replies.Accept, { reason: ['hi'] })).toEqual({
      code: 250,
      enhanced: undefined,
      lines: ['hi'],
    });
  });
});

describe('Accept', () => {
  test('of connect can change the client', () => {
    expect(
      take(connect, 'Accept', [{ remoteip: '2001:db8::1', remoteptr: 'a.test', priority: 1, reason: 'hi' }]),
    ).toEqual({ kind: 'Accept', remoteIp: '2001:db8::1', remotePtr: 'a.test', priority: 1, reason: ['hi'] });
    expect(() => take(connect, 'Accept', [{ remoteip: 'here' }])).toThrow('"remoteip" is "here"');
    expect(() => take(connect, 'Accept', [{ priority: 2 }])).toThrow(ScriptFault);
  });

  test('of helo can change the name and the extensions', () => {
    expect(take(helo, 'Accept', [{ extensions: ['SIZE 10', 'DSN'], host: 'h' }])).toEqual({
      kind: 'Accept',
      extensions: ['SIZE 10', 'DSN'],
      host: 'h',
    });
    expect(take(helo, 'Accept', [{ helohost: 'h' }])).toEqual({ kind: 'Accept', host: 'h' });
    expect(() => take(helo, 'Accept', [{ extensions: ['DSN\r\n250 X'] }])).toThrow('no extension');
  });

  test('of mailfrom can change the sender, to the null one too', () => {
    expect(take(mailfrom, 'Accept', [{ sender: '"a b"@c.test' }])).toEqual({
      kind: 'Accept',
      sender: { localPart: 'a b', domain: 'c.test' },
    });
    expect(take(mailfrom, 'Accept', [{ sender: '' }])).toEqual({
      kind: 'Accept',
      sender: { localPart: '', domain: '' },
    });
  });

  test('of rcptto can change recipient and transport, but not to nobody', () => {
    expect(
      take(rcptto, 'Accept', [{ recipient: { localpart: 'a', domain: 'b.test' }, transportid: 't' }]),
    ).toEqual({ kind: 'Accept', recipient: { localPart: 'a', domain: 'b.test' }, transportId: 't' });
    expect(() => take(rcptto, 'Accept', [{ recipient: '' }])).toThrow('is empty');
  });

  test('of eod carries out what was queued', () => {
    const queued = [{ number: 1 }];
    expect(take(eod, 'Accept', [{ reason: 'ok' }], { kind: 'eod', mail: { queued } })).toEqual({
      kind: 'Accept',
      reason: ['ok'],
      queued,
    });
  });
});

describe('refusals of connect', () => {
  test('always close the connection', () => {
    expect(take(connect, 'Reject', [])).toEqual({ kind: 'Reject', disconnect: true });
    expect(take(connect, 'Defer', ['later'])).toEqual({ kind: 'Defer', disconnect: true, reason: ['later'] });
  });
});

describe('Try', () => {
  const frame = () => queueFrame({}, false);

  test('takes the options of this attempt', () => {
    expect(
      take(
        predelivery,
        'Try',
        [
          {
            host: '10.0.0.1',
            port: 2525,
            domain: 'c.test',
            mx_include: ['*.c.test'],
            mx_exclude: ['mx9.c.test'],
            helo: 'me.test',
            sender: '',
            recipient: 'x@y.test',
            protocol: 'lmtp',
            jobid: 'j',
            timeout: { EOD: 10 },
            connect_timeout: 5,
            dsn: { notify: 'NEVER', success: 'relayed' },
          },
        ],
        frame(),
      ),
    ).toEqual({
      kind: 'Try',
      options: {
        host: '10.0.0.1',
        port: 2525,
        domain: 'c.test',
        mxInclude: ['*.c.test'],
        mxExclude: ['mx9.c.test'],
        helo: 'me.test',
        sender: { localPart: '', domain: '' },
        recipient: { localPart: 'x', domain: 'y.test' },
        protocol: 'lmtp',
        jobId: 'j',
        timeouts: { EOD: 10 },
        connectTimeoutSeconds: 5,
        dsn: { notify: 'NEVER', success: 'relayed' },
      },
    });
    expect(take(predelivery, 'Try', [], frame())).toEqual({ kind: 'Try', options: {} });
  });

  test('takes what shapes the session', () => {
    const options = {
      tls: 'require_verify',
      tls_sni: true,
      tls_protocols: '!TLSv1.2',
      tls_ciphers: 'HIGH',
      tls_verify_host: true,
      tls_verify_name: ['*.b.test'],
      tls_default_ca: true,
      tls_client_cert: 'pki:mine',
      saslusername: 'u',
      saslpassword: 'p',
      xclient: { ADDR: '192.0.2.1' },
      proxy: '[::1]:8025',
    };
    expect(take(predelivery, 'Try', [options], frame())).toEqual({
      kind: 'Try',
      options: {
        tls: {
          mode: 'require_verify',
          sni: true,
          protocols: '!TLSv1.2',
          ciphers: 'HIGH',
          verifiesHost: true,
          verifyNames: ['*.b.test'],
          usesSystemCa: true,
          clientCertificate: 'pki:mine',
        },
        logIn: { userName: 'u', password: 'p' },
        xclient: { ADDR: '192.0.2.1' },
        proxy: { ip: '::1', port: 8025 },
      },
    });
  });

  test.each([
    [{ saslusername: '' }, { logIn: 'none' }],
    [{ sasl_unverified: true }, { logIn: { allowsUnverified: true } }],
    [{ saslusername: 'u' }, { logIn: { userName: 'u', password: '' } }],
    [{ tls_client_cert: '' }, { tls: { clientCertificate: '' } }],
    [{ proxy: '' }, { proxy: 'none' }],
    [{ proxyip: '' }, { proxy: 'none' }],
    [{ proxyip: '192.0.2.9' }, { proxy: { ip: '192.0.2.9' } }],
    [{ proxyip: '2001:db8::9' }, { proxy: { ip: '2001:db8::9' } }],
    [
      { proxy: { address: '192.0.2.9', port: 26, version: 1 } },
      { proxy: { ip: '192.0.2.9', port: 26, version: 1 } },
    ],
    [{ tls: null, saslusername: null, proxy: null }, {}],
    [{ timeout: { eod: 5, CONNECT: 6 } }, { timeouts: { EOD: 5, CONNECT: 6 } }],
    [{ dsn: { success: 'delivered' } }, { dsn: { success: 'delivered' } }],
    [{ tls_implicit: true, tls_mtasts: false }, { tls: { isImplicit: true, usesMtaSts: false } }],
    [{ tls_sni: 'mx.test' }, { tls: { sni: 'mx.test' } }],
    [
      { dsn: { envid: 'e', ret: 'hdrs', notify: 'success,delay', orcpt: 'a@b.test' } },
      { dsn: { envid: 'e', ret: 'HDRS', notify: 'SUCCESS,DELAY', orcpt: 'a@b.test' } },
    ],
    [{ dsn: { envid: null, ret: null, notify: null, orcpt: null, success: null } }, { dsn: {} }],
    [{ sender: null, recipient: null, host: null, port: null, helo: null, jobid: null, protocol: null }, {}],
  ])('reads %j', (options, expected) => {
    expect(take(predelivery, 'Try', [options], frame())).toEqual({ kind: 'Try', options: expected });
  });

  test.each([
    [{ tls: 'perhaps' }, '"tls"'],
    [{ tls_protocols: 'TLSv9' }, '"TLSv9" is no protocol'],
    [{ tls_verify_name: [1] }, '"tls_verify_name"'],
    [{ saslpassword: 'secret' }, '"saslpassword" is given without "saslusername"'],
    [{ xclient: { ADDR: [] } }, '"xclient"'],
    [{ proxy: 'mx.test:25' }, '"proxy" must be an IP address'],
    [{ proxy: '192.0.2.9:0' }, '1 to 65535'],
    [{ proxy: { address: '192.0.2.9', version: 3 } }, '"version" in "proxy" must be 1 or 2'],
    [{ plugin: { id: 'x' } }, '"plugin" is not supported yet'],
    [{ domain: '' }, '"domain" is empty'],
    [{ mx_include: [1] }, '"mx_include" must hold strings only'],
    [{ port: 0 }, '"port" is 0; expected 1 to 65535'],
    [{ connect_timeout: 0 }, 'above 0'],
    [{ timeout: { EOD: 'x' } }, 'above 0'],
    [
      { timeout: { EOM: 5 } },
      'Try: "timeout" has the unknown state "EOM"; expected one of BANNER, EHLO, HELO, LHLO, STARTTLS, XCLIENT, AUTH-CRAM-MD5,',
    ],
    [{ protocol: 'uucp' }, 'protocol'],
    [{ dsn: { success: 'maybe' } }, '"success"'],
    [{ dsn: { notify: 'NEVER,DELAY' } }, '"notify" is "NEVER,DELAY"; expected "NEVER" or a list of'],
    [{ dsn: { ret: 'ALL' } }, '"ret" is "ALL"; expected "FULL", "HDRS" or ""'],
    [{ dsn: { envid: 5 } }, '"envid" must be a string'],
    [{ dsn: { envid: 'x'.repeat(101) } }, '"envid" has 101 bytes; at most 100 can be sent'],
    [{ dsn: { orcpt: `rfc822;${'x'.repeat(500)}` } }, '"orcpt" has 507 bytes; at most 500 can be sent'],
    [{ dsn: { orcpt: 'x\r\nRSET;a@b.test' } }, 'expected a type, a semicolon and an address, such as'],
    [{ dsn: { orcpt: 'rfc822;' } }, 'expected a type, a semicolon and an address, such as'],
    [{ recipient: '' }, '"recipient" is empty; expected an address'],
    [{ recipient: { localpart: '', domain: '' } }, '"recipient" is empty; expected an address'],
    [{ recipient: { localpart: '', domain: 'b.test' } }, '"recipient" has a domain and no local part'],
    [{ sender: { localpart: '', domain: 'b.test' } }, '"sender" has a domain and no local part'],
  ])('refuses %j', (options, message) => {
    expect(() => take(predelivery, 'Try', [options], frame())).toThrow(message);
  });
});

describe('Queue', () => {
  test('has its options in both hooks', () => {
    for (const phase of [predelivery, postdelivery] as Phase[]) {
      expect(take(phase, 'Queue', [], queueFrame({}, false))).toEqual({
        kind: 'Queue',
        options: { hold: false, incrementRetry: true, resetRetry: false },
      });
      expect(
        take(
          phase,
          'Queue',
          [
            {
              hold: true,
              delay: 10,
              reason: 'r',
              increment_retry: false,
              reset_retry: true,
              transportid: 't',
              quotas: ['q'],
              metadata: { a: 'b' },
            },
          ],
          queueFrame({}, false),
        ),
      ).toEqual({
        kind: 'Queue',
        options: {
          hold: true,
          delaySeconds: 10,
          reason: 'r',
          incrementRetry: false,
          resetRetry: true,
          transportId: 't',
          quotas: ['q'],
        },
        metadata: { a: 'b' },
      });
    }
  });

  test('refuses what would not happen', () => {
    expect(() => take(postdelivery, 'Queue', [{ delay: -1 }], queueFrame({}, false))).toThrow(
      '"delay" is -1',
    );
  });
});

describe('after a delivery', () => {
  test.each(['Queue', 'Bounce', 'Delete'])('%s is an error', (action) => {
    expect(() => take(postdelivery, action, [], queueFrame({}, true))).toThrow('the message was delivered');
  });

  test('Default is not', () => {
    expect(take(postdelivery, 'Default', [], queueFrame({}, true))).toEqual({ kind: 'Default' });
  });
});

describe('metadata', () => {
  test('is read, replaced, and goes with the action', () => {
    const frame = queueFrame({ a: '1' }, false);
    expect(fromValue(take(predelivery, 'GetMetaData', [], frame))).toEqual({ entries: [['a', '1']] });
    expect(take(predelivery, 'SetMetaData', [{ b: '2' }], frame)).toBe(null);
    expect(fromValue(take(predelivery, 'GetMetaData', [], frame))).toEqual({ entries: [['b', '2']] });
    expect(take(predelivery, 'Delete', [{ reason: 'r' }], frame)).toEqual({
      kind: 'Delete',
      reason: 'r',
      metadata: { b: '2' },
    });
    expect(fromValue(take(predelivery, 'GetMetaData', [], queueFrame({}, false)))).toEqual([]);
  });

  test('holds texts only', () => {
    expect(() => take(predelivery, 'SetMetaData', [{ a: 1 }], queueFrame({}, false))).toThrow(ScriptFault);
  });
});
