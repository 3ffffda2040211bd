import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReceiveBuffer } from '../../../stdlib/sockets/receive-buffer.js';

const chunk = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));

test('what is taken is what was put in, whatever the cuts on either side', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.record({ put: chunk }), fc.record({ take: fc.nat(20) }), fc.record({ peek: fc.nat(20) })),
      ),
      (steps) => {
        const buffer = new ReceiveBuffer();
        let model = Buffer.alloc(0);
        for (const step of steps) {
          if ('put' in step) {
            buffer.append(step.put);
            model = Buffer.concat([model, step.put]);
          } else if ('take' in step) {
            expect(buffer.take(step.take).equals(model.subarray(0, step.take))).toBe(true);
            model = model.subarray(step.take);
          } else expect(buffer.peek(step.peek).equals(model.subarray(0, step.peek))).toBe(true);
          expect(buffer.length).toBe(model.length);
        }
      },
    ),
  );
});

test('a cleared buffer is empty', () => {
  const buffer = new ReceiveBuffer();
  buffer.append(Buffer.from('abc'));
  buffer.take(1);
  buffer.clear();
  expect(buffer.length).toBe(0);
  expect(buffer.take(5)).toHaveLength(0);
});
