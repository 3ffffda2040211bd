// mailauth as an independent judge: it verifies what we sign, we verify what it signs.

import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../fuzz/random.js';
import { asDelivered, generatedMessage } from './generated-messages.js';
import { ed25519Pem, rsaPem, signedBytes, verdicts, zone } from './signing-world.js';

const forms = ['simple', 'relaxed'] as const;
const combinations = forms.flatMap((header) => forms.map((body) => ({ header, body })));

const resolver = async (name: string): Promise<string[][]> => {
  const record = zone[name.toLowerCase()];
  if (record === undefined) throw Object.assign(new Error(`${name} not found`), { code: 'ENOTFOUND' });
  return [[record]];
};

/** mailauth's results for the signatures of example.com that are ours. */
async function judged(message: Buffer): Promise<string[]> {
  const { results } = await dkimVerify(message, { resolver });
  return results.flatMap(({ signingDomain, status }) =>
    signingDomain === 'example.com' ? [status.result] : [],
  );
}

describe.each(combinations)('$header/$body', ({ header, body }) => {
  test('mailauth passes what we signed, in both algorithms', async () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 40; i++) {
      const signed = await signedBytes(generatedMessage(random), 'rsa', rsaPem, {
        canonicalization_header: header,
        canonicalization_body: body,
        timestamp: true,
        additional_headers: random.pick([[], ['Received', 'X-Long'], ['X-None']]),
        oversign_headers: random.pick([['from'], [], ['from', 'to', 'subject', 'x-none']]),
        additional_signatures: [
          { selector: 'ed', domain: 'example.com', key: ed25519Pem, algorithm: 'ed25519-sha256' },
        ],
      });
      const sent = asDelivered(signed);
      expect(await judged(sent), sent.toString('latin1')).toEqual(['pass', 'pass']);
      expect((await verdicts(sent)).slice(0, 2)).toEqual(['pass', 'pass']);
    }
  });

  test('we pass what mailauth signed', async () => {
    const random = new SeededRandom(2);
    for (let i = 0; i < 25; i++) {
      const message = asDelivered(generatedMessage(random));
      const isRsa = random.chance(0.5);
      const { signatures, errors } = await dkimSign(message, {
        canonicalization: `${header}/${body}`,
        signTime: new Date(),
        signingDomain: 'example.com',
        selector: '',
        privateKey: '',
        signatureData: [
          {
            signingDomain: 'example.com',
            selector: isRsa ? 'rsa' : 'ed',
            privateKey: isRsa ? rsaPem : ed25519Pem,
            algorithm: isRsa ? 'rsa-sha256' : 'ed25519-sha256',
          },
        ],
      });
      expect(errors).toEqual([]);
      const signed = Buffer.concat([Buffer.from(signatures, 'latin1'), message]);
      expect((await verdicts(signed))[0], signed.toString('latin1')).toBe('pass');
    }
  });
});

test('what was tampered with passes neither there nor here', async () => {
  const random = new SeededRandom(3);
  for (let i = 0; i < 30; i++) {
    const signed = asDelivered(await signedBytes(generatedMessage(random), 'rsa', rsaPem));
    const text = signed.toString('latin1');
    const changes = [
      text.replace('<a@example.com>', '<b@example.com>'),
      `${text}appended\r\n`,
      `From: x@example.net\r\n${text}`,
      text.replace('d=example.com;', 'd=example.com; x=9999999999;'),
      text.replace('\r\n\r\n', '\r\n\r\nat the top\r\n'),
    ];
    const changed = Buffer.from(random.pick(changes), 'latin1');
    expect(changed.equals(signed)).toBe(false);
    expect((await judged(changed))[0]).not.toBe('pass');
    expect((await verdicts(changed))[0]).toMatch(/^permerror/);
  }
});
