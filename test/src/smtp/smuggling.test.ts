// The smuggling cases of 2023 (SEC Consult, "SMTP Smuggling"; CVE-2023-51764 to 51766): ends of a message for some servers and
// not for others. Whatever stands there, with whatever behind, here is one message, and one that is not accepted.

import { afterEach, describe, expect, test } from 'vitest';
import { chunkBytes } from '../../support/chunks.js';
import { type FixtureOptions, SmtpFixture } from '../../support/smtp-fixture.js';

let mta: SmtpFixture;

async function start(options?: FixtureOptions): Promise<SmtpFixture> {
  mta = await new SmtpFixture(options).start();
  return mta;
}

afterEach(async () => {
  await mta.stop();
  expect(mta.spool.underWay).toBe(0);
});

const ends = [
  '\n.\n',
  '\n.\r\n',
  '\r.\r',
  '\r.\n',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\n.\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
];
/** Those that are no end for anybody we know of: with a NUL in between it is a line with something in it. */
const harmless = ends.filter((end) => end.includes('\0'));
const dangerous = ends.filter((end) => !end.includes('\0'));

const behind: readonly [string, string][] = [
  ['nothing', ''],
  ['text', 'more text\r\n'],
  [
    'a pipelined mail',
    'MAIL FROM:<admin@here.test>\r\nRCPT TO:<victim@here.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nhidden\r\n',
  ],
  ['commands with bare LF', 'MAIL FROM:<admin@here.test>\nRCPT TO:<victim@here.test>\nDATA\nhidden\n'],
  ['RSET', 'RSET\r\n'],
  ['the same once more', 'again\n.\nagain\r\n'],
];

const envelope = 'EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';

/** The replies to what comes behind the envelope. */
async function repliesTo(bytes: string): Promise<string[]> {
  const client = await mta.dial();
  await client.expectLine('220 *');
  client.send(`${envelope}${bytes}NOOP\r\nQUIT\r\n`);
  const said = (await client.rest()).match(/^\d{3} .*$/gm) ?? [];
  return said.slice(3).map((line) => line.slice(0, 9));
}

describe.each(dangerous.map((end) => [JSON.stringify(end), end]))('%s', (_name, end) => {
  test.each(behind)(
    'after DATA (RFC 5321 §4.1.1.4), with %s behind, ends nothing and is refused',
    async (_what, more) => {
      await start();
      expect(await repliesTo(`DATA\r\nSubject: x\r\n\r\nbody${end}${more}\r\n.\r\n`)).toEqual([
        '354 End d',
        '554 5.6.0',
        '250 2.0.0',
        '221 2.0.0',
      ]);
      expect(mta.messages).toEqual([]);
    },
  );

  test.each(behind)(
    'in BDAT (RFC 3030), with %s behind, ends nothing and is refused',
    async (_what, more) => {
      await start();
      const message = `Subject: x\r\n\r\nbody${end}${more}\r\n`;
      expect(await repliesTo(chunkBytes(message, 'LAST'))).toEqual(['554 5.6.0', '250 2.0.0', '221 2.0.0']);
      expect(await repliesTo(chunkBytes(message) + chunkBytes('', 'LAST'))).toEqual([
        '250 2.0.0',
        '554 5.6.0',
        '250 2.0.0',
        '221 2.0.0',
      ]);
      expect(mta.messages).toEqual([]);
    },
  );

  test('is seen however it is cut into packets and chunks', async () => {
    await start();
    const message = `body${end}hidden\r\n`;
    for (let cut = 3; cut <= 5 + end.length; cut++) {
      expect(
        await repliesTo(chunkBytes(message.slice(0, cut)) + chunkBytes(message.slice(cut), 'LAST')),
      ).toContain('554 5.6.0');
      const client = await mta.dial();
      await client.expectLine('220 *');
      const stream = `${envelope}DATA\r\n${message}.\r\nQUIT\r\n`;
      client.send(stream.slice(0, stream.indexOf('body') + cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(stream.slice(stream.indexOf('body') + cut));
      expect(await client.rest()).toContain('\r\n554 5.6.0 ');
    }
    expect(mta.messages).toEqual([]);
  });
});

test.each(harmless.map((end) => [JSON.stringify(end), end]))(
  '%s is a line like any other',
  async (_name, end) => {
    await start();
    const message = `body${end}MAIL FROM:<x@y.test>\r\n`;
    expect(await repliesTo(`DATA\r\n${message}.\r\n`)).toEqual([
      '354 End d',
      '250 2.0.0',
      '250 2.0.0',
      '221 2.0.0',
    ]);
    expect(mta.messages).toHaveLength(1);
  },
);

test('the same ends after stuffing are content: a dot that was doubled is not alone', async () => {
  await start();
  for (const text of ['\n..\n', '\r..\r', '\n..\r\n'])
    expect(await repliesTo(`DATA\r\nbody${text}x\r\n.\r\n`)).toContain('250 2.0.0');
  expect(mta.messages).toEqual(['body\n..\nx\r\n', 'body\r..\rx\r\n', 'body\n..\r\nx\r\n']);
});

test('RFC 5321 §2.3.8: commands behind a bare LF or CR are never a second command', async () => {
  await start();
  const client = await mta.dial();
  await client.expectLine('220 *');
  client.send('EHLO c\nMAIL FROM:<a@b.test>\r\nNOOP\rRSET\r\nNOOP x\nNOOP\nNOOP\r\nQUIT\r\n');
  expect((await client.rest()).match(/^\d{3} \S+/gm)).toEqual([
    '500 5.5.2',
    '250 2.1.0',
    '500 5.5.2',
    '500 5.5.2',
    '500 5.5.2',
    '250 2.0.0',
    '221 2.0.0',
  ]);
});
