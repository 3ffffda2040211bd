import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readForm } from '../../../src/submission/form.js';
import { RequestProblem } from '../../../src/submission/request-problem.js';
import { readOptions } from '../../../src/submission/submitted-options.js';
import { boundary, form, formBody, formType } from '../../support/submission-fixture.js';

// Whatever comes, it is read or refused: nothing else is thrown, nothing hangs, and no more is handed on than came.

const rules = { mostRecipients: 10, transportId: 'default', knowsTransport: () => true };

test('options are read or refused, whatever they are', () => {
  const part = fc.string({ unit: 'binary', maxLength: 20 });
  const almost = fc.record(
    {
      sender: fc.record({ localpart: part, domain: part }),
      recipients: fc.array(fc.record({ localpart: part, domain: part }), { maxLength: 3 }),
      metadata: fc.jsonValue(),
    },
    { requiredKeys: ['sender', 'recipients'] },
  );
  const anything = fc.oneof(
    almost.map((value) => Buffer.from(JSON.stringify(value))),
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      try {
        const { sender, recipients } = readOptions(bytes, rules);
        for (const { localPart, domain } of [sender, ...recipients.map(({ address }) => address)]) {
          expect(`${localPart}@${domain}`).not.toMatch(/[\x00-\x1f\x7f]/);
          expect(domain).not.toMatch(/[^\x21-\x7e]/);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(RequestProblem);
      }
    }),
    { seed: 11, numRuns: 1000 },
  );
});

test('a form is read or refused, however it is damaged and cut', async () => {
  const whole = formBody([...form({}, 'Subject: x\r\n\r\nbody\r\n'), ...form()].slice(0, 2));
  const damage = fc.array(
    fc.record({
      at: fc.nat({ max: whole.length - 1 }),
      remove: fc.nat({ max: 30 }),
      insert: fc.oneof(
        fc.constantFrom(
          '\r\n',
          '\0',
          `--${boundary}`,
          `\r\n--${boundary}\r\n`,
          `--${boundary}--`,
          'Content-Type: ',
        ),
        fc.string({ maxLength: 5 }),
      ),
    }),
    { maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(damage, fc.integer({ min: 1, max: 60 }), async (changes, pieceBytes) => {
      let bytes = whole;
      for (const { at, remove, insert } of changes)
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), bytes.subarray(at + remove)]);
      const body = new PassThrough();
      let taken = 0;
      let counted = 0;
      const { done } = readForm(
        body,
        formType,
        () => ({
          take: (piece) => {
            taken += piece.length;
            return undefined;
          },
          end: () => undefined,
        }),
        (count) => {
          counted += count;
        },
      );
      for (let at = 0; at < bytes.length; at += pieceBytes) body.write(bytes.subarray(at, at + pieceBytes));
      body.end();
      const problem = await done.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (problem !== undefined) expect(problem).toBeInstanceOf(RequestProblem);
      expect(taken).toBeLessThanOrEqual(bytes.length);
      expect(counted).toBeLessThanOrEqual(bytes.length);
    }),
    { seed: 12, numRuns: 800 },
  );
});
