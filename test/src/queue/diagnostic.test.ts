import { describe, expect, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import { diagnosticOf, diagnosticWithoutAttempt } from '../../../src/queue/diagnostic.js';

type Result = NonNullable<AttemptReport['result']>;
type Failure = NonNullable<AttemptReport['error']>;

const ofReply = (result: Partial<Result>, isExpired = false) =>
  diagnosticOf(
    { result: { code: 550, reason: ['no'], state: 'RCPT', ...result }, durationSeconds: 0 },
    isExpired,
  );
const ofError = (error: Partial<Failure>, isExpired = false) =>
  diagnosticOf(
    { error: { temporary: true, message: 'broken', type: 'network', ...error }, durationSeconds: 0 },
    isExpired,
  );

describe('a reply', () => {
  test('says its status itself, and its lines are one text (queue-and-config 1.3)', () => {
    expect(ofReply({ enhanced: [5, 7, 26], reason: ['first', 'second'] })).toEqual({
      diagnosticType: 'smtp',
      diagnosticCode: '550 5.7.26 first second',
      status: [5, 7, 26],
    });
    // Also when the time was over: it is the last word of the other side.
    expect(ofReply({ code: 451, enhanced: [4, 3, 0] }, true).status).toEqual([4, 3, 0]);
  });

  test.each<[number, string, string]>([
    [250, 'EOD', '2.0.0'],
    [421, 'BANNER', '4.3.2'],
    [450, 'RCPT', '4.2.0'],
    [451, 'EOD', '4.3.0'],
    [452, 'RCPT', '4.3.1'],
    [499, 'RCPT', '4.0.0'],
    [503, 'DATA', '5.5.1'],
    [530, 'MAIL', '5.7.0'],
    [550, 'RCPT', '5.1.1'],
    [550, 'EOD', '5.0.0'],
    [552, 'RCPT', '5.2.2'],
    [552, 'EOD', '5.3.4'],
    [553, 'RCPT', '5.1.3'],
    [554, 'EOD', '5.0.0'],
    [556, 'RCPT', '5.1.10'],
    [599, 'EOD', '5.0.0'],
  ])('%i without a status to %s is %s', (code, state, status) => {
    const diagnostic = ofReply({ code, state });
    expect(diagnostic.status.join('.')).toBe(status);
    expect(diagnostic.diagnosticCode).toBe(`${code} no`);
  });

  test('without a text is its code', () => {
    expect(ofReply({ reason: [''] }).diagnosticCode).toBe('550');
    expect(ofReply({ reason: [] }).diagnosticCode).toBe('550');
  });
});

describe('an error', () => {
  test.each<[Partial<Failure>, string]>([
    [{ type: 'dns', dns: 'nxdomain', temporary: false }, '5.1.2'],
    [{ type: 'dns', dns: 'nullmx', temporary: false }, '5.1.10'],
    [{ type: 'dns', dns: 'nodata', temporary: false }, '5.4.4'],
    [{ type: 'dns', dns: 'ipfamily' }, '4.4.4'],
    [{ type: 'dns', dns: 'excluded', temporary: false }, '5.4.4'],
    [{ type: 'dns', dns: 'other' }, '4.4.3'],
    [{ type: 'dns' }, '4.4.3'],
    [{ type: 'network' }, '4.4.1'],
    [{ type: 'network', state: 'DATA' }, '4.4.2'],
    [{ type: 'tls', state: 'STARTTLS' }, '4.7.5'],
    [{ type: 'dane' }, '4.7.5'],
    [{ type: 'protocol', state: 'EOD' }, '4.5.0'],
    [{ type: 'config' }, '4.3.5'],
    [{ type: 'smtp', temporary: false, message: '5.6.7 the message needs SMTPUTF8' }, '5.6.7'],
    [{ type: 'smtp', temporary: false, message: 'cannot be written' }, '5.5.0'],
    [{ type: 'plugin' }, '4.0.0'],
  ])('%j is %s', (error, status) => {
    const diagnostic = ofError(error);
    expect(diagnostic.status.join('.')).toBe(status);
    expect(diagnostic.diagnosticType).toBe('x-error');
  });

  test('that lasted until the time was over is that', () => {
    expect(ofError({}, true).status).toEqual([4, 4, 7]);
    expect(ofError({ type: 'dns', dns: 'nxdomain', temporary: false }, true).status).toEqual([5, 1, 2]);
  });
});

test('an end without an attempt has the words of whoever wanted it', () => {
  expect(diagnosticWithoutAttempt('by order')).toEqual({
    diagnosticType: 'x-error',
    diagnosticCode: 'by order',
    status: [5, 0, 0],
  });
  expect(diagnosticOf({ durationSeconds: 0 })).toMatchObject({ status: [4, 0, 0] });
});
