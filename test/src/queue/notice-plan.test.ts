import { describe, expect, test } from 'vitest';
import { planDelay, planDoubleBounce, planFailure, planSuccess } from '../../../src/queue/notice-plan.js';
import { queuedMessage } from '../../support/notice-samples.js';
import { transport } from '../../support/started-queue.js';

// Who is told of what, row by row (RFC 3461 §5.2, RFC 5321 §4.5.5, hooks 15).

const carried = transport();
const subject = (notify: string | undefined, sender = queuedMessage.sender) => ({
  ...queuedMessage,
  sender,
  dsn: notify === undefined ? {} : { notify },
});
const nobody = { localPart: '', domain: '' };
const shown = (plan: ReturnType<typeof planFailure>) => (typeof plan === 'string' ? plan : plan.kind);

describe('NOTIFY', () => {
  test.each([
    //            a failure, a delay by the table, one that a script insists on, a success
    [undefined, ['failed', 'delayed', 'delayed', 'notify']],
    ['', ['failed', 'delayed', 'delayed', 'notify']],
    ['NEVER', ['notify', 'notify', 'notify', 'notify']],
    ['never', ['notify', 'notify', 'notify', 'notify']],
    ['FAILURE', ['failed', 'notify', 'delayed', 'notify']],
    ['DELAY', ['notify', 'delayed', 'delayed', 'notify']],
    ['SUCCESS', ['notify', 'notify', 'delayed', 'relayed']],
    ['SUCCESS,FAILURE', ['failed', 'notify', 'delayed', 'relayed']],
    ['success,delay', ['notify', 'delayed', 'delayed', 'relayed']],
    ['SUCCESS,FAILURE,DELAY', ['failed', 'delayed', 'delayed', 'relayed']],
  ] as const)('%s tells %j', (notify, told) => {
    const message = subject(notify);
    expect([
      shown(planFailure(message, carried, {}, false)),
      shown(planDelay(message, carried, {}, false)),
      shown(planDelay(message, carried, {}, true)),
      shown(planSuccess(message, carried, 'relayed')),
    ]).toEqual(told);
    // However it comes to its end, a failure is told of or not.
    expect(shown(planFailure(message, carried, {}, true))).toBe(told[0]);
  });
});

test('the null sender is told nothing, whatever it asked for and whoever insists', () => {
  for (const notify of [undefined, 'FAILURE', 'SUCCESS,FAILURE,DELAY']) {
    const message = subject(notify, nobody);
    const options = { recipient: { localPart: 'somebody', domain: 'else.test' } };
    for (const isExplicit of [false, true]) {
      expect(planFailure(message, carried, options, isExplicit)).toBe('null-sender');
      expect(planDelay(message, carried, options, isExplicit)).toBe('null-sender');
    }
    expect(planSuccess(message, carried, 'delivered')).toBe('null-sender');
  }
});

describe('the transport', () => {
  const without = transport({ dsnTransportId: undefined });

  test.each([
    ['what the script says', { transportId: 'own' }, carried, false, 'own'],
    ['dsn.transport', {}, carried, true, 'dsn'],
    ["the message's own, when a script or an operator wants it", {}, without, true, 'out'],
    ['none, by default', {}, without, false, 'no-dsn-transport'],
    ["the message's own, when that is not known any more", {}, undefined, true, 'out'],
  ] as const)('is %s', (_, options, known, isExplicit, expected) => {
    const plan = planFailure(subject(undefined), known, options, isExplicit);
    expect(typeof plan === 'string' ? plan : plan.transportId).toBe(expected);
  });
});

test('the sender gets it without the parameters of its address, unless the script names somebody else', () => {
  const sender = { ...queuedMessage.sender, params: { SMTPUTF8: '' } };
  expect(planFailure(subject(undefined, sender), carried, {}, false)).toMatchObject({
    recipient: { localPart: 'sender', domain: 'from.test' },
  });
  const recipient = { localPart: 'other', domain: 'else.test' };
  expect(planFailure(subject(undefined, sender), carried, { recipient }, false)).toMatchObject({ recipient });
});

test('of what has no sender the postmaster hears, but not of mail that was for the postmaster', () => {
  const postmaster = { localPart: 'root', domain: 'mta.test' };
  expect(planDoubleBounce(subject(undefined, nobody), carried, postmaster)).toMatchObject({
    kind: 'failed',
    recipient: postmaster,
    transportId: 'dsn',
    isForPostmaster: true,
  });
  const toPostmaster = { ...subject(undefined, nobody), recipient: { ...postmaster, domain: 'MTA.test' } };
  expect(planDoubleBounce(toPostmaster, carried, postmaster)).toBeUndefined();
  expect(planDoubleBounce(subject(undefined, nobody), carried, undefined)).toBeUndefined();
  expect(planDoubleBounce(subject(undefined), carried, postmaster)).toBeUndefined();
});
