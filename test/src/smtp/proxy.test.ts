// The proxy phase in transcripts (hooks 4).

import { afterEach, describe, expect, test } from 'vitest';
import type { ProxyOutcome } from '#hooks';
import { commandWord, proxiedCommands, proxyHookFor } from '../../../src/smtp/proxy-commands.js';
import { type FixtureOptions, SmtpFixture, until } from '../../support/smtp-fixture.js';

let mta: SmtpFixture;
const seen: string[] = [];
const pass: ProxyOutcome = { kind: 'Pass', next: false };

async function start(
  proxy: (command: string) => ProxyOutcome | Promise<ProxyOutcome>,
  { hooks, ...options }: FixtureOptions = {},
): Promise<void> {
  seen.length = 0;
  mta = await new SmtpFixture({
    ...options,
    hooks: {
      ...hooks,
      proxy: (command) => {
        seen.push(command);
        return proxy(command);
      },
    },
  }).start();
}

afterEach(async () => {
  await mta?.stop();
  expect(mta?.spool.underWay).toBe(0);
});

const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const envelope = `
  S: 220 *
  C: HELO c
  S: 250 *
  C: MAIL FROM:<a@b.test>
  S: 250 *
  C: RCPT TO:<c@d.test>
  S: 250 *`;

describe('which lines the script sees', () => {
  test('all, known and unknown, without their line ends, when no commands are named', async () => {
    await start(() => pass);
    await mta.play(`
      S: 220 *
      C: noop  x
      S: 250 *
      C: XYZZY a b
      S: 500 5.5.1 *
      C: 
      S: 500 *
      C:  leading blank
      S: 500 *`);
    expect(seen).toEqual(['noop  x', 'XYZZY a b', '', ' leading blank']);
  });

  test('only the named ones otherwise, in any case of ASCII letters, other bytes exactly', async () => {
    await start(() => pass, { proxyCommands: proxiedCommands(['BREV', 'hejdå', 'NOOP']) });
    await mta.play(`
      S: 220 *
      C: brev från
      S: 500 *
      C: Noop
      S: 250 *
      C: HEJDå
      S: 500 *
      C: HEJDÅ
      S: 500 *
      C: BREVLÅDA
      S: 500 *
      C: RSET
      S: 250 *`);
    expect(seen).toEqual(['brev från', 'Noop', 'HEJDå'].map(bytes));
  });

  test('none when the list is empty', async () => {
    await start(() => pass, { proxyCommands: proxiedCommands([]) });
    await mta.play('S: 220 *\nC: NOOP\nS: 250 *');
    expect(seen).toEqual([]);
  });

  test('bytes that are not UTF-8 as they are', async () => {
    await start(() => pass);
    await mta.play('S: 220 *\nC~ 58 e5 ff 80 0d 0a\nS: 500 *');
    expect(seen).toEqual(['X\xe5\xff\x80']);
  });

  test('no line of a message, no byte behind BDAT, no response of AUTH', async () => {
    await start(() => ({ kind: 'Pass', next: true }), {
      auth: { enabled: true, requireTls: false, maxFailures: 5 },
      hooks: { auth: () => ({ kind: 'Accept' }) },
    });
    await mta.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250 AUTH *
      C: AUTH PLAIN
      S: 334 *
      C: AGEAYg==
      S: 235 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<c@d.test>
      S: 250 *
      C: DATA
      S: 354 *
      C: NOOP
      C: .
      S: 250 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<c@d.test>
      S: 250 *
      C: BDAT 6 LAST
      C: NOOP
      S: 250 *
      C: QUIT
      S: 221 *`);
    expect(seen.map(commandWord)).toEqual([
      'EHLO',
      'AUTH',
      'MAIL',
      'RCPT',
      'DATA',
      'MAIL',
      'RCPT',
      'BDAT',
      'QUIT',
    ]);
  });

  test('none that is no command line: bare line ends, NUL, too long', async () => {
    await start(() => pass, { limits: { commandLineBytes: 20 } });
    await mta.play(`
      S: 220 *
      C~ 4e 4f 4f 50 0a
      S: 500 5.5.2 *
      C~ 4e 4f 00 4f 50 0d 0a
      S: 500 5.5.2 *
      C: NOOP 67890123456789
      S: 500 5.5.2 Line too long`);
    expect(seen).toEqual([]);
  });

  test('the first word ends at a blank or a tab', () => {
    expect([commandWord('A\tB'), commandWord('A B'), commandWord(''), commandWord('AB')]).toEqual([
      'A',
      'A',
      '',
      'AB',
    ]);
    const options = { hooks: { proxy: 'p' }, proxyCommands: proxiedCommands(['mail']) } as never;
    expect(proxyHookFor(options, 'MAIL\tx', false)).toBe('p');
    expect(proxyHookFor(options, 'MAILX', false)).toBeUndefined();
    expect(proxyHookFor(options, 'MAILX', true)).toBe('p');
  });
});

describe('Pass', () => {
  test('with a command puts it in the place of the line', async () => {
    await start((command) => ({ kind: 'Pass', next: false, command: command.replace('BREV', 'MAIL') }));
    await mta.play(`
      S: 220 *
      C: BREV FROM:<a@b.test>
      S: 250 2.1.0 *
      C: MAIL FROM:<c@d.test>
      S: 503 5.5.1 *`);
  });

  test('with a command is not asked about what it gave', async () => {
    await start(() => ({ kind: 'Pass', next: false, command: 'HELP' }));
    await mta.play('S: 220 *\nC: NOOP\nS: 214-*\nS: 214 *');
    expect(seen).toEqual(['NOOP']);
  });

  test('may give a longer command than a client may send', async () => {
    await start(() => ({ kind: 'Pass', next: false, command: `NOOP ${'x'.repeat(5000)}` }));
    await mta.play('S: 220 *\nC: X\nS: 250 *');
  });

  test('with next sees the next line, whatever it is, and no more', async () => {
    await start((command) => ({ kind: 'Pass', next: command.startsWith('X') }), {
      proxyCommands: proxiedCommands(['X']),
    });
    await mta.play(`
      S: 220 *
      C: X
      S: 500 *
      C: NOOP
      S: 250 *
      C: RSET
      S: 250 *`);
    expect(seen).toEqual(['X', 'NOOP']);
  });
});

describe('Reply', () => {
  test('answers 250 2.0.0 by default, and the engine never sees the command', async () => {
    await start(() => ({ kind: 'Reply', next: false }), {
      proxyCommands: proxiedCommands(['QUIT', 'XYZZY']),
    });
    await mta.play('S: 220 *\nC: XYZZY\nS: 250 2.0.0 Ok\nC: QUIT\nS: 250 2.0.0 Ok\nC: NOOP\nS: 250 *');
  });

  test('has lines and codes of its own, and hangs up if it wants', async () => {
    await start(() => ({
      kind: 'Reply',
      next: false,
      reason: ['Ha det', 'bra'],
      code: 221,
      enhanced: [2, 0, 0],
      disconnect: true,
    }));
    await mta.play('S: 220 *\nC: HEJDÅ\nC: NOOP\nS: 221-2.0.0 Ha det\nS: 221 2.0.0 bra\nS: <close>');
  });

  test('gives the class of its own code to the default status', async () => {
    await start(() => ({ kind: 'Reply', next: false, code: 502, reason: ['no'] }));
    await mta.play('S: 220 *\nC: X\nS: 502 5.0.0 no');
    expect(mta.log.lines).toContainEqual(expect.objectContaining({ message: 'refused' }));
  });

  test('with 8-bit text sends its bytes, and cannot forge a line', async () => {
    await start(() => ({ kind: 'Reply', next: false, reason: [`${bytes('hejdå')}\r\n250 x\0`] }));
    await mta.play(`S: 220 *\nC: X\nS: 250 2.0.0 ${bytes('hejdå')}??250 x?`);
  });

  test('with next holds an exchange of several lines', async () => {
    const lines: string[] = [];
    await start(
      (command) => {
        lines.push(command);
        return command === '.'
          ? { kind: 'Reply', next: false, reason: [lines.join('|')] }
          : { kind: 'Reply', next: true, code: 354, reason: ['more'] };
      },
      { proxyCommands: proxiedCommands(['XNOTE']) },
    );
    await mta.play(`
      S: 220 *
      C: XNOTE
      S: 354 more
      C: QUIT
      S: 354 more
      C: .
      S: 250 2.0.0 XNOTE|QUIT|.
      C: .
      S: 500 *`);
  });

  test('counts as a command without mail', async () => {
    await start(() => ({ kind: 'Reply', next: false }), { limits: { commandsWithoutMail: 3 } });
    await mta.play(
      'S: 220 *\nC: X\nS: 250 *\nC: X\nS: 250 *\nC: X\nS: 250 *\nC: X\nS: 421 4.7.0 *\nS: <close>',
    );
  });
});

describe('a script that waits', () => {
  test('holds up what is pipelined behind it, in order', async () => {
    let answer: (outcome: ProxyOutcome) => void = () => {};
    await start(
      () =>
        new Promise<ProxyOutcome>((resolve) => {
          answer = resolve;
        }),
      { proxyCommands: proxiedCommands(['BREV']) },
    );
    const client = await mta.play(`
      S: 220 *
      C: HELO c
      S: 250 *`);
    client.send('BREV\r\nRCPT TO:<c@d.test>\r\nDATA\r\nbody\r\n.\r\nQUIT\r\n');
    await until(() => seen.length === 1);
    answer({ kind: 'Pass', next: false, command: 'MAIL FROM:<a@b.test>' });
    await client.play('S: 250 2.1.0 *\nS: 250 2.1.5 *\nS: 354 *\nS: 250 *\nS: 221 *\nS: <close>');
    expect(mta.messages).toEqual(['body\r\n']);
  });

  test('is cancelled when the client goes', async () => {
    await start(() => new Promise<ProxyOutcome>(() => {}));
    const client = await mta.play('S: 220 *\nC: X');
    await until(() => seen.length === 1);
    client.close();
    await until(() => mta.cancelled.length > 0);
  });

  test('and then a mailfrom script that waits: each gets its turn', async () => {
    await start(async () => pass, { hooks: { mailfrom: async () => ({ kind: 'Accept' }) } });
    await mta.play(`${envelope}\nC: QUIT\nS: 221 *\nS: <close>`);
    expect(seen).toHaveLength(4);
  });
});
