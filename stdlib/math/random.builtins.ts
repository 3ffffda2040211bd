// Random numbers and bytes, from the host's generator.

import { builtin, ScriptFault } from '#lang';
import { olderName } from '../older-name.js';

const source = 'stdlib 5';

/** As the original allows. */
const MOST_BYTES = 1024 * 1024;

export const randomNumber = builtin({
  name: 'random_number',
  group: 'math',
  summary: 'Gives a random number.',
  params: [
    {
      name: 'first',
      type: 'number',
      optional: true,
      doc: 'The smallest integer; a decimal from 0 up to 1 without it.',
    },
    { name: 'last', type: 'number', optional: true, doc: 'The largest integer.' },
  ],
  returns: 'number',
  errors: 'An exception with only one bound, or bounds in the wrong order.',
  since: '5.0',
  example: 'random_number(7, 7)  // 7',
  source,
  run: (first, last, ctx) => {
    if (first === undefined) return ctx.host.random.number();
    if (last === undefined) {
      throw new ScriptFault(
        'random_number: it takes no bounds or two, found one; give the largest number as well',
      );
    }
    const low = Math.ceil(first);
    const high = Math.floor(last);
    if (!(low <= high && Number.isFinite(high - low))) {
      throw new ScriptFault(`random_number: there is no integer from ${first} to ${last}`);
    }
    return low + Math.floor(ctx.host.random.number() * (high - low + 1));
  },
});

export const randomBytes = builtin({
  name: 'random_bytes',
  group: 'math',
  summary: 'Gives random bytes of cryptographic quality.',
  params: [{ name: 'count', type: 'number', doc: 'At most 1048576.' }],
  returns: 'string',
  errors: 'An exception when the count is negative or above 1 MiB.',
  since: '4.8',
  example: 'length(random_bytes(33))  // 33',
  source,
  run: (count, ctx) => {
    const size = Math.trunc(count);
    if (!(size >= 0 && size <= MOST_BYTES)) {
      throw new ScriptFault(`random_bytes: the count must be between 0 and ${MOST_BYTES}, found ${count}`);
    }
    ctx.charge(size);
    return ctx.host.random.bytes(size);
  },
});

export const random = [randomNumber, randomBytes, olderName('rand', randomNumber)];
