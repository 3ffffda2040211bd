// opendkim as an independent judge, in its test mode: it verifies what we sign, we verify what it signs.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../fuzz/random.js';
import { peerEnvironment, peerProgram, runProgram, skipReason } from '../../../support/peers.js';
import { scratchFolder } from '../../../support/scratch-folder.js';
import { asDelivered, generatedMessage } from './generated-messages.js';
import { ed25519Pem, rsaPem, signedBytes, verdicts, zone } from './signing-world.js';

const forms = ['simple', 'relaxed'] as const;
const combinations = forms.flatMap((header) => forms.map((body) => ({ header, body })));

/**
 * In its test mode, as in a milter, opendkim sees one blank behind the colon, whatever is there; and one signature that
 * cannot be read makes it leave the message alone.
 */
function plainer(message: Buffer): Buffer {
  const text = message.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text)!.index;
  const header = text
    .slice(0, end)
    .replace(/^([\w-]+):(?:[ \t]*(?:\r?\n(?=[ \t]))?)*/gm, '$1: ')
    .replace(/^DKIM-/gm, 'X-');
  return Buffer.from(header + text.slice(end), 'latin1');
}

/** Runs opendkim over messages. @returns what it said of each */
async function opendkim(settings: string, messages: readonly Buffer[]): Promise<string[]> {
  const folder = scratchFolder();
  const records = Object.entries(zone).map(([name, record]) => `${name} ${record}\n`);
  writeFileSync(path.join(folder, 'keys'), records.join(''));
  writeFileSync(path.join(folder, 'rsa.pem'), rsaPem, { mode: 0o600 });
  writeFileSync(
    path.join(folder, 'conf'),
    `TestPublicKeys ${folder}/keys\nSyslog no\nRequireSafeKeys no\n${settings}`,
  );
  const said: string[] = [];
  for (const [index, message] of messages.entries()) {
    writeFileSync(path.join(folder, `${index}.eml`), message);
    const { stdout, stderr } = await runProgram(
      peerProgram('opendkim'),
      ['-vvv', '-x', 'conf', '-t', `${index}.eml`],
      { env: peerEnvironment(), cwd: folder },
    );
    said.push(stdout + stderr);
  }
  return said;
}

describe.skipIf(skipReason('opendkim') !== undefined)('opendkim', () => {
  describe.each(combinations)('$header/$body', ({ header, body }) => {
    test('passes what we signed, in both algorithms', async () => {
      const random = new SeededRandom(11);
      const messages: Buffer[] = [];
      for (let i = 0; i < 25; i++)
        messages.push(
          asDelivered(
            await signedBytes(plainer(generatedMessage(random)), 'rsa', rsaPem, {
              canonicalization_header: header,
              canonicalization_body: body,
              timestamp: true,
              oversign_headers: random.pick([['from'], [], ['from', 'to', 'x-none']]),
              additional_signatures: [
                { selector: 'ed', domain: 'example.com', key: ed25519Pem, algorithm: 'ed25519-sha256' },
              ],
            }),
          ),
        );
      const said = await opendkim('Mode v\nAlwaysAddARHeader yes\n', messages);
      for (const [index, text] of said.entries()) {
        const passed = text.match(/dkim=pass (?:\([^)]*\) )?header\.d=example\.com/g) ?? [];
        expect(passed.length, `${text}\n${messages[index]!.toString('latin1')}`).toBe(2);
      }
    });

    test('signs what we pass', async () => {
      const random = new SeededRandom(12);
      const messages = Array.from({ length: 15 }, () => asDelivered(plainer(generatedMessage(random))));
      const said = await opendkim(
        `Mode s\nDomain example.com\nSelector rsa\nKeyFile rsa.pem\nCanonicalization ${header}/${body}\nInternalHosts 0.0.0.0/0\nOversignHeaders From\n`,
        messages,
      );
      for (const [index, text] of said.entries()) {
        const value = /hname='DKIM-Signature' hvalue='([^']*)'/.exec(text)?.[1];
        const field = `DKIM-Signature: ${value?.replace(/\r?\n/g, '\r\n')}\r\n`;
        expect(value, text).toBeDefined();
        expect((await verdicts(Buffer.concat([Buffer.from(field, 'latin1'), messages[index]!])))[0]).toBe(
          'pass',
        );
      }
    });
  });

  test('does not pass what was tampered with', async () => {
    const random = new SeededRandom(13);
    const messages: Buffer[] = [];
    for (let i = 0; i < 10; i++) {
      const text = asDelivered(await signedBytes(generatedMessage(random), 'rsa', rsaPem)).toString('latin1');
      const changed = random.pick([
        text.replace('<a@example.com>', '<b@example.com>'),
        `${text}appended\r\n`,
        `From: x@example.net\r\n${text}`,
      ]);
      messages.push(Buffer.from(changed, 'latin1'));
    }
    for (const text of await opendkim('Mode v\nAlwaysAddARHeader yes\n', messages))
      expect(text).not.toContain('dkim=pass');
  });
});
