import { expect, test } from 'vitest';
import {
  parseDelayRule,
  parseRate,
  parseReplyRule,
  parseSinkState,
  SinkPlan,
  SinkRuleError,
} from '../../../src/sink/rules.js';

test('a reply rule is a state, a code and a text', () => {
  expect(parseReplyRule('RCPT 451 4.3.0 try later')).toEqual({
    state: 'RCPT',
    code: 451,
    text: '4.3.0 try later',
  });
  expect(parseReplyRule(' eod  554 ')).toEqual({ state: 'EOD', code: 554, text: 'refused by rule' });
});

test('a delay is before the reply to the message unless it names a state', () => {
  expect(parseDelayRule('200ms')).toEqual({ state: 'EOD', milliseconds: 200 });
  expect(parseDelayRule('RCPT 1.5s')).toEqual({ state: 'RCPT', milliseconds: 1500 });
  expect(parseDelayRule('2')).toEqual({ state: 'EOD', milliseconds: 2000 });
  expect(parseDelayRule('1m')).toEqual({ state: 'EOD', milliseconds: 60_000 });
});

test.each([
  [() => parseReplyRule('RCPT 250 ok'), /a code from 400 to 599.*"RCPT 250 ok"/],
  [() => parseReplyRule('451 try later'), /expected a state/],
  [() => parseReplyRule('NOOP 451 x'), /expected one of CONNECT, EHLO.*got "NOOP"/],
  [() => parseDelayRule('soon'), /expected a time.*got "soon"/],
  [() => parseDelayRule('-1s'), /expected a time/],
  [() => parseSinkState('QUIT'), /expected one of CONNECT/],
  [() => parseRate('2'), /number from 0 to 1, got "2"/],
  [() => parseRate(''), /number from 0 to 1/],
])('a rule that cannot be read says what was expected and found (%#)', (parse, message) => {
  expect(parse).toThrow(SinkRuleError);
  expect(parse).toThrow(message);
});

test('the rate is kept, and the same seed hits the same ones', () => {
  const draws = (seed: number) => {
    const plan = new SinkPlan({ rate: 0.1, seed });
    return Array.from({ length: 2000 }, () => plan.draw());
  };
  const hits = draws(7).filter(Boolean).length;
  expect(hits).toBeGreaterThan(140);
  expect(hits).toBeLessThan(260);
  expect(draws(7)).toEqual(draws(7));
  expect(draws(7)).not.toEqual(draws(8));
});

test('a rate of 0 hits nobody, of 1 everybody', () => {
  expect(new SinkPlan({ rate: 0 }).draw()).toBe(false);
  expect(new SinkPlan().draw()).toBe(true);
});

test('several replies for one state take turns', () => {
  const plan = new SinkPlan({ replies: [parseReplyRule('RCPT 451 a'), parseReplyRule('RCPT 550 b')] });
  expect([1, 2, 3].map(() => plan.move('RCPT').reply?.code)).toEqual([451, 550, 451]);
  expect(plan.move('MAIL')).toEqual({ delayMs: 0, drops: false, reply: undefined });
});
