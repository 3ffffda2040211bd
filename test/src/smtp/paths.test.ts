import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mailboxToText, textToMailbox } from '#stdlib';
import { parseMailArgument, parseRcptArgument } from '../../../src/smtp/paths.js';
import { Reply } from '../../../src/smtp/reply.js';
import { cpuSeconds } from '../../support/cpu-time.js';

const long = (length: number) => 'x'.repeat(length);

const accepted: readonly [string, string, string, Record<string, string>?][] = [
  ['FROM:<a@b.test>', 'a', 'b.test'],
  ['from:<a@b.test>', 'a', 'b.test'],
  ['FROM: <a@b.test>', 'a', 'b.test'],
  ['FROM:<>', '', ''],
  ['FROM:<> SIZE=10', '', '', { SIZE: '10' }],
  ['FROM:<A.b+c@B.Test>', 'A.b+c', 'B.Test'],
  ['FROM:<"john doe"@b.test>', 'john doe', 'b.test'],
  ['FROM:<"a\\"b\\\\c"@b.test>', 'a"b\\c', 'b.test'],
  ['FROM:<"a@b>c"@b.test>', 'a@b>c', 'b.test'],
  ['FROM:<""@b.test>', '', 'b.test'],
  ['FROM:<a@[127.0.0.1]>', 'a', '[127.0.0.1]'],
  ['FROM:<a@[IPv6:::1]>', 'a', '[IPv6:::1]'],
  ['FROM:<a@[x-tag:any!thing]>', 'a', '[x-tag:any!thing]'],
  ['FROM:<@r1.test,@r2.test:a@b.test>', 'a', 'b.test'],
  ['FROM:<a@host_name.test>', 'a', 'host_name.test'],
  ['FROM:<a@b.test> BODY=8BITMIME  SIZE=1', 'a', 'b.test', { BODY: '8BITMIME', SIZE: '1' }],
  ['FROM:<a@b.test> envid=x+2By', 'a', 'b.test', { ENVID: 'x+2By' }],
  ['FROM:<a@b.test> FLAG ', 'a', 'b.test', { FLAG: '' }],
  ['FROM:<\xc3\xa5@b.test> SMTPUTF8', '\xc3\xa5', 'b.test', { SMTPUTF8: '' }],
  [`FROM:<${long(200)}@b.test>`, long(200), 'b.test'],
];

const refused: readonly [string, number][] = [
  ['', 501],
  ['FROM', 501],
  ['FROM:', 501],
  ['FROM:a@b.test', 501],
  ['FROM:<a@b.test', 501],
  ['FROM:<a>', 501],
  ['FROM:<@b.test>', 501],
  ['FROM:<a@>', 501],
  ['FROM:<a@b..test>', 501],
  ['FROM:<a@.b.test>', 501],
  ['FROM:<a@b.test.>', 501],
  ['FROM:<a@-b.test>', 501],
  ['FROM:<a@b-.test>', 501],
  ['FROM:<.a@b.test>', 501],
  ['FROM:<a.@b.test>', 501],
  ['FROM:<a..b@b.test>', 501],
  ['FROM:<a b@b.test>', 501],
  ['FROM:<"a@b.test>', 501],
  ['FROM:<"a"b@b.test>', 501],
  ['FROM:<"a\\"@b.test>', 501],
  ['FROM:<a@[]>', 501],
  ['FROM:<a@[1.2.3]>', 501],
  ['FROM:<a@[1.2.3.256]>', 501],
  ['FROM:<a@[IPv6:zz]>', 501],
  ['FROM:<a@b@c.test>', 501],
  ['FROM:<@r1.test a@b.test>', 501],
  ['FROM:<@:a@b.test>', 501],
  ['FROM:<a@b.test>SIZE=1', 501],
  ['FROM:<a@b.test> =1', 501],
  ['FROM:<a@b.test> SIZE=', 501],
  ['FROM:<a@b.test> SIZE=1=2', 501],
  ['FROM:<a@b.test> SIZE=1 SIZE=2', 501],
  ['FROM:<a@b.test> -x=1', 501],
  ['FROM:<a\x00@b.test>', 501],
  [`FROM:<a@${long(64)}.test>`, 501],
  [`FROM:<a@${`${long(60)}.`.repeat(5)}test>`, 501],
  ['FROM:<\xc3\xa5@b.test>', 553],
  ['FROM:<a@\xc3\xa5.test>', 553],
];

describe('MAIL', () => {
  test.each(accepted)('%j is a path', (text, localPart, domain, params = {}) => {
    expect(parseMailArgument(text)).toEqual({ localPart, domain, params });
  });

  test.each(refused)('%j is refused', (text, code) => {
    expect(parseMailArgument(text)).toMatchObject({ code });
  });
});

describe('RCPT', () => {
  test('takes <postmaster> without a domain, in any case', () => {
    expect(parseRcptArgument('TO:<Postmaster>')).toEqual({ localPart: 'Postmaster', domain: '', params: {} });
    expect(parseRcptArgument('TO:<postmaster> NOTIFY=NEVER')).toMatchObject({ params: { NOTIFY: 'NEVER' } });
  });

  test('does not take the null path', () => {
    expect(parseRcptArgument('TO:<>')).toMatchObject({ code: 501, enhanced: [5, 1, 3] });
  });

  test('takes no other name without a domain', () => {
    expect(parseRcptArgument('TO:<abuse>')).toMatchObject({ code: 501 });
  });
});

test('any mailbox that can be read is written so that it reads the same', () => {
  const byte = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
  const localPart = fc.string({ unit: byte, maxLength: 20 });
  const domain = fc.constantFrom(
    'b.test',
    'B.Test',
    '[127.0.0.1]',
    '[IPv6:2001:db8::1]',
    'xn--bcher-kva.test',
  );
  fc.assert(
    fc.property(localPart, domain, (local, host) => {
      const text = mailboxToText({ localPart: local, domain: host });
      expect(textToMailbox(text)).toEqual({ localPart: local, domain: host });
      expect(parseMailArgument(`FROM:<${text}>`)).toEqual({ localPart: local, domain: host, params: {} });
    }),
  );
});

test('whatever a client sends, the answer is a path or a refusal', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'FROM:',
      '<',
      '>',
      '@',
      '"',
      '\\',
      '[',
      ']',
      ',',
      ':',
      ' ',
      '=',
      'a',
      '.',
      'SIZE',
      '\x00',
      '\xff',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = Buffer.from(pieces.join('')).toString('latin1');
      const result = parseMailArgument(text);
      if (result instanceof Reply) expect(result.code).toBeGreaterThanOrEqual(500);
      else
        expect(textToMailbox(mailboxToText(result)) ?? { localPart: '', domain: '' }).toMatchObject({
          localPart: result.localPart,
          domain: result.domain,
        });
    }),
    { numRuns: 2000 },
  );
});

test('a hostile path is read in no time', async () => {
  const seconds = await cpuSeconds(() => {
    for (const text of [
      `FROM:<${'a-'.repeat(5000)}@b>`,
      `FROM:<a@${'-'.repeat(10000)}>`,
      `FROM:<"${'\\"'.repeat(9000)}`,
    ])
      parseMailArgument(text);
  });
  expect(seconds).toBeLessThan(0.5);
});
